"""Limits of memory that are set on the process from outside."""

from __future__ import annotations

from seru.errors import DeviceError

# What the libraries of a run take of the address space before it begins. Under less they fail as they please: OpenBLAS
# ends the process with a line of its own.
_LEAST_BYTES = 700 << 20


def check_memory_limit() -> None:
    """Refuse to run under a limit that the libraries alone would exceed.

    Raises:
        DeviceError: the address space is limited (``ulimit -v``) to less.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _LEAST_BYTES:
        raise DeviceError(
            f"The memory of this process is limited to {limit >> 20} MB; raise the limit (ulimit -v) to 2 GB or more."
        )
