"""Progress of a run: stages, warnings, cancelling; as a bar, as JSON lines, or silent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TextIO

from seru.errors import CancelledError

RunStage = Literal["load", "preprocess", "coarse", "key_slices", "refine", "fuse", "write"]
RUN_STAGES: tuple[RunStage, ...] = ("load", "preprocess", "coarse", "key_slices", "refine", "fuse", "write")


class Progress:
    """Silent progress; the base of the others.

    One object serves one run. :meth:`cancel` may be called from a signal handler or another thread.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def stage(self, name: RunStage, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps of a stage are finished."""

    def warning(self, message: str) -> None:
        """Report something that the user should know, in one sentence."""

    def done(self, report: str | None) -> None:
        """Report the end of a run; ``report`` is the report's path, if one was written."""

    def error(self, code: int, message: str) -> None:
        """Report the error that ended the run, with the exit code."""

    def cancel(self) -> None:
        """Ask the run to stop at its next step."""
        self._cancelled.set()

    def check_cancelled(self) -> None:
        """Stop here if the run was cancelled.

        Raises:
            CancelledError: :meth:`cancel` was called.
        """
        if self._cancelled.is_set():
            raise CancelledError("The run was cancelled; no output was written.")


class RunRecord(Progress):
    """Passes the progress of one run on and keeps what its report needs.

    Args:
        target: told of everything, and asked whether to stop.

    Attributes:
        seconds: of each stage that is done.
        warnings: so far, in order.
    """

    def __init__(self, target: Progress) -> None:
        super().__init__()
        self._target = target
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []

    def stage(self, name: RunStage, done: int, total: int) -> None:
        """Pass a stage's step on."""
        self._target.stage(name, done, total)

    def warning(self, message: str) -> None:
        """Keep a warning and pass it on."""
        self.warnings.append(message)
        self._target.warning(message)

    def warn_of(self, messages: Iterable[str]) -> None:
        """Keep warnings and pass them on."""
        for message in messages:
            self.warning(message)

    def cancel(self) -> None:
        """Ask the run to stop at its next step."""
        self._target.cancel()

    def check_cancelled(self) -> None:
        """Stop here if the run was cancelled.

        Raises:
            CancelledError: it was.
        """
        self._target.check_cancelled()

    @contextmanager
    def timed(self, name: RunStage) -> Iterator[None]:
        """Time a stage; cancelling is noticed at its start."""
        self.check_cancelled()
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


class JsonProgress(Progress):
    """One JSON object a line, for a parent process.

    Args:
        stream: text stream, written line by line.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def stage(self, name: RunStage, done: int, total: int) -> None:
        """Write ``{"event": "stage", "stage": name, "done": done, "total": total}``."""
        self._write(event="stage", stage=name, done=done, total=total)

    def warning(self, message: str) -> None:
        """Write ``{"event": "warning", "message": message}``."""
        self._write(event="warning", message=message)

    def done(self, report: str | None) -> None:
        """Write ``{"event": "done", "report": report}``, the last line."""
        self._write(event="done", report=report)

    def error(self, code: int, message: str) -> None:
        """Write ``{"event": "error", "code": code, "message": message}``, the last line."""
        self._write(event="error", code=code, message=message)

    def _write(self, **values: Any) -> None:
        self._stream.write(json.dumps(values) + "\n")
        self._stream.flush()


class BarProgress(Progress):
    """One tqdm bar a stage, for a terminal.

    Args:
        stream: text stream of the bars and warnings, usually stderr.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._bar: Any = None
        self._name: str | None = None

    def stage(self, name: RunStage, done: int, total: int) -> None:
        """Move the stage's bar; a new stage closes the bar before it."""
        from tqdm import tqdm

        if name != self._name:
            self._close()
            self._name = name
            self._bar = tqdm(total=total, desc=name.replace("_", " "), file=self._stream, dynamic_ncols=True)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.refresh()

    def warning(self, message: str) -> None:
        """Print the warning between the bars."""
        from tqdm import tqdm

        tqdm.write(f"Warning: {message}", file=self._stream)

    def done(self, report: str | None) -> None:
        """Close the last bar."""
        self._close()

    def error(self, code: int, message: str) -> None:
        """Close the last bar; the caller prints the message."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = self._name = None
