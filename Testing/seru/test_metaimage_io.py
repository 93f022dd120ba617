"""MetaImage files in all that the format allows, and what contradicts itself or leaves something open."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from seru.errors import BadInputError
from seru.io.images import read_volume, write_volume
from seru.volume import Volume
from Testing.seru.image_files_by_hand import RAS_OF_LPS, itk_image, itk_matrix, oblique, small_ct

LPS = RAS_OF_LPS @ oblique()
SPACING = np.linalg.norm(LPS[:3, :3], axis=0)
GUESS = "The MetaImage header gives no orientation, so left and right are a guess; check them."
BODY = small_ct().astype("<i2").tobytes()
MANY_KEYS = b"".join(b"key%d = b\n" % n for n in range(100_000))
PACKED = zlib.compress(BODY, 1)


def texts(values: np.ndarray) -> str:
    return " ".join(repr(float(value)) for value in np.ravel(values))


def metaimage(path: Path, body: bytes = BODY, data_file: str = "LOCAL", **keys: str | None) -> Path:
    """Write an oblique int16 MetaImage; ``keys`` replace its own, ``None`` leaves one out."""
    header = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": texts((LPS[:3, :3] / SPACING).T),
        "Offset": texts(LPS[:3, 3]),
        "ElementSpacing": texts(SPACING),
        "DimSize": "40 32 6",
        "ElementType": "MET_SHORT",
    } | keys
    lines = [f"{key} = {value}" for key, value in header.items() if value is not None]
    path.write_bytes("\n".join([*lines, f"ElementDataFile = {data_file}", ""]).encode() + body)
    return path


def compressed(path: Path, body: bytes = PACKED, **keys: str | None) -> Path:
    return metaimage(path, body, **{"CompressedData": "True", **keys})


def check_read(path: Path, notes: tuple[str, ...] = (), matrix: np.ndarray | None = None) -> None:
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array_kji, small_ct())
    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique() if matrix is None else matrix, atol=1e-12)
    assert volume.notes == notes


def check_as_itk(path: Path) -> None:
    """Check that ITK has the same voxels at the same places."""
    image, volume = sitk.ReadImage(str(path)), read_volume(path)
    np.testing.assert_array_equal(volume.array_kji, sitk.GetArrayViewFromImage(image))
    np.testing.assert_allclose(volume.grid.ijk_to_ras, itk_matrix(image), atol=1e-9)


@pytest.mark.parametrize(
    "body", [PACKED, gzip.compress(BODY, 1), PACKED + bytes(300)], ids=["zlib", "gzip", "zeros behind"]
)
@pytest.mark.parametrize("with_size", [True, False])
def test_compressed_voxels_are_read_with_and_without_their_size(tmp_path: Path, body: bytes, with_size: bool) -> None:
    check_read(compressed(tmp_path / "ct.mha", body, CompressedDataSize=str(len(body)) if with_size else None))


def test_a_flipped_byte_of_a_compressed_stream_is_found(tmp_path: Path) -> None:
    for place in range(0, len(PACKED), 41):
        body = bytearray(PACKED)
        body[place] ^= 0x10
        with pytest.raises(BadInputError, match="cut or damaged"):
            read_volume(compressed(tmp_path / "ct.mha", bytes(body), CompressedDataSize=str(len(PACKED))))


@pytest.mark.parametrize(
    ("body", "size", "said"),
    [
        (PACKED[:-1], None, "shorter than"),
        (PACKED[:-4], len(PACKED), "shorter than"),
        (PACKED[: len(PACKED) // 2], len(PACKED) // 2, "shorter than"),
        (PACKED, len(PACKED) + 1, "shorter than"),
        (PACKED, 1 << 62, "shorter than"),
        (PACKED, -5, "holds more than"),
        (PACKED + PACKED, None, "holds more than"),
        (PACKED + b"\0\0x", len(PACKED), "holds more than"),
        (PACKED + bytes(1 << 17), len(PACKED), "holds more than"),
        (zlib.compress(BODY[:-2]), None, "shorter than"),
        (zlib.compress(BODY + b"\1\1"), None, "holds more than"),
        (b"", None, "0 bytes are said to hold 15360"),
    ],
)
def test_compressed_voxels_that_are_cut_or_go_on_are_refused(
    tmp_path: Path, body: bytes, size: int | None, said: str
) -> None:
    with pytest.raises(BadInputError, match=said):
        read_volume(compressed(tmp_path / "ct.mha", body, CompressedDataSize=None if size is None else str(size)))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("MET_CHAR", "i1"), ("MET_UCHAR", "u1"), ("MET_SHORT", "i2"), ("MET_USHORT", "u2"), ("MET_INT", "i4"),
        ("MET_UINT", "u4"), ("MET_LONG", "i4"), ("MET_ULONG", "u4"), ("MET_LONG_LONG", "i8"),
        ("MET_ULONG_LONG", "u8"), ("MET_FLOAT", "f4"), ("MET_DOUBLE", "f8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["BinaryDataByteOrderMSB", "ElementByteOrderMSB"])
def test_every_type_is_read_in_both_byte_orders_as_itk_has_it(tmp_path: Path, name: str, dtype: str, key: str) -> None:
    for order, said in ((">", "True"), ("<", "False")):
        values = (small_ct() > 0).astype(order + dtype)
        keys = {"BinaryDataByteOrderMSB": None, key: said, "ElementType": name}
        path = metaimage(tmp_path / "ct.mha", values.tobytes(), **keys)

        np.testing.assert_array_equal(read_volume(path).array_kji, values)
        check_as_itk(path)


def test_voxels_as_text_are_read(tmp_path: Path) -> None:
    body = "\n".join([*map(str, small_ct().ravel().tolist()), ""]).encode()
    path = metaimage(tmp_path / "ct.mha", body, BinaryData="False")

    check_read(path)
    check_as_itk(path)


@pytest.mark.parametrize("body", [b"1 " * 7679, b"1 " * 7681, b"1 " * 7679 + b"x"])
def test_text_that_is_no_voxels_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(BadInputError, match="cut or damaged"):
        read_volume(metaimage(tmp_path / "ct.mha", body, BinaryData="False"))


def test_other_names_of_direction_origin_and_spacing_are_read(tmp_path: Path) -> None:
    keys = {"TransformMatrix": None, "Offset": None, "ElementSpacing": None, "ElementSize": texts(SPACING)}
    for direction in ("TransformMatrix", "Rotation", "Orientation"):
        for origin in ("Offset", "Origin", "Position"):
            given = {direction: texts((LPS[:3, :3] / SPACING).T), origin: texts(LPS[:3, 3])}
            path = metaimage(tmp_path / "ct.mha", **{**keys, **given})

            check_read(path)
            check_as_itk(path)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"Position": "1 2 3"}, "two geometries (Offset and Position differ)"),
        ({"Rotation": "1 0 0 0 1 0 0 0 1"}, "two geometries (TransformMatrix and Rotation differ)"),
        ({"ElementByteOrderMSB": "True"}, "two byte orders"),
        ({"ElementSpacing": None}, "gives no voxel size"),
        ({"ElementSpacing": "1 1 nan"}, "1 x 1 x nan mm"),
        ({"ElementSpacing": "1 1"}, "ElementSpacing has 2 numbers"),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "lengths 2 x 1 x 1"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 nan"}, "must be more than 0"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 1e300"}, "a size of 2.5e+300"),
        ({"Offset": "1 2 1e300"}, "a place or a size of 1e+300"),
        ({"Offset": "1 2 x"}, "no numbers"),
        ({"DistanceUnits": "inch"}, "no known unit"),
        ({"NDims": "-1"}, "3 sizes for -1 axes"),
        ({"NDims": "3 3"}, "NDims is '3 3'"),
        ({"NDims": None}, "3 sizes for 0 axes"),
        ({"DimSize": None}, "0 sizes for 3 axes"),
        ({"DimSize": "MET_STRING 32 6"}, "no whole numbers"),
        ({"DimSize": "40 32 0"}, "empty"),
        ({"DimSize": "30000 30000 30000"}, "which no CT has"),
        ({"DimSize": "40 32 99999999999999999999"}, "which no CT has"),
        ({"DimSize": "40 32 " + "9" * 5000}, "no whole numbers"),
        ({"NDims": "2", "DimSize": "40 192"}, "2D image"),
        ({"NDims": "4", "DimSize": "40 32 3 2"}, "4D image"),
        ({"ElementNumberOfChannels": "3"}, "colors or vectors"),
        ({"ElementType": "MET_SHORT_ARRAY"}, "MET_SHORT_ARRAY"),
        ({"ElementType": None}, "of the type ''"),
        ({"ObjectType": "Tube"}, "no image but 'Tube'"),
        ({"HeaderSize": "-2"}, "HeaderSize is -2"),
        ({"HeaderSize": "99999999999"}, "shorter than"),
        ({"ElementToIntensityFunctionSlope": "nan"}, "scale of its numbers"),
        ({"DimSize ": "40 32 6"}, "'DimSize' twice"),
    ],
)
def test_headers_that_cannot_be_are_refused(tmp_path: Path, keys: dict[str, str | None], said: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_volume(metaimage(tmp_path / "ct.mha", **keys))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    "start",
    [b"", b"ObjectType = Image\nNDims = 3\n", b"some text\n", MANY_KEYS],
)
def test_what_is_no_metaimage_is_refused(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "ct.mha").write_bytes(start)

    with pytest.raises(BadInputError, match=r"header does not end|is no MetaImage|is empty"):
        read_volume(tmp_path / "ct.mha")


def test_without_directions_the_sides_are_a_guess(tmp_path: Path) -> None:
    matrix = np.diag([-0.8, -0.9, 2.5, 1])
    matrix[:3, 3] = oblique()[:3, 3]

    check_read(metaimage(tmp_path / "ct.mha", TransformMatrix=None), (GUESS,), matrix)


@pytest.mark.parametrize(("unit", "per_mm"), [("mm", 1.0), ("cm", 0.1), ("um", 1000.0), ("?", 1.0)])
def test_distance_units_become_millimetres(tmp_path: Path, unit: str, per_mm: float) -> None:
    keys = {"ElementSpacing": texts(SPACING * per_mm), "Offset": texts(LPS[:3, 3] * per_mm), "DistanceUnits": unit}

    converted = "The header's lengths are not in millimetres; they were converted, so check the voxel size."
    check_read(metaimage(tmp_path / "ct.mha", **keys), (converted,) if per_mm != 1 else ())


def test_an_orientation_in_letters_that_contradicts_the_directions_is_told(tmp_path: Path) -> None:
    check_read(metaimage(tmp_path / "ct.mha", AnatomicalOrientation="RAI"))
    path = metaimage(tmp_path / "ct.mha", AnatomicalOrientation="LPI")

    volume = read_volume(path)

    assert "calls its orientation 'LPI' and gives other directions (RAI)" in volume.notes[0]
    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-12)


@pytest.mark.parametrize("code", ["LPS", "RAS", "IPL", "SAR", "PLI"])
def test_the_letters_of_the_orientation_are_written_as_itk_writes_them(tmp_path: Path, code: str) -> None:
    image = sitk.DICOMOrient(itk_image(small_ct(), np.diag([-0.7, -0.8, 2.0, 1.0])), code)
    sitk.WriteImage(image, str(tmp_path / "itk.mha"))
    volume = read_volume(tmp_path / "itk.mha")

    write_volume(volume, tmp_path / "ours.mha")

    def letters(name: str) -> list[bytes]:
        lines = (tmp_path / name).read_bytes().split(b"\n")
        return [line for line in lines if line.startswith(b"AnatomicalOrientation")]

    assert volume.notes == ()
    assert letters("ours.mha") == letters("itk.mha") != []


def test_a_centre_of_rotation_is_left_out_and_told(tmp_path: Path) -> None:
    path = metaimage(tmp_path / "ct.mha", CenterOfRotation="1 2 3")

    assert "centre of rotation" in read_volume(path).notes[0]
    check_as_itk(path)


def test_numbers_are_scaled_as_the_header_says_and_told(tmp_path: Path) -> None:
    body = (small_ct().astype(np.int32) + 1000).astype("<u2").tobytes()
    path = metaimage(
        tmp_path / "ct.mha", body, ElementType="MET_USHORT", ElementToIntensityFunctionOffset="-1000",
        ElementToIntensityFunctionSlope="1",
    )  # fmt: skip

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "scaled by 1 and -1000" in volume.notes[0]


def test_a_fourth_axis_of_one_sample_is_left_out(tmp_path: Path) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = (LPS[:3, :3] / SPACING).T
    keys = {"NDims": "4", "DimSize": "40 32 6 1", "TransformMatrix": texts(matrix)}

    check_read(
        metaimage(
            tmp_path / "ct.mha",
            Offset=texts([*LPS[:3, 3], 0]),
            ElementSpacing=texts([*SPACING, 1]),
            **keys,
        )
    )


def test_voxels_in_another_file_are_read_after_its_header_or_from_its_end(tmp_path: Path) -> None:
    (tmp_path / "the voxels.raw").write_bytes(BODY)
    (tmp_path / "with header.raw").write_bytes(b"header" + BODY)
    (tmp_path / "packed.zraw").write_bytes(PACKED)

    check_read(metaimage(tmp_path / "ct.mhd", b"", "the voxels.raw"))
    check_read(metaimage(tmp_path / "ct.mhd", b"", "with header.raw", HeaderSize="6"))
    check_read(metaimage(tmp_path / "ct.mhd", b"", "with header.raw", HeaderSize="-1"))
    check_read(metaimage(tmp_path / "ct.mhd", b"", "packed.zraw", CompressedData="True"))
    check_as_itk(metaimage(tmp_path / "ct.mhd", b"", "with header.raw", HeaderSize="-1"))


@pytest.mark.parametrize("name", ["list", "list 2", "pattern", "with step", "alone", "with blanks"])
def test_voxels_in_many_files_are_read_as_itk_has_them(tmp_path: Path, name: str) -> None:
    for k, part in enumerate(small_ct()):
        (tmp_path / f"s{k:03d}.raw").write_bytes(part.astype("<i2").tobytes())
        (tmp_path / f"v{k + 1:02d}.raw").write_bytes(part.astype("<i2").tobytes())
        (tmp_path / f"u {k + 1:02d}.raw").write_bytes(part.astype("<i2").tobytes())
        (tmp_path / f"t{2 * k + 4}.raw").write_bytes(part.astype("<i2").tobytes())
    names = "".join(f"s{k:03d}.raw\n" for k in range(6)).encode()
    data_file, body = {
        "list": ("LIST", names),
        "list 2": ("LIST 2", names),
        "pattern": ("s%03d.raw 0 5 1", b""),
        "with step": ("t%d.raw 4 14 2", b""),
        "alone": ("v%02d.raw", b""),
        "with blanks": ("u %02d.raw 1 6 1", b""),
    }[name]

    path = metaimage(tmp_path / "ct.mhd", body, data_file)

    check_read(path)
    check_as_itk(path)


@pytest.mark.parametrize(
    ("data_file", "said"),
    [
        ("", "gives no name"),
        ("../ct.raw", "outside its own folder"),
        ("/dev/zero", "outside its own folder"),
        ("nothing.raw", "'nothing.raw' is missing"),
        ("LIST 5", "axes of its voxel files"),
        ("LIST", "header does not end"),
        ("s%d.raw 0 9 1", "counts 10 voxel files for 6"),
        ("s%d.raw 0 9 0", "cannot be counted"),
        ("s%s.raw", "is missing"),
    ],
)
def test_voxel_files_that_are_missing_or_elsewhere_are_refused(tmp_path: Path, data_file: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_volume(metaimage(tmp_path / "ct.mhd", b"", data_file))


def test_what_was_written_is_read_digit_for_digit(tmp_path: Path) -> None:
    write_volume(Volume.from_array(small_ct(), oblique()), tmp_path / "ct.mha")

    check_read(tmp_path / "ct.mha")


@pytest.mark.parametrize(
    ("names", "said"),
    [([*range(6), 5], "more than 6 voxel files"), ([0, 1, 2, 2, 4, 5], "a voxel file twice")],
)
def test_a_list_that_is_not_one_file_a_slice_is_refused(tmp_path: Path, names: list[int], said: str) -> None:
    for k in range(6):
        (tmp_path / f"s{k}.raw").write_bytes(BODY[k * 2560 : (k + 1) * 2560])

    with pytest.raises(BadInputError, match=said):
        read_volume(metaimage(tmp_path / "ct.mhd", "\n".join(f"s{k}.raw" for k in names).encode(), "LIST"))
