"""The pixels of DICOM images: native, deflated and RLE here, the JPEG family through GDCM in a process of its own.

Source: DICOM PS3.5, 8.1 (pixel cells), A.4 (fragments), annex G (RLE).
"""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from seru.errors import BadInputError
from seru.io.dicom_codecs import Decoder
from seru.io.dicom_elements import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    DamagedError,
    open_pixels,
)
from seru.io.dicom_header import Slice, StoredPixels, damaged

_NATIVE = (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED)
_RLE = "1.2.840.10008.1.2.5"
# Baseline, extended, lossless; JPEG-LS; JPEG 2000.
_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91))

_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0"
# A compressed slice may be small whatever it holds; no scanner's matrix is larger than this.
_MOST_PIXELS = 1 << 24


def stored_pixels(item: Slice) -> StoredPixels:
    """Return how the pixels of a slice are stored.

    Args:
        item: the slice.

    Returns:
        What is needed to read them.

    Raises:
        BadInputError: they cannot be read, with the reason.
    """
    if isinstance(item.pixels, str):
        raise BadInputError(item.pixels)
    if item.pixels.syntax not in (*_NATIVE, _RLE, *_JPEG):
        raise BadInputError(
            f"The DICOM file '{item.file}' is compressed in a way that cannot be read "
            f"({_title(item.pixels.syntax)}); export the series uncompressed."
        )
    if item.pixels.syntax not in _NATIVE and math.prod(item.shape) > _MOST_PIXELS:
        rows, columns = item.shape
        raise BadInputError(f"The DICOM file '{item.file}' claims {columns} x {rows} pixels, which no CT has.")
    return item.pixels


def read_pixels(item: Slice, decoder: Decoder, check: Callable[[], None]) -> np.ndarray:
    """Read the stored numbers of a slice.

    Args:
        item: the slice.
        decoder: for the JPEG family.
        check: called while waiting for it; may raise to stop.

    Returns:
        Integers, shape (1, rows, columns), not rescaled.

    Raises:
        BadInputError: they are cut, damaged, or stored in a way that is not read.
        OSError: the file cannot be read.
    """
    pixels = stored_pixels(item)
    try:
        data = read_stored(item)
        if pixels.syntax in _NATIVE:
            array = np.frombuffer(data, pixels.dtype, math.prod(item.shape)).reshape(item.shape)
        elif pixels.syntax == _RLE:
            array = _decode_rle(data, pixels.dtype.itemsize, item.shape).view(pixels.dtype)
        else:
            array = decoder.decode(data, pixels, item.shape, check)
    except (DamagedError, zlib.error, struct.error) as error:
        raise BadInputError(damaged(item.file)) from error
    return _used_bits(array, item, pixels)[np.newaxis]


def read_stored(item: Slice) -> bytes:
    """Read the value of the pixel element, as it is stored.

    Args:
        item: the slice.

    Returns:
        The pixels of a native slice, the joined fragments of another.

    Raises:
        BadInputError: they cannot be read.
        DamagedError: the file is shorter than its header says, or longer than its pixels.
    """
    pixels = stored_pixels(item)
    with open_pixels(item.file, pixels.syntax, pixels.offset) as file:
        if pixels.syntax not in _NATIVE:
            return _fragments(file)
        wanted = math.prod(item.shape) * pixels.dtype.itemsize
        row = item.shape[1] * pixels.dtype.itemsize
        if pixels.length == UNDEFINED or not wanted <= pixels.length < wanted + max(row, 2):
            raise DamagedError(f"{pixels.length} bytes of pixels where {wanted} are expected")
        data = file.read(wanted)
        file.seek(pixels.length - wanted, 1)
        after = file.read(8)
    if len(data) < wanted:
        raise DamagedError("it ends within its pixels")
    if after.strip(b"\0") and _group(after, pixels) < 0x7FE0:
        raise DamagedError("what follows its pixels is no element")
    return data


