"""NIfTI files, read and written here rather than through ITK.

ITK reads a cut or damaged .nii.gz without an error, takes a voxel size of 0 for 1 mm, mirrors an axis whose voxel size
is negative, and refuses matrices that are perpendicular to 0.05 degrees; none of that will do for a measurement.
Where a header holds two orientations the choice is ITK's, so that Slicer shows the image where we say it is.

Source: the NIfTI-1 and NIfTI-2 header definitions (nifti1.h, nifti2.h).
"""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.ct_check import NOTE
from seru.errors import BadInputError
from seru.grid import Grid
from seru.io.voxels import ByteOrder, ByteSource, StoredVoxels, gzip_stream, read_voxels, voxel_chunks
from seru.progress import Advance
from seru.volume import Volume

_TYPES = {
    2: np.uint8,
    4: np.int16,
    8: np.int32,
    16: np.float32,
    64: np.float64,
    256: np.int8,
    512: np.uint16,
    768: np.uint32,
    1024: np.int64,
    1280: np.uint64,
}
_MILLIMETRES = 2
_MM_PER_UNIT = {1: 1000.0, _MILLIMETRES: 1.0, 3: 0.001}
_SCANNER = 1
_BYTE_ORDERS: tuple[ByteOrder, ...] = ("<", ">")

# Deflate shrinks a byte run by 1032 at most; a file that promises more voxels than that is damaged.
_LARGEST_RATIO = 1100


def _layout(itemsize: int, **fields: tuple[str, int]) -> np.dtype:
    formats, offsets = zip(*fields.values(), strict=True)
    return np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": itemsize})


# Little-endian: format and place of each field that is used.
_NIFTI_1 = _layout(
    348,
    size=("<i4", 0),
    regular=("S1", 38),
    dim=("<8i2", 40),
    datatype=("<i2", 70),
    bits=("<i2", 72),
    pixdim=("<8f4", 76),
    first_voxel=("<f4", 108),
    scale=("<2f4", 112),
    units=("u1", 123),
    codes=("<2i2", 252),
    quaternion=("<3f4", 256),
    offset=("<3f4", 268),
    rows=("<(3,4)f4", 280),
    magic=("S4", 344),
)
_NIFTI_2 = _layout(
    540,
    size=("<i4", 0),
    magic=("S8", 4),
    datatype=("<i2", 12),
    dim=("<8i8", 16),
    pixdim=("<8f8", 104),
    first_voxel=("<i8", 168),
    scale=("<2f8", 176),
    codes=("<2i4", 344),
    quaternion=("<3f8", 352),
    offset=("<3f8", 376),
    rows=("<(3,4)f8", 400),
    units=("<i4", 500),
)


@dataclass(frozen=True)
class _Header:
    """The used part of a header.

    Attributes:
        grid: where the voxels lie.
        stored: how they are stored.
        skip: bytes between the header and the first voxel.
        has_orientation: False where there is neither a qform nor an sform.
    """

    grid: Grid
    stored: StoredVoxels
    skip: int
    has_orientation: bool


def read_nifti(path: Path, advance: Advance) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file, compressed or not.

    Args:
        path: of the ``.nii`` or ``.nii.gz`` file.
        advance: told of slices read and slices in all.

    Returns:
        The file's numbers, scaled as it says, on its grid.

    Raises:
        BadInputError: the file is damaged, cut, no 3D image of numbers, or its grid is not usable.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if compressed else raw as file:
                header = _read_header(file)
                _check_size(header, size * (_LARGEST_RATIO if compressed else 1))
                if len(file.read(header.skip)) != header.skip:
                    raise EOFError("it ends within its header")
                array = read_voxels(file, header.stored, advance)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(f"'{path}' is cut or damaged ({error}); copy or convert it again.") from error
    except _NotNiftiError as error:
        raise BadInputError(f"'{path}' {error}.") from error
    source = {"path": str(path), "format": "nifti"}
    if not header.has_orientation:
        source[NOTE] = "The NIfTI header gives no orientation, so left and right are a guess; check them."
    return Volume(array, header.grid, source)


