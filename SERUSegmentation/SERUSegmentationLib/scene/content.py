"""Whether a node still is as we wrote it: what a user changed is not thrown away without a question.

What a node held when it was written is kept with it as an attribute, so it is known after loading too. Numbers are
rounded to what files keep.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import slicer

from SERUSegmentationLib.scene.geometry import arrayOf, isEmpty
from SERUSegmentationLib.scene.segment_layer import LABELMAP, tagOf

if TYPE_CHECKING:
    from slicer import (
        vtkMRMLMarkupsNode,
        vtkMRMLMarkupsROINode,
        vtkMRMLNode,
        vtkMRMLSegmentationNode,
        vtkMRMLTableNode,
        vtkSegment,
    )

_NAME = "SERU.WrittenName"
_CONTENT = "SERU.WrittenContent"


def markWritten(node: vtkMRMLNode) -> None:
    """Remember what a node holds as written by us.

    Args:
        node: a result's segmentation or a companion.
    """
    if not node.GetAttribute(_NAME):
        node.SetAttribute(_NAME, node.GetName())
    node.SetAttribute(_CONTENT, _contentOf(node))


def forgetWritten(node: vtkMRMLNode) -> None:
    """Take it that nothing is known of what a node held, as while we write it step by step.

    Args:
        node: a result's segmentation or a companion.
    """
    node.RemoveAttribute(_CONTENT)


def isTouched(node: vtkMRMLNode) -> bool:
    """Return whether someone renamed a node, or changed what it holds, since we wrote it.

    Args:
        node: a result's segmentation or a companion; one that was never marked is not touched.
    """
    name = node.GetAttribute(_NAME)
    return isEdited(node) or (name is not None and name != node.GetName())


def isEdited(node: vtkMRMLNode) -> bool:
    """Return whether someone changed what a node holds since we wrote it.

    Args:
        node: a result's segmentation or a companion; one that was never marked is not edited.
    """
    content = node.GetAttribute(_CONTENT)
    return content is not None and content != _contentOf(node)


def _contentOf(node: vtkMRMLNode) -> str:
    if node.IsA("vtkMRMLSegmentationNode"):
        parts = _ofSegmentation(node)
    elif node.IsA("vtkMRMLMarkupsROINode"):
        parts = _ofRoi(node)
    elif node.IsA("vtkMRMLMarkupsNode"):
        parts = _ofPoints(node)
    elif node.IsA("vtkMRMLTableNode"):
        parts = _ofTable(node)
    else:
        parts = iter([node.GetText() or ""])
    return f"{zlib.crc32(chr(10).join(parts).encode()):08x}"


def _ofSegmentation(node: vtkMRMLSegmentationNode) -> Iterator[str]:
    """Our segments alone: others' are kept anyway."""
    segmentation = node.GetSegmentation()
    segments = [segmentation.GetSegment(id) for id in segmentation.GetSegmentIDs()]
    for segment in sorted((segment for segment in segments if tagOf(segment)), key=tagOf):
        yield f"{tagOf(segment)} {_voxelsOf(segment)}"


def _voxelsOf(segment: vtkSegment) -> str:
    """A checksum of the places of its voxels: they stay when a file crops or merges labelmaps."""
    image = segment.GetRepresentation(LABELMAP)
    if isEmpty(image):
        return "0"
    extent = image.GetExtent()
    lowest = np.array([[extent[2 * axis]] for axis in (2, 1, 0)])
    places = np.stack(np.nonzero(arrayOf(image) == segment.GetLabelValue())) + lowest
    return f"{places.shape[1]} {zlib.crc32(places.astype(np.int32).tobytes()):08x}"


def _ofRoi(node: vtkMRMLMarkupsROINode) -> Iterator[str]:
    matrix = slicer.util.arrayFromVTKMatrix(node.GetObjectToNodeMatrix())
    yield _rounded([*matrix.ravel(), *node.GetSize()])


def _ofPoints(node: vtkMRMLMarkupsNode) -> Iterator[str]:
    for number in range(node.GetNumberOfControlPoints()):
        yield f"{node.GetNthControlPointLabel(number)} {_rounded(node.GetNthControlPointPosition(number))}"


def _ofTable(node: vtkMRMLTableNode) -> Iterator[str]:
    for row in range(node.GetNumberOfRows()):
        for column in range(node.GetNumberOfColumns()):
            yield _cell(node.GetCellText(row, column))


def _cell(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def _rounded(values: list[float]) -> str:
    # Adding 0 makes -0 what it is.
    return " ".join(f"{round(float(value), 2) + 0.0:.2f}" for value in values)
