"""Tells when the voxels of a segmentation change, whoever changes them, and when its CT is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import slicer

from SERUSegmentationLib.scene.geometry import isEmpty
from SERUSegmentationLib.scene.segment_layer import LABELMAP

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLTransformableNode

# Each tells of other things too; a step of alpha comes with the second one alone, an undone stroke with the last.
_EVENTS = (
    "SourceRepresentationModified",
    "RepresentationModified",
    "SegmentAdded",
    "SegmentRemoved",
    "SegmentModified",
)


class SegmentWatch:
    """Looks after one segmentation and its CT until it is stopped.

    Args:
        onChanged: called when voxels, names or meanings of segments are others than when it was started.
        onMoved: called when the CT is put under another transform.
    """

    def __init__(self, onChanged: Callable[[], None], onMoved: Callable[[], None]) -> None:
        self._onChanged, self._onMoved = onChanged, onMoved
        self._node: vtkMRMLSegmentationNode | None = None
        self._before: list[tuple] = []
        self._observed: list[tuple[Any, int]] = []

    def start(self, segmentationNode: vtkMRMLSegmentationNode, ctNode: vtkMRMLTransformableNode) -> None:
        """Look after another segmentation.

        Args:
            segmentationNode: as it is now.
            ctNode: its CT, or the segmentation itself where that has gone.
        """
        self.stop()
        self._node, self._before = segmentationNode, list(_stateOf(segmentationNode))
        for name in _EVENTS:
            self._observe(segmentationNode, getattr(slicer.vtkSegmentation, name), self._onEvent)
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        self._observe(ctNode, moved, lambda caller, event: self._onMoved())

    def stop(self) -> None:
        """Look no more."""
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        self._observed.clear()
        self._node = None

    def _observe(self, subject: Any, event: int, callback: Callable[[Any, str], None]) -> None:
        self._observed.append((subject, subject.AddObserver(event, callback)))

    def _onEvent(self, caller: Any, event: str) -> None:
        if self._node is not None and list(_stateOf(self._node)) != self._before:
            self._onChanged()


def _stateOf(segmentationNode: vtkMRMLSegmentationNode) -> Iterator[tuple]:
    """What changes with a segment's voxels: its image, and when that was written."""
    segmentation = segmentationNode.GetSegmentation()
    for id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(id)
        image = segment.GetRepresentation(LABELMAP)
        written = None if isEmpty(image) else (image, image.GetMTime(), image.GetPointData().GetScalars().GetMTime())
        yield id, segment.GetName(), segment.GetLabelValue(), written
