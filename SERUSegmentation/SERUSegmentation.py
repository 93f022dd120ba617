"""Kidney and kidney-tumor segmentation in CT with the SERU cascade: module, parameters, panel, logic, self test."""

import logging
import sys
import unittest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from SERUSegmentationLib.panel.deletion import deleteCompanionsOf
from SERUSegmentationLib.panel.parameters import MODELS_OWN, optionParameters, optionsOf, setState, stateOf
from SERUSegmentationLib.panel.parts import Intents, WidgetParts
from SERUSegmentationLib.panel.refining import Refining
from SERUSegmentationLib.run.background import RunWatcher
from SERUSegmentationLib.run.segmentation import RunSettings, SegmentationRun, WorkerRun
from SERUSegmentationLib.run.worker import Worker
from SERUSegmentationLib.scene.key_patch_layout import registerLayout
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import firstVolume, isPlainVolume, outputFor
from SERUSegmentationLib.scene.rendering import renderedOnce
from SERUSegmentationLib.scene.sample_data import registerSampleData
from SERUSegmentationLib.scene.segments import Shown
from SERUSegmentationLib.self_test import checkHandedVolume, segmentPhantom


class SERUSegmentation(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("SERU Kidney and Tumor Segmentation")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "Markups", "Tables", "Texts"]
        self.parent.contributors = ["The SERU authors"]
        self.parent.helpText = _(
            "Finds kidneys and kidney tumors in a CT with the SERU cascade: a coarse stage on whole axial slices, key "
            "slices and crops on the patient's right and left, a refine stage on the crops, and their fusion, whose "
            "weight alpha can be moved afterwards.<p>Select a CT, click <b>Segment</b>, then drag <b>Alpha</b>. The "
            "synthetic CT under <b>Sample Data</b>, category SERU, needs no download.</p><p>For many CTs at once there "
            "is the command <code>seru batch</code>, on this computer or on a cluster, with a page to review them: see "
            "the README.</p><p><b>Research use only.</b> "
            "This is not a medical device and must not be used for diagnosis or treatment.</p><p>The default model is "
            "trained on single slices of KiTS19, KiTS23 and other data sets and on synthetic CT. Its weights are <b>CC "
            "BY-NC-SA 4.0</b>: no commercial use, name the source, share under the same licence. <b>Setup</b> and the "
            "README say what it can do and what it cannot.</p>"
        )
        self.parent.acknowledgementText = _(
            "The weights are derived from the KiTS19 and KiTS23 challenges' data (Heller et al.), CC BY-NC-SA 4.0, and "
            "from other data sets, which the README names. The network is an SE-ResNeXt50 encoder (Hu et al., Xie et "
            "al.; after R. Cadene's pretrainedmodels) with a U-Net decoder (Ronneberger et al.), after the SERU "
            "manuscript for KiTS19. Please cite SERU and KiTS19 (see CITATION.cff) and 3D Slicer (Fedorov et al. 2012) "
            "when you use this module."
        )
        slicer.app.connect("startupCompleted()", self._onStartupCompleted)

    def _onStartupCompleted(self) -> None:
        registerSampleData(Path(__file__).resolve().parent / "Resources" / "Icons")
        registerLayout(slicer.app.layoutManager())


# A class that is made from the options' fields: no type checker knows its members.
OptionParameters: Any = optionParameters()


