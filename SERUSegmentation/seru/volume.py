"""A CT as an array on a grid: what every reader gives and every stage takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid, Lattice
from seru.tilt import Tilt


class SliceFile(Protocol):
    """A file with an image, on the disk or in an archive; as text it is what users know it by."""

    @property
    def name(self) -> str:
        """Its own name, without folders."""

    def open(self) -> BinaryIO:
        """Open it to read.

        Raises:
            BadInputError: it is damaged, or no regular file.
            OSError: it cannot be read.
        """


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT volume on its own grid.

    Attributes:
        array_kji: int16 or float32, shape (K, J, I), Hounsfield units; SimpleITK's and Slicer's array order.
        grid: where its voxels lie; of the array's shape.
        source: where it came from: ``path``, ``format``, for DICOM ``series_uid``, ``study_date`` and
            ``patient``, and ``sha256`` where it was taken.
        notes: what the user should know of it, one sentence each.
        slice_files: of DICOM, the file of each plane along k; empty for other formats.
        tilt: of slices that were set straight, where they lie; None where the grid is the input's own.

    Raises:
        BadInputError: the array is none of real numbers, or not of the grid's shape.
    """

    array_kji: np.ndarray
    grid: Grid
    source: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    slice_files: tuple[SliceFile, ...] = ()
    tilt: Tilt | None = None

    def __post_init__(self) -> None:
        _check_numbers(self.array_kji)
        if self.array_kji.shape != self.grid.shape_kji:
            raise BadInputError(
                f"The image has shape {self.array_kji.shape} and its grid {self.grid.shape_kji}; they must be equal."
            )

    def sha256(self) -> str:
        """Return the SHA-256 of what was read, in hexadecimal: voxels, shape and matrix, whatever the file's name."""
        little = self.array_kji.dtype.newbyteorder("<")
        content = hashlib.sha256(f"{little.str} {self.grid.shape_kji}".encode())
        content.update(np.ascontiguousarray(self.grid.ijk_to_ras, "<f8").data)
        for part in self.array_kji:
            content.update(np.ascontiguousarray(part, little).data)
        return content.hexdigest()

    @property
    def lattice(self) -> Lattice:
        """Where the voxels of the input lie: its own slices, tilted or not."""
        return self.grid if self.tilt is None else self.tilt.lattice

    def on_slices(self, array_kji: np.ndarray) -> np.ndarray:
        """Bring an array of the grid's shape to the input's own slices.

        Args:
            array_kji: shape of the grid (K, J, I), any dtype.

        Returns:
            Same dtype, shape of the lattice.
        """
        return array_kji if self.tilt is None else self.tilt.slices_of(array_kji)

    @classmethod
    def of_slices(
        cls,
        slices_kji: np.ndarray,
        lattice: Lattice,
        source: dict[str, str],
        notes: tuple[str, ...] = (),
        slice_files: tuple[SliceFile, ...] = (),
    ) -> Volume:
        """Make a volume of what a file holds; slices that lie obliquely on each other are set straight.

        Args:
            slices_kji: shape of the lattice (K, J, I).
            lattice: of the slices.
            source: as the class.
            notes: as the class.
            slice_files: as the class.

        Returns:
            The volume. What lies beside a slice is air: the least value there is.

        Raises:
            BadInputError: as the class.
        """
        if isinstance(lattice, Grid):
            return cls(slices_kji, lattice, source, notes, slice_files)
        _check_numbers(slices_kji)
        tilt = Tilt.of(lattice)
        array = tilt.straighten(slices_kji, slices_kji.min())
        return cls(array, tilt.grid, source, notes, slice_files, tilt)

    @classmethod
    def from_array(cls, array_kji: Any, ijk_to_ras: np.ndarray, source: dict[str, str] | None = None) -> Volume:
        """Put an array on a grid of its shape.

        Args:
            array_kji: Hounsfield units, shape (K, J, I), an array or what NumPy makes one of.
            ijk_to_ras: float64, shape (4, 4), voxel index to RAS millimetres.
            source: where it came from.

        Returns:
            The volume.

        Raises:
            BadInputError: no real numbers, not three axes, or no usable grid.
        """
        try:
            array = np.asanyarray(array_kji)
        except ValueError as error:  # lists of different lengths
            raise BadInputError("The image is no array of three axes; give a whole CT.") from error
        _check_numbers(array)
        return cls(array, Grid(array.shape, ijk_to_ras), source or {})


def _check_numbers(array: np.ndarray) -> None:
    if array.dtype.kind not in "iufb":
        raise BadInputError(f"The image holds {array.dtype} and no numbers; give Hounsfield units as int16 or float32.")
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise BadInputError("The image has masked voxels; fill them first, with -1000 for example.")
