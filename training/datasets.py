"""Prepared slices as what each stage's network sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from seru.cascade.crops import paper_region, take_crop
from seru.cascade.preprocessing import resize_image
from seru.cascade.stage_grid import coarse_shape, refine_zoom
from seru.findings import SIDES
from seru.model.card import ModelCard
from training.appearance import Appearance
from training.augmentation import Augmentation
from training.config import AugmentationConfig
from training.crops import CaseCrops
from training.prepare import PreparedCase, PreparedData, equalised
from training.sampling import Draw, Pool
from training.tumor_paste import TumorPaste

# Streams of their own, so that crops and flips stay as they are.
_PASTE, _APPEARANCE = 1, 2


@dataclass(frozen=True)
class View:
    """How slices are looked at.

    Attributes:
        card: sizes and input slices.
        augmentation: for draws that have a seed.
        jitter_px: how far a crop's centre may be moved, in network pixels.
        crops: crops of each case; None for the coarse stage, which sees whole slices.
        shrink: what height and width are divided by.
        donors: cases and slices whose tumors may be pasted elsewhere.
    """

    card: ModelCard
    augmentation: AugmentationConfig
    jitter_px: int = 0
    crops: dict[str, CaseCrops] | None = None
    shrink: int = 1
    donors: tuple[tuple[str, int], ...] = ()


class SliceDataset(Dataset):
    """Slices or crops by draw; the same whatever the cases come from.

    Args:
        data: prepared cases.
        view: how to look at them.
    """

    def __init__(self, data: PreparedData, view: View) -> None:
        self._data, self._view = data, view
        self._augment = Augmentation(view.augmentation)
        self._paste = TumorPaste(view.augmentation.tumor_paste_scale)
        self._appearance = Appearance(view.augmentation, view.card.window)

    def __getitem__(self, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
        """Return a slice or crop.

        Args:
            draw: which one.

        Returns:
            The image, float32 on the 0..255 scale, shape (channels, rows, columns) with one channel, or three of
            neighbouring slices; and the label, uint8, shape (rows, columns), partial (:mod:`training.partial`).
        """
        case = self._data.cases[draw.case]
        image, label = self._slice(case.id, draw.index)
        if draw.seed is not None:
            image, label = self._with_tumor(image, label, draw.case, draw.seed)
            image, label = self._appearance(image, label, np.random.default_rng([draw.seed, _APPEARANCE]))
        image = equalised(image, self._view.card)
        if draw.side is None:
            image, label = self._whole(image, label, case)
        else:
            image, label = self._crop(image, label, case, self._centre(case, draw.side, draw.seed))
        if draw.seed is None:
            return image.astype(np.float32), label
        return self._augment(image, label, draw.seed)

    def _slice(self, case: str, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self._data.channels(case, index, self._view.card), np.asarray(self._data.labels(case)[index])

    def _with_tumor(self, image: np.ndarray, label: np.ndarray, own: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        donors = self._view.donors
        rng = np.random.default_rng([seed, _PASTE])
        if not donors or rng.random() >= self._view.augmentation.tumor_paste:
            return image, label
        case, index = donors[rng.integers(len(donors))]
        if case == own:
            return image, label
        return self._paste(image, label, *self._slice(case, index), rng)

    def _whole(self, image: np.ndarray, label: np.ndarray, case: PreparedCase) -> tuple[np.ndarray, np.ndarray]:
        shape = coarse_shape(case.shape[1:], case.spacing_mm[1:], self._view.card)
        return self._shown(image, label, shape)

    def _centre(self, case: PreparedCase, side: str, seed: int | None) -> tuple[float, float]:
        crop = None if self._view.crops is None else self._view.crops[case.id].sides[side]
        if crop is None:
            raise KeyError(f"{case.id} has no crop on the {side}")
        if seed is None:
            return crop.centre_rc
        reach, zoom = self._view.jitter_px, refine_zoom(case.spacing_mm[1:], self._view.card)
        row, column = crop.centre_rc + np.random.default_rng(seed).integers(-reach, reach + 1, 2) / zoom
        return float(row), float(column)

    def _crop(
        self, image: np.ndarray, label: np.ndarray, case: PreparedCase, centre_rc: tuple[float, float]
    ) -> tuple[np.ndarray, np.ndarray]:
        zoom = refine_zoom(case.spacing_mm[1:], self._view.card)
        region = paper_region(centre_rc, self._view.card.crop_size, zoom, case.shape[1:])
        image = np.stack([take_crop(channel, region.origin_rc, region.size_rc) for channel in image])
        return self._shown(image, take_crop(label, region.origin_rc, region.size_rc), region.network_rc)

    def _shown(self, image: np.ndarray, label: np.ndarray, shape_rc: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        return _resized(image, label, [max(1, size // self._view.shrink) for size in shape_rc])


def collate(samples: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, torch.Tensor]:
    """Stack samples to a batch; smaller images are filled with 0, which is background.

    Args:
        samples: images and labels.

    Returns:
        ``image``, float32, (B, channels, H, W) on the 0..255 scale, and ``label``, uint8, (B, H, W).
    """
    height = max(label.shape[0] for _, label in samples)
    width = max(label.shape[1] for _, label in samples)
    images = np.zeros((len(samples), len(samples[0][0]), height, width), np.float32)
    labels = np.zeros((len(samples), height, width), np.uint8)
    for number, (image, label) in enumerate(samples):
        rows, columns = label.shape
        images[number, :, :rows, :columns], labels[number, :rows, :columns] = image, label
    return {"image": torch.from_numpy(images), "label": torch.from_numpy(labels)}


def make_pools(cases: Iterable[PreparedCase], crops: dict[str, CaseCrops] | None) -> list[Pool]:
    """List what can be drawn from each case.

    Args:
        cases: prepared cases.
        crops: crops of each case; None draws whole slices.

    Returns:
        One pool a case, in the order given.
    """
    pools = []
    for case in cases:
        places: list[tuple[str | None, range]] = [(None, range(case.shape[0]))]
        if crops is not None:
            sides = crops[case.id].sides
            places = [(side, range(*crop.slices)) for side in SIDES if (crop := sides[side]) is not None]
        every = tuple((index, side) for side, slices in places for index in slices)
        kidney, tumor = set(case.kidney_slices), set(case.tumor_slices)
        pools.append(
            Pool(
                case.id,
                every,
                tuple(item for item in every if item[0] in kidney),
                tuple(item for item in every if item[0] in tumor),
                case.is_extra,
                case.dataset,
            )
        )
    return pools


def tumor_donors(pools: Iterable[Pool]) -> tuple[tuple[str, int], ...]:
    """Return the cases and slices that show tumor, in order, without those that are phantoms."""
    slices = {(pool.case, index) for pool in pools if not pool.is_extra for index, _side in pool.tumor}
    return tuple(sorted(slices))


def validation_draws(pools: Iterable[Pool], per_case: int) -> list[Draw]:
    """Choose evenly spaced slices of each case, half of them among those that show kidney or tumor.

    Args:
        pools: of the validation cases.
        per_case: how many at most.

    Returns:
        Draws without augmentation, no slice twice.
    """
    draws: dict[Draw, Any] = {}
    for pool in pools:
        for items in (pool.kidney, pool.every):
            count = min(max(1, per_case // 2), len(items))
            chosen = np.linspace(0, len(items) - 1, count).round().astype(int)
            draws.update({Draw(pool.case, *items[index]): None for index in chosen})
    return list(draws)


def without_augmentation(view: View) -> View:
    """Return the same view for validation."""
    return replace(view, augmentation=AugmentationConfig(flip=0, geometry=0), jitter_px=0)


def _resized(image: np.ndarray, label: np.ndarray, shape_rc: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    if label.shape == tuple(shape_rc):
        return image, label
    rows, columns = shape_rc
    label = cv2.resize(np.ascontiguousarray(label), (columns, rows), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.stack([resize_image(np.ascontiguousarray(channel), shape_rc) for channel in image]), label
