"""Fusion and maps: exact at every alpha."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seru.errors import BadInputError
from seru.grid import Grid
from seru.result.fusion import LiveFusion, fuse_probabilities
from seru.result.maps import MAPS_FILE, Maps, load_maps, save_maps
from Testing.reports import make_report

GRID = Grid((8, 8, 8), np.eye(4))
ALPHAS = st.floats(0, 1, allow_nan=False)
LARGE_STEPS = st.sampled_from([0, 1, 84, 85, 86, 127, 128, 170, 254, 255])


@st.composite
def probabilities(draw: st.DrawFn, count: int) -> np.ndarray:
    """Kidney and tumor probabilities as the network gives them: 8 bit, sum at most 255, many ties."""
    values = draw(hnp.arrays(np.uint8, (count, 2), elements=st.one_of(LARGE_STEPS, st.integers(0, 255))))
    values[:, 0] = np.minimum(values[:, 0], 255 - values[:, 1])
    return values


@st.composite
def maps_of_any_shape(draw: st.DrawFn) -> Maps:
    mask = draw(hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=4)))
    lower = draw(st.tuples(*[st.integers(0, 3)] * 3))
    count = int(mask.sum())
    whole = tuple(low + size + 1 for low, size in zip(lower, mask.shape, strict=True))
    sides = draw(hnp.arrays(np.uint8, count, elements=st.integers(1, 2)))
    pair = draw(probabilities(count)), draw(probabilities(count))
    return Maps(Grid(whole, np.diag([1.0, 2, 3, 1])), 0.4, lower, mask, *pair, sides, draw(hnp.arrays(np.int16, count)))


def direct_formula(coarse: np.ndarray, refined: np.ndarray, alpha: float) -> np.ndarray:
    """The paper's formula, with the background written out; arg max takes the first of equal classes."""
    three = [np.column_stack([255.0 - p.astype(float).sum(1), p]) for p in (coarse, refined)]
    return (alpha * three[0] + (1 - alpha) * three[1]).argmax(axis=1)


@settings(max_examples=300, deadline=None)
@given(maps_of_any_shape(), ALPHAS)
def test_fusing_again_at_any_alpha_equals_the_direct_formula_voxel_for_voxel(maps: Maps, alpha: float) -> None:
    expected = np.zeros(maps.mask.shape, np.uint8)
    expected[maps.mask] = direct_formula(maps.coarse, maps.refined, alpha)
    live = LiveFusion(maps)

    whole = live.labels_kji(alpha)

    np.testing.assert_array_equal(live.box_labels(alpha), expected)
    for place in np.ndindex(maps.mask.shape):
        assert live.label_at(place, alpha) == expected[place]
    np.testing.assert_array_equal(whole[maps.box_slices], expected)
    assert whole.shape == maps.grid.shape_kji
    assert np.count_nonzero(whole) == np.count_nonzero(expected)


@settings(max_examples=200, deadline=None)
@given(maps_of_any_shape())
def test_the_ends_are_the_stages(maps: Maps) -> None:
    live = LiveFusion(maps)

    np.testing.assert_array_equal(live.box_labels(1.0), live.coarse_labels())
    np.testing.assert_array_equal(live.box_labels(0.0), live.refined_labels())
    np.testing.assert_array_equal(live.disagreement(), live.coarse_labels() != live.refined_labels())


@settings(max_examples=100, deadline=None)
@given(maps_of_any_shape(), st.lists(ALPHAS, min_size=2, max_size=5))
def test_only_the_changing_voxels_ever_change(maps: Maps, alphas: list[float]) -> None:
    live = LiveFusion(maps)
    labels = live.box_labels(alphas[0])

    for alpha in alphas[1:]:
        labels.reshape(-1)[live.changing_index] = live.changing_labels(alpha)

        np.testing.assert_array_equal(labels, live.box_labels(alpha))


