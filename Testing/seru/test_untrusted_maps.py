"""Maps that anyone may have written: refused in one sentence before memory is taken, or read as they are."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.grid import Grid
from seru.options import SegmentOptions
from seru.result.maps import Maps, load_maps, save_maps
from Testing.reports import make_report
from Testing.seru.command_by_hand import run_command

GRID = Grid((2, 3, 4), np.eye(4))
PAIRS = np.array([[200, 0], [0, 90], [10, 20]], np.uint8)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    mask = np.array([[[True, False], [False, True]], [[False, True], [False, False]]])
    sides, hu = np.array([1, 2, 2], np.uint8), np.array([-5, 40, 300], np.int16)
    maps = Maps(GRID, 0.4, (0, 1, 1), mask, PAIRS, PAIRS[::-1], sides, hu)
    return save_maps(maps, make_report(GRID), tmp_path)


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def write_members(path: Path, members: dict[str, bytes], extra: tuple[str, bytes] | None = None) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
        if extra:
            file.writestr(*extra)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_that_says(header: str) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def header_of(path: Path) -> dict[str, Any]:
    return json.loads(np.load(path)["header"].tobytes())


def write_header(path: Path, text: str) -> None:
    write_members(path, {**members_of(path), "header.npy": npy(np.frombuffer(text.encode(), np.uint8))})


def refusal(path: Path) -> str:
    """What the maps are refused with; it is one sentence, and little memory was taken."""
    tracemalloc.start()
    try:
        with pytest.raises(BadInputError) as raised:
            load_maps(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    sentence = str(raised.value)
    assert "\n" not in sentence
    assert len(sentence) < 600
    return sentence


def test_the_maps_by_hand_are_read(saved: Path) -> None:
    maps, report = load_maps(saved)

    np.testing.assert_array_equal(maps.coarse, PAIRS)
    assert report == make_report(GRID)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("box_kji", [60000, 60000, 60000], "box_kji is"),
        ("shape_kji", [60000, 60000, 60000], "shape_kji is"),
        ("shape_kji", [2, 3, -4], "shape_kji is"),
        ("shape_kji", [2, 3, True], "shape_kji is"),
        ("shape_kji", [0, 1 << 62, 4], "shape_kji is"),
        ("shape_kji", [2, 3, 4.0], "shape_kji is"),
        ("shape_kji", None, "shape_kji is"),
        ("shape_kji", [2, 3, 5], "report is of another scan"),
        ("lower_kji", [0, 2, 2], "not inside the scan"),
        ("lower_kji", [0, -1, 0], "lower_kji is"),
        ("lower_kji", "012", "lower_kji is"),
        ("box_kji", [2, 2, 1], "'mask'|'coarse'"),
        ("ijk_to_ras", [[0.0] * 4] * 4, "last row"),
        ("ijk_to_ras", np.diag([0.0, 0, 0, 1]).tolist(), "voxel size"),
        ("ijk_to_ras", [[1e300] * 4] * 4, "matrix is none"),
        ("ijk_to_ras", [["1", 0, 0, 0]] * 4, "matrix is none"),
        ("ijk_to_ras", [[1, 0, 0]] * 4, "matrix is none"),
        ("ijk_to_ras", np.diag([2.0, 1, 1, 1]).tolist(), "report is of another scan"),
        ("alpha", "0.4", "alpha is"),
        ("alpha", 7, "Alpha is"),
        ("alpha", None, "alpha is"),
        ("report", {}, "no report of a scan"),
        ("report", [], "no report of a scan"),
        ("format", "SERU mops", "another format"),
        ("version", "2\nseru: fake", "update SERU"),
        ("version", True, "update SERU"),
        ("version", 9, "have version 9"),
    ],
)
def test_a_header_that_lies_is_refused(saved: Path, name: str, value: Any, reason: str) -> None:
    write_header(saved, json.dumps({**header_of(saved), name: value}))

    with pytest.raises(BadInputError, match=reason):
        load_maps(saved)
    refusal(saved)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        "[]",
        "",
        "{",
        '{"format": "SERU maps", "version": 1}',
        '{"format": "SERU maps", "version": NaN}',
        '{"format": "SERU maps", "version": 1e999}',
        '{"format": "SERU maps", "version": ' + "1" * 5000 + "}",
    ],
)
def test_a_header_that_is_none_is_refused(saved: Path, text: str) -> None:
    write_header(saved, text)

    refusal(saved)


@pytest.mark.parametrize(
    ("path_in_report", "value"),
    [
        (("input",), "x"),
        (("input", "path"), "a\0b"),
        (("input", "path"), 3),
        (("left",), None),
        (("left", "kidney_ml"), "inf"),
        (("left", "kidney_ml"), [[[[[[[[]]]]]]]]),
        (("left", "present"), 1),
        (("slices", "total"), 10**30),
        (("alpha",), 10**400),
        (("options",), []),
        (("warnings",), "text"),
        (("version",), 1),
        (("geometry", "shape_ijk"), [4, 3]),
        (("geometry", "ijk_to_ras"), [[1.0]]),
        (("color",), 1),
    ],
)
def test_a_report_that_is_none_is_refused(saved: Path, path_in_report: tuple[str, ...], value: Any) -> None:
    header = header_of(saved)
    place = header["report"]
    for key in path_in_report[:-1]:
        place = place[key]
    place[path_in_report[-1]] = value
    write_header(saved, json.dumps(header))

    refusal(saved)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("coarse", npy(PAIRS.astype("U3"))),
        ("coarse", npy(PAIRS.astype(np.float32))),
        ("coarse", npy(PAIRS.astype(np.int8))),
        ("coarse", npy(np.asfortranarray(PAIRS))),
        ("coarse", npy(PAIRS.ravel())),
        ("coarse", npy(PAIRS[:2])),
        ("coarse", npy(np.full_like(PAIRS, 200))),
        ("refined", npy(np.full_like(PAIRS, 128))),
        ("refined", b""),
        ("refined", b"\x93NUMPY\x02\x00" + npy(PAIRS)[8:]),
        ("refined", npy(PAIRS) + b"x"),
        ("refined", npy(PAIRS)[:-1]),
        ("sides", npy(np.full(3, 77, np.uint8))),
        ("sides", npy(np.zeros(3, np.uint8))),
        ("sides", npy(np.ones(1 << 20, np.uint8))),
        ("mask", npy(np.full(1, 255, np.uint8))),
        ("mask", npy(np.zeros(0, np.uint8))),
        ("mask", npy(np.ones(8, bool))),
        ("mask", npy_that_says("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999,), }")),
        ("mask", npy_that_says("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")),
        ("mask", npy_that_says("[" * 5000)),
        ("header", npy_that_says("{'descr': '|u1', 'fortran_order': False, 'shape': (3000000000,), }")),
        ("header", npy_that_says("{'descr': '|u1', 'fortran_order': False, 'shape': (), }")),
    ],
)
def test_an_array_that_lies_is_refused(saved: Path, name: str, content: bytes) -> None:
    write_members(saved, {**members_of(saved), f"{name}.npy": content})

    refusal(saved)


def test_a_header_of_megabytes_is_refused_before_it_is_read(saved: Path) -> None:
    write_header(saved, " " * 30_000_000)

    assert saved.stat().st_size < 100_000
    assert "'header' has the shape (30000000,)" in refusal(saved)


@pytest.mark.parametrize("extra", ["coarse.npy", "coarse", "more.npy"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_parts_that_come_twice_or_are_not_ours_are_refused(saved: Path, extra: str) -> None:
    write_members(saved, members_of(saved), (extra, npy(PAIRS)))

    refusal(saved)


@pytest.mark.parametrize("name", ["header", "mask", "coarse", "refined", "sides"])
def test_a_missing_part_is_named(saved: Path, name: str) -> None:
    members = members_of(saved)
    del members[f"{name}.npy"]
    write_members(saved, members)

    refusal(saved)


def test_any_flipped_byte_is_refused_or_changes_nothing(saved: Path) -> None:
    whole, expected = saved.read_bytes(), load_maps(saved)[0]

    for place in range(0, len(whole), 17):
        damaged = bytearray(whole)
        damaged[place] ^= 0x41
        saved.write_bytes(damaged)
        try:
            found, _ = load_maps(saved)
        except BadInputError:
            continue
        np.testing.assert_array_equal(found.coarse, expected.coarse)
        np.testing.assert_array_equal(found.mask, expected.mask)


def test_a_pipe_is_no_maps(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "maps.npz")

    assert "no file that --maps wrote" in refusal(tmp_path)


def test_the_command_says_it_in_one_line_and_writes_nothing(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_header(saved, json.dumps({**header_of(saved), "shape_kji": [60000] * 3}))
    outputs = saved.with_name("out.nii.gz"), saved.with_name("out.json")

    code, _ = run_command(capsys, "fuse", saved, "-o", outputs[0], "--alpha", 0.3, "--report", outputs[1])

    assert code == 2
    assert not any(path.exists() for path in outputs)


@pytest.mark.parametrize(
    "options",
    [
        {"postprocessing": {"x": 1}},
        {"postprocessing": [1]},
        {"postprocessing": {"minimum_volume_ml": "much"}},
        {"postprocessing": {"tumor_touches_kidney": 1}},
        {"crop": ["grow"]},
        {"x": 1},
    ],
)
def test_options_of_a_report_that_are_none_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=r"^The report('s option| has an unknown option)"):
        SegmentOptions.from_deciding(options, alpha=0.5)


def test_a_stored_box_that_holds_nothing_is_refused(saved: Path) -> None:
    # A quarter of a megabyte of zeros was a box of two thousand million voxels, and 20 GB of memory.
    nothing = {"mask": np.zeros(1, np.uint8), "coarse": np.zeros((0, 2), np.uint8)}
    nothing |= {"refined": nothing["coarse"], "sides": np.zeros(0, np.uint8)}
    write_members(saved, members_of(saved) | {f"{name}.npy": npy(array) for name, array in nothing.items()})

    assert "the stored box holds nothing" in refusal(saved)


def test_an_alpha_that_no_float_holds_is_refused(saved: Path) -> None:
    write_header(saved, json.dumps({**header_of(saved), "alpha": 10**400}))

    assert "Alpha is 1000" in refusal(saved)
