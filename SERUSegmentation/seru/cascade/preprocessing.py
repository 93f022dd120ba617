"""Window, CLAHE and normalisation: the one place, for inference and for training; and a scan prepared for the stages.

Source: SERU manuscript, pre-processing section; the clip limit and grid are the model card's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from seru.hounsfield import window_to_uint8
from seru.model.card import ModelCard
from seru.orientation import AxialStack, Window
from seru.result.sides import find_midline


@dataclass(frozen=True)
class Prepared:
    """A scan as both stages see it.

    Attributes:
        channels: gives a slice of the stack, pre-processed: uint8, shape (1 or 3, rows, columns); called from threads.
        shape: slices, rows and columns of the stack.
        spacing_mm: distance of slices, rows and columns.
        midline: column of the body's middle.
        windows: rows and columns of each slice that are an image, all of one size; None where all of it is. The others
            are what a tilted gantry left free.
    """

    channels: Callable[[int], np.ndarray]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    midline: float
    windows: tuple[Window, ...] | None = None

    def window(self, index: int) -> Window:
        """Return rows and columns of a slice that are an image."""
        if self.windows is not None:
            return self.windows[index]
        return slice(0, self.shape[1]), slice(0, self.shape[2])

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def pixel_mm2(self) -> float:
        """Area of one pixel of a slice in mm2."""
        return self.spacing_mm[1] * self.spacing_mm[2]


def prepare(stack: AxialStack, card: ModelCard) -> Prepared:
    """Prepare a scan; slices are pre-processed once, when they are asked for.

    Args:
        stack: the CT.
        card: window, CLAHE and number of input slices.

    Returns:
        The prepared scan.
    """
    windows = None if stack.tilt is None else tuple(stack.window(index) for index in range(len(stack.hu)))
    channels = _SliceImages(stack, card).channels
    return Prepared(channels, stack.hu.shape, stack.spacing_mm, find_midline(stack.hu), windows)


class _SliceImages:
    """The 8-bit slices of a stack, made when they are first asked for."""

    def __init__(self, stack: AxialStack, card: ModelCard) -> None:
        self._stack, self._card, hu = stack, card, stack.hu
        # Pages of this array cost memory only once written: slices that nobody asks for never are.
        self._images = np.zeros(hu.shape, np.uint8)
        self._is_made = np.zeros(len(hu), bool)

    def channels(self, index: int) -> np.ndarray:
        """See :attr:`Prepared.channels`."""
        if self._card.input_slices == 1:
            return self._image(index)[np.newaxis]
        return np.stack([self._image(near) for near in neighbours(index, len(self._images))])

    def _image(self, index: int) -> np.ndarray:
        # Two threads may make the same slice at once; they write the same.
        if not self._is_made[index]:
            # What lies beside an image has no part in its histogram.
            window = self._stack.window(index)
            self._images[index][window] = preprocess_slice(self._stack.hu[index][window], self._card)
            self._is_made[index] = True
        return self._images[index]


def apply_clahe(image: np.ndarray, clip_limit: float, grid: Sequence[int]) -> np.ndarray:
    """Equalise a slice's histogram locally, with limited contrast (CLAHE).

    Args:
        image: uint8, shape (rows, columns).
        clip_limit: OpenCV's clip limit; 0 or less leaves the image as it is.
        grid: number of tiles along rows and columns.

    Returns:
        uint8, same shape.
    """
    if clip_limit <= 0:
        return image
    tile_rows, tile_columns = (min(int(n), size) for n, size in zip(grid, image.shape, strict=True))
    # OpenCV takes the grid as (columns, rows). A CLAHE object is not safe to share between threads.
    return cv2.createCLAHE(float(clip_limit), (tile_columns, tile_rows)).apply(np.ascontiguousarray(image))


def preprocess_slice(hu: np.ndarray, card: ModelCard) -> np.ndarray:
    """Turn an axial slice into the 8-bit image that both stages see.

    Args:
        hu: int16 or float32, shape (rows, columns), Hounsfield units, in the axial stack's orientation.
        card: the model's card, with its window and CLAHE parameters.

    Returns:
        uint8, shape (rows, columns).
    """
    return apply_clahe(window_to_uint8(hu, card.window), card.clahe_clip_limit, card.clahe_grid)


def resize_image(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Resize an image or a map of probabilities; by area where it shrinks, linearly where it grows.

    Args:
        image: uint8 or float32, shape (rows, columns) or (rows, columns, channels).
        shape: rows and columns wanted.

    Returns:
        Same dtype, shape (rows', columns') with the same channels.
    """
    rows, columns = int(shape[0]), int(shape[1])
    if image.shape[:2] == (rows, columns):
        return image
    shrinks = rows * columns < image.shape[0] * image.shape[1]
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def normalise(images: np.ndarray, card: ModelCard) -> np.ndarray:
    """Scale 8-bit images to 0..1 and normalise each channel with the model's mean and deviation.

    Args:
        images: uint8, shape (B, 3, rows, columns).
        card: the model's card.

    Returns:
        float32, same shape.
    """
    mean = np.asarray(card.mean, np.float32).reshape(1, 3, 1, 1)
    std = np.asarray(card.std, np.float32).reshape(1, 3, 1, 1)
    return (images.astype(np.float32) / 255.0 - mean) / std


def network_channels(stack: np.ndarray, index: int, input_slices: int) -> np.ndarray:
    """Return the three input channels of one slice.

    Args:
        stack: uint8, shape (slices, rows, columns), pre-processed.
        index: the slice.
        input_slices: 1 repeats the slice; 3 takes the slices below, at and above it (repeated at the ends).

    Returns:
        uint8, shape (3, rows, columns).
    """
    return stack[list(neighbours(index, len(stack)) if input_slices == 3 else (index,) * 3)]


def neighbours(index: int, slices: int) -> tuple[int, int, int]:
    """Return the slices below, at and above a slice.

    Args:
        index: the slice.
        slices: number of slices in the stack.

    Returns:
        Three indices; at the ends of the stack the slice itself stands for the missing one.
    """
    return max(index - 1, 0), index, min(index + 1, slices - 1)
