"""A full-size SERU that segments phantoms: the benchmark's network until trained weights are bundled.

The paper's configuration (whole 512x512 slices, 256x256 crops, both at the scan's own pixels) and SE-ResNeXt50 32x4d,
trained for a quarter of an hour on crops of phantom slices, with the same weights for both stages. It says nothing
about patients.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from seru.key_slices import take_crop
from seru.model_card import ModelCard
from seru.network import SERU
from seru.phantom import PhantomOptions, kidney_range_mm, sample_slices
from seru.preprocessing import preprocess_slice
from seru.weights import write_model_folder
from training.tiny import TinyOptions, fit, flip_and_brighten

CARD = ModelCard(
    id="phantom-full-size",
    title="Full-size benchmark network, trained on synthetic phantoms only",
    licence="Apache-2.0",
    training_data="Synthetic phantoms of this project; no patient.",
    notes=("For timing. It must not be used on patients.", "Research use only; not a medical device."),
)
_FIRST_SEED = 2_000_000
_CROP = 256
_PIXELS_MM = (0.65, 0.9)


def main() -> None:
    """Train and write the model folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="model folder")
    parser.add_argument("--steps", type=int, default=650)
    parser.add_argument("--patients", type=int, default=110)
    arguments = parser.parse_args()
    options = TinyOptions(patients=arguments.patients, batch_size=4, learning_rate=1e-3)
    rng = np.random.default_rng(options.seed)
    images, truths = sample(options, rng)

    def batch(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        crops = [random_crop(images[n], truths[n], rng) for n in rng.integers(len(images), size=options.batch_size)]
        return flip_and_brighten(np.stack([image for image, _ in crops]), np.stack([truth for _, truth in crops]), rng)

    torch.manual_seed(options.seed)
    network = SERU(CARD.architecture).to(memory_format=torch.channels_last)
    fit(network, CARD, batch, arguments.steps, options, "full size", rng)
    write_model_folder(arguments.output, replace(CARD, id=arguments.output.name), *[network.state_dict()] * 2)


def sample(options: TinyOptions, rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Scan slices of many phantoms; return pre-processed images and labels, uint8, shape (rows, columns) each."""
    images, truths = [], []
    for number in range(options.patients):
        seed, patient = _FIRST_SEED + number, PhantomOptions(noise_hu=float(rng.uniform(6, 20)))
        low, high = kidney_range_mm(seed, patient)
        heights = [*rng.uniform(low - 8, high + 8, options.slices - 2), *rng.uniform(-240, 240, 2)]
        hu, truth = sample_slices(seed, heights, (512, 512), float(rng.uniform(*_PIXELS_MM)), patient)
        images += [preprocess_slice(slice_hu, CARD) for slice_hu in hu]
        truths += list(truth)
    return images, truths


def random_crop(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut a crop out of a slice, mostly where a kidney is."""
    places = np.argwhere(truth)
    centre = places[rng.integers(len(places))] if len(places) and rng.random() < 0.7 else rng.integers(60, 452, 2)
    origin = (centre - _CROP // 2 + rng.integers(-60, 61, 2)).tolist()
    cut_image, cut_truth = (take_crop(part, origin, (_CROP, _CROP)) for part in (image, truth))
    return cut_image, cut_truth


if __name__ == "__main__":
    sys.exit(main())
