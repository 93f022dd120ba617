"""``seru batch``: every CT of a folder, the model loaded once, resumable."""

from __future__ import annotations

import argparse
import json
import traceback
from dataclasses import dataclass
from typing import Any

from seru.cli.arguments import add_common_arguments, add_run_arguments, existing_path, segment_options
from seru.cli.segment import process_case
from seru.cli.session import Session
from seru.cohort.cases import SUMMARY_CSV, Case, Summary, find_cases, is_finished
from seru.cohort.outputs import Places
from seru.errors import BadInputError, CancelledError, DeviceError, ModelError, SeruError
from seru.io.images import OUTPUT_ENDINGS, check_writable


def add_parser(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: argparse's subparsers.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "batch",
        help="segment every CT of a folder",
        description="Segment every CT file and DICOM folder in a folder. Finished cases are skipped; failed ones are "
        "listed at the end, and the exit code is then 1.",
    )
    parser.add_argument("input", type=existing_path, metavar="INPUT_FOLDER", help="CT files and DICOM folders")
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
    add_run_arguments(parser)
    add_common_arguments(parser)
    parser.set_defaults(run=run)


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
    from seru.model.store import find_model

    options = segment_options(arguments)
    _make_folders(arguments)
    cases = find_cases(arguments.input, arguments.output)
    model = find_model(arguments.model)
    model.verify()
    _Batch(arguments, session, model, options).run(cases)
    return 0


def _make_folders(arguments: argparse.Namespace) -> None:
    if arguments.output.exists() and arguments.input.exists() and arguments.output.samefile(arguments.input):
        raise BadInputError(f"The output folder '{arguments.output}' is the input folder; choose another one.")
    for folder in {arguments.output, arguments.report or arguments.output}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"The folder '{folder}' cannot be made ({error.strerror or error}).") from error
        check_writable(folder / SUMMARY_CSV)


@dataclass
class _Batch:
    """One run over the cases."""

    arguments: argparse.Namespace
    session: Session
    model: Any
    options: Any

    def run(self, cases: list[Case]) -> None:
        """Segment the cases; raise at the end where one failed."""
        summary = Summary(self.arguments.output)
        segmenter = _Shared(self.model, self.options)
        for number, case in enumerate(cases, 1):
            self.session.progress.check_cancelled()
            self.session.announce(case.name, number, len(cases))
            places = self._places(case)
            if self._is_finished(case, places):
                self.session.say(f"{case.name}: finished before")
                summary.add(case, "skipped", json.loads(places.report.read_text(encoding="utf-8")))
                continue
            try:
                report = self._segment(case, places, segmenter)
                summary.add(case, "done", report)
            except (CancelledError, ModelError):
                raise
            except (SeruError, MemoryError, Exception) as error:
                summary.add(case, "failed", error=self._sentence(case, error))
        self._finish(summary, len(cases))

    def _segment(self, case: Case, places: Places, segmenter: _Shared) -> dict[str, Any]:
        places.check(case.path)
        return process_case(case.path, None, places, segmenter, self.session.progress)

    def _sentence(self, case: Case, error: BaseException) -> str:
        if self.session.debug:
            traceback.print_exception(error)
        if isinstance(error, MemoryError):
            error = DeviceError("The computer has too little memory for this volume.")
        text = str(error) if isinstance(error, SeruError) else f"{type(error).__name__}: {error}"
        text = " ".join(text.split())
        self.session.progress.warning(f"{case.name} failed: {text}")
        return text

    def _is_finished(self, case: Case, places: Places) -> bool:
        return is_finished(case, places, self.model.card, self.options)

    def _places(self, case: Case) -> Places:
        given = self.arguments
        return Places(
            output=given.output / f"{case.name}{given.format}",
            report=(given.report or given.output) / f"{case.name}.json",
            maps=given.maps / case.name if given.maps else None,
            pictures=given.pictures / case.name if given.pictures else None,
            report_last=True,
        )

    def _finish(self, summary: Summary, count: int) -> None:
        path = self.arguments.output / SUMMARY_CSV
        if summary.failed:
            lines = "; ".join(f"{row['case']}: {row['error']}" for row in summary.failed)
            raise SeruError(f"{len(summary.failed)} of {count} cases failed (see {path}): {lines}")
        self.session.progress.done(str(path))
        self.session.say(f"{count} cases finished; {path}")


class _Shared:
    """Loads the networks at the first case that needs them, and keeps them for all."""

    def __init__(self, model: Any, options: Any) -> None:
        self._make = (model, options)
        self._segmenter: Any = None

    def segment(self, volume: Any, progress: Any) -> Any:
        from seru.cascade.run import Segmenter

        if self._segmenter is None:
            self._segmenter = Segmenter(*self._make)
        return self._segmenter.segment(volume, progress)
