"""``seru segment``: one CT in, one segmentation out."""

from __future__ import annotations

import argparse

from seru.cli.arguments import add_common_arguments, add_run_arguments, existing_path, segment_options
from seru.cli.live_case import LiveCase, Order
from seru.cli.session import Session, summary_lines
from seru.cohort.outputs import Outputs

DESCRIPTION = "Segment kidneys and kidney tumors in one CT."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument(
        "input", type=existing_path, metavar="INPUT", help="NIfTI, NRRD, MetaImage, DICOM folder or its zip"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=existing_path,
        action="append",
        default=[],
        metavar="OUTPUT",
        help=".nii.gz, .nrrd, .mha, .seg.nrrd, or .seg.dcm and .sr.dcm for a DICOM input; may be given several times",
    )
    parser.add_argument("--series", metavar="UID", help="series of the DICOM input (default: the CT with most slices)")
    parser.add_argument("--report", type=existing_path, metavar="R.json", help="write what was found as JSON")
    parser.add_argument("--maps", type=existing_path, metavar="DIR", help="write the probabilities, for 'seru fuse'")
    parser.add_argument("--pictures", type=existing_path, metavar="DIR", help="write pictures of the key slices")
    parser.add_argument("--page", type=existing_path, metavar="P.html", help="write a page of what was found, to print")
    add_run_arguments(parser, is_of_one_ct=True)
    add_common_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Segment one CT.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    places = arguments.output, arguments.report, arguments.maps, arguments.pictures, arguments.page
    outputs = Outputs.of_several(*places)
    order = Order(arguments.input, outputs, segment_options(arguments), arguments.series, arguments.model)
    report = LiveCase(stays=False).segment(order, session.progress)
    session.done(None if outputs.report is None else str(outputs.report))
    for line in summary_lines(report):
        session.say(line)
    session.say(f"written: {', '.join(map(str, outputs.labels())) or outputs.maps}")
    return 0
