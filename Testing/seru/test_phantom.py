"""The phantom: a believable patient, with truth that can be trusted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import seru
from seru.errors import BadInputError
from seru.phantom import Phantom, PhantomOptions, kidney_range_mm, make_phantom, sample_slices

PACKAGE_FOLDER = Path(seru.__file__).parents[1]
SMALL: dict[str, Any] = {"shape_kji": (48, 80, 96), "spacing_kji_mm": (6.0, 4.0, 4.0)}


def millilitres(phantom: Phantom, label: int, side: int) -> float:
    """Return the truth's volume of a label on a side, in ml."""
    voxels = np.count_nonzero((phantom.labels_kji == label) & (phantom.side_kji == side))
    return float(voxels * phantom.volume.grid.voxel_ml)


def sample_hu(phantom: Phantom, x: float, y: float, z: float) -> float:
    """Return the HU at the voxel nearest to an LPS position in mm."""
    ijk = np.linalg.inv(phantom.volume.grid.ijk_to_ras) @ np.array([-x, -y, z, 1.0])
    i, j, k = np.rint(ijk[:3]).astype(int)
    return float(phantom.volume.array_kji[k, j, i])


@pytest.fixture(scope="module")
def patient() -> Phantom:
    """A noiseless patient without tumor in the nephrographic phase."""
    return make_phantom(PhantomOptions(seed=3, tumor="none", noise_hu=0.0, phase="nephrographic"))


def test_default_grid_covers_29_cm_of_abdomen() -> None:
    options = PhantomOptions()

    assert options.shape_kji == (96, 256, 256)
    assert options.spacing_kji_mm == (3.0, 1.5, 1.5)


def test_volume_and_truth_share_grid_and_types(patient: Phantom) -> None:
    assert patient.volume.array_kji.dtype == np.int16
    assert patient.labels_kji.dtype == np.uint8
    assert patient.side_kji.dtype == np.uint8
    assert patient.volume.array_kji.shape == patient.labels_kji.shape == patient.side_kji.shape == (96, 256, 256)
    np.testing.assert_allclose(patient.volume.grid.spacing_ijk_mm, (1.5, 1.5, 3.0))
    np.testing.assert_array_equal(patient.labels_kji > 0, patient.side_kji > 0)


def test_kidney_parenchyma_enhances_in_the_nephrographic_phase(patient: Phantom) -> None:
    inside = ndimage.binary_erosion(patient.labels_kji == 1, iterations=2)

    median = np.median(patient.volume.array_kji[inside])

    assert 150 < median < 210


@pytest.mark.parametrize(
    ("phase", "low", "high"), [("corticomedullary", 90, 190), ("excretory", 125, 175), ("unenhanced", 25, 45)]
)
def test_kidney_density_follows_the_phase(phase: str, low: float, high: float) -> None:
    phantom = make_phantom(PhantomOptions(seed=1, tumor="none", noise_hu=0.0, phase=phase, **SMALL))

    inside = ndimage.binary_erosion(phantom.labels_kji == 1, iterations=1)

    assert low < np.median(phantom.volume.array_kji[inside]) < high


def test_liver_lies_on_the_right_with_its_density(patient: Phantom) -> None:
    assert 90 < sample_hu(patient, -95.0, -10.0, 60.0) < 180
    values = [sample_hu(patient, -100.0 + dx, -20.0 + dy, 50.0) for dx in range(0, 30, 3) for dy in range(0, 40, 4)]
    assert 100 < np.median(values) < 125


def test_spleen_lies_on_the_left_with_its_density() -> None:
    medians = []
    for seed in range(4):
        phantom = make_phantom(PhantomOptions(seed=seed, tumor="none", noise_hu=0.0, phase="nephrographic", **SMALL))
        hu = phantom.volume.array_kji
        left_back = hu[32:40, 40:62, 66:]
        medians.append(np.median(left_back[(left_back > 85) & (left_back < 160)]))

    assert 105 < np.median(medians) < 140


def test_body_holds_fat_muscle_and_bone(patient: Phantom) -> None:
    middle = patient.volume.array_kji[40:56]

    shares = {
        "fat": np.mean((middle > -130) & (middle < -70)),
        "muscle": np.mean((middle > 35) & (middle < 80)),
        "bone": np.mean(middle > 250),
    }

    assert 0.1 < shares["fat"] < 0.35
    assert 0.05 < shares["muscle"] < 0.3
    assert 0.003 < shares["bone"] < 0.03


