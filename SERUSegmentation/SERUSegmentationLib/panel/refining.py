"""Sides that are refined anew in other boxes, one refinement after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import slicer

from seru.errors import BadInputError
from seru.options import SegmentOptions
from SERUSegmentationLib.panel.box_panel import Boxes
from SERUSegmentationLib.run.refinement import RefineRun
from SERUSegmentationLib.run.segmentation import RunSettings, WorkerRun
from SERUSegmentationLib.run.worker import Worker
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.scene_writer import showCropBoxes
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

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


class Refining:
    """Refines the sides whose boxes differ from the result's.

    Args:
        runs: starts the runs.
        parts: of the panel.
        onChanged: called when a refinement has ended, before its step can be undone.
    """

    def __init__(self, runs: Runs, parts: WidgetParts, onChanged: Callable[[], None]) -> None:
        self._runs, self._parts, self._onChanged = runs, parts, onChanged
        # Where sides are to be refined once what goes on has stopped.
        self._next: Boxes | None = None

    def refine(self, boxes: Boxes) -> bool:
        """Refine in other boxes; a refinement that goes on is given up for it.

        Args:
            boxes: one a side at most; a side without one is refined where its kidney was found.

        Returns:
            Whether it is done; minutes of another run are not given up for a box.
        """
        run = self._runs.run
        if run is None:
            self._parts.run.guarded(lambda: self._start(boxes))
        elif isinstance(run, RefineRun):
            self._next = boxes
            self._runs.cancel()
        if not isinstance(self._runs.run, RefineRun):
            self._putBoxesBack()
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
        run = self._runOf(result, volume, boxes)
        self._runs.start(run, lambda: parts.run.update(run.progress), lambda *ended: self._onEnded(run, before, *ended))
        parts.run.start()

    def _runOf(self, result: LiveResult, volume: vtkMRMLScalarVolumeNode, boxes: Boxes) -> RefineRun:
        """The run that refines a result with the model and the options that it was made with."""
        inputs, controller, worker = self._parts.inputs, self._parts.controller, self._runs.worker
        options = replace(SegmentOptions.from_deciding(result.report.options), boxes=boxes, device=inputs.device)
        model = inputs.modelOf(result.report.model).key
        settings = RunSettings(model=model, splitSides=result.splitSides, **vars(options))
        worker.idleMinutes = inputs.idleMinutes
        node = result.segmentationNode

        def current() -> LiveResult | None:
            return controller.result if controller.segmentationNode is node else None

        return RefineRun(volume, current, settings, worker, self._parts.run.log.add)

    def _onEnded(self, run: RefineRun, before: Boxes, result: LiveResult | None, error: Exception | None) -> None:
        """Show a side that was refined, or the boxes as they were."""
        parts, boxes = self._parts, self._next
        self._next = None
        parts.run.finish(error, run.progress)
        if result is not None:
            parts.controller.offer(result)
        elif boxes is None:
            self._putBoxesBack()
            parts.controller.showAgain()
        self._onChanged()
        if result is not None:
            parts.boxes.settle(before)
            parts.boxes.refresh()
        if boxes is not None:
            self.refine(boxes)

    def _putBoxesBack(self) -> None:
        result = self._parts.controller.result
        if result is not None and not slicer.mrmlScene.IsClosing():
            showCropBoxes(result)
