"""Hounsfield units out of whatever numbers a file holds, slab by slab, as lean as they allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.errors import BadInputError

_INT16 = np.iinfo(np.int16)

# Voxels a slab may hold while it is converted: 4 million, 32 MB as float64.
SLAB_VOXELS = 1 << 22


class HounsfieldArray:
    """Collects slabs of a volume as int16, or as float32 once a fraction comes.

    Args:
        shape_kji: shape of the volume, (K, J, I).

    Raises:
        BadInputError: the shape has a zero.
    """

    def __init__(self, shape_kji: tuple[int, int, int]) -> None:
        if min(shape_kji) < 1:
            k, j, i = shape_kji
            raise BadInputError(f"The image is empty ({i} x {j} x {k} voxels); give a CT volume.")
        self._array = np.empty(shape_kji, np.int16)

    @property
    def slices_a_slab(self) -> int:
        """Slices along K that make a slab of a convenient size."""
        _, rows, columns = self._array.shape
        return max(1, SLAB_VOXELS // (rows * columns))

    def put(self, first: int, slab: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> None:
        """Store a slab.

        Args:
            first: its first slice along K.
            slab: numbers of any real type, shape (n, J, I).
            slope: Hounsfield units per number.
            intercept: Hounsfield units at zero.

        Raises:
            BadInputError: a number is not finite.
        """
        if slab.dtype.kind == "f":
            _check_finite(slab, first)
        if slope != 1.0 or intercept != 0.0:
            slab = slab * np.float64(slope) + np.float64(intercept)
        if slab.dtype.kind == "f":
            rounded = np.rint(slab)
            # Rounding in the file's scale (a slope of 0.1 stored as float32, say) is no fraction.
            if self._array.dtype == np.int16 and np.abs(slab - rounded).max() > 1e-3:
                self._array = self._array.astype(np.float32)
            slab = slab if self._array.dtype == np.float32 else rounded
        last = first + len(slab)
        if self._array.dtype == np.float32 or np.can_cast(slab.dtype, np.int16):
            self._array[first:last] = slab
        else:
            # No tissue and no metal lies beyond 16 bits; what does is far outside any window.
            self._array[first:last] = np.clip(slab, _INT16.min, _INT16.max)

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


def _check_finite(slab: np.ndarray, first: int) -> None:
    finite = np.isfinite(slab)
    if not finite.all():
        place = first + int(np.argmin(finite.reshape(len(slab), -1).all(axis=1)))
        raise BadInputError(
            f"The image has voxels that are not numbers (NaN or infinite, first in slice {place}); "
            "replace them, by -1000 outside the field of view for example."
        )
