"""NIfTI files, read and written here rather than through ITK.

ITK reads a cut or damaged .nii.gz without an error, takes a voxel size of 0 for 1 mm, mirrors an axis whose voxel size
is negative, and refuses matrices that are perpendicular to 0.05 degrees; none of that will do for a measurement.

Source: the NIfTI-1 and NIfTI-2 header definitions (nifti1.h, nifti2.h).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.grid import Grid, Lattice
from seru.io.nifti_orientation import MILLIMETRES, SCANNER, lattice_of, quaternion_of_rotation
from seru.io.reading import DamagedError, UnreadableError, check_one_volume, explained, open_regular
from seru.io.streams import Source, open_source
from seru.io.voxels import ByteOrder, StoredVoxels, gzip_stream, part_from, read_voxels, voxel_chunks
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
_BYTE_ORDERS: tuple[ByteOrder, ...] = ("<", ">")

# Extensions between the header and the voxels are notes of some tool.
_LARGEST_EXTENSION = 1 << 24
# The largest axis that NIfTI-1 can tell.
_LARGEST_AXIS_1 = np.iinfo(np.int16).max
# Zeros after the header that say that no extension follows.
_NO_EXTENSION = bytes(4)
_ENDS_EARLY = "it ends within its header"


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
    bits=("<i2", 14),
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
        lattice: where the voxels lie.
        dtype: of the stored numbers.
        first_voxel: its place in the (decoded) file.
        slope: Hounsfield units per number.
        intercept: Hounsfield units at zero.
        notes: what the user should know.
    """

    lattice: Lattice
    dtype: np.dtype
    first_voxel: int
    slope: float
    intercept: float
    notes: tuple[str, ...]