def test_vertebrae_are_bone_around_a_canal(patient: Phantom) -> None:
    column = patient.volume.array_kji[20:76, 128:200, 118:138]

    assert np.mean(column > 250) > 0.1
    assert column.max() > 400


def test_lungs_are_at_the_top_and_gas_in_the_bowel(patient: Phantom) -> None:
    hu = patient.volume.array_kji
    body = ndimage.binary_fill_holes(ndimage.binary_opening(hu[48] > -300, iterations=3))

    lung = np.mean((hu[94] > -900) & (hu[94] < -780))
    bowel_gas = np.count_nonzero(hu[48][ndimage.binary_erosion(body, iterations=8)] < -800)

    assert lung > 0.1
    assert bowel_gas > 50


def test_air_surrounds_the_body_and_a_table_lies_behind_it(patient: Phantom) -> None:
    hu = patient.volume.array_kji

    assert np.all(hu[:, 0, :] == -1000)
    below = hu[:, 200:, 128]
    assert np.all((below > -100).sum(axis=1) >= 2)
    behind_body = hu[48, :, 128]
    last_body = np.nonzero(behind_body > -200)[0]
    assert last_body[-1] - last_body[0] > 150


def test_body_is_as_large_as_an_adult() -> None:
    for seed in range(6):
        hu = make_phantom(PhantomOptions(seed=seed, noise_hu=0.0, **SMALL)).volume.array_kji[24]
        body, _ = ndimage.label(hu > -300)
        is_body = body == body[40, 48]
        rows, columns = np.nonzero(is_body)

        assert 300 <= np.ptp(columns) * 4.0 <= 410
        assert 195 <= np.ptp(rows) * 4.0 <= 290


def test_kidneys_have_the_size_of_kidneys_and_the_right_one_lies_lower() -> None:
    for seed in range(8):
        phantom = make_phantom(PhantomOptions(seed=seed, tumor="none", **SMALL))
        heights = [np.nonzero((phantom.side_kji == side).any(axis=(1, 2)))[0] for side in (1, 2)]

        for side in (1, 2):
            assert 90 < millilitres(phantom, 1, side) < 240
            assert 84 <= np.ptp(heights[side - 1]) * 6.0 + 6.0 <= 150
        assert heights[0].mean() <= heights[1].mean()


def test_simple_cysts_are_labelled_kidney() -> None:
    phantom = make_phantom(PhantomOptions(seed=7, tumor="none", noise_hu=0.0, phase="nephrographic"))

    fluid = (phantom.labels_kji == 1) & (phantom.volume.array_kji < 20)

    assert np.count_nonzero(fluid) * phantom.volume.grid.voxel_ml > 1.0
    assert not (phantom.labels_kji == 2).any()


def test_left_and_right_codes_lie_on_the_patients_sides(patient: Phantom) -> None:
    for side, sign in ((1, 1.0), (2, -1.0)):
        kji = np.argwhere(patient.side_kji == side)
        ras = kji[:, ::-1] @ patient.volume.grid.ijk_to_ras[:3, :3].T + patient.volume.grid.ijk_to_ras[:3, 3]

        assert np.all(ras[:, 0] * sign > 5.0)


def test_same_seed_gives_the_same_voxels() -> None:
    first = make_phantom(PhantomOptions(seed=4, **SMALL))

    second = make_phantom(PhantomOptions(seed=4, **SMALL))

    np.testing.assert_array_equal(first.volume.array_kji, second.volume.array_kji)
    np.testing.assert_array_equal(first.labels_kji, second.labels_kji)


def test_seeds_differ_in_kidneys_and_tumors() -> None:
    phantoms = [make_phantom(PhantomOptions(seed=seed, **SMALL)) for seed in range(4)]

    kidneys = {round(millilitres(p, 1, side), 2) for p in phantoms for side in (1, 2)}
    tumors = {round(millilitres(p, 2, side), 2) for p in phantoms for side in (1, 2)}

    assert len(kidneys) == 8
    assert len(tumors) >= 7


def test_noise_has_the_asked_standard_deviation_and_fine_grain() -> None:
    clean = make_phantom(PhantomOptions(seed=2, noise_hu=0.0, **SMALL)).volume.array_kji.astype(float)

    noisy = make_phantom(PhantomOptions(seed=2, noise_hu=20.0, **SMALL)).volume.array_kji

    noise = (noisy - clean)[clean > -900]
    assert noise.std() == pytest.approx(20.0, rel=0.03)
    assert noise.mean() == pytest.approx(0.0, abs=0.3)
    beside = (noisy - clean)[:, :, 1:] * (noisy - clean)[:, :, :-1]
    assert 0.2 < beside.mean() / 400.0 < 0.7


