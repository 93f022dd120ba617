"""Labels while alpha moves are those of the fusion, and a step looks only at what it can change."""

from __future__ import annotations

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.result.fusion import fuse_probabilities
from seru.result.moving_labels import MovingLabels


def disputed(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of both stages that differ in their class, many of them with ties."""
    rng = np.random.default_rng(seed)
    stages = []
    for _stage in range(2):
        kidney = rng.integers(0, 256, count)
        kidney[::3] = rng.choice([0, 85, 127, 128, 255], len(kidney[::3]))
        tumor = rng.integers(0, 256, count) % (256 - kidney)
        stages.append(np.stack([kidney, tumor], axis=1).astype(np.uint8))
    coarse, refined = stages
    differs = fuse_probabilities(coarse, refined, 0.0) != fuse_probabilities(coarse, refined, 1.0)
    return coarse[differs], refined[differs]


def test_a_voxel_goes_from_the_refined_class_by_way_of_the_third_to_the_coarse_one() -> None:
    # Background, kidney, tumor: refined 155, 100, 0; coarse 0, 125, 130. Kidney leads between 0.306 and 0.952.
    moving = MovingLabels(np.array([[125, 130]], np.uint8), np.array([[100, 0]], np.uint8))

    seen = []
    for alpha in (0, 0.3, 0.31, 0.95, 0.96, 1):
        moving.move_to(alpha)
        seen.append(int(moving.labels[0]))

    assert seen == [0, 0, 1, 1, 2, 2]


def test_a_step_tells_which_labels_changed_and_what_they_were() -> None:
    # Kidney to background at 0.5, at 0.25, and background to tumor at 0.5.
    coarse = np.array([[0, 0], [0, 0], [0, 255]], np.uint8)
    moving = MovingLabels(coarse, np.array([[255, 0], [170, 0], [0, 0]], np.uint8))

    index, old = moving.move_to(0.4)

    assert (index.tolist(), old.tolist(), moving.labels.tolist()) == ([1], [1], [1, 0, 0])
    index, old = moving.move_to(1.0)
    assert (sorted(zip(index.tolist(), old.tolist(), strict=True)), moving.labels.tolist()) == (
        [(0, 1), (2, 0)],
        [0, 0, 2],
    )
    index, old = moving.move_to(1.0)
    assert (len(index), len(old)) == (0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_at_every_alpha_the_labels_are_the_fusion_s(seed: int) -> None:
    coarse, refined = disputed(20_000, seed)
    moving = MovingLabels(coarse, refined)
    before = moving.labels.copy()

    for alpha in (0.5, 0.0, 1.0, 1 / 3, 0.4, 0.41, 1e-9, 0.0, *np.random.default_rng(seed).random(20), 1.0, 0.25):
        index, old = moving.move_to(float(alpha))

        truth = fuse_probabilities(coarse, refined, float(alpha))
        np.testing.assert_array_equal(moving.labels, truth)
        np.testing.assert_array_equal(np.sort(index), np.flatnonzero(before != truth))
        np.testing.assert_array_equal(old, before[index])
        before = truth


def test_an_alpha_beyond_the_slider_is_refused() -> None:
    moving = MovingLabels(np.array([[0, 0]], np.uint8), np.array([[255, 0]], np.uint8))

    with pytest.raises(BadInputError):
        moving.move_to(1.5)
    assert moving.labels.tolist() == [1]
