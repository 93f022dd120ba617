"""How the same slice looks in another window, without contrast medium, or out of another scanner or file."""

from __future__ import annotations

import cv2
import numpy as np

from seru.findings import TUMOR
from training.config import AugmentationConfig
from training.partial import KIDNEY_OR_TUMOR, shows_kidney

# HU that no contrast medium brightens much: muscle. What is as bright as this much above it is bone.
_MUSCLE_HU = 55.0
_BONE_HU = 260.0
_LEFT_OF_CONTRAST = (0.0, 0.6)
# Kidneys are darker than muscle then; what a tumor's difference from kidney keeps at most, and below what it is unseen.
_KIDNEY_HU = (22.0, 45.0)
_LEFT_OF_DIFFERENCE = 0.5
_UNSEEN_BELOW = 0.3
_TEXTURE_PX = 2.5
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

    def __call__(self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Change a slice.

        Args:
            image: uint8, shape (channels, rows, columns).
            label: uint8, shape (rows, columns), partial (:mod:`training.partial`).
            rng: decides what and how much.

        Returns:
            Image and label, the given ones where nothing was drawn. A tumor that nobody would see any more without
            contrast medium may be kidney or tumor.
        """
        config = self._config
        is_unenhanced = rng.random() < config.unenhanced
        if is_unenhanced:
            image, label = self._with_plain_kidneys(image, label, rng)
        curve = self._curve(is_unenhanced, rng)
        if curve is not None:
            image = cv2.LUT(np.ascontiguousarray(image), curve)
        if rng.random() < config.resolution:
            factor = rng.uniform(*config.resolution_scale)
            image = np.stack([_coarser(channel, factor) for channel in image])
        if rng.random() < config.jpeg:
            low, high = config.jpeg_quality
            quality = int(rng.integers(low, high + 1))
            image = np.stack([_compressed(channel, quality) for channel in image])
        return image, label

    def _with_plain_kidneys(
        self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Bring kidneys down to what they have without contrast medium, and tumors near to them; their noise stays."""
        kidney = shows_kidney(label)
        # Where a teacher was unsure of the rim it would stay as a bright ring.
        if not kidney.any() or (label > KIDNEY_OR_TUMOR).any():
            return image, label
        low, high = self._window
        level = (rng.uniform(*_KIDNEY_HU) - low) * 255 / (high - low)
        left = rng.uniform(0, _LEFT_OF_DIFFERENCE)
        inside = kidney.astype(np.float32)
        weight = cv2.GaussianBlur(inside, (0, 0), _TEXTURE_PX)
        share = cv2.GaussianBlur(inside, (0, 0), 0.7)
        normal = kidney & (label != TUMOR)
        changed = np.empty_like(image)
        for number, channel in enumerate(image.astype(np.float32)):
            smooth = cv2.GaussianBlur(channel * inside, (0, 0), _TEXTURE_PX) / np.maximum(weight, 1e-3)
            typical = np.median(channel[normal if normal.any() else kidney])
            plain = channel - smooth + level + left * (smooth - typical)
            changed[number] = np.clip(np.rint(channel + share * (plain - channel)), 0, 255)
        if left < _UNSEEN_BELOW:
            label = np.where(label == TUMOR, np.uint8(KIDNEY_OR_TUMOR), label)
        return changed, label

    def _curve(self, is_unenhanced: bool, rng: np.random.Generator) -> np.ndarray | None:
        """Return the grey value of each grey value, uint8, or None for no change."""
        config, (low, high) = self._config, self._window
        hu = self._hu
        if is_unenhanced:
            left = rng.uniform(*_LEFT_OF_CONTRAST)
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
