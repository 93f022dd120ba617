"""What a run of the command shares: progress, signals, and streams that may fail."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from types import TracebackType

from seru.cli.bar import BarProgress, QuietProgress
from seru.cli.streams import Lenient, Pipe, one_line
from seru.errors import CANCELLED, CancelledError
from seru.files import discard_new_files
from seru.findings import SIDES, Finding, Report
from seru.progress import JsonProgress, TextSink
from seru.scores import APART
from seru.signals import Signals

PROGRESS_KINDS = ("bar", "json", "none")
_MOST_CANDIDATES = 3


class Session:
    """Turns SIGTERM and SIGINT into cancelling, and holds the progress that the arguments ask for.

    Args:
        arguments: of the command; looked at before they are parsed, so that a wrong one is reported as asked.
        signals: as they have been caught since the program began; None catches them from here on.

    Attributes:
        debug: print tracebacks.
        progress: of the run.
    """

    def __init__(self, arguments: Sequence[str], signals: Signals | None = None) -> None:
        self.debug = "--debug" in arguments
        self._signals, self._releases = signals or Signals(), signals is None
        self._kind = _progress_kind(arguments)
        self._out = Lenient(sys.stdout)
        self.progress: _JsonLines | QuietProgress
        if self._kind == "json":
            self.progress = _JsonLines(Pipe(sys.stdout))
        else:
            self.progress = (BarProgress if self._kind == "bar" else QuietProgress)(Lenient(sys.stderr))

    def __enter__(self) -> Session:
        self._signals.catch()
        self._signals.begin(self.progress.cancel, self._end_stuck)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signals.end()
        if self._releases:
            self._signals.release()

    def when_cancelled(self, cancel: Callable[[], None]) -> None:
        """Have a signal ask something else than the session's progress to stop.

        Args:
            cancel: called in a signal handler.
        """
        self._signals.begin(cancel, self._end_stuck)

    def events(self) -> TextSink:
        """Return where a subcommand writes events of its own; several threads may, a line at once."""
        return _Lines(Pipe(sys.stdout))

    def say(self, text: str) -> None:
        """Print a line for people; nothing where stdout is for a program."""
        if self._kind != "json":
            self._out.write(f"{one_line(text)}\n")
            self._out.flush()

    def announce(self, case: str, number: int, count: int) -> None:
        """Tell which case of a batch begins."""
        self.progress.announce(case, number, count)

    def cases(self, done: int, count: int) -> None:
        """Tell how many cases of a batch on a cluster have ended."""
        self.progress.cases(done, count)

    def done(self, report: str | None) -> None:
        """Tell that the results are in place: from here on neither a signal nor a reader that goes changes the exit.

        Args:
            report: its path, if one was written.
        """
        self._signals.end()
        with suppress(CancelledError):
            self.progress.done(report)

    def fail(self, code: int, message: str) -> None:
        """Tell the error that ended the run.

        Args:
            code: of the exit.
            message: one sentence.
        """
        with suppress(CancelledError):
            self.progress.error(code, message)
        stream = Lenient(sys.stderr)
        stream.write(f"seru: {one_line(message)}\n")
        stream.flush()

    def _end_stuck(self) -> None:
        discard_new_files()
        self.fail(CancelledError.exit_code, CANCELLED)


class _Lines:
    """Whole lines of several threads."""

    def __init__(self, stream: Pipe) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text)
            self._stream.flush()

    def flush(self) -> None:
        """Nothing waits: every line is handed on at once."""


class _JsonLines(JsonProgress):
    """The events of a run, and of a batch its cases."""

    def announce(self, case: str, number: int, count: int) -> None:
        """Write ``{"event": "case", "case": case, "number": number, "total": count}``."""
        self._write(event="case", case=case, number=number, total=count)

    def cases(self, done: int, count: int) -> None:
        """Write ``{"event": "cases", "done": done, "total": count}``."""
        self._write(event="cases", done=done, total=count)


def summary_lines(report: Report) -> Iterator[str]:
    """Say in words what was found.

    Args:
        report: of the run.

    Yields:
        A line for each of the patient's sides, one for what was left out, one for each nephrometry, and what is to be
        known of the findings.
    """
    for side in SIDES:
        found = report.side(side)
        kidneys, tumors = ([f for f in report.of_kind(kind) if f.side == side] for kind in ("kidney", "tumor"))
        if not (found.kidney_ml or found.tumor_ml):
            yield f"{side} kidney: not found"
            continue
        texts = [f"{side} kidney: {found.kidney_ml:.1f} ml{_between(kidneys, found.kidney_ml)}"]
        texts.append("tumor: " + (", ".join(map(_tumor_text, tumors)) or _small_tumors(found.tumor_ml)))
        if len(tumors) > 1:
            texts.append(f"tumors in all {found.tumor_ml:.1f} ml")
        if found.key_slice is not None:
            texts.append(f"key slice {found.key_slice.index}")
        yield "; ".join(texts)
    yield from _candidate_lines(report)
    for side in SIDES:
        scores = report.side(side).nephrometry
        if scores is not None:
            sums = " and ".join(f"{score.name} {score.text}" for score in (scores.renal, scores.padua))
            apart = f". {APART}" if scores.is_apart else ""
            yield f"{side} tumor: {sums}; check each component{apart}"
    for remark in report.remarks:
        yield f"note: {remark}"


def _between(kidneys: Sequence[Finding], volume_ml: float) -> str:
    ranges = [kidney.volume_range_ml for kidney in kidneys]
    # Of one kidney that is all of its side, not of sums.
    if len(ranges) != 1 or ranges[0] is None or abs(kidneys[0].volume_ml - volume_ml) > 0.05:
        return ""
    return f" ({ranges[0][0]:.1f} to {ranges[0][1]:.1f})"


def _tumor_text(tumor: Finding) -> str:
    between = (
        "" if tumor.volume_range_ml is None else f" ({tumor.volume_range_ml[0]:.1f} to {tumor.volume_range_ml[1]:.1f})"
    )
    sure = "" if tumor.confidence is None else f", confidence {tumor.confidence:.2f}"
    return f"{tumor.volume_ml:.1f} ml{between}, {tumor.longest.mm:.0f} x {tumor.across.mm:.0f} mm{sure}"


def _small_tumors(volume_ml: float) -> str:
    return f"{volume_ml:.2f} ml" if volume_ml else "none found"


def _candidate_lines(report: Report) -> Iterator[str]:
    candidates = [finding for finding in report.findings if finding.status == "candidate"]
    if candidates:
        shown = sorted(candidates, key=lambda f: -f.volume_ml)[:_MOST_CANDIDATES]
        texts = [f"{f.side} {f.kind} {f.volume_ml:.1f} ml at slice {f.slice_index}" for f in shown]
        more = f" and {len(candidates) - len(shown)} more" if len(candidates) > len(shown) else ""
        yield f"not counted, too doubtful: {', '.join(texts)}{more}"


def _progress_kind(arguments: Sequence[str]) -> str:
    kind = "bar"
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, _, value = argument.partition("=")
        if name == "--progress":
            kind = value or following
    return kind if kind in PROGRESS_KINDS else "bar"
