"""How far a tumor lies inside and outside of the kidney's outline in three dimensions.

Source: our rule: the outline is the convex hull of the kidney's voxels without the tumor's, so that the bed of a tumor
is bridged and a tumor that fills the sinus lies inside. It is bridged straight: of a tumor that takes a pole's place
more lies outside than of the kidney as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.result.nephrometry.anatomy import Anatomy

# So few that their distances of all planes stay in the processor's cache.
_VOXELS_AT_ONCE = 256
# Most cubes of this size lie clearly inside or outside, so their voxels need not be looked at.
_CUBE_MM = 6.0
_ROUNDING_MM = 1e-6


@dataclass(frozen=True)
class Outline:
    """The tumor against the kidney's outline.

    Attributes:
        exophytic_share: of the tumor's volume, 0..1.
        bulge_mm: how far the tumor reaches out of the outline; 0 or less where it does not.
        depth_mm: how far it reaches in; 0 or less where it does not.
        bulge_place: slice, row and column of the tumor's outermost voxel.
        depth_place: of its innermost voxel.
    """

    exophytic_share: float
    bulge_mm: float
    depth_mm: float
    bulge_place: np.ndarray
    depth_place: np.ndarray


def find_outline(anatomy: Anatomy) -> Outline:
    """Measure the tumor against the kidney's outline.

    Args:
        anatomy: of the side.

    Returns:
        The measures.
    """
    planes = _hull_planes(anatomy.kidney, anatomy.spacing_mm)
    places = np.argwhere(anatomy.tumor)
    outside_mm = _outside_by_cubes_mm(places, planes, anatomy.spacing_mm)
    outermost, innermost = int(outside_mm.argmax()), int(outside_mm.argmin())
    return Outline(
        float((outside_mm > 0).mean()),
        float(outside_mm[outermost]),
        float(-outside_mm[innermost]),
        places[outermost],
        places[innermost],
    )


def _hull_planes(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Planes round the voxels of a mask, shape (n, 4): normal and offset in mm, outside positive."""
    from scipy import spatial

    is_end = mask.copy()
    is_end[..., 1:-1] &= ~(mask[..., :-2] & mask[..., 2:])
    centres = np.argwhere(is_end).astype(np.float64)
    # Out to the voxels' faces, not to their corners: a slanting surface runs through those.
    steps = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    points = (centres[:, np.newaxis] + steps).reshape(-1, 3) * spacing_mm
    return np.unique(spatial.ConvexHull(points).equations.round(9), axis=0)


def _outside_by_cubes_mm(places: np.ndarray, planes: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """How far places lie outside of all planes: exact near the outline and where it is most or least.

    Elsewhere it is that of the middle of a cube: on the way to a place in it the distance changes by no more than that
    is long, so the sign is the same, and neither the most nor the least is there.
    """
    size = np.maximum(np.rint(_CUBE_MM / spacing_mm).astype(np.int64), 1)
    cubes = places // size
    shape = tuple(cubes.max(axis=0) + 1)
    numbers, cube_of = np.unique(np.ravel_multi_index(tuple(cubes.T), shape), return_inverse=True)
    middles = np.stack(np.unravel_index(numbers, shape), axis=1) * size + (size - 1) / 2
    middle_mm = _outside_mm(middles, planes, spacing_mm)
    reach_mm = np.linalg.norm((size - 1) / 2 * spacing_mm) + _ROUNDING_MM
    low_mm, high_mm = middle_mm - reach_mm, middle_mm + reach_mm
    is_near = ((low_mm <= 0) & (high_mm >= 0)) | (high_mm >= low_mm.max()) | (low_mm <= high_mm.min())
    outside_mm, is_exact = middle_mm[cube_of], is_near[cube_of]
    outside_mm[is_exact] = _outside_mm(places[is_exact], planes, spacing_mm)
    return outside_mm


def _outside_mm(places: np.ndarray, planes: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """How far places lie outside of all planes; inside it is negative and the distance of the nearest plane."""
    outside_mm = np.empty(len(places))
    for first in range(0, len(places), _VOXELS_AT_ONCE):
        part = slice(first, first + _VOXELS_AT_ONCE)
        outside_mm[part] = (places[part] * spacing_mm @ planes[:, :3].T + planes[:, 3]).max(axis=1)
    return outside_mm
