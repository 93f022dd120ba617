"""The kidney, its tumors and where they lie: what every component of nephrometry is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.findings import KIDNEY, SIDE_CODES, TUMOR, Side
from seru.grid import Grid, Position
from seru.orientation import Orientation, find_orientation
from seru.result.components import bounding_box, label_components, largest_component
from seru.result.measurements import Field

# A part of a kidney that a tumor has cut off counts; a stray island would change the kidney's outline.
_SMALLEST_PART = 0.1

Place = tuple[float, float, float]


@dataclass(frozen=True)
class Frame:
    """Where a box of an axial stack lies.

    Attributes:
        grid: of the whole scan.
        lower_kji: first voxel of the labels that the stack is of.
        orientation: from the grid to the stack.
        first: slice, row and column of the box's first voxel.
        shape: of the whole stack.
    """

    grid: Grid
    lower_kji: tuple[int, int, int]
    orientation: Orientation
    first: tuple[int, int, int]
    shape: tuple[int, ...]

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance of slices, rows and columns in mm, float64, shape (3,)."""
        return np.array(self.orientation.spacing_mm(self.grid))

    def place_ras(self, place: Place | np.ndarray) -> Position:
        """Return a place (slice, row, column) of the box in RAS mm."""
        r, a, s = self.grid.ras_of_ijk(self._ijk(place))
        return round(r, 3), round(a, 3), round(s, 3)

    def slice_index(self, index: float) -> int:
        """Return a slice of the box in the input's own order along its stack axis."""
        return round(self._ijk((index, 0, 0))[self.orientation.stack_axis_ijk])

    def _ijk(self, place: Place | np.ndarray) -> tuple[float, float, float]:
        slice_, row, column = (float(low + value) for low, value in zip(self.first, place, strict=True))
        i, j, k = self.orientation.ijk_of_stack((slice_, row, column), self.shape)
        return i + self.lower_kji[2], j + self.lower_kji[1], k + self.lower_kji[0]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One side, in a box of the axial stack (slices, rows, columns) with an empty border.

    Attributes:
        side: the patient's.
        frame: where the box lies.
        kidney: bool, without tumors and islands.
        tumor: bool, the largest one.
        organ: bool, kidney and every tumor of the side.
        axis: the kidney's long axis: row and column of its centre at slice s are ``axis[0] * s + axis[1]``.
        outlines: bool, the convex outline of the kidney in each axial slice.
    """

    side: Side
    frame: Frame
    kidney: np.ndarray
    tumor: np.ndarray
    organ: np.ndarray
    axis: np.ndarray
    outlines: np.ndarray

    @property
    def spacing_mm(self) -> np.ndarray:
        """Distance of slices, rows and columns in mm, float64, shape (3,)."""
        return self.frame.spacing_mm

    @property
    def medial(self) -> int:
        """The way to the body's middle along the columns, which run to the patient's left."""
        return 1 if self.side == "right" else -1

    def centre_at(self, slices: np.ndarray | float) -> np.ndarray:
        """Return row and column of the kidney's long axis at slices, shape (..., 2)."""
        return np.multiply.outer(slices, self.axis[0]) + self.axis[1]

    def from_axis_mm(self, places: np.ndarray) -> np.ndarray:
        """Return how far places (n, 3) lie from the axis in their own slices, in mm along rows and columns, (n, 2)."""
        return (places[:, 1:] - self.centre_at(places[:, 0])) * self.spacing_mm[1:]


def anatomy_of(field: Field, sides: np.ndarray, side: Side) -> Anatomy | None:
    """Find the kidney and the largest tumor of a side.

    Args:
        field: labels and where they lie.
        sides: uint8, shape of the labels (K, J, I): 0 none, 1 the patient's right, 2 the patient's left.
        side: the patient's.

    Returns:
        The anatomy; None where kidney or tumor is missing.
    """
    orientation = find_orientation(field.grid)
    on_side = orientation.to_stack(sides) == SIDE_CODES[side]
    stack = orientation.to_stack(field.labels)
    box = bounding_box(on_side & (stack > 0))
    if box is None:
        return None
    here = np.pad(np.where(on_side[box], stack[box], np.uint8(0)), 1)
    tumors, kidney = here == TUMOR, _without_islands(here)
    if not tumors.any() or not kidney.any():
        return None
    slices, rows, columns = (part.start - 1 for part in box)
    outlines = outlines_of(kidney)
    return Anatomy(
        side=side,
        frame=Frame(field.grid, field.lower_kji, orientation, (slices, rows, columns), stack.shape),
        kidney=kidney,
        tumor=largest_component(tumors),
        organ=here > 0,
        axis=_long_axis(outlines),
        outlines=outlines,
    )


def outlines_of(mask: np.ndarray) -> np.ndarray:
    """Return the convex outline of a mask in each axial slice.

    Args:
        mask: bool, axial stack (slices, rows, columns).

    Returns:
        bool, same shape.
    """
    from skimage import morphology

    outlines = np.zeros_like(mask)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        outlines[index] = morphology.convex_hull_image(mask[index]) | mask[index]
    return outlines


def _without_islands(here: np.ndarray) -> np.ndarray:
    """The kidney's voxels in what is large enough of kidney and tumor together."""
    numbers = label_components(here > 0)
    sizes = np.bincount(numbers[here == KIDNEY], minlength=int(numbers.max()) + 1)
    is_part = sizes >= max(_SMALLEST_PART * sizes.max(), 1)
    return (here == KIDNEY) & is_part[numbers]


def _long_axis(outlines: np.ndarray) -> np.ndarray:
    """The straight line nearest to the centres of the outlines, by their areas."""
    areas = outlines.sum(axis=(1, 2))
    slices = np.flatnonzero(areas)
    centres = np.array([np.argwhere(outlines[index]).mean(axis=0) for index in slices])
    if len(slices) < 2:
        return np.stack([np.zeros(2), centres[0]])
    return np.polyfit(slices, centres, 1, w=np.sqrt(areas[slices]))
