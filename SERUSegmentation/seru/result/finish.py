"""From maps to labels and findings: the only place that fuses, gates, cleans up and measures.

The cascade, ``seru fuse`` and the panel call :func:`finish`; a result at another alpha equals a fresh run at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seru.findings import Finding, Islands, Measures, Report, Side, Thresholds
from seru.options import SegmentOptions
from seru.result.cleanup import clean_labels
from seru.result.fusion import LiveFusion
from seru.result.gate import gate
from seru.result.gated import Component, Gated
from seru.result.maps import Maps
from seru.result.measurements import Field, Measured, measure, measures_of
from seru.result.ranges import Ranges
from seru.result.remarks import remarks_of
from seru.result.verdicts import Decision, Verdict


@dataclass(frozen=True)
class Finished:
    """A result at one alpha.

    Attributes:
        alpha: weight of the coarse stage.
        thresholds: of what was believed.
        lower_kji: first voxel of the maps' stored box.
        labels_box: uint8, on that box (K, J, I): 0 background, 1 kidney, 2 tumor.
        gated: what the gate said, before clean-up.
        measures: sums of both sides.
        measured: kidneys, then tumors, the largest first; those that are not believed too.
        remarks: what the user should know of them, one sentence each.
        islands: what is too small to be listed.
    """

    alpha: float
    thresholds: Thresholds
    lower_kji: tuple[int, int, int]
    labels_box: np.ndarray
    gated: Gated
    measures: dict[Side, Measures]
    measured: tuple[Measured, ...]
    remarks: tuple[str, ...]
    islands: Islands

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings alone."""
        return tuple(measured.finding for measured in self.measured)

    def verdict_on(self, finding: Finding, decision: Decision) -> Verdict:
        """Return the verdict that decides on a finding.

        Args:
            finding: of this result.
            decision: of a person.

        Returns:
            The verdict, for :func:`finish`.
        """
        component = self._component_of(finding)
        return Verdict(decision, finding.kind, self._lower_of(component), component.voxels)

    def without_verdict_on(self, finding: Finding, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
        """Return the verdicts less those on a finding.

        Args:
            finding: of this result.
            verdicts: so far.

        Returns:
            The others.
        """
        component = self._component_of(finding)
        lower = self._lower_of(component)
        return tuple(v for v in verdicts if not (v.kind == finding.kind and v.is_on(lower, component.voxels)))

    def _component_of(self, finding: Finding) -> Component:
        return next(measured.component for measured in self.measured if measured.finding == finding)

    def _lower_of(self, component: Component) -> tuple[int, int, int]:
        k, j, i = (low + part.start for low, part in zip(self.lower_kji, component.box, strict=True))
        return k, j, i

    def report_of(self, report: Report) -> Report:
        """Return the report of this result.

        Args:
            report: of the same run, at whatever alpha.

        Returns:
            A new report.
        """
        return replace(
            report,
            alpha=self.alpha,
            thresholds=self.thresholds,
            remarks=self.remarks,
            right=report.right.at(self.measures["right"]),
            left=report.left.at(self.measures["left"]),
            findings=self.findings,
            islands=self.islands,
            labels_sha256=None,
        )


def finish(
    maps: Maps,
    options: SegmentOptions,
    fusion: LiveFusion | None = None,
    verdicts: Sequence[Verdict] | None = None,
    has_ranges: bool = True,
) -> Finished:
    """Fuse, gate, clean up and measure.

    Args:
        maps: of a run.
        options: alpha and least confidence (None takes the maps' own) and clean-up.
        fusion: of the same maps, where there is one already: what it has worked out is not done again.
        verdicts: of a person; None takes those that the maps carry.
        has_ranges: find the findings' ranges, which takes about half of the time.

    Returns:
        Labels and findings.
    """
    alpha, thresholds = alpha_of(maps, options), thresholds_of(maps.thresholds, options)
    fusion = fusion or LiveFusion(maps)
    gated = gate(fusion.box_labels(alpha), maps, alpha, thresholds, maps.verdicts if verdicts is None else verdicts)
    labels = _cleaned(gated, maps, options)
    field = Field(maps.grid, maps.lower_kji, labels, maps.hu_box, maps.tilt)
    measured = measure(gated.components, field, Ranges(fusion, labels, alpha) if has_ranges else None)
    findings = [one.finding for one in measured]
    return Finished(
        alpha=alpha,
        thresholds=thresholds,
        lower_kji=maps.lower_kji,
        labels_box=labels,
        gated=gated,
        measures=measures_of(labels.reshape(-1)[maps.flat_index], maps.sides, maps.grid, findings),
        measured=measured,
        remarks=remarks_of(findings),
        islands=gated.islands(labels, maps.grid.voxel_ml),
    )


def alpha_of(maps: Maps, options: SegmentOptions) -> float:
    """Return the alpha that the options ask for; the run's own where they leave it open."""
    return maps.alpha if options.alpha is None else options.alpha


def thresholds_of(own: Thresholds, options: SegmentOptions) -> Thresholds:
    """Return the least confidences that the options ask for; the model's own where they leave it open."""
    return own if options.min_confidence is None else Thresholds.of_all(options.min_confidence)


def _cleaned(gated: Gated, maps: Maps, options: SegmentOptions) -> np.ndarray:
    """The labels, cleaned up; what a person accepted stays."""
    labels = clean_labels(gated.labels_box, maps.sides_box, maps.grid.voxel_ml, options)
    if labels is not gated.labels_box:
        for component in gated.components:
            if component.status == "accepted":
                inside, before = labels[component.box], gated.labels_box[component.box]
                np.copyto(inside, before, where=component.voxels)
    return labels