class _NotNiftiError(ValueError):
    """What is wrong with the file, after its name."""


def _read_header(file: ByteSource) -> _Header:
    start = file.read(_NIFTI_1.itemsize)
    if len(start) == 0:
        raise _NotNiftiError("is empty; copy or convert it again")
    if len(start) < _NIFTI_1.itemsize:
        raise EOFError("it ends within its header")
    for order in _BYTE_ORDERS:
        first, second = _NIFTI_1.newbyteorder(order), _NIFTI_2.newbyteorder(order)
        size = int(np.frombuffer(start, first)["size"][0])
        if size == first.itemsize and start[344:347] == b"n+1":
            return _parse(start, first, order)
        if size == second.itemsize and start[4:7] == b"n+2":
            rest = file.read(second.itemsize - first.itemsize)
            if len(rest) < second.itemsize - first.itemsize:
                raise EOFError("it ends within its header")
            return _parse(start + rest, second, order)
    raise _NotNiftiError("is no NIfTI file; give a CT as NIfTI, NRRD, MetaImage or a DICOM folder")


def _parse(data: bytes, layout: np.dtype, order: ByteOrder) -> _Header:
    fields = np.frombuffer(data, layout)[0]
    shape = _shape(fields["dim"].tolist())
    datatype = int(fields["datatype"])
    if datatype not in _TYPES:
        raise _NotNiftiError(f"holds colors or complex numbers (NIfTI type {datatype}); give a CT volume")
    grid = _grid(shape, fields)
    slope, intercept = (float(value) for value in fields["scale"])
    slope = slope if np.isfinite(slope) else 1.0
    # A slope of 0 means that the numbers are not scaled.
    stored = StoredVoxels(
        shape,
        np.dtype(_TYPES[datatype]).newbyteorder(order),
        slope=slope or 1.0,
        intercept=intercept if slope and np.isfinite(intercept) else 0.0,
    )
    first_voxel = fields["first_voxel"]
    if not np.isfinite(first_voxel):
        raise _NotNiftiError(f"is damaged (its voxels begin at byte {first_voxel}); copy or convert it again")
    return _Header(grid, stored, max(int(first_voxel) - len(data), 0), bool(fields["codes"].max() > 0))


def _shape(dim: list[int]) -> tuple[int, int, int]:
    count = dim[0]
    if not 1 <= count <= 7:
        raise _NotNiftiError(f"is damaged (its header gives {count} dimensions); copy or convert it again")
    sizes = dim[1 : count + 1]
    if count < 3:
        raise _NotNiftiError(f"is a {count}D image; give a whole CT volume")
    if min(sizes) < 1:
        raise _NotNiftiError(f"is empty ({' x '.join(map(str, sizes))} voxels); give a CT volume")
    if max(sizes[4:], default=1) > 1:
        raise _NotNiftiError(f"holds colors or vectors ({max(sizes[4:])} numbers a voxel); give a CT volume")
    if max(sizes[3:], default=1) > 1:
        raise _NotNiftiError(
            f"is a {count}D image ({' x '.join(map(str, sizes))}); give one 3D volume, without time or channels"
        )
    i, j, k = sizes[:3]
    return k, j, i


