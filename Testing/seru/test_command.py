"""The command ``seru``: what it writes, says and returns."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import seru
from seru.cascade.cascade import segment
from seru.cli import main
from seru.io.images import read_volume, write_volume
from seru.model.engines import resolve_engine
from seru.model.store import list_models, open_model, read_registry
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import RUN_STAGES
from seru.volume import Volume
from Testing.seru.image_files_by_hand import itk_matrix, write_dicom

GRID = PhantomOptions(shape_kji=(40, 128, 128), spacing_kji_mm=(6.0, 3.0, 3.0), seed=3)
COMMAND = [sys.executable, "-m", "seru"]


def child_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(seru.__file__).parent.parent), "PYTHONIOENCODING": "utf-8"}


def run_child(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, encoding="utf-8", env=child_environment(), **options
    )


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ct") / "phantom.nii.gz"
    write_volume(make_phantom(GRID).volume, path)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, ct: Path, tiny_model: Path) -> Path:
    """A folder with everything that one run writes."""
    folder = tmp_path_factory.mktemp("results")
    code = main(
        ["segment", str(ct), "-o", str(folder / "labels.nii.gz"), "--model", str(tiny_model), "--threads", "1",
         "--report", str(folder / "report.json"), "--maps", str(folder / "maps"),
         "--pictures", str(folder / "pictures"), "--progress", "none"]
    )  # fmt: skip
    assert code == 0
    return folder


def labels_of(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_the_labels_are_the_cascades_on_the_inputs_grid(finished: Path, ct: Path, tiny_model: Path) -> None:
    expected = segment(read_volume(ct), open_model(tiny_model), SegmentOptions(threads=1)).labels_kji

    image = sitk.ReadImage(str(finished / "labels.nii.gz"))

    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image), expected)
    np.testing.assert_array_equal(itk_matrix(image), itk_matrix(sitk.ReadImage(str(ct))))
    assert set(np.unique(expected)) == {0, 1, 2}


def test_the_report_tells_input_times_and_both_sides(finished: Path, ct: Path) -> None:
    report = json.loads((finished / "report.json").read_text(encoding="utf-8"))

    content = read_volume(ct).sha256()
    assert report["input"] == {
        "path": str(ct), "format": "nifti", "series_uid": None, "sha256": content, "study_date": None, "patient": None
    }  # fmt: skip
    assert next(iter(report["seconds"])) == "load"
    assert report["left"]["present"]
    assert report["right"]["present"]
    labels = labels_of(finished / "labels.nii.gz")
    total = report["total"]["kidney_ml"] + report["total"]["tumor_ml"]
    assert total == pytest.approx(np.count_nonzero(labels) * 3 * 3 * 6 / 1000, rel=1e-3)


def test_pictures_and_maps_are_written_and_nothing_else(finished: Path) -> None:
    names = {path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file()}

    pictures = {"pictures/key_slice_left.png", "pictures/key_slice_right.png"}
    assert names == {"labels.nii.gz", "report.json", "maps/maps.npz"} | pictures


def test_progress_as_json_is_one_object_a_line_in_the_stages_order(tmp_path: Path, ct: Path, tiny_model: Path) -> None:
    output, report = tmp_path / "výsledek.seg.nrrd", tmp_path / "report.json"

    done = run_child(
        "segment", ct, "-o", output, "--model", tiny_model, "--threads", 1, "--report", report, "--progress", "json"
    )

    events = [json.loads(line) for line in done.stdout.splitlines()]
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert done.returncode == 0, done.stderr
    assert list(dict.fromkeys(stages)) == list(RUN_STAGES)
    assert [RUN_STAGES.index(stage) for stage in stages] == sorted(RUN_STAGES.index(stage) for stage in stages)
    assert all(set(event) == {"event", "stage", "done", "total"} for event in events if event["event"] == "stage")
    assert events[-1] == {"event": "done", "report": str(report)}
    assert done.stderr == ""
    assert output.is_file()


def test_an_error_is_the_last_json_event_too(tmp_path: Path) -> None:
    done = run_child("segment", tmp_path / "no.nii", "-o", tmp_path / "out.nii.gz", "--progress", "json")

    event = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == event["code"] == 2
    assert event["event"] == "error"
    assert done.stderr.strip() == f"seru: {event['message']}"


def test_a_usage_error_is_a_json_event_too(tmp_path: Path) -> None:
    done = run_child("segment", "--progress=json")

    assert json.loads(done.stdout)["code"] == done.returncode == 2


def test_every_ending_holds_the_same_labels(finished: Path, tmp_path: Path) -> None:
    expected = labels_of(finished / "labels.nii.gz")

    for ending in (".nii.gz", ".nrrd", ".mha", ".seg.nrrd"):
        output = tmp_path / f"out{ending}"
        alpha = json.loads((finished / "report.json").read_text(encoding="utf-8"))["alpha"]
        assert main(["fuse", str(finished / "maps"), "-o", str(output), "--alpha", str(alpha)]) == 0
        np.testing.assert_array_equal(labels_of(output), expected)


def test_fusing_maps_is_segmenting_at_that_alpha(finished: Path, tmp_path: Path, ct: Path, tiny_model: Path) -> None:
    whole, fused = tmp_path / "whole", tmp_path / "fused"
    clean = ["--tumor-touches-kidney", "--largest-component", "--minimum-volume", "0.5"]
    for alpha in ("0.9", "0.4"):
        arguments = ["segment", str(ct), "-o", f"{whole}{alpha}.nii.gz", "--model", str(tiny_model), "--threads", "1"]
        arguments += ["--alpha", alpha, "--report", f"{whole}{alpha}.json", "--maps", str(tmp_path / "maps"), *clean]
        assert main([*arguments, "--progress", "none"]) == 0

    fuse = ["fuse", str(tmp_path / "maps"), "-o", f"{fused}.nii.gz", "--alpha", "0.9", "--report", f"{fused}.json"]
    assert main([*fuse, "--progress", "none"]) == 0

    np.testing.assert_array_equal(labels_of(Path(f"{fused}.nii.gz")), labels_of(Path(f"{whole}0.9.nii.gz")))
    reports = [json.loads(Path(f"{path}.json").read_text(encoding="utf-8")) for path in (fused, f"{whole}0.9")]
    for name in ("alpha", "left", "right", "total"):
        assert reports[0][name] == reports[1][name]
    assert not np.array_equal(labels_of(Path(f"{whole}0.4.nii.gz")), labels_of(Path(f"{whole}0.9.nii.gz")))


def test_damaged_maps_are_refused(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = (finished / "maps/maps.npz").read_bytes()
    (tmp_path / "maps.npz").write_bytes(data[: len(data) // 2])

    code = main(["fuse", str(tmp_path), "-o", str(tmp_path / "out.nii.gz"), "--alpha", "0.5", "--progress", "none"])

    assert code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out.nii.gz").exists()


_WITHOUT_TORCH = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "openvino"):
            raise ImportError(f"{name} was imported")


sys.meta_path.insert(0, Missing())
from seru.cli import main

sys.exit(main(sys.argv[1:]))
"""


