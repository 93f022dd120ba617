"""What lies in DICOM folders beside the CT: nothing keeps the reader waiting, nothing is left out without a word."""

from __future__ import annotations

import os
import socket
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seru.ct_check import check_is_ct
from seru.errors import BadInputError, CancelledError
from seru.io.dicom import looks_like_dicom
from seru.io.dicom_folder import find_dicom_files
from seru.io.images import read_volume
from seru.progress import Progress
from Testing.seru.dicom_by_hand import ct_slice, write_slices
from Testing.seru.image_files_by_hand import small_ct

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX's own kinds of files")


def warning(folder: Path) -> str:
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.array_kji, small_ct())
    return " ".join(check_is_ct(volume))


@posix
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    write_slices(tmp_path)
    (tmp_path / "IM9999.dcm").symlink_to("/nonexistent/key")

    assert "'IM9999.dcm' (a link that leads nowhere)" in warning(tmp_path)


def test_a_zip_of_dicom_in_a_folder_is_named_and_any_other_is_none_of_ours(tmp_path: Path) -> None:
    write_slices(tmp_path)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("a/IM1", next(path for path in tmp_path.iterdir() if path.suffix != ".zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", "no image")

    told = warning(tmp_path)

    assert "'more.zip' (a zip of DICOM in the folder, which is read where it is given itself)" in told
    assert "notes.zip" not in told


@posix
def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path) -> None:
    write_slices(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.getcwd()
        os.chdir(tmp_path)  # a socket's path may have 100 characters only
        server.bind("socket")
        os.chdir(folder)

    assert "'pipe', 'socket', 'zero' (no regular file)" in warning(tmp_path)
    assert not looks_like_dicom(tmp_path / "pipe")
    assert not looks_like_dicom(tmp_path / "nothing")


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_and_a_folder_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    write_slices(tmp_path)
    (tmp_path / "locked.dcm").write_bytes(b"x")
    (tmp_path / "locked.dcm").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)

    assert "'closed', 'locked.dcm' (permission denied)" in warning(tmp_path)


@posix
def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    write_slices(tmp_path / "elsewhere")
    (tmp_path / "ct").mkdir()
    (tmp_path / "ct" / "series").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "ct" / "twice").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "up").symlink_to(tmp_path)

    assert warning(tmp_path / "ct") == ""


@posix
def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    write_slices(tmp_path)
    (tmp_path / "loop").symlink_to("loop")

    assert "'loop'" in warning(tmp_path)


def test_files_that_are_no_dicom_are_named_only_where_their_name_says_so(tmp_path: Path) -> None:
    write_slices(tmp_path)
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "text.dcm").write_text("no image\n" * 100)
    (tmp_path / "._a1-999.dcm").write_bytes(b"\0\x05\x16\x07" + bytes(4092))
    (tmp_path / "notes.txt").write_text("no image\n" * 100)
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(300))

    index = bytes(128) + b"DICM" + b"\x02\x00\x02\x00UI\x14\x001.2.840.10008.1.3.10"
    (tmp_path / "INDEX").write_bytes(index + b"1.2.840.10008.5.1.4.1.1.2\0")

    text = warning(tmp_path)

    assert "'empty.dcm' (empty)" in text
    assert "INDEX" not in text
    assert "'text.dcm' (no DICOM image, whatever its name)" in text
    assert "999" not in text
    assert "notes" not in text


@pytest.mark.parametrize("size", [140, 200, 300, 400])
def test_the_last_slice_cut_within_its_first_bytes_is_not_lost_in_silence(tmp_path: Path, size: int) -> None:
    path = write_slices(tmp_path)[-1]
    path.write_bytes(path.read_bytes()[:size])

    try:
        text = " ".join(check_is_ct(read_volume(tmp_path)))
    except BadInputError as error:
        text = str(error)

    assert path.name in text


def test_a_series_in_a_hundred_folders_is_read_in_any_order(tmp_path: Path) -> None:
    folder = tmp_path
    for k in (3, 0, 5, 1, 4, 2):
        folder = folder.joinpath(*"abcdefghij")
        folder.mkdir(parents=True)
        ct_slice(small_ct(), k).save_as(folder / "IM", enforce_file_format=True)

    assert warning(tmp_path) == ""


def test_a_folder_without_a_ct_says_what_was_not_read(tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").write_bytes(b"")

    with pytest.raises(BadInputError, match=r"no DICOM images; not read: 'empty.dcm': empty"):
        read_volume(tmp_path)


def test_reading_stops_between_files_once_it_is_cancelled(tmp_path: Path) -> None:
    write_slices(tmp_path)
    progress = Progress()
    progress.cancel()

    with pytest.raises(CancelledError):
        find_dicom_files(tmp_path, progress.advancing("load"))


def test_without_pydicom_a_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_slices(tmp_path)
    monkeypatch.setitem(sys.modules, "pydicom.filereader", None)

    with pytest.raises(BadInputError, match="needs pydicom, which is not installed; install it with"):
        read_volume(tmp_path)


@pytest.mark.parametrize("name", ["a1-999.dcm", "a1-994.dcm"])
def test_a_slice_cut_within_a_sequence_is_refused_not_left_out(tmp_path: Path, name: str) -> None:
    write_slices(tmp_path)
    data = (tmp_path / name).read_bytes()
    patient = data.index(b"\x10\0\x20\0LO")
    (tmp_path / name).write_bytes(data[:patient] + b"\x09\0\x01\x10SQ\0\0" + b"\xff" * 4)

    with pytest.raises(BadInputError, match=f"{name}' is cut or damaged"):
        read_volume(tmp_path)
