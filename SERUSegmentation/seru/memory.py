"""Is there room for what comes next? Some libraries end the process where they are refused memory or a thread.

Asking costs little: room is reserved and given back untouched, threads do nothing. It tells the limits that are known
beforehand (``ulimit``, a cluster's job limits, a system that does not overcommit), not what other programs take later.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from contextlib import suppress

from seru.errors import NO_MEMORY, DeviceError

# OpenCV, SciPy, scikit-image and an engine need as much to be loaded; measured with ``ulimit -v`` on Linux.
LIBRARIES = 700 << 20
# SciPy and scikit-image alone: with less their OpenBLAS ends the process, or tries for ever.
NUMERIC_LIBRARIES = 250 << 20
_STACK = 256 << 10
# Of all memory: with less free a system begins to end programs.
_LEAST_SHARE = 0.05
_MEMINFO = "/proc/meminfo"


def has_room(count: int) -> bool:
    """Tell whether this process may take so many bytes more.

    Args:
        count: of bytes, 1 or more.

    Returns:
        False where the system refuses them.
    """
    try:
        mmap.mmap(-1, count).close()
    except (OSError, OverflowError):
        return False
    return True


def is_short() -> bool:
    """Tell whether the computer has little memory left for any program; only Linux says so."""
    try:
        with open(_MEMINFO, encoding="ascii") as file:
            kilobytes = {name: int(text.split()[0]) for name, _, text in (line.partition(":") for line in file)}
        return kilobytes["MemAvailable"] < _LEAST_SHARE * kilobytes["MemTotal"]
    except (OSError, ValueError, KeyError, IndexError):
        return False


def give_back() -> None:
    """Give the system back what was freed and is kept for more: after a CT that is a tenth of a worker.

    Only the GNU C library keeps it and can be told; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def require_room(count: int) -> None:
    """Go on only where this process may take so many bytes more.

    Args:
        count: of bytes, 1 or more.

    Raises:
        DeviceError: the system refuses them.
    """
    if not has_room(count):
        raise DeviceError(NO_MEMORY)


def require_threads(engine_threads: int | None = None) -> None:
    """Go on only where this process may start the threads that a run takes: OpenMP ends the process where it may not.

    Args:
        engine_threads: of an engine; None for one a core.

    Raises:
        DeviceError: the system refuses them.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Those that prepare slices and take up results, the engine's, and one for what else waits; measured with
    # ``ulimit -u`` on Linux.
    count = 2 * cores + min(engine_threads or cores, cores) + 1
    if not _can_start_threads(count):
        raise DeviceError(
            f"The system lets this process start fewer than {count} threads; raise its limit (ulimit -u, or the "
            "job's), or close other programs."
        )


def _can_start_threads(count: int) -> bool:
    is_over = threading.Event()
    started: list[threading.Thread] = []
    usual = threading.stack_size(_STACK)
    try:
        for _ in range(count):
            thread = threading.Thread(target=is_over.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):
        return False
    finally:
        threading.stack_size(usual)
        is_over.set()
        for thread in started:
            thread.join()
    return True
