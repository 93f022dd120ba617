"""DICOM segmentations: each voxel lies where the CT's headers say that it lies; nothing of a patient is made up."""

from __future__ import annotations

import itertools
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cli import main
from seru.cohort.outputs import Outputs
from seru.errors import BadInputError
from seru.files import replacing
from seru.io.dicom_seg import write_dicom_seg
from seru.io.dicom_source import SourceHeaders
from seru.io.images import read_volume
from seru.options import SegType
from seru.volume import Volume
from Testing.seru.dicom_by_hand import write_slices
from Testing.seru.dicom_seg_by_hand import (
    ALGORITHM,
    SHAPE,
    frames_of,
    places_by_the_ct,
    places_of,
    read_series,
    some_labels,
    written,
)
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")

# Every way in which three axes can lie along right, front and up: half of them mirrored.
ORIENTATIONS = [
    np.eye(3)[:, order] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


@pytest.mark.parametrize("number", range(len(ORIENTATIONS)))
def test_every_orientation_lies_where_the_ct_lies(tmp_path: Path, number: int) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = ORIENTATIONS[number] * (0.8, 0.9, 2.5)
    matrix[:3, 3] = 10, -20, 30
    volume = read_series(tmp_path / "ct", matrix)

    made = written(volume, some_labels(), tmp_path / "x.seg.dcm")

    assert places_of(made) == places_by_the_ct(volume, some_labels())


@pytest.mark.parametrize("position", ["HFS", "FFS", "HFDL", "FFP"])
@pytest.mark.parametrize("seg_type", ["binary", "labelmap"])
def test_an_oblique_patient_in_any_position_lies_where_the_ct_lies(
    tmp_path: Path, seg_type: SegType, position: str
) -> None:
    volume = read_series(tmp_path / "ct", oblique(), lambda data, k: setattr(data, "PatientPosition", position))

    made = written(volume, some_labels(), tmp_path / "x.seg.dcm", seg_type)

    assert places_of(made) == places_by_the_ct(volume, some_labels())


def test_each_frame_refers_to_the_image_that_it_lies_on(tmp_path: Path) -> None:
    volume = read_series(tmp_path / "ct", oblique())

    made = written(volume, some_labels(), tmp_path / "x.seg.dcm")

    images = [pydicom.dcmread(file.open()) for file in volume.slice_files]
    places = {image.SOPInstanceUID: image.ImagePositionPatient for image in images}
    referred = []
    for facts in made.PerFrameFunctionalGroupsSequence:
        (source,) = facts.DerivationImageSequence[0].SourceImageSequence
        referred.append(source.ReferencedSOPInstanceUID)
        position = facts.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(position, places[source.ReferencedSOPInstanceUID], atol=1e-3)
    assert sorted(referred) == [images[1].SOPInstanceUID, images[2].SOPInstanceUID, images[2].SOPInstanceUID]
    assert made.ReferencedSeriesSequence[0].SeriesInstanceUID == volume.source["series_uid"]


def test_measures_are_those_of_the_positions_whatever_the_header_says(tmp_path: Path) -> None:
    def wrong(data: Any, k: int) -> None:
        data.SpacingBetweenSlices, data.SliceThickness = "-5", "3"

    volume = read_series(tmp_path / "ct", edit=wrong)

    measures = written(volume, some_labels(), tmp_path / "x.seg.dcm").SharedFunctionalGroupsSequence[0]

    (found,) = measures.PixelMeasuresSequence
    assert found.SpacingBetweenSlices == 2.5
    assert found.SliceThickness == 2.5
    assert [float(value) for value in found.PixelSpacing] == [0.9, 0.8]


def test_segments_have_terms_and_the_algorithm(tmp_path: Path) -> None:
    made = written(read_series(tmp_path / "ct"), some_labels(), tmp_path / "x.seg.dcm")

    found = []
    for segment in made.SegmentSequence:
        kind, category = segment.SegmentedPropertyTypeCodeSequence, segment.SegmentedPropertyCategoryCodeSequence
        found.append((segment.SegmentNumber, segment.SegmentLabel, category[0].CodeValue, kind[0].CodeValue))
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert (segment.SegmentAlgorithmType, algorithm.AlgorithmName) == ("AUTOMATIC", "SERU")
        assert algorithm.AlgorithmParameters == "model=seru-tiny,alpha=0.4"
    assert found == [(1, "Kidney", "123037004", "64033007"), (2, "Tumor", "49755003", "108369006")]
    assert made.SegmentSequence[1].AnatomicRegionSequence[0].CodeValue == "64033007"


def test_patient_and_study_are_the_ct_s_and_nothing_else(tmp_path: Path) -> None:
    def deidentified(data: Any, k: int) -> None:
        data.PatientID, data.PatientName, data.PatientSex = "anon-7", "Anon", "U"
        data.PatientIdentityRemoved, data.DeidentificationMethod = "YES", "by hand"
        data.StudyDate, data.OperatorsName, data.InstitutionName = "19000101", "Someone", "Somewhere"

    made = written(read_series(tmp_path / "ct", edit=deidentified), some_labels(), tmp_path / "x.seg.dcm")

    assert (made.PatientID, made.PatientName, made.PatientSex) == ("anon-7", "Anon", "U")
    assert (made.PatientIdentityRemoved, made.DeidentificationMethod, made.StudyDate) == ("YES", "by hand", "19000101")
    assert (made.StudyInstanceUID, made.FrameOfReferenceUID) == ("1.2.826", "1.2.826.9")
    assert not made.PatientBirthDate
    assert not made.AccessionNumber
    assert "OperatorsName" not in made
    assert "InstitutionName" not in made


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 192", "Дмитрий^Ж=山田"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ],
)
def test_a_name_in_any_script_stays_as_it_is(tmp_path: Path, charset: Any, name: str) -> None:
    def named(data: Any, k: int) -> None:
        data.SpecificCharacterSet, data.PatientName = charset, name

    made = written(read_series(tmp_path / "ct", edit=named), some_labels(), tmp_path / "x.seg.dcm")

    assert made.PatientName == name


