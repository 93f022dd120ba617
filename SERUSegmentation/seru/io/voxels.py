"""Voxels in files, as NIfTI, NRRD and MetaImage all hold them: slice after slice in C order, in one file or several."""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from seru.hounsfield import HounsfieldArray
from seru.io.reading import TOO_LONG, TOO_SHORT, DamagedError, UnreadableError, open_regular, quoted
from seru.io.streams import COMPRESSED, PADDING, Encoding, Source, open_source
from seru.progress import Advance

COMPRESSION_LEVEL = 3
"""Labels are long runs of zeros: higher levels take longer and save nothing worth having."""

ByteOrder = Literal["<", ">"]

_CHUNK = 1 << 24
# Voxels decoded at a time: cancelling is noticed between two runs.
_RUN_VOXELS = 1 << 20
_SKIP_BYTES = 1 << 22

# Deflate shrinks a byte run by 1032 at most. bzip2 shrinks more, but nothing that a CT or labels hold.
_LARGEST_RATIO = 1100
# A file that promises more than this many times its size is decoded once only to see whether it is so.
_PROVEN_RATIO = 64
# And so many voxels out of so little are neither a CT nor labels: 2 GiB of memory.
_MOST_UNLIKELY = 1 << 30
# A volume has a few thousand slices, and a file for each at most.
_MOST_FILES = 100_000
# Voxels of the largest slice, 11585 x 11585.
_LARGEST_SLICE = 1 << 27


@dataclass(frozen=True)
class Part:
    """Where a file holds voxels.

    Attributes:
        path: of the file, which is a regular one.
        start: its first byte that counts.
        stored: how many bytes count.
        encoding: of these bytes.
        skip: decoded bytes before the first voxel.
    """

    path: Path
    start: int
    stored: int
    encoding: Encoding = "raw"
    skip: int = 0


@dataclass(frozen=True)
class StoredVoxels:
    """How files hold the voxels of a volume.

    Attributes:
        shape_kji: voxels along k, j and i.
        dtype: of the stored numbers, with byte order.
        parts: where they are, in their order; each holds as many as the others.
        slope: Hounsfield units per stored number.
        intercept: Hounsfield units at stored zero.
    """

    shape_kji: tuple[int, int, int]
    dtype: np.dtype
    parts: tuple[Part, ...]
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def voxels_a_part(self) -> int:
        """Voxels that each part holds."""
        # Python's integers: the product of damaged sizes may be beyond 64 bits.
        return math.prod(self.shape_kji) // len(self.parts)

    @property
    def bytes_a_part(self) -> int:
        """Decoded bytes of each part's voxels."""
        return self.voxels_a_part * self.dtype.itemsize


def part_from(path: Path, start: int, encoding: Encoding, skip: int = 0) -> Part:
    """Return the part of a file from a byte to the file's end.

    Args:
        path: of a regular file.
        start: its first byte that counts.
        encoding: of the bytes.
        skip: decoded bytes before the first voxel.

    Returns:
        The part.

    Raises:
        DamagedError: the file ends before.
    """
    stored = path.stat().st_size - start
    if stored < 0:
        raise DamagedError(TOO_SHORT)
    return Part(path, start, stored, encoding, skip)


def numbered_files(pattern: str, first: int, last: int, step: int) -> list[str]:
    """Return the names of voxel files that a pattern counts.

    Args:
        pattern: with one ``%d``, ``%03d`` or the like.
        first: number of the first file.
        last: no number is beyond it.
        step: from one number to the next.

    Returns:
        The names in their order.

    Raises:
        DamagedError: the pattern is none, or counts no files or too many.
    """
    parts = re.fullmatch(r"([^%]*)%(0?)([0-9]?)d([^%]*)", pattern)
    if parts is None or step == 0 or not 0 <= (last - first) // step < _MOST_FILES:
        raise DamagedError(f"its voxel files {quoted(pattern)} cannot be counted")
    before, fill, width, after = parts.groups()
    numbers = range(first, last + (1 if step > 0 else -1), step)
    return [f"{before}{number:{fill}{width or 1}d}{after}" for number in numbers]


