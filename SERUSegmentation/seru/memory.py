"""Is there room for what comes next? Some libraries crash where they are refused memory, which nobody can catch.

Asking costs microseconds: room is reserved and given back untouched. It tells the limits that are known beforehand
(``ulimit -v``, a cluster's job limits, a system that does not overcommit), not what other programs take later.
"""

from __future__ import annotations

import mmap

from seru.errors import NO_MEMORY, DeviceError

# OpenCV, SciPy, scikit-image and an engine need as much to be loaded; measured with ``ulimit -v`` on Linux.
LIBRARIES = 700 << 20
# SciPy and scikit-image alone: with less their OpenBLAS ends the process, or tries for ever.
NUMERIC_LIBRARIES = 250 << 20


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


def require_room(count: int) -> None:
    """Go on only where this process may take so many bytes more.

    Args:
        count: of bytes, 1 or more.

    Raises:
        DeviceError: the system refuses them.
    """
    if not has_room(count):
        raise DeviceError(NO_MEMORY)
