"""Arguments that several subcommands share, and the options they make."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from seru.cli.session import PROGRESS_KINDS
from seru.options import CropRule, EngineName, PostprocessingOptions, SegmentOptions

# Bytes; the file systems of Linux, macOS and Windows agree.
_LONGEST_NAME = 255


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how the cascade runs.

    Args:
        parser: of ``segment`` or ``batch``.
    """
    parser.add_argument(
        "--alpha", type=float, metavar="A", help="weight of the coarse stage, 0..1 (default: the model's)"
    )
    parser.add_argument(
        "--model",
        type=model_name,
        metavar="ID_OR_FOLDER",
        help="a model's id, or a model folder (default: see 'seru models list')",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda:N or mps (default: auto)")
    parser.add_argument("--engine", default="auto", choices=get_args(EngineName), help="back end (default: auto)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all)")
    parser.add_argument("--all-slices", action="store_true", help="run every slice through both stages")
    parser.add_argument(
        "--mirror", action="store_true", help="run mirror images too and take the mean: fewer false alarms, slower"
    )
    parser.add_argument(
        "--crop",
        default="grow",
        choices=get_args(CropRule),
        help="grow a crop that would cut a kidney, or keep the paper's",
    )
    clean = parser.add_argument_group("clean-up of the result (all off by default)")
    clean.add_argument("--largest-component", action="store_true", help="keep the largest component of each side")
    clean.add_argument("--tumor-touches-kidney", action="store_true", help="remove tumors that touch no kidney")
    clean.add_argument("--minimum-volume", type=float, default=0.0, metavar="ML", help="remove smaller components")


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every run takes.

    Args:
        parser: of any subcommand that works on images.
    """
    parser.add_argument("--progress", default="bar", choices=PROGRESS_KINDS, help="bar, JSON lines on stdout, or none")
    parser.add_argument("--debug", action="store_true", help="print the traceback of an error")


def segment_options(arguments: argparse.Namespace) -> SegmentOptions:
    """Return the options that the arguments ask for.

    Args:
        arguments: parsed, with those of :func:`add_run_arguments`.

    Returns:
        Validated options.

    Raises:
        BadInputError: a value is out of its range.
    """
    return SegmentOptions(
        alpha=arguments.alpha,
        device=arguments.device,
        engine=arguments.engine,
        all_slices=arguments.all_slices,
        mirror=arguments.mirror,
        crop=arguments.crop,
        postprocessing=PostprocessingOptions(
            largest_component_per_side=arguments.largest_component,
            tumor_touches_kidney=arguments.tumor_touches_kidney,
            minimum_volume_ml=arguments.minimum_volume,
        ),
        threads=arguments.threads,
    )


def existing_path(text: str) -> Path:
    """Return a path with the home folder filled in; whether it exists is the reader's question.

    Args:
        text: of the argument.

    Returns:
        The path.

    Raises:
        ArgumentTypeError: no file system has such a name.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"the home folder in '{text}' is not known") from error
    if any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in path.parts):
        raise argparse.ArgumentTypeError(f"the name '{path.name[:40]}...' is too long")
    return path


def model_name(text: str) -> str:
    """Return a model's id as it is, and a folder with the home folder filled in."""
    return str(existing_path(text)) if text.startswith("~") else text
