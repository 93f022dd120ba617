"""Between a slice's own pixels and those that the stages' networks see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.cascade.preprocessing import resize_image
from seru.errors import BadInputError
from seru.model.card import ModelCard

# At a fixed pixel size a slice may grow or shrink that much, and its longer side may have so many pixels: a body fits
# into half of it at the finest size there is.
_MOST_ZOOM, _LONGEST_SIDE = 16, 4096


def coarse_shape(shape_rc: Sequence[int], spacing_rc_mm: Sequence[float], card: ModelCard) -> tuple[int, int]:
    """Return the size at which the coarse stage sees a slice.

    Args:
        shape_rc: rows and columns of the slice.
        spacing_rc_mm: pixel size in mm.
        card: a fixed pixel size is applied first, then the longer side is resized to ``coarse_size``.

    Returns:
        Rows and columns, at least 1.

    Raises:
        BadInputError: the image's pixels are of another world than the model's.
    """
    rows, columns = (size * zoom for size, zoom in zip(shape_rc, refine_zoom(spacing_rc_mm, card), strict=True))
    if max(rows, columns) > _LONGEST_SIDE:
        raise BadInputError(
            f"A slice would have {rows:.0f} x {columns:.0f} pixels for this model, more than {_LONGEST_SIDE} a side; "
            "check the voxel size of the image, or resample it."
        )
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

    Raises:
        BadInputError: the image's pixels are of another world than the model's.
    """
    if card.in_plane_spacing_mm is None:
        return 1.0, 1.0
    rows, columns = (spacing / card.in_plane_spacing_mm for spacing in spacing_rc_mm)
    if not all(1 / _MOST_ZOOM <= zoom <= _MOST_ZOOM for zoom in (rows, columns)):
        sizes = " x ".join(f"{spacing:g}" for spacing in spacing_rc_mm)
        raise BadInputError(
            f"The pixels of a slice are {sizes} mm, this model works at {card.in_plane_spacing_mm:g} mm; "
            "check the voxel size of the image."
        )
    return rows, columns


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
