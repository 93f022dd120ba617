"""3D components of masks; voxels that share a corner belong together.

Slicer imports this room at its own start: scikit-image is loaded with the first mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skimage.measure._regionprops import RegionProperties

# Smaller components are islands: 0.9 ml or less on KiTS19's labels, where the smallest kidney has 42.7 ml.
ISLAND_ML = 1.0
# The rows beside a row that come after it, as steps of planes and rows.
_LATER_ROWS = ((0, 1), (1, -1), (1, 0), (1, 1))
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
    plane = np.any(mask[first[0] : first[-1] + 1], axis=0)
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


def number_voxels(flat: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Number the components of a mask that is given by its voxels: fast where most of the array is empty.

    Args:
        flat: their flat indices, int64, ascending.
        shape: of the array, three axes.

    Returns:
        int64, of each voxel the number that :func:`label_components` gives it.
    """
    from scipy import sparse

    _, rows, columns = shape
    lines, places = np.divmod(flat, columns)
    begins = np.flatnonzero((np.diff(flat, prepend=-2) != 1) | (places == 0))
    lengths = np.diff(begins, append=len(flat))
    # Runs of voxels along the last axis; an empty row and column more, so that nothing touches round the border.
    planes, lines = np.divmod(lines[begins], rows)
    width, height = columns + 1, rows + 1
    firsts = (planes * height + lines) * width + places[begins]
    lasts = firsts + lengths - 1
    steps = [(plane * height + row) * width for plane, row in _LATER_ROWS]
    ends = np.concatenate([_touching(firsts, lasts, step) for step in steps], axis=1)
    graph = sparse.coo_array((np.ones(ends.shape[1], bool), (ends[0], ends[1])), shape=(len(firsts),) * 2)
    _, numbers = sparse.csgraph.connected_components(graph, directed=False)
    # SciPy does not promise their order.
    order = np.argsort(np.unique(numbers, return_index=True)[1])
    ranks = np.empty_like(order)
    ranks[order] = np.arange(1, len(order) + 1)
    return np.repeat(ranks[numbers], lengths)


def _touching(firsts: np.ndarray, lasts: np.ndarray, step: int) -> np.ndarray:
    """Pairs of runs, shape (2, n), of which the second lies a step further and shares a side or a corner."""
    low = np.searchsorted(lasts, firsts + (step - 1))
    counts = np.searchsorted(firsts, lasts + (step + 1), "right") - low
    ends = np.cumsum(counts)
    seconds = np.arange(ends[-1] if len(ends) else 0) + np.repeat(low - ends + counts, counts)
    return np.stack([np.repeat(np.arange(len(firsts)), counts), seconds])


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
