"""When a case of a cohort needs no further run: by content, and with everything there and whole."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cascade.cascade import Segmenter
from seru.cli import main
from seru.cohort.case import read_case
from seru.cohort.finished import read_finished
from seru.cohort.outputs import Outputs, hash_labels
from seru.io.images import read_volume, write_labels, write_volume
from seru.model.store import open_model
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import Progress, RunRecord
from seru.result.maps import load_maps, save_maps
from seru.volume import Volume
from Testing.seru.command_by_hand import make_random_model
from Testing.seru.image_files_by_hand import write_dicom, write_nifti

GRID = {"shape_kji": (24, 96, 96), "spacing_kji_mm": (9.0, 4.0, 4.0)}


@pytest.fixture(scope="module")
def volume() -> Volume:
    return make_phantom(PhantomOptions(seed=3, **GRID)).volume


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, volume: Volume, tiny_model: Path) -> Path:
    """A folder ``in`` with one CT, and its results in ``out``."""
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "in").mkdir()
    write_volume(volume, folder / "in" / "a.nii.gz")
    assert run(folder, tiny_model) == "done"
    return folder


@pytest.fixture
def cohort(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished one, for a test to spoil."""
    return Path(shutil.copytree(finished, tmp_path / "cohort"))


def run(cohort: Path, model: Path, *more: str) -> str:
    """Run the batch; return what became of its case."""
    out = cohort / "out"
    arguments = [
        "batch",
        str(cohort / "in"),
        "-o",
        str(out),
        "--maps",
        str(out / "maps"),
        "--pictures",
        str(out / "png"),
    ]
    main([*arguments, "--model", str(model), "--threads", "1", "--progress", "none", *more])
    return row(cohort)["status"]


def is_finished(cohort: Path, model: Path, **options: Any) -> bool:
    """Ask whether the case needs no further run, without running it."""
    out, record = cohort / "out", RunRecord(Progress())
    outputs = Outputs(out / "a.nii.gz", out / "a.json", out / "maps" / "a", out / "png" / "a")
    volume = read_case(next((cohort / "in").iterdir()), None, record)
    segmenter = Segmenter(open_model(model), SegmentOptions(**options))
    return read_finished(volume, outputs, segmenter, record) is not None


def row(cohort: Path) -> dict[str, str]:
    with open(cohort / "out" / "summary.csv", encoding="utf-8") as file:
        return next(iter(csv.DictReader(file)))


def test_a_copy_of_the_whole_cohort_elsewhere_and_at_another_time_is_finished(cohort: Path, tiny_model: Path) -> None:
    os.utime(cohort / "in" / "a.nii.gz")

    assert run(cohort, tiny_model) == "skipped"
    assert row(cohort)["warnings"] == "The slices are 9 mm apart: small tumors and volumes will be inexact."


def test_other_options_and_another_model_are_not_finished(cohort: Path, tiny_model: Path, tmp_path: Path) -> None:
    other = make_random_model(tmp_path / "random")

    assert is_finished(cohort, tiny_model)
    assert not is_finished(cohort, tiny_model, alpha=0.8)
    assert not is_finished(cohort, tiny_model, mirror=True)
    assert not is_finished(cohort, tiny_model, tumor_touches_kidney=True)
    assert not is_finished(cohort, other)


@pytest.mark.parametrize("change", ["voxels", "matrix"])
def test_another_ct_under_the_same_name_with_an_older_date_is_run(
    cohort: Path, volume: Volume, tiny_model: Path, change: str
) -> None:
    array, matrix = volume.array_kji, volume.grid.ijk_to_ras.copy()
    if change == "voxels":
        array = np.roll(array, 5, axis=2)
    else:
        matrix[0, 3] += 10
    path = cohort / "in" / "a.nii.gz"
    write_volume(Volume.from_array(array, matrix), path)
    os.utime(path, (1e9, 1e9))

    assert not is_finished(cohort, tiny_model)


