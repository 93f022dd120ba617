"""The final figures: per case and in the mean, as tables and plots."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seru.errors import BadInputError
from seru.files import write_text
from seru.model.store import Model, find_model
from seru.options import SegmentOptions
from training.cases import kits19_cases
from training.config import Config
from training.labelled import LabelledCase
from training.pictures import choose_examples, plot_pictures, take_example
from training.plots import plot_cases, plot_tumor_size
from training.predictions import Prediction, predict_cases
from training.scoring import CaseScore, summarise, summarise_shown
from training.slices import slice_cases
from training.steps import Step, read_json, write_json

SLICES_SPLIT = Path(__file__).parent / "splits" / "kits_slices.json"


def evaluate_step(config: Config, work: Path, alpha: dict[str, Any], inputs: dict[str, Any]) -> Step:
    """Return the step ``evaluate``: it depends on what ``alpha`` depends on, and on its result."""
    return Step(work / "evaluate", {**inputs, "alpha": alpha["alpha"]})


def evaluate_run(
    config: Config, step: Step, model: Model, cases: list[LabelledCase], maps: Path, alpha: float, restart: bool = False
) -> dict[str, Any]:
    """Score the validation cases at the model's alpha.

    Args:
        config: how to run.
        step: from :func:`evaluate_step`.
        model: both stages.
        cases: of the validation.
        maps: folder where the step ``alpha`` left each case's maps.
        alpha: of the model.
        restart: delete what other inputs made.

    Returns:
        The step's result: the summary.
    """
    if step.result is not None:
        return step.result
    step.begin(restart)
    summary = evaluate_cases(predict_cases(model, cases, config.inference, maps), alpha, step.folder)
    return step.finish(summary)


def evaluate_model(
    model_name: str, data: Path, part: str, output: Path | None, split_file: Path | None, options: SegmentOptions
) -> dict[str, Any]:
    """Score a model on a data folder, whatever it was trained with.

    Args:
        model_name: id or folder.
        data: of KiTS19 cases, or of single slices with a manifest.
        part: ``train``, ``val`` or ``all``.
        output: folder of tables and plots; None writes none.
        split_file: patients by ``train`` and ``val``; None takes the repository's for single slices.
        options: how to run.

    Returns:
        The summary.

    Raises:
        BadInputError: the folder holds no cases, or the part is not known for it.
        ModelError: the model cannot be used.
    """
    model = find_model(model_name)
    is_slices = (data / "manifest.csv").is_file()
    cases = slice_cases(data) if is_slices else kits19_cases(data)
    if not cases:
        raise BadInputError(f"'{data}' holds neither KiTS19 cases nor slices with a manifest.csv.")
    if part != "all":
        split_file = split_file or (SLICES_SPLIT if is_slices else None)
        split = None if split_file is None else read_json(split_file)
        if split is None:
            raise BadInputError(f"Which cases are '{part}' is not known; give --split all, or a --split-file.")
        patients = set(split[part])
        cases = [case for case in cases if case.patient in patients]
    return evaluate_cases(predict_cases(model, cases, options, None), model.card.alpha, output)


def evaluate_cases(predictions: Iterable[Prediction], alpha: float, folder: Path | None) -> dict[str, Any]:
    """Score predictions, write tables and plots, and summarise.

    Args:
        predictions: of the cases.
        alpha: of the fusion; the stages alone (1 and 0) are scored beside it.
        folder: of tables and plots; None writes none.

    Returns:
        The summary: ``fused``, ``coarse_alone``, ``refined_alone``, and ``shown`` over the slices or cases that show
        the class. NaN is written as null.
    """
    fused: list[CaseScore] = []
    ends: tuple[list[CaseScore], list[CaseScore]] = ([], [])
    rows, examples = [], []
    for prediction in predictions:
        score, coarse, refined = prediction.scores([alpha, 1.0, 0.0])
        fused.append(score)
        ends[0].append(coarse)
        ends[1].append(refined)
        rows.append({**asdict(score), "score": score.score, **prediction.volumes_ml(alpha)})
        if folder is not None and score.shows_kidney:
            examples.append(take_example(prediction, score, alpha))
    summary = _without_nan(
        {
            "alpha": alpha,
            "fused": summarise(fused),
            "coarse_alone": summarise(ends[0]),
            "refined_alone": summarise(ends[1]),
            "shown": summarise_shown(fused),
        }
    )
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _write_rows(folder / "cases.csv", rows)
        write_json(folder / "summary.json", summary)
        plot_cases(folder / "cases.png", fused, f"Dice per case, alpha {alpha:g}")
        plot_tumor_size(folder / "tumor_size.png", rows)
        plot_pictures(folder / "pictures.png", choose_examples(examples), f"From best to worst, alpha {alpha:g}")
    return summary


def format_summary(summary: dict[str, Any]) -> str:
    """Return the summary as a few lines for people."""
    lines = []
    for name, title in (("fused", "fused"), ("coarse_alone", "coarse alone"), ("refined_alone", "refined alone")):
        part = summary[name]
        values = (f"{key} {_number(part[key])}" for key in ("kidney_tumor", "tumor", "score"))
        lines.append(f"{title:>14}: {', '.join(values)}  ({part['cases']} cases, {part['patients']} patients)")
    for key, part in summary["shown"].items():
        lines.append(
            f"{key:>14}: {_number(part['mean'])} +- {_number(part['deviation'])} over {part['slices']} that show it, "
            f"{part['patients']} patients, 95 % interval {_number(part['low'])} to {_number(part['high'])}; "
            f"false alarms on {part['false_alarms']} of {part['without']} that do not"
        )
    return "\n".join(lines)


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["case"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
