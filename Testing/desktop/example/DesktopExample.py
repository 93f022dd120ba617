"""A scripted module as an extension would have it; the desktop's tests click in it."""

import enum
import logging
from pathlib import Path
from typing import Annotated

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper, parameterPack
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class Colors(enum.Enum):
    """Colors to choose from."""

    RED = "red"
    GREEN = "green"

    def label(self):
        """Return the text of the choice."""
        return self.value.capitalize()


@parameterPack
class Options:
    """Parameters in a pack."""

    isSmooth: bool = False
    iterations: Annotated[int, WithinRange(1, 20), Default(5)]


@parameterNodeWrapper
class DesktopExampleParameterNode:
    """Parameters of every type the desktop knows."""

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    threshold: Annotated[float, WithinRange(-1000, 1000)] = 100.0
    alpha: Annotated[float, WithinRange(0, 1)] = 0.4
    isInverted: bool = False
    segmentName: str = "bright"
    color: Colors = Colors.GREEN
    method: Annotated[str, Choice(["fast", "slow"])] = "fast"
    options: Options


class DesktopExample(ScriptedLoadableModule):
    """The module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Desktop example")
        self.parent.categories = ["Examples"]
        self.parent.helpText = _("Thresholds a volume.")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer a sample that is made on the spot."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="DesktopExample",
        sampleName="DesktopExampleCube",
        uris="example:cube",
        fileNames="cube.nrrd",
        nodeNames="cube",
    )
    SampleData.SampleDataLogic.registerUrlRewriteRule("DesktopExampleCube", _fileOf)


def _fileOf(uri):
    if uri != "example:cube":
        return uri
    node = slicer.util.addVolumeFromArray(_makeCube(), name="cube")
    path = Path(slicer.app.temporaryPath) / "cube.nrrd"
    slicer.util.exportNode(node, str(path))
    slicer.mrmlScene.RemoveNode(node)
    return path.as_uri()


def _makeCube():
    import numpy as np

    cube = np.zeros((10, 12, 14), dtype=np.int16)
    cube[3:7, 4:8, 5:9] = 300
    return cube


class DesktopExampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.events = []
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DesktopExample.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = DesktopExampleLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.failButton.connect("clicked(bool)", self.onFail)
        self.ui.askButton.connect("clicked()", self.onAsk)
        self.ui.outputSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onOutputChanged)
        self.ui.alphaSlider.connect("valueChanged(double)", lambda value: self.events.append(("alpha", value)))
        self.initializeParameterNode()

    def cleanup(self):
        self.events.append("cleanup")
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
        self.removeObservers()

    def enter(self):
        self.events.append("enter")
        self.initializeParameterNode()

    def exit(self):
        self.events.append("exit")
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)

    def onSceneStartClose(self, caller, event):
        self.events.append("start close")
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        self.events.append("end close")
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            self._parameterNode.inputVolume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")

    def setParameterNode(self, node):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = node
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None):
        self.ui.applyButton.enabled = bool(self._parameterNode and self._parameterNode.inputVolume)
        self.ui.applyButton.toolTip = _("Apply") if self.ui.applyButton.enabled else _("Choose a volume")

    def onOutputChanged(self, node):
        self.events.append(("output", node))

    def onApply(self):
        with slicer.util.tryWithErrorDisplay(_("Failed to compute results."), waitCursor=True):
            node = self.logic.process(self._parameterNode)
            self.ui.outputSelector.setCurrentNode(node)

    def onFail(self):
        with slicer.util.tryWithErrorDisplay(_("Failed to fail."), waitCursor=True):
            raise ValueError("this button always fails")

    def onAsk(self):
        self.events.append(slicer.util.confirmYesNoDisplay(_("Go on?")))


class DesktopExampleLogic(ScriptedLoadableModuleLogic):
    """The work."""

    def getParameterNode(self):
        return DesktopExampleParameterNode(super().getParameterNode())

    def process(self, parameters):
        """Threshold the input into a segment and return the segmentation."""
        volume = parameters.inputVolume
        node = parameters.outputSegmentation
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Output")
            node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        segmentation = node.GetSegmentation()
        name = parameters.segmentName
        segmentId = segmentation.GetSegmentIdBySegmentName(name) or segmentation.AddEmptySegment("", name, (1, 0.6, 0))
        mask = slicer.util.arrayFromVolume(volume) > parameters.threshold
        mask = ~mask if parameters.isInverted else mask
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype("uint8"), node, segmentId, volume)
        logging.info("thresholded at %s", parameters.threshold)
        return node


class DesktopExampleTest(ScriptedLoadableModuleTest):
    """The self test."""

    def runTest(self):
        slicer.mrmlScene.Clear()
        import SampleData

        volume = SampleData.downloadSample("DesktopExampleCube")
        parameters = DesktopExampleLogic().getParameterNode()
        parameters.inputVolume = volume
        node = DesktopExampleLogic().process(parameters)
        segmentId = node.GetSegmentation().GetNthSegmentID(0)
        self.assertEqual(slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volume).sum(), 64)  # noqa: PT009