def content_of(item: Slice) -> bytes:
    """Return a digest of what a slice shows: where it lies and its numbers, whatever its names are."""
    pixels = stored_pixels(item)
    facts = (item.position, item.orientation, item.spacing, item.shape)
    scale = (pixels.syntax, pixels.dtype.str, pixels.bits, pixels.slope, pixels.intercept)
    try:
        stored = read_stored(item)
    except DamagedError as error:
        raise BadInputError(damaged(item.file)) from error
    return hashlib.sha256(repr((facts, scale)).encode() + stored).digest()


def _group(element: bytes, pixels: StoredPixels) -> int:
    return int.from_bytes(element[:2], "big" if pixels.syntax == BIG_ENDIAN else "little")


def _title(syntax: str) -> str:
    from pydicom import config
    from pydicom.uid import UID

    name = UID(syntax[:64], config.IGNORE).name
    return name if name == syntax[:64] else f"{name}, {syntax}"


def _fragments(file: BinaryIO) -> bytes:
    """Return the fragments of the only frame, joined."""
    fragments: list[bytes] = []
    while True:
        head = file.read(8)
        if head[:4] == _END:
            # The first item is a table of offsets.
            return b"".join(fragments[1:])
        if head[:4] != _ITEM or len(head) < 8:
            raise DamagedError("its pixels do not end")
        (length,) = struct.unpack("<I", head[4:])
        fragments.append(file.read(length))
        if len(fragments[-1]) < length:
            raise DamagedError("it ends within its pixels")


def _decode_rle(frame: bytes, itemsize: int, shape: tuple[int, int]) -> np.ndarray:
    """Return the bytes of little-endian numbers, uint8, shape (rows, columns * itemsize)."""
    count, *starts = struct.unpack_from("<16I", frame)
    if count != itemsize or list(starts[:count]) != sorted(set(starts[:count])) or starts[0] < 64:
        raise DamagedError("its RLE segments are not where they should be")
    ends = [*starts[1:count], len(frame)]
    planes = np.empty((math.prod(shape), itemsize), np.uint8)
    for number in range(count):
        # The first segment holds the most significant bytes.
        planes[:, itemsize - 1 - number] = _unpack_bits(frame[starts[number] : ends[number]], len(planes))
    return planes.reshape(shape[0], shape[1] * itemsize)


def _unpack_bits(segment: bytes, wanted: int) -> np.ndarray:
    parts, found, place = [], 0, 0
    while found < wanted:
        if place >= len(segment):
            raise DamagedError("an RLE segment is too short")
        head = segment[place]
        if head < 128:
            part = segment[place + 1 : place + 2 + head]
            place += 2 + head
        else:
            part = segment[place + 1 : place + 2] * (257 - head if head > 128 else 0)
            place += 2 if head > 128 else 1
        parts.append(part)
        found += len(part)
    if found != wanted or len(segment) - place > 1:
        raise DamagedError("an RLE segment is too long")
    return np.frombuffer(b"".join(parts), np.uint8)


def _used_bits(array: np.ndarray, item: Slice, pixels: StoredPixels) -> np.ndarray:
    """Return the numbers without what may lie in the bits above them: a sign, an overlay, padding, nothing else."""
    size = 8 * array.dtype.itemsize
    if pixels.bits == size and pixels.padding is None:
        return array
    unsigned = array.astype(f"u{array.dtype.itemsize}", copy=False)
    used = masked = unsigned & unsigned.dtype.type((1 << pixels.bits) - 1)
    if pixels.dtype.kind == "i":
        shift = size - pixels.bits
        used = (masked << shift).astype(f"i{array.dtype.itemsize}") >> shift
    is_clean = (unsigned == masked) | (unsigned == used.astype(unsigned.dtype))
    if pixels.padding is not None:
        is_padding = (unsigned & unsigned.dtype.type(0xFFFF & np.iinfo(unsigned.dtype).max)) == pixels.padding
        is_clean |= is_padding
        used = np.where(is_padding, used.dtype.type(-(1 << pixels.bits - 1) if used.dtype.kind == "i" else 0), used)
    if not pixels.has_overlay and not is_clean.all():
        raise BadInputError(
            f"The DICOM file '{item.file}' uses bits above the {pixels.bits} that its header gives; "
            "export the series again."
        )
    return used
