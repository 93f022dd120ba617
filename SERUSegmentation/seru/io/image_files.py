"""Images as files: NIfTI, NRRD and MetaImage, compressed, whole or not at all."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from seru.errors import BadInputError
from seru.files import replacing
from seru.io.nifti import nifti_header
from seru.io.nrrd import nrrd_header
from seru.progress import Progress
from seru.volume import Volume

LastStep = Callable[[], None]

LABEL_ENDINGS = (".nii.gz", ".nrrd", ".mha")

# Labels are long runs of zeros: higher levels take longer and save nothing worth having.
_LEVEL = 3
_CHUNK = 1 << 24
_ELEMENT_TYPES = {np.uint8: "MET_UCHAR", np.int16: "MET_SHORT"}


def write_labels(
    labels_kji: np.ndarray,
    volume: Volume,
    path: str | Path,
    progress: Progress | None = None,
    last_step: LastStep | None = None,
) -> None:
    """Write a label map on the volume's grid; the file appears whole or not at all.

    Args:
        labels_kji: uint8, shape of the volume (K, J, I): 0 background, 1 kidney, 2 tumor.
        volume: the CT that the labels belong to.
        path: ends in ``.nii.gz``, ``.nrrd`` or ``.mha``.
        progress: told of the stage ``write``, and asked whether to stop.
        last_step: called once the file is whole, just before it takes its place; what it raises keeps it away.

    Raises:
        BadInputError: the ending is unknown, or the file cannot be written.
        CancelledError: ``progress`` was cancelled.
    """
    _write(np.asarray(labels_kji, np.uint8), volume.ijk_to_ras, Path(path), progress, last_step)


def write_volume(volume: Volume, path: str | Path, progress: Progress | None = None) -> None:
    """Write a CT as int16; the file appears whole or not at all.

    Args:
        volume: int16.
        path: ends in ``.nii.gz``, ``.nrrd`` or ``.mha``.
        progress: told of the stage ``write``, and asked whether to stop.

    Raises:
        BadInputError: the ending is unknown, or the file cannot be written.
        CancelledError: ``progress`` was cancelled.
    """
    _write(np.asarray(volume.array_kji, np.int16), volume.ijk_to_ras, Path(path), progress)


def _write(
    array_kji: np.ndarray,
    ijk_to_ras: np.ndarray,
    path: Path,
    progress: Progress | None,
    last_step: LastStep | None = None,
) -> None:
    name = path.name.lower()
    with replacing(path, last_step) as file:
        if name.endswith(".nii.gz"):
            with gzip_stream(file) as stream:
                stream.write(nifti_header(array_kji.shape, ijk_to_ras, array_kji.dtype))
                write_voxels(stream, array_kji, progress)
        elif name.endswith(".nrrd"):
            file.write(nrrd_header(array_kji.shape, ijk_to_ras, array_kji.dtype))
            with gzip_stream(file) as stream:
                write_voxels(stream, array_kji, progress)
        elif name.endswith(".mha"):
            _write_metaimage(file, array_kji, ijk_to_ras, progress)
        else:
            raise BadInputError(f"'{path.name}' has an unknown ending; give one of {', '.join(LABEL_ENDINGS)}.")


def gzip_stream(file: BinaryIO) -> gzip.GzipFile:
    """Return a gzip stream into a file; the same voxels give the same bytes, whatever the name and the time."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0)


def write_voxels(stream: BinaryIO, array_kji: np.ndarray, progress: Progress | None) -> None:
    """Write voxels in C order, little-endian.

    Args:
        stream: takes the bytes.
        array_kji: any number type, shape (K, J, I).
        progress: told of the stage ``write``, and asked whether to stop.

    Raises:
        CancelledError: ``progress`` was cancelled.
    """
    little = array_kji.dtype.newbyteorder("<")
    slices = max(1, _CHUNK // max(1, array_kji[0].nbytes))
    for first in range(0, len(array_kji), slices):
        stream.write(np.ascontiguousarray(array_kji[first : first + slices], little).data)
        if progress is not None:
            progress.stage("write", min(first + slices, len(array_kji)), len(array_kji))
            progress.check_cancelled()


class _Deflater:
    """Compresses what is written to it into a list of bytes; labels come out a hundred times smaller."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(_LEVEL)
        self._parts: list[bytes] = []

    def write(self, data: memoryview) -> None:
        self._parts.append(self._deflate.compress(data))

    def finish(self) -> bytes:
        return b"".join([*self._parts, self._deflate.flush()])


def _write_metaimage(file: BinaryIO, array_kji: np.ndarray, ijk_to_ras: np.ndarray, progress: Progress | None) -> None:
    deflater = _Deflater()
    write_voxels(deflater, array_kji, progress)
    data = deflater.finish()
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    # MetaImage lists the direction of each axis in turn.
    directions = (lps[:3, :3] / spacing).T.ravel()
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(data)}",
        f"TransformMatrix = {_numbers(directions)}",
        f"Offset = {_numbers(lps[:3, 3])}",
        "CenterOfRotation = 0 0 0",
        "AnatomicalOrientation = RAI",
        f"ElementSpacing = {_numbers(spacing)}",
        f"DimSize = {_numbers(array_kji.shape[::-1])}",
        f"ElementType = {_ELEMENT_TYPES[array_kji.dtype.type]}",
        "ElementDataFile = LOCAL",
    ]
    file.write(("\n".join(lines) + "\n").encode("ascii"))
    file.write(data)


def _numbers(values: np.ndarray | tuple[int, ...]) -> str:
    return " ".join(repr(v) if isinstance(v, int) else repr(float(v) + 0.0) for v in values)
