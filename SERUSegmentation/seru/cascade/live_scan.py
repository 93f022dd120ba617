"""One CT between its stages: what they gave is kept, so that a side can be refined again in another box.

A run is the same, done once: look, refine, fuse. So the result after any change of boxes is that of a whole run with
these boxes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.boxes import check_boxes, place_boxes
from seru.cascade.coarse import run_coarse
from seru.cascade.crops import Crops, find_crops
from seru.cascade.preprocessing import Prepared, prepare
from seru.cascade.refine import Refined, RefinedCrop
from seru.cascade.report import geometry_facts, input_facts, model_facts, side_findings
from seru.cascade.stage_maps import make_maps
from seru.ct_check import check_is_ct
from seru.findings import SIDES, Index, Report, Side, SliceCounts
from seru.model.card import ModelCard
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.progress import RunRecord
from seru.result import finish
from seru.result.maps import Maps
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
    """

    labels_kji: np.ndarray
    maps: Maps
    report: Report


@dataclass(frozen=True, eq=False)
class RefinedPart:
    """Some slices of a side that was refined just now, on the input's own grid.

    Attributes:
        side: the patient's.
        stack_axis: of the slices: 0 = i, 1 = j, 2 = k.
        ijk_min: first voxel of the part: the slices, and in the plane what the side's old and new crops cover.
        ijk_max: last voxel, inside the part.
        coarse: uint8, shape (K, J, I, 2): kidney and tumor probability times 255.
        refined: likewise, as in the maps.
    """

    side: Side
    stack_axis: int
    ijk_min: Index
    ijk_max: Index
    coarse: np.ndarray
    refined: np.ndarray


