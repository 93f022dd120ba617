"""A zip of DICOM is read as its folder is; one that is damaged, or claims what no CT does, is one sentence."""

from __future__ import annotations

import io
import json
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cli import main
from seru.cli.live_case import LiveCase, Order
from seru.cohort.discovery import find_cases
from seru.cohort.outputs import Outputs
from seru.ct_check import check_is_ct
from seru.errors import BadInputError, CancelledError
from seru.io.dicom_source import SourceHeaders
from seru.io.images import read_volume
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.volume import Volume
from Testing.seru.dicom_by_hand import ct_slice, write_slices
from Testing.seru.dicom_seg_by_hand import places_of, read_series, some_labels, written
from Testing.seru.image_files_by_hand import oblique, small_ct, write_dicom

# Fields of an entry in a zip's directory, by APPNOTE.TXT 4.3.12: offset and length.
FLAGS, CRC, PACKED, SIZE, ATTRIBUTES, PLACE = (8, 2), (16, 4), (20, 4), (24, 4), (38, 4), (42, 4)


def zip_of(folder: Path, path: Path, method: int = zipfile.ZIP_DEFLATED, inside: str = "") -> Path:
    """A zip of the files in a folder and below."""
    with zipfile.ZipFile(path, "w", method) as made:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                made.writestr(inside + file.relative_to(folder).as_posix(), file.read_bytes())
    return path


