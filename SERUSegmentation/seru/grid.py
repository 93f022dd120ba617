"""The grid of an image: its shape and where its voxels lie; spacing, volumes and points come from here alone.

Source: the matrix is Slicer's IJKToRAS (``vtkMRMLVolumeNode::GetIJKToRASMatrix``); DICOM, NRRD and MetaImage count in
LPS, whose first two axes point the other way.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from seru.errors import BadInputError

# Cosine between two axes above which the grid counts as sheared: 0.06 degrees, far above rounding in file headers.
SHEAR_TOLERANCE = 1e-3
# Of a step from slice to slice and the slices' normal; gantries tilt by 30 degrees at most.
_MOST_TILTED = np.sin(np.deg2rad(45))
# A spacing at or below this is none.
_SMALLEST_SPACING_MM = 1e-6
# Ten kilometres: no image lies or reaches farther, and every number made from a grid stays finite.
_FARTHEST_MM = 1e7
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

# A point in mm.
Position = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Slices of perpendicular rows and columns; the step to the next slice may be oblique to them.

    A tilted gantry makes such slices. Files hold them; to work on them they are set straight (:mod:`seru.tilt`).

    Attributes:
        shape_kji: voxels along k, j and i, the order of the array's axes; 0 in a part that is empty.
        ijk_to_ras: float64, shape (4, 4), read-only: voxel index (i, j, k, 1) to RAS millimetres.

    Raises:
        BadInputError: not three axes, no matrix of 4 x 4, a number is not finite or absurd, a spacing is zero, or the
            axes are sheared otherwise.
    """

    shape_kji: tuple[int, int, int]
    ijk_to_ras: np.ndarray

    def __post_init__(self) -> None:
        shape = tuple(int(size) for size in self.shape_kji)
        if len(shape) != 3 or min(shape) < 0:
            sizes = " x ".join(str(size) for size in shape[::-1])
            raise BadInputError(f"The image is not a 3D volume ({sizes} voxels); give a whole CT.")
        matrix = _affine(self.ijk_to_ras)
        matrix.setflags(write=False)
        object.__setattr__(self, "shape_kji", shape)
        object.__setattr__(self, "ijk_to_ras", matrix)
        if not np.isfinite(matrix[:3, :3]).all() or not all(s > _SMALLEST_SPACING_MM for s in self.spacing_ijk_mm):
            raise BadInputError(
                f"The voxel size of the image is {' x '.join(f'{s:g}' for s in self.spacing_ijk_mm)} mm; "
                "all three must be more than 0: correct the image's header."
            )
        if not np.isfinite(matrix).all():
            raise BadInputError("The image's header gives a place that is no number; correct the header.")
        if np.abs(matrix).max() > _FARTHEST_MM:
            raise BadInputError(
                f"The image's header gives a place or a size of {np.abs(matrix).max():g} mm; correct the header."
            )
        self._check_axes()

    def _check_axes(self) -> None:
        """Refuse what is no lattice; a grid refuses more."""
        cosines = np.abs(self.directions_ras.T @ self.directions_ras)
        sideways = np.hypot(cosines[0, 2], cosines[1, 2])
        if cosines[0, 1] > SHEAR_TOLERANCE or sideways > _MOST_TILTED:
            raise _sheared(max(cosines[0, 1], sideways))

    @classmethod
    def from_lps(cls, shape_kji: tuple[int, int, int], ijk_to_lps: np.ndarray) -> Self:
        """Build it from a matrix that counts in LPS.

        Args:
            shape_kji: voxels along k, j and i.
            ijk_to_lps: float64, shape (4, 4), voxel index to LPS millimetres.

        Raises:
            BadInputError: as the class.
        """
        return cls(shape_kji, _RAS_TO_LPS @ ijk_to_lps)

    def simplest(self) -> Lattice:
        """Return it as a :class:`Grid` where its three axes are perpendicular, else as it is."""
        sideways = self.directions_ras[:, 2] @ self.directions_ras[:, :2]
        return self if np.abs(sideways).max() > SHEAR_TOLERANCE else Grid(self.shape_kji, self.ijk_to_ras)

    @property
    def ijk_to_lps(self) -> np.ndarray:
        """Voxel index to LPS millimetres, float64, shape (4, 4)."""
        return _RAS_TO_LPS @ self.ijk_to_ras

    @property
    def shape_ijk(self) -> tuple[int, int, int]:
        """Voxels along i, j and k."""
        k, j, i = self.shape_kji
        return i, j, k

    @cached_property
    def spacing_ijk_mm(self) -> tuple[float, float, float]:
        """Length of a step along i, j and k in mm."""
        with np.errstate(over="ignore"):  # of a matrix that is about to be refused
            i, j, k = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def distance_mm(self) -> float:
        """Distance of two neighbouring slices along their normal in mm."""
        normal = np.cross(self.directions_ras[:, 0], self.directions_ras[:, 1])
        return float(abs(self.ijk_to_ras[:3, 2] @ normal) / np.linalg.norm(normal))

    @property
    def directions_ras(self) -> np.ndarray:
        """Unit directions of i, j and k in RAS as columns, float64, shape (3, 3)."""
        return self.ijk_to_ras[:3, :3] / self.spacing_ijk_mm

    def ras_of_ijk(self, ijk: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
        """Return the RAS position of a voxel index.

        Args:
            ijk: voxel index (i, j, k); fractions allowed.

        Returns:
            Position (r, a, s) in mm.
        """
        r, a, s, _ = self.ijk_to_ras @ np.array([*ijk, 1.0])
        return float(r), float(a), float(s)

    def is_close(self, other: Lattice, tolerance_mm: float = 1e-3) -> bool:
        """Tell whether two grids hold the same voxels in the same places.

        Args:
            other: to compare with.
            tolerance_mm: how far a corner may lie from the other's.

        Returns:
            True where the shapes are equal and no corner differs by the tolerance or more, along R, A or S.
        """
        if self.shape_kji != other.shape_kji:
            return False
        corners = np.array([(*corner, 1) for corner in itertools.product(*((0, size) for size in self.shape_ijk))]).T
        return bool(np.abs((self.ijk_to_ras - other.ijk_to_ras) @ corners).max() < tolerance_mm)

    def difference(self, other: Lattice) -> str | None:
        """Tell how another grid differs from this one.

        Args:
            other: to compare with.

        Returns:
            Words that follow "it has", this grid's value first; None where no corner lies a tenth of a voxel or more
            from the other's.
        """
        if self.is_close(other, min(self.spacing_ijk_mm) / 10):
            return None
        if self.shape_kji != other.shape_kji:
            return f"{_by_axes(self.shape_ijk)} voxels against {_by_axes(other.shape_ijk)}"
        if not np.allclose(self.spacing_ijk_mm, other.spacing_ijk_mm, rtol=1e-3):
            return f"voxels of {_by_axes(self.spacing_ijk_mm)} mm against {_by_axes(other.spacing_ijk_mm)} mm"
        if not np.allclose(self.directions_ras, other.directions_ras, atol=1e-3):
            return "axes that run otherwise"
        places = (f"({', '.join(f'{x:.1f}' for x in grid.ijk_to_ras[:3, 3])})" for grid in (self, other))
        return "the first voxel at RAS {} mm against {} mm".format(*places)


@dataclass(frozen=True, eq=False)
class Grid(Lattice):
    """Three perpendicular axes of a positive voxel size; another grid cannot be built.

    Raises:
        BadInputError: as of a lattice, or the axes are sheared.
    """

    def _check_axes(self) -> None:
        shear = np.abs(self.directions_ras.T @ self.directions_ras - np.eye(3)).max()
        if shear > SHEAR_TOLERANCE:
            raise _sheared(shear)

    @property
    def distance_mm(self) -> float:
        """Distance of two neighbouring slices in mm."""
        return self.spacing_ijk_mm[2]

    @property
    def spacing_kji_mm(self) -> tuple[float, float, float]:
        """Voxel size along k, j and i in mm, the order of the array's axes."""
        i, j, k = self.spacing_ijk_mm
        return k, j, i

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(np.prod(self.spacing_ijk_mm)) / 1000.0

    def box_to_ras(self, ijk_min: Sequence[int], ijk_max: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the box around voxels, as an object with axes of its own.

        Args:
            ijk_min: first voxel.
            ijk_max: last voxel, inside the box.

        Returns:
            Box to RAS, float64, shape (4, 4): right-handed, without scale, the box's centre as its origin; and the
            box's size in mm along i, j and k.
        """
        low, high = np.asarray(ijk_min, np.float64), np.asarray(ijk_max, np.float64)
        box = np.eye(4)
        box[:3, :3] = self.directions_ras
        if np.linalg.det(box[:3, :3]) < 0:
            # The box is the same along an axis turned round.
            box[:3, 2] *= -1
        box[:3, 3] = self.ras_of_ijk((low + high) / 2)
        return box, (high - low + 1) * self.spacing_ijk_mm

    def part(self, lower_kji: Sequence[int], shape_kji: tuple[int, int, int]) -> Grid:
        """Return the grid of a box of this one.

        Args:
            lower_kji: first voxel of the box.
            shape_kji: voxels of the box along k, j and i.

        Returns:
            A grid whose voxel 0, 0, 0 is the box's first.
        """
        matrix = self.ijk_to_ras.copy()
        # Axis by axis: a matrix product may round each part's origin in its own way.
        matrix[:3, 3] += (matrix[:3, :3] * lower_kji[::-1]).sum(axis=1)
        return Grid(shape_kji, matrix)


def _sheared(cosine: float) -> BadInputError:
    angle = np.degrees(np.arcsin(min(cosine, 1.0)))
    return BadInputError(
        f"The image's axes are sheared by {angle:.2f} degrees (gantry tilt, usually); "
        "resample it to perpendicular axes first."
    )


def _by_axes(values: Sequence[float]) -> str:
    return " x ".join(f"{value:g}" for value in values)


def _affine(values: Any) -> np.ndarray:
    try:
        matrix = np.array(values).astype(np.float64, casting="same_kind").reshape(4, 4)
    except (TypeError, ValueError) as error:
        raise BadInputError("The image's matrix is not one of 4 x 4 numbers; give voxel index to RAS mm.") from error
    if np.isfinite(matrix).all() and not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise BadInputError(f"The last row of the image's matrix is {matrix[3].tolist()}; it must be 0 0 0 1.")
    return matrix
