"""The method, told in stage functions: look, choose the crops, refine (:mod:`seru.cascade.refine`), conclude.

Each takes frozen values and returns one; none changes what it was given.

Source: SERU manuscript, method section; what goes beyond it is a switch of :class:`seru.options.SegmentOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.boxes import check_boxes, place_boxes
from seru.cascade.coarse import Coarse, run_coarse
from seru.cascade.crops import Crops, find_crops
from seru.cascade.preprocessing import Prepared, prepare
from seru.cascade.refine import Refined
from seru.cascade.report import model_facts, side_findings
from seru.cascade.stage_maps import make_maps
from seru.ct_check import check_is_ct
from seru.findings import SIDES, Report, SliceCounts
from seru.model.card import ModelCard
from seru.options import SegmentOptions, SideBox
from seru.orientation import AxialStack
from seru.progress import RunRecord
from seru.result import finish
from seru.result.facts import geometry_facts, input_facts
from seru.result.maps import Maps
from seru.result.measurements import Measured
from seru.volume import Volume

_NOTHING_LEFT = (
    "A kidney was found on whole slices, but nothing of it is left in the result; look at the scan yourself."
)


@dataclass(frozen=True)
class SegmentResult:
    """What a run gives.

    Attributes:
        labels_kji: uint8, shape (K, J, I), the input's own grid: 0 background, 1 kidney, 2 tumor.
        maps: probabilities of both stages; :class:`seru.result.fusion.LiveFusion` fuses them at any alpha.
        report: what was found.
        measured: its findings with their voxels in the box that the maps store.
    """

    labels_kji: np.ndarray
    maps: Maps
    report: Report
    measured: tuple[Measured, ...]


@dataclass(frozen=True, eq=False)
class Looked:
    """A CT that the coarse stage has seen: all that is needed to refine it, wherever.

    Attributes:
        volume: the CT.
        card: of the model.
        options: that it was looked at with.
        stack: the CT as an axial stack.
        prepared: the stack as the networks see it; None once it was given up.
        midline: column of the body's middle.
        coarse: what the coarse stage gave.
        found: key slices and crops, where the kidneys were found.
        warnings: what was told so far, one sentence each.
        seconds: that each stage took.
    """

    volume: Volume
    card: ModelCard
    options: SegmentOptions
    stack: AxialStack
    prepared: Prepared | None
    midline: float
    coarse: Coarse
    found: Crops
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]

    def without_images(self) -> Looked:
        """Return it without the pre-processed slices: a large scan needs the room. It cannot be refined any more."""
        return replace(self, prepared=None)

    def read_from(self, volume: Volume) -> Looked:
        """Return it as read from other files, whose names, headers and warnings count from now on.

        Args:
            volume: of the same voxels on the same grid.
        """
        found = (warning for warning in self.warnings if warning not in self.volume.notes)
        # The voxels stay those that are there: the others would be held beside them.
        same = replace(volume, array_kji=self.volume.array_kji)
        return replace(self, volume=same, warnings=(*volume.notes, *found))

    def images(self) -> Prepared:
        """Return the pre-processed slices.

        Raises:
            RuntimeError: they were given up.
        """
        if self.prepared is None:
            raise RuntimeError("The pre-processed slices were given up; look at the CT again.")
        return self.prepared


def look(volume: Volume, card: ModelCard, options: SegmentOptions, runner: BatchRunner, record: RunRecord) -> Looked:
    """Run the coarse stage and find the kidneys.

    Args:
        volume: the CT, any orientation.
        card: of the model.
        options: how to run.
        runner: runs the networks.
        record: of the run.

    Returns:
        What the coarse stage gave, and the crops.

    Raises:
        BadInputError: the volume is no CT, or a box lies outside it.
        CancelledError: the run was cancelled.
        DeviceError: the device failed, or there is too little memory.
    """
    stack = AxialStack.of(volume)
    with record.timed("preprocess"):
        check_boxes(options.boxes, volume.grid)
        record.warn_of(check_is_ct(volume))
        prepared = prepare(stack, card)
        record.stage("preprocess", 1, 1)
    with record.timed("coarse"):
        coarse = run_coarse(prepared, runner, options, record)
        record.warn_of(coarse.warnings)
    with record.timed("key_slices"):
        found = find_crops(coarse.mask(), prepared, card, options, coarse.slices.start, coarse.probability())
    told = tuple(record.warnings), dict(record.seconds)
    return Looked(volume, card, options, stack, prepared, prepared.midline, coarse, found, *told)


def choose_crops(looked: Looked, boxes: Sequence[SideBox], record: RunRecord) -> Crops:
    """Return the crops: where the kidneys were found, or where a person put a box.

    Args:
        looked: the CT.
        boxes: one a side at most.
        record: of the run.

    Returns:
        Key slices and crops.

    Raises:
        BadInputError: a box lies outside the CT.
    """
    check_boxes(boxes, looked.volume.grid)
    places = looked.images(), looked.stack.orientation, looked.card
    crops = place_boxes(looked.found, boxes, looked.coarse, *places)
    record.warn_of(crops.warnings)
    record.stage("key_slices", 1, 1)
    return crops


def conclude(
    looked: Looked, crops: Crops, refined: Refined, options: SegmentOptions, runner: BatchRunner, record: RunRecord
) -> SegmentResult:
    """Fuse both stages and measure.

    Args:
        looked: the CT.
        crops: of both sides.
        refined: in these crops.
        options: of the result.
        runner: that ran.
        record: of the run, for the report.

    Returns:
        Labels, maps and report.

    Raises:
        CancelledError: the run was cancelled.
    """
    card, stack = looked.card, looked.stack
    with record.timed("fuse"):
        alpha = card.alpha if options.alpha is None else options.alpha
        coarse = looked.coarse.probabilities
        slices = refined.slices_over(looked.coarse.slices)
        whole = refined.over(coarse, slices)
        maps = make_maps(stack, looked.midline, coarse, whole, slices, alpha, card.least_confidences)
        finished = finish(maps, options)
        if any(looked.found.by_side.values()) and not finished.findings:
            record.warn_of([_NOTHING_LEFT])
        record.stage("fuse", 1, 1)
    right, left = (side_findings(crops.by_side[side], finished.measures[side], stack) for side in SIDES)
    report = Report(
        input=input_facts(looked.volume),
        geometry=geometry_facts(stack.grid),
        model=model_facts(card),
        device=runner.engine.device,
        engine=runner.engine.name,
        alpha=alpha,
        options=options.deciding(),
        seconds=dict(record.seconds),
        slices=SliceCounts(len(stack.hu), looked.coarse.passes, refined.passes),
        thresholds=finished.thresholds,
        warnings=tuple(record.warnings),
        remarks=finished.remarks,
        right=right,
        left=left,
        findings=finished.findings,
        islands=finished.islands,
    )
    return SegmentResult(maps.whole(finished.labels_box), maps, report, finished.measured)
