"""The child process: every line arrives, and it never outlives its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from Testing import REPOSITORY

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from SERUSegmentationLib.run import process as process_module  # noqa: E402
from SERUSegmentationLib.run.process import ChildProcess, childEnvironment  # noqa: E402
from SERUSegmentationLib.run.progress import RunProgress, clock  # noqa: E402

# Only against hanging.
HANGING_S = 120


class Program(ChildProcess):
    """Any Python program instead of the command."""

    program = ""

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-c", self.program]


def run_program(program: str, folder: Path) -> tuple[int | None, list[tuple[str, str]]]:
    lines: list[tuple[str, str]] = []
    child = Program([], folder, lambda stream, line: lines.append((stream, line)))
    child.program = program
    child.start()
    return child.wait(HANGING_S), lines


def test_every_line_arrives_and_the_last_one_without_its_end_too(tmp_path: Path) -> None:
    program = (
        "import sys, os\n"
        "for n in range(20000): print('line', n)\n"
        "sys.stdout.flush()\n"
        "sys.stderr.write('Traceback\\nMemoryError: the last words \u00e9\u010d')\n"
        "sys.stderr.flush()\n"
        "os._exit(7)\n"
    )

    code, lines = run_program(program, tmp_path)

    out = [line for stream, line in lines if stream == "out"]
    assert code == 7
    assert out == [f"line {n}" for n in range(20000)]
    assert [line for stream, line in lines if stream == "error"] == ["Traceback", "MemoryError: the last words éč"]


def test_lines_come_while_the_process_runs(tmp_path: Path) -> None:
    lines: list[str] = []
    child = Program([], tmp_path, lambda stream, line: lines.append(line))
    child.program = "import sys\nprint('first', flush=True)\nsys.stdin.read()\nprint('last')"
    child.start()

    end = time.monotonic() + HANGING_S
    while not lines and time.monotonic() < end:
        assert child.poll() is None
        time.sleep(0.02)
    before = list(lines)
    child.cancel()

    assert before == ["first"]
    assert child.wait(HANGING_S) == 0
    assert lines == ["first", "last"]


def test_a_process_that_prints_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_MOST_BYTES", 1 << 18)
    lines: list[str] = []
    child = Program([], tmp_path, lambda stream, line: lines.append(line))
    child.program = "import sys\nwhile True: print('never enough', file=sys.stderr)"
    child.start()

    assert child.wait(HANGING_S) not in (0, None)
    assert child.hasFlooded
    assert set(lines[1:-1]) == {"never enough"}


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    code, lines = run_program("print('x' * 300_000)", tmp_path)

    assert code == 0
    assert "".join(line for _, line in lines) == "x" * 300_000


@pytest.mark.parametrize(
    "line",
    [
        "3",
        "[1]",
        "{}",
        "[" * 100_000,
        '{"event": ["done"]}',
        '{"event": "stage"}',
        '{"event": "stage", "stage": "coarse", "done": "x", "total": 3}',
        '{"event": "stage", "stage": "coarse", "done": 1e999, "total": 1}',
        '{"event": "stage", "stage": "coarse", "done": 5, "total": 3}',
        '{"event": "stage", "stage": "coarse", "done": -1, "total": 3}',
        '{"event": "stage", "stage": "mining", "done": 1, "total": 3}',
        '{"event": "stage", "stage": {}, "done": 1, "total": 3}',
        '{"event": "warning"}',
        '{"event": "warning", "message": {"text": 1}}',
        '{"event": "error", "code": null, "message": "x"}',
        '{"event": "error", "code": 2, "message": []}',
        '{"event": NaN}',
    ],
)
def test_an_event_of_another_shape_is_no_event(line: str) -> None:
    progress = RunProgress()

    assert not progress.read(line)
    assert (progress.stage, progress.fraction, progress.warnings, progress.error) == (None, 0.0, [], None)


def test_warnings_without_end_are_cut() -> None:
    progress = RunProgress()

    for _ in range(1000):
        assert progress.read(json.dumps({"event": "warning", "message": "x" * 10_000}))

    assert len(progress.warnings) == 50
    assert {len(warning) for warning in progress.warnings} == {2000}


def test_a_process_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "KILL_AFTER_S", 0.3)
    child = Program([], tmp_path, lambda stream, line: None)
    child.program = "import time\ntime.sleep(60)"
    child.start()

    child.cancel()

    assert child.wait(HANGING_S) == -signal.SIGKILL


def test_the_child_s_environment_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("ITK_AUTOLOAD_PATH", "plugins")
    before = dict(os.environ)

    environment = childEnvironment()

    assert environment["PYTHONPATH"].split(os.pathsep) == [str(REPOSITORY / "SERUSegmentation"), "elsewhere"]
    assert "ITK_AUTOLOAD_PATH" not in environment
    assert dict(os.environ) == before


def test_a_crashed_slicer_takes_the_run_with_it_and_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "Lékař run"
    folder.mkdir()
    # The phantom takes longer to make than the parent is left to live.
    parent = (
        "import sys, time; sys.path[:0] = [sys.argv[1]]\n"
        "from pathlib import Path\n"
        "from SERUSegmentationLib.run.process import ChildProcess\n"
        "child = ChildProcess(['phantom', 'out.nrrd', '--seed', '1'], Path(sys.argv[2]), print)\n"
        "child.start(); print(child.pid, flush=True); time.sleep(60)\n"
    )
    slicer_process = subprocess.Popen(
        [sys.executable, "-c", parent, str(REPOSITORY / "SERUSegmentation"), str(folder)],
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    pid = int(slicer_process.stdout.readline())

    slicer_process.kill()
    slicer_process.wait(HANGING_S)

    end = time.monotonic() + HANGING_S
    while time.monotonic() < end and (is_alive(pid) or folder.exists()):
        time.sleep(0.05)
    assert not is_alive(pid)
    assert not folder.exists()


def is_alive(pid: int) -> bool:
    try:
        # An orphan that has ended may wait for its new parent as a zombie.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_progress_never_goes_back_and_other_lines_are_not_ours() -> None:
    progress = RunProgress()
    fractions = []
    for line in (
        '{"event": "stage", "stage": "load", "done": 0, "total": 1}',
        '{"event": "stage", "stage": "coarse", "done": 10, "total": 20}',
        '{"event": "stage", "stage": "coarse", "done": 12, "total": 93}',
        '{"event": "warning", "message": "thick slices"}',
        '{"event": "stage", "stage": "refine", "done": 50, "total": 100}',
        '{"event": "done", "report": "report.json"}',
    ):
        assert progress.read(line)
        fractions.append(progress.fraction)

    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert progress.warnings == ["thick slices"]
    assert not progress.read("a library's own words")
    assert not progress.read('{"something": "else"}')
    assert clock(61.4) == "1:01"
