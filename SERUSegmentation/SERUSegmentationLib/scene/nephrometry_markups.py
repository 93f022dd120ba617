"""What nephrometry was computed from, drawn over the slices: lines with their lengths, and planes.

They are there to be looked at: locked, in no selector and no tree, and in no scene file, for they are right only while
the segments stay as they are. They refer to the result, and it does not refer to them: a scene file would keep that,
and another node may have the id when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk

from seru.result.nephrometry.drawing import Drawing, Line, Plane
from seru.terminology import COLORS
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.nodes import placeNodeKept
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import (
        vtkMRMLMarkupsDisplayNode,
        vtkMRMLMarkupsLineNode,
        vtkMRMLMarkupsNode,
        vtkMRMLMarkupsPlaneDisplayNode,
        vtkMRMLMarkupsPlaneNode,
        vtkMRMLSegmentationNode,
        vtkMRMLTransformableNode,
    )

# Role of the result in what is drawn over it.
_SCORED = "SERU.Scored"
_TEXT_SCALE = 2.2
_GLYPH_SCALE = 1.2
# In glyphs.
_LINE_THICKNESS = 0.5
# In slices Slicer draws the line of a plane three pixels wide, so it is pale.
_PLANE_OPACITY = 0.5


def drawNephrometry(
    segmentationNode: vtkMRMLSegmentationNode, ctNode: vtkMRMLTransformableNode, drawing: Drawing
) -> None:
    """Draw what a tumor's scores were computed from, instead of what was drawn before.

    Args:
        segmentationNode: that was scored.
        ctNode: the CT, whose parent transform the lines are put under, or the segmentation itself where it has gone.
        drawing: in the CT's own coordinates.
    """
    removeNephrometry(segmentationNode)
    for title, line in _linesOf(drawing):
        node = _add(slicer.vtkMRMLMarkupsLineNode(), title, segmentationNode, ctNode)
        _placeLine(node, line)
        _show(node, slicer.vtkMRMLMarkupsDisplayNode())
    for title, plane in _planesOf(drawing):
        node = _add(_planeNode(plane), title, segmentationNode, ctNode)
        _show(node, _planeDisplay())


def putUnderTransform(segmentationNode: vtkMRMLSegmentationNode, ctNode: vtkMRMLTransformableNode) -> None:
    """Put what is drawn over a result under the parent transform that its CT has now.

    Args:
        segmentationNode: that was scored.
        ctNode: as :func:`drawNephrometry`.
    """
    for node in nephrometryOf(segmentationNode):
        node.SetAndObserveTransformNodeID(ctNode.GetTransformNodeID())


def nephrometryOf(segmentationNode: vtkMRMLSegmentationNode) -> list[vtkMRMLMarkupsNode]:
    """Return the lines and planes that are drawn over a result."""
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsNode")
    return [node for node in nodes if node.GetNodeReference(_SCORED) is segmentationNode]


def removeNephrometry(segmentationNode: vtkMRMLSegmentationNode) -> None:
    """Take away what is drawn over a result."""
    for node in nephrometryOf(segmentationNode):
        slicer.mrmlScene.RemoveNode(node)


def _linesOf(drawing: Drawing) -> Iterator[tuple[str, Line]]:
    yield _("Long axis"), drawing.axis
    yield _("Longest diameter"), drawing.diameter
    if drawing.centres is not None:
        yield _("Between the centres"), drawing.centres
    if drawing.sinus is not None:
        yield _("To the sinus"), drawing.sinus.distance


def _planesOf(drawing: Drawing) -> Iterator[tuple[str, Plane]]:
    if drawing.sinus is not None:
        yield _("Upper polar line"), drawing.sinus.upper_polar
        yield _("Midline"), drawing.sinus.midline
        yield _("Lower polar line"), drawing.sinus.lower_polar
        yield _("Coronal plane"), drawing.sinus.coronal


def _add(
    node: vtkMRMLMarkupsNode, title: str, segmentationNode: vtkMRMLSegmentationNode, ctNode: vtkMRMLTransformableNode
) -> Any:
    node.SetName(title)
    node.SetLocked(True)
    # Before it is added: then no selector and no subject hierarchy takes it up.
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetAndObserveTransformNodeID(ctNode.GetTransformNodeID())
    node.SetNodeReferenceID(_SCORED, segmentationNode.GetID())
    with placeNodeKept(slicer.mrmlScene):
        return slicer.mrmlScene.AddNode(node)


def _placeLine(node: vtkMRMLMarkupsLineNode, line: Line) -> None:
    """In the scene, where its length finds its unit."""
    for position in (line.start_ras, line.end_ras):
        node.AddControlPoint(vtk.vtkVector3d(*position))


def _planeNode(plane: Plane) -> vtkMRMLMarkupsPlaneNode:
    """A rectangle that holds the corners."""
    node = slicer.vtkMRMLMarkupsPlaneNode()
    corners = np.array(plane.corners_ras)
    across = _unit(corners[1] - corners[0])
    along = corners[3] - corners[0]
    along = _unit(along - (along @ across) * across)
    node.SetAxes(across, along, np.cross(across, along))
    node.SetCenter(corners.mean(axis=0))
    node.SetSizeMode(node.SizeModeAbsolute)
    node.SetSize(np.ptp(corners @ across), np.ptp(corners @ along))
    return node


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _show(node: vtkMRMLMarkupsNode, display: vtkMRMLMarkupsDisplayNode) -> None:
    """Once all is set: each view looks at a node that is shown anew with every change of it."""
    display.SetSaveWithScene(False)
    # In 3D they would stand in front of each other.
    display.SetVisibility3D(False)
    display.SetColor(*COLORS["nephrometry"])
    display.SetSelectedColor(*COLORS["nephrometry"])
    display.SetTextScale(_TEXT_SCALE)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(True)
    display.SetHandlesInteractive(False)
    display.SetGlyphTypeFromString("Vertex2D")
    display.SetGlyphScale(_GLYPH_SCALE)
    display.SetLineThickness(_LINE_THICKNESS)
    markWritten(node)
    node.SetAndObserveDisplayNodeID(slicer.mrmlScene.AddNode(display).GetID())


def _planeDisplay() -> vtkMRMLMarkupsPlaneDisplayNode:
    display = slicer.vtkMRMLMarkupsPlaneDisplayNode()
    display.SetOpacity(_PLANE_OPACITY)
    display.SetNormalVisibility(False)
    display.SetFillVisibility(False)
    return display
