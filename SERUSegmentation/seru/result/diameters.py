"""Diameters of a mask: in an axial slice as radiologists measure, and in three dimensions.

All lie between voxel centres. Source: RECIST 1.1 (Eisenhauer et al. 2009): the longest diameter in an axial slice, and
the longest one at right angles to it in the same slice. That two parts joined by a thin bridge are two is our rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seru.result.components import bounding_box

# A bridge this thin does not join two parts of a slice. Of the largest tumor of each of 70 KiTS19 label volumes none is
# two masses: any width from 0 to 8 mm gives the same longest diameter (benchmarks/diameters.py).
BRIDGE_MM = 3.0
# So many directions bound a slice's diameter to 0.5 %; what they may lose to rounding.
_DIRECTIONS = 16
_ROUNDING_MM = 1e-6

Point = tuple[int, int]


@dataclass(frozen=True)
class AxialDiameters:
    """The longest diameter in an axial slice, and the one across it.

    Attributes:
        slice: of the stack.
        longest_mm: 0 for a single voxel.
        longest: its ends, (row, column).
        across_mm: at right angles to it.
        across: its ends.
    """

    slice: int
    longest_mm: float
    longest: tuple[Point, Point]
    across_mm: float
    across: tuple[Point, Point]


def axial_diameters(
    mask: np.ndarray, spacing_rc_mm: Sequence[float], bridge_mm: float = BRIDGE_MM
) -> AxialDiameters | None:
    """Measure a mask in the axial slice where it is longest.

    Args:
        mask: bool, axial stack (slices, rows, columns).
        spacing_rc_mm: pixel size along rows and columns in mm.
        bridge_mm: a bridge this thin does not join two parts of a slice.

    Returns:
        The diameters; None for an empty mask. Of equally long ones the lowest slice.
    """
    spacing = np.asarray(spacing_rc_mm, np.float64)
    best: _Longest | None = None
    # The largest possible ones first: most slices need no closer look.
    most = _most_mm(mask, spacing)
    for index in sorted(most, key=lambda i: -most[i]):
        if best is not None and most[index] < best.mm:
            break
        for part, most_mm in _pieces(mask[index], spacing):
            if best is not None and most_mm < best.mm:
                continue
            # A part that is divided by a bridge is no longer than the whole.
            found = _longest(part, index, spacing)
            if _is_better(found, best):
                for core in _without_bridges(part, spacing, bridge_mm, 0.0 if best is None else best.mm):
                    found = _longest(core, index, spacing)
                    best = found if _is_better(found, best) else best
    if best is None:
        return None
    across_mm, across = _across(np.argwhere(best.part), best.ends, spacing)
    return AxialDiameters(best.slice, best.mm, best.ends, across_mm, across)


def longest_diameter_mm(mask: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """Return the longest distance between two voxels of a mask.

    Args:
        mask: bool, three axes.
        spacing_mm: voxel size along the array's axes in mm.

    Returns:
        In mm; 0 for an empty mask or a single voxel.
    """
    box = bounding_box(mask)
    if box is None:
        return 0.0
    inside = mask[box]
    points = _hull_points(_places(_line_ends(inside)) * np.asarray(spacing_mm, np.float64))
    return float(_distances(points).max()) if len(points) > 1 else 0.0


def _most_mm(mask: np.ndarray, spacing: np.ndarray) -> dict[int, float]:
    """What no distance in a slice exceeds, of each slice that is not empty."""
    points = _places(_line_ends(mask))
    if not len(points):
        return {}
    slices, firsts = np.unique(points[:, 0], return_index=True)
    # A line lies within half a step of some direction; its shadow there is shorter by the cosine at most.
    angles = np.pi / _DIRECTIONS * np.arange(_DIRECTIONS)
    shadows = (points[:, 1:] * spacing) @ np.stack([np.cos(angles), np.sin(angles)])
    widths = np.maximum.reduceat(shadows, firsts) - np.minimum.reduceat(shadows, firsts)
    most = widths.max(axis=1) / np.cos(np.pi / (2 * _DIRECTIONS)) + _ROUNDING_MM
    return dict(zip(slices.tolist(), most.tolist(), strict=True))


@dataclass(frozen=True)
class _Longest:
    """The longest diameter of a part of a slice: bool, shape of the slice."""

    part: np.ndarray
    slice: int
    mm: float
    ends: tuple[Point, Point]


def _is_better(found: _Longest, best: _Longest | None) -> bool:
    return best is None or found.mm > best.mm or (found.mm == best.mm and found.slice < best.slice)


def _pieces(plane: np.ndarray, spacing: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """The components of a slice, pixels that share a corner together; and what no distance in each exceeds."""
    from scipy import ndimage

    numbers, _ = ndimage.label(plane, np.ones((3, 3), bool))
    for number, box in enumerate(ndimage.find_objects(numbers), 1):
        sides_mm = [(part.stop - part.start - 1) * mm for part, mm in zip(box, spacing, strict=True)]
        yield numbers == number, float(np.hypot(*sides_mm)) + _ROUNDING_MM


def _without_bridges(part: np.ndarray, spacing: np.ndarray, bridge_mm: float, least_mm: float) -> list[np.ndarray]:
    """The pieces of a part that only thin bridges join; those that are surely shorter than something may be missing."""
    from scipy import ndimage

    reach = np.floor(bridge_mm / 2 / spacing).astype(int)
    rows, columns = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    disc = np.hypot(rows * spacing[0], columns * spacing[1]) <= bridge_mm / 2
    cores = list(_pieces(ndimage.binary_opening(part, disc), spacing))
    if len(cores) < 2:
        return [part]
    # The opening rounds corners off: each core gets back what lies near it, and no bridge is that short.
    long = [core for core, most_mm in cores if most_mm + 2 * bridge_mm >= least_mm]
    return [part & ndimage.binary_dilation(core, disc) for core in long]


def _longest(part: np.ndarray, index: int, spacing: np.ndarray) -> _Longest:
    hull = _hull_points(np.argwhere(_line_ends(part)) * spacing)
    distances = _distances(hull)
    farthest = list(np.unravel_index(int(distances.argmax()), distances.shape))
    ends = np.rint(hull[farthest] / spacing).astype(int)
    # Of whole steps: wherever it lies, the same line has the same length.
    mm = float(np.hypot(*(np.abs(ends[1] - ends[0]) * spacing)))
    return _Longest(part, index, mm, (_point(ends[0]), _point(ends[1])))


def _across(points: np.ndarray, ends: tuple[Point, Point], spacing: np.ndarray) -> tuple[float, tuple[Point, Point]]:
    """The longest line at right angles to another, inside the mask: its pixels share a stripe one pixel wide."""
    start, end = (np.array(point) * spacing for point in ends)
    length = float(np.hypot(*(end - start)))
    if length == 0:
        return 0.0, ends
    along = (end - start) / length
    places = points * spacing - start
    stripes = np.rint(places @ along / spacing.min()).astype(int)
    heights = places @ np.array([-along[1], along[0]])
    order = np.lexsort((heights, stripes))
    borders = np.flatnonzero(np.diff(stripes[order])) + 1
    firsts, lasts = order[np.r_[0, borders]], order[np.r_[borders, len(order)] - 1]
    widths = heights[lasts] - heights[firsts]
    widest = int(widths.argmax())
    return float(widths[widest]), (_point(points[firsts[widest]]), _point(points[lasts[widest]]))


def _line_ends(mask: np.ndarray) -> np.ndarray:
    """Of each line of voxels along the last axis the ends: no other can be extreme."""
    ends = np.zeros_like(mask)
    ends[..., 0], ends[..., -1] = mask[..., 0], mask[..., -1]
    ends[..., 1:] |= mask[..., 1:] & ~mask[..., :-1]
    ends[..., :-1] |= mask[..., :-1] & ~mask[..., 1:]
    return ends


def _places(mask: np.ndarray) -> np.ndarray:
    """As ``np.argwhere``, which takes far longer in three dimensions."""
    return np.stack(np.unravel_index(np.flatnonzero(mask), mask.shape), axis=1)


def _hull_points(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull; all points where they are few or lie in a line or plane."""
    from scipy.spatial import ConvexHull, QhullError

    extent = np.ptp(points, axis=0) > 0
    flat = points[:, extent]
    if len(points) < 50 or flat.shape[1] < 2:
        return points if len(points) < 50 else points[[flat.argmin(), flat.argmax()]]
    try:
        return points[ConvexHull(flat).vertices]
    except QhullError:
        # All in one oblique line or plane: too rare to be worth more than a joggle.
        return points[ConvexHull(flat, qhull_options="QJ").vertices]


def _distances(points: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(points, points)


def _point(values: np.ndarray) -> Point:
    return int(values[0]), int(values[1])
