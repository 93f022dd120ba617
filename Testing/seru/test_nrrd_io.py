"""NRRD files in all that the format allows, and what contradicts itself or leaves something open."""

from __future__ import annotations

import bz2
import gzip
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from seru.errors import BadInputError
from seru.io.images import read_volume
from Testing.seru.image_files_by_hand import RAS_OF_LPS, itk_matrix, oblique, small_ct

LPS = RAS_OF_LPS @ oblique()
GUESS = "The NRRD header gives no orientation, so left and right are a guess; check them."


def vectors(columns: np.ndarray, between: str = " ") -> str:
    return between.join("(" + ",".join(repr(float(n)) for n in column) + ")" for column in columns)


def nrrd(path: Path, body: bytes | None = None, end: str = "\n", lines: str = "", **fields: str | None) -> Path:
    """Write an oblique int16 NRRD; ``fields`` replace its own, ``None`` leaves one out, ``lines`` follow them."""
    header = {
        "type": "short",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "40 32 6",
        "space directions": vectors(LPS[:3, :3].T),
        "endian": "little",
        "encoding": "raw",
        "space origin": vectors(LPS[:3, 3:].T),
    } | {name.replace("_", " "): value for name, value in fields.items()}
    text = [f"{name}: {value}" for name, value in header.items() if value is not None]
    data = small_ct().astype("<i2").tobytes() if body is None else body
    path.write_bytes((end.join(["NRRD0005", *text, *filter(None, [lines])]) + end + end).encode() + data)
    return path


def check_read(path: Path, notes: tuple[str, ...] = (), matrix: np.ndarray | None = None) -> None:
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array_kji, small_ct())
    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique() if matrix is None else matrix, atol=1e-12)
    assert volume.notes == notes


def text_of(values: np.ndarray) -> bytes:
    return " ".join(map(str, values.ravel().tolist())).encode()


