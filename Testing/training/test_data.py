"""Cases, prepared slices, draws and what the networks see in training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

from seru.cascade.preprocessing import Prepared, preprocess_slice
from seru.errors import BadInputError
from seru.io.images import write_labels, write_volume
from seru.model.card import ModelCard
from seru.orientation import AxialStack
from seru.phantom import PhantomOptions, make_phantom
from training.augmentation import Augmentation
from training.cases import kits19_cases, list_cases, phantom_cases, scored_cases
from training.config import AugmentationConfig, Config, DataConfig, PhantomData, TrainConfig
from training.crops import CaseCrops, RecordedCrop, record_crops
from training.datasets import SliceDataset, View, collate, make_pools, validation_draws
from training.prepare import PreparedData, equalised, prepare, prepare_case
from training.sampling import Draw, GlobalBatches, Pool, draw_epoch
from training.slices import slice_cases, slice_to_hu

CARD = ModelCard(id="x", title="x", licence="x", training_data="x", crop_size=32)
PHANTOM = PhantomOptions(shape_kji=(12, 48, 48), spacing_kji_mm=(20.0, 8.0, 8.0), orientation="PIR", seed=4)


@pytest.fixture(scope="module")
def kits_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two phantoms as KiTS19 lays its files out, in an orientation that is not the axial stack's."""
    folder = tmp_path_factory.mktemp("kits19")
    for number in range(2):
        phantom = make_phantom(replace(PHANTOM, seed=number))
        place = folder / f"case_{number:05d}"
        place.mkdir()
        write_volume(phantom.volume, place / "imaging.nii.gz")
        write_labels(phantom.labels_kji, phantom.volume, place / "segmentation.nii.gz")
    (folder / "case_00002").mkdir()
    return folder


@pytest.fixture
def slices_folder(tmp_path: Path) -> Path:
    """One slice as the folder of single slices lays it out; the mask holds a cyst."""
    image = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[10, 10:14] = [0, 1, 2, 3]
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a_1.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 101])
    cv2.imwrite(str(tmp_path / "masks" / "a_1.png"), mask)
    header = "file,case,source,kind,z,n_slices,window_lo,window_hi,px_kidney,px_tumor,px_cyst"
    (tmp_path / "manifest.csv").write_text(f"{header}\na_1,case_a,kits23,mid,1,5,-79,304,1,1,1\n")
    return tmp_path


def test_prepared_slices_are_what_inference_sees(kits_folder: Path, tmp_path: Path) -> None:
    case = kits19_cases(kits_folder)[0]

    prepared = prepare_case(case, Config("x", "x"), tmp_path)

    images, labels = (np.load(tmp_path / case.id / f"{name}.npy") for name in ("images", "labels"))
    volume, truth = case.read()
    stack = AxialStack.of(volume)
    assert np.array_equal(equalised(images[7:8], CARD)[0], preprocess_slice(stack.hu[7], CARD))
    assert np.array_equal(labels, stack.orientation.to_stack(truth))
    assert prepared.shape == (12, 48, 48)
    assert prepared.spacing_mm == pytest.approx((20, 8, 8))
    assert prepared.tumor_slices == tuple(k for k in range(12) if (labels[k] == 2).any())
    assert set(prepared.tumor_slices) < set(prepared.kidney_slices)


def test_cases_without_labels_and_known_bad_ones_are_left_out(kits_folder: Path) -> None:
    config = DataConfig("kits19", str(kits_folder), ("case_00001",), PhantomData(patients=1))

    cases = list_cases(config)

    assert [case.id for case in cases] == ["case_00000", "phantom_02000000"]
    assert [case.is_extra for case in cases] == [False, True]
    with pytest.raises(BadInputError, match="no cases"):
        list_cases(replace(config, folder="nowhere"))


