"""The header of a NRRD file: its fields, which axes are those of space, and where the voxels lie.

Source: the NRRD format definition (teem.sourceforge.net/nrrd/format.html). Where it leaves a choice we take teem's, and
so ITK's and Slicer's.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from seru.grid import Lattice
from seru.io.reading import (
    MM_PER_UNIT,
    DamagedError,
    UnreadableError,
    millimetres,
    no_orientation_note,
    numbers,
    quoted,
    unit_note,
    whole_numbers,
)

_FIELDS = {
    "content", "number", "type", "block size", "dimension", "space", "space dimension", "sizes", "spacings",
    "thicknesses", "axis mins", "axis maxs", "space directions", "centers", "centerings", "kinds", "labels", "units",
    "min", "max", "old min", "old max", "endian", "encoding", "line skip", "byte skip", "sample units", "space units",
    "space origin", "measurement frame", "data file",
}  # fmt: skip
# Some fields have a second name, written in one word.
_FIELD_OF_WORD = {name.replace(" ", ""): name for name in _FIELDS} | {"centers": "centerings"}
# World axes in the file that point against RAS. In a space without a name the axes count as ITK takes them.
_LPS = (-1, -1, 1)
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": _LPS,
    "lps": _LPS,
}
_UNNAMED_SPACES = {"scanner-xyz", "3d-right-handed", "3d-left-handed"}
_SPATIAL_KINDS = {"domain", "space", "none", "???"}
_LARGEST_HEADER = 1 << 20
_MOST_AXES = 16
# A vector, or the mark of an axis without one; a single character of anything else. Read in one pass, however long.
_VECTOR = re.compile(r"none|\([^()]*\)|\S")


@dataclass(frozen=True)
class NrrdHeader:
    """What a header says, as text.

    Attributes:
        fields: by their names in lower case.
        pairs: key/value pairs.
        data_files: lines after ``data file: LIST``.
    """

    fields: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    data_files: list[str] = field(default_factory=list)

    def required(self, name: str) -> str:
        """Return a field.

        Args:
            name: of a field without which no voxel can be read.

        Raises:
            DamagedError: it is missing.
        """
        if name not in self.fields:
            raise DamagedError(f"its header lacks the field '{name}'")
        return self.fields[name]


def read_header(file: BinaryIO) -> NrrdHeader:
    """Read the header of a NRRD file.

    Args:
        file: at its start; is left at the first byte after the header.

    Returns:
        The header.

    Raises:
        UnreadableError: no NRRD file, or a line of its header is none of the format's.
    """
    if not re.fullmatch(rb"NRRD00[0-9.]{2,3}\s*", file.readline(16)):
        raise UnreadableError("is no NRRD file; give a CT as NIfTI, NRRD, MetaImage or a DICOM folder")
    header = NrrdHeader()
    while line := _line(file):
        if header.fields.get("data file", "").split(" ")[0] == "LIST":
            header.data_files.append(line)
        elif not line.startswith("#"):
            _add(header, line)
    return header


def _line(file: BinaryIO) -> str:
    line = file.readline(_LARGEST_HEADER)
    if file.tell() > _LARGEST_HEADER:
        raise DamagedError("its header does not end")
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _add(header: NrrdHeader, line: str) -> None:
    word, colon, value = line.partition(":")
    name = _FIELD_OF_WORD.get(word.strip().lower().replace(" ", ""))
    if colon and name and not value.startswith("="):
        if name in header.fields:
            raise DamagedError(f"its header gives the field '{name}' twice")
        header.fields[name] = value.strip()
        return
    key, separator, text = line.partition(":=")
    if not separator:
        raise DamagedError(f"its header has the line {quoted(line)}")
    header.pairs[key] = text


def sizes_of(header: NrrdHeader) -> tuple[int, ...]:
    """Return the sizes of all axes, the fastest first.

    Args:
        header: of the file.

    Returns:
        Sizes of at least 1.

    Raises:
        UnreadableError: there are none, too many, or one is below 1.
    """
    sizes = whole_numbers(header.required("sizes"))
    dimension = whole_numbers(header.required("dimension"))
    if (len(sizes),) != dimension or len(sizes) > _MOST_AXES:
        raise DamagedError(f"its header gives {len(sizes)} sizes")
    if min(sizes) < 1:
        raise UnreadableError(f"is empty ({' x '.join(map(str, sizes))} voxels); give a 3D volume")
    return sizes


def lattice_of(header: NrrdHeader) -> tuple[Lattice, tuple[str, ...]]:
    """Return the lattice of the axes of space.

    Args:
        header: of the file.

    Returns:
        The lattice; and what the user should know of it, one sentence each.

    Raises:
        UnreadableError: not three axes of space, no voxel size or two, an unknown unit.
        BadInputError: the voxel size is not positive, or the axes are of no lattice.
    """
    sizes = sizes_of(header)
    directions = _directions(header, len(sizes))
    axes = _axes_of_space(header, sizes, directions)
    spacings = _per_axis(header, "spacings", len(sizes))
    to_ras, notes = _space(header)
    chosen = [directions[axis] for axis in axes]
    if all(vector is not None for vector in chosen):
        _check_spacings(chosen, [spacings[axis] for axis in axes])
        columns = np.array(chosen).T
        origin = _origin(header)
        mm = _space_units(header)
        notes += _axis_units_note(header, axes, mm)
    else:
        columns, origin = _without_directions(header, axes, sizes, spacings)
        mm = np.array(_axis_units(header, len(sizes)))[list(axes)]
        notes = (no_orientation_note("NRRD"),)
    matrix = np.eye(4)
    with np.errstate(over="ignore", invalid="ignore"):  # a grid with such numbers is refused
        matrix[:3, :3] = columns * (to_ras * mm)[:, np.newaxis]
        matrix[:3, 3] = origin * to_ras * mm
    i, j, k = (sizes[axis] for axis in axes)
    return Lattice((k, j, i), matrix).simplest(), notes + unit_note(set(mm.tolist()))


def _space(header: NrrdHeader) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the signs that turn the file's world axes into RAS."""
    name = re.sub(r"[ _]", "-", header.fields.get("space", "").lower())
    words = {space.replace("-", ""): signs for space, signs in _SPACES.items()}
    if name.replace("-", "") in words:
        return np.array(words[name.replace("-", "")], np.float64), ()
    dimension = whole_numbers(header.fields.get("space dimension", "3"))
    if (name and name not in _UNNAMED_SPACES) or dimension != (3,):
        what = quoted(name) if name else f"of {header.fields['space dimension']} dimensions"
        raise UnreadableError(f"lies in a space {what}, which is none of a patient in three dimensions")
    return np.array(_LPS, np.float64), (no_orientation_note("NRRD"),)