@pytest.mark.filterwarnings("error")
def test_odd_values_of_the_ct_are_copied_without_a_word(tmp_path: Path) -> None:
    def odd(data: Any, k: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data.StudyDate, data.PatientBirthDate, data.StudyID = "2019.1.1", "unknown", "a" * 30

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_slices(tmp_path / "ct", odd, small_ct(SHAPE))
    volume = read_volume(tmp_path / "ct")

    headers = SourceHeaders.read(volume.slice_files)
    path = tmp_path / "x.seg.dcm"
    write_dicom_seg(some_labels(), volume.grid, headers, ALGORITHM, "binary", path, replacing)

    assert b"2019.1.1" in path.read_bytes()
    assert b"a" * 30 in path.read_bytes()


def test_probabilities_are_stored_as_they_are(tmp_path: Path) -> None:
    volume = read_series(tmp_path / "ct")
    kidney, tumor = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    kidney[1, 2, 3], kidney[3, 0, 0], tumor[1, 2, 3] = 200, 1, 55

    made = written(volume, some_labels(), tmp_path / "x.seg.dcm", "fractional", probabilities=(kidney, tumor))

    frames = frames_of(made)
    assert (made.SegmentationType, made.SegmentationFractionalType) == ("FRACTIONAL", "PROBABILITY")
    assert made.MaximumFractionalValue == 255
    assert len(frames) == 3
    assert sorted(frames[:, 2, 3].tolist()) == [0, 55, 200]
    assert sorted(frames[:, 0, 0].tolist()) == [0, 0, 1]
    assert np.count_nonzero(frames) == 3


def test_an_empty_result_is_one_empty_frame_a_segment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = written(read_series(tmp_path / "ct"), np.zeros(SHAPE, np.uint8), tmp_path / "x.seg.dcm")

    assert made.NumberOfFrames == 2
    assert not caplog.records
    assert not frames_of(made).any()


def refusal(path: Path, volume: Volume) -> str:
    with pytest.raises(BadInputError) as caught:
        Outputs(path).check_fit(volume)
    return str(caught.value)


@pytest.mark.parametrize("name", ["FrameOfReferenceUID", "SOPInstanceUID", "StudyInstanceUID", "SOPClassUID"])
def test_images_that_cannot_be_referred_to_are_refused_before_any_work(tmp_path: Path, name: str) -> None:
    volume = read_series(tmp_path / "ct", edit=lambda data, k: data.__delattr__(name))

    assert f"headers lack {name}, without which no DICOM result can refer to them" in refusal(
        tmp_path / "x.seg.dcm", volume
    )


def test_images_that_share_their_names_are_refused(tmp_path: Path) -> None:
    volume = read_series(tmp_path / "ct", edit=lambda data, k: setattr(data, "SOPInstanceUID", "1.2.3"))

    assert "share their SOP instance UID" in refusal(tmp_path / "x.seg.dcm", volume)


def test_a_missing_highdicom_is_told_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = read_series(tmp_path / "ct")
    monkeypatch.setitem(sys.modules, "highdicom", None)

    assert "pip install highdicom" in refusal(tmp_path / "x.seg.dcm", volume)


def test_a_ct_that_is_no_dicom_is_refused_in_one_sentence(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())

    code = main(
        ["segment", str(tmp_path / "ct.nii.gz"), "-o", str(tmp_path / "x.seg.dcm"), "--model", str(tiny_model),
         "--progress", "none"]
    )  # fmt: skip

    said = "seru: 'x.seg.dcm' refers to the images of a DICOM CT, and the input is none; give .seg.nrrd or .nii.gz.\n"
    assert (code, capsys.readouterr().err) == (2, said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct.nii.gz"]


def test_fuse_has_no_headers_to_refer_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuse", str(tmp_path), "-o", str(tmp_path / "x.seg.dcm"), "--alpha", "1", "--progress", "none"]) == 2

    assert "Maps hold no DICOM headers; run 'seru segment'" in capsys.readouterr().err


@pytest.mark.parametrize("seg_type", ["binary", "fractional"])
def test_several_outputs_are_written_together(tmp_path: Path, tiny_model: Path, seg_type: str) -> None:
    write_slices(tmp_path / "ct")
    outputs = [tmp_path / name for name in ("a.nii.gz", "b.seg.nrrd", "c.seg.dcm")]
    given = [text for path in outputs for text in ("-o", str(path))]

    code = main(
        ["segment", str(tmp_path / "ct"), *given, "--seg-type", seg_type, "--model", str(tiny_model), "--threads", "1",
         "--progress", "none"]
    )  # fmt: skip

    made = pydicom.dcmread(outputs[2])
    assert code == 0
    assert made.SegmentationType == seg_type.upper()
    labels = read_volume(outputs[0]).array_kji
    np.testing.assert_array_equal(read_volume(outputs[1]).array_kji, labels)
    if seg_type == "binary":
        assert places_of(made) == places_by_the_ct(read_volume(tmp_path / "ct"), labels)


def test_one_of_several_outputs_that_cannot_be_written_leaves_none(tmp_path: Path, tiny_model: Path) -> None:
    write_slices(tmp_path / "ct", lambda data, k: data.__delattr__("FrameOfReferenceUID"))
    outputs = [tmp_path / name for name in ("a.nii.gz", "c.seg.dcm")]

    code = main(
        ["segment", str(tmp_path / "ct"), "-o", str(outputs[0]), "-o", str(outputs[1]), "--model", str(tiny_model),
         "--progress", "none"]
    )  # fmt: skip

    assert code == 2
    assert not any(path.exists() for path in outputs)


def test_two_outputs_of_one_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="are the same format; give one output of each ending"):
        Outputs.of_several([tmp_path / "a.nrrd", tmp_path / "b.nrrd"], None, None, None)
    outputs = Outputs.of_several([tmp_path / "a.nrrd", tmp_path / "b.seg.nrrd"], None, None, None)
    assert outputs.labels() == [tmp_path / "a.nrrd", tmp_path / "b.seg.nrrd"]
