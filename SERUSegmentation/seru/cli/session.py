"""What a run of the command shares: progress, signals, and a reader that may go away."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from types import FrameType, TracebackType
from typing import Any, TextIO

from seru.errors import CancelledError
from seru.findings import SIDES, Report
from seru.progress import BarProgress, JsonProgress, Progress

PROGRESS_KINDS = ("bar", "json", "none")
# Windows has no SIGTERM between processes; a console program is asked to stop by CTRL_BREAK_EVENT.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))


class Session:
    """Turns SIGTERM and SIGINT into cancelling, and holds the progress that the arguments ask for.

    The first signal asks the run to stop at its next step; a second one stops it where it is.

    Args:
        arguments: of the command; looked at before they are parsed, so that a wrong one is reported as asked.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.debug = "--debug" in arguments
        self.kind = _progress_kind(arguments)
        self._stream = _Pipe(sys.stdout)
        self.progress = self._make_progress()
        self._old: dict[int, Any] = {}
        self._is_cancelled = False

    def __enter__(self) -> Session:
        for number in _SIGNALS:
            try:
                self._old[number] = signal.signal(number, self._cancel)
            except ValueError:  # not in the main thread: whoever runs us there handles signals
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def say(self, text: str) -> None:
        """Print a line for people; nothing where stdout is for a program or is to stay silent."""
        if self.kind == "bar":
            print(text)

    def announce(self, case: str, number: int, count: int) -> None:
        """Tell which case of a batch begins."""
        if isinstance(self.progress, JsonProgress):
            line = json.dumps({"event": "case", "case": case, "number": number, "total": count})
            self._stream.write(line + "\n")
            self._stream.flush()
        elif self.kind == "bar":
            print(f"{case} ({number} of {count})", file=sys.stderr)

    def _cancel(self, number: int, frame: FrameType | None) -> None:
        if self._is_cancelled:
            raise CancelledError("The run was stopped; no output was written.")
        self._is_cancelled = True
        self.progress.cancel()

    def _make_progress(self) -> Progress:
        if self.kind == "json":
            return JsonProgress(self._stream)
        return BarProgress(sys.stderr) if self.kind == "bar" else Progress()


class _Pipe:
    """A text stream whose reader may go away: that cancels the run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except (BrokenPipeError, ValueError) as error:
            raise CancelledError("What read the progress has gone; no output was written.") from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (BrokenPipeError, ValueError) as error:
            raise CancelledError("What read the progress has gone; no output was written.") from error


def summary_lines(report: Report) -> Iterator[str]:
    """Say in words what was found.

    Args:
        report: of the run.

    Yields:
        A line for each of the patient's sides.
    """
    for side in SIDES:
        found = report.side(side)
        if found.key_slice is None:
            yield f"{side} kidney: not found"
            continue
        tumor = f"{found.tumor_ml:.1f} ml, {found.tumor_longest_mm:.0f} mm" if found.tumor_ml else "none found"
        yield f"{side} kidney: {found.kidney_ml:.1f} ml; tumor: {tumor}; key slice {found.key_slice.index}"


def _progress_kind(arguments: Sequence[str]) -> str:
    kind = "bar"
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, _, value = argument.partition("=")
        if name == "--progress":
            kind = value or following
    return kind if kind in PROGRESS_KINDS else "bar"
