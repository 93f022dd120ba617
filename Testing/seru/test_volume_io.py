"""Reading CT files and writing label maps: the same voxels at the same places as ITK has them."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from seru.ct_check import check_is_ct
from seru.errors import BadInputError, CancelledError
from seru.files import FileGroup
from seru.io.images import read_volume, write_labels, write_volume
from seru.progress import Progress
from seru.volume import Volume
from Testing.seru.image_files_by_hand import (
    itk_image,
    itk_matrix,
    oblique,
    small_ct,
    write_nifti,
    write_nifti_2,
    write_nrrd,
)

ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
LABEL_ENDINGS = (".nii.gz", ".nrrd", ".mha")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_oblique_ct_is_read_where_itk_has_it(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"ct{ending}"
    sitk.WriteImage(itk_image(small_ct(), oblique()), str(path))

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.array_kji.dtype == np.int16
    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-4)
    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(sitk.ReadImage(str(path))), atol=1e-5)
    assert check_is_ct(volume) == []


@pytest.mark.parametrize("code", ["LPS", "RAS", "IPL", "SAR", "PLI"])
def test_any_axis_order_is_read_where_itk_has_it(tmp_path: Path, code: str) -> None:
    image = sitk.DICOMOrient(itk_image(small_ct(), np.diag([-0.7, -0.8, 2.0, 1.0])), code)
    for ending in ENDINGS:
        sitk.WriteImage(image, str(tmp_path / f"ct{ending}"))

        volume = read_volume(tmp_path / f"ct{ending}")

        np.testing.assert_array_equal(volume.array_kji, sitk.GetArrayViewFromImage(image))
        np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(image), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_whole_hounsfield_units_become_int16_whatever_the_file_holds(tmp_path: Path, dtype: type, ending: str) -> None:
    path = tmp_path / f"ct{ending}"
    sitk.WriteImage(itk_image(small_ct().astype(dtype), oblique()), str(path))

    volume = read_volume(path)

    assert volume.array_kji.dtype == np.int16
    np.testing.assert_array_equal(volume.array_kji, small_ct())


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_fractions_of_hounsfield_units_are_kept(tmp_path: Path, ending: str) -> None:
    values = small_ct().astype(np.float32)
    values[4:] += 0.25
    path = tmp_path / f"ct{ending}"
    sitk.WriteImage(itk_image(values, oblique()), str(path))

    volume = read_volume(path)

    assert volume.array_kji.dtype == np.float32
    np.testing.assert_array_equal(volume.array_kji, values)


def test_numbers_beyond_16_bits_are_clipped_not_wrapped(tmp_path: Path) -> None:
    values = small_ct().astype(np.int32)
    values[0, 0, :2] = 40_000, -70_000
    sitk.WriteImage(itk_image(values, oblique()), str(tmp_path / "ct.nrrd"))

    volume = read_volume(tmp_path / "ct.nrrd")

    assert volume.array_kji[0, 0, :2].tolist() == [32767, -32768]


def test_a_nifti_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    stored = ((small_ct().astype(np.int32) + 1024) // 2).astype(np.int16)
    path = write_nifti(tmp_path / "ct.nii.gz", stored, oblique(), slope=2.0, intercept=-1024.0)

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, stored * 2 - 1024)
    assert volume.array_kji.dtype == np.int16


def test_a_nifti_slope_of_zero_means_unscaled(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), oblique(), slope=0.0, intercept=-500.0)

    np.testing.assert_array_equal(read_volume(path).array_kji, small_ct())


def test_big_endian_and_version_2_nifti_are_read(tmp_path: Path) -> None:
    big = read_volume(write_nifti(tmp_path / "big.nii", small_ct(), oblique(), order=">"))
    second = read_volume(write_nifti_2(tmp_path / "second.nii", small_ct(), oblique()))

    for volume in (big, second):
        np.testing.assert_array_equal(volume.array_kji, small_ct())
        np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-4)


@pytest.mark.parametrize("codes", list(itertools.product(range(5), range(5))))
def test_of_two_nifti_orientations_the_one_that_itk_takes_counts(tmp_path: Path, codes: tuple[int, int]) -> None:
    path = write_nifti(
        tmp_path / "ct.nii",
        small_ct(),
        oblique((1.0, 2.0, 3.0)),
        codes=codes,
        quaternion=(0.1, -0.2, 0.3),
        offset=(7.0, 8.0, 9.0),
        qfac=-1.0,
    )

    volume = read_volume(path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(sitk.ReadImage(str(path))), atol=1e-4)
    assert [note.split(" of the NIfTI")[0] for note in volume.notes] == (
        ["The NIfTI header gives no orientation, so left and right are a guess; check them."]
        if codes == (0, 0)
        else ["The qform and the sform"] * (min(codes) > 0)
    )


def test_a_matrix_that_is_perpendicular_but_for_rounding_is_accepted(tmp_path: Path) -> None:
    matrix = oblique()
    matrix[:3, 0] += 5e-4 * matrix[:3, 1]
    path = write_nifti(tmp_path / "ct.nii.gz", small_ct(), matrix)

    volume = read_volume(path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, matrix, atol=1e-4)


def test_an_unsigned_ct_is_shifted_and_said_so(tmp_path: Path) -> None:
    sitk.WriteImage(itk_image((small_ct() + 1024).astype(np.uint16), oblique()), str(tmp_path / "ct.nrrd"))

    volume = read_volume(tmp_path / "ct.nrrd")

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert [text for text in check_is_ct(volume) if "1024" in text]


@pytest.mark.parametrize("padding", [-1024, -2048, -32768])
def test_an_unsigned_ct_is_shifted_within_its_padding_alone(tmp_path: Path, padding: int) -> None:
    stored = small_ct() + np.int16(1024)
    stored[stored < 100] -= np.arange(np.sum(stored < 100)).astype(np.int16) % 80  # noise of air, also below 0
    right = stored - np.int16(1024)
    stored[:, :6] = padding
    sitk.WriteImage(itk_image(stored, oblique()), str(tmp_path / "ct.nii.gz"))

    volume = read_volume(tmp_path / "ct.nii.gz")

    assert (volume.array_kji[:, :6] == padding).all()
    np.testing.assert_array_equal(volume.array_kji[:, 6:], right[:, 6:])
    assert volume.notes == ("The values are a CT's plus 1024 (air near 0); 1024 was subtracted.",)


def test_air_and_fat_below_zero_are_no_padding(tmp_path: Path) -> None:
    values = small_ct()
    values[:, 12:20, 15:25] = 1100  # dense as a metal implant
    sitk.WriteImage(itk_image(values, oblique()), str(tmp_path / "ct.nii.gz"))

    np.testing.assert_array_equal(read_volume(tmp_path / "ct.nii.gz").array_kji, values)


@pytest.mark.parametrize("padding", [-3024, -2000, -32768])
def test_padding_around_the_field_of_view_is_kept(tmp_path: Path, padding: int) -> None:
    values = small_ct()
    values[:, :6] = padding
    sitk.WriteImage(itk_image(values, oblique()), str(tmp_path / "ct.nii.gz"))

    volume = read_volume(tmp_path / "ct.nii.gz")

    np.testing.assert_array_equal(volume.array_kji, values)
    assert check_is_ct(volume) == []


def test_a_single_slice_is_read(tmp_path: Path) -> None:
    sitk.WriteImage(itk_image(small_ct((1, 32, 40)), oblique()), str(tmp_path / "ct.nii.gz"))

    volume = read_volume(tmp_path / "ct.nii.gz")

    assert volume.array_kji.shape == (1, 32, 40)
    check_is_ct(volume)


def test_long_and_foreign_names_are_read_and_written(tmp_path: Path) -> None:
    folder = tmp_path / "Lékař 医生 ß" / ("x" * 120) / ("y" * 120)
    folder.mkdir(parents=True)
    for ending in LABEL_ENDINGS:
        path = folder / f"Břicho {'z' * 200}{ending}"
        write_volume(Volume.from_array(small_ct(), oblique()), path)

        volume = read_volume(path)

        np.testing.assert_array_equal(volume.array_kji, small_ct())
        np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-4)


@pytest.mark.parametrize("ending", LABEL_ENDINGS)
@pytest.mark.parametrize("matrix", [oblique(), np.diag([1.0, -2.0, 3.0, 1.0]), np.diag([-0.5, -0.5, 5.0, 1.0])])
def test_labels_lie_on_the_inputs_own_grid(tmp_path: Path, ending: str, matrix: np.ndarray) -> None:
    labels = np.random.default_rng(0).integers(0, 3, (6, 32, 40)).astype(np.uint8)
    path = tmp_path / f"labels{ending}"

    write_labels(labels, Volume.from_array(small_ct(), matrix), path)

    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image), labels)
    assert image.GetPixelID() == sitk.sitkUInt8
    np.testing.assert_allclose(itk_matrix(image), matrix, atol=1e-4 if ending == ".nii.gz" else 1e-12)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", LABEL_ENDINGS)
def test_labels_of_a_file_have_its_grid_digit_for_digit(tmp_path: Path, ending: str) -> None:
    sitk.WriteImage(itk_image(small_ct(), oblique()), str(tmp_path / f"ct{ending}"))
    volume = read_volume(tmp_path / f"ct{ending}")

    write_labels(np.zeros((6, 32, 40), np.uint8), volume, tmp_path / f"labels{ending}")

    again = read_volume(tmp_path / f"labels{ending}")
    np.testing.assert_allclose(again.grid.ijk_to_ras, volume.grid.ijk_to_ras, rtol=1e-14, atol=1e-13)


def test_the_same_labels_give_the_same_bytes(tmp_path: Path) -> None:
    volume = Volume.from_array(small_ct(), oblique())
    labels = np.ones((6, 32, 40), np.uint8)
    for name in ("first", "second"):
        for ending in LABEL_ENDINGS:
            write_labels(labels, volume, tmp_path / f"{name}{ending}")

    for ending in LABEL_ENDINGS:
        assert (tmp_path / f"first{ending}").read_bytes() == (tmp_path / f"second{ending}").read_bytes()


@pytest.mark.parametrize("ending", LABEL_ENDINGS)
def test_an_older_file_stays_when_writing_is_cancelled(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"labels{ending}"
    path.write_bytes(b"older")
    progress = Progress()
    progress.cancel()

    with pytest.raises(CancelledError):
        write_labels(np.zeros((6, 32, 40), np.uint8), Volume.from_array(small_ct(), oblique()), path, progress)

    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_stays_when_another_one_of_its_group_fails(tmp_path: Path) -> None:
    path = tmp_path / "labels.nii.gz"
    path.write_bytes(b"older")
    labels, volume = np.zeros((6, 32, 40), np.uint8), Volume.from_array(small_ct(), oblique())

    def write_and_fail() -> None:
        with FileGroup() as group:
            write_labels(labels, volume, path, opener=group.open)
            raise BadInputError("The disk is full.")

    with pytest.raises(BadInputError, match="full"):
        write_and_fail()

    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_reading_stops_when_cancelled(tmp_path: Path, ending: str) -> None:
    write_volume(Volume.from_array(small_ct(), oblique()), tmp_path / f"ct{ending}")
    progress = Progress()
    progress.cancel()

    with pytest.raises(CancelledError):
        read_volume(tmp_path / f"ct{ending}", progress=progress)


def test_a_magnetic_resonance_range_is_no_ct() -> None:
    values = np.abs(np.random.default_rng(0).normal(300, 300, (8, 40, 40))).astype(np.int16)
    values[:, :12] = 3

    with pytest.raises(BadInputError, match="no CT in Hounsfield units"):
        check_is_ct(Volume.from_array(values, np.eye(4)))


@pytest.mark.parametrize("shift", [0, -1])
def test_a_ct_in_the_wrong_byte_order_is_none(shift: int) -> None:
    with pytest.raises(BadInputError, match="no CT in Hounsfield units"):
        check_is_ct(Volume.from_array((small_ct() + np.int16(shift)).byteswap(), np.eye(4)))


def test_a_ct_clipped_to_a_window_is_still_a_ct() -> None:
    assert check_is_ct(Volume.from_array(np.clip(small_ct(), -79, 304), np.eye(4))) == []


@pytest.mark.parametrize("name", ["ircadb1_07", "totalseg_example"])
def test_a_real_ct_is_read_as_itk_reads_it(data_folder: Path, name: str) -> None:
    path = data_folder / "ct" / name / "imaging.nii.gz"

    volume = read_volume(path)

    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(volume.array_kji, sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(image), atol=1e-6)
    assert check_is_ct(volume) == []


_MEASURE = """
import resource, sys
sys.path[:0] = sys.argv[2:]
import numpy, SimpleITK
from seru.io.images import read_volume
import seru.io.dicom
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
volume = read_volume(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / volume.array_kji.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
@pytest.mark.parametrize("ending", [".nii", ".nrrd"])
def test_reading_holds_hardly_more_than_the_volume_itself(tmp_path: Path, ending: str) -> None:
    shape = (160, 512, 512)
    path = tmp_path / f"ct{ending}"
    if ending == ".nii":
        write_nifti(path, np.broadcast_to(np.int16(40), (1, 2, 2)), oblique())
        header = bytearray(path.read_bytes()[:352])
        header[42:48] = np.array(shape[::-1], "<i2").tobytes()
    else:
        write_nrrd(path, np.zeros((1, 1, 1), np.int16), np.diag([0.8, 0.8, 2.5]).tolist(), "raw")
        header = path.read_bytes()[:-2].replace(b"sizes: 1 1 1", b"sizes: 512 512 160")
    path.write_bytes(bytes(header))
    os.truncate(path, len(header) + 2 * int(np.prod(shape)))  # a hole in the file reads as zeros
    folders = [entry for entry in sys.path if entry]

    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, path, *folders], capture_output=True, encoding="utf-8", check=True
    )

    assert float(done.stdout) < 1.6


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.ones((5, 32, 40), np.uint8), "must be equal"),
        (np.ones((40, 32, 6), np.uint8), "must be equal"),
        (np.full((6, 32, 40), 257), "not whole numbers from 0 to 255"),
        (np.full((6, 32, 40), -1), "not whole numbers from 0 to 255"),
        (np.full((6, 32, 40), 0.7), "not whole numbers from 0 to 255"),
        (np.full((6, 32, 40), np.nan), "not whole numbers from 0 to 255"),
    ],
)
def test_what_are_no_labels_of_the_ct_are_not_written(tmp_path: Path, labels: np.ndarray, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        write_labels(labels, Volume.from_array(small_ct(), oblique()), tmp_path / "labels.nii.gz")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32])
def test_labels_of_any_type_are_written_as_they_are(tmp_path: Path, dtype: type) -> None:
    labels = small_ct() > 0

    write_labels(labels.astype(dtype), Volume.from_array(small_ct(), oblique()), tmp_path / "labels.nii.gz")

    np.testing.assert_array_equal(read_volume(tmp_path / "labels.nii.gz").array_kji, labels)


def test_a_ct_with_fractions_is_written_rounded_and_within_16_bits(tmp_path: Path) -> None:
    values = np.array([[[-0.6, 0.6, -99.7, 40_000.0, -1e9]]], np.float32)

    write_volume(Volume.from_array(values, np.diag([-0.8, -0.8, 2, 1])), tmp_path / "ct.mha")

    assert read_volume(tmp_path / "ct.mha").array_kji.tolist() == [[[-1, 1, -100, 32_767, -32_768]]]


def test_a_ct_with_1024_added_and_noise_in_its_air_is_no_ct() -> None:
    noise = np.random.default_rng(0).normal(0, 40, small_ct().shape)

    with pytest.raises(BadInputError, match="subtract 1024"):
        check_is_ct(Volume.from_array(small_ct() + 1024 + noise, oblique()))
