"""Measures of the segments as they are in the scene: edited, drawn by hand, or of another program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk

from seru.errors import BadInputError
from seru.findings import BACKGROUND, LABEL_OF, Kind, Side
from seru.grid import Grid
from seru.io.label_maps import kind_of_segment
from seru.io.segmentation import code_in_tags
from seru.result.labelled import LabelFindings, measure_labels
from seru.result.nephrometry import Study, studies
from seru.terminology import TERMINOLOGY_TAG
from SERUSegmentationLib.scene.geometry import gridOf, sentencesOnTransform, shapeKji
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode, vtkSegment


@dataclass(frozen=True)
class DrawnSegments:
    """What the segments of a segmentation show, whoever made them.

    Attributes:
        found: findings and measures; without confidence.
        leftOut: names of the segments that are neither kidney nor tumor.
        grid: of the CT.
        doubts: what else is to be known, one sentence each.
    """

    found: LabelFindings
    leftOut: tuple[str, ...]
    grid: Grid
    doubts: tuple[str, ...] = ()

    def studies(self) -> dict[Side, Study | None]:
        """Score the largest tumor of each side; None where it has no kidney or no tumor."""
        found = self.found
        return studies(found.labels_box, found.sides_box, self.grid, found.findings, found.lower_kji)


def measureDrawn(
    segmentationNode: vtkMRMLSegmentationNode, volumeNode: vtkMRMLScalarVolumeNode | None
) -> DrawnSegments:
    """Measure the kidneys and tumors of a segmentation as they are now, as ``seru measure`` does.

    A segment is what its terminology says, or its name where that says neither. Where a tumor overlaps a kidney it is
    tumor.

    Args:
        segmentationNode: any.
        volumeNode: the CT, on whose grid the segments are measured, or None.

    Returns:
        What they show.

    Raises:
        BadInputError: there is no CT, no segment is kidney or tumor, or those have no voxel in the CT.
    """
    if volumeNode is None:
        raise BadInputError(_("The segments are measured on a CT's grid; select the CT that they belong to."))
    name, kinds = segmentationNode.GetName(), dict(_kindsOf(segmentationNode))
    if not any(kinds.values()):
        text = _("No segment of '{name}' is called kidney or tumor; name the segments so, or choose their terminology.")
        raise BadInputError(text.format(name=name))
    grid = gridOf(volumeNode)
    labels = np.full(shapeKji(volumeNode), BACKGROUND, np.uint8)
    for kind in ("kidney", "tumor"):
        for id in (id for id, ofSegment in kinds.items() if ofSegment == kind):
            drawn = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, id, volumeNode)
            if drawn is not None:
                labels[drawn != 0] = LABEL_OF[kind]
    if not labels.any():
        text = _("The kidneys and tumors of '{name}' have no voxel in the CT '{volume}'.")
        raise BadInputError(text.format(name=name, volume=volumeNode.GetName()))
    hu = slicer.util.arrayFromVolume(volumeNode)
    segmentation = segmentationNode.GetSegmentation()
    leftOut = tuple(segmentation.GetSegment(id).GetName() for id, kind in kinds.items() if kind is None)
    found = measure_labels(labels, grid, hu if hu.dtype == np.int16 else hu.astype(np.float32))
    return DrawnSegments(found, leftOut, grid, tuple(sentencesOnTransform(volumeNode)))


def _kindsOf(segmentationNode: vtkMRMLSegmentationNode) -> Iterator[tuple[str, Kind | None]]:
    """The id of each segment, and what it shows."""
    segmentation = segmentationNode.GetSegmentation()
    for id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(id)
        yield id, kind_of_segment(code_in_tags(f"{TERMINOLOGY_TAG}:{_entryOf(segment)}"), segment.GetName())


def _entryOf(segment: vtkSegment) -> str:
    entry = vtk.reference("")
    segment.GetTag(TERMINOLOGY_TAG, entry)
    return str(entry)
