"""What goes with a result that is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import qt
import slicer

from SERUSegmentationLib.scene.content import isTouched
from SERUSegmentationLib.scene.nephrometry_markups import nephrometryOf
from SERUSegmentationLib.scene.nodes import companionsOf, removeEmptyFolders, removeNode

if TYPE_CHECKING:
    from slicer import vtkMRMLNode

MayDelete = Callable[[str, list[str]], bool]
"""Gets the name of a result and those of parts that someone worked on; returns whether these go too."""


def deleteCompanionsOf(segmentationNode: vtkMRMLNode, mayDelete: MayDelete) -> None:
    """Delete a result's companions as soon as it is gone, and their folder where nothing else lies in it.

    Args:
        segmentationNode: about to be removed; a segmentation that is no result has no companions.
        mayDelete: asked once, where someone renamed or edited companions.
    """
    name = segmentationNode.GetName()
    companions = [*companionsOf(segmentationNode), *nephrometryOf(segmentationNode)]
    if companions:
        # Later: the scene does not take the removal of a node within another's well.
        qt.QTimer.singleShot(0, lambda: _delete(name, companions, mayDelete))


def _delete(resultName: str, companions: list[vtkMRMLNode], mayDelete: MayDelete) -> None:
    left = [node for node in companions if slicer.mrmlScene.IsNodePresent(node)]
    touched = [node for node in left if isTouched(node)]
    goes = not touched or mayDelete(resultName, [node.GetName() for node in touched])
    for node in left:
        if goes or node not in touched:
            removeNode(node)
    removeEmptyFolders()
