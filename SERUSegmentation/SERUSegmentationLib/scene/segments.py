"""Which segments a result has: the fused ones, and those of the stages in a second segmentation.

The stages are shown as they are asked for: coarse as an outline, refined, and where the two disagree.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import numpy as np

from seru.findings import KIDNEY, SIDE_CODES, TUMOR
from seru.result.fusion import LiveFusion
from seru.terminology import COLORS, SEGMENTS, SEGMENTS_BY_SIDE
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.geometry import LayerGrid
from SERUSegmentationLib.scene.nodes import STAGES, companion, ensureOverlay
from SERUSegmentationLib.scene.segment_layer import LayerSegment, SegmentLayer, removeOwnSegments, tagOf
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode


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
            "refined": _("Refine stage"),
            "disagreement": _("Disagreement of the stages"),
        }[self.value]


def fusedSegments(splitSides: bool) -> list[LayerSegment]:
    """Return kidney and tumor, or these on both sides.

    Args:
        splitSides: one segment per side.

    Returns:
        The segments, in the order of the values of :func:`valueTable`.
    """
    terms = SEGMENTS_BY_SIDE if splitSides else SEGMENTS
    return [LayerSegment(term.id, term.name, term.color, term.entry) for term in terms]


def valueTable(splitSides: bool) -> np.ndarray:
    """Return the layer's value for each side and label.

    Args:
        splitSides: one segment per side.

    Returns:
        uint8, shape (3, 3): ``[side code, label]``; 0 is no segment.
    """
    table = np.zeros((3, 3), np.uint8)
    for value, term in enumerate(SEGMENTS_BY_SIDE if splitSides else SEGMENTS, start=1):
        codes = [SIDE_CODES[term.side]] if term.side else [0, 1, 2]
        table[codes, term.label] = value
    return table


def writeCoarse(
    segmentationNode: vtkMRMLSegmentationNode, volumeNode: vtkMRMLScalarVolumeNode, fusion: LiveFusion, name: str
) -> vtkMRMLSegmentationNode:
    """Write the coarse stage; what an earlier run left of the other stages goes.

    Args:
        segmentationNode: the result.
        volumeNode: the input.
        fusion: of the run.
        name: of a new node.

    Returns:
        The second segmentation.
    """
    node = ensureOverlay(segmentationNode, volumeNode, STAGES, name)
    removeOwnSegments(node, lambda key: not key.startswith("coarse_"))
    _write(node, fusion, _stageSegments("coarse", _("coarse")), fusion.coarse_labels())
    return node


def showStage(
    segmentationNode: vtkMRMLSegmentationNode, shown: Shown, fusion: LiveFusion | None, coarseOutline: bool = True
) -> None:
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


def _ensureStage(node: vtkMRMLSegmentationNode, shown: Shown, fusion: LiveFusion) -> None:
    segmentation = node.GetSegmentation()
    keys = {tagOf(segmentation.GetSegment(id)) for id in segmentation.GetSegmentIDs()}
    wantsRefined = shown in (Shown.REFINED, Shown.DISAGREEMENT)
    if wantsRefined and not any(key.startswith("refined_") for key in keys):
        _write(node, fusion, _stageSegments("refined", _("refined")), fusion.refined_labels())
    if shown is Shown.DISAGREEMENT and "disagreement" not in keys:
        disagreement = LayerSegment("disagreement", _("Disagreement"), COLORS["disagreement"])
        _write(node, fusion, [disagreement], fusion.disagreement().astype(np.uint8))


def _write(node: vtkMRMLSegmentationNode, fusion: LiveFusion, segments: list[LayerSegment], values: np.ndarray) -> None:
    SegmentLayer(node, segments, LayerGrid.of(fusion.maps)).write(values)
    markWritten(node)


def _display(node: vtkMRMLSegmentationNode, filled: str | None, outlined: tuple[str, ...]) -> None:
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


def _stageSegments(stage: str, title: str) -> list[LayerSegment]:
    """Return kidney and tumor of one stage.

    Args:
        stage: ``coarse`` or ``refined``.
        title: shown in brackets behind the name.

    Returns:
        Two segments without terminology: a stage is no finding, and is not exported as one.
    """
    kinds = {KIDNEY: "kidney", TUMOR: "tumor"}
    names = {term.label: term.name for term in SEGMENTS}
    return [
        LayerSegment(f"{stage}_{names[label]}", f"{names[label]} ({title})", COLORS[f"{stage} {kinds[label]}"])
        for label in (KIDNEY, TUMOR)
    ]
