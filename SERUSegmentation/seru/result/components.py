"""3D components of masks; voxels that share a corner belong together.

Slicer imports this room at its own start: scikit-image is loaded with the first mask.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skimage.measure._regionprops import RegionProperties

# Smaller components are islands: 0.9 ml or less on KiTS19's labels, where the smallest kidney has 42.7 ml.
ISLAND_ML = 1.0
# scikit-image's name for "a shared corner is enough".
_CORNERS = 3

Box = tuple[slice, slice, slice]


def bounding_box(mask: np.ndarray) -> Box | None:
    """Return the smallest box that holds a mask.

    Args:
        mask: bool, three axes.

    Returns:
        One slice per axis, or None where the mask is empty.
    """
    first = np.flatnonzero(mask.any(axis=(1, 2)))
    if first.size == 0:
        return None
    plane = mask[first[0] : first[-1] + 1].any(axis=0)
    second, third = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    a, b, c = (slice(int(found[0]), int(found[-1]) + 1) for found in (first, second, third))
    return a, b, c


def label_components(mask: np.ndarray) -> np.ndarray:
    """Number the components of a mask.

    Args:
        mask: bool, three axes.

    Returns:
        int32 of the same shape: 0 outside the mask, then 1, 2, ... in the order of their first voxels.
    """
    from skimage import measure

    return measure.label(mask, connectivity=_CORNERS)


def regions_of(mask: np.ndarray) -> list[RegionProperties]:
    """Return the components of a mask with their measures.

    Args:
        mask: bool, three axes.

    Returns:
        scikit-image's region properties: ``slice`` (box), ``image`` (bool, the component in it), ``area`` (voxels).
    """
    from skimage import measure

    return measure.regionprops(label_components(mask))


def remove_small(mask: np.ndarray, voxel_ml: float, minimum_ml: float = ISLAND_ML) -> np.ndarray:
    """Remove the small components of a mask.

    Args:
        mask: bool, three axes.
        voxel_ml: volume of a voxel in ml.
        minimum_ml: components below this go, in ml.

    Returns:
        bool, same shape; a new array.
    """
    from skimage import morphology

    kept = np.zeros_like(mask)
    box = bounding_box(mask)
    if box is not None:
        most_voxels = max(math.ceil(minimum_ml / voxel_ml - 1e-9) - 1, 0)
        kept[box] = morphology.remove_small_objects(mask[box], max_size=most_voxels, connectivity=_CORNERS)
    return kept


def largest_component(mask: np.ndarray) -> np.ndarray:
    """Return the largest component of a mask.

    Args:
        mask: bool, three axes.

    Returns:
        bool, same shape; of equally large ones the first; the mask itself where it is empty or one piece.
    """
    components = label_components(mask)
    sizes = np.bincount(components.ravel())
    if sizes.size <= 2:
        return mask
    sizes[0] = 0
    return components == sizes.argmax()
