"""What Slicer's subject hierarchy does on its own, over the real subject hierarchy node: items, and the log's errors.

Source: qSlicerSubjectHierarchyPluginLogic.cxx, qSlicerSegmentationsModule.cxx,
qSlicerSubjectHierarchySegmentationsPlugin.cxx of Slicer/Slicer (behaviour, not text).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk

KINDS = ("ScalarVolume", "Segmentation", "Markups", "Table", "Text", "Model", "Transform", "Sequence")


class SubjectHierarchyPlugins:
    """Gives each node that editors show an item, and complains of segmentations that have none.

    Left out: items of single segments, of DICOM series and of what a scene brings without a hierarchy.

    Args:
        scene: observed from now on.
        log_error: called with what Slicer would log as critical.
    """

    def __init__(self, scene: Any, log_error: Callable[[str], None]) -> None:
        self._log_error = log_error
        scene.AddObserver(scene.NodeAddedEvent, self._on_node_added)
        scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._on_node_about_to_be_removed)
        for event in (scene.EndCloseEvent, scene.EndImportEvent):
            scene.AddObserver(event, lambda scene, _event: _resolve(scene))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_added(self, scene: Any, _event: str, node: Any) -> None:
        if node.IsA("vtkMRMLSegmentationNode"):
            # Hidden ones too, and without a look at whether they got an item.
            for event in (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved):
                node.AddObserver(event, self._on_segments)
            node.AddObserver(slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent, self._on_segments)
        if node.IsA("vtkMRMLSubjectHierarchyNode"):
            _resolve(scene)
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        is_supported = any(node.IsA(f"vtkMRML{kind}Node") for kind in KINDS)
        if scene.IsImporting() or node.GetHideFromEditors() or not is_supported or hierarchy.GetItemByDataNode(node):
            return
        hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_about_to_be_removed(self, scene: Any, _event: str, node: Any) -> None:
        if scene.IsClosing() or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def _on_segments(self, node: Any, _event: str) -> None:
        scene = node.GetScene()
        if scene is None or scene.IsImporting():
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        if hierarchy is not None and not hierarchy.GetItemByDataNode(node):
            self._log_error(f"Unable to find subject hierarchy item for segmentation node {node.GetName()}")


def _resolve(scene: Any) -> None:
    """Leave the scene one hierarchy node, with what a file or a closed scene left to be resolved in it."""
    slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)