def zipped_ct(tmp_path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    write_slices(tmp_path / "ct")
    return zip_of(tmp_path / "ct", tmp_path / "ct.zip", method)


def directory_of(data: bytes) -> list[int]:
    """Where each entry of the directory begins."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        count, place = len(opened.infolist()), opened.start_dir
    places = []
    for _ in range(count):
        places.append(place)
        place += 46 + sum(struct.unpack_from("<3H", data, place + 28))
    return places


def claim(path: Path, entry: int, field: tuple[int, int], change: Callable[[int], int]) -> None:
    """Change what the directory says of an entry."""
    data = bytearray(path.read_bytes())
    start, length = directory_of(bytes(data))[entry] + field[0], field[1]
    value = change(int.from_bytes(data[start : start + length], "little"))
    data[start : start + length] = value.to_bytes(length, "little")
    path.write_bytes(data)


def add(path: Path, name: str, data: bytes, mode: int = 0) -> None:
    """Add a file under exactly this name."""
    entry = zipfile.ZipInfo("x")
    entry.filename, entry.external_attr = name, mode << 16
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(entry, data)


def refused(path: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        read_volume(path)
    return str(caught.value)


def facts_of(volume: Volume) -> tuple[object, ...]:
    """What must be alike for a folder and its zip: all but the path."""
    source = {name: text for name, text in volume.source.items() if name != "path"}
    return volume.sha256(), source, volume.notes, [file.name for file in volume.slice_files]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_read_as_its_folder_is_without_a_file_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: int
) -> None:
    path = zipped_ct(tmp_path, method)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert facts_of(volume) == facts_of(read_volume(tmp_path / "ct"))
    facts = {"path": str(path), "format": "dicom", "series_uid": "1.2.826.1", "patient": "7902699be42c8a8e"}
    assert volume.source == facts
    assert sorted(item.name for item in tmp_path.iterdir()) == ["ct", "ct.zip"]


def test_folders_in_the_zip_are_looked_into_and_what_lies_beside_the_ct_is_known(tmp_path: Path) -> None:
    write_slices(tmp_path / "ct" / "study" / "series")
    for name, data in (
        ("DICOMDIR", bytes(128) + b"DICM" + bytes(300)),
        ("__MACOSX/study/series/._a1-999.dcm", b"\0\x05\x16\x07" + bytes(4092)),
        ("study/notes.txt", b"no image\n" * 100),
        ("study/empty.dcm", b""),
        ("study/text.dcm", b"no image\n" * 100),
    ):
        (tmp_path / "ct" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ct" / name).write_bytes(data)

    volume = read_volume(zip_of(tmp_path / "ct", tmp_path / "ct.zip"))

    text = " ".join(check_is_ct(volume))
    assert facts_of(volume) == facts_of(read_volume(tmp_path / "ct"))
    assert "'empty.dcm' (empty)" in text
    assert "'text.dcm' (no DICOM image, whatever its name)" in text
    assert "notes" not in text
    assert "999" not in text


def test_backslashes_are_folders_and_bytes_before_the_zip_are_no_harm(tmp_path: Path) -> None:
    write_slices(tmp_path / "ct")
    path = tmp_path / "CT.ZIP"
    with zipfile.ZipFile(path, "w"):
        pass
    for file in sorted((tmp_path / "ct").iterdir()):
        add(path, f"study\\series\\{file.name}", file.read_bytes())
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())

    volume = read_volume(path)

    assert facts_of(volume) == facts_of(read_volume(tmp_path / "ct"))
    assert str(volume.slice_files[0]) == str(path / "study" / "series" / "a1-999.dcm")


def test_a_zip_that_was_streamed_and_one_of_64_bits_are_read(tmp_path: Path) -> None:
    write_slices(tmp_path / "ct")

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:
        for file in sorted((tmp_path / "ct").iterdir()):
            with made.open(file.name, "w", force_zip64=True) as inside:
                inside.write(file.read_bytes())
    (tmp_path / "ct.zip").write_bytes(pipe.data)

    assert facts_of(read_volume(tmp_path / "ct.zip")) == facts_of(read_volume(tmp_path / "ct"))


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_compressed_frames_are_decoded(tmp_path: Path, compressor: str) -> None:
    write_dicom(tmp_path / "ct", small_ct(), oblique(), compressor=compressor)

    volume = read_volume(zip_of(tmp_path / "ct", tmp_path / "ct.zip"))

    np.testing.assert_array_equal(volume.array_kji, small_ct())


@pytest.mark.parametrize("name", ["../a", "a/../../b", "..\\a", "/a", "\\a", "C:/a", "c:\\a", "a/.."])
def test_a_path_that_leads_out_of_the_zip_is_refused(tmp_path: Path, name: str) -> None:
    path = zipped_ct(tmp_path)
    add(path, name, b"x")

    assert refused(path) == (f"'{path}' holds a file whose path leads out of it ({name!r}); zip the CT's folder again.")


def test_a_link_in_a_zip_is_not_followed_and_named(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    add(path, "key.dcm", b"/etc/passwd", stat.S_IFLNK | 0o777)
    add(path, "pipe", b"", stat.S_IFIFO | 0o777)

    text = " ".join(read_volume(path).notes)

    assert "'key.dcm' (a link in a zip)" in text
    assert "'pipe' (no regular file)" in text


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    add(path, "a\\b", b"1")
    add(path, "a/b", b"2")

    assert refused(path) == f"'{path}' holds 2 files called 'a/b'; zip the CT's folder again."


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    claim(path, 2, FLAGS, lambda flags: flags | 1)

    assert refused(path) == f"'{path}' is encrypted; unpack it and give the CT's folder."


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(tmp_path: Path, method: int) -> None:
    path = zipped_ct(tmp_path, method)

    assert refused(path) == (
        f"'{path}' is packed in a way that is not read (method {method}); unpack it and give the CT's folder."
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_flipped_bit_is_found_wherever_it_is_in_a_slice(tmp_path: Path, method: int) -> None:
    path = zipped_ct(tmp_path, method)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as opened:
        entry = opened.infolist()[3]
    start = entry.header_offset + 30 + len(entry.filename)

    # Of the last byte some bits are padding.
    for at in np.linspace(start, start + entry.compress_size - 2, 9).astype(int):
        data = bytearray(whole)
        data[at] ^= 4
        path.write_bytes(data)
        assert refused(path) == f"The zip '{path}' is cut or damaged at 'a1-997.dcm'; copy it again."


@pytest.mark.parametrize(
    ("field", "change"),
    [
        (SIZE, lambda size: size + 1),
        (SIZE, lambda size: size - 1),
        (SIZE, lambda size: size * 3),
        (PACKED, lambda packed: packed - 9),
        (PACKED, lambda packed: packed + (1 << 30)),
        (CRC, lambda crc: crc ^ 1),
        (PLACE, lambda place: place + 7),
        (PLACE, lambda place: 1 << 31),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_directory_that_lies_is_found(
    tmp_path: Path, method: int, field: tuple[int, int], change: Callable[[int], int]
) -> None:
    path = zipped_ct(tmp_path, method)
    claim(path, 4, field, change)

    assert refused(path) == f"The zip '{path}' is cut or damaged at 'a1-998.dcm'; copy it again."


def test_files_that_overlap_are_refused(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    claim(path, 1, PLACE, lambda place: 0)

    assert "is cut or damaged at" in refused(path)


def test_a_local_header_that_reaches_into_the_next_file_is_refused(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    data = bytearray(path.read_bytes())
    data[28:30] = struct.pack("<H", 500)  # the length of its extra field
    path.write_bytes(data)

    assert refused(path) == f"The zip '{path}' is cut or damaged at 'a1-994.dcm'; copy it again."


def test_a_zip_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    data = path.read_bytes()

    for size in (1, 3, 21, 22, 500, len(data) // 2, len(data) - 30, len(data) - 1):
        path.write_bytes(data[:size])
        assert refused(path) == f"'{path}' is no zip, or a cut or damaged one; copy it again."
    path.write_bytes(b"")
    assert refused(path) == f"'{path}' is empty (0 bytes); copy it again."


def test_a_zip_without_a_ct_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    path = zip_of(tmp_path / "nothing", tmp_path / "ct.zip")
    assert refused(path) == f"'{path}' holds no CT series (found: no DICOM images); give the folder of a CT."

    add(path, "series.zip", zipped_ct(tmp_path / "inner").read_bytes())
    add(path, "notes.txt", b"no image\n" * 100)
    assert "(found: no DICOM images; not read: 'series.zip': a zip in the zip)" in refused(path)


@pytest.mark.parametrize("size", [1 << 31, 0xFFFFFFFE])
def test_a_zip_that_claims_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path, size: int) -> None:
    path = zipped_ct(tmp_path)
    claim(path, 0, SIZE, lambda _: size)

    assert "claims to unpack to" in (text := refused(path))
    assert "as no CT does; unpack it and give the CT's folder." in text


def test_a_directory_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ct.zip"
    with zipfile.ZipFile(path, "w") as made:
        for number in range(140):
            made.writestr(f"{number:060000d}", b"")

    assert refused(path) == f"'{path}' holds more files than a CT has; unpack it and give the CT's folder."


def test_a_file_larger_than_a_slice_is_named_and_not_unpacked(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    add(path, "large.dcm", bytes(128) + b"DICM" + bytes(1 << 26))

    volume = read_volume(path)

    np.testing.assert_array_equal(volume.array_kji, small_ct())
    assert "'large.dcm' (larger than any slice)" in " ".join(volume.notes)


def test_several_series_are_told_of_in_the_same_sentence_and_chosen_from(tmp_path: Path) -> None:
    write_slices(tmp_path / "ct" / "one")
    write_slices(
        tmp_path / "ct" / "two", lambda data, k: setattr(data, "SeriesInstanceUID", "1.2.826.2"), small_ct((4, 32, 40))
    )
    path = zip_of(tmp_path / "ct", tmp_path / "ct.zip")

    assert read_volume(path).notes == read_volume(tmp_path / "ct").notes
    told = read_volume(path).notes[0]
    assert told.startswith("There are 2 CT series; the one with most slices (6) was taken: 1.2.826.1")
    assert told.endswith("; choose another with --series, or give it a folder of its own.")
    np.testing.assert_array_equal(read_volume(path, "1.2.826.2").array_kji, small_ct((4, 32, 40)))
    with pytest.raises(BadInputError, match=r"ct.zip' has no CT series 7; it has 1.2.826.1 \(6 slices\), 1.2.826.2"):
        read_volume(path, "7")


def test_a_missing_slice_is_the_sentence_of_a_folder(tmp_path: Path) -> None:
    write_slices(tmp_path / "ct")[2].unlink()

    assert refused(zip_of(tmp_path / "ct", tmp_path / "ct.zip")) == refused(tmp_path / "ct")


def test_reading_stops_between_files_once_it_is_cancelled(tmp_path: Path) -> None:
    path, seen = zipped_ct(tmp_path), []

    class Counting(Progress):
        def stage(self, name: str, done: int, total: int) -> None:
            seen.append(done)
            if len(seen) == 9:
                self.cancel()

    with pytest.raises(CancelledError):
        read_volume(path, progress=Counting())

    assert len(seen) == 9


def test_a_dicom_segmentation_of_a_zip_is_that_of_its_folder(tmp_path: Path) -> None:
    folder = read_series(tmp_path / "ct", oblique())
    zipped = read_volume(zip_of(tmp_path / "ct", tmp_path / "ct.zip"))

    one, other = (written(ct, some_labels(), tmp_path / "x.seg.dcm") for ct in (folder, zipped))

    assert places_of(one) == places_of(other)
    assert one.PixelData == other.PixelData
    assert one.PerFrameFunctionalGroupsSequence == other.PerFrameFunctionalGroupsSequence
    assert one.ReferencedSeriesSequence == other.ReferencedSeriesSequence
    assert (one.PatientID, one.StudyInstanceUID) == (other.PatientID, other.StudyInstanceUID)


def test_a_zip_that_is_gone_before_its_headers_are_needed_is_one_sentence(tmp_path: Path) -> None:
    path = zipped_ct(tmp_path)
    volume = read_volume(path)
    path.unlink()

    with pytest.raises(BadInputError, match=r"ct.zip.a1-999.dcm' cannot be read any more; copy it again\."):
        SourceHeaders.read(volume.slice_files)


def test_a_batch_takes_a_zip_as_a_case_and_knows_its_folders_results(tmp_path: Path, tiny_model: Path) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    write_slices(inputs / "anna")
    zip_of(inputs / "anna", inputs / "bert.zip", inside="series/")
    command = ["batch", str(inputs), "-o", str(out), "--model", str(tiny_model), "--threads", "1", "--progress", "none"]
    assert main(command) == 0
    anna, bert = (json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in ("anna", "bert"))
    made = (out / "anna.nii.gz").stat().st_mtime_ns
    shutil.rmtree(inputs / "anna")
    (inputs / "bert.zip").rename(inputs / "anna.zip")

    code = main(command)

    assert bert["input"] == {**anna["input"], "path": str(inputs / "bert.zip")}
    assert bert["labels_sha256"] == anna["labels_sha256"]
    (case,) = json.loads((out / "summary.json").read_text(encoding="utf-8"))["cases"]
    assert (code, case["name"], case["status"]) == (0, "anna", "skipped")
    assert (out / "anna.nii.gz").stat().st_mtime_ns == made


def test_a_batch_leaves_zips_of_other_things_out_and_keeps_damaged_ones(tmp_path: Path) -> None:
    (tmp_path / "cts").mkdir()
    zipped_ct(tmp_path).rename(tmp_path / "cts" / "a.zip")
    add(tmp_path / "cts" / "notes.zip", "notes.txt", b"no image")
    (tmp_path / "cts" / "cut.zip").write_bytes(b"PK\x03\x04")

    cohort = find_cases(tmp_path / "cts")

    assert [case.name for case in cohort.cases] == ["a", "cut"]
    assert [(item.name, item.reason, item.is_fault) for item in cohort.left_out] == [
        ("notes.zip", "It is a zip without a DICOM file.", False)
    ]


def test_a_worker_takes_the_zip_for_its_folder_and_refers_to_what_it_read_last(
    tmp_path: Path, tiny_model: Path
) -> None:
    path, made = zipped_ct(tmp_path), []
    (tmp_path / "ct" / "empty.dcm").write_bytes(b"")
    seen: set[str] = set()
    options, live = SegmentOptions(threads=1, engine="torch"), LiveCase(stays=True)

    class Stages(Progress):
        def stage(self, name: str, done: int, total: int) -> None:
            seen.add(name)

    for source in (tmp_path / "ct", path):
        seen.clear()
        outputs = Outputs(tmp_path / "x.nii.gz", further=(tmp_path / "x.seg.dcm",) if source == path else ())
        made.append(live.segment(Order(source, outputs, options, model=str(tiny_model)), Stages()))

    folder, zipped = made
    assert "coarse" not in seen
    assert zipped.input == replace(folder.input, path=str(path))
    assert zipped.labels_sha256 == folder.labels_sha256
    assert [text for text in folder.warnings if text not in zipped.warnings] == [
        "Left out: 'empty.dcm' (empty); if that was part of the CT, copy it again."
    ]
    assert (tmp_path / "x.seg.dcm").is_file()


def test_a_zip_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.zip") == f"'{tmp_path / 'no.zip'}' does not exist; give a CT file or a DICOM folder."


def test_a_single_slice_in_a_zip_is_read(tmp_path: Path) -> None:
    (tmp_path / "ct").mkdir()
    ct_slice(small_ct(), 2).save_as(tmp_path / "ct" / "IM", enforce_file_format=True)

    volume = read_volume(zip_of(tmp_path / "ct", tmp_path / "ct.zip"))

    np.testing.assert_array_equal(volume.array_kji, small_ct()[2:3])
