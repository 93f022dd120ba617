"""Probability maps of both stages: what is needed to fuse, gate and measure again without network and CT."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from seru.errors import BadInputError, is_memory_error
from seru.files import Opener, replacing, write_failure
from seru.findings import LEFT, RIGHT, Report, Thresholds
from seru.grid import Grid, Lattice
from seru.options import check_alpha
from seru.records import parse_json, read_record, shown, to_plain
from seru.result.npz import DAMAGES, NpzFile
from seru.result.verdicts import Verdict, read_verdicts
from seru.tilt import Tilt

MAPS_FILE = "maps.npz"
VERSION = 2

# A class wins only where kidney and tumor together have half the probability or more: at a quarter or less in both
# stages a voxel is background at every alpha.
SURELY_BACKGROUND = 63

# Of the file: report and verdicts are some kilobytes; four times the largest CT; millimetres from the scanner's middle.
_LONGEST_HEADER = 16 << 20
_MOST_VOXELS = 1 << 31
_FARTHEST_MM = 1e6
_ARRAYS = ("mask", "coarse", "refined", "sides", "hu")


@dataclass(frozen=True)
class Maps:
    """Probabilities of both stages on the input's own grid, stored where either is not surely background.

    Attributes:
        grid: of the input.
        alpha: weight of the coarse stage that the run used.
        lower_kji: first voxel of the stored box.
        mask: bool, shape of the box: which of its voxels are stored.
        coarse: uint8, shape (n, 2): kidney and tumor probability times 255, in the mask's C order.
        refined: uint8, shape (n, 2), likewise; equal to ``coarse`` outside the crops.
        sides: uint8, shape (n,): 1 the patient's right, 2 the patient's left.
        hu: int16, shape (n,): Hounsfield units.
        thresholds: the model's own least confidences.
        verdicts: of a person.
        tilt: of slices that were set straight, for labels to be brought back to them.

    Raises:
        BadInputError: the parts do not fit each other.
    """

    grid: Grid
    alpha: float
    lower_kji: tuple[int, int, int]
    mask: np.ndarray
    coarse: np.ndarray
    refined: np.ndarray
    sides: np.ndarray
    hu: np.ndarray
    thresholds: Thresholds = field(default_factory=Thresholds)
    verdicts: tuple[Verdict, ...] = ()
    tilt: Tilt | None = None

    def __post_init__(self) -> None:
        count = int(np.count_nonzero(self.mask))
        fits = all(
            low >= 0 and low + size <= whole
            for low, size, whole in zip(self.lower_kji, self.mask.shape, self.grid.shape_kji, strict=True)
        )
        fits &= self.coarse.shape == self.refined.shape == (count, 2) and self.sides.shape == self.hu.shape == (count,)
        if not fits:
            raise BadInputError("The maps are damaged (their parts do not fit each other); run the segmentation again.")

    @property
    def box_slices(self) -> tuple[slice, slice, slice]:
        """The stored box as slices into the whole grid."""
        k, j, i = (slice(low, low + size) for low, size in zip(self.lower_kji, self.mask.shape, strict=True))
        return k, j, i

    @cached_property
    def flat_index(self) -> np.ndarray:
        """Flat indices into the stored box, int64, ascending, of the stored voxels."""
        return np.flatnonzero(self.mask)

    @cached_property
    def sides_box(self) -> np.ndarray:
        """The side of each voxel of the stored box, uint8: 0 not stored, 1 right, 2 left."""
        return self.on_box(self.sides)

    @cached_property
    def hu_box(self) -> np.ndarray:
        """The Hounsfield units of the stored box, int16; 0 where a voxel is not stored."""
        return self.on_box(self.hu)

    def on_box(self, values: np.ndarray) -> np.ndarray:
        """Return one value a stored voxel on the stored box.

        Args:
            values: shape (n,), in the mask's C order.

        Returns:
            Same dtype, shape of the box (K, J, I), 0 where a voxel is not stored; a new array.
        """
        box = np.zeros(self.mask.shape, values.dtype)
        box[self.mask] = values
        return box

    def whole(self, box: np.ndarray) -> np.ndarray:
        """Return an array of the stored box on the whole grid of the input.

        Args:
            box: shape of the box (K, J, I).

        Returns:
            Same dtype, shape of the input (K, J, I), 0 outside the box.
        """
        whole = np.zeros(self.grid.shape_kji, box.dtype)
        whole[self.box_slices] = box
        return whole


def save_maps(maps: Maps, report: Report, folder: Path, opener: Opener = replacing) -> Path:
    """Write the maps and the report of a run to a folder, as one compressed file.

    Args:
        maps: of a run.
        report: of the same run.
        folder: made where it is missing.
        opener: of a group of files that take their places together.

    Returns:
        Path of the file; it replaces an older one only once it is whole.

    Raises:
        BadInputError: the folder cannot be written to.
    """
    header = {
        "format": "SERU maps",
        "version": VERSION,
        **_plain_lattice(maps.grid),
        "lower_kji": list(maps.lower_kji),
        "box_kji": list(maps.mask.shape),
        "alpha": maps.alpha,
        "thresholds": to_plain(maps.thresholds),
        "verdicts": [verdict.to_dict() for verdict in maps.verdicts],
        "tilted": None if maps.tilt is None else _plain_lattice(maps.tilt.lattice),
        "report": report.to_dict(),
    }
    path = Path(folder) / MAPS_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(write_failure(path, error)) from error
    with opener(path) as file:
        np.savez_compressed(
            file,
            header=np.frombuffer(json.dumps(header).encode(), np.uint8),
            mask=np.packbits(maps.mask),
            coarse=maps.coarse,
            refined=maps.refined,
            sides=maps.sides,
            # All low bytes, then all high ones: so they are packed best.
            hu=np.ascontiguousarray(maps.hu.astype("<i2").view(np.uint8).reshape(-1, 2).T),
        )
    return path


def load_maps(path: Path) -> tuple[Maps, Report]:
    """Read the maps and the report of a run; nothing in the file is ever executed.

    Args:
        path: the folder given to :func:`save_maps`, or the file in it.

    Returns:
        The maps and the report.

    Raises:
        BadInputError: there are no maps, they are damaged, or a newer version wrote them.
    """
    path = Path(path)
    path = path / MAPS_FILE if path.is_dir() else path
    try:
        if path.exists() and not (path.is_file() and zipfile.is_zipfile(path)):
            raise ValueError("it is no file that --maps wrote, or it was cut")
        with NpzFile(path) as file:
            return _read(file)
    except FileNotFoundError as error:
        raise BadInputError(f"There are no maps at '{path}'; give the folder that --maps wrote.") from error
    except _NewerMapsError as error:
        raise BadInputError(f"The maps '{path}' have {error}; update SERU.") from error
    except (*DAMAGES, BadInputError) as error:
        if is_memory_error(error):
            raise
        raise BadInputError(
            f"The maps '{path}' cannot be read ({_reason(error)}); run the segmentation again."
        ) from error


def _reason(error: Exception) -> str:
    """The first half of a sentence, without its full stop, on one line."""
    return " ".join(str(error).split()).partition(";")[0].rstrip(".")[:200]


class _NewerMapsError(Exception):
    """The maps are of another version."""


def _read(file: NpzFile) -> tuple[Maps, Report]:
    header = _read_header(file)
    grid, lower, box = (
        Grid(_sizes(header, "shape_kji"), _matrix_of(header)),
        _sizes(header, "lower_kji"),
        _sizes(header, "box_kji"),
    )
    if any(low + size > whole for low, size, whole in zip(lower, box, grid.shape_kji, strict=True)):
        raise ValueError("the stored box is not inside the scan")
    report = Report.from_dict(header.get("report"))
    if report.measured is not None:
        raise ValueError("the report is of no run")
    matrix = np.array(report.geometry.ijk_to_ras)
    if report.geometry.shape_ijk != grid.shape_ijk or not np.allclose(matrix, grid.ijk_to_ras, atol=1e-3):
        raise ValueError("the report is of another scan")
    voxels = math.prod(box)
    mask = np.unpackbits(file.read("mask", (-(-voxels // 8),)), count=voxels).view(bool).reshape(box)
    count = int(np.count_nonzero(mask))
    if voxels and not count:
        raise ValueError("the stored box holds nothing")
    coarse, refined = (_read_probabilities(file, stage, count) for stage in ("coarse", "refined"))
    sides = file.read("sides", (count,))
    if not ((sides == RIGHT) | (sides == LEFT)).all():
        raise ValueError("a voxel is on neither side")
    hu = np.ascontiguousarray(file.read("hu", (2, count)).T).view("<i2").reshape(-1).astype(np.int16, copy=False)
    thresholds = read_record(Thresholds, header.get("thresholds"), "The header")
    verdicts = read_verdicts(header.get("verdicts"))
    tilt = _tilt_of(header, grid)
    return Maps(grid, _alpha_of(header), lower, mask, coarse, refined, sides, hu, thresholds, verdicts, tilt), report


def _read_header(file: NpzFile) -> dict[str, Any]:
    header = parse_json(file.read_bytes("header", _LONGEST_HEADER))
    if not isinstance(header, dict) or header.get("format") != "SERU maps":
        raise ValueError("another format")
    version = header.get("version")
    if type(version) is not int or version != VERSION:
        raise _NewerMapsError(f"version {shown(version)}, this program reads {VERSION}")
    if file.names != {"header", *_ARRAYS}:
        raise ValueError("its parts are not those of maps")
    return header


def _read_probabilities(file: NpzFile, stage: str, count: int) -> np.ndarray:
    pairs = file.read(stage, (count, 2))
    if (pairs[:, 0] > 255 - pairs[:, 1]).any():
        raise ValueError("the probabilities of a voxel are more than 1 together")
    return pairs


def _plain_lattice(lattice: Lattice) -> dict[str, Any]:
    return {"shape_kji": list(lattice.shape_kji), "ijk_to_ras": lattice.ijk_to_ras.tolist()}


def _tilt_of(header: dict[str, Any], grid: Grid) -> Tilt | None:
    """The tilt of slices that were set straight, where the maps tell of it."""
    found = header.get("tilted")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ValueError(f"tilted is {shown(found)}")
    tilt = Tilt.of(Lattice(_sizes(found, "shape_kji"), _matrix_of(found)))
    if not tilt.grid.is_close(grid):
        raise ValueError("its slices do not lie on its grid")
    return tilt


def _matrix_of(header: dict[str, Any]) -> np.ndarray:
    rows = header.get("ijk_to_ras")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError("its matrix is none")
    numbers = [number for row in rows for number in row]
    if len(numbers) != 16 or not all(type(n) in (int, float) and abs(n) <= _FARTHEST_MM for n in numbers):
        raise ValueError("its matrix is none")
    return np.array(numbers, np.float64).reshape(4, 4)


def _sizes(header: dict[str, Any], name: str) -> tuple[int, int, int]:
    sizes = header.get(name)
    if not isinstance(sizes, list) or len(sizes) != 3 or not all(type(n) is int and n >= 0 for n in sizes):
        raise ValueError(f"{name} is {shown(sizes)}")
    if math.prod(sizes) > _MOST_VOXELS or max(sizes) > _MOST_VOXELS:
        raise ValueError(f"{name} is {shown(sizes)}")
    return sizes[0], sizes[1], sizes[2]


def _alpha_of(header: dict[str, Any]) -> float:
    alpha = header.get("alpha")
    if not isinstance(alpha, int | float) or isinstance(alpha, bool):
        raise ValueError(f"alpha is {shown(alpha)}")
    return check_alpha(alpha)
