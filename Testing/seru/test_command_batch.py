"""``seru batch``: resumable, and no case stops the others."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from seru.cli import main
from seru.errors import CancelledError
from seru.files import claimed
from seru.io.images import read_volume, write_volume
from seru.model.store import open_model
from seru.model.weights import load_network, write_model_folder
from seru.phantom import PhantomOptions, make_phantom
from Testing.seru.image_files_by_hand import write_dicom, write_nifti

SMALL = {"shape_kji": (24, 96, 96), "spacing_kji_mm": (9.0, 4.0, 4.0)}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT file, a DICOM folder, a damaged file, and things that are no cases."""
    folder = tmp_path_factory.mktemp("inputs")
    first = make_phantom(PhantomOptions(seed=3, **SMALL)).volume
    second = make_phantom(PhantomOptions(seed=4, **SMALL)).volume
    write_volume(first, folder / "anna.nii.gz")
    write_dicom(folder / "bert", second.array_kji, second.grid.ijk_to_ras)
    path = write_nifti(folder / "cut.nii.gz", first.array_kji, first.grid.ijk_to_ras)
    os.truncate(path, path.stat().st_size // 2)
    (folder / "notes.txt").write_text("no case")
    (folder / "empty").mkdir()
    (folder / ".hidden.nii.gz").write_bytes(b"")
    return folder


def run(inputs: Path, outputs: Path, tiny_model: Path, *more: str) -> int:
    arguments = ["batch", str(inputs), "-o", str(outputs), "--model", str(tiny_model), "--threads", "1", *more]
    return main([*arguments, "--progress", "none"])


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory, inputs: Path, tiny_model: Path) -> Path:
    folder = tmp_path_factory.mktemp("outputs") / "new" / "folder"
    assert run(inputs, folder, tiny_model) == 1
    return folder


