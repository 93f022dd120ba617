"""The phantom's grids: one patient, whatever the shape, spacing, axis order and turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seru.phantom import ORIENTATIONS, Phantom, PhantomOptions, make_phantom

TINY: dict[str, Any] = {"shape_kji": (20, 40, 48), "spacing_kji_mm": (14.0, 9.0, 8.0)}


def ras_positions(phantom: Phantom, mask_kji: np.ndarray) -> np.ndarray:
    """Return the RAS positions of a mask's voxels, float64 (n, 3), mm."""
    ijk = np.argwhere(mask_kji)[:, ::-1]
    return ijk @ phantom.volume.grid.ijk_to_ras[:3, :3].T + phantom.volume.grid.ijk_to_ras[:3, 3]


def axis_code(matrix: np.ndarray) -> str:
    """Return the axis code of a RAS matrix without obliqueness."""
    letters = (("L", "R"), ("P", "A"), ("I", "S"))
    rows = np.argmax(np.abs(matrix[:3, :3]), axis=0)
    return "".join(letters[row][int(matrix[row, column] > 0)] for column, row in enumerate(rows))


@pytest.fixture(scope="module")
def canonical() -> Phantom:
    """The patient written as LPS."""
    return make_phantom(PhantomOptions(seed=1, **TINY))


def test_there_are_48_orientations() -> None:
    assert len(set(ORIENTATIONS)) == 48


def test_lps_matrix_centres_the_field_on_the_abdomen(canonical: Phantom) -> None:
    expected = np.array(
        [[-8.0, 0, 0, 8.0 * 23.5], [0, -9.0, 0, 9.0 * 19.5 - 12.0], [0, 0, 14.0, -14.0 * 9.5], [0, 0, 0, 1]]
    )

    np.testing.assert_allclose(canonical.volume.grid.ijk_to_ras, expected)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_holds_the_same_voxels_at_the_same_places(orientation: str, canonical: Phantom) -> None:
    phantom = make_phantom(PhantomOptions(seed=1, orientation=orientation, **TINY))

    assert axis_code(phantom.volume.grid.ijk_to_ras) == orientation
    left = ras_positions(phantom, phantom.side_kji == 2)
    assert np.all(left[:, 0] < 0)
    for name in ("labels_kji", "side_kji"):
        assert (
            np.bincount(getattr(phantom, name).ravel()).tolist()
            == np.bincount(getattr(canonical, name).ravel()).tolist()
        )
    to_canonical = np.linalg.inv(canonical.volume.grid.ijk_to_ras) @ phantom.volume.grid.ijk_to_ras
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in phantom.volume.array_kji.shape), indexing="ij"), -1)[..., ::-1]
    i, j, k = np.moveaxis(np.rint(ijk @ to_canonical[:3, :3].T + to_canonical[:3, 3]).astype(int), -1, 0)
    np.testing.assert_array_equal(phantom.volume.array_kji, canonical.volume.array_kji[k, j, i])
    np.testing.assert_array_equal(phantom.labels_kji, canonical.labels_kji[k, j, i])
    np.testing.assert_array_equal(phantom.side_kji, canonical.side_kji[k, j, i])


def test_volumes_in_ml_do_not_depend_on_the_spacing() -> None:
    fine = make_phantom(PhantomOptions(seed=2, shape_kji=(140, 80, 120), spacing_kji_mm=(2.0, 2.0, 2.0)))
    coarse = make_phantom(PhantomOptions(seed=2, shape_kji=(56, 60, 80), spacing_kji_mm=(5.0, 3.0, 3.0)))

    for label in (1, 2):
        for side in (1, 2):
            ml = [
                np.count_nonzero((p.labels_kji == label) & (p.side_kji == side)) * p.volume.grid.voxel_ml
                for p in (fine, coarse)
            ]
            assert ml[1] == pytest.approx(ml[0], rel=0.05)


def test_same_patient_on_a_shifted_field_of_view() -> None:
    wide = make_phantom(PhantomOptions(seed=3, noise_hu=0.0, shape_kji=(21, 64, 64), spacing_kji_mm=(6.0, 6.0, 6.0)))
    narrow = make_phantom(PhantomOptions(seed=3, noise_hu=0.0, shape_kji=(11, 32, 40), spacing_kji_mm=(6.0, 6.0, 6.0)))

    inner = wide.volume.array_kji[5:16, 16:48, 12:52]
    np.testing.assert_allclose(narrow.volume.array_kji, inner, atol=1)


@pytest.mark.parametrize("degrees", [(12.0, 0.0, 0.0), (-7.0, 15.0, 20.0)])
def test_oblique_grid_shows_the_same_patient_at_the_same_places(degrees: tuple[float, float, float]) -> None:
    grid = {"shape_kji": (80, 110, 110), "spacing_kji_mm": (4.0, 4.0, 4.0), "noise_hu": 0.0, "seed": 4}
    straight = make_phantom(PhantomOptions(**grid))

    turned = make_phantom(PhantomOptions(oblique_degrees=degrees, **grid))

    assert np.linalg.det(turned.volume.grid.ijk_to_ras[:3, :3]) == pytest.approx(64.0)
    for label in (1, 2):
        for side in (1, 2):
            masks = [(p.labels_kji == label) & (p.side_kji == side) for p in (straight, turned)]
            centres = [ras_positions(p, m).mean(axis=0) for p, m in zip((straight, turned), masks, strict=True)]
            np.testing.assert_allclose(centres[0], centres[1], atol=0.8)
            assert np.count_nonzero(masks[1]) == pytest.approx(np.count_nonzero(masks[0]), rel=0.04)


def test_oblique_matrix_turns_about_the_field_centre() -> None:
    phantom = make_phantom(PhantomOptions(oblique_degrees=(0.0, 0.0, 90.0), seed=1, **TINY))

    matrix = phantom.volume.grid.ijk_to_ras

    centre = matrix @ np.array([23.5, 19.5, 9.5, 1.0])
    np.testing.assert_allclose(centre[:3], (0.0, -12.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(matrix[:3, 0], (0.0, -8.0, 0.0), atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 64, 64), (3, 5, 200), (40, 1, 30)])
def test_odd_shapes_are_scanned(shape: tuple[int, int, int]) -> None:
    phantom = make_phantom(PhantomOptions(shape_kji=shape, spacing_kji_mm=(3.0, 3.0, 3.0), noise_hu=0.0))

    assert phantom.volume.array_kji.shape == shape
    assert -1024 <= phantom.volume.array_kji.min() <= phantom.volume.array_kji.max() <= 3071


def test_slabs_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    options = PhantomOptions(seed=5, shape_kji=(12, 40, 48), spacing_kji_mm=(9.0, 9.0, 8.0))
    whole = make_phantom(options)

    monkeypatch.setattr("seru.phantom.scan._SLAB_VOXELS", 1)
    sliced = make_phantom(options)

    np.testing.assert_array_equal(whole.labels_kji, sliced.labels_kji)
    np.testing.assert_allclose(whole.volume.array_kji, sliced.volume.array_kji, atol=1)
