"""Grids and voxels as MRML and VTK hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from seru.errors import BadInputError
from seru.grid import Grid
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLTransformableNode, vtkMRMLTransformNode, vtkMRMLVolumeNode, vtkOrientedImageData

    from seru.result.maps import Maps


def ijkToRas(volumeNode: vtkMRMLVolumeNode) -> np.ndarray:
    """Return the matrix of a volume, without its parent transforms.

    Args:
        volumeNode: any volume.

    Returns:
        float64, shape (4, 4), voxel index to RAS millimetres in the node's own coordinates.
    """
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def vtkMatrix(array: np.ndarray) -> vtk.vtkMatrix4x4:
    """Return an array of shape (4, 4) as a VTK matrix."""
    return slicer.util.vtkMatrixFromArray(np.asarray(array, np.float64))


def shapeKji(volumeNode: vtkMRMLVolumeNode) -> tuple[int, int, int]:
    """Return the voxels of a volume along k, j and i; zeros without an image."""
    image = volumeNode.GetImageData()
    i, j, k = image.GetDimensions() if image else (0, 0, 0)
    return k, j, i


def toWorld(node: vtkMRMLTransformableNode, position: Sequence[float]) -> tuple[float, float, float]:
    """Return the world position of a point in a node's own coordinates.

    Args:
        node: transformable.
        position: (r, a, s) in mm.

    Returns:
        (r, a, s) in mm, after all parent transforms, non-linear ones too.
    """
    return _between(node.GetParentTransformNode(), None, position)


def fromWorld(node: vtkMRMLTransformableNode, position: Sequence[float]) -> tuple[float, float, float]:
    """Return a world position in a node's own coordinates; the inverse of :func:`toWorld`.

    Args:
        node: transformable.
        position: (r, a, s) in mm.

    Returns:
        (r, a, s) in mm, without the parent transforms.
    """
    return _between(None, node.GetParentTransformNode(), position)


def _between(
    source: vtkMRMLTransformNode | None, target: vtkMRMLTransformNode | None, position: Sequence[float]
) -> tuple[float, float, float]:
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(source, target, transform)
    r, a, s = transform.TransformPoint(position)
    return r, a, s


def gridOf(volumeNode: vtkMRMLVolumeNode) -> Grid:
    """Return the grid of a volume, in the node's own coordinates: without its parent transforms.

    Args:
        volumeNode: any volume.

    Returns:
        The grid.

    Raises:
        BadInputError: its axes are sheared, or a spacing is zero.
    """
    return Grid(shapeKji(volumeNode), ijkToRas(volumeNode))


def sentencesOnTransform(volumeNode: vtkMRMLVolumeNode | None) -> list[str]:
    """Return what is to be known of measures in a volume's own coordinates: of a transform that bends, else nothing."""
    parent = volumeNode.GetParentTransformNode() if volumeNode is not None else None
    if parent is None or parent.IsTransformToWorldLinear():
        return []
    text = _(
        "The CT lies under a transform that bends it, as Slicer loads a tilted gantry's series: "
        "volumes and diameters are of its voxels as stored and may be wrong; "
        "'seru segment' on the DICOM files measures them as they lie."
    )
    return [text]


def isSameGrid(volumeNode: vtkMRMLVolumeNode, grid: Grid) -> bool:
    """Return whether a volume still lies on the grid that a run was made on."""
    try:
        return gridOf(volumeNode).is_close(grid)
    except BadInputError:
        return False


@dataclass(frozen=True)
class LayerGrid:
    """Where a layer lies: a box of the input's grid.

    Attributes:
        ijkToRas: float64, shape (4, 4).
        lowerKji: first voxel of the box.
        shapeKji: voxels of the box.
    """

    ijkToRas: np.ndarray
    lowerKji: tuple[int, int, int]
    shapeKji: tuple[int, int, int]

    @classmethod
    def of(cls, maps: Maps) -> LayerGrid:
        """Return the stored box of a run's maps."""
        k, j, i = maps.mask.shape
        return cls(maps.grid.ijk_to_ras, maps.lower_kji, (k, j, i))

    @property
    def extent(self) -> tuple[int, ...]:
        """First and last index along i, j and k, as VTK writes them."""
        pairs = zip(reversed(self.lowerKji), reversed(self.shapeKji), strict=True)
        return tuple(number for low, size in pairs for number in (low, low + size - 1))


def arrayOf(image: vtkOrientedImageData) -> np.ndarray:
    """Return the voxels of an image, not copied, in the order (k, j, i)."""
    extent = image.GetExtent()
    shape = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0)]
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)


def isEmpty(image: vtkOrientedImageData | None) -> bool:
    """Return whether a segment has no voxels to look at."""
    return image is None or image.GetPointData().GetScalars() is None or image.GetNumberOfPoints() == 0


def copyLabel(image: vtkOrientedImageData, label: int, target: np.ndarray, extent: tuple[int, ...], value: int) -> None:
    """Mark the voxels of a label in another array on the same grid.

    Args:
        image: labelmap.
        label: to look for.
        target: array (k, j, i) that covers ``extent``.
        extent: first and last index along i, j and k.
        value: to write.
    """
    has = image.GetExtent()
    low = [max(has[2 * axis], extent[2 * axis]) for axis in (2, 1, 0)]
    high = [min(has[2 * axis + 1], extent[2 * axis + 1]) for axis in (2, 1, 0)]
    if any(first > last for first, last in zip(low, high, strict=True)):
        return

    def part(first: tuple[int, ...]) -> tuple[slice, ...]:
        starts = [first[2 * axis] for axis in (2, 1, 0)]
        return tuple(slice(a - s, b - s + 1) for a, b, s in zip(low, high, starts, strict=True))

    target[part(extent)][arrayOf(image)[part(has)] == label] = value


def hasLabelOutside(image: vtkOrientedImageData | None, label: int, extent: tuple[int, ...]) -> bool:
    """Return whether a label has voxels outside a box of its own grid.

    Args:
        image: labelmap, or none.
        label: to look for.
        extent: first and last index of the box along i, j and k.
    """
    if image is None or isEmpty(image):
        return False
    has = image.GetExtent()
    # Most labelmaps are the box.
    if all(extent[2 * axis] <= has[2 * axis] and has[2 * axis + 1] <= extent[2 * axis + 1] for axis in range(3)):
        return False
    marked = arrayOf(image) == label
    inside = tuple(
        slice(max(extent[2 * axis] - has[2 * axis], 0), max(extent[2 * axis + 1] - has[2 * axis] + 1, 0))
        for axis in (2, 1, 0)
    )
    return bool(np.count_nonzero(marked) > np.count_nonzero(marked[inside]))
