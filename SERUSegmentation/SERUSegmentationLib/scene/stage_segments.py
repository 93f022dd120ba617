"""The second segmentation: coarse as an outline, refined and disagreement when asked for."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from seru.result.fusion import LiveFusion
from SERUSegmentationLib.scene.owned_nodes import STAGES, companion, ensureCompanion, placeInFolder
from SERUSegmentationLib.scene.segment_layer import LayerGrid, LayerSegment, SegmentLayer, removeOwnSegments, tagOf
from SERUSegmentationLib.scene.segments import disagreementSegment, stageSegments
from SERUSegmentationLib.texts import _

# Node attribute that tells the second segmentation from the result.
_ROLE = "SERU.Role"


class Shown(enum.Enum):
    """What the views show of a result."""

    FUSED = "fused"
    COARSE = "coarse"
    REFINED = "refined"
    DISAGREEMENT = "disagreement"

    def label(self) -> str:
        """Return the text for people."""
        return {
            "fused": _("Fused segments"),
            "coarse": _("Coarse stage"),
            "refined": _("Refined stage"),
            "disagreement": _("Disagreement of the stages"),
        }[self.value]


def writeCoarse(segmentationNode: Any, volumeNode: Any, fusion: LiveFusion, name: str) -> Any:
    """Write the coarse stage; what an earlier run left of the other stages goes.

    Args:
        segmentationNode: the result.
        volumeNode: the input.
        fusion: of the run.
        name: of a new node.

    Returns:
        The second segmentation.
    """
    node = ensureCompanion(segmentationNode, STAGES, "vtkMRMLSegmentationNode", name)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    placeInFolder(node, segmentationNode)
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    node.SetAttribute(_ROLE, "stages")
    isNew = node.GetDisplayNode() is None
    if isNew:
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetVisibility3D(False)
    removeOwnSegments(node, lambda key: not key.startswith("coarse_"))
    _write(node, fusion, stageSegments("coarse", _("coarse")), fusion.coarse_labels())
    return node


def isStages(segmentationNode: Any) -> bool:
    """Return whether a segmentation is the second one of a result."""
    return segmentationNode.GetAttribute(_ROLE) == "stages"


def showStage(segmentationNode: Any, shown: Shown, fusion: LiveFusion | None, coarseOutline: bool = True) -> None:
    """Show the fused result or what the stages alone say.

    Args:
        segmentationNode: the result.
        shown: what to show.
        fusion: of the run; None where the maps are gone, then only what is in the scene can be shown.
        coarseOutline: draw the coarse stage's outline over the fused result.
    """
    node = companion(segmentationNode, STAGES)
    display = segmentationNode.GetDisplayNode()
    if display is not None:
        # Surfaces in 3D are the fused result and stay.
        display.SetVisibility2D(shown is Shown.FUSED)
    if node is None or node.GetDisplayNode() is None:
        return
    if fusion is not None:
        _ensureStage(node, shown, fusion)
    filled = {Shown.COARSE: "coarse_", Shown.REFINED: "refined_", Shown.DISAGREEMENT: "disagreement"}.get(shown)
    outlined = {
        Shown.FUSED: ("coarse_",) if coarseOutline else (),
        Shown.DISAGREEMENT: ("coarse_", "refined_"),
    }.get(shown, ())
    _display(node, filled, outlined)


def _ensureStage(node: Any, shown: Shown, fusion: LiveFusion) -> None:
    segmentation = node.GetSegmentation()
    keys = {tagOf(segmentation.GetSegment(id)) for id in segmentation.GetSegmentIDs()}
    wantsRefined = shown in (Shown.REFINED, Shown.DISAGREEMENT)
    if wantsRefined and not any(key.startswith("refined_") for key in keys):
        _write(node, fusion, stageSegments("refined", _("refined")), fusion.refined_labels())
    if shown is Shown.DISAGREEMENT and "disagreement" not in keys:
        _write(node, fusion, [disagreementSegment(_("Disagreement"))], fusion.disagreement().astype(np.uint8))


def _write(node: Any, fusion: LiveFusion, segments: list[LayerSegment], values: np.ndarray) -> None:
    maps = fusion.maps
    SegmentLayer(node, segments, LayerGrid(maps.ijk_to_ras, maps.lower_kji, maps.mask.shape)).write(values)


def _display(node: Any, filled: str | None, outlined: tuple[str, ...]) -> None:
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    visible = False
    for id in segmentation.GetSegmentIDs():
        key = tagOf(segmentation.GetSegment(id))
        if not key:
            continue
        isFilled = filled is not None and key.startswith(filled)
        isShown = isFilled or key.startswith(outlined) if outlined else isFilled
        display.SetSegmentVisibility(id, isShown)
        display.SetSegmentVisibility2DFill(id, isFilled)
        display.SetSegmentVisibility2DOutline(id, isShown)
        display.SetSegmentVisibility3D(id, False)
        visible = visible or isShown
    display.SetVisibility(visible)
