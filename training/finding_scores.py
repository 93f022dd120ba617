"""Findings against the labels: which are true, what they missed, and how far their ranges hold.

A finding is true where at least half of its voxels lie in true ones of its class (kidney and tumor together for a
kidney). A component of the labels is found where a true finding lies on it. Sizes are diameters of the circle (single
slices) or ball (scans) that is as large.

Source: our rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from seru.findings import KIDNEY, TUMOR, Kind, Thresholds
from seru.grid import Grid
from seru.options import SegmentOptions
from seru.orientation import find_orientation
from seru.result.components import Box, bounding_box, label_components
from seru.result.diameters import axial_diameters
from seru.result.finish import finish
from seru.result.gated import Component
from seru.result.maps import Maps
from seru.result.measurements import Measured
from training.labelled import LabelledCase

KINDS: tuple[Kind, Kind] = ("kidney", "tumor")
# The least class value that is true of a kind: a kidney holds its tumors.
_LEAST: dict[Kind, int] = {"kidney": KIDNEY, "tumor": TUMOR}
_TRUE_SHARE = 0.5

Range = tuple[float, float]


@dataclass(frozen=True)
class Interval:
    """A finding's measure, the range that it is said to lie in, and what it is in the labels."""

    found: float
    low: float
    high: float
    true: float

    @property
    def holds(self) -> bool:
        """Whether the true value lies inside."""
        return self.low <= self.true <= self.high


@dataclass(frozen=True)
class FindingScore:
    """A finding of a case, before the gate.

    Attributes:
        case: its id.
        kind: kidney or tumor.
        confidence: 0..1.
        kidney_confidence: of the component with kidney that it lies in; None for a tumor apart from every kidney.
        volume_ml: of a kidney with its tumors.
        size_mm: of the circle or ball.
        true_share: of its voxels, 0..1.
        volume: in ml and without tumors, where it alone lies on true components; else None.
        longest: likewise, the longest diameter in an axial slice, in mm.
    """

    case: str
    kind: Kind
    confidence: float
    kidney_confidence: float | None
    volume_ml: float
    size_mm: float
    true_share: float
    volume: Interval | None = None
    longest: Interval | None = None

    @property
    def is_true(self) -> bool:
        """Whether at least half of it is."""
        return self.true_share >= _TRUE_SHARE

    @property
    def true_ml(self) -> float:
        """How much of it is true."""
        return self.true_share * self.volume_ml

    def is_believed(self, thresholds: Thresholds) -> bool:
        """Whether the gate keeps it: a tumor needs the kidney that it lies in."""
        if self.kidney_confidence is not None and self.kidney_confidence < thresholds.kidney:
            return False
        return self.kind == "kidney" or self.confidence >= thresholds.tumor


@dataclass(frozen=True)
class TrueComponent:
    """A component of the labels.

    Attributes:
        case: its id.
        kind: kidney (with its tumors) or tumor.
        volume_ml: of all of it.
        size_mm: of the circle or ball.
        finders: the true findings on it.
    """

    case: str
    kind: Kind
    volume_ml: float
    size_mm: float
    finders: tuple[FindingScore, ...]

    def is_found(self, thresholds: Thresholds) -> bool:
        """Whether one of its findings is believed."""
        return any(finder.is_believed(thresholds) for finder in self.finders)


@dataclass(frozen=True)
class CaseFindings:
    """The findings of a case and the components of its labels, of the kinds that the labels tell."""

    case: LabelledCase
    findings: tuple[FindingScore, ...]
    truths: tuple[TrueComponent, ...]


def score_findings(
    case: LabelledCase, maps: Maps, truth: np.ndarray, alpha: float, has_intervals: bool = True
) -> CaseFindings:
    """Compare the findings of a case, all believed, with its labels.

    Args:
        case: whose labels they are.
        maps: of the cascade.
        truth: uint8, the scan's own grid (K, J, I).
        alpha: of the fusion, 0..1.
        has_intervals: find each finding's ranges and what is true of it, which takes about half of the time.

    Returns:
        Findings and true components; small components, which are not listed as findings, are left out.
    """
    measured = finish(maps, SegmentOptions(alpha=alpha, min_confidence=0), has_ranges=has_intervals).measured
    kidneys = [one.component for one in measured if one.component.kind == "kidney"]
    findings: list[FindingScore] = []
    truths: list[TrueComponent] = []
    for kind, is_known in zip(KINDS, (case.knows_kidney, case.knows_tumor), strict=True):
        if not is_known:
            continue
        labels = _Truth(case, kind, truth, maps)
        ours = [one for one in measured if one.component.kind == kind]
        scores = [labels.score(one, _kidney_confidence(one.component, kidneys)) for one in ours]
        on = [labels.components_under(one.component) if s.is_true else [] for one, s in zip(ours, scores, strict=True)]
        counts = np.bincount([number for numbers in on for number in numbers], minlength=labels.count)
        scores = [
            labels.with_intervals(score, one, numbers)
            if has_intervals and numbers and max(counts[numbers]) == 1
            else score
            for score, one, numbers in zip(scores, ours, on, strict=True)
        ]
        findings += scores
        truths += labels.components(scores, on)
    return CaseFindings(case, tuple(findings), tuple(truths))


