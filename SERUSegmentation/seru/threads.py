"""Work on slices side by side: NumPy and OpenCV let other threads go on while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

THREADS = min(16, os.cpu_count() or 1)


def in_threads(function: Callable[[int], object], indices: Iterable[int]) -> None:
    """Call a function with each of some numbers, in any order, and wait for all.

    Args:
        function: writes what it works out where nobody else does.
        indices: of slices.

    Raises:
        Exception: what the function raised first.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="seru-slices") as pool:
        for _ in pool.map(function, indices):
            pass
