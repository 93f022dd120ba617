"""Alpha from 0 to 1 on the validation cases: a table, a plot, and the alpha of the model."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from seru.files import write_text
from seru.model.store import Model
from training.config import Config
from training.labelled import LabelledCase
from training.plots import plot_alpha
from training.predictions import predict_cases
from training.scoring import CaseScore, summarise
from training.steps import Step, read_json, write_json

PAPER_ALPHA = 0.4
_NAMES = ("kidney_tumor", "tumor", "score")


def alpha_step(config: Config, work: Path, split: str, coarse: dict[str, Any], refine: dict[str, Any]) -> Step:
    """Return the step ``alpha``: it depends on both stages' weights, how they are stored, and how cases are run."""
    options = config.to_dict()
    inputs = {key: options[key] for key in ("alpha", "inference")}
    # Where it runs changes no more than rounding.
    inputs["inference"] = {key: inputs["inference"][key] for key in ("all_slices", "mirror", "crop")}
    inputs["quantise"] = config.export.quantise
    return Step(work / "alpha", {**inputs, "split": split, "coarse": coarse["weights"], "refine": refine["weights"]})


def sweep_alpha(
    config: Config, step: Step, model: Model, cases: list[LabelledCase], restart: bool = False
) -> dict[str, Any]:
    """Score every case at every alpha; cases that are scored already are kept.

    Args:
        config: how many alphas, and whether the best one is taken.
        step: from :func:`alpha_step`.
        model: both stages.
        cases: of the validation.
        restart: delete what other inputs made.

    Returns:
        The step's result: the chosen and the best alpha, and the means of each.
    """
    if step.result is not None:
        return step.result
    step.begin(restart)
    alphas = np.linspace(0, 1, config.alpha.count).round(6).tolist()
    scored = _score_cases(config, step.folder, model, cases, alphas)
    means = [summarise([scores[number] for scores in scored]) for number in range(len(alphas))]
    best = best_alpha(alphas, [mean["score"] for mean in means])
    chosen = best if config.alpha.use is None else config.alpha.use
    _write_table(step.folder / "alpha.csv", alphas, means)
    curves = {name: [mean[name] for mean in means] for name in _NAMES}
    plot_alpha(step.folder / "alpha.png", alphas, curves, chosen, PAPER_ALPHA)
    table = [
        {"alpha": alpha, **{name: mean[name] for name in _NAMES}} for alpha, mean in zip(alphas, means, strict=True)
    ]
    return step.finish({"alpha": chosen, "best": best, "cases": len(cases), "table": table})


def best_alpha(alphas: list[float], scores: list[float]) -> float:
    """Return the alpha with the best score; of equal ones (to 4 decimals) the one nearest to the paper's.

    Args:
        alphas: 0..1.
        scores: the mean score of each; NaN counts as worst.

    Returns:
        One of the alphas.
    """
    rounded = [-1.0 if np.isnan(score) else round(score, 4) for score in scores]
    return min(zip(alphas, rounded, strict=True), key=lambda pair: (-pair[1], abs(pair[0] - PAPER_ALPHA)))[0]


def _score_cases(
    config: Config, folder: Path, model: Model, cases: list[LabelledCase], alphas: list[float]
) -> list[list[CaseScore]]:
    """Each case's scores lie in a file of their own as soon as they are known."""
    (folder / "cases").mkdir(exist_ok=True)
    files = {case.id: folder / "cases" / f"{case.id}.json" for case in cases}
    missing = [case for case in cases if not files[case.id].is_file()]
    for prediction in predict_cases(model, missing, config.inference, folder / "maps"):
        write_json(files[prediction.case.id], [score.to_dict() for score in prediction.scores(alphas)])
    return [[CaseScore.from_dict(score) for score in read_json(files[case.id])] for case in cases]


def _write_table(path: Path, alphas: list[float], means: list[dict[str, float]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["alpha", *_NAMES])
    for alpha, mean in zip(alphas, means, strict=True):
        writer.writerow([f"{alpha:g}", *(f"{mean[name]:.6f}" for name in _NAMES)])
    write_text(path, text.getvalue())
