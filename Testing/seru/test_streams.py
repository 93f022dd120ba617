"""The command where the system is not as usual: closed and full streams, no home, no folder to stand in, no memory."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import seru
from seru.cli.bar import BarProgress, QuietProgress
from seru.cli.main import main
from seru.cli.streams import Lenient, Pipe
from seru.errors import NO_MEMORY, CancelledError
from seru.progress import RUN_STAGES, RunFraction
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as Linux does it")
COMMAND = f"{sys.executable} -m seru"
SENTENCE = "seru: The computer has too little memory for this volume; close other programs or crop it.\n"


@pytest.fixture
def segment(tmp_path: Path, tiny_model: Path) -> str:
    """The command of a run that takes a second, for a shell."""
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    return f"{COMMAND} segment {ct} -o {tmp_path}/o.nii.gz --model {tiny_model} --threads 1"


def run_shell(command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(seru.__file__).parent.parent), **options.pop("env", {})}
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(command, shell=True, capture_output=True, encoding="utf-8", env=environment, **options)


@pytest.mark.parametrize("streams", [">&- 2>&- <&-", ">/dev/full", "2>/dev/full", "| true"])
def test_streams_that_are_closed_or_full_undo_no_run(segment: str, tmp_path: Path, streams: str) -> None:
    done = run_shell(f"({segment}; echo $? >{tmp_path}/code) {streams}")

    assert (tmp_path / "code").read_text() == "0\n", done.stderr
    assert (tmp_path / "o.nii.gz").stat().st_size > 100
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception" not in done.stderr + done.stdout


def test_what_was_to_be_printed_and_could_not_be_is_said() -> None:
    done = run_shell(f"{COMMAND} models where >/dev/full")

    assert done.returncode == 2
    assert done.stderr.startswith("seru: A disk is full, or what is printed to (No space left on device);")


def test_json_for_a_full_disk_goes_on_and_for_a_reader_that_has_gone_ends(segment: str, tmp_path: Path) -> None:
    assert run_shell(f"{segment} --progress json >/dev/full").returncode == 0
    (tmp_path / "o.nii.gz").unlink()

    run_shell(f"({segment} --progress json; echo $? >{tmp_path}/code) | true")

    assert (tmp_path / "code").read_text() == "130\n"
    assert not (tmp_path / "o.nii.gz").exists()


def test_neither_home_nor_temporary_folder_nor_locale_nor_working_folder_is_needed(
    segment: str, tmp_path: Path
) -> None:
    nothing = {"HOME": None, "USER": None, "LOGNAME": None, "XDG_CACHE_HOME": None, "TMPDIR": "/no", "LC_ALL": "C"}
    gone = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir ../gone && {segment} --progress none"

    done = run_shell(gone, env=nothing)
    relative = run_shell(f"{gone} --report r.json")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.nii.gz").is_file()
    assert relative.returncode == 2
    assert "the folder that 'r.json' lies in was deleted" in relative.stderr


def test_streams_that_do_not_exist_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)

    assert main(["models", "where"]) == 0
    assert main(["models", "burn"]) == 2


def test_without_a_bar_warnings_and_summary_are_still_told(segment: str, tmp_path: Path) -> None:
    done = run_shell(f"{segment} --progress none")

    assert done.stdout.splitlines()[-1] == f"written: {tmp_path}/o.nii.gz"
    assert all(line.startswith("Warning: ") for line in done.stderr.splitlines())


class _Failing(io.StringIO):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        raise self._error


def test_a_stream_for_people_drops_what_cannot_be_written_and_a_pipe_cancels_only_without_reader() -> None:
    for error in (BrokenPipeError(), OSError(28, "full"), ValueError("closed")):
        Lenient(_Failing(error)).write("text")
    Pipe(_Failing(OSError(28, "full"))).write("text")
    for error in (BrokenPipeError(), ValueError("closed")):
        with pytest.raises(CancelledError):
            Pipe(_Failing(error)).write("text")


def test_the_bar_never_goes_back_and_warnings_stand_above_it() -> None:
    stream = io.StringIO()
    progress = BarProgress(Lenient(stream))
    for stage in RUN_STAGES:
        for done, total in ((0, 0), (0, 3), (2, 3), (1, 3), (3, 3), (0, 5)):
            progress.stage(stage, done, total)
    progress.warning("Look.")
    progress.done(None)

    text = stream.getvalue()
    percents = [int(part[-3:]) for part in text.split("%")[:-1]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert "Warning: Look.\n" in text
    stream.truncate(0)
    QuietProgress(Lenient(stream)).stage("load", 0, 1)
    assert stream.getvalue() == ""


def test_the_fraction_of_a_run_weighs_its_stages() -> None:
    fraction = RunFraction()

    assert fraction.at("load", 1, 2) == 0.02
    assert fraction.at("coarse", 1, 2) == 0.31
    assert fraction.at("load", 2, 2) == 0.31
    assert fraction.at("write", 1, 1) == 1.0
    # One that begins later, as where a side is refined anew, begins at 0 too.
    fraction = RunFraction()
    assert fraction.at("key_slices", 0, 1) == 0.0
    assert 0.0 < fraction.at("refine", 1, 2) < 1.0
    assert fraction.at("write", 1, 1) == 1.0


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("can't start new thread"), OSError(12, "Cannot allocate memory"),
     RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
     RuntimeError("Exception from src/core.cpp: std::bad_alloc")],
)  # fmt: skip
def test_too_little_memory_at_any_moment_is_code_4_and_its_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("seru.model.store.cache_folder", fail)

    assert main(["models", "where"]) == 4
    assert capsys.readouterr().err == SENTENCE


def test_a_limit_of_memory_below_what_the_libraries_take_is_said_before_they_fail(segment: str, tmp_path: Path) -> None:
    done = run_shell(f"ulimit -v 480000; {segment}")

    assert done.returncode == 4
    assert done.stderr == f"seru: {NO_MEMORY}\n"
    assert not (tmp_path / "o.nii.gz").exists()


def test_a_name_commands_no_terminal_and_breaks_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", "\x1b[31mred\n.nii.gz", "-o", "out.nii.gz"]) == 2

    assert capsys.readouterr().err.startswith("seru: '\\x1b[31mred\\n.nii.gz' does not exist")


@pytest.mark.parametrize("option", ["--maps=", "--pictures=", "--report=", "--model=", "--output="])
def test_an_empty_name_is_not_the_folder_one_stands_in(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", "ct.nii.gz", "-o", "out.nii.gz", option]) == 2

    assert "the name is empty" in capsys.readouterr().err


def test_without_a_bar_warnings_still_name_their_case() -> None:
    stream = io.StringIO()
    progress = QuietProgress(Lenient(stream))

    for case in ("a", "b", "c"):
        progress.announce(case, 1, 3)
        if case != "b":
            progress.warning("one")
            progress.warning("two")

    assert stream.getvalue().splitlines() == [
        "a (1 of 3)",
        "Warning: one",
        "Warning: two",
        "c (1 of 3)",
        "Warning: one",
        "Warning: two",
    ]