BODY = small_ct().astype("<i2").tobytes()
ENCODED = {
    "gzip": gzip.compress(BODY, 1),
    "gz": gzip.compress(BODY[:999]) + gzip.compress(BODY[999:]),
    "bzip2": bz2.compress(BODY, 1),
    "bz2": bz2.compress(BODY[:999]) + bz2.compress(BODY[999:]),
    "ascii": text_of(small_ct()),
    "text": text_of(small_ct()).replace(b" ", b",\r\n") + b"\n",
    "txt": b"\n\t " + text_of(small_ct()).replace(b" ", b"  "),
    "hex": BODY.hex().encode(),
    "HEX": BODY.hex(" ", 3).upper().encode() + b"\n",
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    check_read(nrrd(tmp_path / "ct.nrrd", ENCODED[encoding], encoding=encoding))


@pytest.mark.parametrize("encoding", ENCODED)
def test_a_voxel_too_few_or_too_many_is_refused_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    for sizes, said in (("40 32 7", "shorter than"), ("40 32 5", "holds more than")):
        path = nrrd(tmp_path / "ct.nrrd", ENCODED[encoding], encoding=encoding, sizes=sizes)
        with pytest.raises(BadInputError, match=said):
            read_volume(path)


@pytest.mark.parametrize("encoding", ["gzip", "gz", "bzip2", "bz2"])
def test_a_flipped_byte_of_a_compressed_stream_is_found(tmp_path: Path, encoding: str) -> None:
    for place in range(0, len(ENCODED[encoding]), 97):
        body = bytearray(ENCODED[encoding])
        body[place] ^= 0x10
        # Some bytes of a gzip header mean nothing; never may other voxels come out.
        with suppress(BadInputError):
            check_read(nrrd(tmp_path / "ct.nrrd", bytes(body), encoding=encoding))


@pytest.mark.parametrize(
    ("encoding", "body", "said"),
    [
        ("ascii", b"\xfc" * 20_000, "holds no numbers"),
        ("ascii", b"1 " * 7679 + b"one", "something other than numbers"),
        ("ascii", b"1 " * 7679 + b"40000", "no int16"),
        ("ascii", b"1 " * 7679 + b"1.5", "no int16"),
        ("ascii", b"1 " * 7679 + b"nan", "no int16"),
        ("ascii", b"1_0 " * 7680, "holds no numbers"),
        ("hex", b"0g" * 15360, "other than hexadecimal"),
        ("hex", b"\xff" * 30720, "other than hexadecimal"),
    ],
)
def test_text_that_is_no_voxels_is_refused(tmp_path: Path, encoding: str, body: bytes, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_volume(nrrd(tmp_path / "ct.nrrd", body, encoding=encoding))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("signed char", "i1"), ("uchar", "u1"), ("uint8_t", "u1"), ("signed short int", "i2"), ("ushort", "u2"),
        ("int32", "i4"), ("unsigned  int", "u4"), ("longlong", "i8"), ("unsigned long long int", "u8"),
        ("float", "f4"), ("DOUBLE", "f8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["little", "big"])
def test_every_type_is_read_in_both_byte_orders(tmp_path: Path, name: str, dtype: str, order: str) -> None:
    values = (small_ct() > 0).astype(np.dtype(dtype).newbyteorder(order[0].upper().replace("L", "<").replace("B", ">")))
    path = nrrd(tmp_path / "ct.nrrd", values.tobytes(), type=name, endian=order)

    np.testing.assert_array_equal(read_volume(path).array_kji, values)


def test_the_byte_order_is_needed_where_it_matters(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="lacks the field 'endian'"):
        read_volume(nrrd(tmp_path / "ct.nrrd", endian=None))
    check_read(nrrd(tmp_path / "ct.nrrd", ENCODED["ascii"], encoding="ascii", endian=None))


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("LPS", (1, 1, 1)), ("left posterior superior", (1, 1, 1)), ("RAS", (-1, -1, 1)),
        ("right-anterior-superior", (-1, -1, 1)), ("LAS", (1, -1, 1)), ("leftanteriorsuperior", (1, -1, 1)),
    ],
)  # fmt: skip
def test_every_space_of_a_patient_is_turned_into_ras(
    tmp_path: Path, space: str, signs: tuple[float, float, float]
) -> None:
    matrix = np.diag([*signs, 1]) @ LPS

    check_read(
        nrrd(
            tmp_path / "ct.nrrd",
            space=space,
            space_directions=vectors(matrix[:3, :3].T),
            space_origin=vectors(matrix[:3, 3:].T),
        )
    )


@pytest.mark.parametrize("fields", [{"space": "scanner-xyz"}, {"space": "3D-right-handed"}, {"space dimension": "3"}])
def test_a_space_without_sides_is_taken_as_itk_does_and_told(tmp_path: Path, fields: dict[str, str]) -> None:
    header = {"space": None, **fields}

    check_read(nrrd(tmp_path / "ct.nrrd", **header), (GUESS,))


@pytest.mark.parametrize("fields", [{"space": "LPST"}, {"space": "my room"}, {"space": None, "space dimension": "4"}])
def test_a_space_that_is_none_of_a_patient_is_refused(tmp_path: Path, fields: dict[str, str | None]) -> None:
    with pytest.raises(BadInputError, match="none of a patient in three dimensions"):
        read_volume(nrrd(tmp_path / "ct.nrrd", **fields))


def test_spacings_alone_leave_the_sides_a_guess(tmp_path: Path) -> None:
    path = nrrd(
        tmp_path / "ct.nrrd", space=None, space_directions=None, space_origin=None, lines="spacings: 0.8 0.9 2.5"
    )

    check_read(path, (GUESS,), np.diag([-0.8, -0.9, 2.5, 1]))
    np.testing.assert_allclose(itk_matrix(sitk.ReadImage(str(path))), np.diag([-0.8, -0.9, 2.5, 1]))


def test_the_ends_of_the_axes_give_voxel_size_and_origin(tmp_path: Path) -> None:
    path = nrrd(
        tmp_path / "ct.nrrd",
        space=None,
        space_directions=None,
        space_origin=None,
        lines="axis mins: 0 0 10\naxis maxs: 32 28.8 25\ncenters: cell cell node",
    )

    matrix = np.diag([-0.8, -0.9, 3.0, 1])
    matrix[:3, 3] = -0.4, -0.45, 10
    check_read(path, (GUESS,), matrix)


def test_without_any_voxel_size_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="gives no voxel size"):
        read_volume(nrrd(tmp_path / "ct.nrrd", space=None, space_directions=None, space_origin=None))


