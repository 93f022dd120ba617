"""``seru measure``: findings and measures of a label map that anyone made."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import seru
from seru.cli.arguments import add_common_arguments, existing_path
from seru.cli.session import Session, summary_lines
from seru.cohort.case import read_case
from seru.cohort.dicom_outputs import DicomChoice, DicomContent, write_dicom
from seru.cohort.outputs import Outputs, hash_labels, write_output
from seru.ct_check import check_is_ct
from seru.errors import BadInputError
from seru.files import FileGroup, Opener, write_text
from seru.findings import Report
from seru.io.dicom_seg import Maker
from seru.io.images import DICOM_ENDINGS, check_input, ending_of
from seru.io.label_maps import LabelMap, Numbers, check_labels, read_label_map
from seru.memory import NUMERIC_LIBRARIES, require_room
from seru.orientation import AxialStack
from seru.progress import Progress, RunRecord
from seru.result.page import write_page
from seru.volume import Volume

if TYPE_CHECKING:
    from seru.result.labelled import LabelFindings
    from seru.result.pictures import KeySlicePicture

_REPORT_ENDING = ".json"

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
        type=_numbers_of_kind,
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
        help="write the report (.json), or the labels with our numbers: .nii.gz, .nrrd, .mha or .seg.nrrd, or .seg.dcm "
        "and .sr.dcm for a DICOM CT; may be given several times",
    )
    parser.add_argument(
        "--made-by",
        metavar="WHO",
        help="for .seg.dcm: who made the labels: manual, automatic:PROGRAM or semiautomatic:PROGRAM",
    )
    parser.add_argument(
        "--seg-type",
        choices=("binary", "labelmap"),
        default="binary",
        help="how .seg.dcm holds its segments; labelmap is new to many readers (default: binary)",
    )
    parser.add_argument("--report", type=existing_path, metavar="R.json", help="the report, whatever its name ends in")
    parser.add_argument(
        "--page", type=existing_path, metavar="P.html", help="write a page of what was found; with --ct its key slices"
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
    outputs = _outputs(arguments)
    maker = _maker(outputs, arguments.made_by, arguments.ct)
    numbers = None if arguments.numbers is None else Numbers.parse(arguments.numbers)
    _check(arguments.labels, arguments.ct, arguments.series, outputs)
    require_room(NUMERIC_LIBRARIES)
    record = RunRecord(session.progress)
    ct = None if arguments.ct is None else _read_ct(arguments.ct, arguments.series, record)
    dicom = DicomChoice(seru.__version__, arguments.seg_type)
    if ct is not None:
        outputs.check_fit(ct, dicom)
        record.warn_of(outputs.doubts(ct))
    with record.timed("load"):
        labels = read_label_map(arguments.labels, numbers, record, ct)
    record.warn_of(labels.warnings)
    found, report = measured(labels, ct, record)
    if outputs.labels():
        report = replace(report, labels_sha256=hash_labels(labels.volume().on_slices(labels.labels_kji)))
    in_dicom = None
    if maker is not None and ct is not None:
        content = DicomContent(labels.labels_kji, found.lower_kji, found.measured, report, maker)
        in_dicom = partial(write_dicom, outputs.labels(), ct, content, dicom, record)
    _write(outputs, labels, report, record, _pictures(outputs, labels, report, ct), in_dicom)
    session.done(None if outputs.report is None else str(outputs.report))
    for line in summary_lines(report):
        session.say(line)
    if outputs.labels():
        session.say(f"written: {', '.join(map(str, outputs.labels()))}")
    return 0


def _numbers_of_kind(text: str) -> str:
    """A word of --labels, which takes what stands behind it: the file as well, where that comes last."""
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"'{text}' is no KIND=N; give LABELS, the file, before --labels")
    return text


def _outputs(arguments: argparse.Namespace) -> Outputs:
    """What is to be written; of the outputs one in JSON is the report."""
    reports = [path for path in arguments.output if path.suffix.lower() == _REPORT_ENDING]
    labels = [path for path in arguments.output if path not in reports]
    if arguments.report is not None:
        reports.append(arguments.report)
    if len(reports) > 1:
        raise BadInputError(f"'{reports[0]}' and '{reports[1]}' would be the same report; give one of them.")
    return Outputs.of_several(labels, reports[0] if reports else None, None, None, arguments.page)


def _check(labels: Path, ct: Path | None, series: str | None, outputs: Outputs) -> None:
    """Check, before any work, what is read and written."""
    check_labels(labels)
    outputs.check_places(labels)
    if ct is not None:
        check_input(ct)
        outputs.check_not_read(ct)
    elif series is not None:
        raise BadInputError("A series is chosen of a CT; give one with --ct, or leave --series out.")


def _maker(outputs: Outputs, made_by: str | None, ct: Path | None) -> Maker | None:
    """Who made the labels, which DICOM says of them, and nothing else does."""
    named = [path.name for path in outputs.labels() if ending_of(path, DICOM_ENDINGS)]
    if not named:
        if made_by is not None:
            raise BadInputError("DICOM alone says who made the labels; give -o x.seg.dcm, or leave --made-by out.")
        return None
    if ct is None:
        raise BadInputError(f"'{named[0]}' refers to the images of a DICOM CT; give it with --ct.")
    if made_by is None:
        raise BadInputError(
            f"'{named[0]}' says who made the labels; give --made-by manual, automatic:PROGRAM or semiautomatic:PROGRAM."
        )
    return Maker.parse(made_by, seru.__version__)


def _read_ct(path: Path, series: str | None, record: RunRecord) -> Volume:
    ct = read_case(path, series, record)
    record.warn_of(check_is_ct(ct))
    return ct


def measured(labels: LabelMap, ct: Volume | None, record: RunRecord) -> tuple[LabelFindings, Report]:
    """Measure labels.

    Args:
        labels: that anyone made.
        ct: on their grid, or None.
        record: of the run.

    Returns:
        What they show, and their report.
    """
    from seru.result.facts import input_facts
    from seru.result.labelled import measure_labels, report_of_labels

    with record.timed("fuse"):
        found = measure_labels(labels.labels_kji, labels.grid, None if ct is None else ct.array_kji, labels.tilt)
        record.stage("fuse", 1, 1)
    record.warn_of(found.warnings)
    facts = labels.study if ct is None else input_facts(ct)
    warnings, seconds = tuple(record.warnings), dict(record.seconds)
    report = report_of_labels(found, labels.facts, facts, labels.grid, warnings, seconds)
    if ct is not None:
        from seru.cascade.report import with_key_slices

        report = with_key_slices(report, found.sides_in(labels.grid.shape_kji), AxialStack.of(ct))
    return found, report


def _pictures(outputs: Outputs, labels: LabelMap, report: Report, ct: Volume | None) -> list[KeySlicePicture]:
    """The key slices for the page; of a CT alone."""
    if outputs.page is None or ct is None:
        return []
    from seru.result.pictures import picture_key_slices

    return picture_key_slices(ct, None, report, labels.labels_kji)


def _write(
    outputs: Outputs,
    labels: LabelMap,
    report: Report,
    progress: Progress,
    pictures: Sequence[KeySlicePicture],
    in_dicom: Callable[[Opener], None] | None,
) -> None:
    with FileGroup() as group:
        for path in outputs.labels():
            if not ending_of(path, DICOM_ENDINGS):
                write_output(labels.labels_kji, labels.volume(), path, progress, group.open)
        if in_dicom is not None:
            in_dicom(group.open)
        if outputs.page is not None:
            write_page(outputs.page, report, pictures, group.open)
        if outputs.report is not None:
            group.remove(outputs.report)
            write_text(outputs.report, report.to_json(), group.open)
        progress.check_cancelled()
