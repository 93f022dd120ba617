"""Whatever goes wrong, as an exit code and one sentence."""

from __future__ import annotations

import errno
import platform

from seru.errors import CANCELLED, NO_MEMORY, BadInputError, CancelledError, DeviceError, SeruError, is_memory_error
from seru.packages import package_error


def as_seru_error(error: BaseException) -> SeruError:
    """Return any error as one of ours: an exit code and one sentence.

    Args:
        error: of a run.

    Returns:
        The same where it is ours already.
    """
    if isinstance(error, SeruError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return CancelledError(CANCELLED)
    if is_memory_error(error):
        return DeviceError(NO_MEMORY)
    if isinstance(error, ImportError) and (known := package_error(error)) is not None:
        return known
    if isinstance(error, PermissionError) and error.filename is not None:
        return BadInputError(f"'{error.filename}' cannot be opened ({error.strerror}).")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return BadInputError(
            f"A disk is full, or what is printed to ({error.strerror}); free some space and run again."
        )
    kind = type(error).__name__
    text = " ".join(str(error).split())
    return SeruError(
        f"Something unexpected went wrong ({kind}: {text}; Python {platform.python_version()}); "
        "run again with --debug and report what it prints."
    )