def test_only_the_network_needs_torch(finished: Path, tmp_path: Path) -> None:
    fuse = ["fuse", str(finished / "maps"), "-o", str(tmp_path / "out.nii.gz"), "--alpha", "0.1"]
    phantom = ["phantom", str(tmp_path / "phantom.nii.gz")]
    for arguments in (["--help"], ["models", "list"], fuse, phantom, ["segment", "no.nii", "-o", "out.nii.gz"]):
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_TORCH, *arguments],
            capture_output=True,
            encoding="utf-8",
            env=child_environment(),
        )
        assert done.returncode == (2 if arguments[0] == "segment" else 0), done.stderr
        assert "Traceback" not in done.stderr


def test_a_dicom_folder_and_an_unsigned_ct_are_segmented_with_their_warnings(
    tmp_path: Path, ct: Path, finished: Path, tiny_model: Path
) -> None:
    volume = read_volume(ct)
    write_dicom(tmp_path / "series", volume.array_kji, volume.grid.ijk_to_ras)
    raised = Volume.from_array(volume.array_kji + np.int16(1024), volume.grid.ijk_to_ras)
    write_volume(raised, tmp_path / "unsigned.nrrd")

    for source in ("series", "unsigned.nrrd"):
        arguments = ["segment", str(tmp_path / source), "-o", str(tmp_path / f"{source}.nii.gz"), "--threads", "1"]
        arguments += ["--model", str(tiny_model), "--report", str(tmp_path / f"{source}.json"), "--progress", "none"]
        assert main(arguments) == 0
        np.testing.assert_array_equal(labels_of(tmp_path / f"{source}.nii.gz"), labels_of(finished / "labels.nii.gz"))
    reports = [
        json.loads((tmp_path / f"{source}.json").read_text(encoding="utf-8")) for source in ("series", "unsigned.nrrd")
    ]
    assert reports[0]["input"]["format"] == "dicom"
    assert reports[0]["input"]["series_uid"] == "1.2.826.1"
    assert "1024 was subtracted" in reports[1]["warnings"][0]


