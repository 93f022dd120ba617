"""Key slices: a row for each side, crop boxes, key patches."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import slicer

from seru.findings import SIDES, Report, Side
from SERUSegmentationLib.run.progress import RunProgress
from SERUSegmentationLib.scene.key_patch_layout import KeyPatchLayout, jumpTo
from SERUSegmentationLib.scene.markups import (
    areCropBoxesVisible,
    areKeyLabelsVisible,
    keySlicePosition,
    setCropBoxesVisible,
    setKeyLabelsVisible,
)
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

# Labels of a side's row.
_NUMBERS = ("Slice", "Position", "Area")


class KeySlicePanel:
    """Shows where the key slices are and goes there.

    Args:
        ui: widgets of the panel.
        controller: of the result.
    """

    def __init__(self, ui: Any, controller: ResultController) -> None:
        self._ui, self._controller = ui, controller
        manager = slicer.app.layoutManager()
        self.layout = KeyPatchLayout(manager) if manager is not None else None
        for side in SIDES:
            getattr(ui, f"{side}JumpButton").connect("clicked(bool)", lambda checked, side=side: self._onJump(side))
            getattr(ui, f"{side}ProgressBar").visible = False
        ui.cropBoxesCheckBox.connect("toggled(bool)", self._onCropBoxes)
        ui.keyLabelsCheckBox.connect("toggled(bool)", self._onLabels)
        ui.inspectButton.connect("toggled(bool)", self._onInspect)
        if manager is not None:
            manager.connect("layoutChanged(int)", self._onLayoutChanged)

    def refresh(self) -> None:
        """Show the result's key slices."""
        ui, report, node = self._ui, self._controller.report, self._controller.segmentationNode
        positions = {side: keySlicePosition(node, side) if node else None for side in SIDES}
        for side in SIDES:
            keySlice = report.side(side).key_slice if report else None
            position = positions[side]
            missing = _("none found") if report else "\u2013"
            getattr(ui, f"{side}SliceLabel").text = str(keySlice.index) if keySlice else missing
            area = f"{keySlice.area_mm2 / 100:.1f} cm\u00b2" if keySlice else "\u2013"
            getattr(ui, f"{side}AreaLabel").text = area
            text = ", ".join(f"{value:.0f}" for value in position) if position else "\u2013"
            getattr(ui, f"{side}PositionLabel").text = text
            getattr(ui, f"{side}JumpButton").enabled = position is not None
        found = any(report.side(side).crop for side in SIDES) if report else False
        ui.cropBoxesCheckBox.enabled = found
        wasBlocked = ui.cropBoxesCheckBox.blockSignals(True)
        ui.cropBoxesCheckBox.checked = found and areCropBoxesVisible(node)
        ui.cropBoxesCheckBox.blockSignals(wasBlocked)
        hasPoints = any(position is not None for position in positions.values())
        ui.keyLabelsCheckBox.enabled = hasPoints
        wasBlocked = ui.keyLabelsCheckBox.blockSignals(True)
        ui.keyLabelsCheckBox.checked = hasPoints and areKeyLabelsVisible(node)
        ui.keyLabelsCheckBox.blockSignals(wasBlocked)
        ui.inspectButton.enabled = self._inspectable() is not None
        if self.layout is not None and self.layout.isShown and not ui.inspectButton.enabled:
            self.leave()

    def showProgress(self, sides: Collection[Side], progress: RunProgress) -> None:
        """Show where a refinement is, in the rows of its sides in place of their numbers.

        Args:
            sides: of the result; the rows of the others show their numbers.
            progress: of the run.
        """
        for side in SIDES:
            bar = getattr(self._ui, f"{side}ProgressBar")
            bar.setRange(0, max(progress.total, 1))
            bar.value = progress.done
            bar.format = progress.text()
            bar.visible = side in sides
            for name in _NUMBERS:
                getattr(self._ui, f"{side}{name}Label").visible = side not in sides

    def leave(self) -> None:
        """Go back to the user's layout, if the patches are shown."""
        if self.layout is not None:
            self.layout.leave()
        self._setInspecting(False)

    def cleanup(self) -> None:
        """Go back to the user's layout and let go of the layout manager and its views."""
        self.leave()
        if self.layout is not None:
            self.layout.close()
            slicer.app.layoutManager().disconnect("layoutChanged(int)", self._onLayoutChanged)

    def _inspectable(self) -> tuple[KeyPatchLayout, vtkMRMLScalarVolumeNode, Report] | None:
        """Layout, volume and report, where there are patches to show."""
        report, volume = self._controller.report, inputVolume(self._controller.segmentationNode)
        if self.layout is None or volume is None or report is None:
            return None
        return (self.layout, volume, report) if any(report.side(side).key_slice for side in SIDES) else None

    def _onJump(self, side: Side) -> None:
        position = keySlicePosition(self._controller.segmentationNode, side)
        if position is not None:
            jumpTo(slicer.app.layoutManager(), position)

    def _onCropBoxes(self, checked: bool) -> None:
        if self._controller.segmentationNode is not None:
            setCropBoxesVisible(self._controller.segmentationNode, checked)

    def _onLabels(self, checked: bool) -> None:
        if self._controller.segmentationNode is not None:
            setKeyLabelsVisible(self._controller.segmentationNode, checked)

    def _onInspect(self, checked: bool) -> None:
        if not checked:
            self.leave()
        elif inspectable := self._inspectable():
            layout, volume, report = inspectable
            layout.enter(volume, report)

    def _onLayoutChanged(self, layout: int) -> None:
        if self.layout is not None:
            if not self.layout.isShown:
                self.layout.release()
            self._setInspecting(self.layout.isShown)

    def _setInspecting(self, isOn: bool) -> None:
        button = self._ui.inspectButton
        wasBlocked = button.blockSignals(True)
        button.checked = isOn
        button.blockSignals(wasBlocked)
