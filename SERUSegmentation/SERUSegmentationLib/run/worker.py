"""The child that stays: ``seru worker``, which keeps networks and CT, so that a box is refined at once.

It is started with the first request, and anew where it has ended. One request is worked on at a time. The protocol is
in docs/worker.md.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seru.errors import SeruError
from seru.options import SegmentOptions, SideBox
from seru.records import parse_json
from SERUSegmentationLib.run.failures import deathOf
from SERUSegmentationLib.run.handing import temporaryFolder
from SERUSegmentationLib.run.process import KILL_AFTER_S, ChildProcess, Stream

if TYPE_CHECKING:
    from slicer import vtkMRMLNode

# Of standard error; the last ones say what went wrong.
_ERROR_LINES = 200
_S_PER_MINUTE = 60

Listener = Callable[[Stream, str], None]


@dataclass(frozen=True)
class Held:
    """What a worker can refine.

    Attributes:
        content: of the volume, as :func:`SERUSegmentationLib.run.handing.contentOf` gives it.
        model: id or folder.
        options: of the last result, with its boxes.
    """

    content: tuple
    model: str | None
    options: SegmentOptions

    def isSeenLike(self, other: Held) -> bool:
        """Return whether both differ in boxes, and in what can be changed afterwards, alone."""
        isSame = (self.content, self.model) == (other.content, other.model)
        return isSame and self.options.are_seen_alike(other.options)

    def isOf(self, node: vtkMRMLNode) -> bool:
        """Return whether a node is the volume."""
        return self.content[0] == node.GetID()

    @property
    def boxes(self) -> tuple[SideBox, ...]:
        """Where a person put the sides."""
        return self.options.boxes


class Worker:
    """Works on one request after the other.

    Args:
        idleMinutes: how long networks and CT are kept after a request; 0 ends the process with the request.

    Attributes:
        idleMinutes: from the next request on.
        held: what the process can refine, for whoever asked for it; None where there is nothing.
    """

    def __init__(self, idleMinutes: float = 0.0) -> None:
        self.idleMinutes = idleMinutes
        self.held: Held | None = None
        self._folder: Path | None = None
        self._child: ChildProcess | None = None
        self._startedWith = idleMinutes
        self._lastId = 0
        self._id: int | None = None
        self._listener: Listener | None = None
        self._killAt: float | None = None
        self._errorLines: deque[str] = deque(maxlen=_ERROR_LINES)

    @property
    def folder(self) -> Path:
        """The process's working folder; there is one while there is a process."""
        if self._folder is None:
            raise RuntimeError("The worker was not started.")
        return self._folder

    @property
    def pid(self) -> int | None:
        """Number of the process; None without one."""
        return self._child.pid if self._child else None

    @property
    def isBusy(self) -> bool:
        """Whether a request is worked on."""
        return self._id is not None

    def start(self, onLine: Callable[[str], None]) -> None:
        """Start the process, unless it runs.

        Args:
            onLine: called with the command, for the log.

        Raises:
            OSError: it cannot be started.
        """
        isAlive = self._child is not None and self._child.poll() is None
        if isAlive and self._startedWith == self.idleMinutes:
            return
        self.close()
        self._folder = Path(tempfile.mkdtemp(prefix="SERU-", dir=temporaryFolder()))
        self._startedWith = self.idleMinutes
        idle = str(self.idleMinutes * _S_PER_MINUTE)
        self._child = ChildProcess(["worker", "--idle", idle, "--debug"], self._folder, self._read)
        onLine(" ".join(self._child.command))
        self._child.start()

    def ask(self, facts: dict[str, Any], listener: Listener) -> None:
        """Send a request; what comes in answer is told at :meth:`poll`.

        Args:
            facts: of the request, without its number.
            listener: called with each line of the request's events and with what else the process prints.

        Raises:
            OSError: the process has ended.
        """
        self._errorLines.clear()
        self._killAt = None
        self._listener = listener
        self._id = self._send(facts)

    def poll(self) -> int | None:
        """Take in what has come.

        Returns:
            The exit code where the process has ended; None while it runs.
        """
        if self._child is None:
            return None
        code = self._child.poll()
        if code is None and self.isBusy and self._killAt is not None and time.monotonic() > self._killAt:
            self._child.kill()
        return code

    def cancel(self) -> None:
        """Ask it to give the request up; :meth:`poll` ends the process where it does not."""
        if self.isBusy and self._killAt is None:
            self._killAt = time.monotonic() + KILL_AFTER_S
            with suppress(OSError):
                self._send({"do": "cancel", "of": self._id})

    def release(self) -> None:
        """Have networks and CT freed, if nothing is worked on; the process stays."""
        if self._child is None or self.isBusy:
            return
        with suppress(OSError):
            self._send({"do": "release"})
        self.forget()

    def forget(self) -> None:
        """Let nothing be refined, and delete what was written for the process."""
        self.held = None
        if self._folder is not None:
            for path in self._folder.iterdir():
                if path.suffix == ".nrrd":
                    path.unlink(missing_ok=True)
                elif path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """End the process at once, and delete its folder."""
        if self._child is not None:
            self._child.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._child = self._folder = self._id = self.held = None

    def death(self, code: int | None) -> SeruError:
        """Return why the process has ended in the middle of a request.

        Args:
            code: of its exit.
        """
        return deathOf(code, list(self._errorLines), self._child is not None and self._child.hasFlooded)

    def _send(self, facts: dict[str, Any]) -> int:
        if self._child is None:
            raise BrokenPipeError("the process was not started")
        self._lastId += 1
        self._child.send(json.dumps({"id": self._lastId, **facts}))
        return self._lastId

    def _read(self, stream: Stream, line: str) -> None:
        if stream == "error":
            self._errorLines.append(line)
        event = eventOf(line) if stream == "out" else {}
        isOurs = self.isBusy and event.get("id") == self._id
        if self._listener is not None and (isOurs or "event" not in event):
            self._listener(stream, line)
        if isOurs and event.get("event") in ("done", "error"):
            self._id = None


def eventOf(line: str) -> dict[str, Any]:
    """Return the event of a line that the worker printed; empty where it is none."""
    try:
        values = parse_json(line)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
