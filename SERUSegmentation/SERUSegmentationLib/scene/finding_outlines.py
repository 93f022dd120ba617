"""Thick outlines over a result: what is not believed, pale, and the finding that is chosen in the panel, bright.

They are in a segmentation of their own, so that nothing of them gets into the result, its tables or its exports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seru.result.gated import Component
from seru.result.measurements import Measured
from seru.terminology import COLORS
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.finding_names import findingTitle
from SERUSegmentationLib.scene.geometry import LayerGrid
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import OUTLINES, companion, ensureOverlay, inputVolume
from SERUSegmentationLib.scene.segment_layer import LayerSegment, SegmentLayer, removeOwnSegments, tagOf
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode

_CHOSEN = "chosen"
_OPACITIES = {_CHOSEN: 1.0}
_PALE_OPACITY = 0.9
# Of the lines, in pixels: the coarse stage's have one, so that no color is needed to tell them apart.
_THICKNESS = 3


def writeOutlines(result: LiveResult, areCandidatesShown: bool = True) -> None:
    """Write the outline of each finding that is not believed; what was there before goes, and no node is made for none.

    Args:
        result: written or assumed, in the scene.
        areCandidatesShown: show them.
    """
    measured = result.finished.measured if result.finished else ()
    isNeeded = any(not one.finding.is_counted for one in measured)
    node = _ensureNode(result) if isNeeded else companion(result.segmentationNode, OUTLINES)
    if node is None:
        return
    removeOwnSegments(node, lambda key: True)
    for number, one in enumerate(measured):
        if not one.finding.is_counted:
            color = COLORS[one.finding.status]
            segment = LayerSegment(f"unbelieved_{number}", findingTitle(one.finding), color)
            _write(node, result, one.component, segment)
    markWritten(node)
    showOutlines(result.segmentationNode, areCandidatesShown)


def showOutlines(segmentationNode: vtkMRMLSegmentationNode, areCandidatesShown: bool) -> None:
    """Show the chosen finding's outline, and the others' where they are wanted.

    Args:
        segmentationNode: the result.
        areCandidatesShown: show what is not believed.
    """
    node = companion(segmentationNode, OUTLINES)
    if node is None or node.GetDisplayNode() is None:
        return
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    for id in segmentation.GetSegmentIDs():
        key = tagOf(segmentation.GetSegment(id))
        if key:
            display.SetSegmentVisibility(id, areCandidatesShown or key == _CHOSEN)
            display.SetSegmentVisibility3D(id, False)
            display.SetSegmentVisibility2DFill(id, False)
            display.SetSegmentVisibility2DOutline(id, True)
            display.SetSegmentOpacity2DOutline(id, _OPACITIES.get(key, _PALE_OPACITY))


def outlineFinding(result: LiveResult, measured: Measured | None) -> None:
    """Outline one finding instead of the one before.

    Args:
        result: in the scene.
        measured: of the result; None outlines none.
    """
    node = _ensureNode(result) if measured else companion(result.segmentationNode, OUTLINES)
    if node is None:
        return
    if measured is None:
        removeOwnSegments(node, lambda key: key == _CHOSEN)
    else:
        _write(node, result, measured.component, LayerSegment(_CHOSEN, _("Chosen finding"), COLORS[_CHOSEN]))
    markWritten(node)


def _ensureNode(result: LiveResult) -> vtkMRMLSegmentationNode | None:
    volume = inputVolume(result.segmentationNode)
    if volume is None:
        return None
    name = _("{name} candidates").format(name=result.segmentationNode.GetName())
    node = ensureOverlay(result.segmentationNode, volume, OUTLINES, name)
    node.GetDisplayNode().SetSliceIntersectionThickness(_THICKNESS)
    return node


def boxOf(result: LiveResult, measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """Return the box of a finding on the scan's grid.

    Args:
        result: that it is of.
        measured: of the result.

    Returns:
        int64, shape (3,): first and last voxel along i, j and k.
    """
    lower, box = result.maps.lower_kji, measured.component.box
    first = [low + part.start for low, part in zip(lower, box, strict=True)]
    last = [low + part.stop - 1 for low, part in zip(lower, box, strict=True)]
    return np.array(first[::-1]), np.array(last[::-1])


def _write(node: vtkMRMLSegmentationNode, result: LiveResult, component: Component, segment: LayerSegment) -> None:
    k, j, i = (low + part.start for low, part in zip(result.maps.lower_kji, component.box, strict=True))
    depth, rows, columns = component.voxels.shape
    grid = LayerGrid(result.maps.grid.ijk_to_ras, (k, j, i), (depth, rows, columns))
    SegmentLayer(node, [segment], grid).write(component.voxels.astype(np.uint8))