def _directions(header: NrrdHeader, count: int) -> list[np.ndarray | None]:
    text = header.fields.get("space directions")
    if text is None:
        return [None] * count
    vectors = _vectors(text)
    if len(vectors) != count:
        raise DamagedError(f"its header gives {len(vectors)} directions for {count} axes")
    return vectors


def _vectors(text: str) -> list[np.ndarray | None]:
    """Return vectors of the world; None for an axis that is none of space."""
    found = _VECTOR.findall(text)
    if any(len(part) == 1 for part in found):
        raise DamagedError(f"{quoted(text)} are no vectors")
    vectors = [None if part == "none" else np.array(numbers(part.strip("()").replace(",", " "))) for part in found]
    if any(vector is not None and len(vector) not in (2, 3, 4) for vector in vectors):
        raise DamagedError(f"{quoted(text)} are no vectors in space")
    return [None if vector is None or np.isnan(vector).all() else vector for vector in vectors]


def _axes_of_space(
    header: NrrdHeader, sizes: tuple[int, ...], directions: list[np.ndarray | None]
) -> tuple[int, int, int]:
    """Return the three axes of space, after leaving out others of one sample."""
    kinds = header.fields.get("kinds", "???" + " ???" * (len(sizes) - 1)).lower().split()
    if len(kinds) != len(sizes):
        raise DamagedError(f"its header gives {len(kinds)} kinds for {len(sizes)} axes")
    for kind, size in zip(kinds, sizes, strict=True):
        if kind not in {*_SPATIAL_KINDS, "time"} and size > 1:
            raise UnreadableError(f"holds colors or vectors ({size} numbers a voxel); give a 3D volume")
    axes = list(range(len(sizes)))
    # Axes of one sample go while there are too many: first those of another kind, then those without a direction.
    spare = sorted(axes, key=lambda n: (kinds[n] in _SPATIAL_KINDS, directions[n] is not None, -n))
    for axis in spare:
        if len(axes) > 3 and sizes[axis] == 1:
            axes.remove(axis)
    if len(axes) != 3:
        raise UnreadableError(f"is a {len(axes)}D image; give one 3D volume, without time or channels")
    if any(kinds[axis] not in _SPATIAL_KINDS for axis in axes):
        raise UnreadableError("is a 2D image over time; give a whole 3D volume")
    if any(vector is not None and len(vector) != 3 for vector in (directions[axis] for axis in axes)):
        raise UnreadableError("does not lie in a space of three dimensions; give a whole 3D volume")
    return axes[0], axes[1], axes[2]


