"""Contact surface area of tumor and kidney: by the formula for a sphere, and measured on the tumor's surface.

Source: Leslie et al., "Renal tumor contact surface area: a novel parameter for predicting complexity and outcomes of
partial nephrectomy", BJU Int 116 (2015) 863-870, for the measure; Hsieh et al., "A mathematical method to calculate
tumor contact surface area", J Urol 196 (2016) 33-40, for the formula 2 * pi * r * d: the cap of a sphere of radius r
that lies d deep in the kidney.
"""

from __future__ import annotations

import numpy as np

from seru.result.components import bounding_box
from seru.result.nephrometry.anatomy import Anatomy
from seru.result.nephrometry.location import Case
from seru.result.nephrometry.outline import Outline
from seru.scores import Aspect, rounded

_NAME = "contact surface area"
_HOW = (
    "Measured: the part of the tumor's surface (marching cubes) that has kidney on its other side; by formula: "
    "2 pi r d, r being half the longest diameter and d how deep the tumor reaches into the kidney's convex hull, at "
    "most the diameter."
)
# How far a surface is smoothed, in voxels, before its triangles are counted: stairs of voxels are larger than a slope.
_SMOOTHING = 0.8
_SURFACE = 0.5


def contact_aspect(case: Case, outline: Outline) -> Aspect:
    """Compute the contact surface area.

    Args:
        case: of the side.
        outline: of its kidney.

    Returns:
        Both areas; the value is the measured one.
    """
    if reason := case.tumor_reason:
        return Aspect.unknown(_NAME, _HOW, reason)
    depth_mm = min(max(outline.depth_mm, 0.0), case.diameter_mm)
    contact_mm2, surface_mm2 = _areas_mm2(case.anatomy)
    return Aspect(
        _NAME,
        f"{contact_mm2 / 100:.1f} cm²",
        None,
        _HOW,
        numbers=rounded(
            measured_mm2=contact_mm2,
            tumor_surface_mm2=surface_mm2,
            formula_mm2=np.pi * case.diameter_mm * depth_mm,
            radius_mm=case.diameter_mm / 2,
            depth_mm=depth_mm,
        ),
    )


def _areas_mm2(anatomy: Anatomy) -> tuple[float, float]:
    """Areas of the tumor's surface: that in contact with kidney, and all of it."""
    from scipy import ndimage
    from skimage import measure

    box = bounding_box(anatomy.tumor)
    assert box is not None  # an anatomy has a tumor
    wide = tuple(slice(max(part.start - 3, 0), part.stop + 3) for part in box)
    tumor, kidney = (np.pad(mask[wide], 3) for mask in (anatomy.tumor, anatomy.kidney))
    smooth = ndimage.gaussian_filter(tumor.astype(np.float32), _SMOOTHING)
    if smooth.max() <= _SURFACE:  # a sheet one voxel thick is smoothed away
        smooth = tumor.astype(np.float32)
    corners, triangles, _, _ = measure.marching_cubes(smooth, _SURFACE)
    ends_mm = corners[triangles] * anatomy.spacing_mm
    normals = np.cross(ends_mm[:, 1] - ends_mm[:, 0], ends_mm[:, 2] - ends_mm[:, 0])
    areas = np.linalg.norm(normals, axis=1) / 2
    return float(areas[_is_contact(corners[triangles].mean(axis=1), smooth, tumor, kidney)].sum()), float(areas.sum())


def _is_contact(centres: np.ndarray, smooth: np.ndarray, tumor: np.ndarray, kidney: np.ndarray) -> np.ndarray:
    """Whether the first voxel beyond each triangle is kidney's."""
    from scipy import ndimage

    slopes = [ndimage.map_coordinates(part, centres.T, order=1) for part in np.gradient(smooth)]
    outward = -np.stack(slopes, axis=1)
    outward /= np.maximum(np.abs(outward).max(axis=1, keepdims=True), 1e-9)
    is_contact, is_open = np.zeros(len(centres), bool), np.ones(len(centres), bool)
    for step in (0.5, 1.0, 1.5):
        places = tuple(np.rint(centres + step * outward).astype(int).T)
        is_contact |= is_open & kidney[places]
        is_open &= tumor[places]
    return is_contact
