"""From any image grid to the axial stack and back, by axis permutation and flips alone.

The axial stack has shape (slices, rows, columns): slices from feet to head, rows from front to back, columns from the
patient's right to left (LPS). An oblique volume keeps its own grid; each of its axes takes the place it is nearest to.

Source: our rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seru.grid import Grid
from seru.tilt import Tilt
from seru.volume import Volume

# Directions of the stack's slices, rows and columns in RAS: superior, posterior, left.
_STACK_RAS = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])

# Rows and columns of a slice.
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Orientation:
    """How an array (K, J, I) becomes an axial stack.

    Attributes:
        axes: for slices, rows and columns: the axis of the array (0 = k, 1 = j, 2 = i).
        flips: for slices, rows and columns: whether that axis runs the other way.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def to_stack(self, array_kji: np.ndarray) -> np.ndarray:
        """Return a view of an array as an axial stack.

        Args:
            array_kji: shape (K, J, I), any dtype.

        Returns:
            View of shape (slices, rows, columns).
        """
        return np.transpose(array_kji, self.axes)[self._flip]

    def from_stack(self, stack: np.ndarray) -> np.ndarray:
        """Return a view of an axial stack on the input's own axes.

        Args:
            stack: shape (slices, rows, columns), any dtype.

        Returns:
            View of shape (K, J, I).
        """
        return np.transpose(stack[self._flip], np.argsort(self.axes))

    def ijk_of_stack(self, position: tuple[float, float, float], shape: tuple[int, ...]) -> tuple[float, float, float]:
        """Return the input's voxel index of a place in the stack.

        Args:
            position: (slice, row, column); fractions allowed.
            shape: of the stack.

        Returns:
            Voxel index (i, j, k).
        """
        kji = [0.0, 0.0, 0.0]
        for value, axis, flipped, size in zip(position, self.axes, self.flips, shape, strict=True):
            kji[axis] = size - 1 - value if flipped else float(value)
        return kji[2], kji[1], kji[0]

    def lower_kji(self, box: tuple[slice, slice, slice], shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return the first voxel, on the input's own axes, of a box of the stack.

        Args:
            box: slices, rows and columns of the stack.
            shape: of the stack.

        Returns:
            Smallest index along k, j and i.
        """
        lower = [0, 0, 0]
        for place, axis, flipped, size in zip(box, self.axes, self.flips, shape, strict=True):
            lower[axis] = size - place.stop if flipped else place.start
        return lower[0], lower[1], lower[2]

    def box_of_ijk(
        self, ijk_min: tuple[int, int, int], ijk_max: tuple[int, int, int], shape: tuple[int, ...]
    ) -> tuple[range, range, range]:
        """Return where a box of the input lies in the stack.

        Args:
            ijk_min: first voxel of the input.
            ijk_max: last voxel, inside the box.
            shape: of the stack.

        Returns:
            Slices, rows and columns of the stack.
        """
        kji_min, kji_max = ijk_min[::-1], ijk_max[::-1]
        box = []
        for axis, flipped, size in zip(self.axes, self.flips, shape, strict=True):
            first, last = kji_min[axis], kji_max[axis]
            box.append(range(size - 1 - last, size - first) if flipped else range(first, last + 1))
        return box[0], box[1], box[2]

    def ijk_of_box(
        self, box: tuple[range, range, range], shape: tuple[int, ...]
    ) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return a box of the stack in voxels of the input; the inverse of :meth:`box_of_ijk`.

        Args:
            box: slices, rows and columns of the stack, none of them empty.
            shape: of the stack.

        Returns:
            First and last voxel (i, j, k), both inside the box.
        """
        slices, rows, columns = box
        corners = [self.ijk_of_stack((slices[end], rows[end], columns[end]), shape) for end in (0, -1)]
        (i0, i1), (j0, j1), (k0, k1) = (sorted(map(int, pair)) for pair in zip(*corners, strict=True))
        return (i0, j0, k0), (i1, j1, k1)

    def spacing_mm(self, grid: Grid) -> tuple[float, float, float]:
        """Return the distance of slices, rows and columns of a grid in mm."""
        slices, rows, columns = (grid.spacing_kji_mm[axis] for axis in self.axes)
        return slices, rows, columns

    @property
    def stack_axis_ijk(self) -> int:
        """The input's voxel axis along which slices are stacked: 0 = i, 1 = j, 2 = k."""
        return 2 - self.axes[0]

    @property
    def _flip(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1) if flipped else slice(None) for flipped in self.flips)


