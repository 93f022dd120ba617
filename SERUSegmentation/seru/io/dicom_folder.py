"""Which files of a folder, or of a zip, are DICOM, and what stands in the way of reading the others."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from seru.errors import BadInputError
from seru.io.dicom_files import DicomFile, FolderFile, Unread, is_dicom, is_meant_as_dicom
from seru.io.dicom_zip import is_zip, zipped_files
from seru.progress import Advance


def find_dicom_files(source: Path, advance: Advance) -> tuple[list[DicomFile], Unread]:
    """Find the DICOM files in a folder and the folders in it, or in a zip.

    Links to folders and files on the disk are followed, each place is entered once.

    Args:
        source: a folder, or a zip.
        advance: asked at each file whether to stop.

    Returns:
        The files in the order of their paths, and what could not be read.

    Raises:
        BadInputError: the zip is damaged, encrypted or not what a CT's is.
        OSError: the zip cannot be read.
    """
    unread = Unread()
    found = []
    for file in _files_of(source, unread, advance):
        advance(0, 1)
        try:
            if file.size == 0:
                unread.add("empty", file)
            elif is_dicom(file):
                found.append(file)
            elif is_zip(file.name) and not isinstance(file, FolderFile):
                unread.add("a zip in the zip", file)
            elif is_zip(file.name) and isinstance(file, FolderFile) and holds_dicom(file.path):
                unread.add("a zip of DICOM in the folder, which is read where it is given itself", file)
            elif is_meant_as_dicom(file):
                unread.add("no DICOM image, whatever its name", file)
        except OSError as error:
            unread.add_error(error, file)
    return found, unread


def looks_like_dicom(path: Path) -> bool:
    """Tell by its first bytes whether a file is DICOM.

    Args:
        path: of the file.

    Returns:
        True for DICOM files other than an index of a folder; False for what is no regular file, or cannot be read.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode) and is_dicom(FolderFile(path))
    except OSError:
        return False


def holds_dicom(path: Path) -> bool:
    """Tell whether a zip may hold a CT.

    Args:
        path: of the zip.

    Returns:
        False where none of its files is DICOM; True where one is, and where it is damaged: its reader says so.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return any(file.size > 0 and is_dicom(file) for file in zipped_files(path, Unread()))
    except BadInputError:
        return True


def _files_of(source: Path, unread: Unread, advance: Advance) -> list[DicomFile]:
    return [*(_regular_files(source, unread, advance) if source.is_dir() else zipped_files(source, unread))]


def _regular_files(folder: Path, unread: Unread, advance: Advance) -> list[FolderFile]:
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
    return [FolderFile(path) for path in sorted(files)]


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
