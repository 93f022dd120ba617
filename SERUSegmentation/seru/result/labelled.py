"""Findings and measures of labels that anyone made: no probabilities, so no confidence, ranges or candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from seru.findings import (
    BACKGROUND,
    SIDES,
    TUMOR,
    Finding,
    InputFacts,
    Islands,
    MeasuredLabels,
    Measures,
    Report,
    Side,
    SideFindings,
    SliceCounts,
    Thresholds,
    rounded,
)
from seru.grid import Grid
from seru.orientation import find_orientation
from seru.result.components import bounding_box
from seru.result.facts import geometry_facts
from seru.result.gated import Gated
from seru.result.judging import Foreground
from seru.result.measurements import Field, Measured, measure, measures_of
from seru.result.nephrometry import scored
from seru.result.remarks import remarks_of_labels
from seru.result.sides import assign_sides, find_midline
from seru.tilt import Tilt


@dataclass(frozen=True, eq=False)
class LabelFindings:
    """What labels show.

    Attributes:
        measured: findings with their voxels: kidneys, then tumors, the largest first; without confidence.
        measures: sums of both sides.
        islands: what is too small to be listed.
        remarks: what the user should know of the findings, one sentence each.
        warnings: what the user should know of how they were measured, one sentence each.
        lower_kji: first voxel of the box that holds all labels.
        labels_box: uint8, on that box (K, J, I).
        sides_box: uint8, likewise: 0 none, 1 the patient's right, 2 the patient's left.
    """

    measured: tuple[Measured, ...]
    measures: Mapping[Side, Measures]
    islands: Islands
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]
    lower_kji: tuple[int, int, int]
    labels_box: np.ndarray
    sides_box: np.ndarray

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, in the order of ``measured``."""
        return tuple(one.finding for one in self.measured)

    def sides_in(self, shape_kji: tuple[int, int, int]) -> np.ndarray:
        """Return the patient's side of each voxel that the labels show, on their whole grid; 0 elsewhere."""
        sides = np.zeros(shape_kji, np.uint8)
        k, j, i = (slice(low, low + size) for low, size in zip(self.lower_kji, self.sides_box.shape, strict=True))
        sides[k, j, i] = np.where(self.labels_box > BACKGROUND, self.sides_box, np.uint8(0))
        return sides


def measure_labels(
    labels_kji: np.ndarray, grid: Grid, hu_kji: np.ndarray | None = None, tilt: Tilt | None = None
) -> LabelFindings:
    """Measure labels.

    Args:
        labels_kji: uint8, shape (K, J, I): 0 background, 1 kidney, 2 tumor; not all of it background.
        grid: of that shape.
        hu_kji: int16 or float32, same shape, Hounsfield units; None where there is no CT.
        tilt: of slices that were set straight.

    Returns:
        What they show.
    """
    mask = labels_kji > BACKGROUND
    box = bounding_box(mask)
    assert box is not None  # there are labels
    labels = labels_kji[box]
    sides = _sides(mask, grid, hu_kji)[box]
    flat = np.flatnonzero(labels)
    foreground = Foreground(labels, flat, sides.reshape(-1)[flat], grid.voxel_ml, lambda kind: np.ones(len(flat)))
    kidneys = foreground.number("kidney")
    kinds = kidneys, foreground.number("tumor", kidneys)
    components = [component for numbered in kinds for component in numbered.listed()]
    lower_kji = box[0].start, box[1].start, box[2].start
    field = Field(grid, lower_kji, labels, None if hu_kji is None else hu_kji[box], tilt)
    measured = tuple(replace(one, finding=replace(one.finding, confidence=None)) for one in measure(components, field))
    findings = tuple(one.finding for one in measured)
    specks = tuple(numbered.specks() for numbered in kinds)
    gated = Gated(labels, np.full_like(labels, TUMOR), tuple(components), specks, np.zeros(0, np.int64))
    return LabelFindings(
        measured=measured,
        measures=measures_of(labels, sides, grid, findings),
        islands=gated.islands(labels, grid.voxel_ml),
        remarks=remarks_of_labels(findings),
        warnings=() if hu_kji is not None else _doubts_of_sides(sides),
        lower_kji=lower_kji,
        labels_box=labels,
        sides_box=sides,
    )


def report_of_labels(
    found: LabelFindings,
    labels: MeasuredLabels,
    ct: InputFacts,
    grid: Grid,
    warnings: tuple[str, ...],
    seconds: dict[str, float],
) -> Report:
    """Return the report of labels.

    Args:
        found: in them.
        labels: which they are.
        ct: that they belong to, as far as it is known.
        grid: of both.
        warnings: of the run.
        seconds: of each stage.

    Returns:
        A report without a model, with nephrometry.
    """
    right, left = (_side_findings(found.measures[side]) for side in SIDES)
    geometry = geometry_facts(grid)
    report = Report(
        input=ct,
        geometry=geometry,
        model=None,
        device=None,
        engine=None,
        alpha=None,
        options={},
        seconds=seconds,
        slices=SliceCounts(geometry.shape_ijk[geometry.stack_axis], 0, 0),
        thresholds=Thresholds(),
        warnings=warnings,
        remarks=found.remarks,
        right=right,
        left=left,
        findings=found.findings,
        islands=found.islands,
        measured=labels,
    )
    return scored(report, found.labels_box, found.sides_box, grid, found.lower_kji)


def _sides(mask_kji: np.ndarray, grid: Grid, hu_kji: np.ndarray | None) -> np.ndarray:
    """The patient's side of each voxel of a mask, as the cascade finds it; without a CT by the image's middle."""
    orientation = find_orientation(grid)
    stack = orientation.to_stack(mask_kji)
    midline = (stack.shape[2] - 1) / 2 if hu_kji is None else find_midline(orientation.to_stack(hu_kji))
    return orientation.from_stack(assign_sides(stack, midline, grid.voxel_ml))


def _doubts_of_sides(sides: np.ndarray) -> tuple[str, ...]:
    """The image's middle may not be the body's; where something lies on both sides of it, it is about there."""
    found = set(np.unique(sides)) - {0}
    if len(found) > 1:
        return ()
    return (
        "Without the CT the middle of the image was taken for the body's, and everything lies on one side of it: "
        "check the side, or give the CT with --ct of 'seru measure'.",
    )


def _side_findings(measures: Measures) -> SideFindings:
    is_present = measures.kidney_ml > 0 or measures.tumor_ml > 0
    return SideFindings(**rounded(measures), present=is_present, key_slice=None, crop=None, nephrometry=None)
