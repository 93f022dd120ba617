"""Nephrometry: how complex a renal tumor is, from labels alone.

Every component says what it was computed from and how; what the labels do not hold (the renal sinus, the collecting
system, vessels) is derived or left open, with the reason. A person must check each component.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from seru.findings import SIDES, Finding, Report, Side
from seru.grid import Grid
from seru.result.measurements import Field, count_voxels, volumes_of
from seru.result.nephrometry.anatomy import anatomy_of
from seru.result.nephrometry.centrality import centrality_aspect
from seru.result.nephrometry.contact import contact_aspect
from seru.result.nephrometry.drawing import Drawing, drawing_of
from seru.result.nephrometry.location import KIDNEY_CUT, Case, find_gap
from seru.result.nephrometry.outline import find_outline
from seru.result.nephrometry.padua import padua_score
from seru.result.nephrometry.renal import renal_score
from seru.result.nephrometry.sinus import find_sinus, sinus_aspect
from seru.scores import Aspect, Nephrometry, Score, rounded

__all__ = ["Aspect", "Drawing", "Nephrometry", "Score", "Study", "nephrometry", "scored", "studies"]


@dataclass(frozen=True)
class Study:
    """The largest tumor of a kidney.

    Attributes:
        tumor: the finding.
        scores: of it.
        drawing: what they were computed from.
    """

    tumor: Finding
    scores: Nephrometry
    drawing: Drawing


def nephrometry(
    labels: np.ndarray,
    sides: np.ndarray,
    grid: Grid,
    findings: Iterable[Finding],
    lower_kji: tuple[int, int, int] = (0, 0, 0),
) -> dict[Side, Nephrometry | None]:
    """Score the largest tumor of each kidney.

    Args:
        labels: uint8, shape (K, J, I): 0 background, 1 kidney, 2 tumor.
        sides: uint8, same shape: 0 none, 1 the patient's right, 2 the patient's left.
        grid: of the whole scan.
        findings: of the same labels.
        lower_kji: where the labels' first voxel lies in the scan.

    Returns:
        For ``right`` and ``left`` the scores; None where the findings or the labels hold no kidney or no tumor.
    """
    found = studies(labels, sides, grid, findings, lower_kji)
    return {side: None if study is None else study.scores for side, study in found.items()}


def studies(
    labels: np.ndarray,
    sides: np.ndarray,
    grid: Grid,
    findings: Iterable[Finding],
    lower_kji: tuple[int, int, int] = (0, 0, 0),
) -> dict[Side, Study | None]:
    """Score the largest tumor of each kidney, with what the scores were computed from.

    Args:
        labels: as :func:`nephrometry`.
        sides: likewise.
        grid: likewise.
        findings: likewise.
        lower_kji: likewise.

    Returns:
        As :func:`nephrometry`, with the drawing of each.
    """
    field = Field(grid, lower_kji, labels)
    counted = [finding for finding in findings if finding.is_counted]
    split = _split(field, sides, counted)
    return {side: _of_side(side, field, sides, counted, split) for side in SIDES}


def scored(
    report: Report, labels: np.ndarray, sides: np.ndarray, grid: Grid, lower_kji: tuple[int, int, int] = (0, 0, 0)
) -> Report:
    """Return a report with the nephrometry of each side that has a kidney and a tumor.

    It takes tenths of a second, so it is worked out where a report is written, and not each time a slider is released.

    Args:
        report: of these labels.
        labels: as :func:`nephrometry`.
        sides: likewise.
        grid: likewise.
        lower_kji: likewise.

    Returns:
        A new report.
    """
    scores = nephrometry(labels, sides, grid, report.findings, lower_kji)
    right, left = (replace(report.side(side), nephrometry=scores[side]) for side in SIDES)
    return replace(report, right=right, left=left)


def _of_side(side: Side, field: Field, sides: np.ndarray, counted: list[Finding], split: Aspect) -> Study | None:
    kidneys = [finding for finding in counted if finding.side == side and finding.kind == "kidney"]
    tumors = [finding for finding in counted if finding.side == side and finding.kind == "tumor"]
    anatomy = anatomy_of(field, sides, side) if kidneys and tumors else None
    if anatomy is None:
        return None
    largest = max(tumors, key=lambda tumor: tumor.volume_ml)
    sinus, outline = find_sinus(anatomy), find_outline(anatomy)
    gap, hilar_gap = (find_gap(anatomy, sinus.mask), find_gap(anatomy, sinus.opening)) if sinus else (None, None)
    is_cut = any(kidney.cut_by_edge for kidney in kidneys)
    case = Case(anatomy, sinus, largest.longest.mm, is_cut, largest.cut_by_edge)
    scores = Nephrometry(
        len(tumors),
        sinus_aspect(anatomy, sinus, is_cut),
        renal_score(case, outline, gap, hilar_gap),
        padua_score(case, outline, gap),
        centrality_aspect(case),
        contact_aspect(case, outline),
        split,
    )
    return Study(largest, scores, drawing_of(case, largest, gap, scores.centrality))


def _split(field: Field, sides: np.ndarray, counted: list[Finding]) -> Aspect:
    """Split renal volume: both kidneys without their tumors."""
    name, how = "split renal volume", "Voxels of each side's kidney without tumors, and their share of both."
    if any(finding.cut_by_edge for finding in counted if finding.kind == "kidney"):
        return Aspect.unknown(name, how, KIDNEY_CUT)
    volumes = volumes_of(count_voxels(field.labels, sides), field.grid.voxel_ml)
    right, left = volumes["right"].kidney_ml, volumes["left"].kidney_ml
    if right + left == 0:
        return Aspect.unknown(name, how, "The labels hold no kidney.")
    share = right / (right + left)
    value = f"right {100 * share:.0f} %, left {100 - 100 * share:.0f} %"
    numbers = rounded(right_ml=right, left_ml=left, right_share=share, left_share=1 - share)
    return Aspect(name, value, None, how, numbers=numbers)
