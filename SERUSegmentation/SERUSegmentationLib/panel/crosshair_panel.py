"""What the crosshair is for: *Key slice here* and *Missed something?*."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seru.findings import TUMOR, Index, Side
from SERUSegmentationLib.panel.box_panel import BoxPanel
from SERUSegmentationLib.scene.box_handles import boxAround, isMoved
from SERUSegmentationLib.scene.crosshair import alphaWithMore, crosshairIjk, labelAt, sideAt, unbelievedAt
from SERUSegmentationLib.scene.finding_names import findingName
from SERUSegmentationLib.scene.geometry import gridOf
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode


class CrosshairPanel:
    """Refines around the crosshair, or takes what was found there but not believed.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        boxes: takes the boxes that are wanted.
        onDecided: called when a finding was accepted.
        log: called with what was done, one sentence.
    """

    def __init__(
        self,
        ui: Any,
        controller: ResultController,
        boxes: BoxPanel,
        onDecided: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._ui, self._controller, self._boxes, self._onDecided, self._log = ui, controller, boxes, onDecided, log
        # The result that the sentence under the buttons is about.
        self._saidOf: LiveResult | None = None
        ui.crosshairLabel.visible = False
        ui.keySliceHereButton.connect("clicked(bool)", lambda checked: self._at(self._setKeySlice))
        ui.missedButton.connect("clicked(bool)", lambda checked: self._at(self._find))

    def refresh(self) -> None:
        """Enable the buttons where there is a result with its CT; take back what was said of another one."""
        if self._controller.result is not self._saidOf:
            self._ui.crosshairLabel.visible = False
        canRefine = self._controller.report is not None and inputVolume(self._controller.segmentationNode) is not None
        for button in (self._ui.keySliceHereButton, self._ui.missedButton):
            button.enabled = canRefine

    def _say(self, text: str) -> None:
        """Show a sentence under the buttons, where the user looks; the log keeps it."""
        self._saidOf = self._controller.result
        self._ui.crosshairLabel.text = text
        self._ui.crosshairLabel.visible = True
        self._log(text)

    def _at(self, act: Callable[[LiveResult, vtkMRMLScalarVolumeNode, Index], str]) -> None:
        """Act at the crosshair, and tell what was done."""
        result, volume = self._controller.result, inputVolume(self._controller.segmentationNode)
        if result is None or volume is None:
            return
        ijk = crosshairIjk(volume)
        if ijk is None:
            self._say(_("The crosshair is not in the CT; hold Shift and move the mouse to the place that is meant."))
        else:
            self._say(act(result, volume, ijk))

    def _setKeySlice(self, result: LiveResult, volume: vtkMRMLScalarVolumeNode, ijk: Index) -> str:
        return self._refine(result, volume, ijk, keepsSlices=True)

    def _refine(
        self, result: LiveResult, volume: vtkMRMLScalarVolumeNode, ijk: Index, keepsSlices: bool = False
    ) -> str:
        """Put the box of the place's side around it."""
        side = sideAt(volume, result.report, ijk)
        box = boxAround(ijk, side, result.report, gridOf(volume), keepsSlices)
        if not isMoved(box, result.report):
            return _("The crop box lies there already.")
        return _refined(side) if self._boxes.put(box) else _("Another run goes on; wait for its end.")

    def _find(self, result: LiveResult, volume: vtkMRMLScalarVolumeNode, ijk: Index) -> str:
        """Take what is there already; only then let the networks look again."""
        if candidate := unbelievedAt(result, ijk):
            self._controller.decide(candidate, "accepted")
            self._onDecided()
            return _("{finding}: it was not believed, and is accepted now.").format(
                finding=findingName(candidate.finding)
            )
        if labelAt(result, ijk) == TUMOR:
            return _("A tumor is found here already.")
        if more := alphaWithMore(result, ijk):
            alpha, label = more
            text = (
                _("At alpha {alpha} tumor is found here.")
                if label == TUMOR
                else _("At alpha {alpha} kidney is found here.")
            )
            return text.format(alpha=f"{alpha:.2f}")
        return self._refine(result, volume, ijk)


def _refined(side: Side) -> str:
    if side == "right":
        return _("The right side is refined around the crosshair.")
    return _("The left side is refined around the crosshair.")
