"""Painting shapes onto a slab of the grid, with the partial volume at their borders."""

from __future__ import annotations

import numpy as np

from seru.grid import Grid
from seru.phantom.geometry import coordinates_lps

NOBODY, RIGHT_KIDNEY, LEFT_KIDNEY, RIGHT_TUMOR, LEFT_TUMOR = range(5)
"""Owner codes of a voxel."""

LABEL_OF_OWNER = np.array([0, 1, 1, 2, 2], dtype=np.uint8)
SIDE_OF_OWNER = np.array([0, 1, 2, 1, 2], dtype=np.uint8)

_POINT_SPREAD_MM = 0.9


class Patch:
    """A box of a canvas: coordinates and views that painting changes in place.

    Attributes:
        x, y, z: float32 LPS coordinates in mm that broadcast to the box.
        hu: float32 view, Hounsfield units.
        owner: uint8 view, owner codes.
        blend_mm: width over which a border blends, in mm.
        window: where the box lies in its canvas.
    """

    def __init__(
        self,
        xyz: tuple[np.ndarray, np.ndarray, np.ndarray],
        hu: np.ndarray,
        owner: np.ndarray,
        blend_mm: float,
        window: tuple[slice, ...] = (slice(None),) * 3,
    ) -> None:
        self.x, self.y, self.z = xyz
        self.hu = hu
        self.owner = owner
        self.blend_mm = blend_mm
        self.window = window

    def cut(self, values: np.ndarray) -> np.ndarray:
        """Return the box's part of an array that broadcasts to the canvas."""
        return values[tuple(slice(None) if n == 1 else w for n, w in zip(values.shape, self.window, strict=True))]

    def paint(self, distance_mm: np.ndarray, hu: np.ndarray | float, owner: int | None = NOBODY) -> None:
        """Lay a shape over what is there.

        Args:
            distance_mm: float32, signed distance to the shape's border, negative inside; broadcasts to the box.
            hu: the shape's Hounsfield units, a number or an array that broadcasts to the box.
            owner: who owns the voxels that the shape fills by more than half; None keeps the owner.
        """
        share = distance_mm * (-1.0 / self.blend_mm)
        share += 0.5
        np.clip(share, 0.0, 1.0, out=share)
        difference = hu - self.hu
        difference *= share
        self.hu += difference
        if owner is not None:
            np.copyto(self.owner, owner, where=share > 0.5)


class Canvas(Patch):
    """A slab of the phantom while it is painted; starts as air that nobody owns."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        blend_mm = float(np.hypot(np.prod(grid.spacing_ijk_mm) ** (1 / 3), _POINT_SPREAD_MM))
        hu = np.full(grid.shape_kji, -1000.0, dtype=np.float32)
        super().__init__(coordinates_lps(grid), hu, np.zeros(grid.shape_kji, dtype=np.uint8), blend_mm)
        self._lps_to_index = np.linalg.inv(grid.ijk_to_lps)

    def box(self, lower_mm: tuple[float, float, float], upper_mm: tuple[float, float, float]) -> Patch | None:
        """Return the part of the canvas that a box of the patient can touch.

        Args:
            lower_mm: lowest x, y and z of the box, LPS mm.
            upper_mm: highest x, y and z of the box, LPS mm.

        Returns:
            The patch, or None where the box lies outside of the slab.
        """
        low, high = np.array(lower_mm) - self.blend_mm, np.array(upper_mm) + self.blend_mm
        matrix = self._lps_to_index[:3, :3]
        centre = matrix @ ((low + high) / 2) + self._lps_to_index[:3, 3]
        reach = np.abs(matrix) @ ((high - low) / 2)
        size = np.array(self.grid.shape_ijk)
        first = np.maximum(np.ceil(centre - reach), 0).astype(int)
        last = np.minimum(np.floor(centre + reach) + 1, size).astype(int)
        if np.any(first >= last):
            return None
        window = tuple(slice(a, b) for a, b in zip(first[::-1], last[::-1], strict=True))
        patch = Patch((self.x, self.y, self.z), self.hu[window], self.owner[window], self.blend_mm, window)
        patch.x, patch.y, patch.z = (patch.cut(c) for c in (self.x, self.y, self.z))
        return patch
