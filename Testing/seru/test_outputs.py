"""No result takes the place of what a run reads or of another one, and a cancelled run leaves nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from seru.cascade.cascade import SegmentResult, segment
from seru.cli import main
from seru.cohort.outputs import Outputs, write_results
from seru.errors import CancelledError
from seru.io.inputs import Inputs, is_read_from
from seru.model.store import open_model
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import Progress, RunStage
from seru.volume import Volume
from Testing.seru.command_by_hand import files_of, run_command
from Testing.seru.image_files_by_hand import oblique, small_ct, write_dicom, write_nifti


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    code, line = run_command(capsys, *arguments)
    assert code == 2
    return line


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in files_of(folder)}


def write_detached(folder: Path) -> list[tuple[Path, Path]]:
    """Headers and the files that hold their voxels: NRRD and MetaImage, by name, list and pattern."""
    image = sitk.GetImageFromArray(small_ct())
    folder.mkdir()
    for name in ("ct.nhdr", "ct.mhd"):
        sitk.WriteImage(image, str(folder / name))
    for number in range(3):
        (folder / f"slice{number}.raw").write_bytes(b"x")
    listed = "slice0.raw\nslice1.raw\nslice2.raw\n"
    sizes = "dimension: 3\nsizes: 8 8 3\nencoding: raw\n"
    headers = {
        "list.nhdr": f"NRRD0004\ntype: short\n{sizes}data file: LIST\n{listed}",
        "pattern.nhdr": f"NRRD0004\ntype: short\n{sizes}datafile: slice%d.raw 0 2 1\n\n",
        "list.mhd": f"NDims = 3\nDimSize = 8 8 3\nElementDataFile = LIST\n{listed}",
        "pattern.mhd": "NDims = 3\r\nDimSize = 8 8 3\r\nElementDataFile = slice%01d.raw 0 2 1\r\n",
    }
    for name, text in headers.items():
        (folder / name).write_text(text)
    raw = next(path for path in folder.iterdir() if path.name in ("ct.raw", "ct.raw.gz"))
    return [(folder / "ct.nhdr", raw), *((folder / name, folder / "slice2.raw") for name in headers)]


def test_the_voxel_files_of_a_header_are_read(tmp_path: Path) -> None:
    for header, voxels in write_detached(tmp_path / "n"):
        assert is_read_from(header, voxels), header
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(voxels)
        assert is_read_from(header, tmp_path / "link")
        (tmp_path / "n" / "other.json").write_text("{}")
        assert not is_read_from(header, tmp_path / "n" / "other.json")
        assert not is_read_from(header, tmp_path / "n" / "missing.json")


def test_every_file_of_a_dicom_folder_is_read_but_the_results_of_an_earlier_run(tmp_path: Path) -> None:
    first = write_dicom(tmp_path / "dcm" / "1", small_ct(), oblique())[0]
    for name in ("DICOMDIR", "notes.txt", "out.nii.gz", "report.json"):
        (tmp_path / "dcm" / name).write_text(name)
    os.link(first, tmp_path / "slice.json")

    read = [name for name in ("DICOMDIR", "notes.txt", "out.nii.gz", "report.json", "new.json")
            if is_read_from(tmp_path / "dcm", tmp_path / "dcm" / name)]  # fmt: skip

    assert read == ["DICOMDIR", "notes.txt"]
    assert is_read_from(tmp_path / "dcm", tmp_path / "slice.json")


def test_the_inputs_of_many_cases_are_known_without_looking_into_each(tmp_path: Path) -> None:
    first = write_dicom(tmp_path / "dcm", small_ct(), oblique())[0]
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    (tmp_path / "link").symlink_to(ct)
    inputs = Inputs([ct, tmp_path / "dcm"])

    assert inputs.reader_of(first) == tmp_path / "dcm"
    assert inputs.reader_of(tmp_path / "link") == ct
    assert inputs.reader_of(tmp_path / "out.json") is None


def test_no_output_takes_the_place_of_an_input(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_dicom(tmp_path / "dcm", small_ct(), oblique())[0]
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "maps.npz").symlink_to(ct)
    (tmp_path / "to_model").symlink_to(tiny_model / "model.json")
    before = contents(tmp_path)
    given = ["segment", ct, "-o", tmp_path / "o.nii.gz", "--model", tiny_model]

    assert "part of the input" in refused(
        capsys, "segment", tmp_path / "dcm", "-o", tmp_path / "o.nii.gz", "--report", first
    )
    assert "is the input itself" in refused(capsys, *given, "--report", ct)
    assert "is the input itself" in refused(capsys, *given, "--report", tmp_path / "CT.nii.gz")
    assert "is the input itself" in refused(capsys, *given, "--maps", tmp_path / "maps")
    assert "a file that the run reads" in refused(capsys, *given, "--report", tmp_path / "to_model")
    assert contents(tmp_path) == before


def test_no_output_takes_the_place_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    output = tmp_path / "o.nii.gz"
    (tmp_path / "there").symlink_to(".")

    for report in (output, tmp_path / "O.nii.gz", tmp_path / "there" / "o.nii.gz"):
        assert "same name" in refused(capsys, "segment", ct, "-o", output, "--report", report)
    for name in ("maps.npz", "MAPS.npz"):
        report = tmp_path / "there" / name
        assert "same name" in refused(capsys, "segment", ct, "-o", output, "--maps", tmp_path, "--report", report)
    picture = tmp_path / "key_slice_left.png"
    assert "same name" in refused(capsys, "segment", ct, "-o", output, "--pictures", tmp_path, "--report", picture)
    assert "a folder and a file" in refused(capsys, "segment", ct, "-o", output, "--maps", output)
    assert "same name" in refused(capsys, "phantom", output, "--truth", tmp_path / "there" / "O.nii.gz")
    assert files_of(tmp_path) == {ct}


def test_fusing_again_keeps_the_ct_of_a_relative_path(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    monkeypatch.chdir(tmp_path)
    assert main(["segment", "ct.nii.gz", "--maps", "maps", "--model", str(tiny_model), "--progress", "none"]) == 0
    monkeypatch.chdir("/")
    capsys.readouterr()
    before = contents(tmp_path)

    fuse = ["fuse", tmp_path / "maps", "-o", tmp_path / "o.nii.gz", "--alpha", "0.5", "--report"]
    for report in (ct, tmp_path / "maps" / "maps.npz"):
        assert "is the input itself" in refused(capsys, *fuse, report)

    assert contents(tmp_path) == before


def test_a_batch_writes_over_no_other_case(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name in ("a", "b"):
        write_nifti(tmp_path / "in" / f"{name}.nii.gz", small_ct(), oblique())
    (tmp_path / "out" / "a.nii.gz").symlink_to(tmp_path / "in" / "b.nii.gz")
    before = contents(tmp_path / "in")
    arguments = ["batch", tmp_path / "in", "-o", tmp_path / "out", "--model", tiny_model, "--progress", "none"]

    assert main(list(map(str, arguments))) == 1
    assert "a: The output" in capsys.readouterr().err
    assert contents(tmp_path / "in") == before
    assert (tmp_path / "out" / "b.nii.gz").is_file()
    for folder in ("--maps", "--pictures", "--report"):
        assert "is the input folder" in refused(capsys, *arguments[:-2], folder, tmp_path / "in")


class _CancelledAt(Progress):
    """Cancels the run when a step of writing is told."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def stage(self, name: RunStage, done: int, total: int) -> None:
        if name == "write":
            self._step -= 1
            if self._step == 0:
                self.cancel()


