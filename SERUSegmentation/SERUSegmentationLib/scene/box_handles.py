"""Handles of the crop boxes, and the voxels that a moved box holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer

from seru.findings import Report, Side
from seru.options import SideBox
from SERUSegmentationLib.scene.geometry import gridOf
from SERUSegmentationLib.scene.nodes import CROPS, companion

if TYPE_CHECKING:
    from slicer import vtkMRMLMarkupsROINode, vtkMRMLSegmentationNode, vtkMRMLVolumeNode


def cropBoxes(segmentationNode: vtkMRMLSegmentationNode | None) -> dict[Side, vtkMRMLMarkupsROINode]:
    """Return the boxes that a result has, by side."""
    found = {side: companion(segmentationNode, role) for side, role in CROPS.items()}
    return {side: roi for side, roi in found.items() if roi is not None}


def areMovable(segmentationNode: vtkMRMLSegmentationNode | None) -> bool:
    """Return whether any crop box has handles."""
    return any(not roi.GetLocked() for roi in cropBoxes(segmentationNode).values())


def setMovable(segmentationNode: vtkMRMLSegmentationNode, isOn: bool) -> None:
    """Give the crop boxes handles to move and to size them, or take these away; they are never turned by hand.

    Args:
        segmentationNode: the result.
        isOn: show the boxes, with handles.
    """
    for roi in cropBoxes(segmentationNode).values():
        roi.SetLocked(not isOn)
        display = roi.GetDisplayNode()
        display.SetHandlesInteractive(isOn)
        display.SetTranslationHandleVisibility(isOn)
        display.SetScaleHandleVisibility(isOn)
        display.SetRotationHandleVisibility(False)
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
    whole = np.array(grid.shape_ijk)
    size = np.clip(np.rint(np.array(roi.GetSize()) / grid.spacing_ijk_mm), 1, whole)
    centre = (np.linalg.inv(grid.ijk_to_ras) @ matrix[:, 3])[:3]
    low = np.clip(np.rint(centre - (size - 1) / 2), 0, whole - size).astype(int)
    i0, j0, k0 = low.tolist()
    i1, j1, k1 = (low + size.astype(int) - 1).tolist()
    return SideBox(side, (i0, j0, k0), (i1, j1, k1))


def isMoved(box: SideBox, report: Report) -> bool:
    """Return whether a box is another one than where its side was refined."""
    crop = report.side(box.side).crop
    return crop is None or (crop.ijk_min, crop.ijk_max) != (box.ijk_min, box.ijk_max)
