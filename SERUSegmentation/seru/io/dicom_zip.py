"""The files in a zip, read where they lie: nothing is unpacked onto the disk, so no path can lead out of it.

Python's ``zipfile`` reads the directory of the zip, in bounds. The files are read here, by what the directory says of
them; one that is not exactly that is damaged. What a zip claims is bounded before memory is taken.

Source: PKWARE APPNOTE.TXT, 4.3 (general format), 4.4 (fields).
"""

from __future__ import annotations

import errno
import io
import itertools
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seru.errors import BadInputError
from seru.io.dicom_files import BoundedFile, Unread

ZIP_ENDING = ".zip"

# Of a directory that is read: tens of thousands of files.
_LONGEST_DIRECTORY = 1 << 23
# No CT slice is larger: 4096 x 4096 pixels of 16 bits and its header.
_LARGEST_FILE = 1 << 26
# All files of a zip together; what is larger than a small one is not packed more than this.
_LARGEST_SUM, _SMALL_SUM, _LARGEST_RATIO = 1 << 36, 1 << 26, 200
# Encrypted in one way or another; patches of other files.
_ENCRYPTED, _PATCH = 0x2041, 0x20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL, _LOCAL_SIZE = b"PK\x03\x04", 30
# Packed bytes that are enough for the first ones of a large file.
_FIRST = 1 << 12
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class ZippedFile:
    """A file in a zip.

    Attributes:
        archive: path of the zip.
        path: of the file in it.
        offset: of its local header in the zip.
        end: what is its own ends before this offset.
        stored_size: its packed bytes.
        size: its bytes.
        crc: CRC-32 of these.
        is_deflated: False where it is stored as it is.
    """

    archive: Path
    path: PurePosixPath
    offset: int
    end: int
    stored_size: int
    size: int
    crc: int
    is_deflated: bool

    def __str__(self) -> str:
        return str(self.archive / self.path)

    @property
    def name(self) -> str:
        """Its own name, without folders."""
        return self.path.name

    def open(self) -> io.BytesIO:
        """Unpack it in memory.

        Returns:
            The file, at its start.

        Raises:
            BadInputError: it is damaged.
            OSError: it cannot be read, or is larger than a slice of a CT.
        """
        if self._is_large:
            raise OSError(errno.EFBIG, "larger than any slice")
        data = self._unpacked(self.stored_size, self.size)
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise _damaged(self.archive, self.path)
        return io.BytesIO(data)

    def begin(self, size: int) -> bytes:
        """Return its first bytes, ``size`` at most.

        Raises:
            BadInputError: it is damaged.
            OSError: it cannot be read.
        """
        if self._is_large:
            return self._unpacked(min(self.stored_size, _FIRST), size)[:size]
        # A damaged slice must not be taken for a file of another kind, and left out.
        return self.open().read(size)

    @property
    def _is_large(self) -> bool:
        return max(self.size, self.stored_size) > _LARGEST_FILE

    def _unpacked(self, stored: int, size: int) -> bytes:
        """Return what ``stored`` packed bytes hold, one byte more than ``size`` at most."""
        packed = self._packed(stored)
        if not self.is_deflated:
            return packed
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
        except zlib.error as error:
            raise _damaged(self.archive, self.path) from error

    def _packed(self, count: int) -> bytes:
        with BoundedFile(self.archive) as file:
            file.seek(self.offset)
            header = file.read(_LOCAL_SIZE)
            if len(header) < _LOCAL_SIZE or not header.startswith(_LOCAL):
                raise _damaged(self.archive, self.path)
            start = file.tell() + sum(struct.unpack("<2H", header[-4:]))
            if start + self.stored_size > self.end:
                raise _damaged(self.archive, self.path)
            file.seek(start)
            return file.read(count)


def is_zip(name: str) -> bool:
    """Tell by its name whether a file is a zip."""
    return name.lower().endswith(ZIP_ENDING)


