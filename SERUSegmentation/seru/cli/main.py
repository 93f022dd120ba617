"""The command's entry: arguments in, exit code out, one sentence for every error."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import seru
from seru.cli.arguments import has_working_folder
from seru.cli.failures import as_seru_error
from seru.cli.session import Session
from seru.cli.streams import ready_streams, settle_streams
from seru.errors import BadInputError, CancelledError, SeruError
from seru.signals import Signals

# Each is a room of the same name with DESCRIPTION, add_arguments and run; only the one that runs is imported.
_COMMANDS = {
    "segment": "segment one CT",
    "batch": "segment every CT of a folder",
    "worker": "stay ready: requests on stdin, events on stdout",
    "fuse": "fuse saved maps at another alpha",
    "measure": "measure anyone's labels",
    "compare": "compare two reports of a patient",
    "models": "list, fetch, verify or clear models",
    "phantom": "make a synthetic CT",
    "info": "versions, devices, engines, models",
}


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing the usage: an error is one sentence. Options are not shortened."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is unknown here, and not in the parser of the whole command, whose help is no help then."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message[:1].upper()}{message[1:]}; see '{self.prog} --help'.")


def make_parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the command.

    Args:
        arguments: to be parsed: of a subcommand that they do not name only the name is known.
    """
    parser = _Parser(
        prog="seru",
        description="Find kidneys and kidney tumors in CT. Research use only; not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"seru {seru.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for name, text in _COMMANDS.items():
        chosen = importlib.import_module(f"seru.cli.{name}") if name in arguments else None
        description = chosen.DESCRIPTION if chosen else text
        command = commands.add_parser(name, help=text, description=description)
        if chosen:
            chosen.add_arguments(command)
            command.set_defaults(run=chosen.run)
    return parser


def main(arguments: Sequence[str] | None = None, signals: Signals | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; None takes the process's own.
        signals: as they have been caught since the program began; None catches them from here on.

    Returns:
        Exit code: 0 done, 1 failed, 2 bad input or usage, 3 model, 4 device or memory, 130 cancelled.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    ready_streams()
    session = Session(arguments, signals)
    try:
        with session:
            return _run(arguments, session)
    except SystemExit as stop:  # argparse after --help and --version
        return int(stop.code or 0)
    except BrokenPipeError:  # nobody is left to tell
        return CancelledError.exit_code
    except (SeruError, KeyboardInterrupt, MemoryError, Exception) as error:
        return _report(error, session)
    finally:
        settle_streams()


def _run(arguments: Sequence[str], session: Session) -> int:
    parser = make_parser(arguments)
    if not arguments:
        parser.print_help()
        return BadInputError.exit_code
    options = parser.parse_args(arguments)
    if not has_working_folder():
        os.chdir(os.sep)  # MKL ends the process where there is none
    code = options.run(options, session)
    sys.stdout.flush()
    return code


def _report(error: BaseException, session: Session) -> int:
    known = as_seru_error(error)
    if session.debug:
        traceback.print_exception(error)
    # What the failed run still holds may be the memory that is missing now.
    traceback.clear_frames(error.__traceback__)
    session.fail(known.exit_code, str(known))
    return known.exit_code
