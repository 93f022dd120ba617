"""Augmentation of slices and crops, by MONAI, from a seed for each slice."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms import (
    Compose,
    MapTransform,
    RandAdjustContrastd,
    RandAffined,
    RandFlipd,
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandShiftIntensityd,
)

from training.config import AugmentationConfig

_BOTH = ("image", "label")


class Augmentation:
    """Flips, moves and recolors an image and its labels.

    Source: SERU manuscript (random flip, random scaling); all else is our choice and off unless asked for.

    Args:
        config: chances and strengths; a chance of 0 leaves the step out.
    """

    def __init__(self, config: AugmentationConfig) -> None:
        steps: list[MapTransform] = []
        if config.flip > 0:
            steps.append(RandFlipd(_BOTH, prob=config.flip, spatial_axis=1))
        if config.geometry > 0:
            steps.append(_geometry(config))
        if config.contrast > 0:
            steps.append(RandAdjustContrastd("image", prob=config.contrast, gamma=config.gamma))
        if config.brightness > 0:
            steps.append(RandShiftIntensityd("image", offsets=config.brightness_offset, prob=config.brightness))
        if config.blur > 0:
            steps.append(RandGaussianSmoothd("image", prob=config.blur, sigma_x=(0.3, 1.0), sigma_y=(0.3, 1.0)))
        if config.noise > 0:
            steps.append(RandGaussianNoised("image", prob=config.noise, std=config.noise_deviation))
        self._steps = Compose(steps)

    def __call__(self, image: np.ndarray, label: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Augment one image.

        Args:
            image: uint8, shape (channels, rows, columns).
            label: uint8, shape (rows, columns).
            seed: the same seed does the same.

        Returns:
            Image, float32 on the 0..255 scale, and label, uint8; shapes as before.
        """
        self._steps.set_random_state(seed)
        data = {
            "image": torch.from_numpy(image.astype(np.float32)),
            "label": torch.from_numpy(label[np.newaxis].copy()),
        }
        data = self._steps(data)
        return np.clip(np.asarray(data["image"]), 0, 255), np.asarray(data["label"])[0].astype(np.uint8)


def _geometry(config: AugmentationConfig) -> RandAffined:
    # MONAI draws a scale s and samples at s times the distance: the image shrinks by s; it adds 1 to what is drawn.
    low, high = (1 / scale - 1 for scale in config.scale)
    angle = float(np.radians(config.rotate_degrees))
    return RandAffined(
        _BOTH,
        prob=config.geometry,
        rotate_range=angle or None,
        scale_range=[(high, low)],
        translate_range=(config.shift_px, config.shift_px) if config.shift_px > 0 else None,
        mode=("bilinear", "nearest"),
        padding_mode="zeros",
    )
