"""Kidneys and tumors of known shape, as labels: ellipsoids with a notch for the sinus, and spheres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.nephrometry import sides_of
from seru.findings import KIDNEY, TUMOR, Side
from seru.grid import Grid
from seru.result.labelled import measure_labels
from seru.result.nephrometry import Nephrometry, nephrometry

# Half axes of the kidney along superior, posterior and left in mm, and the notch's half height and half width.
HALF_MM = (50.0, 28.0, 28.0)
NOTCH_MM = (20.0, 8.0)
# How far the kidneys' centres lie from the body's middle.
BESIDE_MM = 50.0
FIELD_MM = (140.0, 140.0, 200.0)


@dataclass(frozen=True)
class Sphere:
    """A tumor: its centre, seen from the right kidney's, towards the head, the back and the body's middle; in mm."""

    up: float
    back: float
    medial: float
    radius: float


def labels_of(
    tumors: Sequence[Sphere],
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0),
    has_notch: bool = True,
    side: Side = "right",
    lower_edge_mm: float = -70.0,
) -> tuple[np.ndarray, Grid]:
    """Draw both kidneys, and tumors on one side; what lies under the lower edge is outside of the scan."""
    sizes = [round(size / mm) for size, mm in zip(FIELD_MM, spacing_mm, strict=True)]
    # Up, back and left of the field's middle; voxel centres lie evenly round it.
    ticks = [(np.arange(size) - (size - 1) / 2) * mm for size, mm in zip(sizes, spacing_mm, strict=True)]
    up, back, left = np.meshgrid(*ticks, indexing="ij", sparse=True)
    medial = BESIDE_MM - np.abs(left)
    labels = np.zeros(np.broadcast_shapes(up.shape, back.shape, left.shape), np.uint8)
    inside = (up / HALF_MM[0]) ** 2 + (back / HALF_MM[1]) ** 2 + (medial / HALF_MM[2]) ** 2 <= 1
    notch = (np.abs(up) <= NOTCH_MM[0]) & (np.abs(back) <= NOTCH_MM[1]) & (medial >= 0)
    labels[inside & ~(notch if has_notch else np.False_)] = KIDNEY
    on_side = left < 0 if side == "right" else left > 0
    for tumor in tumors:
        distance = (up - tumor.up) ** 2 + (back - tumor.back) ** 2 + (medial - tumor.medial) ** 2
        labels[on_side & (distance <= tumor.radius**2)] = TUMOR
    first = int(np.searchsorted(ticks[0], lower_edge_mm))
    matrix = np.diag([-spacing_mm[2], -spacing_mm[1], spacing_mm[0], 1.0])
    matrix[:3, 3] = -ticks[2][0], -ticks[1][0], ticks[0][first]
    labels = np.ascontiguousarray(labels[first:])
    return labels, Grid(labels.shape, matrix)


def turned(labels: np.ndarray, grid: Grid, axes: Sequence[int], flipped: Sequence[int]) -> tuple[np.ndarray, Grid]:
    """The same voxels in the same places, in another order of axes (of K, J, I), some of them the other way."""
    matrix = grid.ijk_to_ras.copy()
    for axis in flipped:
        matrix[:3, 3] += matrix[:3, 2 - axis] * (labels.shape[axis] - 1)
        matrix[:3, 2 - axis] *= -1
    labels = np.flip(labels, tuple(flipped)).transpose(axes)
    columns = [2 - axes[2 - column] for column in range(3)]
    matrix[:3, :3] = matrix[:3, columns]
    return np.ascontiguousarray(labels), Grid(labels.shape, matrix)


def scores_of(labels: np.ndarray, grid: Grid) -> dict[Side, Nephrometry | None]:
    """Score labels, with sides and findings as they are."""
    sides = sides_of(labels, grid)
    return nephrometry(labels, sides, grid, measure_labels(labels, grid).findings)


@cache
def score_of(*tumors: Sphere, spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Nephrometry:
    """Score tumors of the right kidney."""
    score = scores_of(*labels_of(tumors, spacing_mm))["right"]
    assert score is not None
    return score