def test_a_ct_in_the_place_of_another_is_run_by_the_batch(cohort: Path, volume: Volume, tiny_model: Path) -> None:
    moved = np.roll(volume.array_kji, 5, axis=2)
    write_volume(Volume(moved, volume.grid), cohort / "in" / "a.nii.gz")
    os.utime(cohort / "in" / "a.nii.gz", (1e9, 1e9))
    before = read_volume(cohort / "out" / "a.nii.gz").array_kji

    assert run(cohort, tiny_model) == "done"
    assert (read_volume(cohort / "out" / "a.nii.gz").array_kji != before).any()


def test_a_dicom_folder_that_was_completed_later_is_another_content(tmp_path: Path, volume: Volume) -> None:
    def content() -> str:
        return read_case(tmp_path, None, RunRecord(Progress())).source["sha256"]

    write_dicom(tmp_path, volume.array_kji, volume.grid.ijk_to_ras, numbers=range(12))
    half = content()
    for path in write_dicom(tmp_path, volume.array_kji, volume.grid.ijk_to_ras):
        os.utime(path, (1e9, 1e9))
    whole = content()
    for path in tmp_path.iterdir():
        os.utime(path)

    assert content() == whole != half


def without(key: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        values = json.loads(text)
        del values[key]
        return json.dumps(values)

    return change


def of_an_earlier_version(text: str) -> str:
    values = json.loads(text)
    del values["input"]["sha256"]
    return json.dumps(values)


@pytest.mark.parametrize(
    "change",
    [
        without("right"), without("version"), of_an_earlier_version,
        lambda text: "[" * 100_000, lambda text: "", lambda text: text[:300], lambda text: "\0\ud800",
        lambda text: text.replace('"alpha": 0.4', '"alpha": 1e999'), lambda text: text.replace("true", "[[]]"),
    ],
    ids=["no side", "no version", "no hash", "nested", "empty", "cut", "no text", "infinite", "wrong types"],
)  # fmt: skip
def test_a_damaged_report_or_one_of_an_earlier_version_is_not_finished(
    cohort: Path, tiny_model: Path, change: Callable[[str], str]
) -> None:
    path = cohort / "out" / "a.json"
    whole = path.read_text(encoding="utf-8")
    path.write_bytes(change(whole).encode("utf-8", "surrogatepass"))

    assert not is_finished(cohort, tiny_model)


@pytest.mark.parametrize("name", ["a.nii.gz", "maps/a/maps.npz", "png/a/key_slice_left.png"])
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_missing_or_cut_output_is_made_again(cohort: Path, tiny_model: Path, name: str, is_cut: bool) -> None:
    path = cohort / "out" / name
    whole = path.read_bytes()
    path.unlink()
    if is_cut:
        path.write_bytes(whole[:-20])

    assert not is_finished(cohort, tiny_model)


def test_maps_of_another_run_are_made_again(cohort: Path, tiny_model: Path) -> None:
    path = cohort / "out" / "maps" / "a"
    maps, report = load_maps(path)
    save_maps(maps, replace(report, alpha=0.9), path)

    assert not is_finished(cohort, tiny_model)


def test_labels_that_were_edited_are_kept_with_a_warning(
    cohort: Path, volume: Volume, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cohort / "out" / "a.nii.gz"
    labels = read_volume(path).array_kji
    labels[labels == 2] = 1
    write_labels(labels, volume, path)
    edited = path.read_bytes()

    assert run(cohort, tiny_model) == "skipped"
    assert path.read_bytes() == edited
    assert "no longer as they were written and are kept" in row(cohort)["warnings"]
    assert "no longer as they were written and are kept" in capsys.readouterr().err


def swap_voxels(labels: np.ndarray) -> np.ndarray:
    """As many voxels of each label, two of them elsewhere."""
    one, other = np.argwhere(labels == 1)[0], np.argwhere(labels == 0)[-1]
    labels[tuple(one)], labels[tuple(other)] = 0, 1
    return labels


def add_256(labels: np.ndarray) -> np.ndarray:
    return labels.astype(np.int16) + np.int16(256) * (labels == 1)


def blur(labels: np.ndarray) -> np.ndarray:
    return labels * np.float32(1.2)


@pytest.mark.parametrize("edit", [swap_voxels, add_256, blur])
def test_edits_that_leave_number_and_value_alike_are_seen(
    cohort: Path, volume: Volume, tiny_model: Path, edit: Callable[[np.ndarray], np.ndarray]
) -> None:
    path = cohort / "out" / "a.nii.gz"
    labels = read_volume(path).array_kji.astype(np.uint8)
    write_nifti(path, edit(labels), volume.grid.ijk_to_ras)

    assert run(cohort, tiny_model) == "skipped"
    assert "no longer as they were written and are kept" in row(cohort)["warnings"]


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64])
def test_the_same_labels_saved_with_another_type_of_number_are_no_edit(
    cohort: Path, volume: Volume, tiny_model: Path, kind: type
) -> None:
    path = cohort / "out" / "a.nii.gz"
    write_nifti(path, read_volume(path).array_kji.astype(kind), volume.grid.ijk_to_ras)

    assert run(cohort, tiny_model) == "skipped"
    assert row(cohort)["warnings"].count("no longer") == 0


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".seg.nrrd"])
def test_unedited_labels_are_known_in_every_format(cohort: Path, tiny_model: Path, ending: str) -> None:
    assert run(cohort, tiny_model, "--format", ending) == "done"
    assert run(cohort, tiny_model, "--format", ending) == "skipped"

    assert row(cohort)["warnings"].count("no longer") == 0


