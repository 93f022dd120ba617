"""NIfTI files, read and written here rather than through ITK.

ITK reads a cut or damaged .nii.gz without an error, takes a voxel size of 0 for 1 mm, mirrors an axis whose voxel size
is negative, and refuses matrices that are perpendicular to 0.05 degrees; none of that is right for a measurement.
Where a header holds two orientations the choice is ITK's, so that Slicer shows the image where we say it is.

Source: the NIfTI-1 and NIfTI-2 header definitions (nifti1.h, nifti2.h).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.errors import BadInputError
from seru.hounsfield import HounsfieldArray
from seru.orientation import check_grid

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
_MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}
_SCANNER = 1

# Deflate shrinks a byte run by 1032 at most; a file that promises more voxels than that is damaged.
_LARGEST_RATIO = 1100

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class NiftiHeader:
    """The used part of a NIfTI header.

    Attributes:
        shape_kji: voxels along k, j and i.
        dtype: of the stored numbers, with byte order.
        slope: Hounsfield units per stored number.
        intercept: Hounsfield units at stored zero.
        offset: bytes before the first voxel.
        ijk_to_ras: float64, shape (4, 4), mm.
        has_orientation: False where the header has neither a qform nor an sform.
    """

    shape_kji: tuple[int, int, int]
    dtype: np.dtype
    slope: float
    intercept: float
    offset: int
    ijk_to_ras: np.ndarray
    has_orientation: bool


def read_nifti(path: Path, step: Step | None = None) -> tuple[np.ndarray, NiftiHeader]:
    """Read a NIfTI-1 or NIfTI-2 file, compressed or not.

    Args:
        path: of the ``.nii`` or ``.nii.gz`` file.
        step: called with slices read and slices in all; may raise to stop.

    Returns:
        Hounsfield units, int16 or float32, shape (K, J, I), and the header.

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
                _skip(file, header.offset)
                array = _read_voxels(file, header, step)
                # The checksum of a gzip file is at its end.
                while file.read(1 << 20):
                    pass
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise BadInputError(f"'{path}' is cut or damaged ({error}); copy or convert it again.") from error
    except _NotNiftiError as error:
        raise BadInputError(f"'{path}' {error}.") from error
    return array, header


class _NotNiftiError(ValueError):
    """What is wrong with the file, after its name."""


def _read_header(file: BinaryIO) -> NiftiHeader:
    start = file.read(348)
    if len(start) == 0:
        raise _NotNiftiError("is empty; copy or convert it again")
    if len(start) < 348:
        raise EOFError("it ends within its header")
    for order in "<>":
        length = struct.unpack_from(order + "i", start)[0]
        if length == 348 and start[344:347] == b"n+1":
            return _parse_1(start, order)
        if length == 540 and start[4:7] == b"n+2":
            return _parse_2(start + file.read(192), order)
    raise _NotNiftiError("is no NIfTI file; give a CT as NIfTI, NRRD, MetaImage or a DICOM folder")


def _parse_1(data: bytes, order: str) -> NiftiHeader:
    def get(kind: str, at: int) -> tuple:
        return struct.unpack_from(order + kind, data, at)

    offset, slope, intercept = get("3f", 108)
    qform, sform = get("2h", 252)
    return _header(
        order, get("8h", 40), get("h", 70)[0], get("8f", 76), (slope, intercept), int(offset) - 348,
        (qform, sform), get("6f", 256), get("12f", 280), data[123],
    )  # fmt: skip


def _parse_2(data: bytes, order: str) -> NiftiHeader:
    def get(kind: str, at: int) -> tuple:
        return struct.unpack_from(order + kind, data, at)

    qform, sform = get("2i", 344)
    return _header(
        order, get("8q", 16), get("h", 12)[0], get("8d", 104), get("2d", 176), get("q", 168)[0] - 540,
        (qform, sform), get("6d", 352), get("12d", 400), get("i", 500)[0],
    )  # fmt: skip


def _header(
    order: str,
    dim: tuple[int, ...],
    datatype: int,
    pixdim: tuple[float, ...],
    scale: tuple[float, float],
    skip: int,
    codes: tuple[int, int],
    quaternion: tuple[float, ...],
    srow: tuple[float, ...],
    units: int,
) -> NiftiHeader:
    shape = _shape(dim)
    if datatype not in _TYPES:
        raise _NotNiftiError(f"holds colours or complex numbers (NIfTI type {datatype}); give a CT volume")
    mm = _MM_PER_UNIT.get(units & 7, 1.0)
    spacing = np.array(pixdim[1:4], np.float64) * mm
    if not (np.isfinite(spacing).all() and spacing.min() > 0):
        size = " x ".join(f"{s:g}" for s in spacing)
        raise _NotNiftiError(f"has a voxel size of {size} mm; all three must be more than 0: correct the header")
    matrix = _matrix(codes, spacing, pixdim[0], quaternion, np.array(srow, np.float64).reshape(3, 4), mm)
    slope, intercept = (float(value) if np.isfinite(value) else fallback for value, fallback in zip(scale, (1.0, 0.0)))  # noqa: B905
    return NiftiHeader(
        shape_kji=shape,
        dtype=np.dtype(_TYPES[datatype]).newbyteorder(order),
        # A slope of 0 means that the numbers are not scaled.
        slope=slope or 1.0,
        intercept=intercept if slope else 0.0,
        offset=max(skip, 0),
        ijk_to_ras=matrix,
        has_orientation=max(codes) > 0,
    )