def rows(outputs: Path) -> list[dict[str, str]]:
    with open(outputs / "summary.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def states(outputs: Path) -> dict[str, str]:
    return {row["case"]: row["status"] for row in rows(outputs) if row["status"] != "left out"}


def times(outputs: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in outputs.glob("*.nii.gz")}


def test_a_damaged_case_stops_no_other(outputs: Path, inputs: Path) -> None:
    names = {path.name for path in outputs.iterdir()}

    results = {"anna.nii.gz", "anna.json", "bert.nii.gz", "bert.json"}
    assert names - {"summary.parquet", "findings.parquet"} == {*results, "summary.csv", "summary.json", "findings.csv"}
    for name, source in (("anna", "anna.nii.gz"), ("bert", "bert")):
        volume = read_volume(inputs / source)
        image = sitk.ReadImage(str(outputs / f"{name}.nii.gz"))
        assert sitk.GetArrayViewFromImage(image).shape == volume.array_kji.shape
        assert sitk.GetArrayViewFromImage(image).max() >= 1


def test_the_summary_tells_results_and_reasons(outputs: Path) -> None:
    empty, anna, bert, cut = rows(outputs)

    assert [row["status"] for row in (empty, anna, bert, cut)] == ["left out", "done", "done", "failed"]
    report = json.loads((outputs / "anna.json").read_text(encoding="utf-8"))
    assert float(anna["left_kidney_ml"]) == report["left"]["kidney_ml"]
    assert float(anna["right_tumor_ml"]) == report["right"]["tumor_ml"]
    assert "cut or damaged" in cut["error"]
    assert empty["error"] == "The folder holds no CT."
    whole = json.loads((outputs / "summary.json").read_text(encoding="utf-8"))
    assert [case["name"] for case in whole["cases"]] == ["empty", "anna", "bert", "cut"]


def test_a_second_run_skips_what_is_finished(
    outputs: Path, inputs: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = times(outputs)

    code = run(inputs, outputs, tiny_model)

    assert code == 1
    assert times(outputs) == before
    assert states(outputs) == {"anna": "skipped", "bert": "skipped", "cut": "failed"}
    left_out, case, warning, error = capsys.readouterr().err.splitlines()
    assert left_out == "Warning: empty is left out: The folder holds no CT."
    assert case == "cut (3 of 3)"
    assert warning.startswith("Warning: cut failed: ")
    assert error.startswith("seru: 1 of 3 cases failed")
    assert "cut: " in error


def test_of_many_failed_cases_the_last_line_names_five(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(7):
        (tmp_path / "in" / f"c{number}.nrrd").write_text("no CT")

    assert run(tmp_path / "in", tmp_path / "out", tiny_model) == 1

    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("seru: 7 of 7 cases failed (see ")
    assert "c4.nrrd' is no NRRD file" in error
    assert error.endswith("DICOM folder; and 2 more.")
    assert "c5.nrrd" not in error
    assert [row["status"] for row in rows(tmp_path / "out")] == ["failed"] * 7


def test_what_is_unfinished_or_made_otherwise_is_done_again(outputs: Path, inputs: Path, tiny_model: Path) -> None:
    before = times(outputs)
    (outputs / "bert.json").unlink()

    run(inputs, outputs, tiny_model)

    assert states(outputs) == {"anna": "skipped", "bert": "done", "cut": "failed"}
    assert times(outputs)["bert.nii.gz"] > before["bert.nii.gz"]

    os.truncate(outputs / "anna.nii.gz", 200)
    run(inputs, outputs, tiny_model)
    assert states(outputs) == {"anna": "done", "bert": "skipped", "cut": "failed"}

    run(inputs, outputs, tiny_model, "--alpha", "0.8")
    assert states(outputs) == {"anna": "done", "bert": "done", "cut": "failed"}
    assert json.loads((outputs / "anna.json").read_text(encoding="utf-8"))["alpha"] == 0.8

    run(inputs, outputs, tiny_model, "--alpha", "0.8", "--tumor-touches-kidney")
    assert states(outputs)["anna"] == "done"

    run(inputs, outputs, tiny_model, "--alpha", "0.8", "--tumor-touches-kidney", "--mirror")
    assert states(outputs)["anna"] == "done"


def test_the_networks_are_loaded_once(
    inputs: Path, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import seru.cascade.cascade

    made = []

    class Counted(seru.cascade.cascade.BatchRunner):
        def __init__(self, *arguments: object) -> None:
            made.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(seru.cascade.cascade, "BatchRunner", Counted)

    run(inputs, tmp_path / "out", tiny_model)

    assert len(made) == 1


def test_maps_pictures_and_reports_have_their_own_folders(inputs: Path, tmp_path: Path, tiny_model: Path) -> None:
    folders = [str(tmp_path / name) for name in ("maps", "pictures", "reports")]

    run(
        inputs, tmp_path / "out", tiny_model, "--format", ".seg.nrrd", "--maps", folders[0], "--pictures", folders[1],
        "--report", folders[2],
    )  # fmt: skip

    assert (tmp_path / "out/anna.seg.nrrd").is_file()
    assert (tmp_path / "maps/bert/maps.npz").is_file()
    assert (tmp_path / "reports/bert.json").is_file()
    assert list((tmp_path / "pictures/anna").glob("*.png"))


def test_progress_as_json_names_each_case(
    inputs: Path, outputs: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["batch", str(inputs), "-o", str(outputs), "--model", str(tiny_model), "--threads", "1"]

    main([*arguments, "--progress", "json"])

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    cases = [event["case"] for event in events if event["event"] == "case"]
    assert cases == ["anna", "bert", "cut"]
    assert events[-1]["event"] == "error"
    assert events[-1]["code"] == 1


def test_files_that_differ_in_their_ending_keep_their_results_apart(tmp_path: Path) -> None:
    from seru.cohort.discovery import find_cases

    for name in ("a.nii.gz", "a.nrrd", "b.mha"):
        (tmp_path / name).write_bytes(b"x")

    assert [case.name for case in find_cases(tmp_path).cases] == ["a-nii.gz", "a-nrrd", "b"]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (("a.nii", "a.nrrd", "a-nii.mha"), {"a-nii-2", "a-nrrd", "a-nii"}),
        (("summary.nii.gz", "b.nii"), {"summary-nii.gz", "b"}),
        (("A.nii", "a.nrrd"), {"A-nii", "a-nrrd"}),
    ],
)
def test_no_result_takes_the_place_of_another(tmp_path: Path, files: tuple[str, ...], names: set[str]) -> None:
    from seru.cohort.discovery import find_cases

    for name in files:
        (tmp_path / name).write_bytes(b"x")

    assert {case.name for case in find_cases(tmp_path).cases} == names


def test_another_training_with_the_same_id_is_run_again_and_another_spelling_of_the_folder_is_not(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder, outputs = tmp_path / "in", shutil.copytree(tiny_model, tmp_path / "model"), tmp_path / "out"
    source.mkdir()
    write_volume(make_phantom(PhantomOptions(seed=3, **SMALL)).volume, source / "anna.nii.gz")
    run(source, outputs, folder, "--engine", "torch")

    monkeypatch.chdir(tmp_path)
    run(Path("in"), outputs, folder, "--engine", "torch")
    assert states(outputs) == {"anna": "skipped"}

    model = open_model(folder)
    coarse, refine = (load_network(model, stage).state_dict() for stage in ("coarse", "refine"))
    coarse["head.bias"] = coarse["head.bias"] + 0.01
    write_model_folder(folder, model.card, coarse, refine)
    run(source, outputs, folder, "--engine", "torch")
    assert states(outputs) == {"anna": "done"}


def test_unusable_folders_are_refused(
    tmp_path: Path, tiny_model: Path, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    cases = {
        (tmp_path / "none", tmp_path / "out"): "is no folder",
        (tmp_path / "empty", tmp_path / "out"): "holds no CT file",
        (inputs, inputs): "is the input folder",
        (inputs, tmp_path / "file"): "cannot be made",
    }
    for (source, target), expected in cases.items():
        assert run(source, target, tiny_model) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert expected in lines[0]


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
@pytest.mark.parametrize("place", ["the results", "the reports"])
def test_two_batches_do_not_mix_in_one_folder(
    inputs: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    out, reports = tmp_path / "out", tmp_path / "reports"
    reports.mkdir()
    more = ("--report", str(reports)) if place == "the reports" else ("--alpha", "0.9")
    out.mkdir()

    with claimed(reports if place == "the reports" else out):
        assert run(inputs, out, tiny_model, *more) == 2

    assert "Another run is writing its results to" in capsys.readouterr().err
    assert list(out.iterdir()) == list(reports.iterdir()) == []


def test_a_batch_s_reports_may_lie_beside_its_labels(inputs: Path, outputs: Path, tiny_model: Path) -> None:
    assert run(inputs, outputs, tiny_model, "--report", str(outputs)) == 1

    assert states(outputs) == {"anna": "skipped", "bert": "skipped", "cut": "failed"}


def test_a_device_that_is_not_here_ends_the_batch_before_any_work(
    inputs: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(inputs, tmp_path / "out", tiny_model, "--device", "cuda:99") == 4

    error = capsys.readouterr().err
    assert "The device 'cuda:99' is not on this computer" in error
    assert "anna" not in error
    assert list((tmp_path / "out").iterdir()) == []


def test_a_missing_model_ends_the_batch_at_once(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(inputs, tmp_path / "out", tmp_path / "no-model") == 3
    assert np.size(list((tmp_path / "out").glob("*"))) == 0


def test_a_cancelled_batch_says_that_what_is_finished_is_kept(
    inputs: Path, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cancelled(*arguments: object) -> None:
        raise CancelledError

    monkeypatch.setattr("seru.cli.batch.run_cases", cancelled)

    assert run(inputs, tmp_path / "results", tiny_model) == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "seru: The run was cancelled; the cases that were finished are kept."
