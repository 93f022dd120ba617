"""``seru fuse``: saved maps at another alpha, without the network."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from seru.cli.arguments import add_common_arguments, existing_path
from seru.cli.session import Session, summary_lines
from seru.cohort.outputs import Outputs, hash_labels, write_output
from seru.errors import BadInputError
from seru.files import FileGroup, write_text
from seru.io.images import DICOM_ENDINGS, ending_of
from seru.memory import NUMERIC_LIBRARIES, require_room
from seru.options import SegmentOptions, check_alpha
from seru.result import finish
from seru.result.maps import MAPS_FILE, load_maps
from seru.result.nephrometry import scored
from seru.result.page import write_page
from seru.volume import Volume

# No system opens a longer one.
_LONGEST_PATH = 1 << 15

DESCRIPTION = "Fuse saved maps at another alpha, without the network."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument("maps", type=existing_path, metavar="MAPS_DIR", help="the folder that --maps wrote")
    parser.add_argument(
        "-o", "--output", type=existing_path, required=True, metavar="OUTPUT", help=".nii.gz, .nrrd, .mha or .seg.nrrd"
    )
    parser.add_argument("--alpha", type=float, required=True, metavar="A", help="weight of the coarse stage, 0..1")
    parser.add_argument("--report", type=existing_path, metavar="R.json", help="write what was found as JSON")
    parser.add_argument(
        "--page", type=existing_path, metavar="P.html", help="write a page of what was found, without key slices"
    )
    add_common_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Fuse saved maps, with the clean-up of the run that made them.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    progress, output, report_path = session.progress, arguments.output, arguments.report
    check_alpha(arguments.alpha)
    source = arguments.maps / MAPS_FILE if arguments.maps.is_dir() else arguments.maps
    outputs = Outputs(output, report_path, page=arguments.page)
    if ending_of(output, DICOM_ENDINGS):
        raise BadInputError("Maps hold no DICOM headers; run 'seru segment' with --alpha for a DICOM result.")
    outputs.check(source)
    require_room(NUMERIC_LIBRARIES)
    progress.stage("load", 0, 1)
    maps, of_run = load_maps(arguments.maps)
    if of_run.input.path and len(of_run.input.path) < _LONGEST_PATH:
        _check_keeps_ct(outputs, Path(of_run.input.path))
    progress.stage("load", 1, 1)
    finished = finish(maps, SegmentOptions.from_deciding(of_run.options, alpha=arguments.alpha))
    labels = maps.whole(finished.labels_box)
    volume = Volume(labels, maps.grid, tilt=maps.tilt)
    report = replace(finished.report_of(of_run), labels_sha256=hash_labels(volume.on_slices(labels)))
    if report_path is not None or outputs.page is not None:
        report = scored(report, finished.labels_box, maps.sides_box, maps.grid, finished.lower_kji)
    progress.stage("fuse", 1, 1)
    progress.check_cancelled()
    with FileGroup() as group:
        write_output(labels, volume, output, progress, group.open)
        if outputs.page is not None:
            write_page(outputs.page, report, (), group.open)
        if report_path is not None:
            group.remove(report_path)
            write_text(report_path, report.to_json(), group.open)
        progress.check_cancelled()
    session.done(None if report_path is None else str(report_path))
    for line in summary_lines(report):
        session.say(line)
    session.say(f"written: {output}")
    return 0


def _check_keeps_ct(outputs: Outputs, path: Path) -> None:
    """Check that the CT of the run is not written over; a relative path is tried from every folder above an output."""
    places = {path}
    if not path.is_absolute():
        for _, target in outputs.files():
            places |= {folder / path for folder in Path(os.path.abspath(target)).parents}
    for place in places:
        outputs.check_not_read(place)