def test_of_equal_probabilities_the_lower_class_stands() -> None:
    coarse = np.array([[85, 85], [127, 127], [0, 127]], np.uint8)

    np.testing.assert_array_equal(fuse_probabilities(coarse, coarse, 0.4), [0, 1, 0])


def test_alpha_moves_a_voxel_through_all_three_classes() -> None:
    coarse, refined = np.array([[0, 0]], np.uint8), np.array([[60, 195]], np.uint8)

    assert [int(fuse_probabilities(coarse, refined, a)[0]) for a in (0.0, 0.4, 0.5, 1.0)] == [2, 2, 0, 0]
    assert int(fuse_probabilities(np.array([[200, 0]], np.uint8), refined, 0.6)[0]) == 1


@pytest.mark.parametrize("alpha", [-0.01, 1.01, np.nan, np.inf])
def test_an_alpha_out_of_range_is_refused(alpha: float) -> None:
    with pytest.raises(BadInputError, match="from 0"):
        fuse_probabilities(np.zeros((1, 2), np.uint8), np.zeros((1, 2), np.uint8), alpha)


@settings(max_examples=50, deadline=None)
@given(maps=maps_of_any_shape())
def test_maps_survive_a_file(tmp_path_factory: pytest.TempPathFactory, maps: Maps) -> None:
    assume(maps.mask.any())  # a box that holds nothing is never stored
    folder = tmp_path_factory.mktemp("maps")

    report = make_report(maps.grid)

    path = save_maps(maps, report, folder)

    for place in (folder, path):
        loaded, its_report = load_maps(place)
        for name in ("mask", "coarse", "refined", "sides", "hu"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(maps, name))
        np.testing.assert_array_equal(loaded.grid.ijk_to_ras, maps.grid.ijk_to_ras)
        assert (loaded.grid.shape_kji, loaded.lower_kji) == (maps.grid.shape_kji, maps.lower_kji)
        assert (loaded.alpha, its_report) == (maps.alpha, report)
    assert [p.name for p in folder.iterdir()] == [MAPS_FILE]


def some_maps() -> Maps:
    generator = np.random.default_rng(0)
    mask = generator.random((4, 5, 6)) < 0.5
    pair = generator.integers(0, 128, (2, int(mask.sum()), 2), dtype=np.uint8)
    return Maps(GRID, 0.4, (1, 2, 0), mask, *pair, np.ones(len(pair[0]), np.uint8), np.zeros(len(pair[0]), np.int16))


def test_damaged_maps_are_refused(tmp_path: Path) -> None:
    path = save_maps(some_maps(), make_report(), tmp_path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(b"coarse.npy") + 40] ^= 0xFF  # in the compressed numbers

    for content in (b"", whole[: len(whole) // 2], b"not a zip file", bytes(flipped)):
        path.write_bytes(content)

        with pytest.raises(BadInputError, match=r"run the segmentation again"):
            load_maps(path)


def test_missing_maps_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no maps"):
        load_maps(tmp_path)


def test_maps_with_a_pickle_inside_are_refused(tmp_path: Path) -> None:
    parts = np.load(save_maps(some_maps(), make_report(), tmp_path))
    arrays = {name: parts[name] for name in parts.files}
    arrays["mask"] = np.array([{"a": 1}], object)
    np.savez(tmp_path / "evil.npz", **arrays)

    with pytest.raises(BadInputError, match="cannot be read"):
        load_maps(tmp_path / "evil.npz")


def test_maps_of_a_newer_version_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seru.result.maps.VERSION", 3)
    path = save_maps(some_maps(), make_report(), tmp_path)
    monkeypatch.undo()

    with pytest.raises(BadInputError, match="update SERU"):
        load_maps(path)


def test_maps_whose_parts_do_not_fit_are_refused() -> None:
    maps = some_maps()

    with pytest.raises(BadInputError, match="do not fit"):
        Maps(GRID, 0.4, (1, 2, 4), maps.mask, maps.coarse, maps.refined, maps.sides, maps.hu)
