"""The nodes that belong to a result, found by node references: names are the user's to change.

The segmentation that the user chose is the anchor. It refers to its companions (crop boxes, key slices, table, maps,
stages, outlines, verdicts) by role, so two results in one scene keep apart, and the references survive saving, loading
and renaming. Those that nobody can work with elsewhere are in no selector and not in the subject hierarchy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import slicer
import vtk

from seru.findings import Side

if TYPE_CHECKING:
    from slicer import (
        vtkMRMLNode,
        vtkMRMLScalarVolumeNode,
        vtkMRMLScene,
        vtkMRMLSegmentationNode,
        vtkMRMLSubjectHierarchyNode,
        vtkMRMLVolumeNode,
    )

STAGES = "SERU.Stages"
MAPS = "SERU.Maps"
KEY_SLICES = "SERU.KeySlices"
TABLE = "SERU.Measurements"
DRAWN_TABLE = "SERU.DrawnMeasurements"
CROP_RIGHT = "SERU.CropRight"
CROP_LEFT = "SERU.CropLeft"
OUTLINES = "SERU.Outlines"
VERDICTS = "SERU.Verdicts"
CROPS: dict[Side, str] = {"right": CROP_RIGHT, "left": CROP_LEFT}
COMPANIONS = (STAGES, OUTLINES, MAPS, VERDICTS, KEY_SLICES, TABLE, DRAWN_TABLE, CROP_RIGHT, CROP_LEFT)
# Table and points stay on offer: a table view shows only what its selector holds, and points have no other switch.
_HIDDEN = (STAGES, OUTLINES, MAPS, VERDICTS, CROP_RIGHT, CROP_LEFT)

# Attribute of the folder in the subject hierarchy.
_FOLDER = "SERU.Folder"
# Attribute that tells a result's other segmentations from the result.
_ROLE = "SERU.Role"


def companion(segmentationNode: vtkMRMLSegmentationNode | None, role: str) -> vtkMRMLNode | None:
    """Return a companion of a result.

    Args:
        segmentationNode: the result's segmentation, or None.
        role: one of ``COMPANIONS``.

    Returns:
        The node, or None where it was never made or was deleted.
    """
    return segmentationNode.GetNodeReference(role) if segmentationNode else None


def ensureCompanion(segmentationNode: vtkMRMLSegmentationNode, role: str, className: str, name: str) -> vtkMRMLNode:
    """Return a companion of a result, made where it is missing.

    Args:
        segmentationNode: the result's segmentation.
        role: one of ``COMPANIONS``.
        className: of the node.
        name: of a new node; an existing one keeps its own.

    Returns:
        The node.
    """
    node = companion(segmentationNode, role)
    if node is not None and node.IsA(className):
        node.SetHideFromEditors(role in _HIDDEN)
        return node
    scene = segmentationNode.GetScene()
    node = getattr(slicer, className)()
    node.SetName(scene.GenerateUniqueName(name))
    # Before it is added: then no selector and no subject hierarchy takes it up.
    node.SetHideFromEditors(role in _HIDDEN)
    with placeNodeKept(scene):
        node = scene.AddNode(node)
    segmentationNode.SetNodeReferenceID(role, node.GetID())
    return node


def ensureOverlay(
    segmentationNode: vtkMRMLSegmentationNode, volumeNode: vtkMRMLVolumeNode, role: str, name: str
) -> vtkMRMLSegmentationNode:
    """Return another segmentation of a result, that is drawn over it and is never an output itself.

    Args:
        segmentationNode: the result's segmentation.
        volumeNode: the input.
        role: one of ``COMPANIONS``.
        name: of a new node.

    Returns:
        The segmentation, on the input's grid and without surfaces.
    """
    node = ensureCompanion(segmentationNode, role, "vtkMRMLSegmentationNode", name)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    node.SetAttribute(_ROLE, role)
    _ensureItem(node, volumeNode)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().SetVisibility3D(False)
    return node


def isOverlay(segmentationNode: vtkMRMLSegmentationNode) -> bool:
    """Return whether a segmentation is drawn over a result."""
    return bool(segmentationNode.GetAttribute(_ROLE))


def removeCompanion(segmentationNode: vtkMRMLSegmentationNode, role: str) -> None:
    """Delete a companion of a result, if it is there.

    Args:
        segmentationNode: the result's segmentation.
        role: one of ``COMPANIONS``.
    """
    node = companion(segmentationNode, role)
    if node is not None:
        removeNode(node)
    segmentationNode.SetNodeReferenceID(role, None)


def removeNode(node: vtkMRMLNode) -> None:
    """Delete a node of ours with what says how it is shown: Slicer would leave that in the scene.

    Args:
        node: in the scene.
    """
    scene, displays = node.GetScene(), []
    if node.IsA("vtkMRMLDisplayableNode"):
        displays = [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
    for one in (node, *displays):
        if one is not None:
            scene.RemoveNode(one)


def companionsOf(segmentationNode: vtkMRMLNode) -> list[vtkMRMLNode]:
    """Return the companions of a result that no other result refers to; none for another node.

    Args:
        segmentationNode: any node. A cloned segmentation refers to the companions of the one it was made from.
    """
    others = [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if node is not segmentationNode]
    shared = {companion(other, role) for other in others for role in COMPANIONS}
    own = [companion(segmentationNode, role) for role in COMPANIONS]
    return [node for node in own if node is not None and node not in shared]


def inputVolume(segmentationNode: vtkMRMLSegmentationNode | None) -> vtkMRMLScalarVolumeNode | None:
    """Return the volume that a segmentation was made from, or None."""
    if segmentationNode is None:
        return None
    return segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole())


def isPlainVolume(node: vtkMRMLNode) -> bool:
    """Return whether a node is a scalar volume and nothing more special, such as a label map or colors."""
    kinds = ("Vector", "LabelMap", "Tensor")
    return node.IsA("vtkMRMLScalarVolumeNode") and not any(node.IsA(f"vtkMRML{kind}VolumeNode") for kind in kinds)


def firstVolume() -> vtkMRMLScalarVolumeNode | None:
    """Return the first volume of the scene that a volume selector offers, or None."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return next((node for node in volumes if isPlainVolume(node) and not node.GetHideFromEditors()), None)


