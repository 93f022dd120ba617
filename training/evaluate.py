"""The final figures: per case and in the mean, as tables and plots."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seru.errors import BadInputError
from seru.files import write_text
from seru.findings import Kind, Thresholds
from seru.model.store import Model, find_model
from seru.options import SegmentOptions
from seru.records import to_plain
from seru.result.finish import thresholds_of
from training.cases import kits19_cases
from training.config import Config
from training.finding_scores import KINDS, CaseFindings, FindingScore, score_findings
from training.finding_tables import format_findings, summarise_findings
from training.labelled import LabelledCase
from training.pictures import Example, choose_examples, plot_pictures, take_example
from training.plots import plot_cases, plot_findings, plot_tumor_size
from training.predictions import Prediction, predict_cases
from training.scoring import CaseScore, summarise, summarise_shown
from training.slices import slice_cases
from training.steps import Step, read_json, write_json

_WAYS = {"fused": "fused", "coarse_alone": "coarse alone", "refined_alone": "refined alone"}
SLICES_SPLIT = Path(__file__).parent / "splits" / "slices.json"


@dataclass(frozen=True)
class Choice:
    """Which cases of a data folder are scored.

    Attributes:
        part: ``train``, ``val`` or ``all``; None is ``val``, and ``all`` where the split knows none of the patients.
        split_file: patients by ``train`` and ``val``; None takes the repository's for single slices of KiTS.
        kind: only slices whose kind begins so.
    """

    part: str | None = None
    split_file: Path | None = None
    kind: str = ""


def evaluate_step(work: Path, thresholds: dict[str, Any], inputs: dict[str, Any]) -> Step:
    """Return the step ``evaluate``: it depends on what ``thresholds`` depends on, and on its result."""
    return Step(work / "evaluate", {**inputs, "chosen": thresholds["thresholds"]})


def evaluate_run(
    config: Config,
    step: Step,
    model: Model,
    cases: list[LabelledCase],
    maps: Path,
    alpha: float,
    thresholds: Thresholds,
    restart: bool = False,
) -> dict[str, Any]:
    """Score the validation cases at the model's alpha.

    Args:
        config: how to run.
        step: from :func:`evaluate_step`.
        model: both stages.
        cases: of the validation.
        maps: folder where the step ``alpha`` left each case's maps.
        alpha: of the model.
        thresholds: of the model.
        restart: delete what other inputs made.

    Returns:
        The step's result: the summary.
    """
    if step.result is not None:
        return step.result
    step.begin(restart)
    predictions = predict_cases(model, cases, config.inference, maps)
    return step.finish(evaluate_cases(predictions, alpha, thresholds, step.folder))


def evaluate_model(
    model_name: str, data: Path, choice: Choice, output: Path | None, options: SegmentOptions
) -> dict[str, Any]:
    """Score a model on a data folder, whatever it was trained with.

    Args:
        model_name: id or folder.
        data: of KiTS19 cases, or of single slices with a manifest.
        choice: which of them.
        output: folder of tables and plots; None writes none.
        options: how to run.

    Returns:
        The summary.

    Raises:
        BadInputError: the folder holds no such cases, or the part is not known for it.
        ModelError: the model cannot be used.
    """
    model = find_model(model_name)
    cases = chosen_cases(data, choice)
    alpha = model.card.alpha if options.alpha is None else options.alpha
    thresholds = thresholds_of(model.card.least_confidences, options)
    return evaluate_cases(predict_cases(model, cases, options, None), alpha, thresholds, output)


def chosen_cases(data: Path, choice: Choice) -> list[LabelledCase]:
    """Return cases of a data folder.

    Args:
        data: KiTS19 cases, or slices with a manifest.
        choice: which of them.

    Raises:
        BadInputError: there is none such.
    """
    is_slices = (data / "manifest.csv").is_file()
    cases = slice_cases(data) if is_slices else kits19_cases(data)
    if not cases:
        raise BadInputError(f"'{data}' holds neither KiTS19 cases nor slices with a manifest.csv.")
    split_file = choice.split_file or (SLICES_SPLIT if is_slices else None)
    split = None if split_file is None else read_json(split_file)
    part = choice.part or _usual_part(cases, split)
    if part != "all":
        if split is None:
            raise BadInputError(f"Which cases are '{part}' is not known; give --split all, or a --split-file.")
        patients = set(split[part])
        cases = [case for case in cases if case.patient in patients]
    cases = [case for case in cases if case.kind.startswith(choice.kind)]
    if not cases:
        raise BadInputError(f"No case of '{data}' is of part '{part}' and kind '{choice.kind}'; give --split all.")
    return cases


def _usual_part(cases: list[LabelledCase], split: dict[str, list[str]] | None) -> str:
    """The patients that validate; all where none of them is in the split."""
    is_split = split is None or any(case.patient in patients for patients in split.values() for case in cases)
    return "val" if is_split else "all"


def evaluate_cases(
    predictions: Iterable[Prediction], alpha: float, thresholds: Thresholds, folder: Path | None
) -> dict[str, Any]:
    """Score predictions, write tables and plots, and summarise.

    Args:
        predictions: of the cases.
        alpha: of the fusion; the stages alone (1 and 0) are scored beside it.
        thresholds: of what is believed; everything is scored beside it.
        folder: of tables and plots; None writes none.

    Returns:
        The summary: ``fused``, ``coarse_alone``, ``refined_alone`` and ``shown`` (over the slices or cases that show
        the class) with all that was found; ``believed`` and ``shown_believed`` with what is believed of ``fused``;
        ``true_kept``, the share of the true volume found that is believed; ``findings``. NaN is written as null.
    """
    tally = _Tally(alpha, thresholds, keeps_examples=folder is not None)
    for prediction in predictions:
        tally.add(prediction)
    summary = tally.summary()
    if folder is not None:
        tally.write(folder, summary)
    return summary


class _Tally:
    """What is kept of each case."""

    def __init__(self, alpha: float, thresholds: Thresholds, keeps_examples: bool) -> None:
        self._alpha, self._thresholds, self._keeps_examples = alpha, thresholds, keeps_examples
        self._scores: dict[str, list[CaseScore]] = {name: [] for name in (*_WAYS, "believed")}
        self._true_ml: dict[Kind, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
        self._rows: list[dict[str, Any]] = []
        self._examples: list[Example] = []
        self._findings: list[CaseFindings] = []

    def add(self, prediction: Prediction) -> None:
        """Score a case."""
        fused, believed = (prediction.labels_box(self._alpha, given) for given in (None, self._thresholds))
        of_all = prediction.score(fused), *prediction.scores([1.0, 0.0]), prediction.score(believed)
        for scores, score in zip(self._scores.values(), of_all, strict=True):
            scores.append(score)
        before, after = prediction.true_ml(fused), prediction.true_ml(believed)
        for kind, pairs in self._true_ml.items():
            pairs.append((before[kind], after[kind]))
        ours = of_all[-1]
        self._findings.append(score_findings(prediction.case, prediction.maps, prediction.truth, self._alpha))
        self._rows.append({**asdict(of_all[0]), "score": of_all[0].score, **prediction.volumes_ml(fused),
                           "believed_kidney_tumor": ours.kidney_tumor, "believed_tumor": ours.tumor})  # fmt: skip
        if self._keeps_examples and (ours.shows_kidney or not ours.knows_kidney):
            self._examples.append(take_example(prediction, ours, believed))

    def summary(self) -> dict[str, Any]:
        """Summarise; None stands for what is undefined."""
        kept = {kind: _sums(pairs) for kind, pairs in self._true_ml.items()}
        return _without_nan(
            {
                "alpha": self._alpha,
                "thresholds": to_plain(self._thresholds),
                **{name: summarise(scores) for name, scores in self._scores.items()},
                "shown": summarise_shown(self._scores["fused"]),
                "shown_believed": summarise_shown(self._scores["believed"]),
                "true_kept": {kind: after / before if before else None for kind, (before, after) in kept.items()},
                "findings": summarise_findings(self._findings, self._thresholds),
            }
        )

    def write(self, folder: Path, summary: dict[str, Any]) -> None:
        """Write tables and plots."""
        folder.mkdir(parents=True, exist_ok=True)
        _write_rows(folder / "cases.csv", self._rows)
        _write_rows(folder / "findings.csv", [_row_of(one) for case in self._findings for one in case.findings])
        write_json(folder / "summary.json", summary)
        plot_cases(folder / "cases.png", self._scores["believed"], f"Dice per case, alpha {self._alpha:g}")
        plot_tumor_size(folder / "tumor_size.png", self._rows)
        plot_findings(folder / "findings.png", summary["findings"], self._thresholds)
        title = f"From best to worst, alpha {self._alpha:g}"
        plot_pictures(folder / "pictures.png", choose_examples(self._examples), title)


def format_summary(summary: dict[str, Any]) -> str:
    """Return the summary as a few lines for people."""
    lines = []
    for name, title in {**_WAYS, "believed": "fused, gate on"}.items():
        part = summary[name]
        values = (f"{key} {_number(part[key])}" for key in ("kidney_tumor", "tumor", "score"))
        lines.append(f"{title:>22}: {', '.join(values)}  ({part['cases']} cases, {part['patients']} patients)")
    for name, title in (("shown", "gate off"), ("shown_believed", "gate on")):
        lines += [_shown_line(f"{key}, {title}", part) for key, part in summary[name].items()]
    lines += [
        f"{kind:>22}: {_number(share)} of what is true in the labels found is believed"
        for kind, share in summary["true_kept"].items()
        if share is not None
    ]
    return "\n".join([*lines, format_findings(summary["findings"])])


def _shown_line(title: str, part: dict[str, Any]) -> str:
    alarms = f"false alarms on {part['false_alarms']} of {part['without']} that do not"
    if not part["slices"]:
        return f"{title:>22}: none is known to show it; {alarms}"
    return (
        f"{title:>22}: {_number(part['mean'])} +- {_number(part['deviation'])} over {part['slices']} that show it, "
        f"{part['patients']} patients, 95 % interval {_number(part['low'])} to {_number(part['high'])}; {alarms}"
    )


def _sums(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    before, after = map(sum, zip(*pairs, strict=True))
    return before, after


def _row_of(finding: FindingScore) -> dict[str, Any]:
    values = {key: value for key, value in asdict(finding).items() if not isinstance(value, dict)}
    intervals = {"volume": finding.volume, "longest": finding.longest}
    for name, interval in intervals.items():
        values |= {f"{name}_{key}": getattr(interval, key, None) for key in ("found", "low", "high", "true")}
    return {key: value for key, value in values.items() if key not in intervals}


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["case"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
