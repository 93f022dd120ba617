"""Arguments that several subcommands share; those of a run are made from :class:`seru.options.SegmentOptions`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seru.cli.session import PROGRESS_KINDS
from seru.options import SegmentOptions, SideBox, Switch, switches

# Bytes; the file systems of Linux, macOS and Windows agree.
_LONGEST_NAME = 255


def add_run_arguments(parser: argparse.ArgumentParser, is_of_one_ct: bool = False) -> None:
    """Add the model and how the cascade runs.

    Args:
        parser: of ``segment`` or ``batch``.
        is_of_one_ct: add what means nothing for another CT too, and how its output is written.
    """
    parser.add_argument(
        "--model",
        type=model_name,
        metavar="ID_OR_FOLDER",
        help="a model's id, or a model folder (default: see 'seru models list')",
    )
    parser.add_argument(
        "--paper", action="store_true", help="the paper's way in every switch; an option given beside it wins"
    )
    add_option_arguments(parser, is_of_one_ct=is_of_one_ct)


def add_option_arguments(
    parser: argparse.ArgumentParser, names: Sequence[str] = (), is_of_one_ct: bool = False
) -> None:
    """Add an argument for each option of a run.

    Args:
        parser: of a subcommand.
        names: of the options; empty adds all.
        is_of_one_ct: add what means nothing for another CT too.
    """
    offered = [switch for switch in switches() if is_of_one_ct or not (switch.is_of_one_ct or switch.is_of_output)]
    wanted = [switch for switch in offered if not names or switch.name in names]
    groups = {name: parser.add_argument_group(name) for name in dict.fromkeys(s.group for s in wanted) if name}
    for switch in wanted:
        place = groups[switch.group] if switch.group else parser
        # What is not given stays out of the parsed arguments: the default is the options' own, or the paper's.
        shared: dict[str, Any] = {"dest": switch.name, "default": argparse.SUPPRESS, "help": _help(switch)}
        if switch.kind is bool:
            place.add_argument(switch.flag, action="store_true", **shared)
        elif switch.is_repeated:
            place.add_argument(switch.flag, action="append", type=SideBox.parse, metavar=switch.metavar, **shared)
        elif switch.choices:
            place.add_argument(switch.flag, choices=switch.choices, **shared)
        else:
            place.add_argument(switch.flag, type=switch.kind, metavar=switch.metavar, **shared)


def given_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, by name.

    Args:
        arguments: parsed, with those of :func:`add_option_arguments`.
    """
    given = {switch: getattr(arguments, switch.name) for switch in switches() if hasattr(arguments, switch.name)}
    return {switch.name: tuple(value) if switch.is_repeated else value for switch, value in given.items()}


def segment_options(arguments: argparse.Namespace) -> SegmentOptions:
    """Return the options that the arguments ask for.

    Args:
        arguments: parsed, with those of :func:`add_run_arguments`.

    Returns:
        Validated options.

    Raises:
        BadInputError: a value is out of its range.
    """
    given = given_options(arguments)
    return SegmentOptions.of_paper(**given) if arguments.paper else SegmentOptions(**given)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every run takes.

    Args:
        parser: of any subcommand that works on images.
    """
    parser.add_argument("--progress", default="bar", choices=PROGRESS_KINDS, help="bar, JSON lines on stdout, or none")
    add_debug_argument(parser)


def add_debug_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--debug``.

    Args:
        parser: of any subcommand.
    """
    parser.add_argument("--debug", action="store_true", help="print the traceback of an error")


def existing_path(text: str) -> Path:
    """Return a path with the home folder filled in; whether it exists is the reader's question.

    Args:
        text: of the argument.

    Returns:
        The path.

    Raises:
        ArgumentTypeError: no file system has such a name, or it is relative to a folder that is gone.
    """
    if not text:  # of a variable that a script has not set; the folder it was started in is hardly meant
        raise argparse.ArgumentTypeError("the name is empty")
    try:
        path = Path(text).expanduser()
        is_possible = b"\0" not in os.fsencode(path)
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"the home folder in '{text}' is not known") from error
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise argparse.ArgumentTypeError(f"no file can have the name {text!r}")
    if not (path.is_absolute() or has_working_folder()):
        raise argparse.ArgumentTypeError(f"the folder that '{text}' lies in was deleted")
    if any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in path.parts):
        raise argparse.ArgumentTypeError(f"the name '{path.name[:40]}...' is too long")
    return path


def has_working_folder() -> bool:
    """Tell whether the folder that the command was started in is still there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def model_name(text: str) -> str:
    """Return a model's id as it is, and a folder with the home folder filled in; an empty name is refused."""
    return str(existing_path(text)) if not text or text.startswith("~") else text


def _help(switch: Switch) -> str:
    return f"{switch.help} (default: {switch.default})" if isinstance(switch.default, str) else switch.help
