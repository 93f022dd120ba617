"""The errors that SERU raises: one sentence each, with the command's exit code."""

from __future__ import annotations

import errno

# What allocators, threads and loaders say where memory is short: the system's, C++'s, torch's, oneDNN's, OpenCV's.
_SIGNS_OF_NO_MEMORY = (
    "out of memory",
    "can't alloc",
    "cannot alloc",
    "failed to allocate",
    "unable to allocate",
    "bad_alloc",
    "bad allocation",
    "not enough memory",
    "insufficient memory",
    "start new thread",
    "resource temporarily unavailable",
    "paging file is too small",
    "failed to map segment from shared object",
    "could not create a primitive",
    "could not create a memory",
)
# Like words of other reasons: a library that may not run or is loaded too late, a layer that oneDNN does not know.
_OTHER_REASONS = ("operation not permitted", "static tls block", "primitive descriptor")


class SeruError(Exception):
    """Base of every error that SERU raises on purpose.

    The message is one sentence that says what came, what was expected and what to do.
    """

    exit_code: int = 1


class BadInputError(SeruError):
    """The input, an option or the output place cannot be used."""

    exit_code = 2


class ModelError(SeruError):
    """A model is missing, damaged or does not fit this version."""

    exit_code = 3


class MissingPackageError(ModelError):
    """A Python package that the networks need is missing, or cannot be loaded."""


class DeviceError(SeruError):
    """The device failed, is unknown to this machine, or has too little memory."""

    exit_code = 4


class CancelledError(SeruError):
    """The run was cancelled by the user."""

    exit_code = 130


CANCELLED = "The run was cancelled; no output was written."
NO_MEMORY = "The computer has too little memory for this volume; close other programs or crop it."


def is_memory_error(error: BaseException) -> bool:
    """Tell whether an error means that a device or the computer has too little memory.

    Args:
        error: any exception; what it was raised from counts too.

    Returns:
        True for MemoryError, the system's ENOMEM, threads that cannot start and the allocators' messages; False for an
        error that SERU raised on purpose.
    """
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, SeruError):
        if isinstance(seen, MemoryError) or _says_no_memory(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _says_no_memory(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM
    text = str(error).lower()
    return any(sign in text for sign in _SIGNS_OF_NO_MEMORY) and not any(reason in text for reason in _OTHER_REASONS)
