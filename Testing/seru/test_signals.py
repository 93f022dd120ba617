"""SIGINT and SIGTERM from the first moment of the command to its last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import seru
from seru.cli.session import Session
from seru.errors import CancelledError
from seru.signals import Signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
CANCELLED = "seru: The run was cancelled; no output was written.\n"


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Signals]:
    # What is stuck is ended with its process, and that is pytest's: no machine is so busy for so long.
    monkeypatch.setattr("seru.signals.GRACE_S", 600.0)
    caught = Signals()
    caught.catch()
    yield caught
    caught.end()
    caught.release()


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(seru.__file__).parent.parent)}
    child = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env=environment, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


_STARTING = """
import sys, time, types
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "seru.cli":
            print("ready", flush=True)
            time.sleep(30)
sys.meta_path.insert(0, Slow())
from seru.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_imports_ends_with_130_and_one_sentence(number: signal.Signals) -> None:
    child = start(_STARTING, "segment", "--progress", "json")
    child.send_signal(number)

    out, error = child.communicate(timeout=20)

    assert child.returncode == 130
    assert error == CANCELLED
    assert out == '{"event": "error", "code": 130, "message": "The run was cancelled; no output was written."}\n'


_STUCK = """
import os, sys
import seru.signals
seru.signals.GRACE_S = 0.3
from pathlib import Path
import seru.cli.models
from seru.files import replacing
def where(arguments, session):
    with replacing(Path(sys.argv[3])) as file:
        file.write(b"half")
        print("ready", flush=True)
        open(sys.argv[4]).read()
seru.cli.models._where = where
from seru.__main__ import main
sys.exit(main(sys.argv[1:3]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_read_that_never_comes_back_is_ended_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    os.mkfifo(tmp_path / "pipe")
    child = start(_STUCK, "models", "where", str(tmp_path / "out"), str(tmp_path / "pipe"))
    child.send_signal(number)

    error = child.communicate(timeout=20)[1]

    assert child.returncode == 130
    assert error == CANCELLED
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_the_first_signal_asks_and_the_second_stops(signals: Signals) -> None:
    asked = threading.Event()
    signals.begin(asked.set, lambda: None)

    signal.raise_signal(signal.SIGTERM)
    assert asked.is_set()
    with pytest.raises(CancelledError, match="stopped"):
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_after_the_results_are_in_place_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(["--progress", "none"]) as session:
        session.done(None)
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        session.say("written")

    assert capsys.readouterr().out == "written\n"


def test_signals_are_given_back(signals: Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)

    with Session([]):
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before


_ENDING = """
import os, signal, sys
from seru.__main__ import main
import atexit
def late():
    os.kill(os.getpid(), signal.SIGTERM)
atexit.register(late)
print("ready", flush=True)
sys.exit(main())
"""


def test_a_signal_while_the_interpreter_ends_changes_no_exit_code() -> None:
    child = start(_ENDING, "models", "where")

    error = child.communicate(timeout=60)[1]

    assert (child.returncode, error) == (0, "")


def test_a_run_that_stops_in_time_is_not_ended(signals: Signals) -> None:
    told: list[str] = []
    signals.begin(lambda: None, lambda: told.append("stuck"))
    signal.raise_signal(signal.SIGTERM)
    timer = signals._timer
    assert timer is not None
    assert timer.is_alive()

    signals.end()

    timer.join(60)
    assert not timer.is_alive()
    # It may have fired just before.
    signals._end_stuck()
    assert told == []
