"""Hounsfield units out of whatever numbers a file holds, run by run, as lean as they allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.errors import BadInputError

_INT16 = np.iinfo(np.int16)


class HounsfieldArray:
    """Collects the voxels of a volume as int16, or as float32 once a fraction comes.

    Args:
        shape_kji: shape of the volume, (K, J, I).

    Raises:
        BadInputError: the shape has a zero.
    """

    def __init__(self, shape_kji: tuple[int, int, int]) -> None:
        if min(shape_kji) < 1:
            k, j, i = shape_kji
            raise BadInputError(f"The image is empty ({i} x {j} x {k} voxels); give a 3D volume.")
        self._array = np.empty(shape_kji, np.int16)
        self._slice_voxels = shape_kji[1] * shape_kji[2]

    def put(self, first: int, slab: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> None:
        """Store whole slices.

        Args:
            first: the first one along K.
            slab: numbers of any real type, shape (n, J, I).
            slope: Hounsfield units per number.
            intercept: Hounsfield units at zero.

        Raises:
            BadInputError: a number is not finite.
        """
        self.put_run(first * self._slice_voxels, slab.ravel(), slope, intercept)

    def put_run(self, first: int, values: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> None:
        """Store voxels that follow each other, slice after slice in C order.

        Args:
            first: the first one, counted from the volume's first.
            values: numbers of any real type, shape (n,).
            slope: Hounsfield units per number.
            intercept: Hounsfield units at zero.

        Raises:
            BadInputError: a number is not finite, scaled or not.
        """
        if slope != 1.0 or intercept != 0.0:
            with np.errstate(over="ignore", invalid="ignore"):
                values = values * np.float64(slope) + np.float64(intercept)
        if values.dtype.kind == "f":
            self._check_finite(values, first)
        if not np.can_cast(values.dtype, np.int16):
            # No tissue and no metal lies beyond 16 bits; what does is far outside any window.
            values = np.clip(values, _INT16.min, _INT16.max)
        if values.dtype.kind == "f" and self._array.dtype == np.int16:
            rounded = np.rint(values)
            # Rounding in the file's scale (a slope of 0.1 stored as float32, say) is no fraction.
            if np.abs(values - rounded).max(initial=0.0) > 1e-3:
                self._array = self._array.astype(np.float32)
            else:
                values = rounded
        self._array.reshape(-1)[first : first + len(values)] = values

    def _check_finite(self, values: np.ndarray, first: int) -> None:
        finite = np.isfinite(values)
        if not finite.all():
            place = (first + int(np.argmin(finite))) // self._slice_voxels
            raise BadInputError(
                f"The image has voxels that are not numbers (NaN or infinite, first in slice {place}); "
                "replace them, by 0 in labels and by -1000 outside the field of view of a CT, say."
            )

    def finish(self) -> np.ndarray:
        """Return the volume, int16 or float32, shape (K, J, I)."""
        return self._array


def window_to_uint8(hu: np.ndarray, window: Sequence[float]) -> np.ndarray:
    """Clip Hounsfield units to a window and scale it to 8 bit.

    Args:
        hu: integer or float, any shape, Hounsfield units.
        window: lower and upper bound in HU.

    Returns:
        uint8, same shape; the lower bound is 0 and the upper 255.
    """
    lower, upper = window
    clipped = np.clip(hu, lower, upper).astype(np.float32)
    clipped -= lower
    clipped *= 255.0 / (upper - lower)
    return np.rint(clipped, out=clipped).astype(np.uint8)