def read_nifti(path: Path, advance: Advance) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file, compressed or not, whatever its name says.

    Args:
        path: of the ``.nii`` or ``.nii.gz`` file.
        advance: told of slices read and slices in all.

    Returns:
        The file's numbers, scaled as it says, on its grid.

    Raises:
        BadInputError: the file is damaged, cut, no 3D image of numbers, or its grid is not usable.
    """
    with explained(path):
        with open_regular(path) as file:
            is_compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            size = path.stat().st_size
            header = _read_header(open_source("gzip" if is_compressed else "raw", file, size, np.dtype(np.uint8)))
        if is_compressed:
            part = part_from(path, 0, "gzip", header.first_voxel)
        else:
            part = part_from(path, header.first_voxel, "raw")
        stored = StoredVoxels(header.lattice.shape_kji, header.dtype, (part,), header.slope, header.intercept)
        array, notes = read_voxels(stored, advance)
    source = {"path": str(path), "format": "nifti"}
    return Volume.of_slices(array, header.lattice, source, header.notes + notes)


def _read_header(source: Source) -> _Header:
    start = source.read(_NIFTI_1.itemsize)
    if len(start) < _NIFTI_1.itemsize:
        raise DamagedError(_ENDS_EARLY)
    for order in _BYTE_ORDERS:
        first, second = _NIFTI_1.newbyteorder(order), _NIFTI_2.newbyteorder(order)
        size = int(np.frombuffer(start, first)["size"][0])
        if size == first.itemsize:
            _check_single_file(start[344:347])
            return _parse(start, first, order)
        if size == second.itemsize and start[4:7] in (b"n+2", b"ni2"):
            _check_single_file(start[4:7])
            rest = source.read(second.itemsize - first.itemsize)
            if len(rest) < second.itemsize - first.itemsize:
                raise DamagedError(_ENDS_EARLY)
            return _parse(start + rest, second, order)
    raise UnreadableError("is no NIfTI file; give a CT as NIfTI, NRRD, MetaImage or a DICOM folder")


def _check_single_file(magic: bytes) -> None:
    if magic in (b"ni1", b"ni2"):
        raise UnreadableError("is the header of a NIfTI pair (.hdr and .img); convert the pair to one .nii.gz file")
    if magic not in (b"n+1", b"n+2"):
        raise UnreadableError("is an Analyze file, which gives no orientation; convert the original CT to NIfTI")


def _parse(data: bytes, layout: np.dtype, order: ByteOrder) -> _Header:
    fields = np.frombuffer(data, layout)[0]
    shape = _shape(fields["dim"].tolist())
    datatype = int(fields["datatype"])
    if datatype not in _TYPES:
        raise UnreadableError(f"holds colors or complex numbers (NIfTI type {datatype}); give a 3D volume")
    slope, intercept, notes = _scale(*fields["scale"].tolist())
    lattice, more = lattice_of(shape, fields)
    return _Header(
        lattice,
        np.dtype(_TYPES[datatype]).newbyteorder(order),
        _first_voxel(float(fields["first_voxel"]), len(data) + len(_NO_EXTENSION)),
        slope,
        intercept,
        notes + more,
    )


def _scale(slope: float, intercept: float) -> tuple[float, float, tuple[str, ...]]:
    """Return the scale that counts: a slope of 0, and by custom NaN, means that the numbers are not scaled."""
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0, ()
    if math.isinf(slope):
        return 1.0, 0.0, ("The scale in the NIfTI header is infinite; the numbers were taken as they are.",)
    if not math.isfinite(intercept):
        raise DamagedError(f"its numbers are said to be scaled by {slope:g} and {intercept:g}")
    if slope < 0:
        note = f"The NIfTI header scales the numbers by {slope:g}, which turns bright and dark around; check the CT."
        return slope, intercept, (note,)
    return slope, intercept, ()


def _first_voxel(place: float, earliest: int) -> int:
    if not (earliest <= place <= earliest + _LARGEST_EXTENSION and place == int(place)):
        raise DamagedError(f"its voxels are said to begin at byte {place:g}")
    return int(place)


def _shape(dim: list[int]) -> tuple[int, int, int]:
    count = dim[0]
    if not 1 <= count <= 7:
        raise DamagedError(f"its header gives {count} dimensions")
    sizes = dim[1 : count + 1]
    check_one_volume(sizes, vectors_from=4)
    i, j, k = sizes[:3]
    return k, j, i


def write_nifti(file: BinaryIO, array_kji: np.ndarray, lattice: Lattice, advance: Advance) -> None:
    """Write a gzip-compressed file with a qform and an sform: NIfTI-1, or NIfTI-2 where an axis is too long for it.

    Args:
        file: to write to.
        array_kji: a number type of NIfTI, shape (K, J, I).
        lattice: of that shape.
        advance: told of slices written and slices in all.
    """
    with gzip_stream(file) as stream:
        stream.write(_header_bytes(array_kji.dtype, lattice))
        for chunk in voxel_chunks(array_kji, advance):
            stream.write(chunk)


def _header_bytes(dtype: np.dtype, lattice: Lattice) -> bytes:
    handedness = -1.0 if np.linalg.det(lattice.directions_ras) < 0 else 1.0
    is_first = max(lattice.shape_kji) <= _LARGEST_AXIS_1
    header = np.zeros((), _NIFTI_1 if is_first else _NIFTI_2)
    header["size"] = header.itemsize
    header["dim"] = 3, *lattice.shape_ijk, 1, 1, 1, 1
    header["datatype"] = next(code for code, kind in _TYPES.items() if kind == dtype)
    header["bits"] = 8 * dtype.itemsize
    header["pixdim"] = handedness, *lattice.spacing_ijk_mm, 1, 1, 1, 1
    header["first_voxel"] = header.itemsize + len(_NO_EXTENSION)
    header["scale"] = 1, 0
    header["units"] = MILLIMETRES
    # A rotation cannot say that slices lie obliquely on each other: then there is no qform.
    header["codes"] = (SCANNER if isinstance(lattice, Grid) else 0), SCANNER
    if isinstance(lattice, Grid):
        header["quaternion"] = quaternion_of_rotation(lattice.directions_ras * (1.0, 1.0, handedness))
        header["offset"] = lattice.ijk_to_ras[:3, 3]
    header["rows"] = lattice.ijk_to_ras[:3]
    if is_first:
        header["regular"] = b"r"
        header["magic"] = b"n+1"
    else:
        # The bytes after the name show a transfer that changed line ends.
        header["magic"] = b"n+2\0\r\n\x1a\n"
    return header.tobytes() + _NO_EXTENSION
