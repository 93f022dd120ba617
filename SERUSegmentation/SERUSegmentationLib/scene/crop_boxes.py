"""The crop boxes of both sides as ROI markups, along the voxel axes of the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from SERUSegmentationLib.scene.geometry import ijkToRas, vtkMatrix
from SERUSegmentationLib.scene.owned_nodes import CROPS, companion, ensureCompanion, placeInFolder, removeCompanion

_COLOURS = {"right": (0.25, 0.75, 1.0), "left": (0.95, 0.75, 0.25)}


def writeCropBoxes(segmentationNode: Any, volumeNode: Any, report: dict[str, Any], titles: dict[str, str]) -> None:
    """Show where the refine stage ran.

    Args:
        segmentationNode: the result.
        volumeNode: the input.
        report: of the run.
        titles: name of a new box per side.
    """
    for side, role in CROPS.items():
        crop = report[side]["crop"]
        if crop is None:
            removeCompanion(segmentationNode, role)
            continue
        isNew = companion(segmentationNode, role) is None
        roi = ensureCompanion(segmentationNode, role, "vtkMRMLMarkupsROINode", titles[side])
        roi.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        placeInFolder(roi, segmentationNode)
        matrix, size = boxOf(ijkToRas(volumeNode), crop["ijk_min"], crop["ijk_max"])
        roi.SetAndObserveObjectToNodeMatrix(vtkMatrix(matrix))
        roi.SetSize(*size)
        if isNew:
            _display(roi, _COLOURS[side])


def boxOf(matrix: np.ndarray, ijkMin: list[int], ijkMax: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the box around voxels, as an ROI holds it.

    Args:
        matrix: float64, shape (4, 4), IJK to RAS of the input.
        ijkMin: first voxel.
        ijkMax: last voxel, inside the box.

    Returns:
        Box to node coordinates, float64, shape (4, 4), right-handed and without scale; and the box's size in mm.
    """
    low, high = np.asarray(ijkMin, np.float64), np.asarray(ijkMax, np.float64)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    box = np.eye(4)
    box[:3, :3] = matrix[:3, :3] / spacing
    if np.linalg.det(box[:3, :3]) < 0:
        # The box is the same along an axis turned round.
        box[:3, 2] *= -1
    box[:3, 3] = (matrix @ [*((low + high) / 2), 1.0])[:3]
    return box, (high - low + 1) * spacing


def areCropBoxesVisible(segmentationNode: Any) -> bool:
    """Return whether any crop box is shown."""
    return any(roi.GetDisplayVisibility() for roi in _rois(segmentationNode))


def setCropBoxesVisible(segmentationNode: Any, visible: bool) -> None:
    """Show or hide the crop boxes.

    Args:
        segmentationNode: the result.
        visible: show them.
    """
    for roi in _rois(segmentationNode):
        roi.SetDisplayVisibility(visible)


def _rois(segmentationNode: Any) -> list[Any]:
    return [roi for role in CROPS.values() if (roi := companion(segmentationNode, role)) is not None]


def _display(roi: Any, colour: tuple[float, float, float]) -> None:
    roi.SetLocked(True)
    roi.CreateDefaultDisplayNodes()
    display = roi.GetDisplayNode()
    display.SetSelectedColor(*colour)
    display.SetColor(*colour)
    display.SetFillVisibility(False)
    display.SetOpacity(0.9)
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(False)
    display.SetHandlesInteractive(False)
    display.SetGlyphTypeFromString("Vertex2D")
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(0.1)
    display.SetSnapMode(slicer.vtkMRMLMarkupsDisplayNode.SnapModeUnconstrained)
