"""The crop boxes of both sides as ROI markups, and the key slices as points that one can jump to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk

from seru.findings import CropBox, Index, Report, Side
from seru.terminology import COLORS
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.geometry import toWorld, vtkMatrix
from SERUSegmentationLib.scene.nodes import (
    CROPS,
    KEY_SLICES,
    companion,
    ensureCompanion,
    placeInFolder,
    removeCompanion,
)

if TYPE_CHECKING:
    from slicer import vtkMRMLMarkupsFiducialNode, vtkMRMLMarkupsROINode, vtkMRMLSegmentationNode, vtkMRMLVolumeNode

    from seru.grid import Grid

# The boxes are there to be seen through. In 3D a line's thickness is of a point's size; in slices Slicer draws each one
# three pixels wide, so it is pale.
_LINE_THICKNESS = 0.05
OPACITY, MOVABLE_OPACITY = 0.4, 0.8
# A line that is nearer to a finding, in voxels, hides what it looks like.
_NEAR = 2
# The point of a side is found by its description: the label may be renamed.
_DESCRIPTIONS: dict[Side, str] = {"right": "SERU key slice, right", "left": "SERU key slice, left"}


def writeCropBoxes(
    segmentationNode: vtkMRMLSegmentationNode,
    volumeNode: vtkMRMLVolumeNode | None,
    grid: Grid,
    report: Report,
    titles: dict[str, str],
    labels: dict[str, str],
) -> None:
    """Show where the refine stage ran.

    Args:
        segmentationNode: the result.
        volumeNode: the input; None where it has gone.
        grid: of the input.
        report: of the run.
        titles: name of a new box per side.
        labels: what a view shows beside the middle of a box that can be moved, per side.
    """
    for side, role in CROPS.items():
        crop = report.side(side).crop
        if crop is None:
            removeCompanion(segmentationNode, role)
            continue
        isNew = companion(segmentationNode, role) is None
        roi = ensureCompanion(segmentationNode, role, "vtkMRMLMarkupsROINode", titles[side])
        roi.SetAndObserveTransformNodeID((volumeNode or segmentationNode).GetTransformNodeID())
        placeBox(roi, grid, crop.ijk_min, crop.ijk_max)
        roi.SetNthControlPointLabel(0, labels[side])
        if isNew:
            _displayBox(roi, COLORS[side])
        markWritten(roi)


def placeBox(roi: vtkMRMLMarkupsROINode, grid: Grid, ijkMin: Index, ijkMax: Index) -> None:
    """Put a box around voxels.

    Args:
        roi: under the volume's own parent transform.
        grid: of the input.
        ijkMin: first voxel.
        ijkMax: last voxel, inside the box.
    """
    matrix, size = grid.box_to_ras(ijkMin, ijkMax)
    roi.SetAndObserveObjectToNodeMatrix(vtkMatrix(matrix))
    roi.SetSize(*size)


def areCropBoxesVisible(segmentationNode: vtkMRMLSegmentationNode) -> bool:
    """Return whether any crop box is shown."""
    return any(roi.GetDisplayVisibility() for roi in _rois(segmentationNode))


def setCropBoxesVisible(segmentationNode: vtkMRMLSegmentationNode, visible: bool) -> None:
    """Show or hide the crop boxes.

    Args:
        segmentationNode: the result.
        visible: show them.
    """
    for roi in _rois(segmentationNode):
        roi.SetDisplayVisibility(visible)


def keepOffFinding(
    segmentationNode: vtkMRMLSegmentationNode, report: Report, finding: tuple[np.ndarray, np.ndarray] | None
) -> None:
    """Draw no crop box in the slices whose lines run across a finding, unless it is to be moved.

    Args:
        segmentationNode: the result.
        report: of the run.
        finding: int64, first and last voxel along i, j and k; None for none, then every box is drawn.
    """
    for side, role in CROPS.items():
        roi, crop = companion(segmentationNode, role), report.side(side).crop
        if roi is not None and crop is not None and roi.GetDisplayNode() is not None:
            isDrawn = finding is None or not _runsAcross(crop, *finding) or not roi.GetLocked()
            roi.GetDisplayNode().SetVisibility2D(isDrawn)


def _runsAcross(crop: CropBox, first: np.ndarray, last: np.ndarray) -> bool:
    low, high = np.array(crop.ijk_min), np.array(crop.ijk_max)
    isInside = (low + _NEAR <= first).all() and (last <= high - _NEAR).all()
    isOutside = (last < low - _NEAR).any() or (first > high + _NEAR).any()
    return not (isInside or isOutside)


def areKeyLabelsVisible(segmentationNode: vtkMRMLSegmentationNode) -> bool:
    """Return whether the key slices' labels are shown."""
    node = companion(segmentationNode, KEY_SLICES)
    return node is not None and bool(node.GetDisplayNode().GetPointLabelsVisibility())