def outputFor(
    volumeNode: vtkMRMLScalarVolumeNode | None, segmentationNode: vtkMRMLSegmentationNode | None
) -> vtkMRMLSegmentationNode | None:
    """Return where the result of a newly chosen volume should go.

    Args:
        volumeNode: newly chosen, or None.
        segmentationNode: chosen so far, or None.

    Returns:
        The same segmentation, if it is this volume's result or no result at all; else this volume's own latest result,
        or None for a new one.
    """
    if volumeNode is None or inputVolume(segmentationNode) is volumeNode:
        return segmentationNode
    if segmentationNode is not None and companion(segmentationNode, MAPS) is None:
        return segmentationNode
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    own = (node for node in nodes if companion(node, MAPS) is not None and inputVolume(node) is volumeNode)
    return max(own, key=_number, default=None)


def _number(node: vtkMRMLNode) -> int:
    """How late a node came, by the number at the end of its id."""
    digits = re.search(r"[0-9]*$", node.GetID())
    return int(digits[0] or 0) if digits else 0


def placeBeside(node: vtkMRMLNode, volumeNode: vtkMRMLScalarVolumeNode) -> None:
    """Put a node under the volume's own transform and beside it in the subject hierarchy.

    Args:
        node: any transformable or plain node of ours.
        volumeNode: the input.
    """
    if node.IsA("vtkMRMLTransformableNode"):
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volumeNode.GetScene())
    if hierarchy is None:
        return
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    item = hierarchy.GetItemByDataNode(node)
    if volumeItem and item:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(volumeItem))


def _ensureItem(overlay: vtkMRMLSegmentationNode, volumeNode: vtkMRMLVolumeNode) -> None:
    """Give a hidden segmentation its item, beside the volume: Slicer logs an error for each segment of one without.

    Nobody sees it: the tree leaves out what is hidden from editors. In our folder it would log errors when the scene
    is closed.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(volumeNode.GetScene())
    if hierarchy is None or hierarchy.GetItemByDataNode(overlay):
        return
    volumeItem = hierarchy.GetItemByDataNode(volumeNode)
    parent = hierarchy.GetItemParent(volumeItem) if volumeItem else hierarchy.GetSceneItemID()
    hierarchy.CreateItem(parent, overlay)


@contextmanager
def placeNodeKept(scene: vtkMRMLScene) -> Iterator[None]:
    """Keep the markups that the user places points into: Slicer takes each new one for that."""
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    if selection is None:
        yield
        return
    id, className = selection.GetActivePlaceNodeID(), selection.GetActivePlaceNodeClassName()
    try:
        yield
    finally:
        selection.SetActivePlaceNodeID(id)
        selection.SetActivePlaceNodeClassName(className)


def placeInFolder(node: vtkMRMLNode, segmentationNode: vtkMRMLSegmentationNode) -> None:
    """Put a companion into the result's folder, which lies beside the segmentation in the subject hierarchy.

    Not under the segmentation itself: what is put there counts as one of its segments.

    Args:
        node: a companion.
        segmentationNode: the result.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(segmentationNode.GetScene())
    if hierarchy is None:
        return
    item = hierarchy.GetItemByDataNode(node)
    if not item or _isFolder(hierarchy, hierarchy.GetItemParent(item)):
        return
    others = [other for role in COMPANIONS if (other := companion(segmentationNode, role)) is not None]
    items = [other for other in map(hierarchy.GetItemByDataNode, others) if other]
    folders = [parent for parent in map(hierarchy.GetItemParent, items) if _isFolder(hierarchy, parent)]
    if not folders:
        resultItem = hierarchy.GetItemByDataNode(segmentationNode)
        beside = hierarchy.GetItemParent(resultItem) if resultItem else hierarchy.GetSceneItemID()
        folders = [hierarchy.CreateFolderItem(beside, f"{segmentationNode.GetName()} (SERU)")]
        hierarchy.SetItemAttribute(folders[0], _FOLDER, "1")
        hierarchy.SetItemExpanded(folders[0], False)
    hierarchy.SetItemParent(item, folders[0])


def removeEmptyFolders() -> None:
    """Remove the folders of results in which nothing is left; what a user put there keeps its folder."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    if hierarchy is None:
        return
    for item in _childrenOf(hierarchy, hierarchy.GetSceneItemID(), areAll=True):
        if _isFolder(hierarchy, item) and not _childrenOf(hierarchy, item):
            hierarchy.RemoveItem(item)


def _childrenOf(hierarchy: vtkMRMLSubjectHierarchyNode, item: int, areAll: bool = False) -> list[int]:
    children = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, children, areAll)
    return [children.GetId(number) for number in range(children.GetNumberOfIds())]


def _isFolder(hierarchy: vtkMRMLSubjectHierarchyNode, item: int) -> bool:
    return bool(item) and item != hierarchy.GetSceneItemID() and bool(hierarchy.GetItemAttribute(item, _FOLDER))
