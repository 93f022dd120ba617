"""The straightforward way: both stages in float32, eager, every slice one by one, whole slices then both crops.

It shares the network, the pre-processing, the patient's sides, the key slices and the fusion's formula with the
cascade, and nothing else: no sparse pass, no batches, no folding, no narrow number format, no second thread, and crops
cut and averaged in its own words. So it is what the cascade's ``--paper`` is measured against, and its oracle in the
tests.
"""

from __future__ import annotations

import numpy as np
import torch

from seru.cascade.key_slices import find_key_slices
from seru.cascade.preprocessing import normalise, preprocess_slice, resize_image
from seru.cascade.stage_grid import coarse_shape, refine_zoom, resize_probabilities
from seru.model.card import ModelCard
from seru.model.store import Model
from seru.model.weights import load_network
from seru.orientation import AxialStack
from seru.result.components import remove_small
from seru.result.fusion import fuse_probabilities, is_foreground
from seru.result.sides import assign_sides, find_midline
from seru.volume import Volume


@torch.no_grad()
def segment_straightforward(volume: Volume, model: Model, alpha: float | None = None) -> np.ndarray:
    """Segment a CT the slow way.

    Args:
        volume: the CT.
        model: card and weights; one input slice.
        alpha: weight of the coarse stage; None takes the model's.

    Returns:
        Labels, uint8, shape (K, J, I).
    """
    card, stack = model.card, AxialStack.of(volume)
    shape_rc, spacing_rc = stack.hu.shape[1:], stack.spacing_mm[1:]
    images = [preprocess_slice(hu, card) for hu in stack.hu]

    network = load_network(model, "coarse")
    small = coarse_shape(shape_rc, spacing_rc, card)
    coarse = np.stack([resize_probabilities(_predict(network, resize_image(i, small), card), shape_rc) for i in images])

    mask = remove_small(is_foreground(coarse), stack.grid.voxel_ml)
    found = find_key_slices(assign_sides(mask, find_midline(stack.hu), stack.grid.voxel_ml))
    size = tuple(round(card.crop_size / zoom) for zoom in refine_zoom(spacing_rc, card))
    network = load_network(model, "refine")
    # Sum and number of the crops on each pixel: their average stands, rounded down; where there is none, coarse does.
    total, count = np.zeros(coarse.shape, np.uint16), np.zeros(stack.hu.shape, np.uint16)
    for key_slice in filter(None, (found["right"], found["left"])):
        rows, columns = (_place(c, s, n) for c, s, n in zip(key_slice.centre_rc, size, shape_rc, strict=True))
        for index, image in enumerate(images):
            crop = resize_image(np.pad(image, size)[rows, columns], (card.crop_size, card.crop_size))
            padded = np.zeros((2, *(n + 2 * s for n, s in zip(shape_rc, size, strict=True))), np.uint16)
            padded[:, rows, columns] = resize_probabilities(_predict(network, crop, card), size)
            total[index] += padded[:, size[0] : -size[0], size[1] : -size[1]]
            inside = np.zeros(padded.shape[1:], np.uint16)
            inside[rows, columns] = 1
            count[index] += inside[size[0] : -size[0], size[1] : -size[1]]
    refined = np.where(count[:, None] > 0, total // np.maximum(count[:, None], 1), coarse).astype(np.uint8)

    flat = [np.moveaxis(stage, 1, -1).reshape(-1, 2) for stage in (coarse, refined)]
    labels = fuse_probabilities(*flat, card.alpha if alpha is None else alpha).reshape(stack.hu.shape)
    return np.ascontiguousarray(stack.orientation.from_stack(labels))


def _place(centre: float, size: int, limit: int) -> slice:
    """Where a crop lies along an axis of an image that is padded by the crop's size on both ends."""
    first = (limit - size + 1) // 2 if limit <= size else min(max(round(centre - (size - 1) / 2), 0), limit - size)
    return slice(first + size, first + 2 * size)


def _predict(network: torch.nn.Module, image: np.ndarray, card: ModelCard) -> np.ndarray:
    batch = torch.from_numpy(normalise(np.repeat(image[np.newaxis, np.newaxis], 3, axis=1), card))
    foreground = (network(batch).softmax(dim=1)[0, 1:] * 255).round().numpy().astype(np.uint8)
    return np.stack([np.minimum(foreground[0], 255 - foreground[1]), foreground[1]])