def test_a_single_slice_gives_a_label_map_of_its_size(tmp_path: Path, ct: Path, tiny_model: Path) -> None:
    volume = read_volume(ct)
    write_volume(Volume.from_array(volume.array_kji[18:19], volume.grid.ijk_to_ras), tmp_path / "slice.nii.gz")

    arguments = ["segment", str(tmp_path / "slice.nii.gz"), "-o", str(tmp_path / "out.seg.nrrd"), "--threads", "1"]
    code = main([*arguments, "--model", str(tiny_model), "--progress", "none"])

    assert code == 0
    assert labels_of(tmp_path / "out.seg.nrrd").shape == (1, 128, 128)


def test_the_phantom_is_the_one_of_its_seed(tmp_path: Path) -> None:
    image, truth = tmp_path / "phantom.nii.gz", tmp_path / "truth.nrrd"

    code = main(["phantom", str(image), "--truth", str(truth), "--seed", "5", "--tumor", "left", "--progress", "none"])

    expected = make_phantom(PhantomOptions(seed=5, tumor="left"))
    assert code == 0
    np.testing.assert_array_equal(labels_of(image), expected.volume.array_kji)
    np.testing.assert_array_equal(labels_of(truth), expected.labels_kji)
    np.testing.assert_allclose(itk_matrix(sitk.ReadImage(str(image))), expected.volume.grid.ijk_to_ras, atol=1e-5)


