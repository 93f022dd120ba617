"""``seru measure``: findings of labels that anyone made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from seru.cli import main
from seru.errors import BadInputError
from seru.files import replacing
from seru.findings import Report
from seru.grid import Grid
from seru.io.images import read_file, write_labels
from seru.io.label_maps import Numbers, read_label_map
from seru.io.segmentation import write_segmentation
from seru.result.labelled import measure_labels
from seru.volume import Volume
from Testing import REPOSITORY
from Testing.seru.image_files_by_hand import RAS_OF_LPS, write_nifti
from Testing.seru.nephrometry_by_hand import turned

SCHEMA = json.loads((REPOSITORY / "SERUSegmentation/seru/report.schema.json").read_text(encoding="utf-8"))
# Columns run from the patient's right to left, rows from front to back, slices upward; 1 ml has 250 voxels.
MATRIX = RAS_OF_LPS @ np.diag([1.0, 1.0, 4.0, 1.0])
SHAPE = (12, 30, 60)


def some_labels(dtype: type = np.uint8) -> np.ndarray:
    """A right kidney of 10 x 10 x 8 voxels with a tumor of 4 x 4 x 4 in it, and a left one of 5 x 10 x 8."""
    labels = np.zeros(SHAPE, dtype)
    labels[2:10, 10:20, 5:15] = 1
    labels[4:8, 12:16, 8:12] = 2
    labels[2:10, 10:20, 45:50] = 1
    return labels


def a_ct(kidney_hu: int = 120) -> np.ndarray:
    """Fat about soft tissue in air, with enhanced kidneys."""
    hu = np.full(SHAPE, -1000, np.int16)
    hu[:, 2:28, 1:59] = -100
    hu[:, 5:25, 3:57] = 40
    hu[some_labels() == 1], hu[some_labels() == 2] = kidney_hu, 60
    return hu


def measured(tmp_path: Path, *arguments: Any) -> Report:
    """The report of a run of the command, as it reads back from its file."""
    path = tmp_path / "report.json"
    assert main(["measure", *map(str, arguments), "--report", str(path), "--progress", "none"]) == 0
    values = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(values, SCHEMA)
    return Report.from_dict(values)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: Any) -> str:
    """The one sentence of a run of the command that is refused."""
    assert main(["measure", *map(str, arguments), "--progress", "none"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


@pytest.fixture
def labels_path(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "labels.nii.gz", some_labels(), MATRIX)


def test_volumes_and_diameters_are_those_of_the_labels(tmp_path: Path, labels_path: Path) -> None:
    report = measured(tmp_path, labels_path)

    right, tumor, left = report.findings[0], report.findings[2], report.findings[1]
    assert [(f.kind, f.side, f.number, f.status) for f in (right, left, tumor)] == [
        ("kidney", "right", 1, "believed"), ("kidney", "left", 1, "believed"), ("tumor", "right", 1, "believed"),
    ]  # fmt: skip
    assert [f.volume_ml for f in (right, left, tumor)] == pytest.approx([(800 - 64) * 0.004, 1.6, 0.256])
    assert tumor.longest.mm == pytest.approx(np.hypot(3, 3), abs=1e-4)
    assert tumor.across.mm == pytest.approx(np.hypot(3, 3), abs=1e-4)
    assert tumor.centre_ras == (-9.5, -13.5, 22.0)
    assert tumor.contact_mm2 == pytest.approx(4 * (4 * 4 * 4) + 2 * (4 * 4))
    assert (report.right.kidney_ml, report.right.tumor_ml) == (2.944, 0.256)
    assert report.total == {"kidney_ml": 4.544, "tumor_ml": 0.256}
    assert report.right.present
    assert report.right.key_slice is None


def test_no_network_is_said_to_have_spoken(tmp_path: Path, labels_path: Path) -> None:
    report = measured(tmp_path, labels_path)

    assert (report.model, report.device, report.engine, report.alpha, report.options) == (None, None, None, None, {})
    assert {(f.confidence, f.volume_range_ml, f.longest_range_mm, f.hu_mean) for f in report.findings} == {(None,) * 4}
    assert report.measured is not None
    assert (report.measured.path, report.measured.kidney, report.measured.tumor) == (str(labels_path), (1,), (2,))
    assert report.input.path is None
    assert report.labels_sha256 is None


def test_the_command_says_what_segment_says(capsys: pytest.CaptureFixture[str], labels_path: Path) -> None:
    assert main(["measure", str(labels_path), "--progress", "none"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "right kidney: 2.9 ml; tumor: 0.3 ml, 4 x 4 mm",
        "left kidney: 1.6 ml; tumor: none found",
        "right tumor: R.E.N.A.L. 6-10 and PADUA 8-12; check each component",
        "note: The right kidney has 3 ml, unlike a kidney: check its outline.",
        "note: The left kidney has 2 ml, unlike a kidney: check its outline.",
    ]


def test_the_ct_gives_densities(tmp_path: Path, labels_path: Path) -> None:
    ct = write_nifti(tmp_path / "ct.nii.gz", a_ct(), MATRIX)

    report = measured(tmp_path, labels_path, "--ct", ct)

    assert [(f.hu_mean, f.hu_deviation) for f in report.findings] == [(120.0, 0.0), (120.0, 0.0), (60.0, 0.0)]
    assert report.input.path == str(ct)
    assert report.input.sha256 == read_file(ct).sha256()


def test_the_page_of_labels_with_their_ct_shows_the_key_slice_of_each_side(tmp_path: Path) -> None:
    hu, labels = a_ct(), some_labels()
    labels[6, 8:22, 5:15], labels[3, 8:22, 44:51] = 1, 1
    ct, path = write_nifti(tmp_path / "ct.nii", hu, MATRIX), write_nifti(tmp_path / "x.nii", labels, MATRIX)
    page = tmp_path / "page.html"

    report = measured(tmp_path, path, "--ct", ct, "--page", page)

    # The polygon through the centres of the border pixels has 9 x 13 and 6 x 13 mm2.
    keys = [
        (key.index, key.area_mm2, key.position_ras) for side in (report.right, report.left) if (key := side.key_slice)
    ]
    assert keys == [(6, 117.0, (-9.5, -14.5, 24.0)), (3, 78.0, (-47.0, -14.5, 12.0))]
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/webp") == 2
    assert "Right key slice 6, contour 1.2 cm²" in text
    assert "coarse stage" not in text
    assert "crop" not in text.partition("</figure>")[2]


def test_the_page_of_labels_alone_says_where_its_pictures_are(tmp_path: Path, labels_path: Path) -> None:
    report = measured(tmp_path, labels_path, "--page", tmp_path / "page.html")

    assert report.right.key_slice is None
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "They are shown where the labels are measured with their CT." in text


def test_a_result_of_any_orientation_has_the_same_sides(tmp_path: Path) -> None:
    flipped = MATRIX @ np.array([[-1.0, 0, 0, SHAPE[2] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])

    report = measured(tmp_path, write_nifti(tmp_path / "x.nii", some_labels()[:, :, ::-1], flipped))

    assert [(f.side, f.volume_ml) for f in report.findings] == [("right", 2.944), ("left", 1.6), ("right", 0.256)]


def test_without_a_ct_one_side_alone_is_doubted(tmp_path: Path) -> None:
    labels = some_labels()
    labels[:, :, 30:] = 0
    path = write_nifti(tmp_path / "one.nii", labels, MATRIX)

    report = measured(tmp_path, path)

    assert report.warnings == (
        "Without the CT the middle of the image was taken for the body's, and everything lies on one side of it: "
        "check the side, or give the CT with --ct of 'seru measure'.",
    )
    assert report.remarks[0] == "No kidney is labelled on the left."
    assert measured(tmp_path, path, "--ct", write_nifti(tmp_path / "ct.nii", a_ct(), MATRIX)).warnings == ()


def test_a_kidney_cut_by_the_edge_is_at_least() -> None:
    found = measure_labels(some_labels()[:, :, 5:], Grid((12, 30, 55), MATRIX))

    assert [f.cut_by_edge for f in found.findings] == [True, False, False]
    assert any("at least 2.9 ml" in remark for remark in found.remarks)


def test_labels_that_fill_the_image_are_no_kidney_though_the_edge_cuts_them() -> None:
    whole = np.ones((20, 100, 300), np.uint8)

    remarks = measure_labels(whole, Grid(whole.shape, MATRIX)).remarks

    assert remarks[1:] == (
        "The left kidney (at least 2400 ml) is cut by the scan's edge.",
        "The left kidney has 2400 ml, unlike a kidney: check its outline.",
    )


def test_what_is_too_small_to_be_listed_is_counted() -> None:
    labels = some_labels()
    labels[0, 0, 0] = 1

    found = measure_labels(labels, Grid(SHAPE, MATRIX))

    assert (found.islands.counted, found.islands.counted_ml) == (1, 0.004)
    assert found.measures["right"].kidney_ml == pytest.approx(2.948)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_numbers_of_any_type_are_labels_where_they_are_whole(tmp_path: Path, dtype: type) -> None:
    path = write_nifti(tmp_path / "x.nii", some_labels(dtype), MATRIX)

    np.testing.assert_array_equal(read_label_map(path).labels_kji, some_labels())


@pytest.mark.parametrize("name", ["x.nrrd", "x.mha", "x.nii.gz"])
def test_every_format_is_read(tmp_path: Path, name: str) -> None:
    write_labels(some_labels(), Volume(some_labels(), Grid(SHAPE, MATRIX)), tmp_path / name)

    assert [f.volume_ml for f in measured(tmp_path, tmp_path / name).findings] == [2.944, 1.6, 0.256]


def test_other_numbers_are_mapped_and_the_rest_is_told(tmp_path: Path) -> None:
    labels = some_labels()
    labels[2:10, 10:20, 45:50] = 7
    labels[0, 0, :5] = 9
    path = write_nifti(tmp_path / "x.nii", labels, MATRIX)

    report = measured(tmp_path, path, "--labels", "kidney=1,7", "tumor=2")

    assert [f.volume_ml for f in report.findings] == [2.944, 1.6, 0.256]
    assert report.warnings == ("Labels that are no kidney or tumor were left out: 9 (0.0 ml).",)
    assert report.measured is not None
    assert report.measured.kidney == (1, 7)


def test_numbers_beyond_16_bits_are_left_out_by_their_true_name_and_never_one_kind(tmp_path: Path) -> None:
    labels = some_labels(np.int32)
    labels[2:10, 10:20, 45:50] = 40000
    labels[0, 0, :5] = 70000
    path = write_nifti(tmp_path / "x.nii", labels, MATRIX)

    report = measured(tmp_path, path, "--labels", "kidney=1", "tumor=2")

    assert report.warnings[0] == "Labels that are no kidney or tumor were left out: above 32766 (1.6 ml)."
    with pytest.raises(BadInputError, match="holds the labels 1, 2, above 32766, not 1"):
        read_label_map(path)
    # Both would be kidney.
    with pytest.raises(BadInputError, match="32767 is out of range; give numbers from 1 to 32766"):
        Numbers.parse(["kidney=32767"])


def test_an_output_in_json_is_the_report(tmp_path: Path, labels_path: Path) -> None:
    paths = tmp_path / "x.json", tmp_path / "x.nrrd"

    assert main(["measure", str(labels_path), "-o", str(paths[0]), "-o", str(paths[1]), "--progress", "none"]) == 0

    assert Report.from_dict(json.loads(paths[0].read_text(encoding="utf-8"))).labels_sha256 is not None
    assert paths[1].is_file()


def a_segmentation(path: Path, *segments: tuple[str, int, str]) -> Path:
    """A NRRD file of Slicer's kind: name, value and terminology of each segment."""
    from seru.io.nrrd import write_nrrd

    pairs = {}
    for index, (name, value, tags) in enumerate(segments):
        pairs |= {f"Segment{index}_Name": name, f"Segment{index}_LabelValue": str(value), f"Segment{index}_Tags": tags}
    labels = some_labels()
    labels[2:10, 10:20, 45:50] = 3
    with replacing(path) as file:
        write_nrrd(file, labels, Grid(SHAPE, MATRIX), lambda done, total: None, pairs)
    return path


