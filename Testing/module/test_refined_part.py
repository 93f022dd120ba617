"""Slices of a side that is refined anew, over the result that the scene holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from seru.options import SegmentOptions  # noqa: E402
from seru.result.npz import DAMAGES  # noqa: E402
from SERUSegmentationLib.scene.content import isEdited  # noqa: E402
from SERUSegmentationLib.scene.live_result import LiveResult  # noqa: E402
from SERUSegmentationLib.scene.refined_part import RefinedPart  # noqa: E402
from SERUSegmentationLib.scene.scene_writer import SceneWriter  # noqa: E402
from Testing.module.scene_tools import (  # noqa: E402
    add_volume,
    bare_scene,
    labels_of,
    maps_of,
    save,
    small_phantom,
)

DEPTH = 3


@pytest.fixture
def result(tmp_path: Path) -> Any:
    """A phantom's result in a bare scene."""
    with bare_scene():
        phantom = small_phantom()
        yield SceneWriter(add_volume(phantom)).write(save(maps_of(phantom), tmp_path))


def tumor_part(result: LiveResult, size: int = 200) -> RefinedPart:
    """A part of sure tumor at the first corner of the stored box, by default reaching beyond it in the plane."""
    probabilities = np.zeros((DEPTH, size, size, 2), np.uint8)
    probabilities[..., 1] = 255
    return RefinedPart("left", result.maps.lower_kji, probabilities, probabilities)


def test_a_part_is_shown_inside_the_stored_box_and_gone_with_the_next_result(result: LiveResult) -> None:
    node, volume = result.segmentationNode, slicer.util.getNode("CT")
    before = labels_of(node, volume)
    expected = before.copy()
    k, j, i = result.maps.box_slices
    expected[k.start : k.start + DEPTH, j, i] = 2

    result.showPart(tumor_part(result))

    assert result.showsParts
    assert np.array_equal(labels_of(node, volume), expected)
    result.commit(SegmentOptions())
    assert not result.showsParts
    assert np.array_equal(labels_of(node, volume), before)
    assert not isEdited(node)


def test_what_was_drawn_or_rubbed_out_stays_under_a_part(result: LiveResult) -> None:
    node, volume = result.segmentationNode, slicer.util.getNode("CT")
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName("Kidney")
    kidney = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    place = tuple(result.maps.lower_kji)
    drawn = kidney.copy()
    drawn[place] = 1 - kidney[place]
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, volume)

    result.showPart(tumor_part(result))

    now = labels_of(node, volume)
    assert now[place] == drawn[place]
    assert now[place[0], place[1], place[2] + 1] == 2
    result.commit(SegmentOptions())
    assert labels_of(node, volume)[place] == drawn[place]
    assert isEdited(node)


def test_a_part_outside_the_stored_box_changes_nothing(result: LiveResult) -> None:
    volume = slicer.util.getNode("CT")
    before = labels_of(result.segmentationNode, volume)
    probabilities = np.full((1, 1, 1, 2), 127, np.uint8)

    result.showPart(RefinedPart("right", (0, 0, 0), probabilities, probabilities))

    assert not result.showsParts
    assert np.array_equal(labels_of(result.segmentationNode, volume), before)


def test_a_part_is_read_in_the_order_of_the_array_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    coarse = np.arange(24, dtype=np.uint8).reshape(1, 3, 4, 2)
    np.savez(tmp_path / "part.npz", coarse=coarse, refined=coarse + 1)
    event = {"side": "right", "file": "part.npz", "ijk_min": [5, 6, 7], "ijk_max": [8, 8, 7]}

    part = RefinedPart.read(event, tmp_path)

    assert (part.side, part.lowerKji) == ("right", (7, 6, 5))
    assert np.array_equal(part.coarse, coarse)
    assert np.array_equal(part.refined, coarse + 1)
    for change in ({"side": "front"}, {"ijk_max": [9, 8, 7]}, {"ijk_max": [4, 8, 7]}):
        with pytest.raises(DAMAGES):
            RefinedPart.read({**event, **change}, tmp_path)
