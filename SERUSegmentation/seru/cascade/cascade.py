"""SERU's stages in order: coarse, key slices and crops, refine, fusion.

Source: SERU manuscript, method section; what goes beyond it is a switch of :class:`seru.options.SegmentOptions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.coarse import run_coarse
from seru.cascade.crops import find_crops
from seru.cascade.preprocessing import prepare
from seru.cascade.refine import run_refine
from seru.cascade.report import geometry_facts, input_facts, model_facts, side_findings
from seru.cascade.stage_maps import make_maps
from seru.ct_check import check_is_ct
from seru.errors import NO_MEMORY, BadInputError, DeviceError, is_memory_error
from seru.findings import SIDES, Report, SliceCounts
from seru.model.engines import check_engine
from seru.model.store import Model, find_model
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.progress import Progress, RunRecord
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


def segment(
    volume: Volume,
    model: Model | str | Path | None = None,
    options: SegmentOptions | None = None,
    progress: Progress | None = None,
) -> SegmentResult:
    """Find kidneys and kidney tumors in a CT.

    Args:
        volume: the CT, any orientation.
        model: its id or its folder, or what :func:`seru.model.store.find_model` gave; None takes the default model.
        options: None takes the defaults.
        progress: None is silent.

    Returns:
        Labels, maps and report.

    Raises:
        BadInputError: the volume is no CT, or an option is wrong.
        ModelError: the model is unknown, or its weights are missing or damaged.
        DeviceError: the device is not on this computer or failed, or the memory is too small.
        CancelledError: the run was cancelled.
    """
    if not isinstance(volume, Volume):
        raise BadInputError(
            f"The CT is given as {type(volume).__name__} and not as a volume; "
            "read a file with seru.read_volume, or make one with Volume.from_array."
        )
    if not isinstance(model, Model):
        model = find_model(model)
    return Segmenter(model, options or SegmentOptions()).segment(volume, progress)


class Segmenter:
    """The cascade with its networks loaded once, for many volumes.

    Args:
        model: card and weights; nothing is loaded before the first volume.
        options: how to run.

    Raises:
        DeviceError: the device or the engine that the options name is not on this computer.
    """

    def __init__(self, model: Model, options: SegmentOptions) -> None:
        check_engine(options.engine, options.device)
        self.model = model
        self.options = options
        self._runner: BatchRunner | None = None

    def segment(self, volume: Volume, progress: Progress | None = None) -> SegmentResult:
        """Segment one volume.

        Args:
            volume: the CT, any orientation.
            progress: None is silent; a record that has begun with the reading goes into the report.

        Returns:
            As :func:`segment`.

        Raises:
            SeruError: as :func:`segment`.
        """
        record = progress if isinstance(progress, RunRecord) else RunRecord(progress or Progress())
        try:
            if self._runner is None or self._runner.has_fallen_back:
                # One volume that was too large for the device decides nothing for the next.
                self._runner = BatchRunner(self.model, self.options)
            return self._run(volume, self._runner, record)
        except Exception as error:
            if not is_memory_error(error):
                raise
            raise DeviceError(NO_MEMORY) from error

    def _run(self, volume: Volume, runner: BatchRunner, record: RunRecord) -> SegmentResult:
        card, options = self.model.card, self.options
        stack = AxialStack.of(volume)
        with record.timed("preprocess"):
            record.warn_of(check_is_ct(volume))
            prepared = prepare(stack, card)
            record.stage("preprocess", 1, 1)
        with record.timed("coarse"):
            coarse = run_coarse(prepared, runner, options, record)
            record.warn_of(coarse.warnings)
        with record.timed("key_slices"):
            crops = find_crops(coarse.mask(), prepared, card, options, coarse.slices.start, coarse.probability())
            record.warn_of(crops.warnings)
            record.stage("key_slices", 1, 1)
        with record.timed("refine"):
            refined = run_refine(prepared, coarse, crops, runner, record)
        with record.timed("fuse"):
            midline = prepared.midline
            del prepared  # a large scan needs the room
            alpha = card.alpha if options.alpha is None else options.alpha
            own = card.least_confidences
            maps = make_maps(stack, midline, coarse.probabilities, refined.probabilities, alpha, own)
            finished = finish(maps, options)
            if any(crops.by_side.values()) and not finished.findings:
                record.warn_of([_NOTHING_LEFT])
            record.stage("fuse", 1, 1)
        right, left = (side_findings(crops.by_side[side], finished.measures[side], stack) for side in SIDES)
        report = Report(
            input=input_facts(volume),
            geometry=geometry_facts(stack),
            model=model_facts(card),
            device=runner.engine.device,
            engine=runner.engine.name,
            alpha=alpha,
            options=options.deciding(),
            seconds=dict(record.seconds),
            slices=SliceCounts(len(stack.hu), coarse.passes, refined.passes),
            thresholds=finished.thresholds,
            warnings=tuple(record.warnings),
            remarks=finished.remarks,
            right=right,
            left=left,
            findings=finished.findings,
            islands=finished.islands,
        )
        return SegmentResult(maps.whole(finished.labels_box), maps, report)
