"""DICOM files with a damaged structure: the same CT, a warning, or one sentence; never other voxels without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.io.dicom import read_dicom
from Testing.seru.dicom_by_hand import MATRIX, write_slices
from Testing.seru.image_files_by_hand import small_ct

_SHAPE = (4, 16, 20)
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")


def structure(data: bytes) -> list[int]:
    """The places of an explicit little-endian file that hold no value: tags, types and lengths."""
    places, place = list(range(128, 132)), 132
    while place < len(data):
        head = 12 if data[place + 4 : place + 6] in _LONG else 8
        length = int.from_bytes(data[place + head - (4 if head == 12 else 2) : place + head], "little")
        places += range(place, place + head)
        place += head + length
    return places


def same_ct_or_a_word(folder: Path) -> bool:
    try:
        volume = read_dicom(folder, None, lambda done, total: None)
    except BadInputError:
        return True
    is_same = volume.array_kji.shape == _SHAPE and bool((volume.array_kji == small_ct(_SHAPE)).all())
    return bool(volume.notes) or (is_same and np.allclose(volume.grid.ijk_to_ras, MATRIX, atol=1e-3))


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return write_slices(tmp_path / "ct", array_kji=small_ct(_SHAPE))


@pytest.mark.parametrize("which", [0, 1])
def test_a_series_with_a_file_cut_anywhere_is_never_another_ct(series: list[Path], which: int) -> None:
    whole = series[which].read_bytes()
    silent = []
    for length in range(132, len(whole), 23):
        series[which].write_bytes(whole[:length])
        if not same_ct_or_a_word(series[which].parent):
            silent.append(length)

    assert silent == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_series_with_a_damaged_structure_is_never_another_ct(series: list[Path], which: int) -> None:
    rng = np.random.default_rng(which)
    whole = series[which].read_bytes()
    places = structure(whole)
    silent = []
    for number in range(150):
        data = bytearray(whole)
        for place in rng.choice(places, size=number % 3 + 1):
            data[place] = rng.integers(256) if number % 2 else data[place] ^ (1 << int(rng.integers(8)))
        series[which].write_bytes(data)
        if not same_ct_or_a_word(series[which].parent):
            silent.append(bytes(data))

    assert silent == []


def test_an_empty_element_of_an_unknown_kind_is_none(series: list[Path]) -> None:
    whole = series[0].read_bytes()
    place = whole.index(b"\x10\x00\x20\x00LO")
    length = int.from_bytes(whole[place + 6 : place + 8], "little")
    series[0].write_bytes(whole[: place + 4] + b"L\x7f\0\0" + whole[place + 8 + length :])

    assert same_ct_or_a_word(series[0].parent)
