"""Progress of a run: stages, warnings, cancelling; as JSON lines or silent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from seru.errors import CANCELLED, CancelledError

RunStage = Literal["load", "preprocess", "coarse", "key_slices", "refine", "fuse", "write"]
# Each stage's share of the time of a usual run; they only shape the bar.
STAGE_SHARES: dict[RunStage, int] = {
    "load": 4,
    "preprocess": 2,
    "coarse": 50,
    "key_slices": 3,
    "refine": 33,
    "fuse": 4,
    "write": 4,
}
RUN_STAGES: tuple[RunStage, ...] = tuple(STAGE_SHARES)

Advance = Callable[[int, int], None]
"""Told of steps done and steps in all; may raise to stop."""


class Progress:
    """Silent progress; the base of the others.

    One object serves one run. :meth:`cancel` may be called from a signal handler or another thread.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def stage(self, name: RunStage, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps of a stage are finished."""

    def advancing(self, name: RunStage) -> Advance:
        """Return what reports the steps of a stage, and stops at one once the run is cancelled.

        Args:
            name: of the stage.

        Returns:
            A callable that raises ``CancelledError`` after :meth:`cancel`.
        """

        def advance(done: int, total: int) -> None:
            self.stage(name, done, total)
            self.check_cancelled()

        return advance

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
            raise CancelledError(CANCELLED)


class RunFraction:
    """How much of a run is done; it never goes back. A run that begins at a later stage begins at 0 too."""

    def __init__(self) -> None:
        self._fraction = 0.0
        self._begin: float | None = None

    def at(self, name: RunStage, done: int, total: int) -> float:
        """Take a stage's step in.

        Args:
            name: of the stage.
            done: steps that are finished.
            total: steps of the stage.

        Returns:
            The fraction of the run that is done, 0..1.
        """
        before = sum(STAGE_SHARES[stage] for stage in RUN_STAGES[: RUN_STAGES.index(name)])
        inside = STAGE_SHARES[name] * min(done / total, 1.0) if total > 0 else 0.0
        if self._begin is None:
            self._begin = before
        whole = sum(STAGE_SHARES.values()) - self._begin
        self._fraction = max(self._fraction, (before + inside - self._begin) / whole)
        return self._fraction


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


class TextSink(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> None:
        """Hand on what was written."""


class JsonProgress(Progress):
    """One JSON object a line, for a parent process.

    Args:
        stream: written line by line.
    """

    def __init__(self, stream: TextSink) -> None:
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
