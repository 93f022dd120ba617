"""``seru measure``: findings and measures of a label map that anyone made."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from seru.cli.arguments import add_common_arguments, existing_path
from seru.cli.session import Session, summary_lines
from seru.cohort.case import read_case
from seru.cohort.outputs import Outputs, hash_labels, write_output
from seru.ct_check import check_is_ct
from seru.errors import BadInputError
from seru.files import FileGroup, write_text
from seru.findings import Report
from seru.io.images import OUTPUT_ENDINGS, check_input, ending_of
from seru.io.label_maps import LabelMap, Numbers, check_labels, read_label_map
from seru.memory import NUMERIC_LIBRARIES, require_room
from seru.progress import Progress, RunRecord
from seru.result.page import write_page
from seru.volume import Volume

DESCRIPTION = "Measure kidneys and kidney tumors in labels that anyone made, without a network."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument(
        "labels",
        type=existing_path,
        metavar="LABELS",
        help="NIfTI, NRRD, MetaImage (1 kidney, 2 tumor), .seg.nrrd or DICOM segmentation",
    )
    parser.add_argument(
        "--labels",
        dest="numbers",
        nargs="+",
        metavar="KIND=N,N",
        help="which of its numbers are kidney and which are tumor (kidney=1,3 tumor=2); the others are left out",
    )
    parser.add_argument(
        "--ct", type=existing_path, metavar="CT", help="the CT on the same grid, for densities and the body's middle"
    )
    parser.add_argument("--series", metavar="UID", help="series of a DICOM CT (default: the CT with most slices)")
    parser.add_argument(
        "-o",
        "--output",
        type=existing_path,
        action="append",
        default=[],
        metavar="OUTPUT",
        help="write the labels with our numbers: .nii.gz, .nrrd, .mha or .seg.nrrd; may be given several times",
    )
    parser.add_argument("--report", type=existing_path, metavar="R.json", help="write what was found as JSON")
    parser.add_argument(
        "--page", type=existing_path, metavar="P.html", help="write a page of what was found, without key slices"
    )
    add_common_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Measure labels.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        SeruError: of any kind; then nothing is at the outputs.
    """
    outputs = Outputs.of_several(arguments.output, arguments.report, None, None, arguments.page)
    numbers = None if arguments.numbers is None else Numbers.parse(arguments.numbers)
    _check(arguments.labels, arguments.ct, arguments.series, outputs)
    require_room(NUMERIC_LIBRARIES)
    record = RunRecord(session.progress)
    ct = None if arguments.ct is None else _read_ct(arguments.ct, arguments.series, record)
    with record.timed("load"):
        labels = read_label_map(arguments.labels, numbers, record, ct)
    record.warn_of(labels.warnings)
    report = report_of(labels, ct, record)
    _write(outputs, labels, report, record)
    session.done(None if outputs.report is None else str(outputs.report))
    for line in summary_lines(report):
        session.say(line)
    if outputs.labels():
        session.say(f"written: {', '.join(map(str, outputs.labels()))}")
    return 0


def _check(labels: Path, ct: Path | None, series: str | None, outputs: Outputs) -> None:
    """Check, before any work, what is read and written."""
    check_labels(labels)
    outputs.check_places(labels)
    if ct is not None:
        check_input(ct)
        outputs.check_not_read(ct)
    elif series is not None:
        raise BadInputError("A series is chosen of a CT; give one with --ct, or leave --series out.")
    for path in outputs.labels():
        if ending_of(path, OUTPUT_ENDINGS) is None:
            raise BadInputError(
                f"'{path.name}' would say that the labels are SERU's; give one of {', '.join(OUTPUT_ENDINGS)}."
            )


def _read_ct(path: Path, series: str | None, record: RunRecord) -> Volume:
    ct = read_case(path, series, record)
    record.warn_of(check_is_ct(ct))
    return ct


def report_of(labels: LabelMap, ct: Volume | None, record: RunRecord) -> Report:
    """Measure labels.

    Args:
        labels: that anyone made.
        ct: on their grid, or None.
        record: of the run.

    Returns:
        Their report.
    """
    from seru.result.facts import input_facts
    from seru.result.labelled import measure_labels, report_of_labels

    with record.timed("fuse"):
        found = measure_labels(labels.labels_kji, labels.grid, None if ct is None else ct.array_kji, labels.tilt)
        record.stage("fuse", 1, 1)
    record.warn_of(found.warnings)
    facts = labels.study if ct is None else input_facts(ct)
    return report_of_labels(found, labels.facts, facts, labels.grid, tuple(record.warnings), dict(record.seconds))


def _write(outputs: Outputs, labels: LabelMap, report: Report, progress: Progress) -> None:
    volume = labels.volume()
    if outputs.labels():
        report = replace(report, labels_sha256=hash_labels(volume.on_slices(labels.labels_kji)))
    with FileGroup() as group:
        for path in outputs.labels():
            write_output(labels.labels_kji, volume, path, progress, group.open)
        if outputs.page is not None:
            write_page(outputs.page, report, (), group.open)
        if outputs.report is not None:
            group.remove(outputs.report)
            write_text(outputs.report, report.to_json(), group.open)
        progress.check_cancelled()