def _shape(dim: tuple[int, ...]) -> tuple[int, int, int]:
    count = dim[0]
    if not 1 <= count <= 7:
        raise _NotNiftiError(f"is damaged (its header gives {count} dimensions); copy or convert it again")
    sizes = dim[1 : count + 1]
    if count < 3:
        raise _NotNiftiError(f"is a {count}D image; give a whole CT volume")
    if min(sizes) < 1:
        raise _NotNiftiError(f"is empty ({' x '.join(map(str, sizes))} voxels); give a CT volume")
    if max(sizes[4:], default=1) > 1:
        raise _NotNiftiError(f"holds colours or vectors ({max(sizes[4:])} numbers a voxel); give a CT volume")
    if max(sizes[3:], default=1) > 1:
        raise _NotNiftiError(
            f"is a {count}D image ({' x '.join(map(str, sizes))}); give one 3D volume, without time or channels"
        )
    i, j, k = sizes[:3]
    return k, j, i


def _matrix(
    codes: tuple[int, int],
    spacing: np.ndarray,
    handedness: float,
    quaternion: tuple[float, ...],
    srow: np.ndarray,
    mm: float,
) -> np.ndarray:
    qform, sform = codes
    matrix = np.eye(4)
    if sform > 0 and (sform == _SCANNER or qform <= 0):
        matrix[:3] = srow * mm
        check_grid(matrix)
        lengths = np.linalg.norm(matrix[:3, :3], axis=0)
        if np.abs(lengths / spacing - 1).max() > 0.01:
            texts = (" x ".join(f"{s:g}" for s in sizes) for sizes in (lengths, spacing))
            raise _NotNiftiError("has two voxel sizes in its header ({} and {} mm); correct it".format(*texts))
    elif qform > 0:
        b, c, d, *offset = quaternion
        matrix[:3, :3] = rotation_of_quaternion(b, c, d) * spacing
        matrix[:3, 2] *= -1.0 if handedness < 0 else 1.0
        matrix[:3, 3] = np.array(offset) * mm
    else:
        # As ITK, and so Slicer, take it: along left, posterior, superior.
        matrix[:3, :3] = np.diag(spacing * (-1, -1, 1))
    return matrix


def _check_size(header: NiftiHeader, most_bytes: int) -> None:
    needed = int(np.prod(header.shape_kji, dtype=np.int64)) * header.dtype.itemsize
    if needed > most_bytes:
        raise EOFError("it is shorter than its header says")


def _skip(file: BinaryIO, count: int) -> None:
    if len(file.read(count)) != count:
        raise EOFError("it ends within its header")


def _read_voxels(file: BinaryIO, header: NiftiHeader, step: Step | None) -> np.ndarray:
    array = HounsfieldArray(header.shape_kji)
    slices, rows, columns = header.shape_kji
    for first in range(0, slices, array.slices_a_slab):
        count = min(array.slices_a_slab, slices - first)
        wanted = count * rows * columns * header.dtype.itemsize
        data = file.read(wanted)
        if len(data) < wanted:
            raise EOFError("it is shorter than its header says")
        slab = np.frombuffer(data, header.dtype).reshape(count, rows, columns)
        array.put(first, slab, header.slope, header.intercept)
        if step:
            step(first + count, slices)
    return array.finish()


def rotation_of_quaternion(b: float, c: float, d: float) -> np.ndarray:
    """Return the rotation that NIfTI stores as three numbers.

    Args:
        b: second part of a unit quaternion; the first is not negative and not stored.
        c: third part.
        d: fourth part.

    Returns:
        float64, shape (3, 3).
    """
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


def quaternion_of_rotation(rotation: np.ndarray) -> tuple[float, float, float]:
    """Return the three numbers that NIfTI stores for a rotation.

    Args:
        rotation: float64, shape (3, 3), determinant 1.

    Returns:
        b, c and d of the unit quaternion whose first part is not negative.
    """
    from scipy.spatial.transform import Rotation

    b, c, d, a = Rotation.from_matrix(rotation).as_quat()
    return (-b, -c, -d) if a < 0 else (b, c, d)


def nifti_header(shape_kji: tuple[int, int, int], ijk_to_ras: np.ndarray, dtype: np.dtype) -> bytes:
    """Return the header of a NIfTI-1 file, with both a qform and an sform.

    Args:
        shape_kji: voxels along k, j and i.
        ijk_to_ras: float64, shape (4, 4), mm.
        dtype: of the voxels.

    Returns:
        352 bytes, followed in the file by the voxels, little-endian.
    """
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    directions = ijk_to_ras[:3, :3] / spacing
    handedness = -1.0 if np.linalg.det(directions) < 0 else 1.0
    left, _, right = np.linalg.svd(directions * (1.0, 1.0, handedness))
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    header[38] = ord("r")
    k, j, i = shape_kji
    struct.pack_into("<8h", header, 40, 3, i, j, k, 1, 1, 1, 1)
    code = next(code for code, kind in _TYPES.items() if kind == dtype)
    struct.pack_into("<2h", header, 70, code, 8 * dtype.itemsize)
    struct.pack_into("<8f", header, 76, handedness, *spacing, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    header[123] = 2  # mm
    struct.pack_into("<2h", header, 252, _SCANNER, _SCANNER)
    struct.pack_into("<6f", header, 256, *quaternion_of_rotation(left @ right), *ijk_to_ras[:3, 3])
    struct.pack_into("<12f", header, 280, *ijk_to_ras[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header)