def setKeyLabelsVisible(segmentationNode: vtkMRMLSegmentationNode, visible: bool) -> None:
    """Show or hide the key slices' labels; the points stay.

    Args:
        segmentationNode: the result.
        visible: show them.
    """
    node = companion(segmentationNode, KEY_SLICES)
    if node is not None:
        node.GetDisplayNode().SetPointLabelsVisibility(visible)


def writeKeySlices(
    segmentationNode: vtkMRMLSegmentationNode,
    volumeNode: vtkMRMLVolumeNode,
    report: Report,
    name: str,
    labels: dict[str, str],
) -> vtkMRMLMarkupsFiducialNode:
    """Write a point at the centre of each key slice's contour.

    Args:
        segmentationNode: the result.
        volumeNode: the input.
        report: of the run.
        name: of a new node.
        labels: text of the point per side.

    Returns:
        The markups node.
    """
    isNew = companion(segmentationNode, KEY_SLICES) is None
    node = ensureCompanion(segmentationNode, KEY_SLICES, "vtkMRMLMarkupsFiducialNode", name)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    placeInFolder(node, segmentationNode)
    if isNew:
        _displayPoints(node)
    for side, description in _DESCRIPTIONS.items():
        point = _pointOf(node, side)
        keySlice = report.side(side).key_slice
        if keySlice is None:
            if point is not None:
                node.RemoveNthControlPoint(point)
            continue
        if point is None:
            point = node.AddControlPoint(vtk.vtkVector3d(*keySlice.position_ras), labels[side])
            node.SetNthControlPointDescription(point, description)
        else:
            node.SetNthControlPointPosition(point, *keySlice.position_ras)
        node.SetNthControlPointLocked(point, True)
    markWritten(node)
    return node


def keySlicePosition(segmentationNode: vtkMRMLSegmentationNode, side: Side) -> tuple[float, float, float] | None:
    """Return where a side's key slice is.

    Args:
        segmentationNode: the result.
        side: ``right`` or ``left``.

    Returns:
        (r, a, s) in world coordinates, mm; None where that side has none.
    """
    node = companion(segmentationNode, KEY_SLICES)
    if node is None or (point := _pointOf(node, side)) is None:
        return None
    position = [0.0, 0.0, 0.0]
    node.GetNthControlPointPosition(point, position)
    return toWorld(node, position)


def drawMarkupsLast(segmentationNode: vtkMRMLSegmentationNode) -> None:
    """Draw a result's boxes and points over its segments again: a view draws what came last over the rest.

    A display node that comes anew is drawn anew; nothing less is, and after a batch Slicer draws the segments last.

    Args:
        segmentationNode: the result, which was given segments beside others.
    """
    points = companion(segmentationNode, KEY_SLICES)
    for node in [*_rois(segmentationNode), *([points] if points is not None else [])]:
        scene, display = node.GetScene(), node.GetDisplayNode()
        scene.RemoveNode(display)
        node.SetAndObserveDisplayNodeID(scene.AddNode(display).GetID())


def _rois(segmentationNode: vtkMRMLSegmentationNode) -> list[vtkMRMLMarkupsROINode]:
    return [roi for role in CROPS.values() if (roi := companion(segmentationNode, role)) is not None]


def _displayBox(roi: vtkMRMLMarkupsROINode, color: tuple[float, float, float]) -> None:
    roi.SetLocked(True)
    roi.CreateDefaultDisplayNodes()
    display = roi.GetDisplayNode()
    display.SetSelectedColor(*color)
    display.SetColor(*color)
    display.SetFillVisibility(False)
    display.SetOpacity(OPACITY)
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(False)
    display.SetHandlesInteractive(False)
    display.SetGlyphTypeFromString("Vertex2D")
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(0.1)
    display.SetLineThickness(_LINE_THICKNESS)
    display.SetSnapMode(slicer.vtkMRMLMarkupsDisplayNode.SnapModeUnconstrained)


def _pointOf(node: vtkMRMLMarkupsFiducialNode, side: Side) -> int | None:
    for number in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointDescription(number) == _DESCRIPTIONS[side]:
            return number
    return None


def _displayPoints(node: vtkMRMLMarkupsFiducialNode) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSelectedColor(*COLORS["key slice"])
    display.SetTextScale(2.2)
    # A label lies over what is beside its point: the finding, as a rule.
    display.SetPointLabelsVisibility(False)
    display.SetGlyphScale(2.0)
