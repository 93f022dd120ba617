"""A cohort on this computer: one case after the other, the networks loaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from seru.cohort.case import decide_case, process_case, read_case
from seru.cohort.decided import is_decided, on_scan
from seru.cohort.discovery import Case
from seru.cohort.finished import check_is_report, read_finished
from seru.cohort.outputs import Outputs
from seru.cohort.summary import Summary
from seru.errors import NO_MEMORY, CancelledError, ModelError, SeruError, is_memory_error
from seru.findings import Report
from seru.io.inputs import Inputs
from seru.progress import Progress, RunRecord

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
        summary: gets every case.
        progress: of each case's run.
        watcher: told of every case.

    Raises:
        CancelledError: the run was cancelled.
        ModelError: the model is damaged: no case can be run.
        BadInputError: the summary cannot be written.
    """
    inputs = Inputs(case.path for case in cases)
    for number, case in enumerate(cases, 1):
        progress.check_cancelled()
        watcher.begins(case, number, len(cases))
        outputs = outputs_of(case)
        try:
            status, report = run_case(case, outputs, inputs, segmenter, progress)
        except (CancelledError, ModelError):
            raise
        except Exception as error:
            sentence = failure_sentence(error)
            watcher.failed(case, error, sentence)
            summary.add(case.name, case.path, "failed", error=sentence, place=number)
        else:
            if status == "skipped":
                watcher.was_finished(case)
            summary.add(case.name, case.path, status, report, outputs=outputs, place=number)


def run_case(
    case: Case, outputs: Outputs, inputs: Inputs, segmenter: Segmenter, progress: Progress
) -> tuple[Literal["done", "skipped"], Report]:
    """Segment a case that is not finished, and apply verdicts to one that is.

    Args:
        case: of a cohort.
        outputs: where its results go.
        inputs: those of the cohort, which nothing is written over.
        segmenter: model and options.
        progress: of the run.

    Returns:
        Whether it was done now or skipped, and its report.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    record = RunRecord(progress)
    volume = read_case(case.path, None, record)
    verdicts = on_scan(case.verdicts, volume.source["sha256"], record)
    report = read_finished(volume, outputs, segmenter, record)
    if report is not None and is_decided(report, verdicts):
        return "skipped", report
    outputs.check(case.path, inputs)
    outputs.check_keeps(segmenter.model.folder.iterdir())
    if outputs.report is not None:
        check_is_report(outputs.report)
    if report is not None:
        return "done", decide_case(volume, outputs, segmenter, record, verdicts, report)
    return "done", process_case(volume, outputs, segmenter, record, verdicts)


def failure_sentence(error: Exception) -> str:
    """Return why a case failed.

    Args:
        error: that its run raised.
    """
    if isinstance(error, SeruError):
        text = str(error)
    elif is_memory_error(error):
        text = NO_MEMORY
    else:
        text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())
