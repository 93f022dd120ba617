"""DICOM segmentations: each voxel lies where the CT's headers say that it lies; nothing of a patient is made up."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cli import main
from seru.cohort.outputs import Outputs
from seru.errors import BadInputError
from seru.files import replacing
from seru.findings import KIDNEY, TUMOR
from seru.io.dicom_seg import Algorithm, write_dicom_seg
from seru.io.dicom_source import SourceHeaders
from seru.io.images import read_volume
from seru.options import SegType
from seru.volume import Volume
from Testing.seru.dicom_by_hand import MATRIX, Edit, write_slices
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom", reason="highdicom is not installed")

SHAPE = (4, 5, 6)
ALGORITHM = Algorithm("1.2.3", "seru-tiny", 0.4)
# Every way in which three axes can lie along right, front and up: half of them mirrored.
ORIENTATIONS = [
    np.eye(3)[:, order] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
Places = dict[str, set[tuple[float, ...]]]


def some_labels() -> np.ndarray:
    """A kidney of three voxels and a tumor of two, on two of four slices, alike in no mirror."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 0, :2], labels[2, 3, 4] = KIDNEY, KIDNEY
    labels[2, 3, 5], labels[2, 4, 5] = TUMOR, TUMOR
    return labels


def read_series(folder: Path, matrix: np.ndarray = MATRIX, edit: Edit | None = None) -> Volume:
    write_slices(folder, edit, small_ct(SHAPE), matrix)
    return read_volume(folder)


def written(volume: Volume, labels: np.ndarray, path: Path, seg_type: SegType = "binary", **given: Any) -> Any:
    headers = SourceHeaders.read(volume.slice_files)
    write_dicom_seg(labels, volume.grid, headers, ALGORITHM, seg_type, path, replacing, **given)
    return pydicom.dcmread(path)


def frames_of(made: Any) -> np.ndarray:
    """The frames of a segmentation, uint8, shape (n, rows, columns)."""
    shape = made.NumberOfFrames, made.Rows, made.Columns
    if made.BitsAllocated == 1:
        bits = np.frombuffer(made.PixelData, np.uint8)
        return np.unpackbits(bits, bitorder="little")[: np.prod(shape)].reshape(shape)
    return np.frombuffer(made.PixelData, np.uint8)[: np.prod(shape)].reshape(shape)


def places_in(image: Any, pixels: np.ndarray, orientation: Any, spacing: Any, position: Any) -> set[tuple[float, ...]]:
    """LPS of the pixels that are not 0, PS3.3 C.7.6.2.1.1."""
    along_row, along_column = np.reshape(np.array(orientation, float), (2, 3))
    rows, columns = np.nonzero(pixels)
    between_rows, between_columns = map(float, spacing)
    start = np.array(position, float)
    found = start + np.outer(columns * between_columns, along_row) + np.outer(rows * between_rows, along_column)
    return {tuple(np.round(place, 2) + 0.0) for place in found}


def places_of(made: Any) -> Places:
    """LPS of each segment's voxels, by what the segmentation itself says."""
    shared = made.SharedFunctionalGroupsSequence[0]
    orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    found: Places = {"Kidney": set(), "Tumor": set()}
    for frame, facts in zip(frames_of(made), made.PerFrameFunctionalGroupsSequence, strict=True):
        position = facts.PlanePositionSequence[0].ImagePositionPatient
        for segment in made.SegmentSequence:
            if segment.SegmentNumber == 0:
                continue
            if "SegmentIdentificationSequence" in facts:
                number = facts.SegmentIdentificationSequence[0].ReferencedSegmentNumber
                pixels = frame if number == segment.SegmentNumber else np.zeros_like(frame)
            else:
                pixels = frame == segment.SegmentNumber
            found[segment.SegmentLabel] |= places_in(made, pixels, orientation, spacing, position)
    return found


def places_by_the_ct(volume: Volume, labels: np.ndarray) -> Places:
    """LPS of the labels' voxels, by the header of each plane's own file."""
    found: Places = {"Kidney": set(), "Tumor": set()}
    for file, plane in zip(volume.slice_files, labels, strict=True):
        image = pydicom.dcmread(file)
        for name, label in (("Kidney", KIDNEY), ("Tumor", TUMOR)):
            found[name] |= places_in(
                image, plane == label, image.ImageOrientationPatient, image.PixelSpacing, image.ImagePositionPatient
            )
    return found


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

    images = [pydicom.dcmread(file) for file in volume.slice_files]
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


def test_an_empty_result_is_one_empty_frame_a_segment(tmp_path: Path) -> None:
    made = written(read_series(tmp_path / "ct"), np.zeros(SHAPE, np.uint8), tmp_path / "x.seg.dcm")

    assert made.NumberOfFrames == 2
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
