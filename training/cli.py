"""The recipe's command line."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from seru.errors import BadInputError, CancelledError, SeruError


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing the usage: an error is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message[:1].upper()}{message[1:]}; see '{self.prog} --help'.")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m training``."""
    parser = _Parser(prog="training", description="Train SERU. The weights are for research use only.")
    parser.add_argument("--debug", action="store_true", help="print the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    tiny = commands.add_parser("tiny", help="train a tiny demonstration network on phantoms, in seconds")
    tiny.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="the model folder")
    tiny.add_argument("--seed", type=int, default=0, metavar="N")
    tiny.set_defaults(run=_tiny)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step of the recipe.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        Exit code, as the command ``seru``: 0 done, 1 failed, 2 bad input or usage, 3 model, 4 device, 130 cancelled.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = make_parser().parse_args(arguments)
        options.run(options)
    except SeruError as error:
        return _report(error, arguments)
    except KeyboardInterrupt:
        return _report(CancelledError("Stopped; the same command goes on where it was."), arguments)
    except MemoryError:
        return _report(SeruError("The computer has too little memory; make the batch smaller."), arguments)
    return 0


def _report(error: SeruError, arguments: Sequence[str]) -> int:
    if "--debug" in arguments:
        traceback.print_exception(error)
    print(f"training: {error}", file=sys.stderr)
    return error.exit_code


def _tiny(options: argparse.Namespace) -> None:
    from training.tiny import TinyOptions, train_tiny

    train_tiny(options.output, TinyOptions(seed=options.seed))
