"""DICOM folders: which series, in which order, where in space, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from seru.ct_check import check_is_ct
from seru.errors import BadInputError
from seru.io.images import read_volume
from Testing.seru.image_files_by_hand import itk_matrix, oblique, small_ct, write_dicom


def test_slices_are_sorted_by_position_and_rescaled(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct(), oblique())

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.array_kji.dtype == np.int16
    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-4)
    assert volume.source["format"] == "dicom"
    assert volume.source["series_uid"] == "1.2.826.1"
    assert check_is_ct(volume) == []


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 0, 1), (0, 1, 2)])
def test_sagittal_and_coronal_series_lie_where_itk_has_them(tmp_path: Path, axes: tuple[int, int, int]) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, axes] * (-0.8, 0.8, 2.5)
    matrix[:3, 3] = 10, -20, 30
    write_dicom(tmp_path, small_ct(), matrix)

    volume = read_volume(tmp_path)

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    np.testing.assert_array_equal(volume.array_kji, sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(image), atol=1e-4)


@pytest.mark.parametrize("compressor", ["JPEG2000", "JPEG"])
def test_compressed_slices_are_read(tmp_path: Path, compressor: str) -> None:
    write_dicom(tmp_path, small_ct(), oblique(), compressor=compressor)

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


def test_fractional_rescaling_is_kept(tmp_path: Path) -> None:
    for path in write_dicom(tmp_path, small_ct(), oblique()):
        # GDCM writes whole slopes only: element (0028,1053) of two characters.
        element = b"\x28\x00\x53\x10\x02\x00\x00\x00"
        data = path.read_bytes().replace(element + b"1 ", element + b".5")
        path.write_bytes(data)

    volume = read_volume(tmp_path)

    assert volume.array_kji.dtype == np.float32
    np.testing.assert_array_equal(volume.array_kji, (small_ct().astype(np.float32) + 1024) * 0.5 - 1024)


def test_the_ct_series_with_most_slices_is_taken_and_said_so(tmp_path: Path) -> None:
    write_dicom(tmp_path / "thin", small_ct((8, 32, 40)), oblique(), series="1.2.826.2")
    write_dicom(tmp_path / "thick", small_ct(), oblique(), series="1.2.826.1")
    write_dicom(tmp_path / "mr", small_ct((12, 32, 40)), oblique(), series="1.2.826.3", t0008_0060="MR")

    volume = read_volume(tmp_path)

    assert volume.source["series_uid"] == "1.2.826.2"
    assert volume.array_kji.shape == (8, 32, 40)
    assert "2 CT series" in check_is_ct(volume)[0]


def test_a_series_can_be_chosen(tmp_path: Path) -> None:
    write_dicom(tmp_path / "thin", small_ct((8, 32, 40)), oblique(), series="1.2.826.2")
    write_dicom(tmp_path / "thick", small_ct(), oblique(), series="1.2.826.1")

    volume = read_volume(tmp_path, "1.2.826.1")

    assert volume.array_kji.shape == (6, 32, 40)
    assert check_is_ct(volume) == []
    with pytest.raises(BadInputError, match=r"no CT series 9\.9; it has 1\.2\.826\.2 \(8 slices\)"):
        read_volume(tmp_path, "9.9")


def test_localizers_and_other_files_are_left_out(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct(), oblique())
    write_dicom(
        tmp_path, small_ct((1, 64, 64)), np.eye(4), prefix="scout", t0008_0008="ORIGINAL\\PRIMARY\\LOCALIZER",
        t0008_0018="1.9", series="1.2.826.1",
    )  # fmt: skip
    (tmp_path / "readme.txt").write_text("not an image" * 100)
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"index")
    (tmp_path / "empty.dcm").write_bytes(b"")

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


def test_copies_of_a_slice_are_left_out(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, small_ct(), oblique())
    shutil.copy(paths[2], tmp_path / "copy.dcm")

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "is a copy of another" in check_is_ct(volume)[0]


def test_a_single_slice_takes_its_thickness(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct((1, 32, 40)), oblique())

    volume = read_volume(tmp_path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-4)


def test_rounded_positions_are_no_gap(tmp_path: Path) -> None:
    values = small_ct((5, 32, 40))
    for k, jitter in enumerate([0.0, 0.04, -0.05, 0.03, 0.0]):
        write_dicom(
            tmp_path, values, np.diag([-1, -1, 2.5, 1.0]), numbers=[k], t0020_0032=f"0\\0\\{k * 2.5 + jitter:.3f}"
        )

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, values)
    assert volume.grid.spacing_ijk_mm == pytest.approx((1, 1, 2.5))


def refusal(folder: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        read_volume(folder)
    return str(caught.value)


def test_a_missing_slice_is_named(tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, small_ct(), np.diag([-1, -1, 2.5, 1.0]))
    paths[3].unlink()

    assert "slices are missing: 5.00 mm between slices 3 and 4 of 5, where 2.50 mm is usual" in refusal(tmp_path)


def test_uneven_spacing_is_named(tmp_path: Path) -> None:
    for k, place in enumerate([0.0, 2.5, 5.0, 8.0, 10.5, 13.0]):
        write_dicom(tmp_path, small_ct(), np.diag([-1, -1, 2.5, 1.0]), numbers=[k], t0020_0032=f"0\\0\\{place}")

    assert "unevenly spaced: 3.00 mm between slices 3 and 4 of 6" in refusal(tmp_path)


def test_a_step_that_no_gantry_takes_is_refused(tmp_path: Path) -> None:
    for k in range(6):
        write_dicom(
            tmp_path, small_ct(), np.diag([-1, -1, 2.5, 1.0]), numbers=[k], t0020_0032=f"0\\{k * 2.7:.2f}\\{k * 2.5}"
        )

    assert "sheared by 47.20 degrees" in refusal(tmp_path)


def test_two_acquisitions_at_the_same_places_are_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct(), oblique())
    for k in range(6):
        write_dicom(tmp_path, small_ct() + np.int16(5), oblique(), prefix="again", numbers=[k], t0008_0018=f"1.9.{k}")

    assert "two different images at the same position" in refusal(tmp_path)


def test_a_series_of_two_image_sizes_is_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct(), oblique())
    write_dicom(tmp_path, small_ct((8, 16, 20)), oblique(), prefix="small", numbers=[6, 7])

    assert "mixes images of 20 x 16 and 40 x 32 pixels" in refusal(tmp_path)


def test_a_series_of_two_directions_is_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct(), oblique())
    write_dicom(tmp_path, small_ct((8, 32, 40)), np.diag([-0.8, -0.9, 2.5, 1.0]), prefix="other", numbers=[6, 7])

    assert "mixes images of different directions" in refusal(tmp_path)


def test_a_folder_without_a_ct_says_what_it_holds(tmp_path: Path) -> None:
    write_dicom(tmp_path, small_ct(), oblique(), t0008_0060="MR")

    assert "holds no CT series (found: 6 MR)" in refusal(tmp_path)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")

    assert "found: no DICOM images" in refusal(tmp_path)


@pytest.mark.parametrize("left", [0.95, 0.5, 0.2])
@pytest.mark.parametrize("compressor", ["", "JPEG2000"])
def test_a_cut_slice_is_named(tmp_path: Path, left: float, compressor: str) -> None:
    values = np.random.default_rng(0).integers(-1000, 1000, (6, 32, 40)).astype(np.int16)
    path = write_dicom(tmp_path, values, oblique(), compressor=compressor)[2]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])

    assert f"'{path}' is cut or damaged" in refusal(tmp_path)


def test_a_real_series_is_read_as_itk_reads_it(data_folder: Path) -> None:
    folder = data_folder / "ct" / "cptac_pda" / "dicom"

    volume = read_volume(folder)

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    np.testing.assert_array_equal(volume.array_kji, sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(image), atol=1e-6)
    assert volume.array_kji.min() == -3024
    assert check_is_ct(volume) == []
