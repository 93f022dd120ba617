"""Probability maps of both stages: what is needed to fuse again without the network."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from seru.errors import BadInputError
from seru.files import Opener, replacing, write_failure
from seru.findings import Report
from seru.grid import Grid

MAPS_FILE = "maps.npz"
VERSION = 1

# A class wins only where kidney and tumor together have half the probability or more: at a quarter or less in both
# stages a voxel is background at every alpha.
SURELY_BACKGROUND = 63


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

    def __post_init__(self) -> None:
        count = int(np.count_nonzero(self.mask))
        fits = all(
            low >= 0 and low + size <= whole
            for low, size, whole in zip(self.lower_kji, self.mask.shape, self.grid.shape_kji, strict=True)
        )
        shapes = {self.coarse.shape == (count, 2), self.refined.shape == (count, 2), self.sides.shape == (count,)}
        if not fits or shapes != {True}:
            raise BadInputError("The maps are damaged (their parts do not fit each other); run the segmentation again.")

    @property
    def box_slices(self) -> tuple[slice, slice, slice]:
        """The stored box as slices into the whole grid."""
        k, j, i = (slice(low, low + size) for low, size in zip(self.lower_kji, self.mask.shape, strict=True))
        return k, j, i

    @cached_property
    def sides_box(self) -> np.ndarray:
        """The side of each voxel of the stored box, uint8: 0 not stored, 1 right, 2 left."""
        box = np.zeros(self.mask.shape, np.uint8)
        box[self.mask] = self.sides
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
        "shape_kji": list(maps.grid.shape_kji),
        "lower_kji": list(maps.lower_kji),
        "box_kji": list(maps.mask.shape),
        "ijk_to_ras": maps.grid.ijk_to_ras.tolist(),
        "alpha": maps.alpha,
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
        # numpy's own words for any other file are about pickles.
        if path.is_file() and not zipfile.is_zipfile(path):
            raise ValueError("it is no file that --maps wrote, or it was cut")
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(file["header"].tobytes())
            arrays = {name: file[name] for name in ("mask", "coarse", "refined", "sides")}
        if header["format"] != "SERU maps":
            raise ValueError("another format")
        version = header["version"]
        if version == VERSION:
            return _from_parts(header, arrays)
    except FileNotFoundError as error:
        raise BadInputError(f"There are no maps at '{path}'; give the folder that --maps wrote.") from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInputError(f"The maps '{path}' cannot be read ({error}); run the segmentation again.") from error
    raise BadInputError(f"The maps '{path}' have version {version}, this program reads {VERSION}; update SERU.")


def _from_parts(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[Maps, Report]:
    k, j, i = (int(n) for n in header["box_kji"])
    mask = np.unpackbits(arrays["mask"], count=k * j * i).astype(bool).reshape(k, j, i)
    low_k, low_j, low_i = (int(n) for n in header["lower_kji"])
    maps = Maps(
        grid=Grid(tuple(header["shape_kji"]), np.asarray(header["ijk_to_ras"], np.float64).reshape(4, 4)),
        alpha=float(header["alpha"]),
        lower_kji=(low_k, low_j, low_i),
        mask=mask,
        coarse=arrays["coarse"],
        refined=arrays["refined"],
        sides=arrays["sides"],
    )
    return maps, Report.from_dict(header["report"])