def test_two_voxel_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="two voxel sizes"):
        read_volume(nrrd(tmp_path / "ct.nrrd", spacings="0.8 0.9 3"))
    check_read(nrrd(tmp_path / "ct.nrrd", spacings="0.8 nan 2.5"))


@pytest.mark.parametrize(("unit", "per_mm"), [("mm", 1.0), ("cm", 0.1), ("m", 0.001), ("um", 1000.0), ("", 1.0)])
def test_the_units_of_the_space_become_millimetres(tmp_path: Path, unit: str, per_mm: float) -> None:
    path = nrrd(
        tmp_path / "ct.nrrd",
        space_units=" ".join([f'"{unit}"'] * 3),
        space_directions=vectors(LPS[:3, :3].T * per_mm),
        space_origin=vectors(LPS[:3, 3:].T * per_mm),
    )

    converted = "The header's lengths are not in millimetres; they were converted, so check the voxel size."
    check_read(path, (converted,) if per_mm != 1 else ())


def test_the_units_of_axes_without_a_space_become_millimetres(tmp_path: Path) -> None:
    lines = 'spacings: 0.08 0.09 0.25\nunits: "cm" "cm" "cm"'
    path = nrrd(tmp_path / "ct.nrrd", space=None, space_directions=None, space_origin=None, lines=lines)

    assert read_volume(path).grid.spacing_ijk_mm == pytest.approx((0.8, 0.9, 2.5))


@pytest.mark.parametrize("units", ['"inch" "inch" "inch"', '"mm" "mm" "sec"'])
def test_unknown_units_are_refused(tmp_path: Path, units: str) -> None:
    with pytest.raises(BadInputError, match="no known unit of length"):
        read_volume(nrrd(tmp_path / "ct.nrrd", space_units=units))


@pytest.mark.parametrize("between", ["\t", "  ", "", " \t "])
def test_vectors_may_stand_apart_by_any_blanks(tmp_path: Path, between: str) -> None:
    check_read(nrrd(tmp_path / "ct.nrrd", space_directions=vectors(LPS[:3, :3].T, between).replace(",", " , ")))


@pytest.mark.parametrize(
    ("directions", "said"),
    [
        ("(1,0,0) (0,1,0)", "2 directions for 3 axes"),
        ("(1,0,0) (0,1,0) (0,0,1", "no vectors"),
        ("(1,0,0) (0,1,0) (0,0,x)", "no numbers"),
        ("(1,0,0) (0,1,0) (0,0,inf)", "must be more than 0"),
        ("(1,0,0) (0,1,0) (0)", "no vectors in space"),
        ("(1,0,0) (0,1,0) (0,1)", "three dimensions"),
        ("(1,0,0) (0,1,0) none", "gives no voxel size"),
        ("(1,0,0) (1,0,0) (0,0,1)", "sheared"),
        ("(1e300,0,0) (0,1e300,0) (0,0,1e300)", "must be more than 0|a size of 1e\\+300"),
    ],
)
def test_directions_that_are_none_are_refused(tmp_path: Path, directions: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_volume(nrrd(tmp_path / "ct.nrrd", space_directions=directions))


@pytest.mark.parametrize(
    ("kinds", "sizes", "at"),
    [
        ("scalar domain domain domain", "1 40 32 6", 0),
        ("domain domain domain list", "40 32 6 1", 3),
        ("??? domain stub domain", "40 32 1 6", 2),
    ],
)
def test_an_axis_of_one_sample_is_left_out(tmp_path: Path, kinds: str, sizes: str, at: int) -> None:
    directions = [vectors(LPS[:3, axis : axis + 1].T) for axis in range(3)]
    directions.insert(at, "none")

    check_read(
        nrrd(tmp_path / "ct.nrrd", dimension="4", kinds=kinds, sizes=sizes, space_directions=" ".join(directions))
    )


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ("RGB-color domain domain", "colors or vectors"),
        ("domain domain list", "colors or vectors"),
        ("domain domain time", "2D image over time"),
        ("domain domain", "2 kinds for 3 axes"),
    ],
)
def test_axes_that_are_none_of_space_are_refused(tmp_path: Path, kinds: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_volume(nrrd(tmp_path / "ct.nrrd", kinds=kinds))


def test_line_ends_comments_and_pairs_change_nothing(tmp_path: Path) -> None:
    extra = "# a comment: with a colon\r\ntype:=a pair, and no field\r\nspace directions:=none\r\nkey:=a:=b"

    check_read(nrrd(tmp_path / "ct.nrrd", end="\r\n", lines=extra, content="x: y", sample_units="HU", labels='"a" "b"'))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("type: short", "'type' twice"),
        ("datafile: ct.raw\ndata file: ct.raw", "'data file' twice"),
        ("what is this", "has the line 'what is this'"),
        ("colour: red", "has the line 'colour: red'"),
        ("line skip: -1", "-1 lines are to be skipped"),
        ("byte skip: 1e3", "no whole numbers"),
        ("byte skip: 99999999999999999999", "shorter than"),
        ("line skip: 9999", "shorter than"),
        ("centers: cell", "1 centerings|NRRD"),
    ],
)
def test_lines_of_the_header_that_cannot_be_are_refused(tmp_path: Path, lines: str, said: str) -> None:
    fields = {"space_directions": None, "spacings": "1 1 1"} if "centers" in lines else {}
    with pytest.raises(BadInputError, match=said):
        read_volume(nrrd(tmp_path / "ct.nrrd", lines=lines, **fields))


