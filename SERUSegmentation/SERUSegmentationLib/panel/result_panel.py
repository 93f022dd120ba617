"""Alpha, what to show, clean-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from SERUSegmentationLib.panel.plain_text import toolTipOf
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _

# Of Slicer's views: they render 60 times a second at most.
_FRAME_MS = 16
# Surfaces of a real CT take 0.7 s: they wait until the hand rests, so that letting alpha go is not felt.
_IDLE_MS = 300
# Of the maps' box. Surfaces of 8 million voxels (CT of 151 slices, kidneys and a mass of 750 ml) took 0.7 s.
_QUICK_VOXELS = 10_000_000


class ResultPanel:
    """Moves alpha and shows the model's default.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onMoved: called while alpha moves.
        onLeaveOut: called with whether doubtful findings are to be left out, when the user says so.
    """

    def __init__(
        self,
        ui: Any,
        controller: ResultController,
        onMoved: Callable[[], None],
        onLeaveOut: Callable[[bool], None],
    ) -> None:
        self._ui, self._controller, self._onMoved = ui, controller, onMoved
        self._isModels = False
        # Where alpha was moved to since the last frame; the newest wins.
        self._wanted: float | None = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_FRAME_MS)
        self._timer.connect("timeout()", self._follow)
        self._surfaceTimer = qt.QTimer()
        self._surfaceTimer.setSingleShot(True)
        self._surfaceTimer.setInterval(_IDLE_MS)
        self._surfaceTimer.connect("timeout()", controller.renewSurfaces)
        self._makeMarks()
        ui.alphaSlider.connect("valueIsChanging(double)", self._onMoving)
        ui.alphaResetButton.connect("clicked(bool)", self._onReset)
        ui.show3DButton.connect("toggled(bool)", self._onShow3D)
        ui.leaveOutCheckBox.connect("clicked(bool)", onLeaveOut)

    def refresh(self, modelAlpha: float | None) -> None:
        """Show whether there is a result, and its model's alpha.

        Args:
            modelAlpha: of the chosen model, which a run would begin with; None where it is not known.
        """
        ui, result = self._ui, self._controller.result
        self._follow()
        self._showAlpha(modelAlpha)
        state = self._controller.state
        # A script's own confidence is neither the model's nor none: the box stays checked.
        ui.leaveOutCheckBox.checked = state is None or state.options.min_confidence != 0
        ui.resultReasonLabel.text = self._controller.reason
        ui.resultReasonLabel.visible = result is None
        ui.resultWidget.enabled = result is not None
        ui.alphaSlider.toolTip = toolTipOf(self._controller.reason) or self._sliderTip
        self._showMark(result.maps.alpha if result else None)
        node = self._controller.segmentationNode
        has3D = node is not None and node.GetSegmentation().ContainsRepresentation("Closed surface")
        if result is not None and result.areSurfacesOld:
            has3D = True
            self._surfaceTimer.start()
        wasBlocked = ui.show3DButton.blockSignals(True)
        ui.show3DButton.checked = has3D
        ui.show3DButton.blockSignals(wasBlocked)

    def show3DIfQuick(self) -> None:
        """Show the result in 3D, in the middle of the views that are there, unless its surfaces take long to make."""
        result = self._controller.result
        manager = slicer.app.layoutManager()
        if result is None or result.maps.mask.size > _QUICK_VOXELS or manager is None:
            return
        self._ui.show3DButton.checked = True
        for number in range(manager.threeDViewCount):
            manager.threeDWidget(number).threeDView().resetFocalPoint()

    def cleanup(self) -> None:
        """Let go of the clock."""
        self._timer.stop()
        self._timer.disconnect("timeout()", self._follow)
        self._surfaceTimer.stop()
        self._surfaceTimer.disconnect("timeout()", self._controller.renewSurfaces)

    def _showAlpha(self, modelAlpha: float | None) -> None:
        """Without a result the slider shows where it will begin; with one it is the parameter's, and the user's."""
        state = self._controller.state
        alpha = modelAlpha if state is None else state.options.alpha
        if alpha is not None and (state is None or self._isModels):
            wasBlocked = self._ui.alphaSlider.blockSignals(True)
            self._ui.alphaSlider.value = alpha
            self._ui.alphaSlider.blockSignals(wasBlocked)
        self._isModels = state is None

    def _makeMarks(self) -> None:
        ui = self._ui
        self._sliderTip = ui.alphaSlider.toolTip
        # Three texts in one cell: both ends, and the default between two stretches.
        grid = qt.QGridLayout(ui.alphaMarksWidget)
        grid.setContentsMargins(0, 0, 0, 0)
        self._refined, self._coarse, self._mark = qt.QLabel(_("refined")), qt.QLabel(_("coarse")), qt.QLabel()
        self._markWidget = qt.QWidget()
        self._markRow = qt.QHBoxLayout(self._markWidget)
        self._markRow.setContentsMargins(0, 0, 0, 0)
        self._markRow.setSpacing(0)
        self._markRow.addStretch(1)
        self._markRow.addWidget(self._mark)
        self._markRow.addStretch(1)
        grid.addWidget(self._markWidget, 0, 0)
        grid.addWidget(self._refined, 0, 0, qt.Qt.AlignLeft)
        grid.addWidget(self._coarse, 0, 0, qt.Qt.AlignRight)
        # The room under the spin box and the button.
        grid.setColumnMinimumWidth(1, 118)
        for label in (self._refined, self._coarse, self._mark):
            label.enabled = False

    def _showMark(self, alpha: float | None) -> None:
        self._mark.visible = alpha is not None
        if alpha is None:
            return
        self._mark.text = f"\u25b2 {alpha:g}"
        self._mark.toolTip = _("The model's default alpha: {alpha}").format(alpha=f"{alpha:g}")
        self._markRow.setStretch(0, round(1000 * alpha))
        self._markRow.setStretch(2, round(1000 * (1 - alpha)))
        self._refined.visible, self._coarse.visible = alpha > 0.2, alpha < 0.75

    def _onMoving(self, alpha: float) -> None:
        if self._wanted is None:
            self._timer.start()
        self._wanted = min(max(alpha, 0.0), 1.0)

    def _follow(self) -> None:
        """Show where alpha was moved to, once a frame."""
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._controller.preview(wanted)
            result = self._controller.result
            if result is not None and result.areSurfacesOld:
                self._surfaceTimer.start()
            self._onMoved()

    def _onReset(self, checked: bool = False) -> None:
        if self._controller.result:
            self._ui.alphaSlider.value = self._controller.result.maps.alpha

    def _onShow3D(self, checked: bool) -> None:
        node = self._controller.segmentationNode
        if node is None:
            return
        if checked:
            node.CreateClosedSurfaceRepresentation()
            node.GetDisplayNode().SetVisibility3D(True)
        else:
            node.RemoveClosedSurfaceRepresentation()
            if self._controller.result:
                self._controller.result.areSurfacesOld = False
