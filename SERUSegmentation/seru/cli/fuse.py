"""``seru fuse``: saved maps at another alpha, without the network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from seru.cli.arguments import add_common_arguments, existing_path
from seru.cli.session import Session
from seru.cohort.outputs import Places, summary_lines, write_output, write_report
from seru.grid import Grid
from seru.io.images import check_output
from seru.options import PostprocessingOptions, check_alpha
from seru.result.fusion import LiveFusion
from seru.result.maps import MAPS_FILE, Maps, load_maps
from seru.volume import Volume


def add_parser(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: argparse's subparsers.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "fuse",
        help="fuse saved maps at another alpha",
        description="Fuse saved maps at another alpha, without the network.",
    )
    parser.add_argument("maps", type=existing_path, metavar="MAPS_DIR", help="the folder that --maps wrote")
    parser.add_argument(
        "-o", "--output", type=existing_path, required=True, metavar="OUTPUT", help=".nii.gz, .nrrd, .mha or .seg.nrrd"
    )
    parser.add_argument("--alpha", type=float, required=True, metavar="A", help="weight of the coarse stage, 0..1")
    parser.add_argument("--report", type=existing_path, metavar="R.json", help="write what was found as JSON")
    add_common_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Fuse saved maps.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    check_alpha(arguments.alpha)
    source = arguments.maps / MAPS_FILE if arguments.maps.is_dir() else arguments.maps
    Places(arguments.output, arguments.report).check(source)
    session.progress.stage("load", 0, 1)
    maps = load_maps(arguments.maps)
    if ct := maps.report.get("input", {}).get("path"):
        check_output(arguments.output, ct)  # the CT itself is never written over
    session.progress.stage("load", 1, 1)
    labels, report = fuse_maps(maps, arguments.alpha)
    session.progress.stage("fuse", 1, 1)
    session.progress.check_cancelled()
    _write(labels, report, maps, arguments.output, arguments.report, session)
    return 0


def fuse_maps(maps: Maps, alpha: float) -> tuple[np.ndarray, dict[str, Any]]:
    """Fuse maps at an alpha, with the clean-up of the run that made them.

    Args:
        maps: of the run.
        alpha: weight of the coarse stage, 0..1.

    Returns:
        Labels on the whole grid, uint8, shape (K, J, I), and the report with alpha and volumes brought up to date.

    Raises:
        BadInputError: alpha is not between 0 and 1.
    """
    from seru.result.cleanup import clean_labels
    from seru.result.measurements import measure
    from seru.result.sides import SIDES

    grid = Grid(maps.shape_kji, maps.ijk_to_ras)
    options = PostprocessingOptions(**maps.report.get("options", {}).get("postprocessing", {}))
    sides = maps.side_box()
    box = clean_labels(LiveFusion(maps).box_labels(alpha), sides, grid.voxel_ml, options)
    measured = measure(box, sides, grid.spacing_ijk_mm)
    report = {**maps.report, "alpha": alpha}
    for side in SIDES:
        values = {name: round(value, 4) for name, value in measured[side].items()}
        report[side] = {**report.get(side, {}), **values}
    names = ("kidney_ml", "tumor_ml")
    report["total"] = {name: round(sum(measured[side][name] for side in SIDES), 4) for name in names}
    labels = np.zeros(maps.shape_kji, np.uint8)
    labels[maps.box_slices] = box
    return labels, report


def _write(
    labels: np.ndarray, report: dict[str, Any], maps: Maps, output: Path, report_path: Path | None, session: Session
) -> None:
    def last_step() -> None:
        session.progress.check_cancelled()
        if report_path is not None:
            write_report(report, report_path)

    write_output(labels, Volume.from_array(labels, maps.ijk_to_ras), output, session.progress, last_step)
    session.progress.done(None if report_path is None else str(report_path))
    for line in summary_lines(report):
        session.say(line)
    session.say(f"written: {output}")
