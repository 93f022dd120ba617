"""The key slices as point markups that one can jump to."""

from __future__ import annotations

from typing import Any

import vtk

from SERUSegmentationLib.scene.geometry import toWorld
from SERUSegmentationLib.scene.owned_nodes import KEY_SLICES, companion, ensureCompanion, placeInFolder

# The point of a side is found by its description: the label may be renamed.
_DESCRIPTIONS = {"right": "SERU key slice, right", "left": "SERU key slice, left"}


def writeKeySlices(
    segmentationNode: Any, volumeNode: Any, report: dict[str, Any], name: str, labels: dict[str, str]
) -> Any:
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
        _display(node)
    for side, description in _DESCRIPTIONS.items():
        point = _pointOf(node, side)
        keySlice = report[side]["key_slice"]
        if keySlice is None:
            if point is not None:
                node.RemoveNthControlPoint(point)
            continue
        if point is None:
            point = node.AddControlPoint(vtk.vtkVector3d(*keySlice["position_ras"]), labels[side])
            node.SetNthControlPointDescription(point, description)
        else:
            node.SetNthControlPointPosition(point, *keySlice["position_ras"])
        node.SetNthControlPointLocked(point, True)
    return node


def keySlicePosition(segmentationNode: Any, side: str) -> tuple[float, float, float] | None:
    """Return where a side's key slice is.

    Args:
        segmentationNode: the result.
        side: ``right`` or ``left``.

    Returns:
        (r, a, s) in world coordinates, mm; None where that side has none.
    """
    node = companion(segmentationNode, KEY_SLICES)
    point = _pointOf(node, side) if node is not None else None
    if point is None:
        return None
    position = [0.0, 0.0, 0.0]
    node.GetNthControlPointPosition(point, position)
    return toWorld(node, position)


def _pointOf(node: Any, side: str) -> int | None:
    for number in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointDescription(number) == _DESCRIPTIONS[side]:
            return number
    return None


def _display(node: Any) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSelectedColor(1.0, 0.85, 0.2)
    display.SetTextScale(2.2)
    display.SetGlyphScale(2.0)