def find_orientation(grid: Grid) -> Orientation:
    """Find the permutation and flips that bring a grid nearest to the axial stack.

    Args:
        grid: any orientation.

    Returns:
        The orientation; the stack axis is the one nearest to superior-inferior.
    """
    # Rows: i, j, k; columns: along superior, posterior, left.
    cosines = grid.directions_ras.T @ _STACK_RAS.T
    remaining = [0, 1, 2]
    axes_ijk = []
    for stack_axis in (0, 2, 1):
        nearest = max(remaining, key=lambda axis: round(abs(cosines[axis, stack_axis]), 6))
        axes_ijk.append(nearest)
        remaining.remove(nearest)
    slices, columns, rows = axes_ijk
    against = cosines < 0
    flips = bool(against[slices, 0]), bool(against[rows, 1]), bool(against[columns, 2])
    return Orientation((2 - slices, 2 - rows, 2 - columns), flips)


def turned_to(volume: Volume, wanted: Grid) -> Volume:
    """Return a volume on axes that run as those of a grid, by permutation and flips alone.

    Args:
        volume: any orientation.
        wanted: of where it lies nothing is asked.

    Returns:
        A view of the volume: each voxel lies where it lay.
    """
    source, target = find_orientation(volume.grid), find_orientation(wanted)
    if source == target:
        return volume
    stack = source.to_stack(volume.array_kji)
    turned = target.from_stack(stack)
    # Any four places of the stack that span it tell how one index becomes the other.
    places = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    before, after = (
        np.array([[*orientation.ijk_of_stack(place, stack.shape), 1.0] for place in places]).T
        for orientation in (source, target)
    )
    k, j, i = turned.shape
    grid = Grid((k, j, i), volume.grid.ijk_to_ras @ before @ np.linalg.inv(after))
    return replace(volume, array_kji=turned, grid=grid)


@dataclass(frozen=True, eq=False)
class AxialStack:
    """A volume seen as an axial stack.

    Attributes:
        hu: view of the volume's array, shape (slices, rows, columns), Hounsfield units.
        orientation: how to get back.
        grid: of the volume, on its own axes.
        tilt: of slices that were set straight.
    """

    hu: np.ndarray
    orientation: Orientation
    grid: Grid
    tilt: Tilt | None = None

    @classmethod
    def of(cls, volume: Volume) -> AxialStack:
        """See a volume as an axial stack; nothing is copied.

        Args:
            volume: any orientation.

        Returns:
            The stack.
        """
        orientation = find_orientation(volume.grid)
        return cls(orientation.to_stack(volume.array_kji), orientation, volume.grid, volume.tilt)

    def window(self, index: int) -> Window:
        """Return what of a slice is an image: all of it, or where a slice of a tilted gantry was moved to.

        Args:
            index: of the slice.

        Returns:
            Its rows and columns.
        """
        if self.tilt is None or self.orientation.stack_axis_ijk != 2:
            return slice(0, self.hu.shape[1]), slice(0, self.hu.shape[2])
        k = round(self.orientation.ijk_of_stack((index, 0, 0), self.hu.shape)[2])
        j, i = self.tilt.place(k)
        _, rows, columns = self.orientation.box_of_ijk(
            (i.start, j.start, k), (i.stop - 1, j.stop - 1, k), self.hu.shape
        )
        return slice(rows.start, rows.stop), slice(columns.start, columns.stop)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of slices, rows and columns in mm."""
        return self.orientation.spacing_mm(self.grid)

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel of a slice in mm2."""
        return self.spacing_mm[1] * self.spacing_mm[2]
