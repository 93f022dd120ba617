"""``seru batch``: every CT of a folder, the model loaded once, resumable."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seru.cli.arguments import add_common_arguments, add_run_arguments, existing_path, segment_options
from seru.cli.cluster import (
    add_cluster_arguments,
    is_on_cluster,
    make_absolute,
    recipe_of,
    require_dask,
    run_on_cluster,
)
from seru.cli.info import versions
from seru.cli.session import Session
from seru.cohort.case_list import is_case_list, read_case_list
from seru.cohort.discovery import Case, Cohort, LeftOut, find_cases
from seru.cohort.local import CohortWatcher, run_cases
from seru.cohort.outputs import Outputs
from seru.cohort.page import PAGE, check_page, write_cohort_page
from seru.cohort.summary import SUMMARY_CSV, Summary
from seru.cohort.tables import has_parquet
from seru.cohort.verdict_list import name_in_list, read_verdicts
from seru.errors import BadInputError, CancelledError, SeruError
from seru.files import claimed
from seru.io.images import OUTPUT_ENDINGS
from seru.memory import LIBRARIES, require_room, require_threads
from seru.options import SegmentOptions
from seru.places import check_writable, is_same_place

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter
    from seru.cohort.dask_task import Recipe
    from seru.model.store import Model

# Failed cases that the last line names; each was told when it failed, and the summary has them all.
_MOST_TOLD = 5
DESCRIPTION = (
    "Segment every CT file, DICOM folder and zip of DICOM in a folder and the folders in it, or in a list; here, or on "
    "the workers of a Dask cluster. Finished cases are skipped; failed ones are listed in the end, with exit code 1."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument(
        "input",
        type=existing_path,
        metavar="INPUT",
        help="folder of CT files, DICOM folders and zips of them, or a CSV list of them with the columns path,id",
    )
    parser.add_argument(
        "-o", "--output", type=existing_path, required=True, metavar="OUTPUT_FOLDER", help="made where it is missing"
    )
    parser.add_argument("--format", default=".nii.gz", choices=OUTPUT_ENDINGS, help="of the outputs (default: .nii.gz)")
    parser.add_argument(
        "--report", type=existing_path, metavar="DIR", help="folder of the reports (default: the output's)"
    )
    parser.add_argument(
        "--maps", type=existing_path, metavar="DIR", help="write each case's probabilities to a folder in it"
    )
    parser.add_argument(
        "--pictures", type=existing_path, metavar="DIR", help="write each case's pictures to a folder in it"
    )
    parser.add_argument(
        "--page", type=existing_path, metavar="DIR", help=f"write each case's page to it, and the cohort's to {PAGE}"
    )
    parser.add_argument(
        "--verdicts", type=existing_path, metavar="V.csv", help=f"apply a person's verdicts, as {PAGE} exports them"
    )
    add_cluster_arguments(parser)
    add_run_arguments(parser)
    add_common_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Segment every case of a folder.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        SeruError: code 1 where a case failed; the others are finished then.
    """
    options = segment_options(arguments)
    if is_on_cluster(arguments):
        require_dask()
        make_absolute(arguments)
    _make_folders(arguments)
    with _claimed_folders(arguments):
        return _run(arguments, options, session)


def _run(arguments: argparse.Namespace, options: SegmentOptions, session: Session) -> int:
    cohort = _cohort(arguments)
    for sentence in cohort.repeated():
        session.progress.warning(sentence)
    cases = _with_verdicts(cohort.cases, arguments.verdicts, session)
    # What cannot be run loads no network.
    require_room(LIBRARIES)
    require_threads(options.threads)
    from seru.model.store import find_model

    model = find_model(arguments.model)
    segmenter = None if is_on_cluster(arguments) else _segmenter(model, options)
    model.verify()
    summary = Summary(arguments.output, versions())
    summary.check()
    if arguments.page:
        check_page(arguments.output)
    if not has_parquet():
        session.say("The summary is written without Parquet, which needs pyarrow: pip install pyarrow")
    for item in cohort.left_out:
        _tell_left_out(item, summary, session)
    try:
        if segmenter is not None:
            outputs_of = partial(_outputs_of, arguments)
            run_cases(cases, outputs_of, segmenter, summary, session.progress, _Watcher(session))
        else:
            _run_on_cluster(cases, arguments, recipe_of(arguments, model, options), summary, session)
    except CancelledError as error:
        raise CancelledError("The run was cancelled; the cases that were finished are kept.") from error
    finally:
        summary.write()
        if arguments.page:
            write_cohort_page(arguments.output, summary.to_dict(), arguments.format)
    return _conclude(summary, len(cases) + sum(item.is_fault for item in cohort.left_out), session)


