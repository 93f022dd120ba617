"""Which cases a folder holds, and what is said of all else in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from seru.cohort.discovery import find_cases
from seru.errors import BadInputError
from Testing.seru.image_files_by_hand import write_dicom

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and permissions are POSIX's")

ARRAY, MATRIX = np.zeros((2, 4, 4), np.int16), np.eye(4)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def cases(folder: Path) -> dict[str, str]:
    """The paths of the cases by name."""
    return {case.name: case.path.relative_to(folder).as_posix() for case in find_cases(folder).cases}


def faults(folder: Path) -> dict[str, str]:
    return {item.name: item.reason for item in find_cases(folder).left_out if item.is_fault}


def notes(folder: Path) -> dict[str, str]:
    return {item.name: item.reason for item in find_cases(folder).left_out if not item.is_fault}


def test_files_in_folders_keep_the_names_of_their_folders(tmp_path: Path) -> None:
    touch(tmp_path, "a/b/ct.nii.gz", "a/ct.nii.gz", "ct.nrrd", "notes.txt", "a/.hidden.nii.gz", ".hidden/ct.nii.gz")

    assert cases(tmp_path) == {"a_b_ct": "a/b/ct.nii.gz", "a_ct": "a/ct.nii.gz", "ct": "ct.nrrd"}
    assert find_cases(tmp_path).left_out == []


def test_cases_as_kits19_lays_them_out_are_called_as_their_folders(tmp_path: Path) -> None:
    for number in range(2):
        touch(tmp_path, f"case_0000{number}/imaging.nii.gz", f"case_0000{number}/segmentation.nii.gz")

    assert cases(tmp_path) == {f"case_0000{n}": f"case_0000{n}/imaging.nii.gz" for n in range(2)}
    assert set(notes(tmp_path)) == {f"case_0000{n}/segmentation.nii.gz" for n in range(2)}


def test_a_folder_of_labels_alone_holds_no_ct(tmp_path: Path) -> None:
    touch(tmp_path, "a_seg.nii.gz", "b_seg.nii.gz")

    with pytest.raises(BadInputError, match=r"holds no CT file .* \(2 left out, 'a_seg.nii.gz' for one\)"):
        find_cases(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["segmentations/liver.nii.gz", "aggregated_MAJ_seg.nii.gz", "ct_seg.nii.gz", "ct.seg.nrrd", "ct-labels.mha",
     "Label.nii", "mask.nii.gz"],
)  # fmt: skip
def test_labels_beside_a_ct_are_left_out_with_a_note(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "s1/ct.nii.gz", f"s1/{name}", "segal.nii.gz")

    assert cases(tmp_path) == {"s1_ct": "s1/ct.nii.gz", "segal": "segal.nii.gz"}
    assert "called as labels" in notes(tmp_path)[f"s1/{name}"]


def test_cases_of_one_name_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, "a/b.nii.gz", "a_b.nii.gz", "a_b.nrrd")

    assert set(cases(tmp_path)) == {"a_b-nii.gz", "a_b-nii.gz-2", "a_b-nrrd"}


def test_names_that_some_file_systems_take_for_one_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, "\u00e9.nii.gz", "E\u0301.nrrd")

    assert set(cases(tmp_path)) == {"\u00e9-nii.gz", "E\u0301-nrrd"}


def test_a_folder_without_a_ct_is_listed(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii.gz", "d/readme.txt")
    (tmp_path / "b" / "c").mkdir(parents=True)

    assert cases(tmp_path) == {"a": "a.nii.gz"}
    assert notes(tmp_path) == dict.fromkeys("bd", "The folder holds no CT.")


def test_links_to_nowhere_pipes_and_devices_hide_nothing_and_are_listed(tmp_path: Path) -> None:
    touch(tmp_path, "good.nii.gz", "p/good.nii.gz")
    (tmp_path / "p/IM0001.dcm").symlink_to("/nonexistent/key")
    (tmp_path / "lost.nii.gz").symlink_to("nowhere")
    (tmp_path / "round.nii.gz").symlink_to("round.nii.gz")
    (tmp_path / "null.nii.gz").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe.nii.gz")

    assert set(cases(tmp_path)) == {"good", "p_good"}
    found = faults(tmp_path)
    assert set(found) == {"p/IM0001.dcm", "lost.nii.gz", "round.nii.gz", "null.nii.gz", "pipe.nii.gz"}
    assert "It is a link to '/nonexistent/key'" in found["p/IM0001.dcm"]
    assert found["pipe.nii.gz"] == "It is a device or a pipe, not a file."


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may read everything")
def test_a_locked_folder_hides_nothing_and_is_listed(tmp_path: Path) -> None:
    touch(tmp_path, "good.nii.gz", "locked/ct.nii.gz")
    (tmp_path / "locked").chmod(0)

    try:
        assert set(cases(tmp_path)) == {"good"}
        assert faults(tmp_path) == {"locked": "It cannot be read (Permission denied)."}
    finally:
        (tmp_path / "locked").chmod(0o700)


def test_linked_folders_are_looked_into_once(tmp_path: Path) -> None:
    touch(tmp_path, "in/a/ct.nii.gz", "far/ct.nii.gz")
    (tmp_path / "in/far").symlink_to(tmp_path / "far")
    (tmp_path / "in/a/round").symlink_to(tmp_path / "in")
    (tmp_path / "in/z").symlink_to(tmp_path / "far")

    assert set(cases(tmp_path / "in")) == {"a_ct", "far_ct"}
    assert set(notes(tmp_path / "in")) == {"a/round", "z"}


def test_folders_of_results_are_not_looked_into(tmp_path: Path) -> None:
    touch(tmp_path, "ct.nii.gz", "out/ct.nii.gz", "maps/a/ct.nii.gz")

    found = find_cases(tmp_path, [tmp_path / "out", tmp_path / "maps", tmp_path / "missing"])

    assert [case.name for case in found.cases] == ["ct"]


def test_dicom_files_below_a_folder_are_one_case_a_study(tmp_path: Path) -> None:
    for place, study in (("anna/1", "1.2.1"), ("anna/2", "1.2.1"), ("bert/old", "1.2.2"), ("bert/new/3", "1.2.3")):
        write_dicom(tmp_path / place, ARRAY, MATRIX, t0020_000d=study)
    os.mkfifo(tmp_path / "anna" / "pipe")  # for the reader to name

    assert cases(tmp_path) == {"anna": "anna", "bert_new_3": "bert/new/3", "bert_old": "bert/old"}
    assert faults(tmp_path) == {}


def test_dicom_files_outside_any_folder_are_listed_once(tmp_path: Path) -> None:
    write_dicom(tmp_path, ARRAY, MATRIX)
    with pytest.raises(BadInputError, match="holds no CT file and no folder"):
        find_cases(tmp_path)

    touch(tmp_path, "ct.nii.gz")

    assert set(cases(tmp_path)) == {"ct"}
    assert list(faults(tmp_path).values()) == [
        "It is a DICOM file outside any folder; put each series into one of its own."
    ]


def test_long_names_of_nested_folders_leave_room_for_the_results(tmp_path: Path) -> None:
    long = "ü" * 90
    touch(tmp_path, f"{long}/{long}/1.nii", f"{long}/{long}/2.nii", f"{long}/x/{long}/2.nii")

    names = list(cases(tmp_path))

    assert len({name.casefold() for name in names}) == 3
    assert all(len(name.encode()) <= 200 for name in names)
    assert names == list(cases(tmp_path))
