"""Image files written byte by byte, correct or wrong on purpose, apart from the project's own writers."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_NIFTI_TYPES = {"uint8": 2, "int16": 4, "int32": 8, "float32": 16, "float64": 64, "int8": 256, "uint16": 512}


def small_ct(shape_kji: tuple[int, int, int] = (6, 32, 40)) -> np.ndarray:
    """A body of soft tissue with a rim of fat in air, int16 HU; each slice differs from the others."""
    slices, rows, columns = shape_kji
    r, c = np.mgrid[0:rows, 0:columns]
    distance = np.hypot((r - rows / 2) / (rows * 0.4), (c - columns / 2) / (columns * 0.4))
    slice_hu = np.select([distance < 0.8, distance < 1.0], [40, -100], -1000).astype(np.int16)
    volume = np.repeat(slice_hu[np.newaxis], slices, axis=0)
    volume += np.arange(volume.size, dtype=np.int64).reshape(volume.shape).astype(np.int16) % 7
    return volume


def oblique(spacing: tuple[float, float, float] = (0.8, 0.9, 2.5)) -> np.ndarray:
    """An oblique matrix IJK to RAS with an odd origin."""
    a, b = np.radians(20.0), np.radians(-8.0)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ tilt @ np.diag([-1.0, -1.0, 1.0]) * spacing
    matrix[:3, 3] = [101.25, -33.5, -712.125]
    return matrix


def write_nifti(
    path: Path,
    array_kji: np.ndarray,
    sform: np.ndarray | None,
    codes: tuple[int, int] = (0, 1),
    pixdim: tuple[float, ...] | None = None,
    quaternion: tuple[float, float, float] = (0.0, 0.0, 0.0),
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    qfac: float = 1.0,
    slope: float = 1.0,
    intercept: float = 0.0,
    order: str = "<",
    units: int = 2,
) -> Path:
    """Write a NIfTI-1 file; ``codes`` are those of the qform and the sform."""
    dims = array_kji.shape[::-1]
    if pixdim is None:
        pixdim = tuple(np.linalg.norm(sform[:3, :3], axis=0)) if sform is not None else (1.0, 1.0, 1.0)
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, len(dims), *dims, *[1] * (7 - len(dims)))
    struct.pack_into(order + "2h", header, 70, _NIFTI_TYPES[array_kji.dtype.name], 8 * array_kji.dtype.itemsize)
    struct.pack_into(order + "8f", header, 76, qfac, *(*pixdim, 1.0, 1.0, 1.0, 1.0)[:7])
    struct.pack_into(order + "3f", header, 108, 352.0, slope, intercept)
    header[123] = units
    struct.pack_into(order + "2h", header, 252, *codes)
    struct.pack_into(order + "6f", header, 256, *quaternion, *offset)
    if sform is not None:
        struct.pack_into(order + "12f", header, 280, *sform[:3].ravel())
    header[344:348] = b"n+1\0"
    data = bytes(header) + array_kji.astype(array_kji.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(gzip.compress(data, 1) if path.name.endswith(".gz") else data)
    return path


def write_nifti_2(path: Path, array_kji: np.ndarray, sform: np.ndarray) -> Path:
    """Write a NIfTI-2 file."""
    header = bytearray(544)
    struct.pack_into("<i8s2h", header, 0, 540, b"n+2\0\r\n\x1a\n", _NIFTI_TYPES[array_kji.dtype.name], 16)
    struct.pack_into("<8q", header, 16, 3, *array_kji.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<8d", header, 104, 1.0, *np.linalg.norm(sform[:3, :3], axis=0), 1, 1, 1, 1)
    struct.pack_into("<q2d", header, 168, 544, 1.0, 0.0)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, *sform[:3].ravel())
    struct.pack_into("<i", header, 500, 2)
    path.write_bytes(bytes(header) + array_kji.tobytes())
    return path


def write_nrrd(path: Path, array_kji: np.ndarray, directions_lps: Any, encoding: str = "gzip", extra: str = "") -> Path:
    """Write an int16 NRRD file with these space directions, one triple an axis."""
    vectors = " ".join("(" + ",".join(str(n) for n in vector) + ")" for vector in directions_lps)
    i, j, k = array_kji.shape[::-1]
    header = (
        f"NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {i} {j} {k}\n"
        f"space directions: {vectors}\nkinds: domain domain domain\nendian: little\nencoding: {encoding}\n"
        f"space origin: (1,2,3)\n{extra}\n"
    )
    data = array_kji.astype("<i2").tobytes()
    path.write_bytes(header.encode() + (gzip.compress(data, 1) if encoding == "gzip" else data))
    return path


def write_metaimage(path: Path, array_kji: np.ndarray, spacing: Any = (1, 1, 1), directions: Any = None) -> Path:
    """Write an int16 MetaImage with this voxel size and these directions, nine numbers."""
    directions = (1, 0, 0, 0, 1, 0, 0, 0, 1) if directions is None else directions
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "TransformMatrix = " + " ".join(map(str, directions)),
        "Offset = 1 2 3",
        "ElementSpacing = " + " ".join(map(str, spacing)),
        "DimSize = " + " ".join(map(str, array_kji.shape[::-1])),
        "ElementType = MET_SHORT",
        "ElementDataFile = LOCAL",
    ]
    path.write_bytes(("\n".join(lines) + "\n").encode() + array_kji.astype("<i2").tobytes())
    return path


def itk_image(array_kji: np.ndarray, ijk_to_ras: np.ndarray) -> sitk.Image:
    """An ITK image on a grid."""
    lps = RAS_OF_LPS @ ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = sitk.GetImageFromArray(array_kji)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


def itk_matrix(image: sitk.Image) -> np.ndarray:
    """The matrix IJK to RAS of an ITK image."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return RAS_OF_LPS @ matrix


def write_dicom(
    folder: Path,
    array_kji: np.ndarray,
    ijk_to_ras: np.ndarray,
    prefix: str = "image",
    series: str = "1.2.826.1",
    compressor: str = "",
    numbers: Any = None,
    **tags: str,
) -> list[Path]:
    """Write a CT series; ``numbers`` are the slices to write, ``tags`` replace elements, as ``t0008_0060="MR"``."""
    folder.mkdir(parents=True, exist_ok=True)
    lps = RAS_OF_LPS @ ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    axes = lps[:3, :3] / spacing
    paths = []
    for k in range(len(array_kji)) if numbers is None else numbers:
        position = lps @ [0, 0, k, 1.0]
        elements = {
            "0008|0008": "ORIGINAL\\PRIMARY\\AXIAL",
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"{series}.{k + 1}",
            "0008|0060": "CT",
            "0018|0050": f"{spacing[2]:.6f}",
            "0020|000d": "1.2.826",
            "0020|000e": series,
            "0020|0032": "\\".join(f"{n:.6f}" for n in position[:3]),
            "0020|0037": "\\".join(f"{n:.9f}" for n in [*axes[:, 0], *axes[:, 1]]),
            "0028|1052": "-1024",
            "0028|1053": "1",
        }
        elements |= {name[1:].replace("_", "|"): value for name, value in tags.items()}
        image = sitk.GetImageFromArray(array_kji[k : k + 1])
        image.SetSpacing(spacing.tolist())
        for tag, value in elements.items():
            image.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        if compressor:
            writer.UseCompressionOn()
            writer.SetCompressor(compressor)
        # Names run against the order of the slices.
        paths.append(folder / f"{prefix}-{999 - k:03d}.dcm")
        writer.SetFileName(str(paths[-1]))
        writer.Execute(image)
    return paths