def _run_on_cluster(
    cases: list[Case], arguments: argparse.Namespace, recipe: Recipe, summary: Summary, session: Session
) -> None:
    from seru.cohort.dask_runner import make_tasks

    run_on_cluster(make_tasks(cases, partial(_outputs_of, arguments), recipe), arguments, summary, session)


def _conclude(summary: Summary, count: int, session: Session) -> int:
    """Tell how it went; of ``count`` cases, those that were meant as such included."""
    path = summary.folder / SUMMARY_CSV
    if summary.failed:
        failed = summary.failed
        told = [f"{case['name']}: {case['error'].rstrip('.')}" for case in failed[:_MOST_TOLD]]
        more = [f"and {len(failed) - _MOST_TOLD} more"] if len(failed) > _MOST_TOLD else []
        raise SeruError(f"{len(failed)} of {count} cases failed (see {path}): {'; '.join([*told, *more])}.")
    session.done(str(path))
    session.say(f"{count} cases finished; {path}")
    return 0


def _outputs_of(arguments: argparse.Namespace, case: Case) -> Outputs:
    return Outputs(
        output=arguments.output / f"{case.name}{arguments.format}",
        report=(arguments.report or arguments.output) / f"{case.name}.json",
        maps=arguments.maps / case.name if arguments.maps else None,
        pictures=arguments.pictures / case.name if arguments.pictures else None,
        page=arguments.page / f"{case.name}.html" if arguments.page else None,
    )


def _segmenter(model: Model, options: SegmentOptions) -> Segmenter:
    from seru.cascade.cascade import Segmenter

    return Segmenter(model, options)


class _Watcher(CohortWatcher):
    """Tells people what becomes of the cases."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begins(self, case: Case, number: int, count: int) -> None:
        self._session.announce(case.name, number, count)

    def was_finished(self, case: Case) -> None:
        self._session.say(f"{case.name}: finished before")

    def failed(self, case: Case, error: BaseException, sentence: str) -> None:
        if self._session.debug:
            traceback.print_exception(error)
        self._session.progress.warning(f"{case.name} failed: {sentence}")


def _tell_left_out(item: LeftOut, summary: Summary, session: Session) -> None:
    session.progress.warning(f"{item.name} is left out: {item.reason}")
    summary.add(item.name, item.path, "failed" if item.is_fault else "left out", error=item.reason)


def _with_verdicts(cases: list[Case], path: Path | None, session: Session) -> list[Case]:
    verdicts = read_verdicts(path) if path else {}
    decided = [replace(case, verdicts=verdicts.pop(name_in_list(case.name), ())) for case in cases]
    for name in verdicts:
        session.progress.warning(f"The verdicts name the case {name}, which is not in this cohort.")
    return decided


def _cohort(arguments: argparse.Namespace) -> Cohort:
    if is_case_list(arguments.input):
        return read_case_list(arguments.input)
    return find_cases(arguments.input, _result_folders(arguments))


def _result_folders(arguments: argparse.Namespace) -> list[Path]:
    folders = (arguments.output, arguments.report, arguments.maps, arguments.pictures, arguments.page)
    return [folder for folder in folders if folder is not None]


@contextmanager
def _claimed_folders(arguments: argparse.Namespace) -> Iterator[None]:
    """Keep summary and reports for this batch: another one's would take their places."""
    with ExitStack() as stack:
        stack.enter_context(claimed(arguments.output))
        if arguments.report is not None and not is_same_place(arguments.report, arguments.output):
            stack.enter_context(claimed(arguments.report))
        yield


def _make_folders(arguments: argparse.Namespace) -> None:
    for folder in _result_folders(arguments):
        if is_same_place(folder, arguments.input):
            raise BadInputError(f"The output folder '{folder}' is the input folder; choose another one.")
    for folder in {arguments.output, arguments.report or arguments.output, arguments.page or arguments.output}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"The folder '{folder}' cannot be made ({error.strerror or error}).") from error
        check_writable(folder / SUMMARY_CSV)
