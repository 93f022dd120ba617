"""MetaImage files, read and written here: ITK inflates them without a check, and a damaged header can end it.

Source: the MetaIO format description (itk.org/Wiki/ITK/MetaIO/Documentation).
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.grid import Lattice
from seru.io.metaimage_header import (
    MetaHeader,
    anatomical_orientation,
    is_true,
    lattice_of,
    read_header,
    read_names,
    sizes_of,
    whole_number,
)
from seru.io.reading import (
    TOO_LONG,
    TOO_SHORT,
    DamagedError,
    UnreadableError,
    are_whole_numbers,
    data_file,
    explained,
    numbers,
    open_regular,
    quoted,
    whole_numbers,
)
from seru.io.streams import PADDING, Encoding
from seru.io.voxels import COMPRESSION_LEVEL, Part, StoredVoxels, numbered_files, part_from, read_voxels, voxel_chunks
from seru.progress import Advance
from seru.volume import Volume

_TYPES = {
    "MET_CHAR": np.int8,
    "MET_ASCII_CHAR": np.int8,
    "MET_UCHAR": np.uint8,
    "MET_SHORT": np.int16,
    "MET_USHORT": np.uint16,
    "MET_INT": np.int32,
    "MET_UINT": np.uint32,
    "MET_LONG": np.int32,
    "MET_ULONG": np.uint32,
    "MET_LONG_LONG": np.int64,
    "MET_ULONG_LONG": np.uint64,
    "MET_FLOAT": np.float32,
    "MET_DOUBLE": np.float64,
}
_WRITTEN = {np.uint8: "MET_UCHAR", np.int16: "MET_SHORT"}


def read_metaimage(path: Path, advance: Advance) -> Volume:
    """Read a MetaImage file.

    Args:
        path: of the ``.mha`` or ``.mhd`` file.
        advance: told of slices read and slices in all.

    Returns:
        The numbers of the file on its grid, scaled as its header says.

    Raises:
        BadInputError: the file is damaged or cut, no 3D image of numbers, or its grid is not usable.
    """
    with explained(path):
        with open_regular(path) as file:
            header = read_header(file)
            places = _places(header, path, file)
        dtype = _dtype(header)
        lattice, notes = lattice_of(header)
        each = math.prod(lattice.shape_kji) // len(places) * dtype.itemsize
        parts = tuple(_part(header, *place, each, is_alone=len(places) == 1) for place in places)
        slope, intercept, more = _scale(header)
        array, left = read_voxels(StoredVoxels(lattice.shape_kji, dtype, parts, slope, intercept), advance)
    return Volume.of_slices(array, lattice, {"path": str(path), "format": "metaimage"}, notes + more + left)


def metaimage_voxel_files(path: Path) -> list[Path]:
    """Return the files that hold the voxels of a MetaImage; its own path where it holds them itself.

    Args:
        path: of the ``.mha`` or ``.mhd`` file.

    Returns:
        The paths, in their order.

    Raises:
        BadInputError: the header cannot be read, or a file is not there.
    """
    with explained(path), open_regular(path) as file:
        return [place for place, _ in _places(read_header(file), path, file)]


def _dtype(header: MetaHeader) -> np.dtype:
    if header.get("ObjectType", "Image") != "Image":
        raise UnreadableError(f"holds no image but {quoted(header['ObjectType'])}; give a 3D volume")
    channels = whole_number(header, "ElementNumberOfChannels", 1)
    if channels != 1:
        raise UnreadableError(f"holds colors or vectors ({channels} numbers a voxel); give a 3D volume")
    name = header.get("ElementType", "")
    if name not in _TYPES:
        raise UnreadableError(f"holds voxels of the type {quoted(name)}; give a 3D volume of numbers")
    keys = [key for key in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB") if key in header]
    orders = {is_true(header, key, default=False) for key in keys}
    if len(orders) > 1:
        raise DamagedError("its header gives two byte orders")
    return np.dtype(_TYPES[name]).newbyteorder(">" if True in orders else "<")


def _scale(header: MetaHeader) -> tuple[float, float, tuple[str, ...]]:
    keys = ("ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset")
    slope, offset = (numbers(header.get(key, default)) for key, default in zip(keys, ("1", "0"), strict=True))
    if len(slope) != 1 or len(offset) != 1 or not np.isfinite([*slope, *offset]).all() or slope[0] == 0:
        raise DamagedError("the scale of its numbers cannot be read")
    if (slope[0], offset[0]) == (1, 0):
        return 1.0, 0.0, ()
    note = (
        f"The numbers were scaled by {slope[0]:g} and {offset[0]:g} as the MetaImage header says; 3D Slicer shows them "
        "unscaled."
    )
    return slope[0], offset[0], (note,)


def _places(header: MetaHeader, path: Path, file: BinaryIO) -> list[tuple[Path, int]]:
    """Return the files that hold the voxels and the first byte in each, after the header if it is there."""
    name = header["ElementDataFile"]
    if name.lower() == "local":
        return [(path, file.tell())]
    return [(data_file(path, name), 0) for name in _names(header, name, file)]


def _names(header: MetaHeader, text: str, file: BinaryIO) -> list[str]:
    sizes = sizes_of(header)
    words = text.split()
    if words[:1] == ["LIST"]:
        dimension = whole_numbers(words[1]) if len(words) == 2 else (len(sizes) - 1,)
        if len(words) > 2 or not 1 <= dimension[0] < len(sizes):
            raise DamagedError("the axes of its voxel files cannot be read")
        return read_names(file, math.prod(sizes[dimension[0] :]))
    # The numbers of the first file, the last and the step may follow a pattern, whose name may have blanks.
    count = next(n for n in (3, 2, 1, 0) if n < max(1, len(words)) and are_whole_numbers(words[len(words) - n :]))
    pattern = text.rsplit(None, count)[0] if count else text
    if not re.search(r"%[0-9]{0,2}d", pattern):
        return [text]
    first, *more = whole_numbers(" ".join(words[len(words) - count :])) or (1,)
    step = more[1] if len(more) == 2 else 1
    names = numbered_files(pattern, first, more[0] if more else first + sizes[-1] - 1, step)
    if len(names) != sizes[-1]:
        raise DamagedError(f"its header counts {len(names)} voxel files for {sizes[-1]}")
    return names


def _part(header: MetaHeader, path: Path, start: int, needed: int, is_alone: bool) -> Part:
    """Return where a file holds its voxels; a header size counts from the start of whichever file that is."""
    is_binary = is_true(header, "BinaryData", default=True)
    is_compressed = is_binary and is_true(header, "CompressedData", default=False)
    encoding: Encoding = "zlib" if is_compressed else "raw" if is_binary else "text"
    header_size = whole_number(header, "HeaderSize", 0)
    if header_size < 0:
        return _part_at_the_end(path, header_size, encoding, needed)
    part = part_from(path, header_size or start, encoding)
    # The stream itself tells where it ends, and what follows is looked at there.
    size = whole_number(header, "CompressedDataSize", 0)
    if is_compressed and is_alone and size and not (size > 0 and 0 <= part.stored - size <= PADDING):
        raise DamagedError(TOO_SHORT if part.stored < size else TOO_LONG)
    return part


def _part_at_the_end(path: Path, header_size: int, encoding: Encoding, needed: int) -> Part:
    start = path.stat().st_size - needed
    if header_size != -1 or encoding != "raw":
        raise DamagedError(f"its HeaderSize is {header_size}")
    if start < 0:
        raise DamagedError(TOO_SHORT)
    return Part(path, start, needed)


def write_metaimage(file: BinaryIO, array_kji: np.ndarray, lattice: Lattice, advance: Advance) -> None:
    """Write a compressed MetaImage with its voxels in the same file.

    Args:
        file: to write to.
        array_kji: uint8 or int16, shape (K, J, I).
        lattice: of that shape.
        advance: told of slices written and slices in all.
    """
    # The header gives the size of the compressed voxels; labels come out a hundred times smaller.
    deflate = zlib.compressobj(COMPRESSION_LEVEL)
    data = b"".join([*map(deflate.compress, voxel_chunks(array_kji, advance)), deflate.flush()])
    directions = lattice.ijk_to_lps[:3, :3] / lattice.spacing_ijk_mm
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(data)}",
        # MetaImage lists the direction of each axis in turn.
        f"TransformMatrix = {_texts(directions.T.ravel())}",
        f"Offset = {_texts(lattice.ijk_to_lps[:3, 3])}",
        "CenterOfRotation = 0 0 0",
        f"AnatomicalOrientation = {anatomical_orientation(directions)}",
        f"ElementSpacing = {_texts(lattice.spacing_ijk_mm)}",
        f"DimSize = {' '.join(map(str, lattice.shape_ijk))}",
        f"ElementType = {_WRITTEN[array_kji.dtype.type]}",
        "ElementDataFile = LOCAL",
    ]
    file.write(("\n".join(lines) + "\n").encode("ascii"))
    file.write(data)


def _texts(values: Iterable[float]) -> str:
    # Adding 0 turns -0.0 into 0.0; repr keeps every digit.
    return " ".join(repr(float(value) + 0.0) for value in values)
