"""Progress for people: warnings, and one bar for a run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NoReturn

from seru.cli.streams import Lenient, one_line
from seru.progress import Progress, RunFraction, RunStage

if TYPE_CHECKING:
    from tqdm import tqdm

_STEPS = 1000
_FORMAT = "{desc:<11}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
_CASES_FORMAT = "{percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} cases{postfix}, {elapsed}<{remaining}"


class QuietProgress(Progress):
    """Warnings alone.

    Args:
        stream: of the warnings, usually stderr.
    """

    def __init__(self, stream: Lenient) -> None:
        super().__init__()
        self._stream = stream
        self._case = ""

    def warning(self, message: str) -> None:
        """Print the warning, the first one of a case with its name above."""
        if self._case:
            self._print(self._case)
        self._case = ""
        self._print(f"Warning: {message}")

    def announce(self, case: str, number: int, count: int) -> None:
        """Tell which case of a batch begins; here no sooner than with a warning."""
        self._case = f"{case} ({number} of {count})"

    def cases(self, done: int, count: int) -> None:
        """Tell how many cases of a batch on a cluster have ended."""

    def _print(self, text: str) -> None:
        self._stream.write(f"{one_line(text)}\n")
        self._stream.flush()


class BarProgress(QuietProgress):
    """One tqdm bar a run, which never goes back, with the warnings above it.

    Args:
        stream: text stream of the bar and the warnings, usually stderr.
    """

    def __init__(self, stream: Lenient) -> None:
        super().__init__(stream)
        self._bar: tqdm[NoReturn] | None = None
        self._fraction = RunFraction()

    def announce(self, case: str, number: int, count: int) -> None:
        """Print the case, and begin another bar."""
        self._close()
        self._print(f"{case} ({number} of {count})")

    def stage(self, name: RunStage, done: int, total: int) -> None:
        """Move the bar."""
        if self._bar is None:
            self._bar = _make_bar(self._stream, _STEPS, _FORMAT)
        self._bar.set_description_str(name.replace("_", " "), refresh=False)
        self._bar.update(round(_STEPS * self._fraction.at(name, done, total)) - self._bar.n)

    def cases(self, done: int, count: int) -> None:
        """Move the one bar of a batch on a cluster."""
        if self._bar is None:
            self._bar = _make_bar(self._stream, count, _CASES_FORMAT)
        seconds = self._bar.format_dict["elapsed"]
        if done and seconds:
            self._bar.set_postfix_str(f"{60 * done / seconds:.1f} a minute", refresh=False)
        self._bar.update(done - self._bar.n)
        self._bar.refresh()

    def done(self, report: str | None) -> None:
        """Close the bar."""
        self._close()

    def error(self, code: int, message: str) -> None:
        """Close the bar; the caller prints the message."""
        self._close()

    def _print(self, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        super()._print(text)
        if self._bar is not None:
            self._bar.refresh()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar, self._fraction = None, RunFraction()


def _make_bar(stream: Lenient, total: int, bar_format: str) -> tqdm[NoReturn]:
    from tqdm import tqdm

    # Neither its thread nor its lock between processes: the bar has one writer, and both may fail to be made.
    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())
    return tqdm(total=total, file=stream, dynamic_ncols=True, bar_format=bar_format)
