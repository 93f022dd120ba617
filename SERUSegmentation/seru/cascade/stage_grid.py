"""Between a slice's own pixels and those that the stages' networks see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.cascade.key_slices import CropBox
from seru.cascade.preprocessing import resize_image
from seru.model.store import ModelCard


def coarse_shape(shape_rc: Sequence[int], spacing_rc_mm: Sequence[float], card: ModelCard) -> tuple[int, int]:
    """Return the size at which the coarse stage sees a slice.

    Args:
        shape_rc: rows and columns of the slice.
        spacing_rc_mm: pixel size in mm.
        card: a fixed pixel size is applied first, then the longer side is resized to ``coarse_size``.

    Returns:
        Rows and columns, at least 1.
    """
    rows, columns = (size * zoom for size, zoom in zip(shape_rc, refine_zoom(spacing_rc_mm, card), strict=True))
    if card.coarse_size is not None:
        factor = card.coarse_size / max(rows, columns)
        rows, columns = rows * factor, columns * factor
    return max(1, round(rows)), max(1, round(columns))


def refine_zoom(spacing_rc_mm: Sequence[float], card: ModelCard) -> tuple[float, float]:
    """Return how many network pixels the refine stage has per image pixel.

    Args:
        spacing_rc_mm: pixel size along rows and columns in mm.
        card: with a fixed pixel size, or without one (then 1).

    Returns:
        Zoom along rows and columns.
    """
    if card.in_plane_spacing_mm is None:
        return 1.0, 1.0
    rows, columns = (spacing / card.in_plane_spacing_mm for spacing in spacing_rc_mm)
    return rows, columns


def is_foreground(probabilities: np.ndarray) -> np.ndarray:
    """Tell where kidney or tumor is the most probable class.

    Args:
        probabilities: uint8, shape (..., 2, rows, columns): kidney and tumor probability times 255.

    Returns:
        bool, shape (..., rows, columns).
    """
    kidney, tumor = probabilities[..., 0, :, :], probabilities[..., 1, :, :]
    return np.maximum(kidney, tumor) > 255 - (kidney + tumor)


def resize_probabilities(probabilities: np.ndarray, shape_rc: Sequence[int]) -> np.ndarray:
    """Resize kidney and tumor probabilities linearly.

    Args:
        probabilities: uint8, shape (2, rows, columns), sums at most 255.
        shape_rc: rows and columns wanted.

    Returns:
        uint8, shape (2, rows', columns'), sums at most 255.
    """
    if probabilities.shape[1:] == tuple(shape_rc):
        return probabilities
    kidney, tumor = (resize_image(channel, shape_rc) for channel in probabilities)
    return np.stack([np.minimum(kidney, 255 - tumor), tumor])


def paste_crop(target: np.ndarray, crop: np.ndarray, box: CropBox, overlap: CropBox | None = None) -> None:
    """Write a crop's probabilities into a slice, in place.

    Args:
        target: uint8, shape (2, rows, columns).
        crop: uint8, shape (2, H, W), as the network gave it.
        box: where it belongs.
        overlap: an earlier crop; where both overlap the average stands.
    """
    shape_rc = target.shape[1:]
    rows, columns = box.inside(shape_rc)
    crop = resize_probabilities(crop, box.size_rc)
    crop = crop[:, rows.start - box.origin_rc[0] :, columns.start - box.origin_rc[1] :]
    region = target[:, rows, columns]
    crop = crop[:, : region.shape[1], : region.shape[2]]
    if overlap is None:
        region[:] = crop
        return
    both = np.zeros(shape_rc, bool)
    both[overlap.inside(shape_rc)] = True
    # Rounding down keeps the sum of both classes at 255 or less.
    average = ((region.astype(np.uint16) + crop) // 2).astype(np.uint8)
    region[:] = np.where(both[rows, columns], average, crop)