def test_phantoms_of_many_grids_keep_the_field_of_view() -> None:
    config = PhantomData(3, (20, 30, 40), (5.0, 4.0, 3.0), voxel_scale=(0.5, 2.0), noise_hu=(5.0, 25.0))

    cases = phantom_cases(config)

    volumes = [case.read()[0] for case in cases]
    shapes = [volume.array_kji.shape for volume in volumes]
    assert len(set(shapes)) == 3
    for volume, (slices, rows, columns) in zip(volumes, shapes, strict=True):
        k_mm, j_mm, i_mm = AxialStack.of(volume).spacing_mm
        assert 0.5 <= k_mm / 5 <= 2
        assert j_mm / 4 == pytest.approx(i_mm / 3)
        # Within half a voxel.
        assert (slices * k_mm, rows * j_mm, columns * i_mm) == pytest.approx((100, 120, 120), abs=5)
    assert [case.source for case in phantom_cases(config)] == [case.source for case in cases]
    with pytest.raises(BadInputError, match="voxel scale"):
        PhantomData(voxel_scale=(2.0, 0.5))


def test_manifest_names_excluded_cases_and_is_the_same_when_made_again(kits_folder: Path, tmp_path: Path) -> None:
    data = DataConfig("kits19", str(kits_folder), ("known_bad",))

    results = [prepare(Config("x", "x", data=data), tmp_path / place) for place in "ab"]

    assert results[0] == results[1]
    manifest = (tmp_path / "a" / "prepare" / "manifest.json").read_text()
    assert '"case_00015": "reported as mislabelled' in manifest


def test_single_slice_goes_back_to_hu_and_cysts_are_kidney(slices_folder: Path) -> None:
    volume, labels = slice_cases(slices_folder)[0].read()

    assert labels[0, 10, 10:14].tolist() == [0, 1, 2, 1]
    assert volume.array_kji[0, 0, :3].tolist() == pytest.approx([-1000, -79 + 383 / 255, -79 + 2 * 383 / 255])
    assert AxialStack.of(volume).orientation.flips == (False, False, False)


def test_slices_say_what_their_masks_tell(slices_folder: Path) -> None:
    header = "file,case,source,kind,window_lo,window_hi,labels,slice_label,licence"
    rows = (
        'a,p,x,"expert mask, rater 1",0,255,masks,,free',
        'b,p,x,"panel, upsampled",-260,340,masks,,free',
        "c,q,x,full slice,,,none,no tumor (healthy donors),free",
        "d,r,x,full slice,0,255,kidney_probability,no kidney tumor (cohort),free",
        "e,s,x,full slice,,,none,stone; non-contrast,free",
    )
    (slices_folder / "manifest.csv").write_text("\n".join((header, *rows)) + "\n")
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101]
    for name in "abcde":
        cv2.imwrite(str(slices_folder / "images" / f"{name}.webp"), np.full((6, 8), 51, np.uint8), lossless)
    for name, label in (("a", 1), ("b", 2)):
        cv2.imwrite(str(slices_folder / "masks" / f"{name}.png"), np.full((6, 8), label, np.uint8))

    cases = slice_cases(slices_folder)

    assert [case.knowledge for case in cases] == ["kidney", "everything", "no tumor", "no tumor", "nothing"]
    assert [case.kind for case in cases][:2] == ["expert mask, rater 1", "panel, upsampled"]
    read = [case.read() for case in cases]
    # The window's lower fifth; a level of 40 and a width of 400 where none is named.
    assert [float(volume.array_kji[0, 0, 0]) for volume, _ in read] == pytest.approx([51, -140, -80, 51, -80])
    assert [int(labels.max()) for _, labels in read] == [1, 2, 0, 0, 0]
    data = DataConfig(kind="slices", folder=str(slices_folder))
    assert [case.id for case in scored_cases(list_cases(data), data)] == ["b"]


def test_slice_in_the_models_own_window_keeps_its_grey_values() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    plain = replace(CARD, clahe_clip_limit=0.0)

    same = preprocess_slice(slice_to_hu(image, (-79, 304)), plain)
    other = preprocess_slice(slice_to_hu(image, (0, 255)), plain)

    assert np.array_equal(same, image)
    assert other[0, 0] == 0
    assert other[15, 15] == round((255 + 79) / 383 * 255)


def test_real_slices_are_read_and_every_patient_is_in_the_split(data_folder: Path) -> None:
    cases = slice_cases(data_folder / "kits_slices")

    volume, labels = cases[0].read()

    assert len(cases) == 897
    assert volume.array_kji.shape == labels.shape == (1, 512, 512)
    assert labels.max() <= 2
    assert (labels == 2).sum() == 457


