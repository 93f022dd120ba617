"""NRRD files, read and written here rather than through ITK, which a damaged header can end, and all that runs with it.

Source: the NRRD format definition (teem.sourceforge.net/nrrd/format.html).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.grid import Lattice
from seru.io.nrrd_header import NrrdHeader, lattice_of, read_header, sizes_of
from seru.io.reading import (
    TOO_SHORT,
    DamagedError,
    UnreadableError,
    are_whole_numbers,
    data_file,
    explained,
    open_regular,
    quoted,
    whole_numbers,
)
from seru.io.streams import COMPRESSED, Encoding
from seru.io.voxels import (
    ByteOrder,
    Part,
    StoredVoxels,
    gzip_stream,
    numbered_files,
    part_from,
    read_voxels,
    voxel_chunks,
)
from seru.progress import Advance
from seru.volume import Volume

_TYPES = {
    np.int8: ("signed char", "int8", "int8_t"),
    np.uint8: ("unsigned char", "uchar", "uint8", "uint8_t"),
    np.int16: ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    np.uint16: ("unsigned short", "ushort", "unsigned short int", "uint16", "uint16_t"),
    np.int32: ("int", "signed int", "int32", "int32_t"),
    np.uint32: ("unsigned int", "uint", "uint32", "uint32_t"),
    np.int64: (
        "long long int",
        "longlong",
        "long long",
        "signed long long",
        "signed long long int",
        "int64",
        "int64_t",
    ),
    np.uint64: ("unsigned long long int", "ulonglong", "unsigned long long", "uint64", "uint64_t"),
    np.float32: ("float",),
    np.float64: ("double",),
}  # fmt: skip
_DTYPES = {name: np.dtype(dtype) for dtype, names in _TYPES.items() for name in names}
_ENCODINGS: dict[str, Encoding] = {
    "raw": "raw",
    **dict.fromkeys(("gzip", "gz"), "gzip"),
    **dict.fromkeys(("bzip2", "bz2"), "bzip2"),
    **dict.fromkeys(("text", "txt", "ascii"), "text"),
    "hex": "hex",
}
_BYTE_ORDERS: dict[str, ByteOrder] = {"little": "<", "big": ">"}


def read_nrrd(path: Path, advance: Advance) -> Volume:
    """Read a NRRD file.

    Args:
        path: of the ``.nrrd`` or ``.nhdr`` file.
        advance: told of slices read and slices in all.

    Returns:
        The numbers of the file on its grid.

    Raises:
        BadInputError: the file is damaged or cut, no 3D image of numbers, or its grid is not usable.
    """
    with explained(path):
        with open_regular(path) as file:
            header = read_header(file)
            end = file.tell()
        encoding = _encoding(header)
        dtype = _dtype(header, encoding)
        lattice, notes = lattice_of(header)
        places = _places(header, path, end)
        each = math.prod(lattice.shape_kji) // len(places) * dtype.itemsize
        parts = tuple(_part(header, *place, encoding, each) for place in places)
        array, more = read_voxels(StoredVoxels(lattice.shape_kji, dtype, parts), advance)
    return Volume.of_slices(array, lattice, {"path": str(path), "format": "nrrd"}, notes + more)


def nrrd_voxel_files(path: Path) -> list[Path]:
    """Return the files that hold the voxels of a NRRD file; its own path where it holds them itself.

    Args:
        path: of the ``.nrrd`` or ``.nhdr`` file.

    Returns:
        The paths, in their order.

    Raises:
        BadInputError: the header cannot be read, or a file is not there.
    """
    with explained(path):
        with open_regular(path) as file:
            header = read_header(file)
        return [place for place, _ in _places(header, path, 0)]


def _encoding(header: NrrdHeader) -> Encoding:
    name = header.required("encoding").lower()
    if name not in _ENCODINGS:
        raise UnreadableError(f"is encoded as {quoted(name)}, which is unknown; save it as raw or gzip")
    return _ENCODINGS[name]


def _dtype(header: NrrdHeader, encoding: Encoding) -> np.dtype:
    name = " ".join(header.required("type").lower().split())
    if name not in _DTYPES:
        raise UnreadableError(f"holds voxels of the type {quoted(name)}; give a 3D volume of numbers")
    dtype = _DTYPES[name]
    if dtype.itemsize == 1 or encoding == "text":
        return dtype
    order = header.required("endian").lower()
    if order not in _BYTE_ORDERS:
        raise DamagedError(f"its byte order is {quoted(order)}")
    return dtype.newbyteorder(_BYTE_ORDERS[order])


def _places(header: NrrdHeader, path: Path, end: int) -> list[tuple[Path, int]]:
    """Return the files that hold the voxels and the first byte in each, after the header if it is there."""
    name = header.fields.get("data file")
    if name is None:
        return [(path, end)]
    names, dimension = _names(header, name)
    if len(names) != _count_of_files(sizes_of(header), dimension):
        raise DamagedError(f"its header names {len(names)} voxel files, which do not make up the volume")
    return [(data_file(path, name), 0) for name in names]


def _names(header: NrrdHeader, text: str) -> tuple[list[str], int | None]:
    """Return the names of the voxel files, and how many axes each holds if it is not all of them."""
    all_axes = len(sizes_of(header))
    words = text.split() or [""]
    if words[0] == "LIST":
        return header.data_files, _dimension(words[1:], all_axes)
    if "%" not in words[0] or len(words) not in (4, 5) or not are_whole_numbers(words[1:]):
        return [text], None
    first, last, step = whole_numbers(" ".join(words[1:4]))
    return numbered_files(words[0], first, last, step), _dimension(words[4:], all_axes)


def _dimension(words: list[str], all_axes: int) -> int:
    dimension = whole_numbers(" ".join(words)) if words else (all_axes - 1,)
    if len(dimension) != 1 or not 1 <= dimension[0] <= all_axes:
        raise DamagedError("the axes of its voxel files cannot be read")
    return dimension[0]


def _count_of_files(sizes: tuple[int, ...], dimension: int | None) -> int:
    return 1 if dimension is None else math.prod(sizes[dimension:])


def _part(header: NrrdHeader, path: Path, start: int, encoding: Encoding, needed: int) -> Part:
    """Return where a file holds its voxels, after the lines and bytes that are to be skipped."""
    lines, skip = (_skip(header, name) for name in ("line skip", "byte skip"))
    if lines < 0:
        raise DamagedError(f"{lines} lines are to be skipped")
    if skip < 0:
        return _part_from_the_end(path, encoding, needed, -skip - 1)
    start = _after_lines(path, start, lines)
    if encoding in COMPRESSED:
        return part_from(path, start, encoding, skip)
    return part_from(path, start + skip, encoding)


def _skip(header: NrrdHeader, name: str) -> int:
    values = whole_numbers(header.fields.get(name, "0"))
    if len(values) != 1:
        raise DamagedError(f"its '{name}' cannot be read")
    return values[0]


def _part_from_the_end(path: Path, encoding: Encoding, needed: int, behind: int) -> Part:
    if encoding != "raw":
        raise UnreadableError("counts its voxels from the end of compressed data; save it as raw or gzip again")
    start = path.stat().st_size - needed - behind
    if start < 0:
        raise DamagedError(TOO_SHORT)
    return Part(path, start, needed)


def _after_lines(path: Path, start: int, lines: int) -> int:
    with open_regular(path) as file:
        file.seek(start)
        for _ in range(lines):
            if not _passes_a_line(file):
                raise DamagedError(TOO_SHORT)
        return file.tell()


def _passes_a_line(file: BinaryIO) -> bool:
    # In pieces: what is said to be a line may be gigabytes.
    while piece := file.readline(1 << 20):
        if piece.endswith(b"\n"):
            return True
    return False


def write_nrrd(
    file: BinaryIO, array_kji: np.ndarray, lattice: Lattice, advance: Advance, pairs: Mapping[str, str] | None = None
) -> None:
    """Write a gzip-compressed NRRD file, laid out as Slicer does.

    Args:
        file: to write to.
        array_kji: a number type of NRRD, shape (K, J, I).
        lattice: of that shape.
        advance: told of slices written and slices in all.
        pairs: key/value pairs of the header; line breaks in a value are escaped.
    """
    file.write(_header(array_kji.dtype, lattice, pairs or {}))
    with gzip_stream(file) as stream:
        for chunk in voxel_chunks(array_kji, advance):
            stream.write(chunk)


def _header(dtype: np.dtype, lattice: Lattice, pairs: Mapping[str, str]) -> bytes:
    i, j, k = lattice.shape_ijk
    lps = lattice.ijk_to_lps
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        f"type: {_TYPES[dtype.type][0]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {i} {j} {k}",
        "space directions: " + " ".join(_vector_text(lps[:3, axis]) for axis in range(3)),
        "kinds: domain domain domain",
        *(["endian: little"] if dtype.itemsize > 1 else []),
        "encoding: gzip",
        f"space origin: {_vector_text(lps[:3, 3])}",
    ]
    escaped = {key: value.replace("\\", "\\\\").replace("\n", "\\n") for key, value in pairs.items()}
    lines += [f"{key}:={escaped[key]}" for key in sorted(escaped)]
    return ("\n".join(lines) + "\n\n").encode("utf-8")


def _vector_text(vector: np.ndarray) -> str:
    # Adding 0 turns -0.0 into 0.0; repr keeps every digit.
    return "(" + ",".join(repr(float(n) + 0.0) for n in vector) + ")"
