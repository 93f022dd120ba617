"""Crop boxes that are moved: their handles, *Undo* and *Reset boxes*."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import slicer

from seru.findings import Report, Side
from seru.options import SegmentOptions, SideBox
from SERUSegmentationLib.run.handing import isInScene
from SERUSegmentationLib.scene.box_handles import (
    Boxes,
    areMovable,
    boxOf,
    cropBoxes,
    isMoved,
    setMovable,
    storedSteps,
    storeSteps,
    withKeySlice,
)
from SERUSegmentationLib.scene.geometry import gridOf
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.markups import placeBox
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.result_controller import ResultController

if TYPE_CHECKING:
    from slicer import vtkMRMLMarkupsROINode


class BoxPanel:
    """Tells where sides are to be refined.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onBoxes: called with the boxes that are wanted: one a side at most, none where its kidney was found;
            returns whether they are refined in them.
    """

    def __init__(self, ui: Any, controller: ResultController, onBoxes: Callable[[Boxes], bool]) -> None:
        self._ui, self._controller, self._onBoxes = ui, controller, onBoxes
        self._observed: dict[Side, tuple[vtkMRMLMarkupsROINode, int]] = {}
        ui.moveBoxesCheckBox.connect("toggled(bool)", self._onMovable)
        ui.undoBoxesButton.connect("clicked(bool)", lambda checked: self._onUndo())
        ui.resetBoxesButton.connect("clicked(bool)", lambda checked: self._onBoxes(()))

    def refresh(self) -> None:
        """Follow the boxes of the result."""
        ui, node = self._ui, self._controller.segmentationNode
        boxes = cropBoxes(node) if self._controller.report else {}
        self._follow(boxes)
        canRefine = bool(boxes) and inputVolume(node) is not None
        isMovable = canRefine and areMovable(node)
        # A box that is new is as the other one.
        setMovable((roi for roi in boxes.values() if roi.GetLocked() == isMovable), isMovable, self._mayGrow)
        ui.moveBoxesCheckBox.enabled = canRefine
        wasBlocked = ui.moveBoxesCheckBox.blockSignals(True)
        ui.moveBoxesCheckBox.checked = isMovable
        ui.moveBoxesCheckBox.blockSignals(wasBlocked)
        ui.undoBoxesButton.enabled = canRefine and bool(storedSteps(node))
        ui.resetBoxesButton.enabled = canRefine and bool(self.boxes)

    def _follow(self, boxes: dict[Side, vtkMRMLMarkupsROINode]) -> None:
        if {side: roi for side, (roi, _) in self._observed.items()} == boxes:
            return
        # Nobody listens to another result's boxes, which may lie over these.
        setMovable((roi for roi, _ in self._observed.values() if isInScene(roi)), False)
        self._release()
        event = slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent
        for side, roi in boxes.items():
            tag = roi.AddObserver(event, lambda caller, event, side=side: self._onReleased(side))
            self._observed[side] = (roi, tag)

    @property
    def boxes(self) -> Boxes:
        """The boxes that the result was made with."""
        report = self._controller.report
        return boxesOf(report) if report else ()

    @property
    def _mayGrow(self) -> bool:
        """Whether a box of the result may have another size than the model's crop."""
        report = self._controller.report
        return report is not None and SegmentOptions.from_deciding(report.options).crop == "grow"

    def put(self, box: SideBox) -> bool:
        """Have a side refined in another box; the other side's stays.

        Args:
            box: in voxels of the input.

        Returns:
            Whether it is.
        """
        return self._onBoxes((*(other for other in self.boxes if other.side != box.side), box))

    def settle(self, result: LiveResult, before: Boxes) -> None:
        """Keep a step that was made, to be undone; undoing one takes it out again.

        Args:
            result: as it is now, chosen or not.
            before: the boxes that it had.
        """
        steps, boxes = storedSteps(result.segmentationNode), boxesOf(result.report)
        if steps and steps[-1] == boxes:
            steps.pop()
        elif before != boxes:
            steps.append(before)
        storeSteps(result.segmentationNode, steps)

    def cleanup(self) -> None:
        """Let go of the boxes."""
        self._release()

    def _release(self) -> None:
        for roi, tag in self._observed.values():
            roi.RemoveObserver(tag)
        self._observed = {}

    def _onMovable(self, checked: bool) -> None:
        if self._controller.segmentationNode is not None:
            setMovable(cropBoxes(self._controller.segmentationNode).values(), checked, self._mayGrow)

    def _onUndo(self) -> None:
        if steps := storedSteps(self._controller.segmentationNode):
            self._onBoxes(steps[-1])

    def _onReleased(self, side: Side) -> None:
        """A handle was let go of; where it was only clicked nothing is asked for."""
        report, volume = self._controller.report, inputVolume(self._controller.segmentationNode)
        if report is None or volume is None:
            return
        box = withKeySlice(boxOf(self._observed[side][0], volume, side), self.boxes, report)
        # Inside the volume and on its voxels at once; where the model's crop needs more, it grows with the result.
        placeBox(self._observed[side][0], gridOf(volume), box.ijk_min, box.ijk_max)
        if isMoved(box, report):
            self.put(box)


def boxesOf(report: Report) -> Boxes:
    """Return the boxes that a result was made with."""
    return SegmentOptions.from_deciding(report.options).boxes
