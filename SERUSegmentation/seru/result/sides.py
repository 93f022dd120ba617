"""The patient's right and left, decided by 3D component.

A component belongs to the side on which its centre lies, relative to the middle of the body. One that lies on both
sides and has a waist between (a horseshoe kidney, or two kidneys that touch) is divided at the waist; one without a
waist (a large tumor, a pelvic kidney) stays whole.

Source: our rule; the manuscript leaves the sides open.
"""

from __future__ import annotations

import numpy as np

from seru.findings import LEFT, RIGHT
from seru.result.components import ISLAND_ML, bounding_box, voxel_numbers
from seru.threads import in_threads

# Share of a component that must lie on each side before it is taken for two kidneys, and how thin its waist must be.
_CROSSING_SHARE = 0.1
_WAIST_SHARE = 0.5
# Below this a voxel is air or lung, above it body.
_BODY_HU = -200
_SLICES_LOOKED_AT = 48
_PIXELS_LOOKED_AT = 256


def find_midline(hu: np.ndarray) -> float:
    """Find the column of the body's middle.

    Args:
        hu: int16 or float32, axial stack (slices, rows, columns), Hounsfield units.

    Returns:
        Column, possibly between two pixels; the image's middle where there is no body.
    """
    import cv2

    slices, rows, columns = hu.shape
    step, shrink = max(1, slices // _SLICES_LOOKED_AT), max(1, max(rows, columns) // _PIXELS_LOOKED_AT)
    middles = np.full(len(range(0, slices, step)), np.nan)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))

    def find(number: int) -> None:
        seen = hu[number * step, ::shrink, ::shrink] > _BODY_HU
        # The opening takes the table and tubes off.
        times = max(1, min(seen.shape) // 64)
        body = cv2.morphologyEx(
            seen.view(np.uint8), cv2.MORPH_OPEN, cross, iterations=times, borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        if body.mean() > 0.05:
            # Half the body on each side: an arm or a table's edge moves it little.
            per_column = body.sum(axis=0).cumsum()
            middles[number] = float(np.searchsorted(per_column, per_column[-1] / 2)) * shrink

    in_threads(find, range(len(middles)))
    middles = middles[np.isfinite(middles)]
    return float(np.median(middles)) if middles.size else (columns - 1) / 2


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
    inside, width = mask[box], mask[box].shape[2]
    columns = np.broadcast_to(np.arange(width, dtype=np.int32), inside.shape)[inside]
    numbers = voxel_numbers(inside)
    order = np.argsort(numbers, kind="stable")
    borders = np.zeros(numbers.max() + 1)
    for number, of_component in enumerate(np.split(columns[order], np.cumsum(np.bincount(numbers)[1:-1])), 1):
        first = int(of_component.min())
        profile = np.bincount(of_component - first).astype(np.float64)
        borders[number] = first + _border_column(profile, midline - box[2].start - first, voxel_ml)
    sides[box][inside] = np.where(columns < borders[numbers], np.uint8(RIGHT), np.uint8(LEFT))
    return sides


def _border_column(profile: np.ndarray, midline: float, voxel_ml: float) -> float:
    """Column (of a component's own box) where the patient's left begins; outside it for a component of one side.

    Args:
        profile: voxels of the component in each of its columns.
        midline: column of the body's middle.
        voxel_ml: volume of a voxel in ml.
    """
    from scipy import ndimage

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
