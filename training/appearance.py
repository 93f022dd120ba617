"""How the same slice looks in another window, without contrast medium, or out of another scanner or file."""

from __future__ import annotations

import cv2
import numpy as np

from training.config import AugmentationConfig

# HU that no contrast medium brightens much: muscle. What is as bright as this much above it is bone.
_MUSCLE_HU = 55.0
_BONE_HU = 260.0
_LEAST_LEFT_OF_CONTRAST = (0.0, 0.6)
_CRUSH_UP_TO_HU = 10.0


class Appearance:
    """Changes of a windowed 8-bit slice, before CLAHE sees it.

    Source: our choice. Images of other sources have other windows (0 to 255 HU makes fat as black as air), other
    phases, and were compressed or resized.

    Args:
        config: chances and strengths.
        window: HU of grey 0 and 255.
    """

    def __init__(self, config: AugmentationConfig, window: tuple[float, float]) -> None:
        self._config, self._window = config, window
        low, high = window
        self._hu = np.linspace(low, high, 256)

    def __call__(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change a slice.

        Args:
            image: uint8, shape (channels, rows, columns).
            rng: decides what and how much.

        Returns:
            uint8, same shape; the image itself where nothing was drawn.
        """
        config = self._config
        curve = self._curve(rng)
        if curve is not None:
            image = cv2.LUT(np.ascontiguousarray(image), curve)
        if rng.random() < config.resolution:
            factor = rng.uniform(*config.resolution_scale)
            image = np.stack([_coarser(channel, factor) for channel in image])
        if rng.random() < config.jpeg:
            low, high = config.jpeg_quality
            quality = int(rng.integers(low, high + 1))
            image = np.stack([_compressed(channel, quality) for channel in image])
        return image

    def _curve(self, rng: np.random.Generator) -> np.ndarray | None:
        """Return the grey value of each grey value, uint8, or None for no change."""
        config, (low, high) = self._config, self._window
        hu = self._hu
        if rng.random() < config.unenhanced:
            left = rng.uniform(*_LEAST_LEFT_OF_CONTRAST)
            dimmed = _MUSCLE_HU + left * (_BONE_HU - _MUSCLE_HU)
            hu = np.interp(hu, [low, _MUSCLE_HU, _BONE_HU - 1, high], [low, _MUSCLE_HU, dimmed, high])
        if rng.random() < config.window:
            middle = (low + high) / 2
            shift = rng.uniform(-config.window_shift_hu, config.window_shift_hu)
            hu = middle + (hu - middle) * rng.uniform(*config.window_stretch) + shift
        if rng.random() < config.crush:
            hu = np.where(hu < rng.uniform(low, _CRUSH_UP_TO_HU), low, hu)
        if hu is self._hu:
            return None
        return np.clip(np.rint((hu - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def _coarser(image: np.ndarray, factor: float) -> np.ndarray:
    rows, columns = image.shape
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    _, coded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
