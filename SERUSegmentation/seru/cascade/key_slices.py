"""Key slices: on each side, the slice whose contour of kidney and tumor has the largest area.

Kidney and tumor together are one class. The centre of that contour is the centre of a crop that is the same on every
slice.

Source: SERU manuscript, key-slice section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from seru.findings import SIDE_CODES, SIDES, Side
from seru.result.components import bounding_box


@dataclass(frozen=True)
class KeyContour:
    """The contour that makes a slice the key slice of its side.

    Attributes:
        index: slice of the axial stack.
        centre_rc: centre of the contour, (row, column).
        area_px: area that the contour encloses, in pixels.
    """

    index: int
    centre_rc: tuple[float, float]
    area_px: float


def find_key_slices(sides: np.ndarray, lower: Sequence[int] = (0, 0, 0)) -> dict[Side, KeyContour | None]:
    """Find the key slice of each side.

    Args:
        sides: uint8, axial stack (slices, rows, columns): 1 where kidney or tumor of the patient's right is, 2 left.
        lower: first slice, row and column of a stack that is part of a larger one, which the contours are told in.

    Returns:
        For ``right`` and ``left`` the contour, or None where that side is empty. Of equal areas the lowest slice.
    """
    return {side: _find_key_slice(sides == SIDE_CODES[side], lower) for side in SIDES}


def largest_contour(mask: np.ndarray) -> tuple[float, tuple[float, float]] | None:
    """Return the area and the centre of a slice's largest contour.

    Args:
        mask: bool, shape (rows, columns).

    Returns:
        Area inside the polygon through the border pixels' centres, in pixels, and its centroid (row, column);
        None for an empty mask.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    areas = [cv2.contourArea(contour) for contour in contours]
    largest = int(np.argmax(areas))
    moments = cv2.moments(contours[largest])
    if moments["m00"] > 0:
        column, row = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    else:  # a point or a line encloses nothing
        column, row = contours[largest].reshape(-1, 2).mean(axis=0)
    return float(areas[largest]), (float(row), float(column))


def _find_key_slice(mask: np.ndarray, lower: Sequence[int]) -> KeyContour | None:
    extent = bounding_box(mask)
    if extent is None:
        return None
    best: KeyContour | None = None
    cropped = mask[extent]
    first, top, left = (part.start + low for part, low in zip(extent, lower, strict=True))
    for offset in range(len(cropped)):
        found = largest_contour(cropped[offset])
        if found is not None and (best is None or found[0] > best.area_px):
            area, (row, column) = found
            best = KeyContour(first + offset, (row + top, column + left), area)
    return best
