"""DICOM segmentations as labels that are measured: any grid, frames in any order, and what is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cli import main
from seru.errors import BadInputError
from seru.io import dicom_seg_input
from seru.io.images import read_volume, write_labels
from seru.io.label_maps import Numbers, read_label_map
from seru.options import SegType
from seru.volume import Volume
from Testing.seru.dicom_by_hand import MATRIX, write_slices
from Testing.seru.dicom_seg_by_hand import SHAPE, read_series, some_labels, written
from Testing.seru.image_files_by_hand import oblique
from Testing.seru.programs import run_program

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")

MIRRORED = np.array([[0.0, 0, -2.5, 30], [-0.9, 0, 0, 10], [0, 0.8, 0, -20], [0, 0, 0, 1]])


def saved(made: Any, path: Path) -> Path:
    made.save_as(path)
    return path


def places(labels: np.ndarray, volume: Volume) -> dict[int, set[tuple[float, ...]]]:
    """RAS of the voxels of each label."""
    return {
        label: {tuple(np.round(volume.grid.ras_of_ijk(kji[::-1]), 2) + 0.0) for kji in np.argwhere(labels == label)}
        for label in (1, 2)
    }


@pytest.mark.parametrize("seg_type", ["binary", "labelmap"])
@pytest.mark.parametrize("matrix", [MATRIX, MIRRORED, oblique()], ids=["straight", "mirrored", "oblique"])
def test_each_voxel_lies_where_it_lay_with_and_without_the_ct(
    tmp_path: Path, seg_type: SegType, matrix: np.ndarray
) -> None:
    ct = read_series(tmp_path / "ct", matrix)
    written(ct, some_labels(), tmp_path / "x.seg.dcm", seg_type)

    on_ct, alone = (read_label_map(tmp_path / "x.seg.dcm", ct=given) for given in (ct, None))

    np.testing.assert_array_equal(on_ct.labels_kji, some_labels())
    assert on_ct.warnings == ()
    assert alone.grid.shape_kji == (4, 5, 6)  # planes 1 and 2, and an empty one on each side of them
    assert places(alone.labels_kji, Volume(alone.labels_kji, alone.grid)) == places(some_labels(), ct)
    assert "leaves out planes that show nothing" in alone.warnings[0]
    assert (alone.facts.format, alone.facts.kidney, alone.facts.tumor) == ("dicom", (1,), (2,))


def test_frames_may_be_in_any_order(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    made = written(ct, some_labels(), tmp_path / "x.seg.dcm")
    bits = np.unpackbits(np.frombuffer(made.PixelData, np.uint8), bitorder="little")[: 3 * 30].reshape(3, 30)
    order = [2, 0, 1]
    made.PixelData = np.packbits(bits[order], bitorder="little").tobytes()
    made.PerFrameFunctionalGroupsSequence = [made.PerFrameFunctionalGroupsSequence[n] for n in order]

    found = read_label_map(saved(made, tmp_path / "y.dcm"), ct=ct)

    np.testing.assert_array_equal(found.labels_kji, some_labels())


def test_labels_lie_on_a_ct_whose_axes_run_otherwise(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    written(ct, some_labels(), tmp_path / "x.seg.dcm")
    flip = np.eye(4)
    flip[1, 1], flip[1, 3] = -1, SHAPE[1] - 1
    other = Volume.from_array(ct.array_kji[:, ::-1], ct.grid.ijk_to_ras @ flip)

    found = read_label_map(tmp_path / "x.seg.dcm", ct=other)

    np.testing.assert_array_equal(found.labels_kji, some_labels()[:, ::-1])


@pytest.mark.parametrize("change", ["shifted", "coarser", "smaller"])
def test_a_ct_with_other_voxels_is_refused(tmp_path: Path, change: str) -> None:
    ct = read_series(tmp_path / "ct")
    written(ct, some_labels(), tmp_path / "x.seg.dcm")
    matrix, array = ct.grid.ijk_to_ras.copy(), ct.array_kji
    if change == "shifted":
        matrix[0, 3] += 0.4
    elif change == "coarser":
        matrix[:3, 2] *= 0.8
    else:
        array = array[:2]

    with pytest.raises(BadInputError, match="do not lie on the voxels of the CT"):
        read_label_map(tmp_path / "x.seg.dcm", ct=Volume.from_array(array, matrix))


def test_planes_farther_apart_than_the_ct_s_slices_are_told(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    labels = some_labels()
    labels[3], labels[2] = labels[2], 0
    written(ct, labels, tmp_path / "x.seg.dcm")

    found = read_label_map(tmp_path / "x.seg.dcm", ct=ct)

    assert found.warnings == (
        "The planes of the segmentation are 5 mm apart and the CT's 2.5 mm: nothing is labelled between them, and "
        "volumes are too small.",
    )


def test_planes_that_are_missing_between_are_empty(tmp_path: Path) -> None:
    labels = np.zeros((9, 5, 6), np.uint8)
    labels[[1, 2, 6], 2, 2:4] = 1
    ct = read_series(tmp_path / "ct")
    tall = Volume.from_array(np.resize(ct.array_kji, (9, 5, 6)), MATRIX)
    folder = tmp_path / "tall"
    write_slices(folder, None, tall.array_kji, MATRIX)
    written(read_volume(folder), labels, tmp_path / "x.seg.dcm")

    found = read_label_map(tmp_path / "x.seg.dcm")

    np.testing.assert_array_equal(found.labels_kji, labels[:8])


def coded(name: str, code: tuple[str, str, str], region: tuple[str, str, str] | None) -> Callable[[Any], None]:
    """Changes what the first segment is."""

    def change(made: Any) -> None:
        segment = made.SegmentSequence[0]
        segment.SegmentLabel = name
        kind = segment.SegmentedPropertyTypeCodeSequence[0]
        kind.CodingSchemeDesignator, kind.CodeValue, kind.CodeMeaning = code
        if region is not None:
            where = pydicom.Dataset()
            where.CodingSchemeDesignator, where.CodeValue, where.CodeMeaning = region
            segment.AnatomicRegionSequence = [where]

    return change


@pytest.mark.parametrize(
    ("change", "kidney", "tumor"),
    [
        (coded("Segment_1", ("SRT", "T-71000", "Kidney"), None), (1,), (2,)),
        (coded("x", ("SCT", "18639004", "Left kidney"), None), (1,), (2,)),
        (coded("x", ("SCT", "4147007", "Mass"), ("SCT", "64033007", "Kidney")), (), (1, 2)),
        (coded("Right Kidney", ("SCT", "85756007", "Tissue"), None), (1,), (2,)),
        (coded("Tumor", ("SCT", "108369006", "Neoplasm"), ("SCT", "10200004", "Liver")), (), (2,)),
        (coded("Spleen", ("SCT", "78961009", "Spleen"), None), (), (2,)),
    ],
    ids=["old code", "left kidney", "mass of the kidney", "by its name", "tumor of the liver", "spleen"],
)
def test_segments_are_known_by_their_codes_then_by_their_names(
    tmp_path: Path, change: Callable[[Any], None], kidney: tuple[int, ...], tumor: tuple[int, ...]
) -> None:
    ct = read_series(tmp_path / "ct")
    made = written(ct, some_labels(), tmp_path / "x.seg.dcm")
    change(made)

    found = read_label_map(saved(made, tmp_path / "y.dcm"), ct=ct)

    assert (found.facts.kidney, found.facts.tumor) == (kidney, tumor)
    is_left_out = 1 not in (*kidney, *tumor)
    assert any("were left out: 1 " in warning for warning in found.warnings) == is_left_out


def test_numbers_that_are_given_go_before_codes(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    written(ct, some_labels(), tmp_path / "x.seg.dcm")

    found = read_label_map(tmp_path / "x.seg.dcm", Numbers(kidney=(2,)), ct=ct)

    np.testing.assert_array_equal(found.labels_kji, some_labels() == 2)
    assert found.warnings == ("Segments that are no kidney or tumor were left out: 1 'Kidney'.",)


def test_a_deflated_file_is_read_in_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ct = read_series(tmp_path / "ct")
    made = written(ct, some_labels(), tmp_path / "x.seg.dcm")
    made.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian

    np.testing.assert_array_equal(read_label_map(saved(made, tmp_path / "y.dcm"), ct=ct).labels_kji, some_labels())
    monkeypatch.setattr(dicom_seg_input, "_MOST_BYTES", 1000)
    with pytest.raises(BadInputError, match="inflates to more than"):
        read_label_map(tmp_path / "y.dcm")


def test_a_label_map_by_rle_is_read_and_other_compression_is_refused(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    made = written(ct, some_labels(), tmp_path / "x.seg.dcm", "labelmap")
    made.compress(pydicom.uid.RLELossless, encoding_plugin="pydicom")

    np.testing.assert_array_equal(read_label_map(saved(made, tmp_path / "y.dcm"), ct=ct).labels_kji, some_labels())
    made.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
    with pytest.raises(BadInputError, match=r"is compressed \(JPEG 2000"):
        read_label_map(saved(made, tmp_path / "z.dcm"), ct=ct)


def test_where_kidney_and_tumor_overlap_it_is_tumor(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    made = written(ct, some_labels(), tmp_path / "x.seg.dcm")
    bits = np.unpackbits(np.frombuffer(made.PixelData, np.uint8), bitorder="little")
    bits[:90] = 1  # every frame is full: of the kidney's, then of the tumor's
    made.PixelData = np.packbits(bits, bitorder="little").tobytes()
    labels = np.zeros(SHAPE, np.uint8)
    labels[1], labels[2] = 1, 2

    found = read_label_map(saved(made, tmp_path / "y.dcm"), ct=ct)

    np.testing.assert_array_equal(found.labels_kji, labels)
    assert found.warnings == ("Where kidney and tumor overlap (0.1 ml), it was taken for tumor.",)


def test_another_series_than_the_ct_s_is_told(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    written(ct, some_labels(), tmp_path / "x.seg.dcm")
    other = Volume(ct.array_kji, ct.grid, {"series_uid": "1.2.3"})

    assert read_label_map(tmp_path / "x.seg.dcm", ct=other).warnings == (
        "The segmentation refers to another series than the CT's: check that they belong together.",
    )


def spoil(made: Any, change: str) -> None:
    frames = made.PerFrameFunctionalGroupsSequence
    if change == "a frame less":
        made.PerFrameFunctionalGroupsSequence = frames[1:]
    elif change == "twice":
        frames[1].PlanePositionSequence = frames[0].PlanePositionSequence
    elif change == "turned":
        for frame in frames:
            frame.PlaneOrientationSequence = made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        del made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        turned = pydicom.Dataset()
        turned.ImageOrientationPatient = [0, 1, 0, 1, 0, 0]
        frames[1].PlaneOrientationSequence = [turned]
    elif change == "no position":
        del frames[0].PlanePositionSequence
    elif change == "NaN":
        frames[0].PlanePositionSequence[0]["ImagePositionPatient"]._value = [float("nan")] * 3
    elif change == "uneven":
        frames[0].PlanePositionSequence[0].ImagePositionPatient[2] = 1e6
    elif change == "no such segment":
        frames[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 7
    elif change == "cut":
        made.PixelData = made.PixelData[:4]
    elif change == "an image":
        made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.2", "CT"
    elif change == "empty":
        made.PixelData = bytes(len(made.PixelData))
    elif change == "others":
        for item in made.SegmentSequence:
            item.SegmentLabel, item.SegmentedPropertyTypeCodeSequence[0].CodeValue = "Aorta", "15825003"
            item.AnatomicRegionSequence = []
    elif change == "no segments":
        made.SegmentSequence = []
    elif change == "fractions":
        made.SegmentationType = "FRACTIONAL"
    elif change == "no pixels":
        del made.PixelData
    elif change == "no size":
        made.Rows = 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("a frame less", "does not say where each of its frames lies"),
        ("twice", "has two frames of one segment at one place"),
        ("turned", "differ in direction or in pixel size"),
        ("no position", "is a damaged DICOM segmentation"),
        ("uneven", "lie up to 9999"),
        ("no such segment", "is of segment 7, which it does not have"),
        ("cut", "ends before its pixels do"),
        ("an image", "is a DICOM file ('CT') and no segmentation"),
        ("empty", "shows neither kidney nor tumor (its segments: 1 'Kidney', 2 'Tumor')"),
        ("others", "is called kidney or tumor (but 'Aorta', 'Aorta')"),
        ("no segments", "is of segment 1, which it does not have"),
        ("fractions", "holds fractions ('FRACTIONAL') and no labels"),
        ("no pixels", "is a damaged DICOM segmentation"),
        ("no size", "would hold 3 x 0 x 6 pixels"),
    ],
)
def test_what_is_no_segmentation_of_kidneys_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, words: str
) -> None:
    made = written(read_series(tmp_path / "ct"), some_labels(), tmp_path / "x.seg.dcm")
    spoil(made, change)
    path = saved(made, tmp_path / "y.dcm")

    assert main(["measure", str(path), "--progress", "none"]) == 2

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert words in told


def test_any_cut_of_a_file_is_one_sentence(tmp_path: Path) -> None:
    written(read_series(tmp_path / "ct"), some_labels(), tmp_path / "x.seg.dcm")
    content = (tmp_path / "x.seg.dcm").read_bytes()

    for length in range(140, len(content), 97):
        (tmp_path / "y.dcm").write_bytes(content[:length])
        with pytest.raises(BadInputError):
            read_label_map(tmp_path / "y.dcm")


def test_the_command_measures_our_own_segmentation_as_the_labels(tmp_path: Path) -> None:
    ct = read_series(tmp_path / "ct")
    written(ct, some_labels(), tmp_path / "x.seg.dcm")
    report, again = tmp_path / "r.json", tmp_path / "o.nii.gz"

    given = ["--ct", str(tmp_path / "ct"), "--report", str(report), "-o", str(again), "--progress", "none"]
    assert main(["measure", str(tmp_path / "x.seg.dcm"), *given]) == 0

    np.testing.assert_array_equal(read_volume(again).array_kji, some_labels())


META = {
    "ContentCreatorName": "a", "ClinicalTrialSeriesID": "1", "ClinicalTrialTimePointID": "1", "SeriesDescription": "x",
    "SeriesNumber": "9", "InstanceNumber": "1", "BodyPartExamined": "KIDNEY",
    "segmentAttributes": [[
        {
            "labelID": label, "SegmentDescription": name, "SegmentLabel": name, "SegmentAlgorithmType": "MANUAL",
            "SegmentedPropertyCategoryCodeSequence": {
                "CodeValue": "123037004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Anatomical Structure"
            },
            "SegmentedPropertyTypeCodeSequence": {
                "CodeValue": code, "CodingSchemeDesignator": "SCT", "CodeMeaning": name
            },
        }
        for label, name, code in ((1, "Kidney", "64033007"), (2, "Neoplasm", "108369006"))
    ]],
}  # fmt: skip


@pytest.mark.parametrize("mode", ["binary", "labelmap"])
@pytest.mark.parametrize("matrix", [MATRIX, MIRRORED], ids=["straight", "mirrored"])
def test_what_dcmqi_writes_is_read(tmp_path: Path, mode: str, matrix: np.ndarray) -> None:
    ct = read_series(tmp_path / "ct", matrix)
    write_labels(some_labels(), ct, tmp_path / "x.nrrd")
    (tmp_path / "x.json").write_text(json.dumps(META), encoding="utf-8")
    given = {"inputDICOMDirectory": "ct", "inputImageList": "x.nrrd", "inputMetadata": "x.json", "outputDICOM": "x.dcm"}

    files = [text for name, file in given.items() for text in (f"--{name}", str(tmp_path / file))]
    options = ["--segmentationType", mode, "--skip", "1", "--noDicomValueChecks"]
    run_program("itkimage2segimage", "dcmqi", *options, *files)

    found = read_label_map(tmp_path / "x.dcm", ct=ct)
    np.testing.assert_array_equal(found.labels_kji, some_labels())
    assert (found.facts.kidney, found.facts.tumor) == ((1,), (2,))
