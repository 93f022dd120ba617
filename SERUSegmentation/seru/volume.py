"""A CT as an array on a grid: what every reader gives and every stage takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT volume on its own grid.

    Attributes:
        array_kji: int16 or float32, shape (K, J, I), Hounsfield units; SimpleITK's and Slicer's array order.
        grid: where its voxels lie; of the array's shape.
        source: where it came from: ``path``, ``format``, for DICOM ``series_uid``, and ``sha256`` where it was taken.
        notes: what the user should know of it, one sentence each.

    Raises:
        BadInputError: the array is not of the grid's shape.
    """

    array_kji: np.ndarray
    grid: Grid
    source: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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

    @classmethod
    def from_array(cls, array_kji: np.ndarray, ijk_to_ras: np.ndarray, source: dict[str, str] | None = None) -> Volume:
        """Put an array on a grid of its shape.

        Args:
            array_kji: Hounsfield units, shape (K, J, I).
            ijk_to_ras: float64, shape (4, 4), voxel index to RAS millimetres.
            source: where it came from.

        Returns:
            The volume.

        Raises:
            BadInputError: not three axes, or no usable grid.
        """
        return cls(array_kji, Grid(array_kji.shape, ijk_to_ras), source or {})
