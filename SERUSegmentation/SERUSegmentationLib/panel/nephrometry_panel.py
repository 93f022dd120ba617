"""Nephrometry of the chosen finding's side: each component, what it was computed from, and that in the slice views."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
import slicer

from seru.errors import SeruError
from seru.findings import Finding, Side
from seru.grid import Position
from seru.result.nephrometry import Study, studies
from SERUSegmentationLib.panel.nephrometry_table import NephrometryTable, scoreLine
from SERUSegmentationLib.panel.plain_text import setFramed
from SERUSegmentationLib.scene.drawn_segments import measureDrawn
from SERUSegmentationLib.scene.geometry import toWorld
from SERUSegmentationLib.scene.key_patch_layout import jumpTo
from SERUSegmentationLib.scene.nephrometry_markups import drawNephrometry, putUnderTransform, removeNephrometry
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.rendering import renderedOnce
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.scene.segment_watch import SegmentWatch
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLTransformableNode


class NephrometryPanel:
    """Scores on demand, and takes the scores away as soon as the segments are others.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onError: called with what went wrong.
    """

    def __init__(self, ui: Any, controller: ResultController, onError: Callable[[Exception], None]) -> None:
        self._ui, self._controller, self._onError = ui, controller, onError
        self._node: vtkMRMLSegmentationNode | None = None
        self._studies: dict[Side, Study | None] = {}
        self._shown: Study | None = None
        # Said instead of the scores of this segmentation that were taken away.
        self._isOutdated = False
        self._watch = SegmentWatch(self._onChanged, self._onMoved)
        self._table = NephrometryTable(ui.nephrometryTable, self._onAspect)
        setFramed(ui.nephrometryLabel)
        ui.nephrometryButton.connect("clicked(bool)", self._onCompute)
        ui.showNephrometryCheckBox.connect("toggled(bool)", lambda checked: self._draw())
        self.refresh()

    def refresh(self) -> None:
        """Show the scores of the chosen finding's side, where they are known."""
        node, side = self._controller.segmentationNode, self._side()
        # Without a segmentation the panel is closed, or none is chosen: what is drawn stays, and is still watched.
        if node is not None and node is not self._node:
            self._forget()
            self._node, self._isOutdated = node, False
        study = self._studies.get(side) if side and node is self._node else None
        text = self._textOf(study, side)
        ui, isKnown = self._ui, study is not None
        ui.nephrometryButton.enabled = side is not None and not self._controller.isMoving
        ui.showNephrometryCheckBox.enabled = isKnown
        ui.nephrometryTable.visible = isKnown
        ui.nephrometryLabel.text = text
        ui.nephrometryLabel.visible = bool(text)
        if node is not None and study is not self._shown:
            self._shown = study
            if study is not None:
                self._table.show(study.scores)
            self._draw()

    def _textOf(self, study: Study | None, side: Side | None) -> str:
        if study is not None:
            return scoreLine(study)
        if self._isOutdated:
            return _("The segments have changed; click Nephrometry to score them as they are now.")
        if self._studies and side is not None:
            return _("As they were edited, the segments show no kidney with a tumor on this side.")
        return ""

    def cleanup(self) -> None:
        """Take away what would be followed no more."""
        self._forget()

    def _side(self) -> Side | None:
        """The chosen finding's, where the result has a kidney and a tumor on it."""
        chosen = self._controller.chosen
        if chosen is None:
            return None
        side = chosen.finding.side
        kinds = {one.kind for one in self._counted() if one.side == side}
        return side if kinds == {"kidney", "tumor"} else None

    def _counted(self) -> list[Finding]:
        return [one.finding for one in self._controller.measured if one.finding.is_counted]

    def _onCompute(self, checked: bool = False) -> None:
        node = self._controller.segmentationNode
        if node is None:
            return
        self._forget()
        # It takes about a second, and two for the largest tumors in thin slices.
        slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
        try:
            self._studies = self._studied(node)
        except SeruError as error:
            self._onError(error)
        else:
            self._node, self._isOutdated = node, False
            self._watch.start(node, _ctOf(node))
        finally:
            slicer.app.restoreOverrideCursor()
        self.refresh()

    def _studied(self, node: vtkMRMLSegmentationNode) -> dict[Side, Study | None]:
        """Of the segments as the scene shows them: edited by hand, they are measured anew."""
        result = self._controller.result
        if result is None or result.finished is None or self._controller.isEdited():
            return measureDrawn(node, inputVolume(node)).studies()
        maps, finished = result.maps, result.finished
        return studies(finished.labels_box, maps.sides_box, maps.grid, finished.findings, finished.lower_kji)

    def _draw(self) -> None:
        """Draw the shown study where that is wanted, and go to its tumor; nothing of another one is left."""
        with renderedOnce():
            if self._node is None:
                return
            if self._shown is None or not self._ui.showNephrometryCheckBox.checked:
                removeNephrometry(self._node)
                return
            drawNephrometry(self._node, _ctOf(self._node), self._shown.drawing)
            self._goTo(self._shown.drawing.diameter.middle_ras)

    def _forget(self) -> None:
        self._watch.stop()
        if self._node is not None and not slicer.mrmlScene.IsClosing():
            removeNephrometry(self._node)
        self._studies, self._shown = {}, None

    def _onChanged(self) -> None:
        self._forget()
        self._isOutdated = True
        self.refresh()

    def _onMoved(self) -> None:
        if self._node is not None:
            putUnderTransform(self._node, _ctOf(self._node))

    def _onAspect(self, place: Position | None) -> None:
        if self._shown is not None:
            self._goTo(place or self._shown.drawing.diameter.middle_ras)

    def _goTo(self, position: Position) -> None:
        if self._node is not None:
            jumpTo(slicer.app.layoutManager(), toWorld(_ctOf(self._node), position))


def _ctOf(segmentationNode: vtkMRMLSegmentationNode) -> vtkMRMLTransformableNode:
    """The CT, or the segmentation itself where it has gone."""
    return inputVolume(segmentationNode) or segmentationNode
