"""Sides that are refined anew in other boxes, one refinement after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import slicer

from seru.errors import BadInputError
from seru.findings import SIDES, Side
from seru.options import SegmentOptions
from SERUSegmentationLib.run.handing import isInScene
from SERUSegmentationLib.run.refinement import RefineRun
from SERUSegmentationLib.run.segmentation import RunSettings, WorkerRun
from SERUSegmentationLib.run.worker import Worker
from SERUSegmentationLib.scene.box_handles import Boxes
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.scene_writer import showCropBoxes
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

    from SERUSegmentationLib.panel.parts import WidgetParts


class Runs(Protocol):
    """What makes runs in the background: the module's logic."""

    worker: Worker

    @property
    def run(self) -> WorkerRun | None:
        """What goes on."""

    def start(
        self,
        run: WorkerRun,
        onProgress: Callable[[], None],
        onFinished: Callable[[LiveResult | None, Exception | None], None],
    ) -> None:
        """Start a run."""

    def cancel(self) -> None:
        """Ask the run to stop."""


@dataclass(frozen=True)
class _Job:
    """A refinement that goes on.

    Attributes:
        result: as it was, whatever is chosen meanwhile.
        before: its boxes.
        sides: whose boxes differ.
    """

    result: LiveResult
    before: Boxes
    sides: tuple[Side, ...]

    @property
    def title(self) -> str:
        """What it is of."""
        if len(self.sides) > 1:
            return _("Both sides")
        return _("Right side") if self.sides == ("right",) else _("Left side")


class Refining:
    """Refines the sides whose boxes differ from the result's.

    Args:
        runs: starts the runs.
        parts: of the panel.
        onChanged: called when a refinement has ended, before its step can be undone.
    """

    def __init__(self, runs: Runs, parts: WidgetParts, onChanged: Callable[[], None]) -> None:
        self._runs, self._parts, self._onChanged = runs, parts, onChanged
        # The result, and where its sides are to be refined once what goes on has stopped.
        self._next: tuple[vtkMRMLSegmentationNode, Boxes] | None = None

    def refine(self, boxes: Boxes) -> bool:
        """Refine the chosen result in other boxes; a refinement that goes on is given up for it.

        Args:
            boxes: one a side at most; a side without one is refined where its kidney was found.

        Returns:
            Whether it is done; minutes of another run are not given up for a box.
        """
        run, result = self._runs.run, self._parts.controller.result
        if run is None:
            self._parts.run.guarded(lambda: self._start(boxes))
        elif isinstance(run, RefineRun) and result is not None:
            self._next = result.segmentationNode, boxes
            self._runs.cancel()
        if not isinstance(self._runs.run, RefineRun):
            _putBoxesBack(result)
            return False
        return True

    def forgetNext(self) -> None:
        """Refine nothing once what goes on has stopped."""
        self._next = None

    def _start(self, boxes: Boxes) -> None:
        parts, result = self._parts, self._parts.controller.result
        volume = inputVolume(result.segmentationNode) if result else None
        if result is None or volume is None:
            raise BadInputError(_("The CT of this result is not in the scene; load it and click Segment."))
        before = parts.boxes.boxes
        # A side that has the same box before and after is in both.
        sides = {box.side for box in set(before) ^ set(boxes)}
        job = _Job(result, before, tuple(side for side in SIDES if side in sides))
        run = self._runOf(result, volume, boxes)
        self._runs.start(run, lambda: self._onProgress(job, run), lambda *ended: self._onEnded(job, run, *ended))
        parts.run.start(job.title)
        self._showRows(job, run)

    def _runOf(self, result: LiveResult, volume: vtkMRMLScalarVolumeNode, boxes: Boxes) -> RefineRun:
        """The run that refines a result with the model and the options that it was made with."""
        inputs, controller, worker = self._parts.inputs, self._parts.controller, self._runs.worker
        options = replace(SegmentOptions.from_deciding(result.report.options), boxes=boxes, device=inputs.device)
        facts = result.report.model
        assert facts is not None  # maps are of a run
        model = inputs.modelOf(facts).key
        settings = RunSettings(model=model, splitSides=result.splitSides, **vars(options))
        worker.idleMinutes = inputs.idleMinutes
        node = result.segmentationNode

        def current() -> LiveResult | None:
            return controller.result if controller.segmentationNode is node else None

        def last() -> LiveResult | None:
            return controller.resultOf(node) if isInScene(node) else None

        return RefineRun(volume, current, last, settings, worker, self._parts.run.log.add)

    def _isChosen(self, job: _Job) -> bool:
        return self._parts.controller.segmentationNode is job.result.segmentationNode

    def _showRows(self, job: _Job, run: RefineRun) -> None:
        self._parts.keySlices.showProgress(job.sides if self._isChosen(job) else (), run.progress)

    def _onProgress(self, job: _Job, run: RefineRun) -> None:
        self._parts.run.update(run.progress)
        self._showRows(job, run)

    def _onEnded(self, job: _Job, run: RefineRun, result: LiveResult | None, error: Exception | None) -> None:
        """Show the sides that were refined, or the boxes as they were."""
        parts, wanted = self._parts, self._next
        self._next = None
        otherVolume = "" if self._isChosen(job) else run.volumeNode.GetName()
        parts.run.finish(error, run.progress, otherVolume, result.report.warnings if result is not None else ())
        parts.keySlices.showProgress((), run.progress)
        isNext = wanted is not None and wanted[0] is parts.controller.segmentationNode
        if result is not None:
            parts.controller.offer(result)
        elif not (isNext and self._isChosen(job)):
            _putBoxesBack(job.result)
            parts.controller.showAgain()
        self._onChanged()
        if result is not None:
            parts.boxes.settle(result, job.before)
            parts.boxes.refresh()
        if wanted is not None and isNext:
            self.refine(wanted[1])


def _putBoxesBack(result: LiveResult | None) -> None:
    if result is not None and not slicer.mrmlScene.IsClosing() and isInScene(result.segmentationNode):
        showCropBoxes(result)
