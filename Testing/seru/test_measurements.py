"""Sums and clean-up on shapes whose answer is known."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.findings import Measures
from seru.grid import Grid
from seru.options import SegmentOptions
from seru.result.cleanup import clean_labels
from seru.result.measurements import count_voxels, measures_of


def case() -> tuple[np.ndarray, np.ndarray]:
    """A right kidney of 60 voxels with a tumor of 4, a left kidney of 8, an island of 1, a lone tumor of 2."""
    labels = np.zeros((6, 10, 20), np.uint8)
    labels[1:5, 2:6, 2:6] = 1
    labels[2, 3, 2:6] = 2
    labels[1:3, 2:4, 14:16] = 1
    labels[5, 9, 19] = 1
    labels[0, 9, 0:2] = 2
    sides = np.where(np.arange(20) < 10, 1, 2).astype(np.uint8)
    return labels, np.broadcast_to(sides, labels.shape) * (labels > 0)


def test_volumes_are_counted_per_side_and_label() -> None:
    labels, sides = case()

    grid = Grid(labels.shape, np.diag([1.0, 2.0, 5.0, 1.0]))

    measured = measures_of(labels, sides.astype(np.uint8), grid, ())

    assert measured["right"] == Measures(0.6, pytest.approx(0.06), 0.0)
    assert measured["left"] == Measures(pytest.approx(0.09), 0.0, 0.0)


def test_post_processing_is_off_by_default() -> None:
    labels, sides = case()

    assert clean_labels(labels, sides, 1.0, SegmentOptions()) is labels


def test_tumors_that_touch_no_kidney_are_removed() -> None:
    labels, sides = case()

    cleaned = clean_labels(labels, sides, 1.0, SegmentOptions(tumor_touches_kidney=True))

    expected = labels.copy()
    expected[0, 9, 0:2] = 0
    np.testing.assert_array_equal(cleaned, expected)
    assert (labels[0, 9, 0:2] == 2).all()


def test_small_components_are_removed() -> None:
    labels, sides = case()

    cleaned = clean_labels(labels, sides, 1.0, SegmentOptions(minimum_volume_ml=3))

    assert cleaned[5, 9, 19] == 0
    assert (cleaned[0, 9, 0:2] == 0).all()
    assert np.count_nonzero(cleaned) == np.count_nonzero(labels) - 3


def test_the_largest_component_of_each_side_stays() -> None:
    labels, sides = case()

    cleaned = clean_labels(labels, sides, 1.0, SegmentOptions(largest_component_per_side=True))

    np.testing.assert_array_equal(np.bincount(cleaned.ravel()), [1200 - 72, 68, 4])
    assert cleaned[1, 2, 14] == 1


def test_empty_labels_stay_empty() -> None:
    empty = np.zeros((2, 3, 4), np.uint8)

    options = SegmentOptions(largest_component_per_side=True, tumor_touches_kidney=True, minimum_volume_ml=5)
    cleaned = clean_labels(empty, empty, 1.0, options)

    assert not cleaned.any()


@pytest.mark.parametrize("volume", [-1, np.nan, np.inf])
def test_a_wrong_minimum_volume_is_refused(volume: float) -> None:
    with pytest.raises(BadInputError, match="millilitres"):
        SegmentOptions(minimum_volume_ml=volume)


@pytest.mark.parametrize("values", [{"alpha": 2}, {"device": "tpu"}, {"engine": "x"}, {"crop": "y"}, {"threads": 0}])
def test_wrong_options_are_refused(values: dict) -> None:
    with pytest.raises(BadInputError, match="give"):
        SegmentOptions(**values)


def test_counting_voxels_takes_little_memory() -> None:
    labels = np.ones((64, 128, 128), np.uint8)

    tracemalloc.start()
    counts = count_voxels(labels, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert counts.tolist() == [[0, 0, 0], [0, labels.size, 0], [0, 0, 0]]
    assert peak < labels.size
