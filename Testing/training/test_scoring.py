"""The recipe's score against an independent reading of KiTS19's rule."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")

from scipy import ndimage

from seru.errors import BadInputError
from seru.grid import Grid
from seru.io.images import read_volume
from seru.result.maps import Maps
from seru.volume import Volume
from training.alpha import best_alpha
from training.labelled import LabelledCase
from training.predictions import Prediction
from training.scoring import CaseScore, score_case, summarise, summarise_shown


def official(prediction: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """KiTS19's rule written out by sets of voxels: kidney is label > 0, tumor is label > 1, 0/0 is NaN."""
    if not np.issubdtype(prediction.dtype, np.integer):
        prediction = np.round(prediction)
    values = []
    for least in (0, 1):
        found = set(np.flatnonzero(prediction.astype(np.uint8) > least).tolist())
        wanted = set(np.flatnonzero(truth > least).tolist())
        size = len(found) + len(wanted)
        values.append(2 * len(found & wanted) / size if size else math.nan)
    return values[0], values[1]


def perturbed(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels as a network might get them wrong: moved, grown, speckled, tumor lost in one half."""
    moved = np.roll(truth, rng.integers(-3, 4, 3), (0, 1, 2))
    grown = np.where(ndimage.binary_dilation(moved > 0) & (moved == 0), 1, moved).astype(np.uint8)
    speckled = np.where(rng.random(truth.shape) < 0.002, rng.integers(0, 3, truth.shape), grown).astype(np.uint8)
    speckled[: len(truth) // 2][speckled[: len(truth) // 2] == 2] = 1
    return speckled


def test_score_is_kits19s_on_real_labels(data_folder: Path) -> None:
    folder = data_folder / "kits_labels"
    paths = sorted(folder.glob("case_*.nii.gz"), key=lambda path: path.stat().st_size)[:6]
    if not paths:
        pytest.skip(f"no label volumes in {folder}")
    rng = np.random.default_rng(0)

    for path in paths:
        whole = read_volume(path).array_kji.astype(np.uint8)
        # Every third row and column: the rule does not know voxels from each other.
        truth = whole[::3, ::3]
        prediction = perturbed(truth, rng)
        score = score_case(prediction, truth)

        assert (score.kidney_tumor, score.tumor) == pytest.approx(official(prediction, truth), abs=1e-12)
        assert 0 < score.kidney_tumor < 1
        assert score_case(truth, truth).score == 1


@pytest.mark.parametrize("kind", ["both empty", "no tumor found", "no tumor there", "nothing found", "fractions"])
def test_empty_and_odd_cases_score_as_in_the_script(kind: str) -> None:
    truth = np.zeros((2, 4, 4), np.uint8)
    prediction = truth.copy()
    if kind != "both empty":
        truth[0, :2], truth[0, 0, 0] = 1, 2
        prediction[0, :1], prediction[0, 0, :2] = 1, 2
    if kind == "no tumor found":
        prediction[prediction == 2] = 1
    if kind == "no tumor there":
        truth[truth == 2] = 1
    if kind == "nothing found":
        prediction[:] = 0
    if kind == "fractions":
        prediction = prediction * np.float32(0.9) + np.float32(0.2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score = score_case(prediction, truth)

    assert (score.kidney_tumor, score.tumor) == pytest.approx(official(prediction, truth), nan_ok=True)


def test_class_scores_are_read_by_their_largest() -> None:
    truth = np.array([[[0, 1, 2]]], np.uint8)
    probabilities = np.eye(3)[truth]

    assert score_case(probabilities, truth).score == 1
    with pytest.raises(BadInputError, match="shape"):
        score_case(truth[0], truth)


def test_undefined_cases_are_left_out_of_the_means_and_counted() -> None:
    scores = [CaseScore("a", "p", 0.9, 0.5), CaseScore("b", "q", 0.7, math.nan), CaseScore("c", "q", 0.8, 0.0)]

    summary = summarise(scores)

    assert summary["kidney_tumor"] == pytest.approx(0.8)
    assert summary["tumor"] == pytest.approx(0.25)
    assert summary["score"] == pytest.approx((0.7 + 0.4) / 2)
    assert (summary["kidney_tumor_undefined"], summary["tumor_undefined"]) == (0, 1)
    assert (summary["cases"], summary["patients"]) == (3, 2)


def test_mean_over_slices_that_show_a_class_counts_patients_and_false_alarms() -> None:
    scores = [
        CaseScore("a", "p", 0.9, 0.6),
        CaseScore("b", "p", 0.8, 0.0, shows_tumor=False),
        CaseScore("c", "q", 0.7, 0.2),
        CaseScore("d", "r", math.nan, math.nan, shows_kidney=False, shows_tumor=False),
    ]

    shown = summarise_shown(scores)

    tumor = shown["tumor"]
    assert tumor["mean"] == pytest.approx(0.4)
    assert (tumor["slices"], tumor["patients"], tumor["without"], tumor["false_alarms"]) == (2, 2, 2, 1)
    assert tumor["deviation"] == pytest.approx(np.std([0.6, 0.2], ddof=1))
    assert (tumor["low"], tumor["high"]) == pytest.approx((0.2, 0.6))
    assert shown["kidney_tumor"]["patients"] == 2


def test_scores_at_each_alpha_are_those_of_the_whole_volume() -> None:
    rng = np.random.default_rng(5)
    shape, lower, box = (6, 9, 8), (1, 2, 3), (4, 5, 4)
    stored = rng.random(box) < 0.8
    count = int(stored.sum())
    first = rng.dirichlet((1, 1, 1), (2, count))[..., 1:] * 255
    coarse, refined = first.astype(np.uint8)
    sides, hu = np.ones(count, np.uint8), np.zeros(count, np.int16)
    maps = Maps(Grid(shape, np.eye(4)), 0.4, lower, stored, coarse, refined, sides, hu)
    truth = rng.integers(0, 3, shape).astype(np.uint8)
    volume = Volume.from_array(truth, np.eye(4))
    prediction = Prediction(LabelledCase("a", "p", "", lambda: (volume, truth)), maps, truth, volume.grid.voxel_ml)

    for alpha in (0.0, 0.3, 1.0):
        from seru.result.fusion import LiveFusion

        whole = LiveFusion(maps).labels_kji(alpha)
        score = prediction.scores([alpha])[0]
        assert (score.kidney_tumor, score.tumor) == pytest.approx(official(whole, truth))
        volumes = prediction.volumes_ml(prediction.labels_box(alpha))
        assert volumes["found_tumor_ml"] == pytest.approx((whole == 2).sum() * 0.001)


def test_best_alpha_of_equal_ones_is_nearest_to_the_papers() -> None:
    alphas = [0.0, 0.25, 0.5, 0.75, 1.0]

    assert best_alpha(alphas, [0.1, 0.8, 0.80001, 0.8, 0.2]) == 0.5
    assert best_alpha(alphas, [0.1, 0.2, 0.3, 0.9, 0.2]) == 0.75
    assert best_alpha(alphas, [math.nan, math.nan, math.nan, math.nan, 0.0]) == 1.0
