"""``seru compare``: what has changed between two reports of a patient."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from seru.cli.arguments import add_common_arguments, existing_path
from seru.cli.measure import measured
from seru.cli.session import Session
from seru.errors import BadInputError
from seru.files import FileGroup, write_text
from seru.findings import Report
from seru.io.label_maps import check_labels, read_label_map
from seru.io.reading import explained, open_regular
from seru.memory import NUMERIC_LIBRARIES, require_room
from seru.places import check_writable, is_same_place
from seru.progress import Progress, RunRecord
from seru.records import parse_json
from seru.result.comparing import compare
from seru.result.growth import Growth
from seru.result.growth_page import write_growth_page
from seru.result.growth_texts import growth_lines
from seru.result.maps import load_maps
from seru.result.sheets import check_page

# A report with hundreds of findings has less than a megabyte.
_MOST_BYTES = 64 << 20
_REPORT_ENDING = ".json"

DESCRIPTION = "Compare kidneys and kidney tumors in two reports of a patient."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    what = "report (.json) of the {} scan, its folder of --maps, or labels that 'seru measure' reads"
    parser.add_argument("before", type=existing_path, metavar="A", help=what.format("first"))
    parser.add_argument("after", type=existing_path, metavar="B", help=what.format("second"))
    parser.add_argument("-o", "--output", type=existing_path, metavar="C.json", help="write what has changed as JSON")
    parser.add_argument("--page", type=existing_path, metavar="P.html", help="write a page of it")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--days", type=int, metavar="N", help="between the scans (default: by the study dates of DICOM)")
    when.add_argument("--dates", nargs=2, metavar=("A", "B"), help="of both scans, as 2019-12-31")
    parser.add_argument(
        "--same-patient", action="store_true", help="they are of one patient, though their patient IDs differ"
    )
    add_common_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Compare two reports.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        SeruError: of any kind; then nothing is at the outputs.
    """
    sources, days = (arguments.before, arguments.after), _days(arguments)
    _check(sources, arguments.output, arguments.page)
    require_room(NUMERIC_LIBRARIES)
    before, after = (_report(path, session.progress) for path in sources)
    growth = compare(before, after, (sources[0].name, sources[1].name), days, arguments.same_patient)
    _write(growth, arguments.output, arguments.page, session.progress)
    session.done(None if arguments.output is None else str(arguments.output))
    for line in growth_lines(growth):
        session.say(line)
    return 0


def _days(arguments: argparse.Namespace) -> int | None:
    days: int | None = arguments.days
    if arguments.dates is not None:
        first, second = map(_date, arguments.dates)
        days = (second - first).days
    if days is not None and days <= 0:
        raise BadInputError(f"The second scan would be {days} days after the first; give the older one first.")
    return days


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"'{text}' is no date; give one as 2019-12-31.") from None


def _check(sources: tuple[Path, Path], output: Path | None, page: Path | None) -> None:
    """Check, before any work, what is read and written."""
    if is_same_place(*sources):
        raise BadInputError(f"'{sources[0]}' is given twice; give the reports of two scans.")
    written = [path for path in (output, page) if path is not None]
    if len(written) > 1 and is_same_place(*written):
        raise BadInputError(f"The output and the page have the same name '{page}'; choose another one.")
    for path in written:
        for source in sources:
            if is_same_place(path, source):
                raise BadInputError(f"'{path}' is one of the reports; choose another name.")
    if output is not None:
        if output.suffix.lower() != _REPORT_ENDING:
            raise BadInputError(f"The output '{output.name}' is JSON; give a name that ends in {_REPORT_ENDING}.")
        check_writable(output)
    if page is not None:
        check_page(page)


def _report(path: Path, progress: Progress) -> Report:
    """A report as it was written, or as maps hold it, or of labels, which are measured."""
    if path.is_dir():
        return load_maps(path)[1]
    if path.suffix.lower() != _REPORT_ENDING:
        record = RunRecord(progress)
        check_labels(path)
        return measured(read_label_map(path, None, record), None, record)[1]
    try:
        with explained(path), open_regular(path) as file:
            text = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadInputError(f"'{path}' cannot be read ({error.strerror}); give the report of a scan.") from error
    if len(text) > _MOST_BYTES:
        raise BadInputError(f"'{path}' is too large for a report; give the one that --report wrote.")
    try:
        return Report.from_dict(parse_json(text))
    except ValueError as error:
        raise BadInputError(f"'{path}' is no report ({error}); give the one that --report wrote.") from error
    except BadInputError as error:
        raise BadInputError(f"'{path}' cannot be used: {error}") from error


def _write(growth: Growth, output: Path | None, page: Path | None, progress: Progress) -> None:
    with FileGroup() as group:
        if page is not None:
            write_growth_page(page, growth, group.open)
        if output is not None:
            group.remove(output)
            write_text(output, growth.to_json(), group.open)
        progress.check_cancelled()
