"""Files alone and together: whole or not at all, nothing of killed runs, and places known to be impossible."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import seru
from seru.errors import BadInputError, CancelledError
from seru.files import FileGroup, clear_parts, discard_new_files, probing_folder, replacing, write_text
from seru.places import check_writable, is_same_place

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="as Linux does it")
needs_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs to be root")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_of_a_group_take_their_places_together(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("older")

    with FileGroup() as group:
        write_text(one, "1", group.open)
        write_text(two, "2", group.open)
        before = one.read_text(), two.exists()

    assert before == ("older", False)
    assert (one.read_text(), two.read_text()) == ("1", "2")
    assert names(tmp_path) == ["one", "two"]


def fail_in_a_group(tmp_path: Path) -> None:
    with FileGroup() as group:
        group.make_folder(tmp_path / "new" / "folder")
        group.remove(tmp_path / "old")
        write_text(tmp_path / "new" / "folder" / "one", "1", group.open)
        write_text(tmp_path / "old", "2", group.open)
        raise CancelledError("Cancelled.")


def test_a_group_that_fails_leaves_no_file_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("older")

    with pytest.raises(CancelledError):
        fail_in_a_group(tmp_path)

    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "older"


def place_where_the_second_cannot(tmp_path: Path) -> None:
    with FileGroup() as group:
        group.remove(tmp_path / "report")
        write_text(tmp_path / "first", "1", group.open)
        write_text(tmp_path / "second", "2", group.open)
        (tmp_path / "second").mkdir()  # meanwhile, by someone else


def test_where_a_file_cannot_take_its_place_those_before_it_go_and_what_was_removed_is_back(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("older")

    with pytest.raises(BadInputError, match="is a folder"):
        place_where_the_second_cannot(tmp_path)

    assert names(tmp_path) == ["report", "second"]
    assert (tmp_path / "report").read_text() == "older"


def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "link").symlink_to("other")
    (tmp_path / "dangling").symlink_to("nowhere")

    for name in ("link", "dangling"):
        check_writable(tmp_path / name)
        write_text(tmp_path / name, "new")

    assert names(tmp_path) == ["dangling", "link", "other"]
    assert [(tmp_path / name).read_text() for name in ("link", "dangling", "other")] == ["new", "new", "other"]


def test_no_permission_is_changed_after_the_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "fchmod", refuse, raising=False)

    check_writable(tmp_path / "file")
    write_text(tmp_path / "file", "text")

    assert (tmp_path / "file").read_text() == "text"


@needs_linux
def test_a_name_that_is_not_utf8_is_written_and_read_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"M\xfcller")

    check_writable(tmp_path / name)
    write_text(tmp_path / name, json.dumps({"path": name}, ensure_ascii=False))

    assert (tmp_path / name).read_bytes() == b'{"path": "M\\udcfcller"}'
    assert json.loads((tmp_path / name).read_text(encoding="utf-8")) == {"path": name}


_WRITE_FOR_EVER = """
import sys
from pathlib import Path
from seru.files import FileGroup
with FileGroup() as group, group.open(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("ready", flush=True)
    sys.stdin.read()
"""


def start_writing(path: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(seru.__file__).parent.parent)}
    command = [sys.executable, "-c", _WRITE_FOR_EVER, str(path)]
    child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks")
def test_what_a_killed_run_left_is_cleared_by_the_next_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    killed, living = start_writing(tmp_path / "a"), start_writing(tmp_path / "b")
    killed.kill()
    killed.communicate()
    assert len(names(tmp_path)) == 2

    check_writable(tmp_path / "c")

    assert len(names(tmp_path)) == 1
    living.communicate(b"")
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"half"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks")
def test_a_folder_that_a_killed_run_tried_a_place_with_is_cleared_and_that_of_a_living_one_stays(
    tmp_path: Path,
) -> None:
    with probing_folder(tmp_path) as living:
        left = shutil.copytree(living, living.with_name(living.name.replace(".part", "1.part")))
        (left / "probe").touch()

        clear_parts(tmp_path)

        assert names(tmp_path) == [living.name]
    assert names(tmp_path) == []


def test_parts_of_other_computers_go_when_they_are_a_day_old_and_other_files_never(tmp_path: Path) -> None:
    old = time.time() - 25 * 3600
    for name in (".seru-00000000-1.part", ".seru-00000000-2.part", ".seru-notes.txt", "mine.part"):
        (tmp_path / name).touch()
        if "-2" not in name:
            os.utime(tmp_path / name, (old, old))

    clear_parts(tmp_path)

    assert names(tmp_path) == [".seru-00000000-2.part", ".seru-notes.txt", "mine.part"]


def test_a_process_that_ends_where_it_stands_takes_its_new_files_along(tmp_path: Path) -> None:
    def write_on() -> None:
        with replacing(tmp_path / "file") as file:
            discard_new_files()
            file.write(b"more")

    with pytest.raises(ValueError, match="closed"):
        write_on()

    assert names(tmp_path) == []


# Places that no result can have.


def refused(path: Path) -> str:
    before = names(path.parent)
    with pytest.raises(BadInputError) as caught:
        check_writable(path)
    assert names(path.parent) == before
    return str(caught.value)


@needs_linux
def test_devices_pipes_sockets_and_folders_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        (tmp_path / "folder").mkdir()
        (tmp_path / "to_device").symlink_to("/dev/null")

        for name in ("pipe", "socket", "to_device"):
            assert "is a device or a pipe" in refused(tmp_path / name)
        assert "is a folder" in refused(tmp_path / "folder")


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    assert "No file can have the name" in refused(tmp_path / name)


def test_too_long_a_name_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    assert "too long" in refused(tmp_path / ("x" * 256))
    check_writable(tmp_path / ("x" * 255))
    with pytest.raises(BadInputError, match="does not exist"):
        check_writable(tmp_path / "no" / "file")


@needs_linux
@needs_root
def test_a_file_that_is_a_mount_of_its_own_is_refused(tmp_path: Path) -> None:
    for name in ("outside", "target"):
        (tmp_path / name).write_text(name)
    if subprocess.run(["mount", "--bind", tmp_path / "outside", tmp_path / "target"], capture_output=True).returncode:
        pytest.skip("may not mount here")
    try:
        assert "mount its folder instead" in refused(tmp_path / "target")
    finally:
        subprocess.run(["umount", tmp_path / "target"], check=True)


def test_one_place_is_known_under_each_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").symlink_to(".")
    os.link(tmp_path / "file", tmp_path / "hard")

    for name in ("file", "link", "hard", "folder/file", "../" + tmp_path.name + "/file", "FILE"):
        assert is_same_place(tmp_path / "file", tmp_path / name)
    assert is_same_place(tmp_path / "new.nii", tmp_path / "folder/NEW.nii")
    assert is_same_place(tmp_path / "\u00e9", tmp_path / "e\u0301")
    assert not is_same_place(tmp_path / "file", tmp_path / "file2")