def read_voxels(stored: StoredVoxels, advance: Advance) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read voxels as Hounsfield units.

    Args:
        stored: where they are and how.
        advance: told of slices read and slices in all.

    Returns:
        int16 or float32, shape (K, J, I); and what the user should know, one sentence each.

    Raises:
        BadInputError: there are no voxels, or one is not a finite number.
        UnreadableError: a part is shorter or longer than it should be, or damaged.
    """
    if math.prod(sorted(stored.shape_kji)[1:]) > _LARGEST_SLICE:
        size = " x ".join(map(str, stored.shape_kji[::-1]))
        raise UnreadableError(f"has {size} voxels, which no CT has, or is damaged; give the original CT")
    if len({(part.path, part.start) for part in stored.parts}) < len(stored.parts):
        raise DamagedError("its header names a voxel file twice")
    slices = stored.shape_kji[0]
    for part in stored.parts:
        _check_promise(part, stored, lambda: advance(0, slices))
    array = HounsfieldArray(stored.shape_kji)
    slice_voxels = math.prod(stored.shape_kji[1:])
    behind = 0
    for number, part in enumerate(stored.parts):
        first = number * stored.voxels_a_part

        def tell(done: int, first: int = first) -> None:
            advance(min((first + done) // slice_voxels, slices), slices)

        behind += _read_part(part, stored, array, first, tell)
    note = f"The file holds {behind} zeros behind its voxels, which were left out; check that it is whole."
    return array.finish(), (note,) if behind else ()


def _read_part(
    part: Part, stored: StoredVoxels, array: HounsfieldArray, first: int, tell: Callable[[int], None]
) -> int:
    """Read the voxels of a part; return how many zeros stand behind them."""
    with _opened(part, stored.dtype) as source:
        _step_over(source, part.skip, lambda: tell(0))
        done = 0
        while done < stored.voxels_a_part:
            wanted = min(_RUN_VOXELS, stored.voxels_a_part - done)
            data = source.read(wanted * stored.dtype.itemsize)
            if len(data) < wanted * stored.dtype.itemsize:
                raise DamagedError(TOO_SHORT)
            array.put_run(first + done, np.frombuffer(data, stored.dtype), stored.slope, stored.intercept)
            done += wanted
            tell(done)
        return _zeros_behind(source)


@contextmanager
def _opened(part: Part, dtype: np.dtype) -> Iterator[Source]:
    with open_regular(part.path) as file:
        file.seek(part.start)
        yield open_source(part.encoding, file, part.stored, dtype)


def _check_promise(part: Part, stored: StoredVoxels, tick: Callable[[], None]) -> None:
    """Check, before memory is taken, that a part can hold what its header says."""
    promised = part.skip + stored.bytes_a_part
    if part.encoding == "raw":
        if promised > part.stored or part.stored > promised + PADDING:
            raise DamagedError(TOO_SHORT if promised > part.stored else TOO_LONG)
    elif part.encoding not in COMPRESSED:
        # At least one digit a number.
        if stored.voxels_a_part > part.stored:
            raise DamagedError(TOO_SHORT)
    elif promised > part.stored * _PROVEN_RATIO:
        _check_unlikely(part, promised, stored, tick)


def _check_unlikely(part: Part, promised: int, stored: StoredVoxels, tick: Callable[[], None]) -> None:
    if promised > part.stored * _LARGEST_RATIO or math.prod(stored.shape_kji) > _MOST_UNLIKELY:
        raise DamagedError(f"{part.stored} bytes are said to hold {promised}")
    with _opened(part, stored.dtype) as source:
        _step_over(source, promised, tick)
        _zeros_behind(source)


def _step_over(source: Source, count: int, tick: Callable[[], None]) -> None:
    while count > 0:
        step = min(count, _SKIP_BYTES)
        if len(source.read(step)) < step:
            raise DamagedError(TOO_SHORT)
        count -= step
        tick()


def _zeros_behind(source: Source) -> int:
    """Read to the end, where checksums are; return how many zeros were left."""
    rest = source.read(PADDING + 1)
    if len(rest) > PADDING or rest.strip(b"\0"):
        raise DamagedError(TOO_LONG)
    return len(rest)


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
