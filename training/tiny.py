"""A tiny SERU for both stages, trained on phantom slices in two minutes: for tests and demos, not for patients."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

from seru.cascade.key_slices import take_crop
from seru.cascade.preprocessing import normalise, preprocess_slice, resize_image
from seru.errors import BadInputError
from seru.model.architecture import Architecture
from seru.model.card import ModelCard
from seru.model.engines.torch_engine import fast_dtype
from seru.model.network import SERU
from seru.model.store import Model
from seru.model.weights import write_model_folder
from seru.phantom import PhantomOptions, kidney_range_mm, sample_slices

CARD = ModelCard(
    id="phantom-tiny",
    title="Demonstration network, trained on synthetic phantoms only",
    licence="Apache-2.0",
    training_data="Synthetic phantoms of this project; no patient.",
    architecture=Architecture(
        blocks=(1, 1, 1, 1), base_channels=16, cardinality=4, base_width=16, decoder_channels=(64, 32, 24, 16, 16)
    ),
    coarse_size=128,
    crop_size=128,
    in_plane_spacing_mm=1.5,
    notes=(
        "A demonstration network trained on synthetic phantoms in two minutes. It must not be used on patients.",
        "Research use only; not a medical device.",
    ),
)

# Phantoms made for tests and demonstrations have small seeds; training never sees them.
_FIRST_SEED = 1_000_000

Batches = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class TinyOptions:
    """How the tiny network is trained.

    Attributes:
        seed: of weights, phantoms and order.
        patients: number of phantoms.
        slices: slices of each, at least 3.
        coarse_steps: optimiser steps of the coarse stage.
        refine_steps: optimiser steps of the refine stage, which starts from the coarse weights.
        batch_size: slices or crops a step.
        learning_rate: the highest of the schedule.

    Raises:
        BadInputError: a number is too small.
    """

    seed: int = 0
    patients: int = 160
    slices: int = 7
    coarse_steps: int = 350
    refine_steps: int = 550
    batch_size: int = 12
    learning_rate: float = 5e-3

    def __post_init__(self) -> None:
        counts = (self.patients, self.slices - 2, self.coarse_steps, self.refine_steps, self.batch_size)
        if self.seed < 0 or min(counts) < 1:
            raise BadInputError("The tiny network's seed must be 0 or more, its slices 3 or more, the rest 1 or more.")


def train_tiny(folder: Path, options: TinyOptions | None = None) -> Model:
    """Train both stages on phantom slices and write a model folder.

    Args:
        folder: of the model; its name becomes the model's id.
        options: None takes the defaults.

    Returns:
        The model.
    """
    options = options or TinyOptions()
    start = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    images, truths, pixels_mm = _sample(options, rng)
    print(f"tiny: {len(images)} phantom slices, {time.perf_counter() - start:.0f} s", flush=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        network = SERU(CARD.architecture).to(memory_format=torch.channels_last)
        fit(network, CARD, _coarse_batches(images, truths, options), options.coarse_steps, options, "coarse", rng)
        coarse = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        batches = _refine_batches(images, truths, pixels_mm, options)
        fit(network, CARD, batches, options.refine_steps, options, "refine", rng)
    model = write_model_folder(folder, replace(CARD, id=folder.name), coarse, network.state_dict())
    print(f"tiny: wrote {folder}, {time.perf_counter() - start:.0f} s in all", flush=True)
    return model


def fit(
    network: SERU,
    card: ModelCard,
    batches: Batches,
    steps: int,
    options: TinyOptions,
    stage: str,
    rng: np.random.Generator,
) -> None:
    """Train a network on batches, in place, in one thread.

    Args:
        network: to be trained.
        card: with the mean and deviation of its input.
        batches: gives images and labels, uint8, shape (B, rows, columns), from a random generator.
        steps: optimiser steps.
        options: the learning rate.
        stage: name in the progress lines.
        rng: decides the batches.
    """
    optimiser = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.learning_rate, total_steps=steps, pct_start=0.2)
    is_fast, threads, start = fast_dtype("cpu") == torch.bfloat16, torch.get_num_threads(), time.perf_counter()
    # Layers this small gain nothing from a second thread, and lose much where another process has the core.
    torch.set_num_threads(1)
    network.train()
    for step in range(1, steps + 1):
        images, labels = batches(rng)
        inputs = torch.from_numpy(normalise(images[:, np.newaxis].repeat(3, axis=1), card))
        with torch.autocast("cpu", torch.bfloat16, enabled=is_fast):
            logits = network(inputs.contiguous(memory_format=torch.channels_last))
        loss = segmentation_loss(logits.float(), torch.from_numpy(labels.astype(np.int64)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            seconds = time.perf_counter() - start
            print(f"tiny: {stage} step {step}/{steps}, loss {loss.item():.3f}, {seconds:.0f} s", flush=True)
    torch.set_num_threads(threads)


def segmentation_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy plus the soft Dice loss of kidney and of tumor over the batch.

    Args:
        logits: shape (B, 3, H, W).
        labels: int64, shape (B, H, W).

    Returns:
        A scalar.
    """
    probabilities = logits.softmax(dim=1)[:, 1:]
    truth = functional.one_hot(labels, 3).movedim(-1, 1)[:, 1:].float()
    overlap = (probabilities * truth).sum((0, 2, 3))
    dice = (2 * overlap + 10) / (probabilities.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 10)
    return functional.cross_entropy(logits, labels) + (1 - dice).mean()


