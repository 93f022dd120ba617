"""The straightforward way: both stages in float32, eager, every slice one by one, whole slices then both crops.

It shares the network, the pre-processing, the key slices and the fusion with the cascade, and nothing of its speed:
no scout, no batches, no folding, no narrow number format, no second thread.
"""

from __future__ import annotations

import numpy as np
import torch

from seru.cascade.key_slices import find_key_slices, paper_box, take_crop
from seru.cascade.preprocessing import normalise, preprocess_slice, resize_image
from seru.cascade.stage_grid import coarse_shape, is_foreground, paste_crop, refine_zoom, resize_probabilities
from seru.model.store import Model, ModelCard
from seru.model.weights import load_network
from seru.orientation import AxialStack
from seru.result.fusion import fuse
from seru.result.sides import SIDES, assign_sides, find_midline, remove_islands
from seru.volume import Volume


@torch.no_grad()
def segment_straightforward(volume: Volume, model: Model, alpha: float | None = None) -> np.ndarray:
    """Segment a CT the slow way.

    Args:
        volume: the CT.
        model: card and weights.
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

    mask = remove_islands(is_foreground(coarse), stack.grid.voxel_ml)
    found = find_key_slices(assign_sides(mask, find_midline(stack.hu), stack.grid.voxel_ml))
    refined, earlier = coarse.copy(), None
    network = load_network(model, "refine")
    for key_slice in (found[side] for side in SIDES):
        if key_slice is None:
            continue
        box = paper_box(key_slice.centre_rc, card.crop_size, refine_zoom(spacing_rc, card), shape_rc)
        for index, image in enumerate(images):
            crop = resize_image(take_crop(image, box.origin_rc, box.size_rc), box.network_rc)
            paste_crop(refined[index], _predict(network, crop, card), box, earlier)
        earlier = box

    flat = [np.moveaxis(stage, 1, -1).reshape(-1, 2) for stage in (coarse, refined)]
    labels = fuse(*flat, card.alpha if alpha is None else alpha).reshape(stack.hu.shape)
    return np.ascontiguousarray(stack.orientation.from_stack(labels))


def _predict(network: torch.nn.Module, image: np.ndarray, card: ModelCard) -> np.ndarray:
    batch = torch.from_numpy(normalise(np.repeat(image[np.newaxis, np.newaxis], 3, axis=1), card))
    foreground = (network(batch).softmax(dim=1)[0, 1:] * 255).round().numpy().astype(np.uint8)
    return np.stack([np.minimum(foreground[0], 255 - foreground[1]), foreground[1]])
