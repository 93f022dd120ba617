"""Which images of a DICOM folder are one CT, and what is refused, or told of, where that is not clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from seru.ct_check import check_is_ct
from seru.errors import BadInputError
from seru.io.images import read_volume
from Testing.seru.dicom_by_hand import MATRIX, ct_slice, rewrite, write_slices
from Testing.seru.image_files_by_hand import small_ct

LATER = small_ct() + np.int16(30)


def refusal(folder: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        read_volume(folder)
    return str(caught.value)


def shifted(mm: float) -> np.ndarray:
    matrix = MATRIX.copy()
    matrix[2, 3] += mm
    return matrix


def setting(**values: Any) -> Any:
    def edit(data: Any, k: int) -> None:
        for name, value in values.items():
            setattr(data, name, value(k) if callable(value) else value)

    return edit


def test_one_sop_instance_uid_for_all_slices_loses_none(tmp_path: Path) -> None:
    write_slices(tmp_path, setting(SOPInstanceUID="1.2.3"))

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "6 images of the series share their SOP instance UID" in check_is_ct(volume)[0]


def test_a_copy_under_another_name_is_left_out(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_slices(tmp_path / "again", acquisition=2)

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "6 files of the series are copies" in check_is_ct(volume)[0]


def test_two_images_of_one_name_and_place_are_refused(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_slices(tmp_path / "again", array_kji=LATER, edit=setting(AcquisitionNumber=1))

    assert "InstanceNumber" in refusal(tmp_path) or "same position" in refusal(tmp_path)


@pytest.mark.parametrize("shift", [1.25, 0.8, 0.0])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("AcquisitionNumber", (1, 2)),
        ("AcquisitionTime", ("101010.5", "101040.5")),
        ("ContentTime", ("101010", "101040")),
        ("TemporalPositionIdentifier", (1, 2)),
        ("ImageType", (["ORIGINAL", "PRIMARY"], ["DERIVED", "SECONDARY"])),
        ("ConvolutionKernel", ("B30f", "B60f")),
        ("EchoNumbers", (1, 2)),
    ],
)
def test_two_volumes_of_one_range_are_refused(tmp_path: Path, name: str, values: Any, shift: float) -> None:
    write_slices(tmp_path, setting(**{"InstanceNumber": None, "AcquisitionNumber": 1, name: values[0]}))
    write_slices(
        tmp_path,
        setting(**{"InstanceNumber": None, "AcquisitionNumber": 1, name: values[1]}),
        LATER,
        shifted(shift),
        acquisition=2,
    )

    message = refusal(tmp_path)

    assert "holds 2 volumes of the same range (6 and 6 slices" in message
    assert name in message


@pytest.mark.parametrize("first", [1, 7])
def test_two_volumes_that_only_their_numbers_tell_apart_are_refused(tmp_path: Path, first: int) -> None:
    write_slices(tmp_path)
    later = setting(AcquisitionNumber=1, InstanceNumber=lambda k: first + k)
    write_slices(tmp_path, later, LATER, shifted(1.25), acquisition=2)

    assert "holds 2 volumes of the same range (6 and 6 slices, told apart by InstanceNumber)" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["AcquisitionTime", "AcquisitionDateTime", "ContentTime"])
def test_two_volumes_that_only_the_clock_tells_apart_are_refused(tmp_path: Path, name: str) -> None:
    start = "20260101" * (name == "AcquisitionDateTime") + "1010"
    for acquisition, seconds in ((1, 10), (2, 40)):
        edit = setting(
            **{"InstanceNumber": None, "AcquisitionNumber": 1, name: lambda k, s=seconds: f"{start}{s + k}.5"}
        )
        write_slices(tmp_path, edit, small_ct() + np.int16(seconds), shifted(0.04 * seconds), acquisition)

    assert f"told apart by {name}" in refusal(tmp_path)


def test_a_few_slices_of_another_acquisition_are_refused(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_slices(tmp_path, None, LATER[:2], shifted(3.0), acquisition=2)

    assert "told apart by AcquisitionNumber" in refusal(tmp_path)


@pytest.mark.parametrize(
    "edit",
    [
        setting(AcquisitionNumber=lambda k: k, AcquisitionTime=lambda k: f"1010{k:02d}"),
        setting(AcquisitionNumber=lambda k: k // 2),
        setting(ContentTime=lambda k: f"1010{(k * 5) % 4:02d}"),
        setting(ContentTime=lambda k: f"1010{k // 2:02d}", InstanceNumber=None),
        setting(InstanceNumber=lambda k: 99 - k),
        setting(InstanceNumber=lambda k: (k * 5) % 6),
        setting(InstanceNumber=lambda k: (k * 3) % 7),
        setting(InstanceNumber=0),
        setting(InstanceNumber=None),
        setting(SliceLocation=lambda k: -k),
        setting(SpacingBetweenSlices=0),
        setting(SpacingBetweenSlices=-2.5),
        setting(SpacingBetweenSlices=2.6, SliceThickness=5),
    ],
)
def test_the_positions_alone_make_the_volume(tmp_path: Path, edit: Any) -> None:
    write_slices(tmp_path, edit)

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    np.testing.assert_allclose(volume.grid.ijk_to_ras, MATRIX, atol=1e-4)
    assert check_is_ct(volume) == []


def test_every_other_slice_of_a_series_is_told_of(tmp_path: Path) -> None:
    write_slices(tmp_path, setting(SpacingBetweenSlices=1.25))

    volume = read_volume(tmp_path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, MATRIX, atol=1e-4)
    assert [note.partition(";")[0] for note in volume.notes] == [
        "The positions of the slices are 2.50 mm apart and the headers say 1.25 mm"
    ]


def test_directions_that_are_not_of_length_1_do_not_change_the_pixel_size(tmp_path: Path) -> None:
    write_slices(tmp_path, setting(ImageOrientationPatient=["0.99", "0", "0", "0", "0.99", "0"]))

    volume = read_volume(tmp_path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, MATRIX, atol=1e-4)
    assert "not of length 1 (off by 0.010)" in check_is_ct(volume)[0]


@pytest.mark.parametrize(
    ("directions", "words"),
    [
        (["0.6", "0", "0", "0", "0.6", "0"], "no unit vectors"),
        (["1", "0", "0", "0.05", "0.998749", "0"], "not perpendicular"),
        (["1", "0", "0", "1", "0", "0"], "not perpendicular"),
    ],
)
def test_directions_that_are_none_are_refused(tmp_path: Path, directions: list[str], words: str) -> None:
    write_slices(tmp_path, setting(ImageOrientationPatient=directions))

    assert words in refusal(tmp_path)


def test_directions_that_differ_by_rounding_are_one(tmp_path: Path) -> None:
    write_slices(
        tmp_path, setting(ImageOrientationPatient=lambda k: [1, f"{k * 1e-5:.6f}", 0, f"{-k * 1e-5:.6f}", 1, 0])
    )

    assert check_is_ct(read_volume(tmp_path)) == []


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (setting(PatientID=lambda k: str(k // 3)), "mixes images of 2 patients"),
        (setting(FrameOfReferenceUID=lambda k: f"1.2.{k // 3}"), "2 frames of reference"),
        (setting(SeriesInstanceUID=lambda k: f"1.2.{k}"), "Each of the 6 CT images"),
        (setting(PixelSpacing=lambda k: [0.8, 0.8 + 0.1 * (k > 2)]), "different pixel sizes"),
    ],
)
def test_images_that_do_not_belong_together_are_refused(tmp_path: Path, edit: Any, words: str) -> None:
    write_slices(tmp_path, edit)

    assert words in refusal(tmp_path)


def test_several_studies_in_a_series_are_told_of(tmp_path: Path) -> None:
    write_slices(tmp_path, setting(StudyInstanceUID=lambda k: f"1.2.{k // 3}"))

    assert "name 2 studies" in check_is_ct(read_volume(tmp_path))[0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ImagePositionPatient": None}, "CT image without a position"),
        ({"Modality": "SEG"}, "(SEG)"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66", "PixelData": None}, "CT document"),
        ({"NumberOfFrames": 2, "SeriesInstanceUID": "1.2.3"}, "multi-frame CT"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "CT color picture"),
    ],
)
def test_an_image_of_the_series_that_is_no_slice_is_told_of(tmp_path: Path, values: Any, words: str) -> None:
    paths = write_slices(tmp_path)
    rewrite(paths[-1], setting(**values))
    if values.get("PixelData", "") is None:
        rewrite(paths[-1], lambda data, k: data.__delattr__("PixelData"))

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct()[:-1])
    assert words in check_is_ct(volume)[0]
    assert paths[-1].name in check_is_ct(volume)[0]


def test_patients_without_an_id_are_told_apart_by_name(tmp_path: Path) -> None:
    write_slices(tmp_path, setting(PatientID="", PatientName=lambda k: "A^B" if k < 3 else "C^D"))

    assert "mixes images of 2 patients" in refusal(tmp_path)


def test_one_id_with_names_in_several_ways_is_one_patient(tmp_path: Path) -> None:
    write_slices(tmp_path, setting(PatientName=lambda k: "A^B" if k < 3 else "A B"))

    assert check_is_ct(read_volume(tmp_path)) == []


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("values", [{"Modality": "ct"}, {"RescaleType": "Hounsfield"}, {"RescaleType": "UNSPECIFIED"}])
def test_other_words_for_a_ct_in_hounsfield_units_are_known(tmp_path: Path, values: dict[str, str]) -> None:
    write_slices(tmp_path, setting(**values))

    assert check_is_ct(read_volume(tmp_path)) == []


def test_two_patients_in_a_folder_are_told_of(tmp_path: Path) -> None:
    write_slices(tmp_path)
    write_slices(tmp_path / "b", setting(SeriesInstanceUID="1.2.9", PatientID="8"), LATER, acquisition=2)

    assert "2 CT series of 2 patients; the one" in check_is_ct(read_volume(tmp_path))[0]


@pytest.mark.parametrize("word", ["MAX_IP", "MIN_IP", "MIP"])
def test_projections_are_told_of(tmp_path: Path, word: str) -> None:
    write_slices(tmp_path, setting(ImageType=["DERIVED", "SECONDARY", "AXIAL", word]))

    assert f"projections through several slices ({word})" in check_is_ct(read_volume(tmp_path))[0]


def bytes_of(data: Any, is_implicit: bool) -> bytes:
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = is_implicit, True
    write_dataset(stream, Dataset({tag: data[tag] for tag in data.keys()}))  # noqa: SIM118, of tags
    return stream.getvalue()


@pytest.mark.parametrize(
    ("syntax", "is_implicit"),
    [(None, True), (None, False), (ExplicitVRLittleEndian, True), (ImplicitVRLittleEndian, False)],
)
def test_a_series_encoded_otherwise_than_it_says_is_read(tmp_path: Path, syntax: str | None, is_implicit: bool) -> None:
    meta = b""
    if syntax is not None:
        value = syntax.encode() + b"\0" * (len(syntax) % 2)
        meta = bytes(128) + b"DICM\x02\0\x10\0UI" + len(value).to_bytes(2, "little") + value
    for k in range(6):
        (tmp_path / f"{k}.dcm").write_bytes(meta + bytes_of(ct_slice(small_ct(), k), is_implicit))

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert check_is_ct(volume) == []
