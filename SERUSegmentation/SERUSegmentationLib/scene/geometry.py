"""Grids as MRML holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk


def ijkToRas(volumeNode: Any) -> np.ndarray:
    """Return the matrix of a volume, without its parent transforms.

    Args:
        volumeNode: any volume.

    Returns:
        float64, shape (4, 4), voxel index to RAS millimetres in the node's own coordinates.
    """
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def vtkMatrix(array: np.ndarray) -> Any:
    """Return an array of shape (4, 4) as a VTK matrix."""
    return slicer.util.vtkMatrixFromArray(np.asarray(array, np.float64))


def shapeKji(volumeNode: Any) -> tuple[int, int, int]:
    """Return the voxels of a volume along k, j and i; zeros without an image."""
    image = volumeNode.GetImageData()
    i, j, k = image.GetDimensions() if image else (0, 0, 0)
    return k, j, i


def toWorld(node: Any, position: Any) -> tuple[float, float, float]:
    """Return the world position of a point in a node's own coordinates.

    Args:
        node: transformable.
        position: (r, a, s) in mm.

    Returns:
        (r, a, s) in mm, after all parent transforms, non-linear ones too.
    """
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, transform)
    r, a, s = transform.TransformPoint(position)
    return r, a, s


def isSameGrid(volumeNode: Any, maps: Any) -> bool:
    """Return whether a volume still lies on the grid that maps were made on.

    Args:
        volumeNode: the input.
        maps: :class:`seru.result.maps.Maps`.

    Returns:
        True where shape and matrix agree; a thousandth of a millimetre is allowed at the far corner.
    """
    if shapeKji(volumeNode) != tuple(maps.shape_kji):
        return False
    corners = np.array([[0, 0, 0, 1], [*reversed(maps.shape_kji), 1]], np.float64).T
    return bool(np.abs((ijkToRas(volumeNode) - maps.ijk_to_ras) @ corners).max() < 1e-3)
