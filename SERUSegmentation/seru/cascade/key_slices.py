"""Key slices and crop boxes.

Kidney and tumor together are one class. On each side, the axial slice whose contour of that class has the largest area
is the key slice; the centre of that contour is the centre of a crop that is the same on every slice.

Source: SERU manuscript, key-slice section.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from seru.model.architecture import STRIDE
from seru.result.sides import SIDE_CODES, SIDES, Side, bounding_box

# A grown box leaves this many of the network's pixels around the mask, and its sides stay multiples of the stride.
_MARGIN = 16


@dataclass(frozen=True)
class KeySlice:
    """The key slice of one side.

    Attributes:
        side: of the patient.
        index: slice of the axial stack.
        centre_rc: centre of the contour, (row, column).
        area_px: area that the contour encloses, in pixels.
    """

    side: Side
    index: int
    centre_rc: tuple[float, float]
    area_px: float


@dataclass(frozen=True)
class CropBox:
    """The crop of one side, in pixels of the axial stack; the same on every slice.

    Attributes:
        origin_rc: first row and column; negative where the image is smaller than the crop.
        size_rc: rows and columns.
        network_rc: rows and columns that the refine stage sees (the crop is resampled to them).
        grown: whether it is larger than the model's crop.
    """

    origin_rc: tuple[int, int]
    size_rc: tuple[int, int]
    network_rc: tuple[int, int]
    grown: bool = False

    def inside(self, shape_rc: Sequence[int]) -> tuple[slice, slice]:
        """Return the rows and columns of the image that the box covers.

        Args:
            shape_rc: rows and columns of the image.

        Returns:
            Slices of rows and of columns.
        """
        rows, columns = (
            slice(max(origin, 0), min(origin + size, limit))
            for origin, size, limit in zip(self.origin_rc, self.size_rc, shape_rc, strict=True)
        )
        return rows, columns


def find_key_slices(sides: np.ndarray) -> dict[Side, KeySlice | None]:
    """Find the key slice of each side.

    Args:
        sides: uint8, axial stack (slices, rows, columns): 1 where kidney or tumor of the patient's right is, 2 left.

    Returns:
        For ``right`` and ``left`` the key slice, or None where that side is empty. Of equal areas the lowest slice.
    """
    return {side: _find_key_slice(sides == SIDE_CODES[side], side) for side in SIDES}


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


def crop_origin(centre_rc: Sequence[float], size_rc: Sequence[int], shape_rc: Sequence[int]) -> tuple[int, int]:
    """Return the first pixel of a crop around a centre, moved into the image where the image is large enough.

    Args:
        centre_rc: centre (row, column).
        size_rc: rows and columns of the crop.
        shape_rc: rows and columns of the image.

    Returns:
        First row and column; where the image is smaller than the crop it is centred in it (negative origin).
    """
    origin = []
    for centre, size, limit in zip(centre_rc, size_rc, shape_rc, strict=True):
        if limit <= size:
            origin.append(-((size - limit) // 2))
        else:
            origin.append(min(max(round(centre - (size - 1) / 2), 0), limit - size))
    return origin[0], origin[1]


def take_crop(image: np.ndarray, origin_rc: Sequence[int], size_rc: Sequence[int], fill: int = 0) -> np.ndarray:
    """Cut a crop out of a slice, filled where it reaches outside.

    Args:
        image: shape (rows, columns), any dtype.
        origin_rc: first row and column; may be negative.
        size_rc: rows and columns of the crop.
        fill: value outside the image.

    Returns:
        Array of the crop's size and the image's dtype; a view where the crop lies inside.
    """
    (row, column), (rows, columns) = origin_rc, size_rc
    inside = image[max(row, 0) : row + rows, max(column, 0) : column + columns]
    if inside.shape == (rows, columns):
        return inside
    crop = np.full((rows, columns), fill, image.dtype)
    top, left = max(-row, 0), max(-column, 0)
    crop[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return crop


def paper_box(centre_rc: Sequence[float], crop_size: int, zoom_rc: Sequence[float], shape_rc: Sequence[int]) -> CropBox:
    """Return the box of the paper: ``crop_size`` network pixels around the contour's centre.

    Args:
        centre_rc: centre of the key slice's contour, (row, column).
        crop_size: rows and columns that the refine stage sees.
        zoom_rc: network pixels per image pixel, along rows and columns (1 where slices are not resampled).
        shape_rc: rows and columns of the image.

    Returns:
        The box.
    """
    size = tuple(max(1, round(crop_size / zoom)) for zoom in zoom_rc)
    return CropBox(crop_origin(centre_rc, size, shape_rc), size, (crop_size, crop_size))


def grow_box(box: CropBox, mask: np.ndarray, zoom_rc: Sequence[float]) -> CropBox:
    """Grow a box until it holds a mask.

    Args:
        box: the paper's box.
        mask: bool, axial stack (slices, rows, columns).
        zoom_rc: network pixels per image pixel.

    Returns:
        The same box where it holds the mask already, else a larger one whose sides are multiples of 32 network pixels.
    """
    extent = bounding_box(mask)
    if extent is None:
        return box
    shape_rc = mask.shape[1:]
    origin, size, network = list(box.origin_rc), list(box.size_rc), list(box.network_rc)
    for axis, (place, zoom) in enumerate(zip(extent[1:], zoom_rc, strict=True)):
        if origin[axis] <= place.start and place.stop <= origin[axis] + size[axis]:
            continue
        margin = math.ceil(_MARGIN / zoom)
        wanted = place.stop - place.start + 2 * margin
        network[axis] = max(network[axis], STRIDE * math.ceil(wanted * zoom / STRIDE))
        size[axis] = max(size[axis], round(network[axis] / zoom))
        centre = (place.start + place.stop - 1) / 2
        origin[axis] = crop_origin((centre,) * 2, (size[axis],) * 2, (shape_rc[axis],) * 2)[0]
    grown = tuple(size) != box.size_rc or tuple(origin) != box.origin_rc
    return CropBox((origin[0], origin[1]), (size[0], size[1]), (network[0], network[1]), grown)


def _find_key_slice(mask: np.ndarray, side: Side) -> KeySlice | None:
    extent = bounding_box(mask)
    if extent is None:
        return None
    best: KeySlice | None = None
    cropped = mask[extent]
    for offset in range(len(cropped)):
        found = largest_contour(cropped[offset])
        if found is not None and (best is None or found[0] > best.area_px):
            area, (row, column) = found
            centre = (row + extent[1].start, column + extent[2].start)
            best = KeySlice(side, extent[0].start + offset, centre, area)
    return best
