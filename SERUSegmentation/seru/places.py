"""Where a run may write: known before any work, and never over what it reads."""

from __future__ import annotations

import os
import stat
import unicodedata
from contextlib import suppress
from pathlib import Path

from seru.errors import BadInputError
from seru.files import clear_parts, probing_folder, write_failure


def check_writable(path: str | Path) -> None:
    """Check that a file can be made or replaced, and clear away what killed runs left beside it.

    Asking for permission is not enough: shares and read-only disks answer only to a real file, which is made here in a
    folder of its own beside the place, under the same name.

    Args:
        path: of the file; a link there would be replaced, not followed.

    Raises:
        BadInputError: missing or unwritable folder, a name that no file can have, or something at the place that is
            no file or cannot be replaced.
    """
    path = Path(path)
    try:
        _check_replaceable(path)
        clear_parts(path.parent)
        with probing_folder(path.parent) as folder:
            probe = folder / path.name
            with open(probe, "xb"):
                pass
            os.replace(probe, folder / "renamed")
    except OSError as error:
        raise BadInputError(write_failure(path, error)) from error
    except ValueError as error:
        raise BadInputError(f"No file can have the name {path.name!r} ({error}); choose another one.") from error


def is_same_place(one: Path, other: Path) -> bool:
    """Tell whether two paths lead to one file, or would in a file system that ignores case.

    Args:
        one: of a file, there or not.
        other: likewise.

    Returns:
        True for the same file under any name, through links too, and for the same name in other letters.
    """
    with suppress(OSError, ValueError):
        if one.samefile(other):
            return True
    return _folded_path(one) == _folded_path(other)


def _folded_path(path: Path) -> str:
    folder = path.parent
    with suppress(OSError, ValueError):  # the working folder may be gone
        folder = Path(os.path.realpath(folder))
    return folded(str(folder / path.name))


def _check_replaceable(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise BadInputError(f"'{path}' is a folder; give the name of a file.")
    if not stat.S_ISREG(mode):
        raise BadInputError(f"'{path}' is a device or a pipe; give the name of a file.")
    if path.is_symlink():
        return
    if _is_mount_point(path):
        raise BadInputError(
            f"'{path}' is a mount point, whose place no finished file can take; mount its folder instead."
        )
    if _belongs_to_another(path):
        raise BadInputError(
            f"'{path}' belongs to another user, who alone may replace it in this folder; choose another name."
        )


def _is_mount_point(path: Path) -> bool:
    # A file that is mounted from the same disk tells nothing by its device number.
    return os.path.ismount(path) or _mount_of(path) != _mount_of(path.parent)


def _mount_of(path: Path) -> str | None:
    """Return the number of the mount that a path lies in; None where the system does not tell."""
    if not hasattr(os, "O_PATH"):
        return None
    try:
        number = os.open(path, os.O_PATH)
        try:
            with open(f"/proc/self/fdinfo/{number}", encoding="ascii") as facts:
                return next((line for line in facts if line.startswith("mnt_id:")), None)
        finally:
            os.close(number)
    except OSError:
        return None


def _belongs_to_another(path: Path) -> bool:
    folder = path.parent.stat()
    if not folder.st_mode & stat.S_ISVTX or not hasattr(os, "geteuid"):
        return False
    return os.geteuid() not in (0, folder.st_uid, path.stat().st_uid)


def folded(name: str) -> str:
    """Return what names have in common that are the same file's in some file system.

    Args:
        name: of a file, or a path.
    """
    return unicodedata.normalize("NFC", name).casefold()