def _grid(shape_kji: tuple[int, int, int], fields: np.void) -> Grid:
    mm = _MM_PER_UNIT.get(int(fields["units"]) & 7, 1.0)
    spacing = fields["pixdim"][1:4].astype(np.float64) * mm
    if not (np.isfinite(spacing).all() and spacing.min() > 0):
        size = " x ".join(f"{s:g}" for s in spacing)
        raise _NotNiftiError(f"has a voxel size of {size} mm; all three must be more than 0: correct the header")
    qform, sform = fields["codes"]
    matrix = np.eye(4)
    if sform > 0 and (sform == _SCANNER or qform <= 0):
        matrix[:3] = fields["rows"].astype(np.float64) * mm
    elif qform > 0:
        matrix[:3, :3] = _rotation_of_quaternion(*fields["quaternion"].tolist()) * spacing
        matrix[:3, 2] *= -1.0 if fields["pixdim"][0] < 0 else 1.0
        matrix[:3, 3] = fields["offset"].astype(np.float64) * mm
    else:
        # As ITK, and so Slicer, take it: along left, posterior, superior.
        matrix[:3, :3] = np.diag(spacing * (-1, -1, 1))
    grid = Grid(shape_kji, matrix)
    if np.abs(grid.spacing_ijk_mm / spacing - 1).max() > 0.01:
        texts = (" x ".join(f"{s:g}" for s in sizes) for sizes in (grid.spacing_ijk_mm, spacing))
        raise _NotNiftiError("has two voxel sizes in its header ({} and {} mm); correct it".format(*texts))
    return grid


def _check_size(header: _Header, most_bytes: int) -> None:
    # Python's integers: the product of damaged sizes may be beyond 64 bits.
    if header.skip + math.prod(header.stored.shape_kji) * header.stored.dtype.itemsize > most_bytes:
        raise EOFError("it is shorter than its header says")


def _rotation_of_quaternion(b: float, c: float, d: float) -> np.ndarray:
    """Return the rotation of a unit quaternion whose first part is not negative and not stored."""
    a2 = 1.0 - (b * b + c * c + d * d)
    if a2 < 1e-7:
        b, c, d = np.array([b, c, d]) / np.sqrt(b * b + c * c + d * d)
        a2 = 0.0
    a = np.sqrt(a2)
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )


def write_nifti(file: BinaryIO, array_kji: np.ndarray, grid: Grid, advance: Advance) -> None:
    """Write a gzip-compressed NIfTI-1 file, with both a qform and an sform.

    Args:
        file: to write to.
        array_kji: a number type of NIfTI, shape (K, J, I).
        grid: of that shape.
        advance: told of slices written and slices in all.
    """
    with gzip_stream(file) as stream:
        stream.write(_header_bytes(array_kji.dtype, grid))
        for chunk in voxel_chunks(array_kji, advance):
            stream.write(chunk)


def _header_bytes(dtype: np.dtype, grid: Grid) -> bytes:
    handedness = -1.0 if np.linalg.det(grid.directions_ras) < 0 else 1.0
    header = np.zeros((), _NIFTI_1)
    header["size"] = _NIFTI_1.itemsize
    header["regular"] = b"r"
    header["dim"] = 3, *grid.shape_ijk, 1, 1, 1, 1
    header["datatype"] = next(code for code, kind in _TYPES.items() if kind == dtype)
    header["bits"] = 8 * dtype.itemsize
    header["pixdim"] = handedness, *grid.spacing_ijk_mm, 1, 1, 1, 1
    header["first_voxel"] = _NIFTI_1.itemsize + 4
    header["scale"] = 1, 0
    header["units"] = _MILLIMETRES
    header["codes"] = _SCANNER
    header["quaternion"] = _quaternion_of_rotation(grid.directions_ras * (1.0, 1.0, handedness))
    header["offset"] = grid.ijk_to_ras[:3, 3]
    header["rows"] = grid.ijk_to_ras[:3]
    header["magic"] = b"n+1"
    # Four zeros say that no extension follows.
    return header.tobytes() + bytes(4)


def _quaternion_of_rotation(directions: np.ndarray) -> tuple[float, float, float]:
    """Return b, c and d of the rotation nearest to right-handed directions; the first part is then not negative."""
    from scipy.spatial.transform import Rotation

    left, _, right = np.linalg.svd(directions)
    b, c, d, a = Rotation.from_matrix(left @ right).as_quat()
    return (-b, -c, -d) if a < 0 else (b, c, d)
