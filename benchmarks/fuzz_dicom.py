"""Damaged DICOM folders, for the fuzzing of the readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.pixels import compress

from Testing.seru.dicom_by_hand import write_slices
from Testing.seru.image_files_by_hand import oblique, small_ct, write_dicom

_SHAPE = (4, 16, 20)
_KINDS = ("native", "native", "implicit", "big endian", "deflated", "RLE", "JPEG", "JPEG2000")
_SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "big endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "RLE": "1.2.840.10008.1.2.5",
}


def dicom_inputs(rng: np.random.Generator, folder: Path) -> Path:
    """Write a small series of which one file is damaged.

    Args:
        rng: decides what is written and how it is damaged.
        folder: empty, to write in.

    Returns:
        The folder, to be read.
    """
    kind = str(rng.choice(_KINDS))
    paths = write_kind(folder, kind)
    path = paths[int(rng.integers(len(paths)))]
    path.write_bytes(damage(rng, path.read_bytes()))
    return folder


def write_kind(folder: Path, kind: str) -> list[Path]:
    """Write a whole series; ``kind`` is a transfer syntax in words.

    Args:
        folder: to write in.
        kind: native, implicit, big endian, deflated, RLE, JPEG or JPEG2000.

    Returns:
        The files.
    """
    if kind.startswith("JPEG"):
        return write_dicom(folder, small_ct(_SHAPE), oblique(), compressor=kind)

    def recode(data: Any, k: int) -> None:
        if kind == "RLE":
            compress(data, _SYNTAXES[kind], generate_instance_uid=False)
        elif kind in _SYNTAXES:
            data.file_meta.TransferSyntaxUID = _SYNTAXES[kind]
            if kind == "big endian":
                data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()

    return write_slices(folder, recode, small_ct(_SHAPE), oblique())


def damage(rng: np.random.Generator, data: bytes) -> bytes:
    """Return the bytes of a file with one to four faults.

    Args:
        rng: decides which.
        data: of a whole file.

    Returns:
        The damaged bytes.
    """
    array = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        # Most faults in the header, where few bytes say much.
        end = len(array) if rng.random() < 0.3 else min(len(array), 1500)
        place, length = int(rng.integers(128, max(end, 129))), int(rng.integers(1, 9))
        match rng.integers(6):
            case 0:
                array[place : place + 1] = bytes([int(rng.integers(256))])
            case 1:
                array[place : place + 1] = bytes(
                    [array[place] ^ (1 << int(rng.integers(8)))] if place < len(array) else []
                )
            case 2:
                array[place : place + length] = rng.choice([b"\xff", b"\x00", b"\x7f"]) * length
            case 3:
                del array[place : place + length]
            case 4:
                array[place:place] = array[place - length : place]
            case _:
                del array[place:]
    return bytes(array)