@pytest.mark.parametrize(("tumor", "sides"), [("left", {2}), ("right", {1}), ("both", {1, 2}), ("none", set())])
def test_tumor_option_chooses_the_sides(tumor: str, sides: set[int]) -> None:
    phantom = make_phantom(PhantomOptions(seed=5, tumor=tumor, **SMALL))

    assert set(phantom.side_kji[phantom.labels_kji == 2].tolist()) == sides


@pytest.mark.parametrize(("kidneys", "sides"), [("left", {2}), ("right", {1}), ("both", {1, 2}), ("none", set())])
def test_kidneys_option_chooses_the_sides(kidneys: str, sides: set[int]) -> None:
    phantom = make_phantom(PhantomOptions(seed=5, kidneys=kidneys, **SMALL))

    assert set(phantom.side_kji[phantom.labels_kji > 0].tolist()) == sides


def test_horseshoe_kidney_is_one_component_with_two_sides() -> None:
    phantom = make_phantom(PhantomOptions(seed=6, kidneys="horseshoe", tumor="none"))

    components, count = ndimage.label(phantom.labels_kji == 1)
    sizes = ndimage.sum_labels(np.ones_like(components), components, range(1, count + 1))
    assert max(sizes) / sum(sizes) > 0.99
    assert millilitres(phantom, 1, 1) > 80
    assert millilitres(phantom, 1, 2) > 80


def test_two_kidneys_are_two_components() -> None:
    phantom = make_phantom(PhantomOptions(seed=6, tumor="none"))

    components, count = ndimage.label(phantom.labels_kji == 1)
    sizes = np.sort(ndimage.sum_labels(np.ones_like(components), components, range(1, count + 1)))
    assert sizes[-2:].sum() / sizes.sum() > 0.99
    assert sizes[-2] > 0.5 * sizes[-1]


@pytest.mark.parametrize("diameter_mm", [20.0, 60.0, 240.0])
def test_tumor_diameter_is_kept(diameter_mm: float) -> None:
    options = PhantomOptions(
        shape_kji=(90, 100, 130), spacing_kji_mm=(3.0, 3.0, 3.0), seed=8, tumor="left", tumor_diameter_mm=diameter_mm
    )

    phantom = make_phantom(options)

    corners = np.argwhere(phantom.labels_kji == 2) * 3.0
    directions = np.random.default_rng(0).normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    longest = np.ptp(corners @ directions.T, axis=0).max()
    assert longest == pytest.approx(diameter_mm, rel=0.12, abs=4.0)
    assert millilitres(phantom, 1, 2) > 20


def test_tumor_touches_its_kidney() -> None:
    for seed in range(5):
        phantom = make_phantom(PhantomOptions(seed=seed, tumor="right", **SMALL))

        grown = ndimage.binary_dilation(phantom.labels_kji == 2)

        assert np.any(grown & (phantom.labels_kji == 1) & (phantom.side_kji == 1))


def test_tumor_does_not_change_the_rest_of_the_patient() -> None:
    without = make_phantom(PhantomOptions(seed=9, tumor="none", noise_hu=0.0, **SMALL))

    with_left = make_phantom(PhantomOptions(seed=9, tumor="left", noise_hu=0.0, **SMALL))

    right_half = slice(0, 46)
    np.testing.assert_array_equal(
        without.volume.array_kji[:, :, right_half], with_left.volume.array_kji[:, :, right_half]
    )


def test_sampled_slices_are_the_patient_of_the_volume() -> None:
    options = PhantomOptions(shape_kji=(9, 128, 128), spacing_kji_mm=(3.0, 3.0, 3.0), seed=10, noise_hu=0.0)
    phantom = make_phantom(options)

    hu, labels = sample_slices(10, [-12.0, 0.0, 12.0], (128, 128), 3.0, options)

    np.testing.assert_array_equal(labels, phantom.labels_kji[[0, 4, 8]])
    np.testing.assert_allclose(hu, phantom.volume.array_kji[[0, 4, 8]], atol=2)
    assert hu.dtype == np.int16
    assert labels.dtype == np.uint8


