"""The parts of the panel, and what they have to do with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer

from seru.errors import BadInputError
from SERUSegmentationLib.panel.box_panel import BoxPanel
from SERUSegmentationLib.panel.choices import askLicence
from SERUSegmentationLib.panel.crosshair_panel import CrosshairPanel
from SERUSegmentationLib.panel.engine_panel import EnginePanel
from SERUSegmentationLib.panel.findings_panel import FindingsPanel
from SERUSegmentationLib.panel.input_panel import InputPanel
from SERUSegmentationLib.panel.key_slice_panel import KeySlicePanel
from SERUSegmentationLib.panel.measurement_panel import MeasurementPanel
from SERUSegmentationLib.panel.nephrometry_panel import NephrometryPanel
from SERUSegmentationLib.panel.parameters import describeWidgets
from SERUSegmentationLib.panel.plain_text import confirmYesNo
from SERUSegmentationLib.panel.result_panel import ResultPanel
from SERUSegmentationLib.panel.run_panel import RunPanel
from SERUSegmentationLib.panel.setup_panel import SetupPanel
from SERUSegmentationLib.panel.verdict_list_panel import VerdictListPanel
from SERUSegmentationLib.run.handing import checkInput
from SERUSegmentationLib.scene.box_handles import Boxes
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLNode


@dataclass(frozen=True)
class Intents:
    """What the parts pass on of what the user wants.

    Attributes:
        onSegment: called when Segment is clicked.
        onCancel: called when Cancel is clicked.
        onChanged: called when model, device, packages or a verdict have changed.
        onLeaveOut: called with whether doubtful findings are to be left out.
        onEngine: called when another engine was installed.
        onBoxes: called with the crop boxes that are wanted; returns whether the sides are refined in them.
    """

    onSegment: Callable[[], None]
    onCancel: Callable[[], None]
    onChanged: Callable[[], None]
    onLeaveOut: Callable[[bool], None]
    onEngine: Callable[[], None]
    onBoxes: Callable[[Boxes], bool]


class WidgetParts:
    """Inputs, run, result, findings, nephrometry, key slices, measurements, setup and engine.

    Args:
        ui: widgets of the panel.
        requirements: ``Resources/requirements.txt``.
        intents: where the user's wishes go.
    """

    def __init__(self, ui: Any, requirements: Path, intents: Intents) -> None:
        describeWidgets(ui)
        self.controller = ResultController()
        self.run = RunPanel(ui, intents.onSegment, intents.onCancel, lambda: self.setup.facts())
        self.inputs = InputPanel(ui, intents.onChanged, self.run.fail)
        self.setup = SetupPanel(ui, self.inputs, requirements, intents.onChanged, self.run.tell)
        self.engine = EnginePanel(ui, self.inputs, self.setup.answer, intents.onEngine)
        self.result = ResultPanel(ui, self.controller, self._onMoved, intents.onLeaveOut)
        self.nephrometry = NephrometryPanel(ui, self.controller, self.run.fail)
        self.findings = FindingsPanel(ui, self.controller, intents.onChanged, self.nephrometry.refresh)
        self.verdictList = VerdictListPanel(ui, self.controller, intents.onChanged, self.run.tell)
        self.keySlices = KeySlicePanel(ui, self.controller)
        self.boxes = BoxPanel(ui, self.controller, intents.onBoxes)
        self.crosshair = CrosshairPanel(ui, self.controller, self.boxes, intents.onChanged, self.run.log.add)
        self.measurements = MeasurementPanel(ui, self.controller, self.run.fail, self.run.log.add)

    def refresh(self, volumeNode: vtkMRMLNode | None) -> None:
        """Show what there is.

        Args:
            volumeNode: the chosen CT, or None.
        """
        self.run.setReasons(self._reasons(volumeNode))
        model = self.inputs.model
        self.result.refresh(model.alpha if model else None)
        self.findings.refresh()
        self.nephrometry.refresh()
        self.verdictList.refresh()
        self.keySlices.refresh()
        self.boxes.refresh()
        self.crosshair.refresh()
        self.measurements.refresh()
        self.setup.refresh()
        self.engine.refresh()

    def mayRun(self) -> bool:
        """Return whether licence, packages and model allow a run; asks for what is missing.

        A model that has yet to be fetched is, after one question; the run then starts by itself.
        """
        choice = self.inputs.model
        if choice is None:
            return False
        if choice.folder is None:
            return self.setup.ensureInstalled() and self.setup.ensureFetched(self.run.startIfReady)
        return askLicence(choice) and self.setup.ensureInstalled()

    def mayReplace(self) -> bool:
        """Return whether our segments may be written anew; asks where they were edited by hand."""
        node = self.controller.segmentationNode
        if node is None or slicer.app.testingEnabled() or not self.controller.isEdited():
            return True
        question = _("The segments of SERU in '{name}' were edited by hand. Replace them, edits included?")
        return confirmYesNo(question.format(name=node.GetName()))

    def mayDelete(self, resultName: str, names: list[str]) -> bool:
        """Return whether parts of a deleted result go with it although someone worked on them; asks once for all.

        Args:
            resultName: of the result.
            names: of the parts.
        """
        if slicer.app.testingEnabled():
            return False
        question = _("'{result}' was deleted. Delete these parts of it too, which were renamed or edited?\n\n{names}")
        return confirmYesNo(question.format(result=resultName, names="\n".join(names)))

    def cleanup(self) -> None:
        """Let go of everything."""
        self.setup.cleanup()
        self.result.cleanup()
        self.keySlices.cleanup()
        self.boxes.cleanup()
        self.nephrometry.cleanup()

    def _onMoved(self) -> None:
        self.measurements.refresh()
        self.findings.follow()
        self.nephrometry.refresh()

    def _reasons(self, volumeNode: vtkMRMLNode | None) -> list[str]:
        reasons = []
        try:
            checkInput(volumeNode)
        except BadInputError as error:
            reasons.append(str(error))
        choice = self.inputs.model
        if choice is None:
            reasons.append(_("No model is selected; choose a model folder."))
        elif self.setup.isFetching:
            reasons.append(_("The model is being fetched."))
        return reasons
