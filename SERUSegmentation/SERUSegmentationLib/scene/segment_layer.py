"""Our segments inside a segmentation: one labelmap shared by them, other people's segments untouched.

A segment is ours by its tag, never by its name or id. The voxels are written in place where our labelmap is still
there; otherwise a new one is made that covers only the box of the maps. Values of a segment that someone drew into the
same labelmap are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from SERUSegmentationLib.scene.geometry import LayerGrid, arrayOf, copyLabel, hasLabelOutside, isEmpty

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkOrientedImageData, vtkSegment, vtkSegmentation

LABELMAP = "Binary labelmap"
SURFACE = "Closed surface"
TAG = "SERU.Segment"


@dataclass(frozen=True)
class LayerSegment:
    """One segment of a layer.

    Attributes:
        key: value of our tag; stays when the user renames the segment.
        name: of a new segment.
        color: of a new segment, red, green and blue, 0..1.
        terminology: Slicer's serialised entry, or empty.
    """

    key: str
    name: str
    color: tuple[float, float, float]
    terminology: str = ""


class SegmentLayer:
    """Segments of ours that share a labelmap.

    Args:
        segmentationNode: holds them, and maybe others.
        segments: value v of the labelmap stands for ``segments[v - 1]``.
        grid: of the values that are written.
    """

    def __init__(
        self, segmentationNode: vtkMRMLSegmentationNode, segments: Sequence[LayerSegment], grid: LayerGrid
    ) -> None:
        self.segmentationNode = segmentationNode
        self.segments = tuple(segments)
        self.grid = grid

    def write(self, values: np.ndarray, create: bool = True) -> None:
        """Write all voxels of the box.

        Args:
            values: uint8, shape of the grid's box: 0 or 1-based index of a segment.
            create: begin anew: make segments that are missing, and empty ours outside the box. Without it missing
                segments stay missing, and what was drawn into ours outside the box stays.
        """
        if create:
            for segment in self.segments:
                self._ensureSegment(segment)
        found = self.find()
        if not found:
            return
        image = self._sharedImage(found)
        if image is None:
            image = self._replaceImage(found, keep=not create)
        elif create:
            whole = arrayOf(image)
            whole[np.isin(whole, self._lookup(found, whole.dtype)[list(found)])] = 0
        view = self._view(image)
        new = self._lookup(found, view.dtype)[values]
        kept = self._foreign(found, image)
        if kept.any():
            np.copyto(view, new, where=~kept[np.clip(view, 0, kept.size - 1)])
        else:
            view[...] = new
        image.GetPointData().GetScalars().Modified()
        # Surfaces of the old voxels go.
        image.Modified()
        self._tellViews(next(iter(found.values())))

    def writeVoxels(self, index: np.ndarray, values: np.ndarray) -> bool:
        """Write some voxels, fast; 3D surfaces stay as they are, and all but the views wait for :meth:`settle`.

        Args:
            index: int64, flat indices into the grid's box.
            values: uint8, same length.

        Returns:
            False where the labelmap is no longer ours alone to write into so: then :meth:`write` everything.
        """
        found = self.find()
        image = self._sharedImage(found) if found else None
        if image is None:
            return False
        place: np.ndarray | tuple[np.ndarray, ...]
        if tuple(image.GetExtent()) == self.grid.extent:
            target, place = vtk_to_numpy(image.GetPointData().GetScalars()), index
        else:
            # Someone drew beyond our box: Slicer then makes the labelmap larger.
            target, place = self._view(image), np.unravel_index(index, self.grid.shapeKji)
        new = self._lookup(found, target.dtype)[values]
        kept = self._foreign(found, image)
        if kept.any():
            current = target[place]
            new = np.where(kept[np.clip(current, 0, kept.size - 1)], current, new)
        target[place] = new
        # Not the image's own event, which would throw the surfaces away on every step of the slider.
        image.GetPointData().GetScalars().Modified()
        self._tellViews(next(iter(found.values())))
        return True

    def read(self) -> np.ndarray | None:
        """Return what our segments hold now, whoever drew it, and whether or not they still share a labelmap.

        Returns:
            uint8, shape of the grid's box, as in :meth:`write`; None where a segment lies on another grid.
        """
        segmentation = self.segmentationNode.GetSegmentation()
        values = np.zeros(self.grid.shapeKji, np.uint8)
        for number, id in self.find().items():
            image = segmentation.GetSegment(id).GetRepresentation(LABELMAP)
            if isEmpty(image):
                continue
            if not self._isOnGrid(image):
                return None
            copyLabel(image, segmentation.GetSegment(id).GetLabelValue(), values, self.grid.extent, number)
        return values

    def reachesOutside(self) -> bool:
        """Return whether someone drew into our segments beyond the box, where we never write."""
        segmentation = self.segmentationNode.GetSegmentation()
        segments = [segmentation.GetSegment(id) for id in self.find().values()]
        return any(
            hasLabelOutside(segment.GetRepresentation(LABELMAP), segment.GetLabelValue(), self.grid.extent)
            for segment in segments
        )

    def find(self) -> dict[int, str]:
        """Return the ids of our segments that exist, by their value in :meth:`write`."""
        segmentation = self.segmentationNode.GetSegmentation()
        ids = {tagOf(segmentation.GetSegment(id)): id for id in segmentation.GetSegmentIDs()}
        return {number: ids[segment.key] for number, segment in enumerate(self.segments, start=1) if segment.key in ids}

    def settle(self) -> None:
        """Tell everyone that the voxels stand."""
        self.segmentationNode.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)

    def makeSurfaces(self) -> None:
        """Make the 3D surfaces of the voxels as they are now."""
        self.segmentationNode.RemoveClosedSurfaceRepresentation()
        self.segmentationNode.CreateClosedSurfaceRepresentation()

    def hasSurfaces(self) -> bool:
        """Return whether there are 3D surfaces."""
        return self.segmentationNode.GetSegmentation().ContainsRepresentation(SURFACE)

    def removeOthersOfOurs(self) -> None:
        """Remove the segments that an earlier run made and this one does not have."""
        wanted = {segment.key for segment in self.segments}
        removeOwnSegments(self.segmentationNode, lambda key: key not in wanted)

    def _ensureSegment(self, wanted: LayerSegment) -> None:
        segmentation = self.segmentationNode.GetSegmentation()
        if any(tagOf(segmentation.GetSegment(id)) == wanted.key for id in segmentation.GetSegmentIDs()):
            return
        segment = slicer.vtkSegment()
        segment.SetName(wanted.name)
        segment.SetColor(*wanted.color)
        segment.SetNameAutoGenerated(False)
        segment.SetColorAutoGenerated(False)
        segment.SetTag(TAG, wanted.key)
        if wanted.terminology:
            segment.SetTerminology(wanted.terminology)
            # Slicer's DICOM export writes these; without them it says MANUAL.
            segment.SetTag("DICOM.SegmentAlgorithmType", "AUTOMATIC")
            segment.SetTag("DICOM.SegmentAlgorithmName", "SERU")
        empty = slicer.vtkOrientedImageData()
        segment.AddRepresentation(LABELMAP, empty)
        segmentation.AddSegment(segment, segmentation.GenerateUniqueSegmentID(wanted.key))

    def _sharedImage(self, found: dict[int, str]) -> vtkOrientedImageData | None:
        """The labelmap of all our segments if it is one, lies on the grid and covers the box."""
        segmentation = self.segmentationNode.GetSegmentation()
        images = [segmentation.GetSegment(id).GetRepresentation(LABELMAP) for id in found.values()]
        image = images[0]
        if image is None or any(other is not image for other in images) or image.GetPointData().GetScalars() is None:
            return None
        values = [segmentation.GetSegment(id).GetLabelValue() for id in found.values()]
        has, needs = image.GetExtent(), self.grid.extent
        covers = all(has[2 * a] <= needs[2 * a] and needs[2 * a + 1] <= has[2 * a + 1] for a in range(3))
        return image if self._isOnGrid(image) and covers and len(set(values)) == len(values) else None

    def _isOnGrid(self, image: vtkOrientedImageData) -> bool:
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        return np.allclose(slicer.util.arrayFromVTKMatrix(matrix), self.grid.ijkToRas, atol=1e-6)

    def _replaceImage(self, found: dict[int, str], keep: bool) -> vtkOrientedImageData:
        """Give our segments one new labelmap; ``keep`` takes over what they hold outside the box."""
        segmentation = self.segmentationNode.GetSegmentation()
        segments = {value: segmentation.GetSegment(id) for value, id in found.items()}
        held = {
            value: segment.GetRepresentation(LABELMAP)
            for value, segment in segments.items()
            if keep and not isEmpty(segment.GetRepresentation(LABELMAP))
        }
        held = {value: image for value, image in held.items() if self._isOnGrid(image)}
        extents = np.array([self.grid.extent, *(image.GetExtent() for image in held.values())])
        image = slicer.vtkOrientedImageData()
        image.SetExtent(*(int(extents[:, n].max() if n % 2 else extents[:, n].min()) for n in range(6)))
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(self.grid.ijkToRas))
        arrayOf(image)[...] = 0
        for value, old in held.items():
            copyLabel(old, segments[value].GetLabelValue(), arrayOf(image), image.GetExtent(), value)
        for id in found.values():
            if othersSharing(segmentation, id, set(found.values())):
                segmentation.ClearSegment(id)
        for value, segment in segments.items():
            segment.RemoveAllRepresentations()
            segment.SetLabelValue(value)
            segment.AddRepresentation(LABELMAP, image)
        return image

    def _view(self, image: vtkOrientedImageData) -> np.ndarray:
        extent = image.GetExtent()
        starts = [low - extent[2 * axis] for low, axis in zip(self.grid.lowerKji, (2, 1, 0), strict=True)]
        return arrayOf(image)[tuple(slice(s, s + n) for s, n in zip(starts, self.grid.shapeKji, strict=True))]

    def _lookup(self, found: dict[int, str], dtype: np.dtype) -> np.ndarray:
        """Value in the labelmap of each of our values; 0 for a segment that the user deleted."""
        segmentation = self.segmentationNode.GetSegmentation()
        table = np.zeros(len(self.segments) + 1, dtype)
        for number, id in found.items():
            table[number] = segmentation.GetSegment(id).GetLabelValue()
        return table

    def _foreign(self, found: dict[int, str], image: vtkOrientedImageData) -> np.ndarray:
        """For each value of the labelmap whether it belongs to someone else's segment."""
        segmentation = self.segmentationNode.GetSegmentation()
        ids = [id for id in segmentation.GetSegmentIDs() if id not in found.values()]
        segments = [segmentation.GetSegment(id) for id in ids]
        values = [segment.GetLabelValue() for segment in segments if segment.GetRepresentation(LABELMAP) is image]
        table = np.zeros(max([255, *values]) + 1, bool)
        table[values] = True
        return table

    def _tellViews(self, segmentId: str) -> None:
        """Send the event that the slice views wait for; they look at the voxels' time. Once a change: each renders."""
        segmentation = self.segmentationNode.GetSegmentation()
        segmentation.InvokeEvent(slicer.vtkSegmentation.RepresentationModified, segmentId)
        self.segmentationNode.StorableModified()