def test_the_report_of_fused_maps_is_of_its_own_labels(cohort: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    out = cohort / "out"
    assert (
        main(
            ["fuse", str(out / "maps" / "a"), "-o", str(tmp_path / "f.nii.gz"), "--alpha", "1", "--report", str(report)]
        )
        == 0
    )

    before, after = (json.loads(path.read_text(encoding="utf-8")) for path in (out / "a.json", report))
    assert before["labels_sha256"] == hash_labels(read_volume(out / "a.nii.gz").array_kji.astype(np.uint8))
    assert after["labels_sha256"] == hash_labels(read_volume(tmp_path / "f.nii.gz").array_kji.astype(np.uint8))
    assert before["labels_sha256"] != after["labels_sha256"]


def test_labels_of_another_grid_are_made_again(cohort: Path, volume: Volume, tiny_model: Path) -> None:
    moved = volume.grid.ijk_to_ras.copy()
    moved[2, 3] += 5
    write_labels(np.zeros((24, 96, 96), np.uint8), Volume.from_array(volume.array_kji, moved), cohort / "out/a.nii.gz")

    assert not is_finished(cohort, tiny_model)


def test_a_file_of_someone_else_in_the_place_of_a_report_or_the_summary_is_kept(
    cohort: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cohort / "out" / "a.json"
    path.write_text('{"name": "Anna"}')

    assert run(cohort, tiny_model) == "failed"
    assert path.read_text() == '{"name": "Anna"}'
    assert "in the place of a report and is none" in row(cohort)["error"]

    (cohort / "out" / "summary.csv").write_text("patient;age\n")
    capsys.readouterr()
    with pytest.raises(StopIteration):
        run(cohort, tiny_model)
    assert "in the place of the summary and is none" in capsys.readouterr().err
    assert (cohort / "out" / "summary.csv").read_text() == "patient;age\n"


def test_edited_labels_are_not_replaced_by_a_run_with_other_options(cohort: Path, tiny_model: Path) -> None:
    path = cohort / "out" / "a.nii.gz"
    labels = read_volume(path)
    corrected = labels.array_kji.astype(np.uint8)
    corrected[:3] = 1
    write_labels(corrected, labels, path)
    content = path.read_bytes()

    assert run(cohort, tiny_model, "--alpha", "0.9") == "failed"
    assert "are no longer as an earlier run wrote them" in row(cohort)["error"]
    assert path.read_bytes() == content


def test_another_window_in_the_model_card_is_not_finished(cohort: Path, tiny_model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    card = json.loads((other / "model.json").read_text(encoding="utf-8"))

    (other / "model.json").write_text(json.dumps({**card, "title": "Another title"}), encoding="utf-8")
    assert is_finished(cohort, other)
    (other / "model.json").write_text(json.dumps({**card, "window": [-200, 300]}), encoding="utf-8")
    assert not is_finished(cohort, other)
