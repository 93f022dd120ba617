"""Voxels in a stream, as NIfTI, NRRD and MetaImage all hold them: slice after slice in C order."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

import numpy as np

from seru.hounsfield import HounsfieldArray
from seru.progress import Advance

COMPRESSION_LEVEL = 3
"""Labels are long runs of zeros: higher levels take longer and save nothing worth having."""

ByteOrder = Literal["<", ">"]

_CHUNK = 1 << 24


class ByteSource(Protocol):
    """A file or a gzip stream to read from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than ``size`` at the end only."""


@dataclass(frozen=True)
class StoredVoxels:
    """How a file holds its voxels.

    Attributes:
        shape_kji: voxels along k, j and i.
        dtype: of the stored numbers, with byte order.
        slope: Hounsfield units per stored number.
        intercept: Hounsfield units at stored zero.
    """

    shape_kji: tuple[int, int, int]
    dtype: np.dtype
    slope: float = 1.0
    intercept: float = 0.0


def read_voxels(stream: ByteSource, stored: StoredVoxels, advance: Advance) -> np.ndarray:
    """Read voxels as Hounsfield units.

    Args:
        stream: at the first voxel; a gzip stream is read to its end, where its checksum is.
        stored: what it holds.
        advance: told of slices read and slices in all.

    Returns:
        int16 or float32, shape (K, J, I).

    Raises:
        BadInputError: there are no voxels, or one is not a finite number.
        EOFError: the stream is too short.
    """
    array = HounsfieldArray(stored.shape_kji)
    slices, rows, columns = stored.shape_kji
    for first in range(0, slices, array.slices_a_slab):
        count = min(array.slices_a_slab, slices - first)
        wanted = count * rows * columns * stored.dtype.itemsize
        data = stream.read(wanted)
        if len(data) < wanted:
            raise EOFError("it is shorter than its header says")
        slab = np.frombuffer(data, stored.dtype).reshape(count, rows, columns)
        array.put(first, slab, stored.slope, stored.intercept)
        advance(first + count, slices)
    while isinstance(stream, gzip.GzipFile) and stream.read(1 << 20):
        pass
    return array.finish()


def voxel_chunks(array_kji: np.ndarray, advance: Advance) -> Iterator[memoryview]:
    """Yield voxels to write, little-endian.

    Args:
        array_kji: any number type, shape (K, J, I).
        advance: told of slices written and slices in all.

    Yields:
        Some slices' bytes.
    """
    little = array_kji.dtype.newbyteorder("<")
    slices = max(1, _CHUNK // max(1, array_kji[0].nbytes))
    for first in range(0, len(array_kji), slices):
        yield np.ascontiguousarray(array_kji[first : first + slices], little).data
        advance(min(first + slices, len(array_kji)), len(array_kji))


def gzip_stream(file: BinaryIO) -> gzip.GzipFile:
    """Return a gzip stream into a file; the same voxels give the same bytes, whatever the name and the time."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=COMPRESSION_LEVEL, mtime=0)
