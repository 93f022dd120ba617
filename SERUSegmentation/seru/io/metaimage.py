"""MetaImage files: read through ITK, written here into a stream, which ITK does not do.

Source: the MetaIO format description (itk.org/Wiki/ITK/MetaIO/Documentation).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.grid import Grid
from seru.io.itk import read_with_itk
from seru.io.voxels import COMPRESSION_LEVEL, voxel_chunks
from seru.progress import Advance
from seru.volume import Volume

_ELEMENT_TYPES = {np.uint8: "MET_UCHAR", np.int16: "MET_SHORT"}


def read_metaimage(path: Path, advance: Advance) -> Volume:
    """Read a MetaImage file.

    Args:
        path: of the ``.mha`` or ``.mhd`` file.
        advance: told of slices read and slices in all.

    Returns:
        The numbers of the file on its grid.

    Raises:
        BadInputError: the file is damaged, no 3D image of numbers, or its grid is not usable.
    """
    return Volume(*read_with_itk(path, advance), {"path": str(path), "format": "metaimage"})


def write_metaimage(file: BinaryIO, array_kji: np.ndarray, grid: Grid, advance: Advance) -> None:
    """Write a compressed MetaImage with its voxels in the same file.

    Args:
        file: to write to.
        array_kji: uint8 or int16, shape (K, J, I).
        grid: of that shape.
        advance: told of slices written and slices in all.
    """
    # The header gives the size of the compressed voxels; labels come out a hundred times smaller.
    deflate = zlib.compressobj(COMPRESSION_LEVEL)
    data = b"".join([*map(deflate.compress, voxel_chunks(array_kji, advance)), deflate.flush()])
    # MetaImage lists the direction of each axis in turn.
    directions = (grid.ijk_to_lps[:3, :3] / grid.spacing_ijk_mm).T.ravel()
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(data)}",
        f"TransformMatrix = {_numbers(directions)}",
        f"Offset = {_numbers(grid.ijk_to_lps[:3, 3])}",
        "CenterOfRotation = 0 0 0",
        "AnatomicalOrientation = RAI",
        f"ElementSpacing = {_numbers(grid.spacing_ijk_mm)}",
        f"DimSize = {' '.join(map(str, grid.shape_ijk))}",
        f"ElementType = {_ELEMENT_TYPES[array_kji.dtype.type]}",
        "ElementDataFile = LOCAL",
    ]
    file.write(("\n".join(lines) + "\n").encode("ascii"))
    file.write(data)


def _numbers(values: Iterable[float]) -> str:
    # Adding 0 turns -0.0 into 0.0; repr keeps every digit.
    return " ".join(repr(float(value) + 0.0) for value in values)
