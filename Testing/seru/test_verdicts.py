"""Verdicts survive a file, and what is no verdict is refused before memory is taken."""

from __future__ import annotations

import base64
import json
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.result.verdicts import Verdict, read_verdicts


def verdict() -> Verdict:
    voxels = np.zeros((3, 4, 5), bool)
    voxels[1, 1:3, 2:5] = True
    return Verdict("dismissed", "tumor", (7, 0, 2), voxels)


def test_a_verdict_survives_a_file() -> None:
    (read,) = read_verdicts(json.loads(json.dumps([verdict().to_dict()])))

    assert (read.decision, read.kind, read.lower_kji) == ("dismissed", "tumor", (7, 0, 2))
    np.testing.assert_array_equal(read.voxels, verdict().voxels)


def test_a_verdict_knows_its_place_in_a_box_that_it_sticks_out_of() -> None:
    box, voxels = verdict().inside((8, 2, 0), (9, 9, 5))

    # Of k 7..9 there are 8 and 9, of j 0..3 there are 2 and 3, of i 2..6 there are 2 to 4.
    assert box == (slice(0, 2), slice(0, 2), slice(2, 5))
    np.testing.assert_array_equal(voxels, verdict().voxels[1:, 2:, :3])


def test_a_verdict_outside_a_box_is_nothing_in_it() -> None:
    box, voxels = verdict().inside((0, 0, 0), (3, 4, 9))

    assert voxels.size == 0
    assert np.zeros((3, 4, 9))[box].size == 0


def test_a_verdict_is_on_what_lies_mostly_in_it_or_holds_most_of_it() -> None:
    voxels = verdict().voxels

    assert verdict().is_on((7, 0, 2), voxels)
    assert verdict().is_on((0, 0, 0), np.ones((20, 20, 20), bool))
    assert verdict().is_on((8, 1, 4), np.ones((1, 1, 1), bool))
    assert not verdict().is_on((7, 0, 2), ~voxels)
    assert not verdict().is_on((8, 1, 4), np.ones((1, 1, 30), bool))


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "maybe"},
        {"kind": "cyst"},
        {"lower_kji": [0, 0]},
        {"lower_kji": [0, -1, 0]},
        {"shape_kji": [3, 4, 6]},
        {"shape_kji": [0, 4, 5]},
        {"shape_kji": [3, 4, -5]},
        {"shape_kji": [1 << 20, 1 << 20, 1 << 20]},
        {"voxels": "no base64!"},
        {"voxels": base64.b64encode(b"no zlib").decode()},
        {"voxels": base64.b64encode(zlib.compress(bytes(7))).decode()},
        {"voxels": base64.b64encode(zlib.compress(bytes(8))).decode()},
        {"voxels": base64.b64encode(zlib.compress(b"\xff" * 9)).decode()},
        {"voxels": base64.b64encode(zlib.compress(b"\xff" * 8)[:-5]).decode()},
        {"voxels": 5},
        {"other": 1},
    ],
)
def test_what_is_no_verdict_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match=r"(?i)a verdict"):
        read_verdicts([{**verdict().to_dict(), **change}])


@pytest.mark.parametrize("values", [None, {}, "[]", [1], [None]])
def test_what_is_no_list_of_verdicts_is_refused(values: Any) -> None:
    with pytest.raises(BadInputError):
        read_verdicts(values)


def test_a_bomb_is_refused_before_it_takes_memory() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(64 << 20), 9)).decode()

    tracemalloc.start()
    with pytest.raises(BadInputError):
        read_verdicts([{**verdict().to_dict(), "voxels": bomb}])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4 << 20
