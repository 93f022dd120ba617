"""Work on slices side by side: NumPy and OpenCV let other threads go on while they compute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 16
_limit: int | None = None


def limit_threads(count: int | None) -> None:
    """Say how many threads this process takes for its slices from now on.

    Args:
        count: 1 or more; None takes as many as there are cores.
    """
    global _limit
    _limit = count


def slice_pool(name: str) -> Executor:
    """Return a pool for work on slices.

    Args:
        name: of its threads, for whoever looks at the process.

    Returns:
        The pool. Where this process takes one thread alone, the one that hands the work in does it at once.
    """
    if _limit == 1:
        return _AtOnce()
    return ThreadPoolExecutor(min(_MOST, _limit or os.cpu_count() or 1), thread_name_prefix=f"seru-{name}")


def in_threads(function: Callable[[int], object], indices: Iterable[int]) -> None:
    """Call a function with each of some numbers, in any order, and wait for all.

    Args:
        function: writes what it works out where nobody else does.
        indices: of slices, or of whatever is worked on.

    Raises:
        Exception: what the function raised first.
    """
    with slice_pool("slices") as pool:
        for _ in pool.map(function, indices):
            pass


class _AtOnce(Executor):
    """A pool without threads."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do the work, and return what it gave."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
