"""The files of a DICOM folder: which of them are DICOM, and what stands in the way of reading the others.

Only regular files are opened: a pipe, a socket or a device would keep a reader waiting for ever.
"""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from seru.errors import BadInputError
from seru.progress import Advance

_PREAMBLE = 128
# The class of a DICOMDIR, whatever its name; it stands among the first elements.
_INDEX, _META = b"1.2.840.10008.1.3.10", 256
# A file so named is meant to be one; what begins with "._" is macOS's.
_ENDINGS = (".dcm", ".dicom", ".ima")
# Never wait for the other end of a pipe that took a file's place since it was looked at.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NAMED = 3


@dataclass
class Unread:
    """What could not be read, by its reason.

    Attributes:
        paths: of files and folders, by the reason.
    """

    paths: dict[str, list[Path]] = field(default_factory=dict)

    def add(self, reason: str, path: Path) -> None:
        """Note a place and the reason."""
        self.paths.setdefault(reason, []).append(path)

    def add_error(self, error: OSError, path: Path) -> None:
        """Note a place that the system would not read."""
        self.add((error.strerror or str(error)).lower(), path)

    def sentences(self) -> list[str]:
        """Return a sentence a reason, with the first names."""
        return [
            f"Left out: {_names(paths)} ({reason}); if that was part of the CT, copy it again."
            for reason, paths in self.paths.items()
        ]

    def summary(self) -> str:
        """Return all of it in words, empty where all was read."""
        return "; ".join(f"{_names(paths)}: {reason}" for reason, paths in self.paths.items())


class BoundedFile(io.BufferedReader):
    """A regular file, open for reading, that never takes memory for more bytes than it has.

    Args:
        path: of the file.

    Attributes:
        size: bytes of the file.

    Raises:
        BadInputError: it is no regular file.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, _FLAGS)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise BadInputError(f"'{path}' is no regular file; give the folder of a CT.")
            super().__init__(io.FileIO(descriptor, "rb"))
        except BaseException:
            os.close(descriptor)
            raise
        self.size = facts.st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, fewer than ``size`` at the end only."""
        return super().read(self.size if size is None or size < 0 else min(size, self.size))


def find_dicom_files(folder: Path, advance: Advance) -> tuple[list[Path], Unread]:
    """Find the DICOM files in a folder and the folders in it; links are followed, each place is entered once.

    Args:
        folder: to look in.
        advance: asked at each file whether to stop.

    Returns:
        The files in the order of their paths, and what could not be read.
    """
    unread = Unread()
    found = []
    for path in _regular_files(folder, unread, advance):
        advance(0, 1)
        try:
            if path.stat().st_size == 0:
                unread.add("empty", path)
            elif _is_dicom(path):
                found.append(path)
            elif path.suffix.lower() in _ENDINGS and not path.name.startswith("._"):
                unread.add("no DICOM image, whatever its name", path)
        except OSError as error:
            unread.add_error(error, path)
    return found, unread


def looks_like_dicom(path: Path) -> bool:
    """Tell by its first bytes whether a file is DICOM.

    Args:
        path: of the file.

    Returns:
        True for DICOM files other than an index of a folder; False for what is no regular file, or cannot be read.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode) and _is_dicom(path)
    except OSError:
        return False


def _is_dicom(path: Path) -> bool:
    if path.name.upper() == "DICOMDIR":
        return False
    with BoundedFile(path) as file:
        start = file.read(_PREAMBLE + 4)
        if _INDEX in file.read(_META):
            return False
    # Very old files lack the preamble: they begin with an element of group 2 or 8.
    return start[_PREAMBLE:] == b"DICM" or (len(start) == _PREAMBLE + 4 and start[:2] in (b"\x02\x00", b"\x08\x00"))


def _regular_files(folder: Path, unread: Unread, advance: Advance) -> list[Path]:
    files: list[Path] = []
    places = [folder]
    entered: set[tuple[int, int]] = set()
    while places:
        advance(0, 1)
        place = places.pop()
        try:
            facts = place.stat()
            if (facts.st_dev, facts.st_ino) in entered:
                continue
            entered.add((facts.st_dev, facts.st_ino))
            names = sorted(os.listdir(place))
        except OSError as error:
            unread.add_error(error, place)
            continue
        # The last comes off first; in this order a place reached twice is always entered by the same path.
        for path in reversed([place / name for name in names]):
            _sort_out(path, files, places, unread)
    return sorted(files)


def _sort_out(path: Path, files: list[Path], places: list[Path], unread: Unread) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if isinstance(error, FileNotFoundError) and path.is_symlink():
            unread.add("a link that leads nowhere", path)
        else:
            unread.add_error(error, path)
        return
    if stat.S_ISDIR(mode):
        places.append(path)
    elif stat.S_ISREG(mode):
        files.append(path)
    else:
        unread.add("no regular file", path)


def _names(paths: list[Path]) -> str:
    named = ", ".join(f"'{path.name}'" for path in sorted(paths)[:_NAMED])
    return named + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
