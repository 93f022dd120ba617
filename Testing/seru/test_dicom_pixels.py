"""The pixels of DICOM files: every way to store them that is read, and what is refused rather than guessed."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.uid import RLELossless

from seru.ct_check import check_is_ct
from seru.errors import BadInputError, CancelledError
from seru.io.dicom_codecs import Decoder
from seru.io.dicom_elements import DamagedError
from seru.io.dicom_files import FolderFile
from seru.io.dicom_header import Slice, read_header
from seru.io.dicom_pixels import read_pixels, read_stored, stored_pixels
from seru.io.images import read_volume
from Testing.seru.dicom_by_hand import rewrite, store, write_slices
from Testing.seru.image_files_by_hand import oblique, small_ct, write_dicom

IMPLICIT, BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
JPEG = "1.2.840.10008.1.2.4.70"


def refusal(folder: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        read_volume(folder)
    return str(caught.value)


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_native_syntaxes_are_read(tmp_path: Path, syntax: str) -> None:
    def recode(data: Any, k: int) -> None:
        data.file_meta.TransferSyntaxUID = syntax
        if syntax == BIG_ENDIAN:
            data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()

    write_slices(tmp_path, recode)

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert volume.grid.spacing_ijk_mm == pytest.approx((0.8, 0.9, 2.5))
    assert check_is_ct(volume) == []


def test_rle_is_read(tmp_path: Path) -> None:
    write_slices(tmp_path, lambda data, k: compress(data, RLELossless, generate_instance_uid=False))

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


def test_files_without_preamble_and_meta_header_are_read(tmp_path: Path) -> None:
    for path in write_slices(tmp_path, lambda data, k: setattr(data.file_meta, "TransferSyntaxUID", IMPLICIT)):
        data = path.read_bytes()
        path.write_bytes(data[data.index(b"\x08\x00\x08\x00", 132) :])

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


@pytest.mark.parametrize(("dtype", "bits", "shift"), [("<i2", 16, 0), ("<i2", 12, 0), ("<u1", 8, 1000), ("<i4", 32, 0)])
def test_numbers_of_other_widths_are_read(tmp_path: Path, dtype: str, bits: int, shift: int) -> None:
    values = np.clip(small_ct(), -1000, -760)

    def restore(data: Any, k: int) -> None:
        store(data, values[k].astype(int) + shift, dtype, bits)
        data.RescaleIntercept = -shift

    write_slices(tmp_path, restore)

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, values)


def without_sign_bits(data: Any, k: int) -> None:
    store(data, small_ct()[k] & 0xFFF, "<i2", 12)
    data.RescaleIntercept = 0


def with_overlay(data: Any, k: int) -> None:
    store(data, (small_ct()[k].astype(int) + 1024) | 0x8000, "<u2", 12)
    data.add_new(0x60000102, "US", 15)


@pytest.mark.parametrize("edit", [without_sign_bits, with_overlay])
def test_bits_above_those_stored_do_not_count(tmp_path: Path, edit: Any) -> None:
    write_slices(tmp_path, edit)

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


@pytest.mark.parametrize(("bits", "padding"), [(12, 63536), (12, 4095 + 4096), (16, 65535), (16, 32767)])
def test_padding_outside_the_range_is_dark(tmp_path: Path, bits: int, padding: int) -> None:
    def pad(data: Any, k: int) -> None:
        numbers = small_ct()[k].astype(int) + 1024
        numbers[0] = padding
        store(data, numbers, "<u2", bits)
        data.add_new(0x00280120, "US", padding)

    write_slices(tmp_path, pad)

    array = read_volume(tmp_path).array_kji
    assert (array[:, 0] == -1024).all()
    np.testing.assert_array_equal(array[:, 1:], small_ct()[:, 1:])


def test_a_padding_value_that_tissue_may_have_is_left_as_it_is(tmp_path: Path) -> None:
    write_slices(tmp_path, lambda data, k: data.add_new(0x00280120, "US", 1064))

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


def test_intercepts_may_differ_from_slice_to_slice(tmp_path: Path) -> None:
    def shift(data: Any, k: int) -> None:
        store(data, small_ct()[k].astype(int) + 1024 + 100 * k)
        data.RescaleIntercept = -1024 - 100 * k

    write_slices(tmp_path, shift)

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


def test_numbers_without_any_rescaling_are_told_of(tmp_path: Path) -> None:
    def unscaled(data: Any, k: int) -> None:
        store(data, small_ct()[k], "<i2")
        del data.RescaleIntercept, data.RescaleSlope

    write_slices(tmp_path, unscaled)

    volume = read_volume(tmp_path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "no rescale intercept" in check_is_ct(volume)[0]


def raw(tag: int, kind: str, value: Any) -> Any:
    """An edit that sets an element, whatever pydicom thinks of its value."""

    def edit(data: Any, k: int) -> None:
        from pydicom import config
        from pydicom.dataelem import DataElement

        data[tag] = DataElement(tag, kind, value, validation_mode=config.IGNORE)

    return edit


def setting(**values: Any) -> Any:
    def edit(data: Any, k: int) -> None:
        for name, value in values.items():
            setattr(data, name, value)

    return edit


def four_more_bits(data: Any, k: int) -> None:
    store(data, small_ct()[k].astype(int) + 1024 + 4096 * (k == 2), "<u2", 12)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (setting(BitsStored=12, HighBit=15), "its 12 bits end at bit 15, where 11 is right"),
        (setting(BitsStored=17), "does not say how its numbers are stored"),
        (setting(BitsAllocated=12), "does not say how its numbers are stored"),
        (setting(PixelRepresentation=2), "does not say how its numbers are stored"),
        (four_more_bits, "uses bits above the 12 that its header gives"),
        (setting(PhotometricInterpretation="MONOCHROME1"), "MONOCHROME1"),
        (raw(0x00283000, "SQ", []), "Modality LUT"),
        (setting(RescaleType="MGML"), "holds MGML and no Hounsfield units"),
        (setting(RescaleSlope=0), "rescale slope or intercept"),
        (raw(0x00281053, "LO", "nan"), "rescale slope or intercept"),
        (raw(0x00281053, "LO", "1\\1"), "rescale slope or intercept"),
        (raw(0x00281052, "LO", "-1024,0"), "rescale slope or intercept"),
        (lambda data, k: data.__delattr__("RescaleIntercept") or data.__delattr__("RescaleSlope") if k == 2 else None,
         "do not both give rescale slope and intercept"),
    ],
)  # fmt: skip
def test_numbers_that_may_mean_something_else_are_refused(tmp_path: Path, edit: Any, words: str) -> None:
    write_slices(tmp_path, edit)

    assert words in refusal(tmp_path)


@pytest.mark.parametrize(
    ("syntax", "title"),
    [
        ("1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.110"),
        ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000"),
        ("1.2.840.113619.9.9.9", "(1.2.840.113619.9.9.9)"),
        ("1.2.840.10008.1.2.4.100", "MPEG2"),
    ],
)
def test_compressions_that_are_not_read_are_named(tmp_path: Path, syntax: str, title: str) -> None:
    write_slices(tmp_path, lambda data, k: None)
    for path in tmp_path.iterdir():
        rewrite(path, lambda data, k: setattr(data, "PixelData", encapsulate([b"\xff\x0a1234"])))
        data = path.read_bytes()
        place = data.index(b"1.2.840.10008.1.2.1\0")
        text = syntax.encode() + b"\0" * (len(syntax) % 2)
        head = data[: place - 2] + len(text).to_bytes(2, "little") + text
        group = int.from_bytes(data[140:144], "little") + len(text) - 20
        path.write_bytes(head[:140] + group.to_bytes(4, "little") + head[144:] + data[place + 20 :])

    message = refusal(tmp_path)

    assert "compressed in a way that cannot be read" in message
    assert title in message
    assert "damaged" not in message


@pytest.mark.parametrize(
    ("length", "tail"), [(-2, b""), (80, b""), (0, b"abc"), (0, b"\x08\x00\x10\x00LO\x02\x00ab")],
)  # fmt: skip
def test_pixels_of_another_length_than_the_header_says_are_refused(tmp_path: Path, length: int, tail: bytes) -> None:
    path = write_slices(tmp_path)[2]
    size = 32 * 40 * 2
    rewrite(path, lambda data, k: setattr(data, "PixelData", (data.PixelData + b"\1" * 80)[: size + length]))
    path.write_bytes(path.read_bytes() + tail)

    assert f"'{path}' is cut or damaged" in refusal(tmp_path)


def test_zeros_and_elements_behind_the_pixels_are_no_fault(tmp_path: Path) -> None:
    first, second, *_ = write_slices(tmp_path)
    first.write_bytes(first.read_bytes() + bytes(512))
    rewrite(second, lambda data, k: data.add_new(0xFFFCFFFC, "OB", b"\1\2\3\4"))

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


@pytest.mark.parametrize(("cut", "more"), [(-6, b""), (0, b"\x05abcdef"), (None, b"")])
def test_rle_segments_of_another_length_are_refused(tmp_path: Path, cut: int | None, more: bytes) -> None:
    path = write_slices(tmp_path, lambda data, k: compress(data, RLELossless, generate_instance_uid=False))[1]

    def damage(data: Any, k: int) -> None:
        from pydicom.encaps import generate_frames

        frame = next(generate_frames(data.PixelData, number_of_frames=1))
        data.PixelData = encapsulate([frame[: len(frame) + cut] + more if cut is not None else b"\x09" * 70])

    rewrite(path, damage)

    assert f"'{path}' is cut or damaged" in refusal(tmp_path)


def test_what_a_deflated_file_inflates_to_is_bounded(tmp_path: Path) -> None:
    path = write_slices(tmp_path, lambda data, k: setattr(data.file_meta, "TransferSyntaxUID", DEFLATED))[2]
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    plain = zlib.decompress(data[start:], -zlib.MAX_WBITS) + bytes(1 << 26)
    path.write_bytes(data[:start] + deflate.compress(plain) + deflate.flush())

    assert f"'{path}' is cut or damaged" in refusal(tmp_path)


def jpeg_claiming(rows: int, stream: bytes) -> Any:
    def edit(data: Any, k: int) -> None:
        data.file_meta.TransferSyntaxUID = JPEG
        data.Rows = data.Columns = rows
        data.PixelData = encapsulate([stream])
        data["PixelData"].VR = "OB"

    return edit


def test_a_file_without_a_code_stream_is_refused(tmp_path: Path) -> None:
    for path in write_slices(tmp_path, jpeg_claiming(64, b"\xff\xd8\xff\xd9")):
        rewrite(path, lambda data, k: setattr(data, "PixelData", b"\xfe\xff\x00\xe0\0\0\0\0"))

    assert "is cut or damaged" in refusal(tmp_path)


def test_a_small_file_that_claims_a_huge_image_is_refused(tmp_path: Path) -> None:
    write_slices(tmp_path, jpeg_claiming(60000, b"\xff\xd8\xff\xd9"))

    assert "claims 60000 x 60000 pixels" in refusal(tmp_path)


def test_small_files_that_claim_a_large_volume_are_refused(tmp_path: Path) -> None:
    write_slices(tmp_path, jpeg_claiming(4000, b"\xff\xd8\xff\xd9"))

    assert "claim a volume of 183 MB" in refusal(tmp_path)


@pytest.mark.parametrize("compressor", ["JPEG2000", "JPEG"])
def test_a_code_stream_of_another_size_than_the_header_says_is_refused(tmp_path: Path, compressor: str) -> None:
    paths = write_dicom(tmp_path, small_ct(), oblique(), compressor=compressor)
    for path in paths:
        rewrite(path, lambda data, k: setattr(data, "Rows", 16))

    assert "is cut or damaged" in refusal(tmp_path)


def test_compressed_slices_are_read_whatever_the_spacing_between_them_is_said_to_be(tmp_path: Path) -> None:
    for path in write_dicom(tmp_path, small_ct(), oblique(), compressor="JPEG2000"):
        rewrite(path, lambda data, k: setattr(data, "SpacingBetweenSlices", 0))

    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, small_ct())


def test_a_decoder_is_not_waited_for_once_the_run_is_cancelled(tmp_path: Path) -> None:
    path = write_dicom(tmp_path, small_ct(), oblique(), compressor="JPEG")[0]
    item = read_header(FolderFile(path))
    assert isinstance(item, Slice)
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise CancelledError("The run was cancelled.")

    with Decoder() as decoder, pytest.raises(CancelledError):
        read_pixels(item, decoder, check)

    assert len(calls) == 2


def test_a_decoder_goes_on_after_a_damaged_image(tmp_path: Path) -> None:
    item = read_header(FolderFile(write_dicom(tmp_path, small_ct(), oblique(), compressor="JPEG")[0]))
    assert isinstance(item, Slice)
    pixels = stored_pixels(item)

    with Decoder() as decoder:
        with pytest.raises(DamagedError):
            decoder.decode(read_stored(item), pixels, (16, 40), lambda: None)
        numbers = decoder.decode(read_stored(item), pixels, item.shape, lambda: None)

    np.testing.assert_array_equal(numbers - 1024, small_ct()[0])


def test_a_decoder_that_dies_is_told_as_a_damaged_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_slices(tmp_path, jpeg_claiming(64, b"\xff\xd8\xff\xc3\x00\x0b\x10" + b"\xff" * 40))

    message = refusal(tmp_path)

    assert "is cut or damaged" in message
    assert capfd.readouterr().err == ""
