"""Tumors pasted onto kidneys: where, how bright, and only in training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

from seru.io.images import write_labels, write_volume
from seru.model.card import ModelCard
from seru.phantom import PhantomOptions, make_phantom
from seru.result.fusion import KIDNEY, TUMOR
from training.config import AugmentationConfig, Config, DataConfig
from training.datasets import SliceDataset, View, make_pools, tumor_donors
from training.prepare import PreparedData, prepare
from training.sampling import Draw, Pool
from training.tumor_paste import TumorPaste

CARD = ModelCard(id="x", title="x", licence="x", training_data="x", crop_size=32)


def _scene(kidney_grey: int, tumor_grey: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A kidney of 40x30 pixels, with a tumor of 12x12 beside it or without one."""
    label = np.zeros((128, 128), np.uint8)
    label[40:80, 20:50] = KIDNEY
    image = np.where(label == KIDNEY, kidney_grey, 10).astype(np.uint8)
    if tumor_grey is not None:
        label[50:62, 50:62] = TUMOR
        image[50:62, 50:62] = tumor_grey
    return np.repeat(image[np.newaxis], 3, axis=0), label


def test_tumor_lands_on_the_kidney_at_the_asked_size() -> None:
    image, label = _scene(200)
    paste = TumorPaste(scale=(0.5, 2.0))

    pasted = [paste(image, label, *_scene(200, 90), np.random.default_rng(seed))[1] == TUMOR for seed in range(40)]

    centres = np.array([np.argwhere(mask).mean(axis=0) for mask in pasted])
    sides = np.sqrt([mask.sum() for mask in pasted])
    assert (centres >= (39, 19)).all()
    assert (centres <= (80, 50)).all()
    assert centres.std(axis=0).min() > 3
    assert 5 < sides.min() < 9
    assert 16 < sides.max() < 26


def test_rest_of_the_slice_stays_as_it_is() -> None:
    image, label = _scene(200)
    before = image.copy(), label.copy()

    pasted, pasted_label = TumorPaste((1.0, 1.0))(image, label, *_scene(200, 90), np.random.default_rng(0))

    mask = pasted_label == TUMOR
    assert mask.any()
    assert np.array_equal(pasted[:, ~mask], image[:, ~mask])
    assert np.array_equal(pasted_label[~mask], label[~mask])
    assert pasted.dtype == pasted_label.dtype == np.uint8
    # The slices are shared between draws.
    assert np.array_equal(image, before[0])
    assert np.array_equal(label, before[1])


@pytest.mark.parametrize(("kidney_grey", "expected"), [(200, 100), (160, 80), (240, 120), (20, 60)])
def test_tumor_is_as_bright_beside_this_kidney_as_beside_its_own(kidney_grey: int, expected: int) -> None:
    # A kidney of 20 would need a gain of 0.1; the smallest is 0.6.
    image, label = _scene(kidney_grey)

    pasted, mask = TumorPaste((2.0, 2.0))(image, label, *_scene(200, 100), np.random.default_rng(1))

    assert np.median(pasted[1][mask == TUMOR]) == pytest.approx(expected, abs=4)


def test_nothing_is_pasted_without_a_kidney_or_a_tumor() -> None:
    image, label = _scene(200)
    empty = np.zeros_like(label)
    paste = TumorPaste((1.0, 1.0))

    for given, donor in (((image, label), _scene(200)), ((image, empty), _scene(200, 90))):
        result = paste(*given, *donor, np.random.default_rng(0))
        assert all(np.array_equal(*pair) for pair in zip(result, given, strict=True))


def test_donors_are_the_own_cases_that_show_tumor() -> None:
    pools = [
        Pool("b", ((0, None), (1, None)), ((1, None),), ((1, None),)),
        Pool("a", ((0, "right"), (0, "left")), ((0, "right"),), ((0, "right"), (0, "left"))),
        Pool("phantom", ((0, None),), (), ((0, None),), is_extra=True),
        Pool("healthy", ((0, None),), ((0, None),), ()),
    ]

    assert tumor_donors(pools) == (("a", 0), ("b", 1))


def test_training_slices_get_tumors_and_validation_slices_none(tmp_path: Path) -> None:
    options = PhantomOptions(shape_kji=(12, 48, 48), spacing_kji_mm=(20.0, 8.0, 8.0))
    for number in range(2):
        phantom = make_phantom(replace(options, seed=number))
        place = tmp_path / "kits19" / f"case_{number:05d}"
        place.mkdir(parents=True)
        write_volume(phantom.volume, place / "imaging.nii.gz")
        write_labels(phantom.labels_kji, phantom.volume, place / "segmentation.nii.gz")
    prepare(Config("x", "x", data=DataConfig("kits19", str(tmp_path / "kits19"))), tmp_path)
    data = PreparedData(tmp_path / "prepare")
    one, other = data.cases.values()
    pools = make_pools([other], None)
    augmentation = AugmentationConfig(flip=0, geometry=0, tumor_paste=0.5)
    dataset = SliceDataset(data, View(CARD, augmentation, donors=tumor_donors(pools)))
    index = one.kidney_slices[0]
    own = data.labels(one.id)[index]

    labels = [dataset[Draw(one.id, index, None, seed)][1] for seed in range(30)]
    again = [dataset[Draw(one.id, index, None, seed)][1] for seed in range(30)]

    pasted = sum(not np.array_equal(label, own) for label in labels)
    assert 5 <= pasted <= 25
    assert all(np.array_equal(*pair) for pair in zip(labels, again, strict=True))
    assert np.array_equal(dataset[Draw(one.id, index)][1], own)
    assert np.array_equal(data.labels(one.id)[index], own)
