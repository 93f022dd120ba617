"""Which findings are believed: the highest confidences that lose no more of what is true than the config allows.

Chosen on the validation cases from the findings that would be listed. A tumor is lost with its kidney too. The coarse
stage's threshold is chosen on the coarse stage alone, and is no higher than the others: what is not refined keeps its
coarse confidence, which is higher for false ones, and must not be believed in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seru.findings import Kind, Thresholds
from seru.model.store import Model
from seru.records import to_plain
from training.config import Config, ThresholdsConfig
from training.finding_scores import KINDS, CaseFindings, FindingScore, score_findings
from training.finding_tables import size_class, size_classes
from training.labelled import LabelledCase
from training.predictions import predict_cases
from training.steps import Step

Table = dict[str, Any]
# The fusion that is the coarse stage alone.
_COARSE = 1.0


def thresholds_step(config: Config, work: Path, alpha: dict[str, Any], inputs: dict[str, Any]) -> Step:
    """Return the step ``thresholds``: it depends on ``alpha``, its inputs, and what may be lost."""
    options = config.to_dict()["thresholds"]
    return Step(work / "thresholds", {**inputs, "alpha": alpha["alpha"], "thresholds": options})


def choose_run(
    config: Config, step: Step, model: Model, cases: list[LabelledCase], maps: Path, alpha: float, restart: bool = False
) -> Table:
    """Choose the thresholds of a run.

    Args:
        config: what may be lost, or the thresholds themselves.
        step: from :func:`thresholds_step`.
        model: both stages.
        cases: of the validation.
        maps: folder where the step ``alpha`` left each case's maps.
        alpha: of the model.
        restart: delete what other inputs made.

    Returns:
        The step's result: ``thresholds``, and what they cost.
    """
    if step.result is not None:
        return step.result
    step.begin(restart)
    fused: list[CaseFindings] = []
    coarse: list[CaseFindings] = []
    for prediction in predict_cases(model, cases, config.inference, maps):
        for scored, weight in ((fused, alpha), (coarse, _COARSE)):
            found = score_findings(prediction.case, prediction.maps, prediction.truth, weight, has_intervals=False)
            scored.append(found)
    chosen = choose_thresholds(fused, coarse, config.thresholds)
    return step.finish({"thresholds": to_plain(chosen), **costs(fused, chosen, config.thresholds.step)})


def choose_thresholds(
    fused: Sequence[CaseFindings], coarse: Sequence[CaseFindings], config: ThresholdsConfig
) -> Thresholds:
    """Choose the least confidences.

    Args:
        fused: every finding of each case, at the model's alpha.
        coarse: likewise, of the coarse stage alone.
        config: the share of what is true that each may lose; or the thresholds, which are then taken.

    Returns:
        Multiples of the config's step; 0 where nothing is true.
    """
    if config.use is not None:
        return config.use
    kidney_coarse = _highest(
        _of_kind(coarse, "kidney"), config.kidney_coarse_loss, config.step, lambda c: Thresholds(kidney=c)
    )
    kidney = _highest(_of_kind(fused, "kidney"), config.kidney_loss, config.step, lambda c: Thresholds(kidney=c))
    tumor = _highest(
        _of_kind(fused, "tumor"), config.tumor_loss, config.step, lambda c: Thresholds(kidney=kidney, tumor=c)
    )
    return Thresholds(min(kidney_coarse, kidney, tumor), kidney, tumor)


def costs(fused: Sequence[CaseFindings], thresholds: Thresholds, step: float = 0.05) -> Table:
    """Tell what thresholds cost.

    Args:
        fused: every finding of each case.
        thresholds: chosen.
        step: between the rows of the table.

    Returns:
        For each kind: share of the true volume that is kept, true and false findings before and after, true components
        that are found no more by size, and a ``table`` of the same over the confidence from 0.3.
    """
    result: Table = {}
    for kind in KINDS:
        findings = _of_kind(fused, kind)
        truths = [truth for case in fused for truth in case.truths if truth.kind == kind]
        lost = [truth for truth in truths if truth.finders and not truth.is_found(thresholds)]
        rows = [_row(findings, _only(kind, value, thresholds)) for value in _steps(step) if value == 0 or value >= 0.3]
        result[kind] = {
            **_row(findings, thresholds),
            "lost_by_size": {name: sum(size_class(t.size_mm) == name for t in lost) for name in size_classes()},
            "table": rows,
        }
    return result


def _only(kind: Kind, value: float, thresholds: Thresholds) -> Thresholds:
    """The thresholds with another one for a kind."""
    if kind == "kidney":
        return Thresholds(thresholds.kidney_coarse, value, thresholds.tumor)
    return Thresholds(thresholds.kidney_coarse, thresholds.kidney, value)


def _row(findings: Sequence[FindingScore], thresholds: Thresholds) -> Table:
    kept = [finding for finding in findings if finding.is_believed(thresholds)]
    true_ml = sum(finding.true_ml for finding in findings)
    kind: Kind = findings[0].kind if findings else "kidney"
    return {
        "confidence": thresholds.kidney if kind == "kidney" else thresholds.tumor,
        "true_kept": round(sum(finding.true_ml for finding in kept) / true_ml, 4) if true_ml else None,
        "true": sum(finding.is_true for finding in kept),
        "of_true": sum(finding.is_true for finding in findings),
        "false": sum(not finding.is_true for finding in kept),
        "of_false": sum(not finding.is_true for finding in findings),
    }


def _highest(findings: Sequence[FindingScore], loss: float, step: float, at: Callable[[float], Thresholds]) -> float:
    """The highest confidence that loses at most a share of the true volume."""
    whole = sum(finding.true_ml for finding in findings)
    chosen = 0.0
    for value in _steps(step) if whole else ():
        lost = sum(finding.true_ml for finding in findings if not finding.is_believed(at(value)))
        if lost > loss * whole:
            break
        chosen = value
    return chosen


def _steps(step: float) -> list[float]:
    return [round(float(value), 4) for value in np.arange(0, 1, step)]


def _of_kind(cases: Sequence[CaseFindings], kind: Kind) -> list[FindingScore]:
    return [finding for case in cases for finding in case.findings if finding.kind == kind]
