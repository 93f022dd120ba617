"""Labelmaps of segments as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from vtk.util.numpy_support import vtk_to_numpy


def arrayOf(image: Any) -> np.ndarray:
    """Return the voxels of an image, not copied, in the order (k, j, i)."""
    extent = image.GetExtent()
    shape = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0)]
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)


def isEmpty(image: Any) -> bool:
    """Return whether a segment has no voxels to look at."""
    return image is None or image.GetPointData().GetScalars() is None or image.GetNumberOfPoints() == 0


def copyLabel(image: Any, label: int, target: np.ndarray, extent: tuple[int, ...], value: int) -> None:
    """Mark the voxels of a label in another array on the same grid.

    Args:
        image: labelmap.
        label: to look for.
        target: array (k, j, i) that covers ``extent``.
        extent: first and last index along i, j and k.
        value: to write.
    """
    has = image.GetExtent()
    low = [max(has[2 * axis], extent[2 * axis]) for axis in (2, 1, 0)]
    high = [min(has[2 * axis + 1], extent[2 * axis + 1]) for axis in (2, 1, 0)]
    if any(first > last for first, last in zip(low, high, strict=True)):
        return

    def part(first: tuple[int, ...]) -> tuple[slice, ...]:
        starts = [first[2 * axis] for axis in (2, 1, 0)]
        return tuple(slice(a - s, b - s + 1) for a, b, s in zip(low, high, starts, strict=True))

    target[part(extent)][arrayOf(image)[part(has)] == label] = value
