"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seru.errors import BadInputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PART = ".part"

LastStep = Callable[[], None]
"""Called once a file is whole, just before it takes its place; what it raises keeps it away."""


@contextmanager
def replacing(path: Path, last_step: LastStep | None = None) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of ``path`` once it is whole.

    The temporary file lies in the same folder. It is removed on every failure, and on cancelling.

    Args:
        path: of the file to write; an older file stays until the new one is whole.
        last_step: called before the replacement; what it raises keeps the older file.

    Yields:
        The temporary file, binary, writable and seekable.

    Raises:
        BadInputError: the folder is missing or not writable, or the disk is full.
    """
    path = Path(path)
    temporary: str | None = None
    try:
        # The name is short and plain: the output's own may be as long as the file system allows.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".seru-", suffix=PART, delete=False) as file:
            temporary = file.name
            yield file  # type: ignore[misc]
        if last_step is not None:
            last_step()
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise BadInputError(write_failure(path, error)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Args:
        path: of the file.
        text: written as UTF-8.

    Raises:
        BadInputError: it cannot be written.
    """
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def write_failure(path: Path, error: OSError) -> str:
    """Return one sentence that says why a file could not be written.

    Args:
        path: of the file.
        error: what the system raised.

    Returns:
        The sentence; nothing is left at ``path``.
    """
    if error.errno in _NO_ROOM:
        return f"The disk is full: '{path}' was not written; free some space or choose another folder."
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"The folder '{path.parent}' does not exist; make it first or choose another one."
    if isinstance(error, IsADirectoryError):
        return f"'{path}' is a folder; give the name of a file."
    return f"'{path}' cannot be written ({error.strerror or error}); choose another folder."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
