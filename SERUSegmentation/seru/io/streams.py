"""Voxels as the formats encode them: raw, deflated, bzip2, decimal and hexadecimal text; read in bounded memory.

A stream that is cut, fails its checksum or holds what its encoding does not allow raises, whatever it decoded to.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable
from typing import BinaryIO, Literal, Protocol

import numpy as np

from seru.io.reading import TOO_LONG, TOO_SHORT, DamagedError

Encoding = Literal["raw", "gzip", "zlib", "bzip2", "text", "hex"]
COMPRESSED: tuple[Encoding, ...] = ("gzip", "zlib", "bzip2")

PADDING = 1 << 16
"""Zeros that may stand behind the voxels or the last stream: tapes and disks write whole blocks."""

# Small enough that thousands of tiny streams in a row are not copied over and over.
_CHUNK = 1 << 16
_TEXT_CHUNK = 1 << 20
_DAMAGED = "its compressed data is damaged"
# Longer than any number in decimal digits.
_LONGEST_NUMBER = 512
# zlib's way to say: a gzip header, or either a gzip or a zlib header.
_GZIP, _GZIP_OR_ZLIB = 16 + zlib.MAX_WBITS, 32 + zlib.MAX_WBITS


class Source(Protocol):
    """Decoded bytes in their order."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer than ``size`` at the end only."""


class _Decoder(Protocol):
    """What zlib and bz2 make."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def open_source(encoding: Encoding, file: BinaryIO, stored: int, dtype: np.dtype) -> Source:
    """Return what decodes a part of a file.

    Args:
        encoding: of the part.
        file: at its start.
        stored: its length in bytes.
        dtype: of the voxels; text is turned into it.

    Returns:
        The decoded bytes.
    """
    raw = _Raw(file, stored)
    if encoding == "gzip":
        return _Inflated(raw, lambda: zlib.decompressobj(_GZIP), is_many=True)
    if encoding == "zlib":
        return _Inflated(raw, lambda: zlib.decompressobj(_GZIP_OR_ZLIB), is_many=False)
    if encoding == "bzip2":
        return _Inflated(raw, bz2.BZ2Decompressor, is_many=True)
    if encoding == "text":
        return _Text(raw, dtype)
    return _Hex(raw) if encoding == "hex" else raw


class _Raw:
    """Some bytes of a file."""

    def __init__(self, file: BinaryIO, stored: int) -> None:
        self._file = file
        self._left = stored

    def read(self, size: int, /) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


class _Inflated:
    """One or many compressed streams, each to its end, where its checksum is."""

    def __init__(self, raw: Source, new_decoder: Callable[[], _Decoder], is_many: bool) -> None:
        self._raw = raw
        self._new_decoder = new_decoder
        self._is_many = is_many
        self._decoder = new_decoder()
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        pieces = []
        while size > 0 and (piece := self._decode(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _decode(self, most: int) -> bytes:
        """Return at least one byte, or none at the end."""
        while not self._decoder.eof or self._start_next():
            # bz2 keeps what it did not get to; zlib hands it back.
            is_hungry = not self._pending and getattr(self._decoder, "needs_input", True)
            data = self._raw.read(_CHUNK) if is_hungry else self._pending
            try:
                piece = self._decoder.decompress(data, most)
            except (zlib.error, OSError, ValueError) as error:
                raise DamagedError(_DAMAGED) from error
            self._pending = getattr(self._decoder, "unconsumed_tail", b"")
            if piece:
                return piece
            if is_hungry and not data and not self._decoder.eof:
                raise DamagedError(TOO_SHORT)
        return b""

    def _start_next(self) -> bool:
        """Step over padding to the next stream, if there is one."""
        padding, rest = 0, self._decoder.unused_data or self._raw.read(_CHUNK)
        while rest and not rest.strip(b"\0"):
            padding += len(rest)
            if padding > PADDING:
                raise DamagedError(TOO_LONG)
            rest = self._raw.read(_CHUNK)
        if rest and not self._is_many:
            raise DamagedError(TOO_LONG)
        self._pending = rest.lstrip(b"\0")
        if rest:
            self._decoder = self._new_decoder()
        return bool(rest)


class _Text:
    """Decimal numbers, apart by blanks or commas, as the bytes of their type."""

    def __init__(self, raw: Source, dtype: np.dtype) -> None:
        self._raw = raw
        self._dtype = dtype
        self._rest = b""
        self._ready = b""

    def read(self, size: int, /) -> bytes:
        pieces = [self._ready]
        have = len(self._ready)
        while have < size and (piece := self._next()) is not None:
            pieces.append(piece)
            have += len(piece)
        data = b"".join(pieces)
        self._ready = data[size:]
        return data[:size]

    def _next(self) -> bytes | None:
        chunk = self._raw.read(_TEXT_CHUNK)
        text = (self._rest + chunk).replace(b",", b" ")
        # The last number may go on in the next chunk.
        whole = text.rfind(max(b" \t\r\n", key=text.rfind)) + 1 if chunk else len(text)
        self._rest = text[whole:]
        if len(self._rest) > _LONGEST_NUMBER:
            raise DamagedError("its text holds no numbers")
        return self._encoded(text[:whole].split()) if text else None

    def _encoded(self, parts: list[bytes]) -> bytes:
        if any(len(part) > _LONGEST_NUMBER or b"_" in part for part in parts):
            raise DamagedError("its text holds no numbers")
        try:
            values = np.array([float(part) for part in parts], np.float64)
        except ValueError as error:
            raise DamagedError("its text holds something other than numbers") from error
        with np.errstate(invalid="ignore", over="ignore"):
            encoded = values.astype(self._dtype)
        if self._dtype.kind in "iu" and not np.array_equal(encoded, values):
            raise DamagedError(f"its text holds a number that is no {self._dtype.name}")
        return encoded.tobytes()


class _Hex:
    """Two hexadecimal digits a byte, with blanks anywhere."""

    def __init__(self, raw: Source) -> None:
        self._raw = raw
        self._digits = b""

    def read(self, size: int, /) -> bytes:
        while len(self._digits) < 2 * size and (chunk := self._raw.read(_TEXT_CHUNK)):
            self._digits += b"".join(chunk.split())
        digits, self._digits = self._digits[: 2 * size], self._digits[2 * size :]
        try:
            return bytes.fromhex(digits.decode("ascii"))
        except ValueError as error:
            raise DamagedError("its text holds something other than hexadecimal digits") from error
