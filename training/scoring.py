"""KiTS19's score: Dice of kidney and tumor together, and of tumor, per case on its own grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seru.errors import BadInputError

_BOOTSTRAPS = 2000

Count = int | np.integer


@dataclass(frozen=True)
class CaseScore:
    """The two Dice coefficients of a case.

    Attributes:
        case: its id.
        patient: whose it is.
        kidney_tumor: of label > 0; NaN where neither labels nor prediction show any, or where labels do not tell.
        tumor: of label > 1; NaN likewise.
        shows_kidney: whether the labels show kidney or tumor.
        shows_tumor: whether the labels show tumor.
        knows_kidney: whether the labels tell kidney and tumor from background.
        knows_tumor: whether the labels tell where tumor is, and where not.
    """

    case: str
    patient: str
    kidney_tumor: float
    tumor: float
    shows_kidney: bool = True
    shows_tumor: bool = True
    knows_kidney: bool = True
    knows_tumor: bool = True

    @property
    def score(self) -> float:
        """The mean of the two; NaN where one of them is."""
        return (self.kidney_tumor + self.tumor) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return the values for JSON, which has no NaN: None stands for it."""
        return {key: None if value != value else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CaseScore:
        """Build a score from what :meth:`to_dict` gave."""
        given: dict[str, Any] = {key: math.nan if value is None else value for key, value in values.items()}
        return cls(**given)


def as_labels(prediction: np.ndarray) -> np.ndarray:
    """Read a prediction as KiTS19's script does.

    Args:
        prediction: labels of any type (fractions are rounded), or class scores with the classes last.

    Returns:
        uint8 labels, three axes.
    """
    if prediction.ndim == 4:
        prediction = np.argmax(prediction, axis=-1)
    if not np.issubdtype(prediction.dtype, np.integer):
        prediction = np.round(prediction)
    return prediction.astype(np.uint8)


def dice(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return the Dice coefficient of two masks.

    Args:
        predicted: bool.
        truth: bool, same shape.

    Returns:
        0..1; 0 where one of them is empty. NaN where both are: KiTS19's script divides 0 by 0 there, and such a case
        is left out of our means and counted.
    """
    return dice_of_counts(np.count_nonzero(predicted & truth), np.count_nonzero(predicted), np.count_nonzero(truth))


def dice_of_counts(both: Count, predicted: Count, truth: Count) -> float:
    """Return the Dice coefficient from numbers of voxels; see :func:`dice`."""
    return float(2 * both / (predicted + truth)) if predicted + truth else math.nan


def score_case(prediction: np.ndarray, truth: np.ndarray, case: str = "", patient: str = "") -> CaseScore:
    """Score a case as KiTS19 does: kidney is label > 0, tumor is label > 1.

    Args:
        prediction: see :func:`as_labels`.
        truth: labels, three axes.
        case: its id.
        patient: whose it is.

    Returns:
        The score.

    Raises:
        BadInputError: the shapes differ.

    Source: starter_code/evaluation.py of the challenge's repository.
    """
    prediction = as_labels(prediction)
    if prediction.shape != truth.shape:
        raise BadInputError(f"The prediction of {case} has shape {prediction.shape}, its labels {truth.shape}.")
    kidney_tumor, tumor = (dice(prediction > least, truth > least) for least in (0, 1))
    return CaseScore(case, patient, kidney_tumor, tumor, bool((truth > 0).any()), bool((truth > 1).any()))


def summarise(scores: Sequence[CaseScore]) -> dict[str, float | int]:
    """Summarise the cases as KiTS19 does, with what was left out.

    Args:
        scores: of the cases.

    Returns:
        Means over the cases where the value is defined, their standard deviation, and numbers of cases.
    """
    result: dict[str, float | int] = {"cases": len(scores), "patients": len({score.patient for score in scores})}
    for name in ("kidney_tumor", "tumor", "score"):
        values = np.array([getattr(score, name) for score in scores], float)
        defined = values[~np.isnan(values)]
        result[name] = float(defined.mean()) if defined.size else math.nan
        result[f"{name}_deviation"] = float(defined.std(ddof=1)) if defined.size > 1 else math.nan
        result[f"{name}_undefined"] = int(values.size - defined.size)
    return result


def summarise_shown(scores: Sequence[CaseScore], seed: int = 0) -> dict[str, dict[str, float | int]]:
    """Summarise the cases that show a class: for single slices, most of which show no tumor.

    Args:
        scores: of slices (or cases).
        seed: of the bootstrap over patients.

    Returns:
        For ``kidney_tumor`` and ``tumor``: mean, standard deviation, numbers of slices and patients, the 95 % interval
        of the mean (patients drawn with replacement), and how many slices without the class got some; cases whose
        labels do not tell are left out.
    """
    result = {}
    for name, of in (("kidney_tumor", "kidney"), ("tumor", "tumor")):
        known = [score for score in scores if getattr(score, f"knows_{of}")]
        shown = [score for score in known if getattr(score, f"shows_{of}")]
        values = np.array([getattr(score, name) for score in shown], float)
        low, high = _interval(values, [score.patient for score in shown], seed)
        without = [getattr(score, name) for score in known if not getattr(score, f"shows_{of}")]
        result[name] = {
            "mean": float(values.mean()) if values.size else math.nan,
            "deviation": float(values.std(ddof=1)) if values.size > 1 else math.nan,
            "low": low,
            "high": high,
            "slices": len(shown),
            "patients": len({score.patient for score in shown}),
            "without": len(without),
            "false_alarms": sum(not math.isnan(value) for value in without),
        }
    return result


def _interval(values: np.ndarray, patients: list[str], seed: int) -> tuple[float, float]:
    names = sorted(set(patients))
    if len(names) < 2:
        return math.nan, math.nan
    owner = np.array([names.index(patient) for patient in patients])
    sums = np.bincount(owner, values, len(names))
    counts = np.bincount(owner, minlength=len(names))
    drawn = np.random.default_rng(seed).integers(len(names), size=(_BOOTSTRAPS, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
