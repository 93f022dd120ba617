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
    outside_mm = np.concatenate(
        [_outside_mm(part, planes, anatomy.spacing_mm) for part in _parts(places, _VOXELS_AT_ONCE)]
    )
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


def _outside_mm(places: np.ndarray, planes: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """How far places lie outside of all planes; inside it is negative and the distance of the nearest plane."""
    return (places * spacing_mm @ planes[:, :3].T + planes[:, 3]).max(axis=1)


def _parts(places: np.ndarray, size: int) -> list[np.ndarray]:
    return [places[first : first + size] for first in range(0, len(places), size)]
