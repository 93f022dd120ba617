"""The patient's right and left, decided by 3D component.

A component belongs to the side on which its centre lies, relative to the middle of the body. One that lies on both
sides and has a waist between (a horseshoe kidney, or two kidneys that touch) is divided at the waist; one without a
waist (a large tumor, a pelvic kidney) stays whole.

Source: our rule; the manuscript leaves the sides open.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")
RIGHT, LEFT = 1, 2
SIDE_CODES: dict[Side, int] = {"right": RIGHT, "left": LEFT}

# Smaller components are islands: 0.9 ml or less on KiTS19's labels, where the smallest kidney has 42.7 ml.
ISLAND_ML = 1.0
# Share of a component that must lie on each side before it is taken for two kidneys, and how thin its waist must be.
_CROSSING_SHARE = 0.1
_WAIST_SHARE = 0.5
# Below this a voxel is air or lung, above it body.
_BODY_HU = -200


def find_midline(hu: np.ndarray, max_slices: int = 48) -> float:
    """Find the column of the body's middle.

    Args:
        hu: int16 or float32, axial stack (slices, rows, columns), Hounsfield units.
        max_slices: how many evenly spaced slices to look at.

    Returns:
        Column, possibly between two pixels; the image's middle where there is no body.
    """
    slices, rows, columns = hu.shape
    step, shrink = max(1, slices // max_slices), max(1, max(rows, columns) // 256)
    middles = []
    for index in range(0, slices, step):
        body = hu[index, ::shrink, ::shrink] > _BODY_HU
        # The opening takes the table and tubes off.
        body = ndimage.binary_opening(body, iterations=max(1, min(body.shape) // 64))
        if body.mean() > 0.05:
            # Half the body on each side: an arm or a table's edge moves it little.
            per_column = body.sum(axis=0).cumsum()
            middles.append(float(np.searchsorted(per_column, per_column[-1] / 2)) * shrink)
    return float(np.median(middles)) if middles else (columns - 1) / 2


def assign_sides(mask: np.ndarray, midline: float, voxel_ml: float) -> np.ndarray:
    """Give each voxel of a mask the patient's side.

    Args:
        mask: bool, axial stack (slices, rows, columns).
        midline: column of the body's middle.
        voxel_ml: volume of a voxel in ml.

    Returns:
        uint8, same shape: 0 outside the mask, 1 the patient's right, 2 the patient's left.
    """
    sides = np.zeros(mask.shape, np.uint8)
    box = bounding_box(mask)
    if box is None:
        return sides
    first_column = box[2].start
    components, _ = label_components(mask[box])
    for number, place in enumerate(ndimage.find_objects(components), start=1):
        if place is None:
            continue
        component = components[place] == number
        border = _border_column(component, midline - first_column - place[2].start, voxel_ml)
        columns = np.arange(component.shape[2])
        codes = np.where(columns < border, np.uint8(RIGHT), np.uint8(LEFT))
        target = sides[box][place]
        np.copyto(target, np.broadcast_to(codes, component.shape), where=component)
    return sides


def remove_islands(mask: np.ndarray, voxel_ml: float, minimum_ml: float = ISLAND_ML) -> np.ndarray:
    """Remove the small 3D components of a mask.

    Args:
        mask: bool, axial stack (slices, rows, columns).
        voxel_ml: volume of a voxel in ml.
        minimum_ml: components below this go, in ml.

    Returns:
        bool, same shape.
    """
    kept = np.zeros_like(mask)
    box = bounding_box(mask)
    if box is None:
        return kept
    components, _ = label_components(mask[box])
    sizes = np.bincount(components.ravel())
    keep = sizes * voxel_ml >= minimum_ml
    keep[0] = False
    kept[box] = keep[components]
    return kept


def label_components(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the 3D components of a mask; voxels that share a corner belong together.

    Args:
        mask: bool, three axes.

    Returns:
        int32 of the same shape, 0 outside the mask, and the number of components.
    """
    components, count = ndimage.label(mask, structure=np.ones((3, 3, 3), bool))
    return components, int(count)


def bounding_box(mask: np.ndarray) -> tuple[slice, slice, slice] | None:
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
    return tuple(slice(int(found[0]), int(found[-1]) + 1) for found in (first, second, third))


def _border_column(component: np.ndarray, midline: float, voxel_ml: float) -> float:
    """Column (of the component's own box) where the patient's left begins; outside it for a component of one side."""
    profile = component.sum(axis=(0, 1)).astype(np.float64)
    columns = np.arange(profile.size)
    total = profile.sum()
    on_right = profile[columns < midline].sum() / total
    if min(on_right, 1 - on_right) >= _CROSSING_SHARE and total * voxel_ml >= ISLAND_ML:
        waist = _waist(ndimage.uniform_filter1d(profile, max(1, profile.size // 40)), midline)
        if waist is not None:
            return waist
    centre = float((profile * columns).sum() / total)
    return np.inf if centre < midline else -np.inf


def _waist(profile: np.ndarray, midline: float) -> float | None:
    split = int(np.clip(round(midline), 1, profile.size - 1))
    right_peak, left_peak = int(profile[:split].argmax()), split + int(profile[split:].argmax())
    between = profile[right_peak : left_peak + 1]
    waist = right_peak + int(between.argmin())
    is_thin = profile[waist] < _WAIST_SHARE * min(profile[right_peak], profile[left_peak])
    return float(waist) if is_thin else None