class _Truth:
    """The components of one kind in the labels of a case."""

    def __init__(self, case: LabelledCase, kind: Kind, truth: np.ndarray, maps: Maps) -> None:
        self._case, self._kind, self._truth, self._maps = case, kind, truth, maps
        self._numbers = np.zeros(truth.shape, np.int32)
        mask = truth >= _LEAST[kind]
        if (box := bounding_box(mask)) is not None:
            self._numbers[box] = label_components(mask[box])
        self._sizes = np.bincount(self._numbers[mask], minlength=1)
        self.count = len(self._sizes)

    def score(self, one: Measured, kidney_confidence: float | None) -> FindingScore:
        """Score a finding without its intervals."""
        component = one.component
        voxels = np.count_nonzero(component.voxels)
        true = np.count_nonzero(self._under(component))
        volume_ml = float(voxels * self._maps.grid.voxel_ml)
        size_mm = equivalent_mm(volume_ml, self._maps.grid)
        share = float(true / voxels)
        return FindingScore(
            self._case.id, self._kind, component.confidence, kidney_confidence, volume_ml, size_mm, share
        )

    def components_under(self, component: Component) -> list[int]:
        """The numbers of the true components that a finding lies on."""
        numbers = self._under(component)
        return np.unique(numbers[numbers > 0]).tolist()

    def with_intervals(self, score: FindingScore, one: Measured, numbers: list[int]) -> FindingScore:
        """Add what the finding is in the labels."""
        finding = one.finding
        mask = np.isin(self._numbers, numbers) & (self._truth == _LEAST[self._kind])
        volume_ml, longest_mm = _measures(mask, self._maps.grid)
        return replace(
            score,
            volume=_interval(finding.volume_ml, finding.volume_range_ml, volume_ml),
            longest=_interval(finding.longest.mm, finding.longest_range_mm, longest_mm),
        )

    def components(self, scores: Iterable[FindingScore], on: Iterable[list[int]]) -> list[TrueComponent]:
        """The true components with their findings."""
        finders: dict[int, list[FindingScore]] = {}
        for score, numbers in zip(scores, on, strict=True):
            for number in numbers:
                finders.setdefault(number, []).append(score)
        found = []
        for number, size in enumerate(self._sizes.tolist()):
            if size:
                volume_ml = size * self._maps.grid.voxel_ml
                size_mm, ours = equivalent_mm(volume_ml, self._maps.grid), tuple(finders.get(number, ()))
                found.append(TrueComponent(self._case.id, self._kind, volume_ml, size_mm, ours))
        return found

    def _under(self, component: Component) -> np.ndarray:
        """The numbers of the true components at a finding's voxels."""
        return self._numbers[_moved(component.box, self._maps.lower_kji)][component.voxels]


def equivalent_mm(volume_ml: float, grid: Grid) -> float:
    """Return the diameter of the ball, or in a single slice of the circle, that is as large.

    Args:
        volume_ml: of a component.
        grid: of its scan.

    Returns:
        In mm.
    """
    stack_axis = find_orientation(grid).stack_axis_ijk
    if grid.shape_ijk[stack_axis] == 1:
        area_mm2 = volume_ml * 1000 / grid.spacing_ijk_mm[stack_axis]
        return 2 * math.sqrt(area_mm2 / math.pi)
    return 2 * (volume_ml * 1000 * 3 / (4 * math.pi)) ** (1 / 3)


def _kidney_confidence(component: Component, kidneys: Iterable[Component]) -> float | None:
    if component.kind == "kidney":
        return component.confidence
    place = np.argwhere(component.voxels)[0]
    first = [int(at) + part.start for at, part in zip(place, component.box, strict=True)]
    for kidney in kidneys:
        inside = [at - part.start for at, part in zip(first, kidney.box, strict=True)]
        is_in_box = all(0 <= at < size for at, size in zip(inside, kidney.voxels.shape, strict=True))
        if is_in_box and kidney.voxels[tuple(inside)]:
            return kidney.confidence
    return None


def _interval(found: float, limits: Range | None, true: float) -> Interval | None:
    return None if limits is None else Interval(found, *limits, true)


def _measures(mask: np.ndarray, grid: Grid) -> tuple[float, float]:
    """Volume in ml and longest axial diameter in mm."""
    box = bounding_box(mask)
    if box is None:
        return 0.0, 0.0
    orientation = find_orientation(grid)
    rows_mm, columns_mm = (grid.spacing_kji_mm[axis] for axis in orientation.axes[1:])
    axial = axial_diameters(orientation.to_stack(mask[box]), (rows_mm, columns_mm))
    return float(np.count_nonzero(mask) * grid.voxel_ml), axial.longest_mm if axial else 0.0


def _moved(box: Box, lower: Iterable[int]) -> Box:
    k, j, i = (slice(part.start + low, part.stop + low) for part, low in zip(box, lower, strict=True))
    return k, j, i