def test_info_names_versions_devices_engines_and_folders(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert main(["info"]) == 0
    text = capsys.readouterr().out

    assert facts["seru"] == seru.__version__
    assert facts["packages"]["numpy"] == np.__version__
    assert facts["devices"][0]["name"] == "cpu"
    assert set(facts["engines"]) == {"torch", "openvino"}
    assert (facts["auto"]["engine"], facts["auto"]["device"]) == resolve_engine(has_ranges=_default_has_ranges())
    for word in ("python", "cpu", "GiB", "models", facts["cache"]):
        assert word in text


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac's own GPU would be taken")
def test_info_tells_that_the_engine_it_would_take_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text("raise ImportError('libopenvino.so.2: cannot open')\n", encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    program = [sys.executable, "-m", "seru", "info", "--json"]
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": paths}

    done = subprocess.run(program, capture_output=True, text=True, env=hidden, check=True)

    error = json.loads(done.stdout)["auto"]["error"]
    assert error.startswith("OpenVINO cannot be imported (libopenvino.so.2: cannot open)")
    assert error.endswith("take --engine torch.")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"seru {seru.__version__}\n"


def test_a_traceback_comes_with_debug_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["segment", str(tmp_path / "no.nii"), "-o", str(tmp_path / "out.nii.gz")]

    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert main([*arguments, "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_unexpected_error_is_one_sentence(
    ct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("seru.cli.live_case.check_input", fail)

    code = main(["segment", str(ct), "-o", str(tmp_path / "out.nii.gz")])

    lines = capsys.readouterr().err.splitlines()
    assert code == 1
    assert len(lines) == 1
    assert "ZeroDivisionError: two lines" in lines[0]


_SMALL_MEMORY = """
import resource, sys
from seru.cli import main
import seru.cascade.cascade, seru.cli.segment, SimpleITK
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000,) * 2)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory limits as on Linux")
def test_too_little_memory_is_code_4_and_one_sentence(tmp_path: Path, tiny_model: Path) -> None:
    path = tmp_path / "big.nrrd"
    header = "NRRD0004\ntype: short\ndimension: 3\nspace: LPS\nsizes: 1024 1024 512\nendian: little\nencoding: raw\n"
    path.write_text(header + "space directions: (1,0,0) (0,1,0) (0,0,1)\nkinds: domain domain domain\n\n")
    os.truncate(path, path.stat().st_size + 2**30)  # a hole in the file
    arguments = ["segment", path, "-o", tmp_path / "out.nii.gz", "--model", tiny_model, "--progress", "none"]

    done = subprocess.run(
        [sys.executable, "-c", _SMALL_MEMORY, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=child_environment(),
    )

    assert done.returncode == 4, done.stderr
    assert done.stderr.splitlines() == [
        "seru: The computer has too little memory for this volume; close other programs or crop it."
    ]
    assert [found.name for found in tmp_path.iterdir()] == ["big.nrrd"]


def test_a_reader_of_the_progress_that_goes_away_ends_the_run(tmp_path: Path, ct: Path, tiny_model: Path) -> None:
    output = tmp_path / "out.nii.gz"
    arguments = ["segment", ct, "-o", output, "--model", tiny_model, "--threads", 1, "--progress", "json"]
    child = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment()
    )
    assert child.stdout is not None
    child.stdout.readline()
    child.stdout.close()

    error = child.stderr.read().decode()
    child.stderr.close()

    assert child.wait(300) == 130, error
    assert len(error.splitlines()) == 1, error
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_after_a_list_is_quiet() -> None:
    command = " ".join([*COMMAND, "info", "|", "true"])

    done = subprocess.run(command, shell=True, capture_output=True, encoding="utf-8", env=child_environment())

    assert done.stderr == ""


def test_models_are_listed_verified_and_located(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("seru.model.store.cache_folder", lambda: tmp_path / "models")
    shutil.copytree(tiny_model, tmp_path / "models" / "phantom-tiny")

    assert main(["models", "list"]) == 0
    assert "phantom-tiny" in capsys.readouterr().out
    assert main(["models", "where"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "models")
    assert main(["models", "verify"]) == 0
    assert "phantom-tiny: OK" in capsys.readouterr().out

    os.truncate(tmp_path / "models/phantom-tiny/coarse.safetensors", 100)
    assert main(["models", "verify"]) == 3
    assert "is damaged" in capsys.readouterr().err
    assert main(["models", "clear"]) == 0
    assert not list((tmp_path / "models").iterdir())


def test_a_licence_is_agreed_to_before_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {
        "id": "far",
        "title": "Far away",
        "licence": "CC BY-NC-SA 4.0",
        "url": "http://127.0.0.1:9/far.zip",
        "archive": {"sha256": "0" * 64, "size": 1000},
        "files": {"model.json": {"sha256": "0" * 64, "size": 1000}},
    }
    (tmp_path / "models.json").write_text(json.dumps({"default": "far", "models": [entry]}))
    monkeypatch.setattr("seru.model.registry.resources_folder", lambda: tmp_path)

    code = main(["models", "fetch"])

    error = capsys.readouterr().err
    assert code == 2
    assert "CC BY-NC-SA 4.0" in error
    assert "--accept-licence" in error


def _default_has_ranges() -> bool:
    # The sources of a release have yet to fetch it.
    default = read_registry().default
    return any(model.card.id == default and model.has_ranges for model in list_models()[0])
