"""Volumes and diameters of labels.

Source: our rule; the longest diameter is three-dimensional, between voxel centres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.findings import KIDNEY, SIDE_CODES, SIDES, TUMOR, Measures, Side, Volumes
from seru.grid import Grid
from seru.result.components import bounding_box, largest_component


def measure(labels_kji: np.ndarray, sides_kji: np.ndarray, grid: Grid) -> dict[Side, Measures]:
    """Measure kidney and tumor on both sides.

    Args:
        labels_kji: uint8, shape (K, J, I): 0 background, 1 kidney, 2 tumor; a whole volume or a box of it.
        sides_kji: uint8, same shape: 1 the patient's right, 2 the patient's left.
        grid: of the volume; only its voxel size is looked at.

    Returns:
        The measures of ``right`` and ``left``.
    """
    counts = count_voxels(labels_kji, sides_kji)
    return {
        side: Measures(
            volumes.kidney_ml,
            volumes.tumor_ml,
            longest_diameter_mm((labels_kji == TUMOR) & (sides_kji == SIDE_CODES[side]), grid.spacing_kji_mm),
        )
        for side, volumes in volumes_of(counts, grid.voxel_ml).items()
    }


def count_voxels(labels: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Count voxels by side and label in one pass.

    Args:
        labels: uint8, any shape: 0 background, 1 kidney, 2 tumor.
        sides: uint8, same shape: 0 none, 1 the patient's right, 2 the patient's left.

    Returns:
        int64, shape (3, 3): ``[side code, label]``.
    """
    counts = np.zeros(9, np.int64)
    # Part by part: bincount makes eight bytes of each voxel.
    for some_sides, some_labels in zip(np.atleast_2d(sides), np.atleast_2d(labels), strict=True):
        counts += np.bincount((some_sides * np.uint8(3) + some_labels).ravel(), minlength=9)
    return counts.reshape(3, 3)


def volumes_of(counts: np.ndarray, voxel_ml: float) -> dict[Side, Volumes]:
    """Return the volumes of both sides.

    Args:
        counts: of :func:`count_voxels`.
        voxel_ml: volume of a voxel in ml.

    Returns:
        The volumes of ``right`` and ``left``.
    """
    by_side = {side: counts[SIDE_CODES[side]] * voxel_ml for side in SIDES}
    return {side: Volumes(float(ml[KIDNEY]), float(ml[TUMOR])) for side, ml in by_side.items()}


def longest_diameter_mm(mask: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """Return the longest diameter of the largest component of a mask.

    Args:
        mask: bool, three axes.
        spacing_mm: voxel size along the array's axes in mm.

    Returns:
        Longest distance between two voxel centres in mm; 0 for an empty mask or a single voxel.
    """
    from scipy.spatial.distance import pdist

    box = bounding_box(mask)
    if box is None:
        return 0.0
    largest = largest_component(mask[box])
    # Of a line of voxels along the last axis only the ends can be extreme.
    first = largest & ~np.roll(largest, 1, axis=2)
    first[..., 0] |= largest[..., 0]
    last = largest & ~np.roll(largest, -1, axis=2)
    last[..., -1] |= largest[..., -1]
    points = _hull_points(np.argwhere(first | last) * np.asarray(spacing_mm, np.float64))
    return float(pdist(points).max()) if len(points) > 1 else 0.0


def _hull_points(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull; all points where they are few or lie in a plane."""
    from scipy.spatial import ConvexHull, QhullError

    extent = np.ptp(points, axis=0) > 0
    flat = points[:, extent]
    if len(points) < 50 or flat.shape[1] < 2:
        return points if len(points) < 50 else points[[flat.argmin(), flat.argmax()]]
    try:
        return points[ConvexHull(flat).vertices]
    except QhullError:
        # All in one oblique plane: too rare to be worth more than a joggle.
        return points[ConvexHull(flat, qhull_options="QJ").vertices]
