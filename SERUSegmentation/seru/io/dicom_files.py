"""Files that may be DICOM, wherever they lie: on the disk, or in a zip (``dicom_zip``).

Only regular files are opened: a pipe, a socket or a device would keep a reader waiting for ever.
"""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from seru.errors import BadInputError
from seru.volume import SliceFile

_PREAMBLE = 128
# The class of a DICOMDIR, whatever its name; it stands among the first elements.
_INDEX, _META = b"1.2.840.10008.1.3.10", 256
# A file so named is meant to be one; what begins with "._" is macOS's.
_ENDINGS = (".dcm", ".dicom", ".ima")
# Never wait for the other end of a pipe that took a file's place since it was looked at.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NAMED = 3


class DicomFile(SliceFile, Protocol):
    """A file that may be DICOM."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def stored_size(self) -> int:
        """Bytes that it takes where it lies: fewer in a zip."""

    def begin(self, size: int) -> bytes:
        """Return its first bytes, ``size`` at most."""


class _Named(Protocol):
    """A file or a folder."""

    @property
    def name(self) -> str: ...


@dataclass
class Unread:
    """What could not be read, by its reason.

    Attributes:
        places: files and folders, by the reason.
    """

    places: dict[str, list[_Named]] = field(default_factory=dict)

    def add(self, reason: str, place: _Named) -> None:
        """Note a place and the reason."""
        self.places.setdefault(reason, []).append(place)

    def add_error(self, error: OSError, place: _Named) -> None:
        """Note a place that the system would not read."""
        self.add((error.strerror or str(error)).lower(), place)

    def sentences(self) -> list[str]:
        """Return a sentence a reason, with the first names."""
        return [
            f"Left out: {_names(places)} ({reason}); if that was part of the CT, copy it again."
            for reason, places in self.places.items()
        ]

    def summary(self) -> str:
        """Return all of it in words, empty where all was read."""
        return "; ".join(f"{_names(places)}: {reason}" for reason, places in self.places.items())


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


@dataclass(frozen=True)
class FolderFile:
    """A file on the disk.

    Attributes:
        path: of the file.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """Its own name, without folders."""
        return self.path.name

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size

    stored_size = size

    def open(self) -> BoundedFile:
        """Open it to read.

        Raises:
            BadInputError: it is no regular file.
            OSError: it cannot be read.
        """
        return BoundedFile(self.path)

    def begin(self, size: int) -> bytes:
        """Return its first bytes, ``size`` at most."""
        with self.open() as file:
            return file.read(size)


def is_dicom(file: DicomFile) -> bool:
    """Tell by its first bytes whether a file is DICOM, and no index of a folder.

    Args:
        file: that is not empty.

    Returns:
        True for DICOM files, those without a preamble too.

    Raises:
        BadInputError: it lies in a damaged archive.
        OSError: it cannot be read.
    """
    if file.name.upper() == "DICOMDIR":
        return False
    start = file.begin(_PREAMBLE + 4 + _META)
    if _INDEX in start[_PREAMBLE + 4 :]:
        return False
    # Very old files lack the preamble: they begin with an element of group 2 or 8.
    is_old = len(start) >= _PREAMBLE + 4 and start[:2] in (b"\x02\x00", b"\x08\x00")
    return start[_PREAMBLE : _PREAMBLE + 4] == b"DICM" or is_old


def is_meant_as_dicom(file: DicomFile) -> bool:
    """Tell by its name whether a file is meant to be DICOM."""
    return file.name.lower().endswith(_ENDINGS) and not file.name.startswith("._")


def _names(places: list[_Named]) -> str:
    named = ", ".join(f"'{place.name}'" for place in sorted(places, key=str)[:_NAMED])
    return named + (f" and {len(places) - _NAMED} more" if len(places) > _NAMED else "")
