"""Volumes and diameters of labels.

Source: our rule; the longest diameter is three-dimensional, between voxel centres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from seru.result.fusion import KIDNEY, TUMOR
from seru.result.sides import SIDE_CODES, SIDES, Side, bounding_box, label_components


def measure(
    labels_kji: np.ndarray, sides_kji: np.ndarray, spacing_ijk_mm: Sequence[float]
) -> dict[Side, dict[str, float]]:
    """Measure kidney and tumor on both sides.

    Args:
        labels_kji: uint8, shape (K, J, I): 0 background, 1 kidney, 2 tumor; a whole volume or a box of it.
        sides_kji: uint8, same shape: 1 the patient's right, 2 the patient's left.
        spacing_ijk_mm: voxel size along i, j and k in mm.

    Returns:
        For ``right`` and ``left``: ``kidney_ml`` (label 1 alone), ``tumor_ml`` (label 2) and ``tumor_longest_mm``
        (longest diameter of the side's largest tumor; 0 without one).
    """
    voxel_ml = float(np.prod(spacing_ijk_mm)) / 1000.0
    # One pass over both: code = 3 * side + label.
    counts = np.bincount((sides_kji * np.uint8(3) + labels_kji).ravel(), minlength=9)
    measured: dict[Side, dict[str, float]] = {}
    for side in SIDES:
        first = 3 * SIDE_CODES[side]
        tumor = counts[first + TUMOR]
        longest = longest_diameter_mm(_tumor_of(labels_kji, sides_kji, side), spacing_ijk_mm) if tumor else 0.0
        measured[side] = {
            "kidney_ml": float(counts[first + KIDNEY] * voxel_ml),
            "tumor_ml": float(tumor * voxel_ml),
            "tumor_longest_mm": longest,
        }
    return measured


def longest_diameter_mm(mask_kji: np.ndarray, spacing_ijk_mm: Sequence[float]) -> float:
    """Return the longest diameter of the largest component of a mask.

    Args:
        mask_kji: bool, shape (K, J, I).
        spacing_ijk_mm: voxel size along i, j and k in mm.

    Returns:
        Longest distance between two voxel centres in mm; 0 for an empty mask or a single voxel.
    """
    box = bounding_box(mask_kji)
    if box is None:
        return 0.0
    components, _ = label_components(mask_kji[box])
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    largest = components == sizes.argmax()
    # Of a line of voxels along i only the ends can be extreme.
    first = largest & ~np.roll(largest, 1, axis=2)
    first[..., 0] |= largest[..., 0]
    last = largest & ~np.roll(largest, -1, axis=2)
    last[..., -1] |= largest[..., -1]
    points = np.argwhere(first | last).astype(np.float64) * np.asarray(spacing_ijk_mm, np.float64)[::-1]
    points = _hull_points(points)
    return float(pdist(points).max()) if len(points) > 1 else 0.0


def _hull_points(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull; all points where they are few or lie in a plane."""
    extent = np.ptp(points, axis=0) > 0
    flat = points[:, extent]
    if len(points) < 50 or flat.shape[1] < 2:
        return points if len(points) < 50 else points[[flat.argmin(), flat.argmax()]]
    try:
        return points[ConvexHull(flat).vertices]
    except QhullError:
        # All in one oblique plane: too rare to be worth more than a joggle.
        return points[ConvexHull(flat, qhull_options="QJ").vertices]


def _tumor_of(labels_kji: np.ndarray, sides_kji: np.ndarray, side: Side) -> np.ndarray:
    return (labels_kji == TUMOR) & (sides_kji == SIDE_CODES[side])
