"""Slices of a tilted gantry, set straight and brought back: every voxel moves by whole pixels within its own slice.

A tilted gantry takes slices that are not perpendicular to the step of the table, so the next one lies beside the last
one. On perpendicular axes each slice is moved until what it shows lies over what the others show. Moves are whole
pixels: no value changes, a slice is the same image as before, and labels come back to it exactly. What is measured lies
within half a pixel of its place in the plane, and volumes are exact.

Source: DICOM PS3.3, C.8.2.1.1.6 (Gantry/Detector Tilt) and C.7.6.2 (Image Plane); whole pixels are our rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid, Lattice

# Moves are rounded to this many digits first: files hold matrices in 32 bits, and a half pixel must fall the same way.
_DIGITS = 3
# A whole body at 30 degrees takes less than four times its slices.
_MOST_ROOM = 8


@dataclass(frozen=True, eq=False)
class Tilt:
    """Where the slices of a lattice lie on perpendicular axes.

    Attributes:
        lattice: of the slices.
        grid: perpendicular, with room for all of them; its slices are the lattice's, in the same planes.
        firsts_ji: int64, shape (K, 2): row and column of the grid at which each slice begins.
    """

    lattice: Lattice
    grid: Grid
    firsts_ji: np.ndarray

    @classmethod
    def of(cls, lattice: Lattice) -> Tilt:
        """Set the slices of a lattice straight.

        Args:
            lattice: of any slices.

        Returns:
            The tilt; the smallest grid that holds them.

        Raises:
            BadInputError: the grid would be far larger than the slices.
        """
        matrix = lattice.ijk_to_ras.copy()
        i_dir, j_dir = lattice.directions_ras[:, 0], lattice.directions_ras[:, 1]
        i_mm, j_mm, _ = lattice.spacing_ijk_mm
        step = matrix[:3, 2].copy()
        # Pixels along j and i that the next slice lies beside the last one.
        beside_ji = np.array([step @ j_dir / j_mm, step @ i_dir / i_mm])
        depth, rows, columns = lattice.shape_kji
        moves = np.rint(np.round(np.outer(np.arange(depth), beside_ji), _DIGITS)).astype(np.int64)
        first_ji = moves.min(axis=0)
        room_j, room_i = np.ptp(moves, axis=0)
        normal = np.cross(i_dir, j_dir)
        normal /= np.linalg.norm(normal)
        matrix[:3, 2] = normal * (step @ normal)
        matrix[:3, 3] += matrix[:3, 1] * first_ji[0] + matrix[:3, 0] * first_ji[1]
        shape = depth, rows + int(room_j), columns + int(room_i)
        if math.prod(shape) > _MOST_ROOM * math.prod(lattice.shape_kji):
            raise BadInputError(
                f"The slices of the image lie up to {max(room_j, room_i)} pixels beside each other; correct its header."
            )
        grid = Grid(shape, matrix)
        return cls(lattice, grid, moves - first_ji)

    @property
    def degrees(self) -> float:
        """Angle between the step from slice to slice and the slices' normal."""
        cosine = self.grid.spacing_ijk_mm[2] / self.lattice.spacing_ijk_mm[2]
        return float(np.degrees(np.arccos(min(cosine, 1.0))))

    def place(self, k: int) -> tuple[slice, slice]:
        """Return the rows and columns of the grid that a slice covers."""
        j, i = self.firsts_ji[k].tolist()
        _, rows, columns = self.lattice.shape_kji
        return slice(j, j + rows), slice(i, i + columns)

    def reaches_edge(self, mask_kji: np.ndarray, lower_kji: tuple[int, int, int]) -> bool:
        """Tell whether something lies at the edge of a slice, which is not that of the grid.

        Args:
            mask_kji: bool, a box of the grid.
            lower_kji: first voxel of the box.
        """
        for k, plane in enumerate(mask_kji, lower_kji[0]):
            for axis, part in enumerate(self.place(k)):
                shown = np.flatnonzero(plane.any(axis=1 - axis)) + lower_kji[1 + axis]
                if len(shown) and (shown[0] == part.start or shown[-1] == part.stop - 1):
                    return True
        return False

    def straighten(self, slices_kji: np.ndarray, around: float = 0) -> np.ndarray:
        """Set slices straight.

        Args:
            slices_kji: shape of the lattice (K, J, I), any dtype.
            around: what the grid holds where no slice is.

        Returns:
            Same dtype, shape of the grid.
        """
        straight = np.full(self.grid.shape_kji, around, slices_kji.dtype)
        for k, plane in enumerate(slices_kji):
            straight[k][self.place(k)] = plane
        return straight

    def slices_of(self, straight_kji: np.ndarray) -> np.ndarray:
        """Bring an array back to the slices; the inverse of :meth:`straighten`.

        Args:
            straight_kji: shape of the grid (K, J, I), any dtype.

        Returns:
            Same dtype, shape of the lattice, a new array.
        """
        slices = np.empty(self.lattice.shape_kji, straight_kji.dtype)
        for k, plane in enumerate(straight_kji):
            slices[k] = plane[self.place(k)]
        return slices
