"""A CT as an array on a grid: what every reader gives and every stage takes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Volume:
    """A CT volume on its own grid.

    Attributes:
        array_kji: int16 or float32, shape (K, J, I), Hounsfield units; SimpleITK's and Slicer's array order.
        ijk_to_ras: float64, shape (4, 4), voxel index (i, j, k, 1) to RAS millimetres; Slicer's IJKToRAS.
        source: where it came from: ``path``, ``format`` and, for DICOM, ``series_uid``.
    """

    array_kji: np.ndarray
    ijk_to_ras: np.ndarray
    source: dict[str, str] = field(default_factory=dict)

    @property
    def spacing_ijk_mm(self) -> tuple[float, float, float]:
        """Voxel size along i, j and k in mm."""
        i, j, k = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3]))) / 1000.0

    def ras_of_ijk(self, ijk: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return the RAS position of a voxel index.

        Args:
            ijk: voxel index (i, j, k); fractions allowed.

        Returns:
            Position (r, a, s) in mm.
        """
        r, a, s, _ = self.ijk_to_ras @ np.array([*ijk, 1.0])
        return float(r), float(a), float(s)