def _per_axis(header: NrrdHeader, name: str, count: int) -> tuple[float, ...]:
    values = numbers(header.fields.get(name, "nan " * count))
    if len(values) != count:
        raise DamagedError(f"its header gives {len(values)} {name} for {count} axes")
    return values


def _check_spacings(directions: list[np.ndarray | None], spacings: list[float]) -> None:
    lengths = [math.hypot(*vector) for vector in directions if vector is not None]
    if any(abs(spacing - length) > 0.01 * length for spacing, length in zip(spacings, lengths, strict=True)):
        texts = (" x ".join(f"{s:g}" for s in values) for values in (lengths, spacings))
        raise UnreadableError("has two voxel sizes in its header ({} and {}); correct it".format(*texts))


def _origin(header: NrrdHeader) -> np.ndarray:
    vectors = _vectors(header.fields.get("space origin", "none"))
    if len(vectors) != 1 or (vectors[0] is not None and len(vectors[0]) != 3):
        raise DamagedError("its origin is no point in space")
    return np.zeros(3) if vectors[0] is None else vectors[0]


def _without_directions(
    header: NrrdHeader, axes: tuple[int, int, int], sizes: tuple[int, ...], spacings: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and the origin of axes that follow the world's, from spacings or from their ends."""
    mins, maxs = (_per_axis(header, name, len(sizes)) for name in ("axis mins", "axis maxs"))
    centerings = header.fields.get("centerings", "cell " * len(sizes)).lower().split()
    is_node = [centering == "node" for centering in centerings]
    if len(is_node) != len(sizes):
        raise DamagedError(f"its header gives {len(is_node)} centerings for {len(sizes)} axes")
    steps, origin = np.zeros(3), np.zeros(3)
    for n, axis in enumerate(axes):
        steps[n] = spacings[axis]
        if np.isnan(steps[n]):
            steps[n] = (maxs[axis] - mins[axis]) / max(1, sizes[axis] - is_node[axis])
        origin[n] = mins[axis] + (0 if is_node[axis] else steps[n] / 2)
    if np.isnan(steps).any():
        raise UnreadableError("gives no voxel size, so volumes would be a guess; write spacings into its header")
    return np.diag(steps), np.zeros(3) if np.isnan(origin).any() else origin


def _space_units(header: NrrdHeader) -> np.ndarray:
    return np.array(_units(header.fields.get("space units"), 3))


def _axis_units(header: NrrdHeader, count: int) -> list[float]:
    # With a space the axes have no units of their own, but the space may.
    if "units" not in header.fields and "space units" in header.fields:
        return [*_units(header.fields["space units"], 3), *[1.0] * (count - 3)]
    return _units(header.fields.get("units"), count)


def _axis_units_note(header: NrrdHeader, axes: tuple[int, int, int], mm: np.ndarray) -> tuple[str, ...]:
    """Return the warning that axes with directions have units of their own, which the format does not allow."""
    texts = re.findall(r'"([^"]*)"|(\S+)', header.fields.get("units", ""))
    names = ["".join(text) for text in texts]
    known = [name.strip().casefold() for n, name in enumerate(names) if n in axes]
    lengths = {MM_PER_UNIT[name] for name in known if name in MM_PER_UNIT and name not in ("", "?")}
    if lengths <= set(mm.tolist()):
        return ()
    return (
        "The units of the NRRD header's axes differ from those of its space, which were taken, as 3D Slicer does: "
        "check the voxel size.",
    )


def _units(text: str | None, count: int) -> list[float]:
    """Return millimetres per unit for each axis."""
    if text is None:
        return [1.0] * count
    names = re.findall(r'"([^"]*)"', text) if '"' in text else text.split()
    if len(names) != count:
        raise DamagedError(f"its header gives {len(names)} units for {count} axes")
    return [millimetres(name) for name in names]
