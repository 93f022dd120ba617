"""Between a slice's own pixels and those that the stages' networks see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.cascade.preprocessing import resize_image
from seru.model.card import ModelCard


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