def test_segments_of_slicer_are_known_by_their_names(tmp_path: Path) -> None:
    path = a_segmentation(
        tmp_path / "x.seg.nrrd", ("Right kidney", 1, ""), ("renal mass", 2, ""), ("liver tumor", 3, "")
    )

    found = read_label_map(path)

    assert (found.facts.kidney, found.facts.tumor) == ((1,), (2,))
    assert found.warnings == ("Labels that are no kidney or tumor were left out: 3 'liver tumor' (1.6 ml).",)


def test_segments_are_known_by_their_terminology_whatever_they_are_called(tmp_path: Path) -> None:
    code = "Segmentation.Status:done|TerminologyEntry:list~SCT^1^A~SCT^64033007^Kidney~^^~x~^^~^^|"

    found = read_label_map(a_segmentation(tmp_path / "x.nrrd", ("a", 2, ""), ("Niere", 3, code), ("Tumor_1", 1, "")))

    assert (found.facts.kidney, found.facts.tumor) == ((3,), (1,))


def test_our_own_segmentation_is_measured_as_the_labels(tmp_path: Path) -> None:
    write_segmentation(some_labels(), Volume(some_labels(), Grid(SHAPE, MATRIX)), tmp_path / "x.seg.nrrd")

    found = read_label_map(tmp_path / "x.seg.nrrd")

    np.testing.assert_array_equal(found.labels_kji, some_labels())
    assert found.warnings == ()