@pytest.fixture(scope="module")
def result(tiny_model: Path) -> tuple[Volume, SegmentResult]:
    """A CT, and what the cascade makes of it."""
    volume = make_phantom(PhantomOptions(seed=3, shape_kji=(24, 96, 96), spacing_kji_mm=(9.0, 4.0, 4.0))).volume
    return volume, segment(volume, open_model(tiny_model), SegmentOptions(threads=1))


@pytest.mark.parametrize("has_older", [False, True])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_run_that_is_cancelled_while_writing_leaves_what_was_there_before(
    tmp_path: Path, result: tuple[Volume, SegmentResult], has_older: bool, step: int
) -> None:
    outputs = Outputs(*(tmp_path / name for name in ("o.nii.gz", "o.json", "new/maps", "pictures")))
    if has_older:
        (tmp_path / "pictures").mkdir()
        for path in (outputs.output, outputs.report, tmp_path / "pictures" / "key_slice_left.png"):
            assert path is not None
            path.write_text("older")
    before = contents(tmp_path)

    with pytest.raises(CancelledError):
        write_results(outputs, *result, _CancelledAt(step))

    assert contents(tmp_path) == before
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "pictures").exists() == has_older


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX")
def test_a_summary_holds_no_formula_and_any_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from seru.cohort.summary import Summary

    summary = Summary(tmp_path)
    for name in ("=1+1", "+1", "-1", "@a", "\ta", "a=1", os.fsdecode(b"b\xe4")):
        summary.add(name, Path(name), "failed", error="=HYPERLINK(1)")
    summary.write()

    lines = (tmp_path / "summary.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == ["'=1+1", "'+1", "'-1", "'@a", "'\ta", "a=1", "b\\udce4"]
    assert all("'=HYPERLINK(1)" in line.split(",") for line in lines)
    cases = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["cases"]
    assert [case["name"] for case in cases][::6] == ["=1+1", os.fsdecode(b"b\xe4")]


def test_a_name_that_is_not_utf8_is_segmented_with_its_report(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"p\xe4tient.nii.gz")
    write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique()).rename(tmp_path / name)
    arguments = ["segment", tmp_path / name, "-o", tmp_path / f"o{name}", "--report", tmp_path / "r.json"]

    code = main([*map(str, arguments), "--model", str(tiny_model), "--progress", "none"])

    assert code == 0, capsys.readouterr().err
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["input"]["path"] == str(tmp_path / name)
    assert (tmp_path / f"o{name}").is_file()
