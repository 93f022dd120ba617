"""Components of a mask that is given by its voxels."""

from __future__ import annotations

import numpy as np
import pytest

from seru.result.components import label_components, number_voxels


def numbers_of(mask: np.ndarray) -> list[int]:
    return number_voxels(np.flatnonzero(mask), mask.shape).tolist()


def test_voxels_that_share_a_corner_are_one_component() -> None:
    mask = np.zeros((2, 2, 2), bool)
    mask[0, 1, 0] = mask[1, 0, 1] = True

    assert numbers_of(mask) == [1, 1]


def test_voxels_that_meet_round_the_border_are_not() -> None:
    of_rows, of_planes = np.zeros((2, 3, 5), bool), np.zeros((2, 3, 5), bool)
    of_rows[0, 0, 4] = of_rows[0, 1, 0] = True
    of_planes[0, 2, 2] = of_planes[1, 0, 2] = True

    assert numbers_of(of_rows) == numbers_of(of_planes) == [1, 2]


def test_components_are_numbered_in_the_order_of_their_first_voxels() -> None:
    mask = np.array([[[1, 0, 1, 0, 1], [0, 0, 1, 0, 0]], [[1, 0, 0, 0, 1], [0, 0, 0, 0, 1]]], bool)

    # By row: 1, 2 and 3; 2; below them 1 and 3; 3.
    assert numbers_of(mask) == [1, 2, 3, 2, 1, 3, 3]


def test_no_voxel_has_no_number() -> None:
    assert numbers_of(np.zeros((2, 3, 4), bool)) == []


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 1.0])
def test_the_numbers_are_those_of_the_whole_array(share: float) -> None:
    mask = np.random.default_rng(7).random((7, 9, 11)) < share

    assert numbers_of(mask) == label_components(mask)[mask].tolist()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize(("few", "most_runs"), [(0, 1 << 20), (0, 3), (1 << 17, 1 << 20)])
def test_components_are_the_same_whichever_way_is_faster(
    share: float, few: int, most_runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skimage import measure

    monkeypatch.setattr("seru.result.components._FEW_VOXELS", few)
    monkeypatch.setattr("seru.result.components._MOST_RUNS", most_runs)
    # Not laid out in C order, as a stack that was turned.
    mask = (np.random.default_rng(7).random((11, 9, 7)) < share).transpose(2, 1, 0)[::-1]

    found = label_components(mask)

    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, measure.label(mask, connectivity=3))