def test_labels_are_written_in_our_numbers_with_their_hash_in_the_report(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "x.nii", some_labels() * 20, MATRIX)
    written = tmp_path / "ours.seg.nrrd"

    report = measured(tmp_path, path, "--labels", "kidney=20", "tumor=40", "-o", written, "-o", tmp_path / "y.nii.gz")

    np.testing.assert_array_equal(read_label_map(written).labels_kji, some_labels())
    np.testing.assert_array_equal(read_file(tmp_path / "y.nii.gz").array_kji, some_labels())
    assert report.labels_sha256 is not None


def spoiled(change: str) -> np.ndarray:
    """Labels that are none."""
    labels = some_labels(np.float32)
    if change == "fractions":
        labels[0, 0, 0] = 0.5
    elif change == "below 0":
        labels = a_ct()
    elif change == "no numbers":
        labels[0, 0, 0] = np.nan
    elif change == "empty":
        labels[:] = 0
    elif change == "an image":
        labels = np.arange(labels.size, dtype=np.uint16).reshape(labels.shape) % 4000
    elif change == "others":
        labels[0, 0, :3] = 5
    elif change == "only others":
        labels[labels > 0] += 5
    return labels


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("fractions", "holds fractions, so it is an image and no label map"),
        ("below 0", "holds numbers below 0, so it is an image and no label map"),
        ("an image", "holds 3999 different numbers, so it is an image and no label map"),
        ("no numbers", "not numbers (NaN or infinite, first in slice 0); replace them, by 0 in labels and by -1000"),
        ("empty", "is empty: every voxel is 0"),
        ("others", "holds the labels 1, 2, 5, not 1 (kidney) and 2 (tumor) alone; say with --labels"),
        ("only others", "holds the labels 6, 7, not 1 (kidney) and 2 (tumor) alone; say with --labels"),
    ],
)
def test_what_are_no_labels_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, words: str
) -> None:
    path = write_nifti(tmp_path / "x.nii", spoiled(change), MATRIX)

    assert words in refusal(capsys, path)


