"""The header of a MetaImage: its keys, its grid, and where the voxels lie.

Source: MetaIO (github.com/Kitware/MetaIO), whose choices are ITK's and so Slicer's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from seru.grid import Lattice
from seru.io.reading import (
    DamagedError,
    UnreadableError,
    check_one_volume,
    millimetres,
    no_orientation_note,
    numbers,
    quoted,
    unit_note,
    whole_numbers,
)

MetaHeader = dict[str, str]
"""Keys and their values, as text."""

_LARGEST_HEADER = 1 << 20
_MOST_AXES = 10
_DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation", "ElementDirection")
_ORIGINS = ("Offset", "Origin", "Position", "ImagePosition", "ElementOrigin")
# Where axes come from that run along left, posterior and superior; and from where they come otherwise.
_FROM, _FROM_OTHER = "RAI", "LPS"


def read_header(file: BinaryIO) -> MetaHeader:
    """Read the header of a MetaImage.

    Args:
        file: at its start; is left at the first byte after the line of ``ElementDataFile``.

    Returns:
        The header; keys that are none of the format's too.

    Raises:
        UnreadableError: no MetaImage, or a key comes twice.
    """
    header: MetaHeader = {}
    while "ElementDataFile" not in header:
        line = _line(file)
        if not line.strip():
            continue
        key, *value = (part.strip() for part in re.split("[=:]", line, maxsplit=1))
        if not value:
            raise UnreadableError("is no MetaImage, or damaged; give a CT as NIfTI, NRRD, MetaImage or DICOM")
        if key in header:
            raise DamagedError(f"its header gives {quoted(key)} twice")
        header[key] = value[0]
    return header


def read_names(file: BinaryIO, count: int) -> list[str]:
    """Read the names of the voxel files that follow ``ElementDataFile = LIST``.

    Args:
        file: after the header.
        count: how many there must be.

    Returns:
        The names.

    Raises:
        DamagedError: there are fewer, or more.
    """
    names = [_line(file).strip() for _ in range(count)]
    if file.read(_LARGEST_HEADER).strip():
        raise DamagedError(f"its header names more than {count} voxel files")
    return names


def _line(file: BinaryIO) -> str:
    line = file.readline(_LARGEST_HEADER)
    if not line or file.tell() > _LARGEST_HEADER:
        raise DamagedError("its header does not end")
    return line.decode("utf-8", "replace")


def is_true(header: MetaHeader, key: str, default: bool) -> bool:
    """Return a yes or no of a header.

    Args:
        header: of the file.
        key: in it.
        default: where it is missing.
    """
    return header[key][:1] in ("T", "t", "1") if key in header else default


def whole_number(header: MetaHeader, key: str, default: int) -> int:
    """Return a whole number of a header.

    Args:
        header: of the file.
        key: in it.
        default: where it is missing.

    Raises:
        DamagedError: it is none.
    """
    values = whole_numbers(header.get(key, str(default)))
    if len(values) != 1:
        raise DamagedError(f"its {key} is {quoted(header[key])}")
    return values[0]


def sizes_of(header: MetaHeader) -> tuple[int, ...]:
    """Return the sizes of all axes, the fastest first.

    Args:
        header: of the file.

    Returns:
        Three sizes, and ones.

    Raises:
        UnreadableError: there are others, or one is below 1.
    """
    count = whole_number(header, "NDims", 0)
    sizes = whole_numbers(header.get("DimSize", ""))
    if not 1 <= count <= _MOST_AXES or len(sizes) != count:
        raise DamagedError(f"its header gives {len(sizes)} sizes for {count} axes")
    check_one_volume(sizes)
    return sizes


def lattice_of(header: MetaHeader) -> tuple[Lattice, tuple[str, ...]]:
    """Return where the voxels of a MetaImage lie.

    Args:
        header: of the file.

    Returns:
        Their lattice; and what the user should know of it, one sentence each.

    Raises:
        UnreadableError: no voxel size or one that is not positive, two geometries, or an unknown unit.
        BadInputError: the axes are of no lattice.
    """
    sizes = sizes_of(header)
    count = len(sizes)
    mm = millimetres(header.get("DistanceUnits", ""))
    spacing = _spacing(header, count) * mm
    rows = _one_of(header, _DIRECTIONS, count * count)
    # Each row is the direction of an axis.
    directions = np.eye(3) if rows is None else rows.reshape(count, count)[:3, :3].T
    origin = _one_of(header, _ORIGINS, count)
    matrix = np.eye(4)
    with np.errstate(over="ignore", invalid="ignore"):  # a grid with such numbers is refused
        matrix[:3, :3] = directions * spacing
        matrix[:3, 3] = 0.0 if origin is None else origin[:3] * mm
    lattice = Lattice.from_lps((sizes[2], sizes[1], sizes[0]), matrix).simplest()
    _check_lengths(directions)
    return lattice, unit_note({mm}) + _notes(header, directions, has_directions=rows is not None)


def _spacing(header: MetaHeader, count: int) -> np.ndarray:
    key = "ElementSpacing" if "ElementSpacing" in header else "ElementSize"
    if key not in header:
        raise UnreadableError("gives no voxel size, so volumes would be a guess; write ElementSpacing into its header")
    spacing = _numbers(header, key, count)[:3]
    if not all(np.isfinite(s) and s > 0 for s in spacing):
        size = " x ".join(f"{s:g}" for s in spacing)
        raise UnreadableError(f"has a voxel size of {size} mm; all three must be more than 0: correct the header")
    return spacing


def _numbers(header: MetaHeader, key: str, count: int) -> np.ndarray:
    values = numbers(header[key])
    if len(values) != count:
        raise DamagedError(f"its {key} has {len(values)} numbers, not {count}")
    return np.array(values)


def _one_of(header: MetaHeader, keys: Sequence[str], count: int) -> np.ndarray | None:
    """Return the numbers of the keys that mean the same, if one is there."""
    given = {key: _numbers(header, key, count) for key in keys if key in header}
    values = list(given.values())
    if any(not np.allclose(values[0], other, rtol=0, atol=1e-3) for other in values[1:]):
        raise UnreadableError(f"gives two geometries ({' and '.join(given)} differ); correct its header")
    return values[0] if values else None


def _check_lengths(columns: np.ndarray) -> None:
    lengths = np.linalg.norm(columns, axis=0)
    if np.abs(lengths - 1).max() > 0.01:
        texts = " x ".join(f"{length:g}" for length in lengths)
        raise UnreadableError(f"has directions of the lengths {texts}, which must be 1; correct its header")


def _notes(header: MetaHeader, directions: np.ndarray, has_directions: bool) -> tuple[str, ...]:
    if not has_directions:
        return (no_orientation_note("MetaImage"),)
    notes: tuple[str, ...] = ()
    said = header.get("AnatomicalOrientation", "").upper()
    # RAI is what writers leave there whatever the directions are.
    if said != _FROM and _contradicts(said, directions):
        notes += (
            f"The MetaImage header calls its orientation {quoted(said)} and gives other directions "
            f"({anatomical_orientation(directions)}), which were taken, as 3D Slicer does: check left and right.",
        )
    if any(numbers(header.get("CenterOfRotation", "0"))) and not np.allclose(directions, np.eye(3)):
        notes += ("The MetaImage header gives a centre of rotation, which was left out, as 3D Slicer does.",)
    return notes


def _contradicts(letters: str, directions_lps: np.ndarray) -> bool:
    """Tell whether an axis does not come from where its letter says."""
    if len(letters) != 3 or not set(letters) <= {*_FROM, *_FROM_OTHER}:
        return False
    for axis, letter in enumerate(letters):
        row = (_FROM if letter in _FROM else _FROM_OTHER).index(letter)
        if directions_lps[row, axis] * (1 if letter in _FROM else -1) <= 0:
            return True
    return False


def anatomical_orientation(directions_lps: np.ndarray) -> str:
    """Return where the axes come from, in MetaIO's three letters.

    Args:
        directions_lps: unit directions of i, j and k in LPS as columns, float64, shape (3, 3).

    Returns:
        ``RAI`` for axes along left, posterior and superior.
    """
    letters = ["", "", ""]
    left = np.abs(directions_lps)
    for _ in letters:
        # Of oblique axes the straightest chooses first, so that no letter comes twice.
        row, axis = np.unravel_index(left.argmax(), left.shape)
        letters[axis] = (_FROM if directions_lps[row, axis] > 0 else _FROM_OTHER)[row]
        left[row], left[:, axis] = -1, -1
    return "".join(letters)