class LiveScan:
    """A CT that the coarse stage has seen.

    Args:
        volume: the CT.
        card: of the model.
        options: how to run; only its boxes and what is of the result may change later.
        runner: runs the networks.
        record: of the run.

    Attributes:
        volume: the CT.
        options: of the last result.

    Raises:
        BadInputError: the volume is no CT, or a box lies outside it.
        CancelledError: the run was cancelled.
        DeviceError: the device failed, or there is too little memory.
    """

    def __init__(
        self, volume: Volume, card: ModelCard, options: SegmentOptions, runner: BatchRunner, record: RunRecord
    ) -> None:
        self.volume, self.options, self._card = volume, options, card
        self._stack = AxialStack.of(volume)
        with record.timed("preprocess"):
            check_boxes(options.boxes, volume.grid)
            record.warn_of(check_is_ct(volume))
            prepared = prepare(self._stack, card)
            record.stage("preprocess", 1, 1)
        with record.timed("coarse"):
            self._coarse = coarse = run_coarse(prepared, runner, options, record)
            record.warn_of(coarse.warnings)
        with record.timed("key_slices"):
            mask, probability = coarse.mask(), coarse.probability()
            self._found = find_crops(mask, prepared, card, options, coarse.slices.start, probability)
        self._prepared: Prepared | None = prepared
        self._midline = prepared.midline
        self._crops, self._refined = self._found, Refined({})
        self._warnings, self._seconds = tuple(record.warnings), dict(record.seconds)

    def refine(
        self, options: SegmentOptions, runner: BatchRunner, record: RunRecord
    ) -> Generator[PartMaker, None, None]:
        """Refine each side whose crop is another one than the last time; before the end nothing changes.

        Args:
            options: with the boxes.
            runner: runs the network.
            record: of the run.

        Yields:
            What makes the part that has just arrived, outward from each key slice.

        Raises:
            SeruError: as the class.
        """
        assert self._prepared is not None, "the scan was closed"
        self._take_up(record)
        check_boxes(options.boxes, self.volume.grid)
        places = self._prepared, self._stack.orientation, self._card
        crops = place_boxes(self._found, options.boxes, self._coarse, *places)
        record.warn_of(crops.warnings)
        record.stage("key_slices", 1, 1)
        with record.timed("refine"):
            refined = self._kept(crops)
            wanted = [(side, crop) for side in SIDES if (crop := crops.by_side[side]) and side not in refined]
            done, total = 0, sum(len(crop.slices) for _, crop in wanted)
            record.stage("refine", done, total)
            for side, crop in wanted:
                refined[side] = new = RefinedCrop.empty(crop)
                for slices in new.run(self._prepared, runner, record):
                    for _ in slices:
                        done += 1
                        record.stage("refine", done, total)
                    yield PartMaker(self, Refined(refined), side, slices)
        self.options, self._crops, self._refined = options, crops, Refined(refined)

    def close(self) -> None:
        """Give the pre-processed slices up: a large scan needs the room. No side can be refined any more."""
        self._prepared = None

    def result(self, runner: BatchRunner, record: RunRecord) -> SegmentResult:
        """Fuse and measure.

        Args:
            runner: that ran.
            record: of the run, for the report.

        Returns:
            Labels, maps and report.

        Raises:
            CancelledError: the run was cancelled.
        """
        options, card, stack, crops = self.options, self._card, self._stack, self._crops
        with record.timed("fuse"):
            alpha = card.alpha if options.alpha is None else options.alpha
            coarse = self._coarse.probabilities
            own = card.least_confidences
            maps = make_maps(stack, self._midline, coarse, self._refined.over(coarse), alpha, own)
            finished = finish(maps, options)
            if any(self._found.by_side.values()) and not finished.findings:
                record.warn_of([_NOTHING_LEFT])
            record.stage("fuse", 1, 1)
        right, left = (side_findings(crops.by_side[side], finished.measures[side], stack) for side in SIDES)
        report = Report(
            input=input_facts(self.volume),
            geometry=geometry_facts(stack),
            model=model_facts(card),
            device=runner.engine.device,
            engine=runner.engine.name,
            alpha=alpha,
            options=options.deciding(),
            seconds=dict(record.seconds),
            slices=SliceCounts(len(stack.hu), self._coarse.passes, self._refined.passes),
            thresholds=finished.thresholds,
            warnings=tuple(record.warnings),
            remarks=finished.remarks,
            right=right,
            left=left,
            findings=finished.findings,
            islands=finished.islands,
        )
        return SegmentResult(maps.whole(finished.labels_box), maps, report)

    def part(self, refined: Refined, side: Side, slices: range) -> RefinedPart:
        """Return some slices of a side that is being refined.

        Args:
            refined: so far.
            side: the patient's.
            slices: of the stack, that have arrived.

        Returns:
            The part, over what the side's crop covers and covered before.
        """
        shape = self._stack.hu.shape
        crops = [refined.crop(side), self._crops.by_side[side]]
        places = [crop.region.inside(shape[1:]) for crop in crops if crop is not None]
        rows, columns = (
            slice(min(part.start for part in parts), max(part.stop for part in parts))
            for parts in zip(*places, strict=True)
        )
        box = slices, range(rows.start, rows.stop), range(columns.start, columns.stop)
        low, high = self._stack.orientation.ijk_of_box(box, shape)
        coarse = self._coarse.probabilities
        whole = np.stack([refined.slice_over(coarse, index)[:, rows, columns] for index in slices])
        return RefinedPart(
            side=side,
            stack_axis=self._stack.orientation.stack_axis_ijk,
            ijk_min=low,
            ijk_max=high,
            coarse=self._on_input(coarse[slices.start : slices.stop, :, rows, columns]),
            refined=self._on_input(whole),
        )

    def _take_up(self, record: RunRecord) -> None:
        """Let a later request's record begin with what the first one told."""
        record.warn_of(warning for warning in self._warnings if warning not in record.warnings)
        for stage, seconds in self._seconds.items():
            record.seconds.setdefault(stage, seconds)

    def _kept(self, crops: Crops) -> dict[Side, RefinedCrop | None]:
        """Of the last time, the sides whose crops are still the same."""
        last = self._refined.by_side
        return {side: kept for side in SIDES if (kept := last.get(side)) and kept.crop == crops.by_side[side]}

    def _on_input(self, probabilities: np.ndarray) -> np.ndarray:
        return np.stack([self._stack.orientation.from_stack(probabilities[:, n]) for n in range(2)], axis=-1)


@dataclass(frozen=True, eq=False)
class PartMaker:
    """What has just arrived: nothing is worked out for those who do not ask.

    Attributes:
        scan: of the side.
        refined: so far.
        side: that is refined.
        slices: of the stack.
    """

    scan: LiveScan
    refined: Refined
    side: Side
    slices: range

    def make(self) -> RefinedPart:
        """Return the part, as it is now."""
        return self.scan.part(self.refined, self.side, self.slices)
