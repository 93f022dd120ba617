"""Arrays out of an ``.npz`` that anyone may have written: every size is known to be right before memory is taken.

Source: the format is numpy's (``numpy.lib.format``) in a zip; deflate never makes more than 1032 bytes out of one.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

_SUFFIX = ".npy"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BLOCK = 1 << 20
# What numpy writes before an array of bytes in C order; no other array is ours, and nothing is evaluated.
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(rb"\{'descr': '\|u1', 'fortran_order': False, 'shape': \(([\d, ]{1,99})\), \} *\n")

DAMAGES = (OSError, ValueError, EOFError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error)
"""What reading a damaged file may raise."""


class NpzFile:
    """An open ``.npz`` of numbers; a context manager.

    Args:
        path: of the file.

    Raises:
        ValueError: a name comes twice, or a member is encrypted or packed in another way than numpy's.
        OSError: the file cannot be read.
        zipfile.BadZipFile: it is no zip.
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)
        members = self._zip.infolist()
        self._members = {member.filename.removesuffix(_SUFFIX): member for member in members}
        self.names = set(self._members)
        if len(self.names) < len(members) or any(m.flag_bits & 1 or m.compress_type not in _METHODS for m in members):
            self._zip.close()
            raise ValueError("it was not made by numpy")

    def __enter__(self) -> NpzFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def read_bytes(self, name: str, most: int) -> bytes:
        """Read a one-dimensional array of bytes.

        Args:
            name: of the array.
            most: bytes.

        Returns:
            Its bytes.

        Raises:
            ValueError: it is missing, larger, or another array. Others of ``DAMAGES``: it is damaged.
        """
        with self._open(name) as file:
            shape = _read_header(file)
            if len(shape) != 1 or shape[0] > most:
                raise ValueError(f"'{name}' has the shape {shape}")
        return self.read(name, shape).tobytes()

    def read(self, name: str, shape: Sequence[int]) -> np.ndarray:
        """Read an array of bytes whose shape is known.

        Args:
            name: of the array.
            shape: that it must have.

        Returns:
            uint8, of that shape.

        Raises:
            ValueError: it is missing, or of another shape or kind. Others of ``DAMAGES``: it is damaged.
        """
        with self._open(name) as file:
            found = _read_header(file)
            if found != tuple(shape):
                raise ValueError(f"'{name}' has the shape {found} in place of {tuple(shape)}")
            array = np.empty(found, np.uint8)
            _fill(file, array.reshape(-1).data)
        return array

    def _open(self, name: str) -> IO[bytes]:
        member = self._members.get(name)
        if member is None:
            raise ValueError(f"'{name}' is missing")
        return self._zip.open(member)


def _read_header(file: IO[bytes]) -> tuple[int, ...]:
    """Read the header of an array of bytes; its shape is returned."""
    start = file.read(len(_MAGIC) + 2)
    header = _HEADER.fullmatch(file.read(int.from_bytes(start[len(_MAGIC) :], "little")))
    if not start.startswith(_MAGIC) or header is None:
        raise ValueError("an array does not hold bytes")
    return tuple(int(size) for size in header[1].split(b",") if size.strip())


def _fill(file: IO[bytes], room: memoryview) -> None:
    """Read exactly as many bytes as there is room for, and the end, where zip looks at the checksum."""
    done = 0
    while block := file.read(min(_BLOCK, len(room) - done + 1)):
        if done + len(block) > len(room):
            raise ValueError("an array is longer than its header says")
        room[done : done + len(block)] = block
        done += len(block)
    if done < len(room):
        raise ValueError("an array is shorter than its header says")
