"""The whole recipe on phantoms: every stage trains, is done once, and writes down what it was."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

import torch

from seru.errors import BadInputError, ModelError
from seru.io.images import write_labels, write_volume
from seru.model.store import open_model
from seru.model.weights import load_network
from seru.phantom import PhantomOptions, make_phantom
from seru.records import to_plain
from Testing.training.quick import CONFIG
from training.callbacks import read_losses
from training.cli import main
from training.config import Config, load_config
from training.loop import read_stage
from training.recipe import STEPS, Recipe
from training.steps import read_json

# From the weights of the trained tiny model, so that the coarse stage finds kidneys after a few steps.
QUICK = (
    "data.phantom.patients=8",
    "data.phantom.shape_kji=[36, 128, 128]",
    "data.phantom.spacing_kji_mm=[7.0, 3.0, 3.0]",
    "data.phantom.voxel_scale=[1, 1]",
    "split.validation_share=0.25",
    "seed=5",
    "coarse.epochs=2",
    "refine.epochs=2",
    "train.slices_per_epoch=24",
    "train.learning_rate=1.0e-4",
    "train.warmup_steps=0",
    "alpha.use=null",
    "export.quantise=false",
)
pytestmark = pytest.mark.slow


def arguments(step: str, *changes: str) -> list[str]:
    """A step's command line."""
    return [step, "--config", str(CONFIG), *(part for change in (*QUICK, *changes) for part in ("--set", change))]


def quick_config(work: Path, *changes: str) -> Config:
    return load_config(CONFIG, (*QUICK, f"work={work}", *changes))


@pytest.fixture(scope="module")
def start(tiny_model: Path) -> str:
    """The change of the config that starts from the tiny model."""
    return f"coarse.start_from={tiny_model}"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, start: str) -> Path:
    """The work folder with every step done."""
    folder = tmp_path_factory.mktemp("recipe") / "work"
    threads = torch.get_num_threads()
    assert main(arguments("all", f"work={folder}", start)) == 0
    torch.set_num_threads(threads)
    return folder


def test_every_stage_trains(work: Path, tiny_model: Path) -> None:
    before = load_network(open_model(tiny_model), "coarse").state_dict()
    for stage in ("coarse", "refine"):
        losses = [loss for _, loss, _ in read_losses(work / stage / "losses.csv")]
        trained = read_stage(work / stage, read_json(work / stage / "done.json")["result"])
        assert len(losses) == 4
        assert np.isfinite(losses).all()
        assert len(set(losses)) == 4
        assert not torch.equal(trained["head.weight"], before["head.weight"])
        # The refine stage goes on from the coarse weights.
        before = trained