def test_draws_depend_on_seed_and_epoch_alone() -> None:
    pools = [_pool("a", 50), _pool("b", 5)]
    config = TrainConfig(sampling="by_case", slices_per_epoch=64, batch_size=8)

    first = draw_epoch(pools, config, 3, 0)

    assert first == draw_epoch(pools, config, 3, 0)
    assert first != draw_epoch(pools, config, 3, 1)
    assert first != draw_epoch(pools, config, 4, 0)
    assert len({draw.seed for draw in first}) == 64


def test_sampling_by_case_counts_long_scans_no_more_than_short_ones() -> None:
    pools = [_pool("long", 1000), _pool("short", 10), _pool("phantom", 10, is_extra=True)]
    config = TrainConfig(
        sampling="by_case", slices_per_epoch=4000, batch_size=8, tumor_share=0.5, kidney_share=0.25, phantom_share=0.1
    )

    draws = draw_epoch(pools, config, 0, 0)

    count = {name: sum(draw.case == name for draw in draws) for name in ("long", "short", "phantom")}
    tumor = sum(draw.index < (100 if draw.case == "long" else 1) for draw in draws)
    assert count["phantom"] == pytest.approx(400, abs=80)
    assert count["long"] == pytest.approx(count["short"], abs=200)
    # Half of the draws must show tumor; a tenth of the others do by chance, more of those that must show kidney.
    assert tumor / len(draws) == pytest.approx(0.5 + 0.25 * 0.2 + 0.25 * 0.1, abs=0.03)


def test_every_slice_is_seen_once_an_epoch() -> None:
    config = TrainConfig(sampling="every_slice", batch_size=5)

    draws = draw_epoch([_pool("a", 20), _pool("b", 10)], config, 0, 0)

    assert len({(draw.case, draw.index) for draw in draws}) == len(draws) == 30


def test_processes_share_each_global_batch() -> None:
    draws = [Draw("a", index) for index in range(25)]

    alone = list(GlobalBatches(draws, 6))
    shares = [list(GlobalBatches(draws, 6, rank, 3)) for rank in range(3)]

    assert [[draw for share in shares for draw in share[number]] for number in range(4)] == alone
    with pytest.raises(BadInputError, match="multiple of 4"):
        GlobalBatches(draws, 6, 0, 4)


def test_validation_looks_at_no_slice_twice() -> None:
    draws = validation_draws([_pool("a", 30), _pool("b", 3)], 8)

    assert len(set(draws)) == len(draws)
    assert {draw.case for draw in draws} == {"a", "b"}
    assert all(draw.seed is None for draw in draws)


def test_augmentation_is_decided_by_its_seed_and_moves_label_with_image() -> None:
    label = np.zeros((40, 40), np.uint8)
    label[5:15, 25:35], label[8:11, 28:31] = 1, 2
    image = np.repeat((label * 100)[np.newaxis], 3, axis=0)
    augment = Augmentation(AugmentationConfig(scale=(0.8, 1.2), rotate_degrees=20, shift_px=3))

    results = [augment(image, label, seed) for seed in (1, 1, 2)]

    assert all(np.array_equal(*pair) for pair in zip(results[0], results[1], strict=True))
    assert not np.array_equal(results[0][1], results[2][1])
    moved_image, moved_label = results[0]
    # Linear interpolation blurs the borders of the image, not of the label.
    assert np.mean(np.abs(moved_image[0] - moved_label * 100.0) < 60) > 0.97
    assert set(np.unique(moved_label)) <= {0, 1, 2}


def test_scaling_makes_things_larger_and_smaller_within_its_range() -> None:
    label = np.zeros((100, 100), np.uint8)
    label[30:70, 30:70] = 1
    augment = Augmentation(AugmentationConfig(flip=0, scale=(0.8, 1.25)))

    sides = [np.sqrt((augment(np.zeros((3, 100, 100), np.uint8), label, seed)[1] == 1).sum()) for seed in range(40)]

    assert min(sides) >= 0.77 * 40
    assert max(sides) <= 1.28 * 40
    assert min(sides) < 0.9 * 40 < 1.1 * 40 < max(sides)