def zipped_files(archive: Path, unread: Unread) -> list[ZippedFile]:
    """List the files in a zip; none of them is unpacked.

    Args:
        archive: path of the zip.
        unread: gets what is no file.

    Returns:
        The files in the order of their paths.

    Raises:
        BadInputError: it is no zip, or a damaged, encrypted or unusual one, or claims what no CT's does.
        OSError: it cannot be read.
    """
    with _Directory(archive) as directory:
        entries, end = _entries(archive, directory)
    _check_sizes(archive, entries, directory.size)
    _check_names(archive, entries)
    files = []
    for entry, following in itertools.zip_longest(entries, entries[1:]):
        path = _path_of(entry)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if _is_folder(entry):
            continue
        if kind not in (0, stat.S_IFREG):
            unread.add("a link in a zip" if kind == stat.S_IFLNK else "no regular file", path)
            continue
        files.append(_checked(archive, path, entry, following.header_offset if following else end))
    return sorted(files, key=lambda file: file.path)


class _Directory(BoundedFile):
    """A zip of which never more than a directory in bounds is read at once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        left = self.size - self.tell()
        if (left if size is None or size < 0 else min(size, left)) > _LONGEST_DIRECTORY:
            raise BadInputError(f"'{self._path}' holds more files than a CT has; unpack it and give the CT's folder.")
        return super().read(size)


def _entries(archive: Path, directory: _Directory) -> tuple[list[zipfile.ZipInfo], int]:
    """Return what the directory lists, in the order of its places in the zip, and where the directory begins."""
    try:
        with zipfile.ZipFile(directory) as opened:
            return sorted(opened.infolist(), key=lambda entry: entry.header_offset), opened.start_dir
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, RuntimeError, struct.error) as error:
        raise BadInputError(f"'{archive}' is no zip, or a cut or damaged one; copy it again.") from error


def _check_sizes(archive: Path, entries: list[zipfile.ZipInfo], stored: int) -> None:
    claimed = sum(entry.file_size for entry in entries)
    if claimed > _LARGEST_SUM or (claimed > _SMALL_SUM and claimed > _LARGEST_RATIO * stored):
        raise BadInputError(
            f"'{archive}' claims to unpack to {claimed >> 20} MB from {stored} bytes, as no CT does; "
            "unpack it and give the CT's folder."
        )


def _check_names(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse names that would lead out of a folder, or that two files share."""
    names = Counter(_path_of(entry) for entry in entries if not _is_folder(entry))
    for entry in entries:
        name = entry.orig_filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or _DRIVE.match(name) or "\0" in name:
            raise BadInputError(
                f"'{archive}' holds a file whose path leads out of it ({entry.orig_filename[:80]!r}); "
                "zip the CT's folder again."
            )
    for path, count in names.most_common(1):
        if count > 1:
            raise BadInputError(f"'{archive}' holds {count} files called '{path}'; zip the CT's folder again.")


def _checked(archive: Path, path: PurePosixPath, entry: zipfile.ZipInfo, end: int) -> ZippedFile:
    if entry.flag_bits & _ENCRYPTED:
        raise BadInputError(f"'{archive}' is encrypted; unpack it and give the CT's folder.")
    if entry.compress_type not in _METHODS or entry.flag_bits & _PATCH:
        raise BadInputError(
            f"'{archive}' is packed in a way that is not read (method {entry.compress_type}); "
            "unpack it and give the CT's folder."
        )
    is_deflated = entry.compress_type == zipfile.ZIP_DEFLATED
    is_true = is_deflated or entry.compress_size == entry.file_size
    if not is_true or entry.header_offset < 0 or entry.header_offset + _LOCAL_SIZE + entry.compress_size > end:
        raise _damaged(archive, path)
    return ZippedFile(
        archive, path, entry.header_offset, end, entry.compress_size, entry.file_size, entry.CRC, is_deflated
    )


def _path_of(entry: zipfile.ZipInfo) -> PurePosixPath:
    # Old programs on Windows write backslashes.
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith(("/", "\\"))


def _damaged(archive: Path, path: PurePosixPath) -> BadInputError:
    return BadInputError(f"The zip '{archive}' is cut or damaged at '{path}'; copy it again.")
