"""From a run's maps to the nodes of the scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seru.errors import BadInputError
from seru.findings import Report
from seru.options import SegmentOptions
from seru.result.finish import alpha_of
from seru.result.maps import Maps, load_maps
from seru.result.verdicts import Verdict
from SERUSegmentationLib.scene.box_handles import storeSteps
from SERUSegmentationLib.scene.finding_outlines import writeOutlines
from SERUSegmentationLib.scene.geometry import isSameGrid
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.markups import drawMarkupsLast, writeCropBoxes, writeKeySlices
from SERUSegmentationLib.scene.measurement_table import writeMeasurements
from SERUSegmentationLib.scene.nodes import inputVolume, isOverlay, placeBeside
from SERUSegmentationLib.scene.rendering import renderedOnce
from SERUSegmentationLib.scene.segment_layer import LABELMAP, foreignSegmentIds
from SERUSegmentationLib.scene.segments import writeCoarse
from SERUSegmentationLib.scene.stored_result import ResultState, storedState, storeMaps, storeState
from SERUSegmentationLib.scene.stored_verdicts import storeVerdicts, verdictsFor
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode


class SceneWriter:
    """Writes a run into the scene; running it again updates the same nodes.

    Args:
        volumeNode: the input.
        segmentationNode: where to; None makes a new one.

    Attributes:
        warnings: what the user should know of the writing, one sentence each.
    """

    def __init__(
        self, volumeNode: vtkMRMLScalarVolumeNode, segmentationNode: vtkMRMLSegmentationNode | None = None
    ) -> None:
        self.volumeNode = volumeNode
        self.segmentationNode = segmentationNode
        self.warnings: list[str] = []
        if segmentationNode is not None:
            checkOutput(segmentationNode, volumeNode)

    def write(self, mapsFile: Path, options: SegmentOptions | None = None, splitSides: bool = False) -> LiveResult:
        """Write segments, stages, crop boxes, key slices, table and maps.

        Args:
            mapsFile: what the run wrote.
            options: alpha (None takes the run's) and clean-up; None takes the defaults.
            splitSides: one segment per side.

        Returns:
            The result, ready for alpha to be moved.

        Raises:
            BadInputError: the maps do not fit the volume as it is now.
        """
        maps, report = self._load(mapsFile)
        with renderedOnce():
            return self._write(mapsFile, maps, report, options or SegmentOptions(), splitSides)

    def replace(self, mapsFile: Path, old: LiveResult) -> LiveResult:
        """Write a result in other crop boxes in an earlier one's place; what was drawn by hand stays.

        Args:
            mapsFile: what the run wrote.
            old: of the same volume, as the scene holds it; alpha, clean-up, sides and verdicts are its own.

        Returns:
            The result, ready for alpha to be moved.

        Raises:
            BadInputError: the maps do not fit the volume as it is now.
        """
        maps, report = self._load(mapsFile)
        state = storedState(old.segmentationNode, maps.alpha)
        result = LiveResult(old.segmentationNode, maps, report, old.splitSides, old.verdicts)
        with renderedOnce():
            result.replace(old, state.options)
            return self._keep(mapsFile, result, state)

    def _load(self, mapsFile: Path) -> tuple[Maps, Report]:
        maps, report = load_maps(mapsFile)
        if not isSameGrid(self.volumeNode, maps.grid):
            text = _("The volume '{name}' was given another geometry during the run; click Segment again.")
            raise BadInputError(text.format(name=self.volumeNode.GetName()))
        self.volumeNode.GetScene().SaveStateForUndo()
        return maps, report

    def _write(
        self, mapsFile: Path, maps: Maps, report: Report, options: SegmentOptions, splitSides: bool
    ) -> LiveResult:
        verdicts = self._verdictsFor(maps)
        node = self._prepareSegmentation()
        state = ResultState(options.for_result(alpha=alpha_of(maps, options)), splitSides)
        result = LiveResult(node, maps, report, splitSides, verdicts)
        before = set(node.GetSegmentation().GetSegmentIDs())
        result.commit(state.options, create=True)
        storeSteps(node, [])
        if verdicts is not None:
            storeVerdicts(node, verdicts, maps.grid)
        self._keep(mapsFile, result, state)
        if before and not before.issuperset(node.GetSegmentation().GetSegmentIDs()):
            drawMarkupsLast(node)
        return result

    def _keep(self, mapsFile: Path, result: LiveResult, state: ResultState) -> LiveResult:
        """Write all that hangs on a result."""
        node = result.segmentationNode
        storeState(node, state)
        storeMaps(node, mapsFile)
        self._writeCompanions(node, result)
        writeMeasurements(result)
        return result

    def _verdictsFor(self, maps: Maps) -> tuple[Verdict, ...] | None:
        """What a person said of the earlier run's findings and holds for this one; None where nothing is known."""
        node = self.segmentationNode
        if node is None:
            return None
        verdicts, problem = verdictsFor(node, self.volumeNode, maps.grid)
        if problem:
            self.warnings.append(problem)
        if verdicts:
            text = _("What was accepted or dismissed before is applied to this run too (findings: {count}).")
            self.warnings.append(text.format(count=len(verdicts)))
        return verdicts

    def _prepareSegmentation(self) -> vtkMRMLSegmentationNode:
        scene = self.volumeNode.GetScene()
        if self.segmentationNode is None:
            name = scene.GenerateUniqueName(_("{volume} kidneys").format(volume=self.volumeNode.GetName()))
            self.segmentationNode = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node = self.segmentationNode
        # The transform comes first: everything after it works in the volume's own coordinates.
        placeBeside(node, self.volumeNode)
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(self.volumeNode)
        return node

    def _writeCompanions(self, node: vtkMRMLSegmentationNode, result: LiveResult) -> None:
        name, report = node.GetName(), result.report
        sides = {"right": _("right"), "left": _("left")}
        writeCoarse(node, self.volumeNode, result.fusion, _("{name} stages").format(name=name))
        writeOutlines(result)
        showCropBoxes(result)
        labels = {side: _("Key slice {side}").format(side=text) for side, text in sides.items()}
        writeKeySlices(node, self.volumeNode, report, _("{name} key slices").format(name=name), labels)


def showCropBoxes(result: LiveResult) -> None:
    """Show where a result was refined; boxes that were moved since go back.

    Args:
        result: in the scene; its volume may have gone.
    """
    node = result.segmentationNode
    sides = {"right": _("right"), "left": _("left")}
    titles = {side: _("{name} crop {side}").format(name=node.GetName(), side=text) for side, text in sides.items()}
    labels = {"right": _("Right"), "left": _("Left")}
    writeCropBoxes(node, inputVolume(node), result.maps.grid, result.report, titles, labels)


def checkOutput(segmentationNode: vtkMRMLSegmentationNode, volumeNode: vtkMRMLScalarVolumeNode) -> None:
    """Check that writing into a segmentation would move or convert nothing of someone else's.

    Args:
        segmentationNode: chosen by the user.
        volumeNode: the input.

    Raises:
        BadInputError: it holds other segments under another transform, or as surfaces.
    """
    name = segmentationNode.GetName()
    if isOverlay(segmentationNode):
        text = _("The segmentation '{name}' is part of another result; choose or create another one.")
        raise BadInputError(text.format(name=name))
    if not foreignSegmentIds(segmentationNode):
        return
    if segmentationNode.GetTransformNodeID() != volumeNode.GetTransformNodeID():
        text = _(
            "The segmentation '{name}' holds other segments under another transform than the CT; "
            "choose or create another one."
        )
        raise BadInputError(text.format(name=name))
    if segmentationNode.GetSegmentation().GetSourceRepresentationName() != LABELMAP:
        text = _("The segmentation '{name}' holds other segments that are not labelmaps; choose or create another one.")
        raise BadInputError(text.format(name=name))