def test_paper_crop_is_the_image_around_the_centre_and_jitter_moves_it(kits_folder: Path, tmp_path: Path) -> None:
    prepare(Config("x", "x", data=DataConfig("kits19", str(kits_folder))), tmp_path)
    data = PreparedData(tmp_path / "prepare")
    case = next(iter(data.cases.values()))
    crops = {case.id: CaseCrops(case.id, {"right": RecordedCrop((20.0, 22.0), 3, (2, 6), "labels"), "left": None})}
    view = View(CARD, AugmentationConfig(flip=0, geometry=0), 6, crops)

    image, label = SliceDataset(data, view)[Draw(case.id, 4, "right")]
    jittered = [SliceDataset(data, view)[Draw(case.id, 4, "right", seed)][1] for seed in range(6)]

    assert np.array_equal(label, data.labels(case.id)[4, 4:36, 6:38])
    assert np.array_equal(image, equalised(data.images(case.id)[4:5], CARD)[:, 4:36, 6:38])
    assert len({part.tobytes() for part in jittered}) > 1
    assert [item[0] for item in make_pools([case], crops)[0].every] == [2, 3, 4, 5]


def test_shrunk_view_shows_the_whole_slice_on_fewer_pixels(kits_folder: Path, tmp_path: Path) -> None:
    prepare(Config("x", "x", data=DataConfig("kits19", str(kits_folder))), tmp_path)
    data = PreparedData(tmp_path / "prepare")
    view = View(CARD, AugmentationConfig(flip=0, geometry=0))

    image, label = SliceDataset(data, view)[Draw("case_00000", 4)]
    small, small_label = SliceDataset(data, replace(view, shrink=2))[Draw("case_00000", 4)]

    rows, columns = label.shape
    assert small_label.shape == small.shape[1:] == (rows // 2, columns // 2)
    assert abs(small.mean() - image.mean()) < 1
    assert abs((small_label > 0).mean() - (label > 0).mean()) < 0.01
    assert (small_label > 0).any()


def test_neighbouring_slices_are_the_channels(kits_folder: Path, tmp_path: Path) -> None:
    prepare(Config("x", "x", data=DataConfig("kits19", str(kits_folder))), tmp_path)
    data = PreparedData(tmp_path / "prepare")
    view = View(replace(CARD, input_slices=3), AugmentationConfig())

    image, _ = SliceDataset(data, view)[Draw("case_00000", 0)]

    images = data.images("case_00000")
    assert np.array_equal(image, equalised(np.stack([images[0], images[0], images[1]]), CARD))


def test_smaller_images_are_filled_with_background() -> None:
    samples = [(np.ones((3, 4, 6), np.float32), np.ones((4, 6), np.uint8)) for _ in range(2)]
    samples[1] = (samples[1][0][:, :3], samples[1][1][:3])

    batch = collate(samples)

    assert batch["image"].shape == (2, 3, 4, 6)
    assert batch["label"][1].tolist() == [[1] * 6] * 3 + [[0] * 6]
    assert float(batch["image"][1, :, 3].abs().sum()) == 0


def test_crops_are_found_by_the_cascades_rules() -> None:
    mask = np.zeros((10, 60, 80), bool)
    mask[3:7, 20:30, 10:20] = True
    mask[4, 18:32, 8:22] = True
    mask[5:8, 20:30, 60:70] = True
    mask[9, 0, 0] = True
    prepared = Prepared(lambda index: np.zeros((1, 60, 80), np.uint8), mask.shape, (5.0, 2.0, 2.0), 40.0)

    crops = record_crops(mask, prepared, CARD, "a", "coarse")

    right, left = crops.sides["right"], crops.sides["left"]
    assert (right.key_slice, right.centre_rc, right.slices) == (4, (24.5, 14.5), (1, 9))
    assert (left.key_slice, left.centre_rc, left.slices) == (5, (24.5, 64.5), (3, 10))


def _pool(name: str, slices: int, is_extra: bool = False) -> Pool:
    every = tuple((index, None) for index in range(slices))
    return Pool(name, every, every[: slices // 2], every[: slices // 10], is_extra)
