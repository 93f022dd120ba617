"""NIfTI files that contradict themselves or leave something open: refused, or taken with a warning."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.io.images import read_volume, write_labels, write_volume
from seru.volume import Volume
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti, write_nifti_2

STRAIGHT = np.diag([-0.8, -0.8, 2.5, 1.0])


def with_bytes(path: Path, place: int, value: bytes) -> Path:
    """Change bytes of a plain file."""
    data = bytearray(path.read_bytes())
    data[place : place + len(value)] = value
    path.write_bytes(data)
    return path


def compressed(path: Path) -> Path:
    (path.parent / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    return path.parent / f"{path.name}.gz"


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 2.4e9, -352.0, 0.0, 348.0, 352.5])
def test_voxels_that_begin_at_no_byte_after_the_header_are_refused(
    tmp_path: Path, value: float, is_compressed: bool
) -> None:
    path = with_bytes(write_nifti(tmp_path / "ct.nii", small_ct(), oblique()), 108, np.float32(value).tobytes())

    with pytest.raises(BadInputError, match="its voxels are said to begin at byte"):
        read_volume(compressed(path) if is_compressed else path)


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize(("place", "said"), [(368.0, "shorter than"), (353.0, "shorter than")])
def test_voxels_that_the_length_of_the_file_puts_elsewhere_are_refused(
    tmp_path: Path, place: float, said: str, is_compressed: bool
) -> None:
    path = with_bytes(write_nifti(tmp_path / "ct.nii", small_ct(), oblique()), 108, np.float32(place).tobytes())

    with pytest.raises(BadInputError, match=said):
        read_volume(compressed(path) if is_compressed else path)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_an_extension_that_the_header_does_not_count_is_refused(tmp_path: Path, is_compressed: bool) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), oblique())
    data = path.read_bytes()
    path.write_bytes(data[:352] + b"\x10\0\0\0\x06\0\0\0comments" + data[352:])

    with pytest.raises(BadInputError, match="holds more than its header says"):
        read_volume(compressed(path) if is_compressed else path)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_an_extension_that_the_header_counts_is_stepped_over(tmp_path: Path, is_compressed: bool) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), oblique())
    data = path.read_bytes()
    path.write_bytes(data[:352] + b"\x10\0\0\0\x06\0\0\0comments" + data[352:])
    with_bytes(path, 108, np.float32(368).tobytes())

    np.testing.assert_array_equal(read_volume(compressed(path) if is_compressed else path).array_kji, small_ct())


def test_zeros_behind_the_voxels_are_left_out_and_told(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), oblique())
    path.write_bytes(path.read_bytes() + bytes(160))

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.notes == ("The file holds 160 zeros behind its voxels, which were left out; check that it is whole.",)


def test_gzip_in_several_streams_with_zeros_behind_is_read(tmp_path: Path) -> None:
    data = write_nifti(tmp_path / "x.nii", small_ct(), oblique()).read_bytes()
    streams = (
        gzip.compress(data[:100]) + gzip.compress(b"") + gzip.compress(data[100:9000]) + gzip.compress(data[9000:])
    )
    (tmp_path / "ct.nii.gz").write_bytes(streams + bytes(512))

    volume = read_volume(tmp_path / "ct.nii.gz")

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.notes == ()


def test_a_stream_for_each_byte_is_read(tmp_path: Path) -> None:
    data = write_nifti(tmp_path / "x.nii", small_ct(), oblique()).read_bytes()
    (tmp_path / "ct.nii.gz").write_bytes(b"".join(gzip.compress(data[n : n + 1], 1) for n in range(len(data))))

    np.testing.assert_array_equal(read_volume(tmp_path / "ct.nii.gz").array_kji, small_ct())


@pytest.mark.parametrize(
    "behind",
    [b"\x01", gzip.compress(b"more"), bytes(1 << 18), b"\0" * 100 + b"x"],
    ids=["a byte", "a stream", "many zeros", "zeros and a byte"],
)
def test_more_behind_a_gzip_stream_is_refused(tmp_path: Path, behind: bytes) -> None:
    path = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    path.write_bytes(path.read_bytes() + behind)

    with pytest.raises(BadInputError, match="cut or damaged"):
        read_volume(path)


def test_a_name_that_lies_about_compression_does_no_harm(tmp_path: Path) -> None:
    plain = write_nifti(tmp_path / "ct.nii", small_ct(), oblique())
    packed = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    plain.rename(tmp_path / "plain.nii.gz")
    packed.rename(tmp_path / "packed.nii")

    for name in ("plain.nii.gz", "packed.nii"):
        np.testing.assert_array_equal(read_volume(tmp_path / name).array_kji, small_ct())


@pytest.mark.parametrize(("magic", "said"), [(b"ni1\0", "header of a NIfTI pair"), (b"\0" * 4, "is an Analyze file")])
def test_a_pair_of_header_and_image_is_named_as_such(tmp_path: Path, magic: bytes, said: str) -> None:
    path = with_bytes(write_nifti(tmp_path / "ct.nii", small_ct(), oblique()), 344, magic)

    with pytest.raises(BadInputError, match=said):
        read_volume(path)


def test_sizes_whose_product_is_beyond_64_bits_are_refused(tmp_path: Path) -> None:
    sizes = np.array([1 << 31, 1 << 31, 4], "<i8").tobytes()
    path = with_bytes(write_nifti_2(tmp_path / "ct.nii", small_ct(), oblique()), 24, sizes)

    with pytest.raises(BadInputError, match="2147483648 x 2147483648 x 4 voxels, which no CT has"):
        read_volume(path)


@pytest.mark.parametrize(
    ("unit", "per_mm", "note"),
    [(1, 0.001, "converted"), (2, 1.0, ""), (3, 1000.0, "converted"), (0, 1.0, "names no unit"), (10, 1.0, "")],
)
def test_lengths_become_millimetres_and_other_units_are_told(
    tmp_path: Path, unit: int, per_mm: float, note: str
) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), np.diag([*np.diag(STRAIGHT)[:3] * per_mm, 1]), units=unit)

    volume = read_volume(path)

    assert volume.grid.spacing_ijk_mm == pytest.approx((0.8, 0.8, 2.5), rel=1e-5)
    assert [note in text for text in volume.notes] == [True] * bool(note)


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="NIfTI unit 5"):
        read_volume(write_nifti(tmp_path / "ct.nii", small_ct(), oblique(), units=5))


@pytest.mark.parametrize(
    ("quaternion", "offset", "qfac", "said"),
    [
        ((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0, "an axis runs the other way"),
        ((0.0, 0.0, 1.0), (5.0, 0.0, 0.0), 1.0, "places differ by up to 5.0 mm"),
        ((0.0, 0.0, 1.0), (np.nan, 0.0, 0.0), 1.0, "one of them is no matrix of an image"),
        ((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), -1.0, "an axis runs the other way"),
    ],
)
def test_two_orientations_that_disagree_are_told(
    tmp_path: Path, quaternion: tuple[float, float, float], offset: tuple[float, float, float], qfac: float, said: str
) -> None:
    path = write_nifti(
        tmp_path / "ct.nii", small_ct(), STRAIGHT, codes=(1, 1), quaternion=quaternion, offset=offset, qfac=qfac
    )

    volume = read_volume(path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, STRAIGHT, atol=1e-5)
    assert volume.notes == (
        f"The qform and the sform of the NIfTI header disagree ({said}); the sform was taken, as 3D Slicer does: "
        "check left and right.",
    )


def test_of_two_voxel_sizes_the_taken_one_is_told(tmp_path: Path) -> None:
    sform = np.diag([-0.8, -0.8, 3.0, 1.0])
    path = write_nifti(
        tmp_path / "ct.nii", small_ct(), sform, pixdim=(0.8, 0.8, 2.5), codes=(1, 2), quaternion=(0.0, 0.0, 1.0)
    )

    volume = read_volume(path)

    np.testing.assert_allclose(volume.grid.ijk_to_ras, STRAIGHT, atol=1e-5)
    assert "they give two voxel sizes); the qform was taken" in volume.notes[0]


def test_two_orientations_that_agree_but_for_rounding_are_taken_without_a_word(tmp_path: Path) -> None:
    near = STRAIGHT.copy()
    near[:3, 3] += 0.1
    path = write_nifti(tmp_path / "ct.nii", small_ct(), near, codes=(1, 1), quaternion=(0.0, 0.0, 1.0))

    assert read_volume(path).notes == ()


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_a_slope_that_is_none_leaves_the_numbers(tmp_path: Path, slope: float) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), oblique(), slope=slope, intercept=np.nan)

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.notes == ()


def test_an_infinite_slope_is_left_out_and_told(tmp_path: Path) -> None:
    volume = read_volume(write_nifti(tmp_path / "ct.nii", small_ct(), oblique(), slope=np.inf))

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "infinite" in volume.notes[0]


def test_a_slope_without_an_intercept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="scaled by 1 and nan"):
        read_volume(write_nifti(tmp_path / "ct.nii", small_ct(), oblique(), intercept=np.nan))


def test_numbers_that_overflow_when_scaled_are_refused_without_a_word_of_numpy(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = write_nifti(tmp_path / "ct.nii", np.full((2, 4, 4), 1e300), oblique(), slope=1e30)
    with_bytes(path, 112, np.float32(1e38).tobytes())

    with pytest.raises(BadInputError, match="not numbers"):
        read_volume(path)

    assert not recwarn.list


@pytest.mark.parametrize("offset", [1e20, 3e38])
def test_a_place_beyond_all_measure_is_refused_without_a_word_of_numpy(
    tmp_path: Path, offset: float, recwarn: pytest.WarningsRecorder
) -> None:
    matrix = oblique()
    matrix[0, 3] = offset

    with pytest.raises(BadInputError, match="gives a place or a size of"):
        read_volume(write_nifti(tmp_path / "ct.nii", small_ct(), matrix))

    assert not recwarn.list


def test_an_axis_too_long_for_nifti_1_is_written_as_nifti_2(tmp_path: Path) -> None:
    values = np.zeros((2, 3, 40_000), np.int16)
    values[1, 2, 39_999] = 7
    volume = Volume.from_array(values, oblique())

    write_volume(volume, tmp_path / "ct.nii.gz")
    write_labels(values > 0, volume, tmp_path / "labels.nii.gz")

    header = gzip.decompress((tmp_path / "ct.nii.gz").read_bytes())[:544]
    assert header[:12] == b"\x1c\x02\0\0n+2\0\r\n\x1a\n"
    assert np.frombuffer(header, "<i8", 4, 16).tolist() == [3, 40_000, 3, 2]
    again = read_volume(tmp_path / "ct.nii.gz")
    np.testing.assert_array_equal(again.array_kji, values)
    np.testing.assert_array_equal(read_volume(tmp_path / "labels.nii.gz").array_kji, values > 0)
    np.testing.assert_allclose(again.grid.ijk_to_ras, oblique(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("codes", "is_sform"), [((1, 1), False), ((1, 2), True)])
def test_a_form_that_is_no_matrix_does_not_hide_the_other(
    tmp_path: Path, codes: tuple[int, int], is_sform: bool
) -> None:
    good = np.diag([2.0, 3.0, 4.0, 1.0])
    sform, quaternion = (good, (np.nan, 0.0, 0.0)) if is_sform else (np.zeros((4, 4)), (0.0, 0.0, 0.0))

    volume = read_volume(
        write_nifti(tmp_path / "ct.nii", small_ct(), sform, codes, pixdim=(2, 3, 4), quaternion=quaternion)
    )

    np.testing.assert_array_equal(volume.grid.ijk_to_ras, good)
    assert f"the {'sform' if is_sform else 'qform'} was taken" in volume.notes[0]


@pytest.mark.parametrize("quaternion", [(1.0, 1.0, 1.0), (np.nan, 0.0, 0.0), (0.0, 1.01, 0.0)])
def test_a_quaternion_that_is_no_rotation_is_refused(tmp_path: Path, quaternion: tuple[float, float, float]) -> None:
    path = write_nifti(tmp_path / "ct.nii", small_ct(), None, (1, 0), pixdim=(2, 3, 4), quaternion=quaternion)

    with pytest.raises(BadInputError, match="no matrix of an image in its qform"):
        read_volume(path)


def test_a_negative_slope_is_told_of(tmp_path: Path) -> None:
    volume = read_volume(write_nifti(tmp_path / "ct.nii", -small_ct(), oblique(), slope=-1.0))

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.notes == (
        "The NIfTI header scales the numbers by -1, which turns bright and dark around; check the CT.",
    )
