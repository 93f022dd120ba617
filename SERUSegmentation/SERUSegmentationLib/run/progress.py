"""Progress of a run from the command's JSON lines."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from seru.progress import RUN_STAGES, RunFraction, RunStage
from seru.records import parse_json
from SERUSegmentationLib.texts import _

_STAGES: dict[str, RunStage] = {name: name for name in RUN_STAGES}
# A sentence or two, and no more of them than a person reads.
_MOST_LETTERS, _MOST_WARNINGS = 2000, 50


@dataclass
class RunProgress:
    """Where a run is.

    Attributes:
        stage: its name, or None before the first one.
        done: steps of the stage that are done.
        total: steps of the stage.
        warnings: what the user should know.
        error: exit code and message of the error that ended the run.
        isDone: the command said that it is done.
        fraction: of the whole run, 0..1; never goes back.
    """

    stage: str | None = None
    done: int = 0
    total: int = 0
    warnings: list[str] = field(default_factory=list)
    error: tuple[int, str] | None = None
    isDone: bool = False
    fraction: float = 0.0
    started: float = field(default_factory=time.monotonic)
    firstStage: float | None = None
    _fraction: RunFraction = field(default_factory=RunFraction, repr=False)

    def read(self, line: str) -> bool:
        """Take one line of the command's standard output in.

        Args:
            line: JSON, or anything else that a library printed; it is not trusted.

        Returns:
            Whether the line was ours.
        """
        match _parsed(line):
            case {"event": "stage", "stage": str(stage), "done": int(done), "total": int(total)} if (
                stage in _STAGES and 0 <= done <= total
            ):
                self._enter(_STAGES[stage], done, total)
            case {"event": "warning", "message": str(message)}:
                if len(self.warnings) < _MOST_WARNINGS:
                    self.warnings.append(message[:_MOST_LETTERS])
            case {"event": "error", "code": int(code), "message": str(message)}:
                self.error = (code, message[:_MOST_LETTERS])
            case {"event": "done"}:
                self.isDone, self.fraction = True, 1.0
            case _:
                return False
        return True

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run was started."""
        return time.monotonic() - self.started

    @property
    def remaining_s(self) -> float | None:
        """Seconds that the run may still take; None while that cannot be said."""
        if self.firstStage is None or self.fraction < 0.08:
            return None
        return (time.monotonic() - self.firstStage) * (1 - self.fraction) / self.fraction

    def text(self) -> str:
        """Return the stage in words, with its count."""
        if self.stage is None:
            return _("Starting")
        titles = {
            "load": _("Reading the volume"),
            "preprocess": _("Preparing slices"),
            "coarse": _("Coarse stage"),
            "key_slices": _("Finding key slices"),
            "refine": _("Refine stage"),
            "fuse": _("Fusing"),
            "write": _("Writing"),
        }
        title = titles.get(self.stage, self.stage)
        if self.stage not in ("coarse", "refine") or not self.total:
            return title
        return _("{stage}, slice {done} of {total}").format(stage=title, done=self.done, total=self.total)

    def _enter(self, stage: RunStage, done: int, total: int) -> None:
        if self.firstStage is None:
            self.firstStage = time.monotonic()
        self.stage, self.done, self.total = stage, done, total
        self.fraction = min(self._fraction.at(stage, done, total), 0.99)


def _parsed(line: str) -> Any:
    try:
        return parse_json(line)
    except ValueError:
        return None


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"
