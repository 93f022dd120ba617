"""A real Dask scheduler and workers, as processes on the loopback interface that a test may kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from Testing import REPOSITORY

_WAIT_S = 60.0
# Runs in a worker before any task: a CT of these names ends the process as a library's segmentation fault would.
DEADLY = """
import os, signal
from pathlib import Path

import seru.cohort.case
import seru.cohort.local

def read_case(path, series, record):
    mark = path.parent / f"{path.name}.met"
    if path.name.startswith("deadly") or (path.name.startswith("once") and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return seru.cohort.case.read_case(path, series, record)

seru.cohort.local.read_case = read_case
"""


class Cluster:
    """A scheduler and workers, each with a process that starts it again where it dies.

    Args:
        folder: empty; for logs and what is found out.
        workers: their number.
        port: of the scheduler; 0 takes any.
    """

    def __init__(self, folder: Path, workers: int = 2, port: int = 0) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "deadly.py").write_text(DEADLY)
        self.start(workers, port)

    def start(self, workers: int, port: int = 0, nanny: bool = True) -> None:
        """Start what is not there."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        where = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--scheduler-file", str(file)]
        self.scheduler = self._run("dask_scheduler", *where)
        self.address = _address(file)
        more = [] if nanny else ["--no-nanny"]
        self.workers = [self._run("dask_worker", self.address, *self._worker(n), *more) for n in range(workers)]

    def stop(self) -> None:
        """End everything."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_WAIT_S)
        self._processes.clear()

    def _worker(self, number: int) -> list[str]:
        fixed = ["--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", "--memory-limit", "0"]
        places = ["--local-directory", str(self.folder), "--preload", str(self.folder / "deadly.py")]
        return [*fixed, *places, "--name", f"w{number}", "--death-timeout", "20"]

    def _run(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        with open(self.folder / "log.txt", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment(), start_new_session=True)
        self._processes.append(process)
        return process


def _address(file: Path) -> str:
    """Return what the scheduler writes once it is there."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        with suppress(OSError, ValueError):
            address: str = json.loads(file.read_text(encoding="utf-8"))["address"]
            return address
        time.sleep(0.05)
    raise TimeoutError("the scheduler does not start")


def environment() -> dict[str, Any]:
    """Variables of a process that is to import this source, and to run in one thread."""
    path = os.pathsep.join((str(REPOSITORY / "SERUSegmentation"), str(REPOSITORY)))
    quick = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **quick, "PYTHONPATH": path}


def batch(source: Path, target: Path, model: Path, *more: str) -> list[str]:
    """The arguments of a batch."""
    return [
        "batch", str(source), "-o", str(target), "--model", str(model), "--threads", "1", "--progress", "json", *more,
    ]  # fmt: skip