def flip_and_brighten(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror half of a batch and vary its contrast and brightness a little.

    Args:
        images: uint8, shape (B, rows, columns).
        labels: uint8, same shape.
        rng: decides.

    Returns:
        New images and labels of the same shape.
    """
    is_flipped = rng.random((len(images), 1, 1)) < 0.5
    images, labels = (np.where(is_flipped, part[:, :, ::-1], part) for part in (images, labels))
    gain, offset = rng.uniform(0.9, 1.1, is_flipped.shape), rng.uniform(-10, 10, is_flipped.shape)
    return np.clip(images * gain + offset, 0, 255).astype(np.uint8), labels


def _sample(options: TinyOptions, rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray], list[float]]:
    """Pre-processed slices of many phantoms on varied grids, with labels (uint8, (rows, columns)) and pixel sizes."""
    images, truths, pixels_mm = [], [], []
    for number in range(options.patients):
        seed = _FIRST_SEED + options.seed * options.patients + number
        tumor = ("both", "left", "both", "right", "both", "none")[number % 6]
        patient = PhantomOptions(tumor=tumor, noise_hu=float(rng.uniform(4, 25)))
        pixel_mm = float(rng.uniform(1.0, 2.4))
        size = round(float(rng.uniform(340, 420)) / pixel_mm)
        low, high = kidney_range_mm(seed, patient)
        heights = [*rng.uniform(low - 8, high + 8, options.slices - 2), *rng.uniform(-220, 220, 2)]
        hu, truth = sample_slices(seed, heights, (size, size), pixel_mm, patient, float(rng.uniform(1, 5)))
        images += [preprocess_slice(slice_hu, CARD) for slice_hu in hu]
        truths += list(truth)
        pixels_mm += [pixel_mm] * len(heights)
    return images, truths, pixels_mm


def _coarse_batches(images: list[np.ndarray], truths: list[np.ndarray], options: TinyOptions) -> Batches:
    shape = (CARD.coarse_size, CARD.coarse_size)
    small = np.stack([resize_image(image, shape) for image in images])
    labels = np.stack([_resize_labels(truth, shape) for truth in truths])

    def batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = rng.integers(len(small), size=options.batch_size)
        return flip_and_brighten(small[chosen], labels[chosen], rng)

    return batch


def _refine_batches(
    images: list[np.ndarray], truths: list[np.ndarray], pixels_mm: list[float], options: TinyOptions
) -> Batches:
    """Crops around a kidney, off its centre by as much as a key slice's centre may be."""
    resampled = []
    for image, truth, pixel_mm in zip(images, truths, pixels_mm, strict=True):
        if truth.any():
            shape = (round(len(image) * pixel_mm / CARD.in_plane_spacing_mm),) * 2
            resampled.append((resize_image(image, shape), _resize_labels(truth, shape)))

    def crop(pair: tuple[np.ndarray, np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
        places = np.argwhere(pair[1])
        origin = places[rng.integers(len(places))] - CARD.crop_size // 2 + rng.integers(-24, 25, 2)
        return [take_crop(part, origin.tolist(), (CARD.crop_size, CARD.crop_size)) for part in pair]

    def batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        crops = [crop(resampled[index], rng) for index in rng.integers(len(resampled), size=options.batch_size)]
        return flip_and_brighten(np.stack([c[0] for c in crops]), np.stack([c[1] for c in crops]), rng)

    return batch


def _resize_labels(labels: np.ndarray, shape_rc: tuple[int, int]) -> np.ndarray:
    return cv2.resize(labels, shape_rc[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