def test_sampled_slices_repeat_and_show_kidneys() -> None:
    first = sample_slices(11, [0.0], (96, 96), 4.0)

    second = sample_slices(11, [0.0], (96, 96), 4.0)

    np.testing.assert_array_equal(first[0], second[0])
    assert np.count_nonzero(first[1]) * 16.0 > 1500


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"shape_kji": (0, 4, 4)}, "shape"),
        ({"shape_kji": (4, 4)}, "shape"),
        ({"shape_kji": (4096, 4096, 4096)}, "at most"),
        ({"spacing_kji_mm": (1.0, 0.0, 1.0)}, "spacing"),
        ({"spacing_kji_mm": (1.0, float("nan"), 1.0)}, "spacing"),
        ({"oblique_degrees": (float("inf"), 0.0, 0.0)}, "oblique"),
        ({"orientation": "LPX"}, "orientation"),
        ({"orientation": "LRS"}, "orientation"),
        ({"seed": -1}, "seed"),
        ({"noise_hu": -1.0}, "noise"),
        ({"tumor": "up"}, "tumor"),
        ({"kidneys": "three"}, "kidneys"),
        ({"phase": "late"}, "phase"),
        ({"kidneys": "left", "tumor": "right"}, "a side that has a kidney"),
        ({"tumor_diameter_mm": 1000.0}, "diameter"),
        ({"tumor_diameter_mm": 30.0, "tumor": "none"}, "choose a side"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(bad: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words) as caught:
        PhantomOptions(**bad)

    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kidneys", ["both", "horseshoe"])
def test_kidney_range_holds_all_labels_and_little_else(kidneys: str) -> None:
    for seed in range(5):
        phantom = make_phantom(PhantomOptions(seed=seed, kidneys=kidneys, **SMALL))
        heights = np.nonzero((phantom.labels_kji > 0).any(axis=(1, 2)))[0] * 6.0 - 6.0 * 23.5

        low, high = kidney_range_mm(seed, PhantomOptions(kidneys=kidneys))

        assert low <= heights[0] < low + 30.0
        assert high - 30.0 < heights[-1] <= high


def test_colon_runs_down_both_flanks(patient: Phantom) -> None:
    for sign in (-1, 1):
        flank = [
            sample_hu(patient, sign * (95.0 + x), y - 5.0, z - 130.0)
            for x in range(0, 25, 3)
            for y in range(0, 40, 4)
            for z in range(0, 70, 10)
        ]

        is_bowel = (np.array(flank) < -150) | (np.array(flank) > -60)
        assert 0.12 < is_bowel.mean() < 0.95


@pytest.mark.parametrize("tumor_side", ["left", "right"])
def test_cystic_tumors_hold_fluid_and_necrotic_ones_a_core(tumor_side: str) -> None:
    found = set()
    for seed in range(24):
        options = PhantomOptions(
            seed=seed, tumor=tumor_side, noise_hu=0.0, phase="nephrographic", tumor_diameter_mm=50.0, **SMALL
        )
        phantom = make_phantom(options)
        hu = phantom.volume.array_kji[ndimage.binary_erosion(phantom.labels_kji == 2)]
        found.add("fluid" if np.mean(hu < 45) > 0.12 else "solid")
        if len(found) == 2:
            break

    assert found == {"fluid", "solid"}


def test_noise_is_drawn_anew_for_another_grid() -> None:
    grids = [{"shape_kji": (2, 64, 64), "spacing_kji_mm": (s, 4.0, 4.0)} for s in (3.0, 3.01)]

    noises = []
    for grid in grids:
        noisy, clean = (
            make_phantom(PhantomOptions(seed=1, noise_hu=hu, **grid)).volume.array_kji for hu in (15.0, 0.0)
        )
        noises.append((noisy - clean)[clean > -500])

    size = min(n.size for n in noises)
    assert size > 2000
    assert abs(np.corrcoef(noises[0][:size], noises[1][:size])[0, 1]) < 0.1


def test_phantom_needs_numpy_and_scipy_only() -> None:
    code = "import sys, seru.phantom; print([m for m in ('torch', 'cv2', 'SimpleITK', 'skimage') if m in sys.modules])"

    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE_FOLDER, capture_output=True, encoding="utf-8", check=True
    ).stdout

    assert answer.strip() == "[]"


def test_bad_slice_heights_are_refused() -> None:
    with pytest.raises(BadInputError, match="slice heights"):
        sample_slices(0, [float("nan")], (16, 16), 4.0)