def test_tables_and_plots_are_there_and_agree(work: Path) -> None:
    summary = read_json(work / "evaluate" / "summary.json")
    with open(work / "evaluate" / "cases.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(work / "alpha" / "alpha.csv", newline="") as file:
        sweep = {row["alpha"]: row for row in csv.DictReader(file)}

    assert np.mean([float(row["kidney_tumor"]) for row in rows]) == pytest.approx(summary["fused"]["kidney_tumor"])
    assert len(sweep) == 11
    assert float(sweep["1"]["score"]) == pytest.approx(summary["coarse_alone"]["score"], abs=1e-6)
    assert float(sweep["0"]["tumor"]) == pytest.approx(summary["refined_alone"]["tumor"], abs=1e-6)
    assert max(float(row["score"]) for row in sweep.values()) == pytest.approx(summary["fused"]["score"], abs=1e-4)
    names = ("cases.png", "tumor_size.png", "findings.png", "pictures.png")
    for name in ("alpha/alpha.png", *(f"evaluate/{name}" for name in names)):
        assert (work / name).read_bytes().startswith(b"\x89PNG")


def test_run_is_written_beside_its_checkpoint(work: Path) -> None:
    record = read_json(work / "refine" / "run.json")

    assert record["seed"] == 5
    assert record["config"]["refine"]["jitter_px"] == 16
    assert record["manifest"] == read_json(work / "prepare" / "done.json")["result"]["manifest"]
    assert len(record["git_revision"].rstrip("+")) in (7, 40)
    assert record["weights_at_start"] == "the coarse weights"
    assert "the coarse weights of phantom-tiny, SHA-256" in read_json(work / "coarse" / "run.json")["weights_at_start"]


def test_crops_come_from_the_coarse_models_predictions(work: Path) -> None:
    sides = [side for path in (work / "crops").glob("phantom_*.json") for side in read_json(path)["sides"].values()]

    assert len(sides) == 16
    assert {side["source"] for side in sides} == {"coarse"}


def test_exported_model_segments_and_its_card_says_what_it_is(work: Path) -> None:
    model = open_model(work / "export" / "phantom-tiny")
    model.verify()

    assert model.card.alpha == read_json(work / "alpha" / "done.json")["result"]["alpha"]
    assert model.card.scores["fused"] == read_json(work / "evaluate" / "summary.json")["fused"]
    chosen = read_json(work / "thresholds" / "done.json")["result"]
    assert to_plain(model.card.thresholds) == chosen["thresholds"]
    assert 0 < model.card.thresholds.kidney < 1
    assert model.card.scores["gate"] == {kind: chosen[kind] for kind in ("kidney", "tumor")}
    assert any("must not be used on patients" in note for note in model.card.notes)
    assert model.card.scores["made_by"]["seed"] == 5
    assert model.card.scores["trained_on"] == {"patients": 6, "slices": 6 * 36}
    page = (model.folder / "README.md").read_text()
    assert f"{model.card.scores['shown']['tumor']['mean']:.3f}" in page
    assert all(note in page for note in model.card.notes)
    assert "## What is believed" in page
    assert "Apache License" in (model.folder / "LICENSE.txt").read_text(encoding="utf-8")
    weights = torch.load(work / "refine" / "last.ckpt", weights_only=True)["state_dict"]
    for name, value in load_network(model, "refine").state_dict().items():
        assert torch.equal(value, weights[f"network.{name}"])


def test_quantised_model_is_much_smaller_and_scored_as_such(work: Path, start: str, tmp_path: Path) -> None:
    copy = tmp_path / "work"
    shutil.copytree(work, copy)
    before = sum(path.stat().st_size for path in (copy / "export" / "phantom-tiny").glob("*.safetensors"))

    command = [*arguments("all", f"work={copy}", start), "--quantise"]
    refused = main(command)
    done = main([*command, "--restart"])

    after = sum(path.stat().st_size for path in (copy / "export" / "phantom-tiny").glob("*.safetensors"))
    assert (refused, done) == (2, 0)
    assert after < 0.35 * before
    model = open_model(copy / "export" / "phantom-tiny")
    model.verify()
    plain = read_json(work / "evaluate" / "summary.json")["fused"]
    assert model.card.scores["fused"]["kidney_tumor"] == pytest.approx(plain["kidney_tumor"], abs=0.01)
    assert model.card.scores["fused"] != plain
    assert (copy / "coarse" / "done.json").read_text() == (work / "coarse" / "done.json").read_text()


def test_training_starts_from_a_models_weights(work: Path, tmp_path: Path) -> None:
    model = open_model(shutil.copytree(work / "export" / "phantom-tiny", tmp_path / "model"))
    copy = tmp_path / "work"
    shutil.copytree(work / "prepare", copy / "prepare")
    barely = ("coarse.epochs=1", "train.learning_rate=1e-12", "train.weight_decay=0", "train.slices_per_epoch=12")

    def config(**changes: str) -> Config:
        start = {"coarse.start_from": model.folder, **changes}
        return quick_config(copy, *barely, *(f"{key}={value}" for key, value in start.items()))

    Recipe(config()).run("coarse")

    trained = read_stage(copy / "coarse", read_json(copy / "coarse" / "done.json")["result"])
    for name, value in load_network(model, "coarse").named_parameters():
        assert torch.allclose(trained[name], value, atol=1e-6)
    assert model.card.id in read_json(copy / "coarse" / "run.json")["weights_at_start"]
    moved = model.folder.rename(tmp_path / "elsewhere")
    assert Recipe(config(**{"coarse.start_from": moved})).run("coarse")["checkpoint"] == "last.ckpt"
    with pytest.raises(BadInputError, match="start changed"):
        Recipe(config(**{"coarse.start_from": "null"})).run("coarse")
    with pytest.raises(ModelError, match="another architecture"):
        Recipe(config(**{"coarse.start_from": moved, "network.architecture.base_width": 8})).run("coarse")


def test_steps_that_are_done_are_not_done_again(work: Path, start: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*") if path.is_file()}

    Recipe(quick_config(work, start)).run_all()

    assert {path: path.stat().st_mtime_ns for path in work.rglob("*") if path.is_file()} == before


def test_other_options_are_refused_until_restart_is_given(
    work: Path, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["train", *arguments("coarse", f"work={work}", start, "coarse.epochs=9")])

    said = capsys.readouterr().err
    assert code == 2
    assert "train changed" in said
    assert "--restart" in said
    assert (work / "coarse" / "last.ckpt").is_file()


def test_step_before_must_be_done(tmp_path: Path) -> None:
    recipe = Recipe(quick_config(tmp_path))

    for name in STEPS[2:]:
        with pytest.raises(BadInputError, match="is not done"):
            recipe.run(name)


def test_any_model_is_scored_on_a_data_folder(
    work: Path, data_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "slices"
    folder.mkdir()
    rows = (data_folder / "kits_slices" / "manifest.csv").read_text().splitlines()
    names = [row.split(",")[0] for row in rows[1:5]]
    (folder / "manifest.csv").write_text("\n".join(rows[:5]) + "\n")
    for kind, ending in (("images", "webp"), ("masks", "png")):
        (folder / kind).mkdir()
        for name in names:
            shutil.copy(data_folder / "kits_slices" / kind / f"{name}.{ending}", folder / kind)
    output = tmp_path / "scores"

    model, rest = str(work / "export" / "phantom-tiny"), ["--split", "all", "--threads", "1", "-o", str(output)]
    code = main(["evaluate", "--model", model, "--data", str(folder), *rest])

    printed = capsys.readouterr().out
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert code == 0
    assert "that show it" in printed
    assert summary["shown"]["kidney_tumor"]["slices"] + summary["shown"]["kidney_tumor"]["without"] == 4
    assert 0 <= summary["shown"]["kidney_tumor"]["mean"] <= 1

    # The same with mirror images: other voxels, if no better ones from a network that knows phantoms only.
    found = (output / "cases.csv").read_text()
    assert main(["evaluate", "--model", model, "--data", str(folder), *rest, "--mirror"]) == 0
    assert (output / "cases.csv").read_text() != found


@pytest.mark.parametrize("name", ["paper", "best", "kits_2"])
def test_every_configs_options_run_on_files_as_kits19_lays_them_out(name: str, tmp_path: Path) -> None:
    for number in range(3):
        phantom = make_phantom(PhantomOptions((16, 64, 64), (14.0, 6.0, 6.0), number, orientation="PIR"))
        case = tmp_path / "data" / f"case_{number:05d}"
        case.mkdir(parents=True)
        write_volume(phantom.volume, case / "imaging.nii.gz")
        write_labels(phantom.labels_kji, phantom.volume, case / "segmentation.nii.gz")
    tiny = {"blocks": [1] * 4, "base_channels": 8, "cardinality": 4, "base_width": 8, "decoder_channels": [16] * 5}
    config = load_config(
        CONFIG.parent / f"{name}.yaml",
        (
            f"work={tmp_path / 'work'}",
            f"data={{kind: kits19, folder: {tmp_path / 'data'}, phantom: {{patients: 1, shape_kji: [4, 32, 32]}}}}",
            "split={validation_share: 0.34}",
            "network.encoder=none",
            f"network.architecture={json.dumps(tiny)}",
            "network.crop_size=32",
            "network.coarse_size=64",
            "train.epochs=1",
            "train.slices_per_epoch=16",
            "train.workers=0",
            "train.threads=1",
            "train.accelerator=cpu",
            # Compiling takes longer than all the rest; a test of its own does it.
            "train.compile=false",
            # Folders that are not there, and rounds with options of their own.
            "train.shares={}",
            "coarse.rounds=[{}]",
            "pseudo.teacher=null",
            "crops.fall_back_to_labels=true",
            "inference.device=cpu",
            "inference.threads=1",
            "alpha.count=3",
        ),
    )

    Recipe(config).run_all()

    model = open_model(tmp_path / "work" / "export" / config.export.id)
    summary = read_json(tmp_path / "work" / "evaluate" / "summary.json")
    assert model.card.alpha == 0.4 or name != "paper"
    assert "NC" in model.card.licence
    assert summary["fused"]["cases"] == 1
    assert len(read_losses(tmp_path / "work" / "refine" / "losses.csv")) >= 1