@parameterNodeWrapper
class SERUSegmentationParameterNode(OptionParameters):
    """What is chosen in the panel; kept with the scene.

    The options of a run (``alpha``, ``allSlices``, ...) are those of :class:`seru.options.SegmentOptions`.

    Attributes:
        inputVolume: the CT.
        outputSegmentation: where the result goes; None makes a new one.
        shown: what the views show.
        coarseOutline: draw the coarse stage over the fused segments.
        showCandidates: outline what is not believed.
        splitSides: one segment per side.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    shown: Shown = Shown.FUSED
    coarseOutline: bool = True
    showCandidates: bool = True
    splitSides: bool = False


class SERUSegmentationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: shows the state and passes on what the user wants."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: SERUSegmentationLogic
        self._parameterNode: SERUSegmentationParameterNode | None = None
        self._parameterNodeGuiTag = None
        self._isUpdating = False
        self._isClosed = False
        self._isTakingBack = False
        self._input: vtkMRMLScalarVolumeNode | None = None

    def setup(self) -> None:
        """Build the panel; nothing is installed, downloaded or started."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SERUSegmentation.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SERUSegmentationLogic()
        requirements = Path(self.resourcePath("requirements.txt"))
        intents = Intents(
            onSegment=self.onSegment,
            onCancel=self.onCancel,
            onChanged=self.updatePanel,
            onLeaveOut=self.onLeaveOut,
            onEngine=self.onEngine,
            onBoxes=lambda boxes: self.refining.refine(boxes),
        )
        self.parts = WidgetParts(self.ui, requirements, intents)
        self.refining = Refining(self.logic, self.parts, self.updatePanel)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodeRemoved)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodeAdded)
        slicer.app.connect("aboutToQuit()", self.logic.abort)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """End a run and let go of everything; called when the module is reloaded or Slicer quits."""
        self._isClosed = True
        slicer.app.disconnect("aboutToQuit()", self.logic.abort)
        self.logic.abort()
        self.setParameterNode(None)
        self.parts.cleanup()
        self.removeObservers()

    def onReload(self) -> None:
        """Reload the module's rooms as well; called by the developer's button."""
        for name in [name for name in sys.modules if name.partition(".")[0] in ("SERUSegmentationLib", "seru")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """Follow the parameter node while the panel is shown."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """Stop following the parameter node; a run goes on."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller: Any = None, event: Any = None) -> None:
        """Let go of the nodes before they go, and of what was said and kept of them."""
        self._input = None
        self.logic.worker.release()
        self.parts.run.forget()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any = None, event: Any = None) -> None:
        """Start anew if the panel is shown."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneStartImport(self, caller: Any = None, event: Any = None) -> None:
        """Let go of the parameters: the scene's own replace them, and are not meant for the result shown so far."""
        self._input = None
        self.setParameterNode(None)

    def onSceneEndImport(self, caller: Any = None, event: Any = None) -> None:
        """Take over what a loaded scene has chosen, once the node selectors know its nodes too."""
        qt.QTimer.singleShot(0, self._onImported)

    def _onImported(self) -> None:
        if self._isClosed:
            return
        # The scene's own layout, or the user's where its file names ours: its patches are not filled.
        self.parts.keySlices.leave()
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller: Any, event: Any, node: Any) -> None:
        """A result takes its companions with it, and the selector does not fall to its neighbour."""
        if caller.IsClosing() or not node.IsA("vtkMRMLSegmentationNode"):
            return
        if self._parameterNode and self._parameterNode.outputSegmentation is node:
            self._parameterNode.outputSegmentation = None
        deleteCompanionsOf(node, self.parts.mayDelete)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeRemoved(self, caller: Any, event: Any, node: Any) -> None:
        """What was kept of a CT goes with it."""
        held = self.logic.worker.held
        if held is not None and held.isOf(node):
            self.logic.worker.release()
        # A scene that closes took the parameters already, and the panel with them.
        if not caller.IsClosing():
            self.updatePanel()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAdded(self, caller: Any, event: Any, node: Any) -> None:
        """A CT that comes while none is chosen is chosen, once it has its voxels and the selector knows it."""
        if isPlainVolume(node) and not caller.IsImporting():
            qt.QTimer.singleShot(0, self._chooseVolume)

    def _chooseVolume(self) -> None:
        if self._parameterNode and not self._parameterNode.inputVolume and (volume := firstVolume()):
            self._parameterNode.inputVolume = volume

    def initializeParameterNode(self) -> None:
        """Follow the scene's parameter node, with the first volume chosen where none is."""
        self.setParameterNode(self.logic.getParameterNode())
        self._chooseVolume()

    def setParameterNode(self, parameterNode: SERUSegmentationParameterNode | None) -> None:
        """Follow a parameter node instead of the one before.

        Args:
            parameterNode: None follows none.
        """
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updatePanel)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updatePanel)
        self.updatePanel()

    def updatePanel(self, caller: Any = None, event: Any = None) -> None:
        """Bring the result and the panel in line with the parameters."""
        if self._isUpdating:
            return
        self._isUpdating = True
        try:
            # The result and the finding that is outlined on it are drawn together.
            with renderedOnce():
                self._update()
        finally:
            self._isUpdating = False

    def _update(self) -> None:
        parameters, controller = self._parameterNode, self.parts.controller
        if parameters:
            self._chooseOutput(parameters)
        if controller.follow(parameters.outputSegmentation if parameters else None) and controller.state:
            # Another result: the panel takes over what that one shows.
            setState(parameters, controller.state)
        if parameters and controller.state:
            state = stateOf(parameters)
            if state.splitSides != controller.state.splitSides and not self._maySplit():
                state = replace(state, splitSides=controller.state.splitSides)
            controller.apply(state)
            controller.show(parameters.shown, parameters.coarseOutline)
            controller.showCandidates(parameters.showCandidates)
        self.parts.refresh(parameters.inputVolume if parameters else None)

    def _maySplit(self) -> bool:
        """Return whether the segments may be made anew for other sides; takes the choice back where not."""
        if not self._isTakingBack and not self.parts.mayReplace():
            self._isTakingBack = True
            # Later: a check box that is set back while it tells of its change believes the change.
            qt.QTimer.singleShot(0, self._takeSplitBack)
        return not self._isTakingBack

    def _takeSplitBack(self) -> None:
        self._isTakingBack = False
        if self._parameterNode and self.parts.controller.state:
            self._parameterNode.splitSides = self.parts.controller.state.splitSides

    def _chooseOutput(self, parameters: SERUSegmentationParameterNode) -> None:
        """Another CT gets its own result: that of the CT before is not to be overwritten."""
        volume = parameters.inputVolume
        if volume is not self._input:
            self._input = volume
            self.parts.run.forget()
            output = outputFor(volume, parameters.outputSegmentation)
            if output is not parameters.outputSegmentation:
                parameters.outputSegmentation = output

    def onSegment(self) -> None:
        """Start a run with what is chosen."""
        parameters, parts, model = self._parameterNode, self.parts, self.parts.inputs.model
        if parameters is None or model is None or not (parts.mayRun() and parts.mayReplace()):
            return
        settings = RunSettings(
            model=model.key,
            device=parts.inputs.device,
            splitSides=parameters.splitSides,
            **{**optionsOf(parameters), "alpha": None},
        )
        worker = self.logic.worker
        worker.idleMinutes = parts.inputs.idleMinutes
        run = SegmentationRun(
            parameters.inputVolume, parameters.outputSegmentation, settings, worker, parts.run.log.add
        )
        self.logic.start(run, lambda: parts.run.update(run.progress), lambda *ended: self.onFinished(run, *ended))
        parts.run.start()

    def onCancel(self) -> None:
        """Ask the run to stop."""
        self.refining.forgetNext()
        self.parts.run.cancelling()
        self.logic.cancel()

    def onLeaveOut(self, leavesOut: bool) -> None:
        """Leave out what the model's own confidence says, or nothing."""
        if self._parameterNode:
            self._parameterNode.minConfidence = MODELS_OWN if leavesOut else 0.0

    def onEngine(self) -> None:
        """Let the next run take the engine that was installed."""
        self.logic.worker.release()
        self.updatePanel()

    def onFinished(self, run: SegmentationRun, result: LiveResult | None, error: Exception | None) -> None:
        """Show the result of a run, or why there is none.

        Args:
            run: that has ended.
            result: None where it failed.
            error: None where it did not.
        """
        # The panel may be closed meanwhile, or look at another CT.
        parameters = self._parameterNode or self.logic.getParameterNode()
        isOther = parameters.inputVolume not in (None, run.volumeNode)
        told = result.report.warnings if result is not None else ()
        self.parts.run.finish(error, run.progress, run.volumeNode.GetName() if isOther else "", told)
        isNew = result is not None and parameters.outputSegmentation is not result.segmentationNode
        if result is not None and parameters.inputVolume is run.volumeNode:
            self.parts.controller.offer(result)
            parameters.outputSegmentation = result.segmentationNode
        self.updatePanel()
        if result is not None and result is self.parts.controller.result:
            # Something useful in view, in the layout that the user has.
            with renderedOnce():
                self.parts.findings.goToLargest()
                if isNew:
                    self.parts.result.show3DIfQuick()
        if result is not None:
            self.parts.setup.checkOnce()


