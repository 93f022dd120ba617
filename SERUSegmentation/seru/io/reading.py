"""Opening image files and saying what is wrong with them: shared by the readers of NIfTI, NRRD and MetaImage."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from seru.errors import BadInputError

TOO_SHORT = "it is shorter than its header says"
TOO_LONG = "it holds more than its header says"

_LONGEST_QUOTE = 80
MM_PER_UNIT = {
    **dict.fromkeys(("", "?", "mm", "millimeter", "millimetre", "millimeters", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimetre", "centimeters", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres"), 1000.0),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns", "micrometer", "micrometre"), 0.001),
}
"""Millimetres per unit of length, by its names in lower case."""


class UnreadableError(ValueError):
    """What is wrong with a file, in words that follow its name."""


class DamagedError(UnreadableError):
    """A file that contradicts itself.

    Args:
        reason: what contradicts, in a few words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"is cut or damaged ({reason}); copy or convert it again")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into the sentence that users see.

    Args:
        path: of the file.

    Raises:
        BadInputError: an ``UnreadableError`` came, or the file is missing.
    """
    try:
        yield
    except UnreadableError as error:
        raise BadInputError(f"'{path}' {error}.") from error


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read.

    Args:
        path: of the file.

    Returns:
        The file, binary and at its start.

    Raises:
        UnreadableError: it is a pipe, a socket, a device or a folder.
        OSError: it cannot be opened.
    """
    check_regular(path)
    return open(path, "rb")


def check_regular(path: Path) -> None:
    """Check that a path leads to a regular file, without opening it: opening a pipe waits for its writer.

    Args:
        path: of something that exists.

    Raises:
        UnreadableError: it is something else.
        OSError: it does not exist, or may not be looked at.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        raise UnreadableError(f"is no file but {what}; give the file itself")


def data_file(header: Path, name: str) -> Path:
    """Return where the voxels of a header lie: beside it, or in a folder below.

    Args:
        header: path of the file with the header.
        name: of the voxel file, as the header gives it.

    Returns:
        Its path, of a regular file.

    Raises:
        UnreadableError: the name leads elsewhere, or there is no such file.
    """
    if not name or "\0" in name:
        raise DamagedError("it gives no name of its voxel file")
    place = header.parent / name
    inside = Path(os.path.realpath(place)).is_relative_to(os.path.realpath(header.parent))
    if Path(name).is_absolute() or ".." in Path(name).parts or not inside:
        raise UnreadableError(f"keeps its voxels outside its own folder ({quoted(name)}); put both files side by side")
    if not place.exists():
        raise UnreadableError(f"lacks its voxels: the file {quoted(name)} is missing; copy it as well")
    if not place.is_file():
        raise UnreadableError(f"keeps its voxels in {quoted(name)}, which is no file; copy the voxel file itself")
    return place


def check_one_volume(sizes: Sequence[int], vectors_from: int | None = None) -> None:
    """Check that axes are those of one 3D volume: three of them, and others of one sample alone.

    Args:
        sizes: of all axes, the fastest first.
        vectors_from: the first axis that counts the numbers of a voxel; None where the format has none.

    Raises:
        UnreadableError: they are not.
    """
    text = " x ".join(map(str, sizes))
    if len(sizes) < 3:
        raise UnreadableError(f"is a {len(sizes)}D image; give a whole 3D volume")
    if min(sizes) < 1:
        raise UnreadableError(f"is empty ({text} voxels); give a 3D volume")
    numbers_a_voxel = 1 if vectors_from is None else max(sizes[vectors_from:], default=1)
    if numbers_a_voxel > 1:
        raise UnreadableError(f"holds colors or vectors ({numbers_a_voxel} numbers a voxel); give a 3D volume")
    if max(sizes[3:], default=1) > 1:
        raise UnreadableError(f"is a {len(sizes)}D image ({text}); give one 3D volume, without time or channels")


def quoted(text: str) -> str:
    """Return a text from a file for a sentence: in quotes, short, and without control characters."""
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "...")


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a text.

    Args:
        text: decimal numbers apart by blanks; NaN and infinity too.

    Returns:
        The numbers.

    Raises:
        DamagedError: one is none.
    """
    try:
        if "_" in text:  # Python's own notation of large numbers
            raise ValueError
        return tuple(float(part) for part in text.split())
    except ValueError:
        raise DamagedError(f"{quoted(text)} are no numbers") from None


def whole_numbers(text: str) -> tuple[int, ...]:
    """Return the whole numbers of a text.

    Args:
        text: decimal digits apart by blanks, a sign allowed.

    Returns:
        The numbers, however large.

    Raises:
        DamagedError: one is none.
    """
    parts = text.split()
    if not are_whole_numbers(parts):
        raise DamagedError(f"{quoted(text)} are no whole numbers")
    return tuple(int(part) for part in parts)


def are_whole_numbers(parts: list[str]) -> bool:
    """Tell whether words are whole numbers.

    Args:
        parts: of a header.

    Returns:
        True where each is digits, with or without a sign.
    """
    # 20 digits are beyond 64 bits; Python refuses to read thousands of them.
    return all(re.fullmatch(r"[+-]?[0-9]{1,20}", part) for part in parts)


def millimetres(unit: str) -> float:
    """Return how many millimetres a unit of length has.

    Args:
        unit: as a header names it; empty for none, which counts as millimetres.

    Returns:
        Millimetres per unit.

    Raises:
        UnreadableError: the unit is unknown.
    """
    try:
        return MM_PER_UNIT[unit.strip().casefold()]
    except KeyError:
        raise UnreadableError(
            f"measures in {quoted(unit.strip())}, which is no known unit of length; give its voxel size in mm"
        ) from None


def unit_note(factors: set[float]) -> tuple[str, ...]:
    """Return the warning that lengths were converted, if they were.

    Args:
        factors: millimetres per unit of the header's lengths.

    Returns:
        One sentence or none.
    """
    if factors <= {1.0}:
        return ()
    return ("The header's lengths are not in millimetres; they were converted, so check the voxel size.",)


def no_orientation_note(file_format: str) -> str:
    """Return the warning that a header does not tell left from right.

    Args:
        file_format: as users know it.
    """
    return f"The {file_format} header gives no orientation, so left and right are a guess; check them."
