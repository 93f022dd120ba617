"""Handles of the crop boxes, the voxels that a moved box holds, and the boxes before each move.

Those before are kept in an attribute of the result, so a scene that was saved and loaded can go back too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import slicer

from seru.errors import BadInputError
from seru.findings import SIDES, Index, Report, Side
from seru.options import SideBox
from seru.records import parse_json
from SERUSegmentationLib.scene.geometry import gridOf
from SERUSegmentationLib.scene.markups import MOVABLE_OPACITY, OPACITY
from SERUSegmentationLib.scene.nodes import CROPS, companion

if TYPE_CHECKING:
    from slicer import vtkMRMLMarkupsROINode, vtkMRMLSegmentationNode, vtkMRMLVolumeNode

    from seru.grid import Grid

Boxes = tuple[SideBox, ...]

# With some room: a large kidney.
_KIDNEY_MM = 140.0
# Attribute of the result.
_STEPS = "SERU.BoxSteps"


def cropBoxes(segmentationNode: vtkMRMLSegmentationNode | None) -> dict[Side, vtkMRMLMarkupsROINode]:
    """Return the boxes that a result has, by side."""
    found = {side: companion(segmentationNode, role) for side, role in CROPS.items()}
    return {side: roi for side, roi in found.items() if roi is not None}


def areMovable(segmentationNode: vtkMRMLSegmentationNode | None) -> bool:
    """Return whether any crop box has handles."""
    return any(not roi.GetLocked() for roi in cropBoxes(segmentationNode).values())


def setMovable(rois: Iterable[vtkMRMLMarkupsROINode], isOn: bool, mayGrow: bool = True) -> None:
    """Give crop boxes handles and the names of their sides, or take these away; they are never turned by hand.

    Args:
        rois: the boxes.
        isOn: show the boxes, with handles.
        mayGrow: also with handles to size them.
    """
    for roi in rois:
        roi.SetLocked(not isOn)
        display = roi.GetDisplayNode()
        display.SetHandlesInteractive(isOn)
        display.SetTranslationHandleVisibility(isOn)
        display.SetScaleHandleVisibility(isOn and mayGrow)
        display.SetRotationHandleVisibility(False)
        # Which side a box is of is told by more than its color where it matters.
        display.SetPointLabelsVisibility(isOn)
        display.SetOpacity(MOVABLE_OPACITY if isOn else OPACITY)
        if isOn:
            display.SetVisibility2D(True)
            roi.SetDisplayVisibility(True)


def boxOf(roi: vtkMRMLMarkupsROINode, volumeNode: vtkMRMLVolumeNode, side: Side) -> SideBox:
    """Return the voxels that a box holds: snapped to them, and moved into the volume.

    Args:
        roi: under the volume's own parent transform, along the volume's axes.
        volumeNode: the input.
        side: of the box.

    Returns:
        The box, of at least one voxel along each axis.
    """
    grid = gridOf(volumeNode)
    matrix = slicer.util.arrayFromVTKMatrix(roi.GetObjectToNodeMatrix())
    centre = (np.linalg.inv(grid.ijk_to_ras) @ matrix[:, 3])[:3]
    return _boxInside(grid, side, centre, np.array(roi.GetSize()) / grid.spacing_ijk_mm)


def boxAround(ijk: Index, side: Side, report: Report, grid: Grid, keepsSlices: bool = False) -> SideBox:
    """Return the box of a side around another place, whose slice is its key slice, moved into the volume.

    Args:
        ijk: voxel of the input.
        side: of the box.
        report: of the run; the box has the size of the side's own, else of the other side's.
        grid: of the input.
        keepsSlices: leave the side's slices as they are where that one is among them: a key slice near one pole is no
            reason to refine the other one no more.

    Returns:
        The box; where neither side has one it is as long as a kidney, and in the plane the model's crop decides.
    """
    crop = report.side(side).crop or next((crop for one in SIDES if (crop := report.side(one).crop)), None)
    size, centre, axis = np.ones(3), np.array(ijk, float), report.geometry.stack_axis
    if crop is not None:
        size = np.array(crop.ijk_max) - crop.ijk_min + 1.0
    else:
        size[axis] = _KIDNEY_MM / grid.spacing_ijk_mm[axis]
    own = report.side(side).crop
    if keepsSlices and own is not None and own.ijk_min[axis] <= ijk[axis] <= own.ijk_max[axis]:
        centre[axis] = (own.ijk_min[axis] + own.ijk_max[axis]) / 2
    return replace(_boxInside(grid, side, centre, size), key_slice=int(ijk[axis]))


def withKeySlice(box: SideBox, before: Boxes, report: Report) -> SideBox:
    """Return a box that was dragged, with the key slice that its side was given before where it still holds it.

    Args:
        box: without a key slice.
        before: the boxes of the result.
        report: of it.
    """
    axis = report.geometry.stack_axis
    keys = [other.key_slice for other in before if other.side == box.side and other.key_slice is not None]
    inside = [key for key in keys if box.ijk_min[axis] <= key <= box.ijk_max[axis]]
    return replace(box, key_slice=inside[0]) if inside else box


def _boxInside(grid: Grid, side: Side, centre: np.ndarray, size: np.ndarray) -> SideBox:
    whole = np.array(grid.shape_ijk)
    size = np.clip(np.rint(size), 1, whole)
    low = np.clip(np.rint(centre - (size - 1) / 2), 0, whole - size).astype(int)
    i0, j0, k0 = low.tolist()
    i1, j1, k1 = (low + size.astype(int) - 1).tolist()
    return SideBox(side, (i0, j0, k0), (i1, j1, k1))


def isMoved(box: SideBox, report: Report) -> bool:
    """Return whether a box, or its key slice, is another one than where its side was refined."""
    crop, key = report.side(box.side).crop, report.side(box.side).key_slice
    if crop is None or (crop.ijk_min, crop.ijk_max) != (box.ijk_min, box.ijk_max):
        return True
    return box.key_slice is not None and (key is None or key.index != box.key_slice)


def storeSteps(segmentationNode: vtkMRMLSegmentationNode, steps: Sequence[Boxes]) -> None:
    """Keep the boxes before each move with a result.

    Args:
        segmentationNode: the result.
        steps: the last one is gone back to first.
    """
    texts = [[str(box) for box in boxes] for boxes in steps]
    segmentationNode.SetAttribute(_STEPS, json.dumps(texts) if texts else None)


def storedSteps(segmentationNode: vtkMRMLSegmentationNode | None) -> list[Boxes]:
    """Return the boxes before each move of a result, possibly loaded from a file; none where they are damaged."""
    text = segmentationNode.GetAttribute(_STEPS) if segmentationNode else None
    try:
        return [tuple(map(SideBox.parse, boxes)) for boxes in parse_json(text)] if text else []
    except (TypeError, ValueError, BadInputError):
        return []