def tagOf(segment: vtkSegment) -> str:
    """Return the value of our tag on a segment; empty where the segment is not ours."""
    text = vtk.reference("")
    return str(text) if segment.GetTag(TAG, text) else ""


def foreignSegmentIds(segmentationNode: vtkMRMLSegmentationNode) -> list[str]:
    """Return the ids of the segments that are not ours."""
    segmentation = segmentationNode.GetSegmentation()
    return [id for id in segmentation.GetSegmentIDs() if not tagOf(segmentation.GetSegment(id))]


def removeOwnSegments(segmentationNode: vtkMRMLSegmentationNode, chosen: Callable[[str], bool]) -> None:
    """Remove segments of ours, with their voxels.

    Args:
        segmentationNode: holds them.
        chosen: called with a segment's key; True removes it.
    """
    segmentation = segmentationNode.GetSegmentation()
    for id in list(segmentation.GetSegmentIDs()):
        key = tagOf(segmentation.GetSegment(id))
        if key and chosen(key):
            segmentation.ClearSegment(id)
            segmentation.RemoveSegment(id)


def othersSharing(segmentation: vtkSegmentation, segmentId: str, ours: set[str]) -> list[str]:
    """Return the segments outside ``ours`` that share a segment's labelmap."""
    image = segmentation.GetSegment(segmentId).GetRepresentation(LABELMAP)
    if image is None:
        return []
    others = [id for id in segmentation.GetSegmentIDs() if id not in ours]
    return [id for id in others if segmentation.GetSegment(id).GetRepresentation(LABELMAP) is image]