@pytest.mark.parametrize("name", ["type", "dimension", "sizes", "encoding"])
def test_a_field_without_which_nothing_can_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match=f"lacks the field '{name}'"):
        read_volume(nrrd(tmp_path / "ct.nrrd", **{name: None}))


@pytest.mark.parametrize("text", [" " * 900_000, "(" * 900_000, "%d" * 400_000, "% d" * 300_000, '"' * 900_001])
@pytest.mark.parametrize("name", ["space directions", "data file", "space units", "sizes", "space origin", "kinds"])
def test_a_field_of_a_megabyte_is_refused_without_delay(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BadInputError):
        read_volume(nrrd(tmp_path / "ct.nrrd", **{name: f"x{text}x"}))


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ct.nrrd").write_bytes(b"NRRD0004\n" + b"key:=value\n" * 200_000)

    with pytest.raises(BadInputError, match="header does not end"):
        read_volume(tmp_path / "ct.nrrd")


@pytest.mark.parametrize(("skips", "before"), [("byte skip: 5", b"five!"), ("line skip: 2\nbyte skip: 1", b"a\nb\n.")])
def test_bytes_and_lines_before_the_voxels_are_stepped_over(tmp_path: Path, skips: str, before: bytes) -> None:
    check_read(nrrd(tmp_path / "ct.nrrd", before + BODY, lines=skips))
    # Of compressed voxels lines are skipped before, bytes after they were inflated.
    lines, _, rest = before.rpartition(b"\n")
    packed = (lines + b"\n" if lines else b"") + gzip.compress(rest + BODY)
    check_read(nrrd(tmp_path / "ct.nrrd", packed, lines=skips, encoding="gzip"))


@pytest.mark.parametrize(("skip", "behind"), [(-1, b""), (-6, b"five!")])
def test_voxels_counted_from_the_end_are_read(tmp_path: Path, skip: int, behind: bytes) -> None:
    path = nrrd(tmp_path / "ct.nrrd", b"something" + BODY + behind, lines=f"byte skip: {skip}")

    check_read(path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), small_ct())


def test_voxels_counted_from_the_end_of_compressed_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="from the end of compressed data"):
        read_volume(nrrd(tmp_path / "ct.nrrd", ENCODED["gzip"], encoding="gzip", byte_skip="-1"))


# Voxels in other files.