class SERUSegmentationLogic(ScriptedLoadableModuleLogic):
    """Segments volumes, with or without the panel.

    Attributes:
        worker: of the panel's runs; a script's runs have one each, which ends with them.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.worker = Worker()
        self._watcher: RunWatcher | None = None

    def getParameterNode(self) -> SERUSegmentationParameterNode:
        """Return the parameters in the scene."""
        return SERUSegmentationParameterNode(super().getParameterNode())

    def process(
        self,
        volume: Any,
        segmentation: Any = None,
        alpha: float | None = None,
        device: str | None = None,
        waitForCompletion: bool = True,
        settings: RunSettings | None = None,
    ) -> Any:
        """Segment a CT.

        Args:
            volume: vtkMRMLScalarVolumeNode in Hounsfield units.
            segmentation: vtkMRMLSegmentationNode for the result; None makes a new one.
            alpha: weight of the coarse stage, 0..1; None takes the settings', and without one there the model's.
            device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``; None takes the settings'.
            waitForCompletion: return with the result; else the run goes on in Slicer's event loop.
            settings: model, clean-up and more; None takes the defaults.

        Returns:
            The segmentation node, or the :class:`SegmentationRun` where it is not waited for.

        Raises:
            SeruError: what went wrong, in one sentence.
        """
        asked: dict[str, Any] = {"alpha": alpha, "device": device}
        given = {name: value for name, value in asked.items() if value is not None}
        settings = replace(settings or RunSettings(), **given)
        run = SegmentationRun(volume, segmentation, settings)
        if not waitForCompletion:
            self.start(run, lambda: None, _logEnd)
            return run
        run.start()
        run.wait()
        return run.finish().segmentationNode

    def start(
        self,
        run: WorkerRun,
        onProgress: Callable[[], None],
        onFinished: Callable[[LiveResult | None, Exception | None], None],
    ) -> None:
        """Start a run in the background.

        Args:
            run: to start.
            onProgress: called when there is news.
            onFinished: called once with the result or None, and the error or None.

        Raises:
            SeruError: it cannot be started.
        """

        def onEnded(result: LiveResult | None, error: Exception | None) -> None:
            self._watcher = None
            onFinished(result, error)

        watcher = RunWatcher(run, onProgress, onEnded)
        self._watcher = watcher
        try:
            watcher.start()
        except Exception:
            self._watcher = None
            raise

    @property
    def isRunning(self) -> bool:
        """Whether a run goes on in the background."""
        return self._watcher is not None

    @property
    def run(self) -> WorkerRun | None:
        """What goes on in the background."""
        return self._watcher.run if self._watcher else None

    def cancel(self) -> None:
        """Ask the run to stop."""
        if self._watcher:
            self._watcher.cancel()

    def abort(self) -> None:
        """End the run and the worker at once and tell nobody."""
        if self._watcher:
            self._watcher.abort()
            self._watcher = None
        self.worker.close()


def _logEnd(result: LiveResult | None, error: Exception | None) -> None:
    if error is not None:
        logging.error("SERU: %s", error)


class SERUSegmentationTest(ScriptedLoadableModuleTest):
    """Self test: what a run is given is always checked; the phantom is segmented where a model and packages are."""

    def setUp(self) -> None:
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run every test; one that is skipped says why."""
        for test in (self.test_a_run_reads_what_the_scene_shows, self.test_phantom_is_segmented):
            self.setUp()
            try:
                test()
            except unittest.SkipTest as reason:
                self.delayDisplay(_("Skipped: {reason}").format(reason=reason))

    def test_a_run_reads_what_the_scene_shows(self) -> None:
        """The volume that a run is given is the scene's, voxel for voxel; needs no package."""
        self.delayDisplay(_("Handing a CT to a run"))
        checkHandedVolume(self)

    def test_phantom_is_segmented(self) -> None:
        """The phantom's kidneys are found; skipped with one sentence where a model or a package is missing."""
        self.delayDisplay(_("Segmenting the phantom"))
        self.delayDisplay(segmentPhantom(self, SERUSegmentationLogic().process))
