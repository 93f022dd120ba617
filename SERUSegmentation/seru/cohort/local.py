"""A cohort on this computer: one case after the other, the networks loaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from seru.cohort.case import process_case
from seru.cohort.discovery import Case
from seru.cohort.finished import read_finished
from seru.cohort.outputs import Outputs
from seru.cohort.summary import Summary
from seru.errors import CancelledError, DeviceError, ModelError, SeruError
from seru.findings import Report
from seru.progress import Progress

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter


class CohortWatcher:
    """What is told of a cohort's cases; the base is silent."""

    def begins(self, case: Case, number: int, count: int) -> None:
        """A case begins, ``number`` of ``count``."""

    def was_finished(self, case: Case) -> None:
        """A case was finished before."""

    def failed(self, case: Case, error: BaseException, sentence: str) -> None:
        """A case failed."""


def run_cases(
    cases: Sequence[Case],
    outputs_of: Callable[[Case], Outputs],
    segmenter: Segmenter,
    summary: Summary,
    progress: Progress,
    watcher: CohortWatcher,
) -> None:
    """Segment the cases that are not finished; a case that fails stops no other.

    Args:
        cases: of the cohort.
        outputs_of: gives where a case's results go.
        segmenter: model and options.
        summary: gets every case, and is written after each.
        progress: of each case's run.
        watcher: told of every case.

    Raises:
        CancelledError: the run was cancelled.
        ModelError: the model is damaged: no case can be run.
        BadInputError: the summary cannot be written.
    """
    for number, case in enumerate(cases, 1):
        progress.check_cancelled()
        watcher.begins(case, number, len(cases))
        outputs = outputs_of(case)
        report = read_finished(case, outputs, segmenter)
        if report is not None:
            watcher.was_finished(case)
            summary.add(case.name, case.path, "skipped", report)
            continue
        try:
            report = _process(case, outputs, segmenter, progress)
        except (CancelledError, ModelError):
            raise
        except Exception as error:
            sentence = _sentence(error)
            watcher.failed(case, error, sentence)
            summary.add(case.name, case.path, "failed", error=sentence)
        else:
            summary.add(case.name, case.path, "done", report)


def _process(case: Case, outputs: Outputs, segmenter: Segmenter, progress: Progress) -> Report:
    outputs.check(case.path)
    return process_case(case.path, None, outputs, segmenter, progress)


def _sentence(error: Exception) -> str:
    if isinstance(error, MemoryError):
        error = DeviceError("The computer has too little memory for this volume.")
    text = str(error) if isinstance(error, SeruError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
