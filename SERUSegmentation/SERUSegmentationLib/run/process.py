"""The child process: started, read, cancelled, killed; the last lines are never lost.

Its output goes to two files, which no reader can be too slow for and which are read to the end after the process has
ended. Nothing here needs a thread or an event loop: whoever waits calls :meth:`ChildProcess.poll` now and then.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

Stream = Literal["out", "error"]

# The command prints some kilobytes; what prints without end is read in pieces, and ended before the disk is full.
_PIECE_BYTES = 1 << 14
_LAST_BYTES = 1 << 20
_LINE_BYTES = 1 << 16
_MOST_BYTES = 1 << 26

# A cancelled run stops at its next step; then by itself after child.GRACE_S; then it is killed.
KILL_AFTER_S = 8.0
_MODULE_FOLDER = Path(__file__).resolve().parents[2]


class ChildProcess:
    """``seru`` in Slicer's own Python.

    Args:
        arguments: of the command.
        folder: of the run; working directory of the process.
        onLine: called with the stream's name and each line of output, without its end.

    Attributes:
        hasFlooded: it was ended because it printed without end.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, onLine: Callable[[Stream, str], None]) -> None:
        self._arguments = list(arguments)
        self._folder = Path(folder)
        self._onLine = onLine
        self._process: subprocess.Popen[bytes] | None = None
        self._tails: dict[Stream, _Tail] = {}
        self._killAt: float | None = None
        self.hasFlooded = False

    @property
    def command(self) -> list[str]:
        """Program and arguments."""
        module = ["-m", "SERUSegmentationLib.run.child", str(self._folder)]
        return [pythonExecutable(), *module, *self._arguments]

    @property
    def pid(self) -> int | None:
        """Number of the process, once started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process.

        Raises:
            OSError: it cannot be started.
        """
        files: dict[Stream, Path] = {"out": self._folder / "out.txt", "error": self._folder / "error.txt"}
        with open(files["out"], "wb") as out, open(files["error"], "wb") as error:
            self._process = subprocess.Popen(
                self.command,
                cwd=self._folder,
                env=childEnvironment(),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=error,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows alone has it
            )
        self._tails = {name: _Tail(path) for name, path in files.items()}

    def poll(self) -> int | None:
        """Pass new lines on.

        Returns:
            The exit code once the process has ended and its last line has been passed on; None before.
        """
        if self._process is None:
            return None
        code = self._process.poll()
        # The files are read after asking: what the process wrote before its end is there.
        for name, tail in self._tails.items():
            for line in tail.read(isLast=code is not None):
                self._onLine(name, line)
            if code is None and tail.isTooLong():
                self.hasFlooded = True
                self.kill()
        if code is None and self._killAt is not None and time.monotonic() > self._killAt:
            self.kill()
        return code

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Poll until the process has ended.

        Args:
            timeout_s: give up after this; None never does.

        Returns:
            The exit code, or None at the timeout.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while (code := self.poll()) is None and (end is None or time.monotonic() < end):
            time.sleep(0.02)
        return code

    def cancel(self) -> None:
        """Ask the process to stop; :meth:`poll` kills it if it does not."""
        stdin = self._process.stdin if self._process else None
        if stdin is not None and self._killAt is None:
            self._killAt = time.monotonic() + KILL_AFTER_S
            with suppress(OSError):
                stdin.write(b"cancel\n")
            with suppress(OSError):
                stdin.close()

    def send(self, line: str) -> None:
        """Write a line to a process that takes requests; what it prints in answer is counted anew.

        Args:
            line: without its end.

        Raises:
            OSError: the process has ended.
        """
        stdin = self._process.stdin if self._process else None
        if stdin is None or stdin.closed:
            raise BrokenPipeError("the process has ended")
        for tail in self._tails.values():
            tail.countAnew()
        stdin.write(f"{line}\n".encode())
        stdin.flush()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self._process.poll() is None:
            self.cancel()
            self._process.kill()
            self._process.wait(5)


class _Tail:
    """Reads the lines that were added to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = self._start = 0
        self._rest = b""

    def countAnew(self) -> None:
        self._start = self._path.stat().st_size

    def isTooLong(self) -> bool:
        return self._path.stat().st_size - self._start > _MOST_BYTES

    def read(self, isLast: bool) -> list[str]:
        with open(self._path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            if isLast and end - self._offset > _LAST_BYTES:
                self._offset, self._rest = end - _LAST_BYTES, b""
            file.seek(self._offset)
            new = file.read(_LAST_BYTES if isLast else _PIECE_BYTES)
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        if self._rest and (isLast or len(self._rest) > _LINE_BYTES):
            lines.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]


def pythonExecutable() -> str:
    """Return Slicer's own Python; outside Slicer the running one."""
    return shutil.which("PythonSlicer") or sys.executable


def childEnvironment() -> dict[str, str]:
    """Return the environment of the child: this process's own with what the command needs; nothing here changes."""
    environment = dict(os.environ)
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([str(_MODULE_FOLDER), *([path] if path else [])])
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    # Slicer's ITK plugins speak to Slicer alone; SimpleITK would load them and complain.
    environment.pop("ITK_AUTOLOAD_PATH", None)
    return environment
