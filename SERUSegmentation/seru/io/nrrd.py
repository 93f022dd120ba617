"""NRRD files: the plain ones are read here, the others through ITK; every one that SERU writes is made here.

Reading plain files without ITK takes one copy of the voxels in memory, reports how far it is, and works with any
path on every system; ITK opens no path outside the system's code page on Windows.

Source: the NRRD format definition (teem.sourceforge.net/nrrd/format.html).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid
from seru.io.itk import read_with_itk
from seru.io.voxels import ByteOrder, StoredVoxels, gzip_stream, read_voxels, voxel_chunks
from seru.progress import Advance
from seru.volume import Volume

_TYPES = {
    np.int8: ("signed char", "int8", "int8_t"),
    np.uint8: ("unsigned char", "uchar", "uint8", "uint8_t"),
    np.int16: ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    np.uint16: ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    np.int32: ("int", "signed int", "int32", "int32_t"),
    np.uint32: ("uint", "unsigned int", "uint32", "uint32_t"),
    np.float32: ("float",),
    np.float64: ("double",),
}
_DTYPES = {name: np.dtype(dtype) for dtype, names in _TYPES.items() for name in names}
# World axes in the file that point against RAS.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}
_LARGEST_HEADER = 1 << 20


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
    array, grid = _read_plain(path, advance) or read_with_itk(path, advance)
    return Volume(array, grid, {"path": str(path), "format": "nrrd"})


def _read_plain(path: Path, advance: Advance) -> tuple[np.ndarray, Grid] | None:
    """Read a file of three dimensions, one number a voxel, raw or gzip, voxels in the same or one other file."""
    try:
        with open(path, "rb") as file:
            fields = read_fields(file)
            if fields is None or not _is_plain(fields):
                return None
            data_file = fields.get("data file", fields.get("datafile"))
            if data_file is None:
                return _read_voxels(file, fields, advance)
            if data_file.split()[0].upper() == "LIST" or "%" in data_file:
                return None
            with open(path.parent / data_file, "rb") as voxels:
                return _read_voxels(voxels, fields, advance)
    except FileNotFoundError as error:
        raise BadInputError(f"The voxel file of '{path}' is missing ({error.filename}); copy it as well.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(f"'{path}' is cut or damaged ({error}); copy or convert it again.") from error


def read_fields(file: BinaryIO) -> dict[str, str] | None:
    """Read the header of a NRRD file.

    Args:
        file: at its start; is left at the first byte after the header.

    Returns:
        Fields by lower-case name and key/value pairs by their own name, or None where it is no NRRD file.
    """
    if not file.readline(64).startswith(b"NRRD000"):
        return None
    fields: dict[str, str] = {}
    while file.tell() < _LARGEST_HEADER:
        line = file.readline(_LARGEST_HEADER).decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            return fields
        if line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if colon and value.startswith("="):
            fields[key] = value[1:]
        else:
            fields[key.strip().lower()] = value.strip()
    return None


def _is_plain(fields: dict[str, str]) -> bool:
    return (
        fields.get("dimension") == "3"
        and fields.get("type") in _DTYPES
        and fields.get("encoding") in ("raw", "gzip", "gz")
        and fields.get("space", "").lower() in _SPACES
        and set(fields.get("kinds", "domain").split()) <= {"domain", "space"}
        and "none" not in fields.get("space directions", "none")
        and not {"line skip", "lineskip", "byte skip", "byteskip"} & set(fields)
        and (_DTYPES[fields["type"]].itemsize == 1 or fields.get("endian") in ("little", "big"))
    )


def _vectors(text: str) -> np.ndarray:
    return np.array([[float(n) for n in part.strip(" ()").split(",")] for part in text.split(") (")], np.float64)


def _grid(fields: dict[str, str]) -> Grid:
    to_ras = np.array(_SPACES[fields["space"].lower()], np.float64)
    matrix = np.eye(4)
    try:
        matrix[:3, :3] = (_vectors(fields["space directions"].replace(")(", ") (")) * to_ras).T
        matrix[:3, 3] = _vectors(fields.get("space origin", "(0,0,0)"))[0] * to_ras
    except (ValueError, IndexError) as error:
        raise EOFError("its directions or its origin cannot be read") from error
    try:
        columns, rows, slices = (int(size) for size in fields["sizes"].split())
    except (KeyError, ValueError) as error:
        raise EOFError("its sizes cannot be read") from error
    return Grid((slices, rows, columns), matrix)


def _read_voxels(file: BinaryIO, fields: dict[str, str], advance: Advance) -> tuple[np.ndarray, Grid]:
    grid = _grid(fields)
    order: ByteOrder = "<" if fields.get("endian", "little") == "little" else ">"
    stored = StoredVoxels(grid.shape_kji, _DTYPES[fields["type"]].newbyteorder(order))
    if fields["encoding"] == "raw":
        return read_voxels(file, stored, advance), grid
    with gzip.GzipFile(fileobj=file) as stream:
        return read_voxels(stream, stored, advance), grid


def write_nrrd(
    file: BinaryIO, array_kji: np.ndarray, grid: Grid, advance: Advance, pairs: Mapping[str, str] | None = None
) -> None:
    """Write a gzip-compressed NRRD file, laid out as Slicer does.

    Args:
        file: to write to.
        array_kji: a number type of NRRD, shape (K, J, I).
        grid: of that shape.
        advance: told of slices written and slices in all.
        pairs: key/value pairs of the header; line breaks in a value are escaped.
    """
    file.write(_header(array_kji.dtype, grid, pairs or {}))
    with gzip_stream(file) as stream:
        for chunk in voxel_chunks(array_kji, advance):
            stream.write(chunk)


def _header(dtype: np.dtype, grid: Grid, pairs: Mapping[str, str]) -> bytes:
    i, j, k = grid.shape_ijk
    lps = grid.ijk_to_lps
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
