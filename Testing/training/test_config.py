"""The recipe's options and its split by patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from Testing import REPOSITORY

pytest.importorskip("yaml", reason="the recipe's packages are not installed")

from seru.errors import BadInputError
from training.cli import main
from training.config import SplitConfig, load_config
from training.split import split_patients

CONFIGS = REPOSITORY / "training" / "configs"
PATIENTS = [f"case_{number:05d}" for number in range(210)]


def test_paper_config_is_the_paper() -> None:
    config = load_config(CONFIGS / "paper.yaml")

    for stage in (config.coarse, config.refine):
        assert (stage.optimiser, stage.learning_rate, stage.epochs) == ("adam", 1e-4, 30)
        assert (stage.schedule, stage.step_epochs, stage.step_factor) == ("step", 5, 0.1)
        assert stage.augmentation.flip > 0
        assert stage.augmentation.scale != (1, 1)
        assert (stage.augmentation.rotate_degrees, stage.augmentation.noise, stage.augmentation.contrast) == (0, 0, 0)
    assert config.network.encoder == "imagenet"
    assert config.network.architecture.blocks == (3, 4, 6, 3)
    assert (config.network.window, config.network.crop_size, config.alpha.use) == ((-79, 304), 256, 0.4)
    assert config.crops.source == "coarse"
    assert not config.crops.fall_back_to_labels


@pytest.mark.parametrize("name", ["best", "kits_2", "tiny"])
def test_every_config_loads(name: str) -> None:
    config = load_config(CONFIGS / f"{name}.yaml")

    assert config.name == name
    assert config.to_dict()["work"] == f"runs/{name}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: {epoch: 3}", "unknown option 'epoch' in 'coarse'"),
        ("seeds: 3", "unknown option 'seeds' at the top"),
        ("train: {epochs: many}", "'coarse.epochs' is 'many'"),
        ("train: {optimiser: sgd}", "expected one of adam, adamw"),
        ("network: {window: [1]}", "'network.window'"),
        ("network: {crop_size: 100}", "crop_size"),
        ("refine: {kidney_share: 0.8, tumor_share: 0.8}", "shares"),
        ("coarse: {average_decay: 1}", "decay"),
        ("train: {augmentation: {tumor_paste: 1.5}}", "chances"),
        ("train: {augmentation: {tumor_paste_scale: [0, 1]}}", "A scale"),
        ("coarse: {half_size_epochs: -1}", "half size"),
        ("refine: {start_from: a, start_from_coarse: true}", "not from both"),
        ("[1, 2]", "holds no options"),
        ("a: [", "cannot be read"),
    ],
)
def test_wrong_option_is_refused_with_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)

    with pytest.raises(BadInputError) as caught:
        load_config(path)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_section_train_is_shared_and_stages_override_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("train: {epochs: 4, augmentation: {flip: 0, noise: 0.5}}\nrefine: {augmentation: {noise: 0.25}}\n")

    config = load_config(path, ("refine.epochs=7", "network.architecture.base_channels=32"))

    assert (config.coarse.epochs, config.refine.epochs) == (4, 7)
    assert (config.refine.augmentation.flip, config.refine.augmentation.noise) == (0, 0.25)
    assert config.coarse.augmentation.noise == 0.5
    assert config.network.architecture.base_channels == 32
    assert config.name == "mine"


def test_wrong_usage_is_one_sentence_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [
        main(["train", "middle"]),
        main(["train", "coarse", "--config", str(tmp_path / "none.yaml")]),
        main(["download", "--cases", "0-300"]),
        main(["evaluate", "--model", "x"]),
    ]

    said = capsys.readouterr().err.splitlines()
    assert codes == [2, 2, 2, 2]
    assert len(said) == 4
    assert all(line.startswith("training: ") for line in said)


def test_split_is_by_patient_and_the_same_for_the_same_seed() -> None:
    split = split_patients(PATIENTS, SplitConfig(seed=19))
    again = split_patients([*reversed(PATIENTS), *PATIENTS], SplitConfig(seed=19))
    other = split_patients(PATIENTS, SplitConfig(seed=20))

    assert split == again
    assert split != other
    assert len(split["val"]) == 42
    assert set(split["train"]) | set(split["val"]) == set(PATIENTS)
    assert not set(split["train"]) & set(split["val"])


def test_five_folds_validate_every_patient_once() -> None:
    folds = [split_patients(PATIENTS, SplitConfig(fold=fold))["val"] for fold in range(5)]

    assert sorted(name for fold in folds for name in fold) == PATIENTS
    assert [len(fold) for fold in folds] == [42] * 5
    with pytest.raises(BadInputError, match="Fold 5"):
        split_patients(PATIENTS, SplitConfig(fold=5))


def test_split_of_the_single_slices_holds_every_patient_once() -> None:
    split = split_patients(PATIENTS[:9], SplitConfig(file="splits/slices.json"))

    assert sorted(split["train"] + split["val"]) == PATIENTS[:9]
    with pytest.raises(BadInputError, match="lacks 1 patients"):
        split_patients(["case_99999"], SplitConfig(file="splits/slices.json"))
