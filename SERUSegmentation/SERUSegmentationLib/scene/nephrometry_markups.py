"""What nephrometry was computed from, drawn over the slices: lines with their lengths, and planes.

They are there to be looked at: locked, in no selector and no tree, and in no scene file, for they are right only while
the segments stay as they are. They refer to the result, and it does not refer to them: a scene file would keep that,
and another node may have the id when it is loaded. A plane is a model: of a plane among the markups a slice shows the
whole outline, not only where it meets the slice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import slicer
import vtk

from seru.grid import Position
from seru.result.nephrometry.drawing import Drawing, Line, SinusDrawing
from seru.terminology import COLORS
from SERUSegmentationLib.scene.nodes import placeNodeKept, removeNode
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import (
        vtkMRMLDisplayableNode,
        vtkMRMLDisplayNode,
        vtkMRMLMarkupsDisplayNode,
        vtkMRMLModelDisplayNode,
        vtkMRMLSegmentationNode,
        vtkMRMLTransformableNode,
    )

# Role of the result in what is drawn over it.
_SCORED = "SERU.Scored"
_TEXT_SCALE = 2.2
_GLYPH_SCALE = 1.2
# Of a line in glyphs, of a plane in pixels.
_LINE_THICKNESS = 0.5
_PLANE_THICKNESS = 2
# Ends of a line.
_FIRST, _LAST = 0, 1


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
    if drawing.sinus is not None:
        model = slicer.vtkMRMLModelNode()
        model.SetAndObservePolyData(_planesOf(drawing.sinus))
        _add(model, _modelDisplay(), _("Polar lines and coronal plane"), segmentationNode)
        points = slicer.vtkMRMLMarkupsFiducialNode()
        _add(points, _markupsDisplay(), _("Polar lines"), segmentationNode)
        for label, position in _namesOf(drawing.sinus, drawing.axis):
            points.AddControlPoint(vtk.vtkVector3d(*position), label)
    for title, line, namedEnd in _linesOf(drawing):
        node = slicer.vtkMRMLMarkupsLineNode()
        _add(node, _markupsDisplay(), title, segmentationNode)
        # In the scene, where its length finds its unit.
        for position in (line.start_ras, line.end_ras):
            node.AddControlPoint(vtk.vtkVector3d(*position))
        node.SetNthControlPointLabel(namedEnd, f"{title} {line.mm:.1f} mm")
        node.SetNthControlPointLabel(1 - namedEnd, "")
    putUnderTransform(segmentationNode, ctNode)


def putUnderTransform(segmentationNode: vtkMRMLSegmentationNode, ctNode: vtkMRMLTransformableNode) -> None:
    """Put what is drawn over a result under the parent transform that its CT has now.

    Args:
        segmentationNode: that was scored.
        ctNode: as :func:`drawNephrometry`.
    """
    for node in nephrometryOf(segmentationNode):
        node.SetAndObserveTransformNodeID(ctNode.GetTransformNodeID())


def nephrometryOf(segmentationNode: vtkMRMLSegmentationNode) -> list[vtkMRMLDisplayableNode]:
    """Return the lines, points and planes that are drawn over a result."""
    nodes = slicer.util.getNodesByClass("vtkMRMLDisplayableNode")
    return [node for node in nodes if node.GetNodeReference(_SCORED) is segmentationNode]


def removeNephrometry(segmentationNode: vtkMRMLSegmentationNode) -> None:
    """Take away what is drawn over a result."""
    for node in nephrometryOf(segmentationNode):
        removeNode(node)


def _linesOf(drawing: Drawing) -> Iterator[tuple[str, Line, int]]:
    """Each line with its name and the end that bears it: where the component's row leads to, apart from others."""
    yield _("Long axis"), drawing.axis, _LAST
    yield _("Longest diameter"), drawing.diameter, _LAST
    if drawing.centres is not None:
        yield _("Between the centres"), drawing.centres, _FIRST
    if drawing.sinus is not None:
        yield _("To the sinus"), drawing.sinus.distance, _FIRST


def _planesOf(sinus: SinusDrawing) -> vtk.vtkPolyData:
    points, polygons = vtk.vtkPoints(), vtk.vtkCellArray()
    for plane in (sinus.lower_polar, sinus.midline, sinus.upper_polar, sinus.coronal):
        ids = [points.InsertNextPoint(*corner) for corner in plane.corners_ras]
        polygons.InsertNextCell(len(ids), ids)
    planes = vtk.vtkPolyData()
    planes.SetPoints(points)
    planes.SetPolys(polygons)
    return planes


def _namesOf(sinus: SinusDrawing, axis: Line) -> Iterator[tuple[str, Position]]:
    """The axial planes are named at their right and front edges: views show these on the left, where names begin.

    Names that begin at the long axis, as that between the centres, stand beyond.
    """
    for name, plane in (
        (_("Lower polar line"), sinus.lower_polar),
        (_("Midline"), sinus.midline),
        (_("Upper polar line"), sinus.upper_polar),
    ):
        for position in plane.beside_ras(axis):
            yield name, position


def _add(node: Any, display: vtkMRMLDisplayNode, title: str, segmentationNode: vtkMRMLSegmentationNode) -> None:
    """Add a node with its own display: one that comes without gets Slicer's default."""
    scene = slicer.mrmlScene
    for one in (display, node):
        one.SetSaveWithScene(False)
        # Before it is added: then no selector and no subject hierarchy takes it up.
        one.SetHideFromEditors(True)
    node.SetName(title)
    node.SetSelectable(False)
    node.SetNodeReferenceID(_SCORED, segmentationNode.GetID())
    node.SetAndObserveDisplayNodeID(scene.AddNode(display).GetID())
    if node.IsA("vtkMRMLMarkupsNode"):
        node.SetLocked(True)
    with placeNodeKept(scene):
        scene.AddNode(node)


def _markupsDisplay() -> vtkMRMLMarkupsDisplayNode:
    """How lines and points look that have names.

    A line is named at its end: Slicer names it in the middle, where several of them meet.
    """
    display = slicer.vtkMRMLMarkupsDisplayNode()
    # In 3D they would stand in front of each other.
    display.SetVisibility3D(False)
    display.SetColor(*COLORS["nephrometry"])
    display.SetSelectedColor(*COLORS["nephrometry"])
    display.SetTextScale(_TEXT_SCALE)
    display.SetPointLabelsVisibility(True)
    display.SetPropertiesLabelVisibility(False)
    display.SetHandlesInteractive(False)
    display.SetGlyphTypeFromString("Vertex2D")
    display.SetGlyphScale(_GLYPH_SCALE)
    display.SetLineThickness(_LINE_THICKNESS)
    return display


def _modelDisplay() -> vtkMRMLModelDisplayNode:
    display = slicer.vtkMRMLModelDisplayNode()
    display.SetVisibility2D(True)
    display.SetVisibility3D(False)
    display.SetColor(*COLORS["nephrometry"])
    display.SetSliceIntersectionThickness(_PLANE_THICKNESS)
    return display
