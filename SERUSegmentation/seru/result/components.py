"""3D components of masks; voxels that share a corner belong together.

Slicer imports this room at its own start: SciPy is loaded with the first mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

# Smaller components are islands: 0.9 ml or less on KiTS19's labels, where the smallest kidney has 42.7 ml.
ISLAND_ML = 1.0
# The rows beside a row that come after it, as steps of planes and rows.
_LATER_ROWS = ((0, 1), (1, -1), (1, 0), (1, 1))
# Of so few each is looked at in less time than their runs are; and of so many runs, in noise, in less memory.
_FEW_VOXELS, _MOST_RUNS = 1 << 17, 1 << 20

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
    numbers = np.zeros(mask.shape, np.int32)
    numbers[mask] = voxel_numbers(mask)
    return numbers


def voxel_numbers(mask: np.ndarray) -> np.ndarray:
    """Number the components of a mask, voxel by voxel.

    Args:
        mask: bool, three axes.

    Returns:
        int32, of each voxel of the mask, in C order, the number that :func:`label_components` gives it.
    """
    from scipy import ndimage

    if mask.size > _FEW_VOXELS:
        begins, lengths = _runs_of(mask)
        if len(begins) <= _MOST_RUNS:
            return np.repeat(_number_runs(begins, lengths, mask.shape), lengths)
    return ndimage.label(mask, np.ones((3, 3, 3), bool))[0][mask]


def number_voxels(flat: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Number the components of a mask that is given by its voxels: fast where most of the array is empty.

    Args:
        flat: their flat indices, int64, ascending.
        shape: of the array, three axes.

    Returns:
        int32, of each voxel the number that :func:`label_components` gives it.
    """
    begins = np.flatnonzero((np.diff(flat, prepend=-2) != 1) | (flat % shape[2] == 0))
    lengths = np.diff(begins, append=len(flat))
    return np.repeat(_number_runs(flat[begins], lengths, shape), lengths)


def _runs_of(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs of a mask's voxels along the last axis: the flat index of the first voxel, and the length."""
    # An empty column more ends each line's last run; so beginnings and ends come in turn.
    width = mask.shape[2] + 1
    wider = np.zeros((*mask.shape[:2], width), bool)
    wider[..., :-1] = mask
    flat = wider.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat.size and flat[0]:
        changes = np.insert(changes, 0, 0)
    begins = changes[::2]
    return begins - begins // width, changes[1::2] - begins


def _number_runs(begins: np.ndarray, lengths: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The number of each run's component, int32; runs are given as :func:`_runs_of` does."""
    from scipy import sparse

    _, rows, columns = shape
    lines, places = np.divmod(begins, columns)
    # An empty row and column more, so that nothing touches round the border.
    planes, lines = np.divmod(lines, rows)
    width, height = columns + 1, rows + 1
    firsts = (planes * height + lines) * width + places
    lasts = firsts + lengths - 1
    steps = [(plane * height + row) * width for plane, row in _LATER_ROWS]
    ends = np.concatenate([_touching(firsts, lasts, step) for step in steps], axis=1)
    graph = sparse.coo_array((np.ones(ends.shape[1], bool), (ends[0], ends[1])), shape=(len(firsts),) * 2)
    _, numbers = sparse.csgraph.connected_components(graph, directed=False)
    # SciPy does not promise their order.
    order = np.argsort(np.unique(numbers, return_index=True)[1])
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks[numbers]


def _touching(firsts: np.ndarray, lasts: np.ndarray, step: int) -> np.ndarray:
    """Pairs of runs, shape (2, n), of which the second lies a step further and shares a side or a corner."""
    low = np.searchsorted(lasts, firsts + (step - 1))
    counts = np.searchsorted(firsts, lasts + (step + 1), "right") - low
    ends = np.cumsum(counts)
    seconds = np.arange(ends[-1] if len(ends) else 0) + np.repeat(low - ends + counts, counts)
    return np.stack([np.repeat(np.arange(len(firsts)), counts), seconds])


def remove_small(mask: np.ndarray, voxel_ml: float, minimum_ml: float = ISLAND_ML) -> np.ndarray:
    """Remove the small components of a mask.

    Args:
        mask: bool, three axes.
        voxel_ml: volume of a voxel in ml.
        minimum_ml: components below this go, in ml.

    Returns:
        bool, same shape; a new array.
    """
    kept = np.zeros_like(mask)
    box = bounding_box(mask)
    if box is not None:
        inside = mask[box]
        numbers = voxel_numbers(inside)
        most_voxels = max(math.ceil(minimum_ml / voxel_ml - 1e-9) - 1, 0)
        kept[box][inside] = (np.bincount(numbers) > most_voxels)[numbers]
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
