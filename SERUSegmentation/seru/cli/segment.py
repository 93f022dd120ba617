"""``seru segment``: one CT in, one segmentation out."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from seru.cli.arguments import add_common_arguments, add_run_arguments, existing_path, segment_options
from seru.cli.session import Session
from seru.cohort.outputs import Places, summary_lines, write_results
from seru.ct_check import check_is_ct
from seru.io.images import check_input, read_volume
from seru.progress import Progress


def add_parser(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: argparse's subparsers.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "segment", help="segment one CT", description="Segment kidneys and kidney tumors in one CT."
    )
    parser.add_argument("input", type=existing_path, metavar="INPUT", help="NIfTI, NRRD, MetaImage, or a DICOM folder")
    parser.add_argument(
        "-o", "--output", type=existing_path, required=True, metavar="OUTPUT", help=".nii.gz, .nrrd, .mha or .seg.nrrd"
    )
    parser.add_argument("--series", metavar="UID", help="series of the DICOM folder (default: the CT with most slices)")
    parser.add_argument("--report", type=existing_path, metavar="R.json", help="write what was found as JSON")
    parser.add_argument("--maps", type=existing_path, metavar="DIR", help="write the probabilities, for 'seru fuse'")
    parser.add_argument("--pictures", type=existing_path, metavar="DIR", help="write pictures of the key slices")
    add_run_arguments(parser)
    add_common_arguments(parser)
    parser.set_defaults(run=run)


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
    from seru.model.store import find_model

    options = segment_options(arguments)
    places = Places(arguments.output, arguments.report, arguments.maps, arguments.pictures)
    check_input(arguments.input)
    places.check(arguments.input)
    model = find_model(arguments.model)
    model.verify()
    report = process_case(arguments.input, arguments.series, places, _Once(model, options), session.progress)
    session.progress.done(None if places.report is None else str(places.report))
    for line in summary_lines(report):
        session.say(line)
    session.say(f"written: {places.output}")
    return 0


class _Once:
    """Loads the networks only once the CT has been read and found to be one."""

    def __init__(self, model: Any, options: Any) -> None:
        self._make = (model, options)

    def segment(self, volume: Any, progress: Progress) -> Any:
        from seru.cascade.run import Segmenter

        return Segmenter(*self._make).segment(volume, progress)


def process_case(path: Path, series: str | None, places: Places, segmenter: Any, progress: Progress) -> dict[str, Any]:
    """Read, segment and write one case.

    Args:
        path: of the CT.
        series: series instance UID, or None.
        places: where the results go.
        segmenter: has ``segment(volume, progress)``, as :class:`seru.cascade.run.Segmenter`.
        progress: of the run.

    Returns:
        The report, with the reader's warnings and the time to load.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    start = time.perf_counter()
    progress.stage("load", 0, 1)
    volume = read_volume(path, series, progress)
    warnings = check_is_ct(volume)
    for warning in warnings:
        progress.warning(warning)
    seconds = round(time.perf_counter() - start, 3)
    result = segmenter.segment(volume, progress)
    # The maps hold the same report.
    result.report["seconds"] = {"load": seconds, **result.report["seconds"]}
    result.report["warnings"][:0] = warnings
    write_results(places, volume, result, progress)
    return result.report