def test_voxels_in_many_files_are_read_as_a_list_and_as_a_pattern(tmp_path: Path) -> None:
    for k, part in enumerate(small_ct()):
        (tmp_path / f"slice {k}.raw").write_bytes(part.astype("<i2").tobytes())
        (tmp_path / f"s{2 * k:03d}.gz").write_bytes(gzip.compress(part.astype("<i2").tobytes()))
    names = "\n".join(f"slice {k}.raw" for k in range(6))

    check_read(nrrd(tmp_path / "list.nhdr", b"", lines=f"data file: LIST\n{names}"))
    check_read(nrrd(tmp_path / "list2.nhdr", b"", lines=f"data file: LIST 2\n{names}"))
    check_read(nrrd(tmp_path / "pattern.nhdr", b"", encoding="gzip", lines="data file: s%03d.gz 0 10 2"))
    check_read(nrrd(tmp_path / "pattern2.nhdr", b"", encoding="gzip", lines="data file: ./s%03d.gz 0 11 2 2"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("data file: LIST\na.raw\nb.raw", "names 2 voxel files"),
        ("data file: LIST 7\na.raw", "axes of its voxel files"),
        ("data file: s%03d.raw 0 4 1", "names 5 voxel files"),
        ("data file: s%03d.raw 0 5 0", "cannot be counted"),
        ("data file: s%03d.raw 0 99999999 1", "cannot be counted"),
        ("data file: s%3000d.raw 0 5 1", "cannot be counted"),
        ("data file: s%d%d.raw 0 5 1", "cannot be counted"),
        ("data file: s%03d.raw 0 5 1", "lacks its voxels: the file 's000.raw' is missing"),
        ("data file: s%s.raw", "lacks its voxels"),
    ],
)
def test_voxel_files_that_do_not_make_up_the_volume_are_refused(tmp_path: Path, lines: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_volume(nrrd(tmp_path / "ct.nhdr", b"", lines=lines))


def test_voxels_are_taken_from_the_headers_own_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "own" / "below").mkdir(parents=True)
    (tmp_path / "ct.raw").write_bytes(BODY)
    (tmp_path / "own" / "below" / "ct.raw").write_bytes(BODY)
    (tmp_path / "own" / "out.raw").symlink_to(tmp_path / "ct.raw")
    (tmp_path / "own" / "in.raw").symlink_to(tmp_path / "own" / "below" / "ct.raw")
    (tmp_path / "own" / "loop.raw").symlink_to("loop.raw")
    (tmp_path / "own" / "up").symlink_to(tmp_path)

    for name in ("below/ct.raw", "./below/ct.raw", "in.raw"):
        check_read(nrrd(tmp_path / "own" / "ct.nhdr", b"", data_file=name))
    for name in ("../ct.raw", str(tmp_path / "ct.raw"), "out.raw", "up/ct.raw", "below/../below/ct.raw", "/dev/zero"):
        with pytest.raises(BadInputError, match="outside its own folder"):
            read_volume(nrrd(tmp_path / "own" / "ct.nhdr", b"", data_file=name))
    for name in ("loop.raw", "nothing.raw"):
        with pytest.raises(BadInputError, match=r"lacks its voxels|Too many levels"):
            read_volume(nrrd(tmp_path / "own" / "ct.nhdr", b"", data_file=name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are POSIX")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for ending in (".nii.gz", ".nrrd", ".mha"):
        os.mkfifo(tmp_path / f"ct{ending}")
        with pytest.raises(BadInputError, match="is no file but a pipe"):
            read_volume(tmp_path / f"ct{ending}")
    with pytest.raises(BadInputError, match="'pipe', which is no file"):
        read_volume(nrrd(tmp_path / "ct.nhdr", b"", data_file="pipe"))


@pytest.mark.parametrize(
    ("units", "is_told"),
    [('"mm" "mm" "mm"', False), ('"" "" ""', False), ('"cm" "cm" "cm"', True), ("mm mm um", True)],
)
def test_units_of_axes_beside_their_directions_are_told_of(tmp_path: Path, units: str, is_told: bool) -> None:
    volume = read_volume(nrrd(tmp_path / "ct.nrrd", units=units))

    np.testing.assert_allclose(volume.grid.ijk_to_ras, oblique(), atol=1e-12)
    assert [note[:35] for note in volume.notes] == ["The units of the NRRD header's axes"] * is_told