def test_segments_of_other_names_and_numbers_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"No segment of .* is called kidney or tumor \(but 'Segment_1'\)"):
        read_label_map(a_segmentation(tmp_path / "x.seg.nrrd", ("Segment_1", 1, "")))
    with pytest.raises(BadInputError, match=r"shows neither kidney nor tumor \(its labels: 1, 2, 3\)"):
        read_label_map(tmp_path / "x.seg.nrrd", Numbers((8,)))


def test_labels_over_time_and_folders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_nifti(tmp_path / "x.nii", np.stack([some_labels()] * 2), MATRIX, pixdim=(1.0, 1.0, 4.0, 1.0))

    assert "is a 4D image" in refusal(capsys, tmp_path / "x.nii")
    assert f"'{tmp_path}' is a folder; give labels: .nii.gz, " in refusal(capsys, tmp_path)
    (tmp_path / "page.html").write_text("<html>", encoding="utf-8")
    assert "has an unknown ending; give labels: .nii.gz, " in refusal(capsys, tmp_path / "page.html")
    assert "does not exist; give labels of kidneys or tumors." in refusal(capsys, tmp_path / "no.nii")


SHIFTED = MATRIX.copy()
SHIFTED[0, 3] = 7
# About the axis of the slices, by an angle that no permutation and flip gives.
TILTED = MATRIX @ np.array([[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


@pytest.mark.parametrize(
    ("ct", "matrix", "words"),
    [
        (a_ct()[1:], MATRIX, "they have 60 x 30 x 12 voxels against 60 x 30 x 11"),
        (a_ct(), MATRIX @ np.diag([1, 1, 1.25, 1]), "they have voxels of 1 x 1 x 4 mm against 1 x 1 x 5 mm"),
        (a_ct(), TILTED, "they have axes that run otherwise"),
        (a_ct()[:, ::-1], MATRIX @ np.diag([1.0, -1, 1, 1]), "they have the first voxel at RAS"),
        (a_ct(), SHIFTED, "they have the first voxel at RAS (0.0, 0.0, 0.0) mm against (7.0, 0.0, 0.0) mm"),
    ],
    ids=["shape", "spacing", "axes", "turned elsewhere", "place"],
)
def test_a_ct_on_another_grid_is_refused_with_the_difference(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    labels_path: Path,
    ct: np.ndarray,
    matrix: np.ndarray,
    words: str,
) -> None:
    assert words in refusal(capsys, labels_path, "--ct", write_nifti(tmp_path / "ct.nii", ct, matrix))


@pytest.mark.parametrize(
    ("order", "flipped"),
    [((0, 1, 2), (1,)), ((0, 1, 2), (0, 1)), ((1, 0, 2), ()), ((2, 1, 0), (2,)), ((1, 2, 0), (0, 2))],
)
def test_labels_whose_axes_run_otherwise_than_the_ct_s_are_turned_and_lie_where_they_lay(
    tmp_path: Path, order: tuple[int, ...], flipped: tuple[int, ...]
) -> None:
    otherwise, grid = turned(some_labels(), Grid(SHAPE, MATRIX), order, flipped)
    ct = write_nifti(tmp_path / "ct.nii", a_ct(), MATRIX)
    labels = write_nifti(tmp_path / "x.nii", otherwise, grid.ijk_to_ras)

    report = measured(tmp_path, labels, "--ct", ct, "-o", tmp_path / "again.nii.gz")

    assert [(f.side, f.kind, f.hu_mean) for f in report.findings] == [
        ("right", "kidney", 120.0), ("left", "kidney", 120.0), ("right", "tumor", 60.0)
    ]  # fmt: skip
    np.testing.assert_array_equal(read_file(tmp_path / "again.nii.gz").array_kji, some_labels())


def test_a_label_map_as_the_ct_is_refused(capsys: pytest.CaptureFixture[str], labels_path: Path) -> None:
    assert "is no CT in Hounsfield units" in refusal(capsys, labels_path, "--ct", labels_path)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["kidney"], "cannot be read"),
        (["kidney=1", "kidney=2"], "cannot be read"),
        (["kidney=0"], "out of range"),
        (["tumor=99999"], "out of range"),
        (["kidney=1,2", "tumor=2"], "given twice"),
    ],
)
def test_a_mapping_that_is_none_is_refused(texts: list[str], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Numbers.parse(texts)


def test_nothing_that_is_read_is_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels_path: Path
) -> None:
    ct = write_nifti(tmp_path / "ct.nii.gz", a_ct(), MATRIX)

    assert "is the input itself" in refusal(capsys, labels_path, "-o", labels_path)
    assert "is the input itself" in refusal(capsys, labels_path, "--ct", ct, "-o", ct)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["-o", "x.seg.dcm", "--made-by", "manual"], "refers to the images of a DICOM CT; give it with --ct"),
        (["-o", "x.seg.dcm", "--ct", "ct.nii"], "says who made the labels; give --made-by manual, automatic:PROGRAM"),
        (["-o", "x.seg.dcm", "--ct", "ct.nii", "--made-by", "me"], "cannot be read from 'me'; give --made-by manual"),
        (["-o", "x.seg.dcm", "--ct", "ct.nii", "--made-by", "automatic:"], "cannot be read from 'automatic:'"),
        (["-o", "x.seg.dcm", "--ct", "ct.nii", "--made-by", "manual"], "refers to the images of a DICOM CT, and the"),
        (["--made-by", "manual"], "DICOM alone says who made the labels"),
        (["-o", "r.json", "--report", "s.json"], "'r.json' and 's.json' would be the same report; give one of them"),
        (
            ["-o", "x.seg.dcm", "--ct", "ct.nii", "--made-by", r"automatic:a\b"],
            "ASCII characters at most and no backslash",
        ),
        (["-o", "x.seg.dcm", "--ct", "ct.nii", "--made-by", "automatic:Zähler"], "64 ASCII characters at most"),
        (["--labels", "kidney=1", "x.nii"], "'x.nii' is no KIND=N; give LABELS, the file, before --labels"),
    ],
)
def test_an_output_that_labels_alone_cannot_have_is_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    labels_path: Path,
    given: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_nifti(tmp_path / "ct.nii", a_ct(), MATRIX)

    assert words in refusal(capsys, labels_path, *given)
    assert not (tmp_path / "x.seg.dcm").exists()


def test_no_package_of_dicom_or_networks_is_needed(labels_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pydicom", "highdicom", "torch", "openvino", "cv2", "SimpleITK"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails

    assert main(["measure", str(labels_path), "--progress", "none"]) == 0
