"""``seru models``: which models there are, and where."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from seru.cli.arguments import add_debug_argument
from seru.cli.session import Session
from seru.errors import BadInputError, CancelledError, ModelError
from seru.model import store
from seru.model.store import (
    RegistryEntry,
    clear_cache,
    fetch_model,
    find_model,
    list_models,
    models_to_fetch,
    read_registry,
)

DESCRIPTION = "List, fetch, verify or clear models."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """

    def show_help(arguments: argparse.Namespace, session: Session) -> int:
        parser.print_help()
        return BadInputError.exit_code

    parser.set_defaults(act=show_help)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=type(parser))
    _add(actions, "list", _list, "list the models on this computer and those that can be fetched")
    fetch = _add(actions, "fetch", _fetch, "download a model and check it")
    fetch.add_argument(
        "id", metavar="ID", nargs="?", help="as 'seru models list' shows it (default: the default model)"
    )
    fetch.add_argument("--accept-licence", action="store_true", help="agree to the licence without being asked")
    verify = _add(actions, "verify", _verify, "check the weights of models against their checksums")
    verify.add_argument("id", metavar="ID_OR_FOLDER", nargs="*", help="default: every model on this computer")
    _add(actions, "where", _where, "print the folder of fetched models")
    _add(actions, "clear", _clear, "delete every fetched model")


def _add(actions: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
    add_debug_argument(parser)
    parser.set_defaults(act=run)
    return parser


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Do what is asked for.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0, or 2 where nothing was asked for and the help is shown.

    Raises:
        SeruError: of any kind.
    """
    return arguments.act(arguments, session)


def _list(arguments: argparse.Namespace, session: Session) -> int:
    registry = read_registry()
    models, errors = list_models()
    here = {model.card.id: model for model in models}
    to_fetch = models_to_fetch()

    def mark(model_id: str) -> str:
        return " (default)" if model_id == registry.default else ""

    for model in here.values():
        card = model.card
        print(f"{card.id}{mark(card.id)}: {card.title}\n  licence: {card.licence}\n  folder: {model.folder}")
    for entry in to_fetch:
        print(f"{entry.id}{mark(entry.id)}: {entry.title}\n  licence: {entry.licence}\n  {_size(entry)} to fetch")
    for error in errors:
        print(f"damaged: {error}")
    if not here and not errors and not to_fetch:
        print("no models")
    return 0


def _fetch(arguments: argparse.Namespace, session: Session) -> int:
    registry = read_registry()
    model_id = arguments.id or registry.default
    if model_id is None:
        raise ModelError("This version has no default model; give the id of a model.")
    entry = registry.entry(model_id)
    if entry.url is not None and not arguments.accept_licence:
        _ask(entry)
    model = fetch_model(entry, _Meter(session))
    print(f"{model.card.id}: {model.folder}")
    return 0


def _ask(entry: RegistryEntry) -> None:
    print(f"{entry.title}, {_size(entry)}\nlicence: {entry.licence}", file=sys.stderr)
    if sys.stdin is None or not sys.stdin.isatty():
        raise BadInputError("The licence needs your agreement; run again with --accept-licence.")
    print("Do you agree to the licence? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CancelledError("The licence was not agreed to; nothing was fetched.")


class _Meter:
    """Shows bytes, and stops the download when the run is cancelled."""

    def __init__(self, session: Session) -> None:
        self._progress = session.progress
        self._percent = -1

    def __call__(self, done: int, total: int) -> None:
        self._progress.check_cancelled()
        percent = 100 * done // max(total, 1)
        if percent != self._percent and sys.stderr.isatty():
            self._percent = percent
            print(f"\r{percent:3d} %", end="\n" if percent >= 100 else "", file=sys.stderr, flush=True)


def _verify(arguments: argparse.Namespace, session: Session) -> int:
    models = [find_model(name) for name in arguments.id]
    errors: list[ModelError] = []
    if not models:
        models, errors = list_models()
    for model in models:
        model.verify()
        print(f"{model.card.id}: OK ({model.folder})")
    if errors:
        raise errors[0]
    if not models:
        print("no models")
    return 0


def _where(arguments: argparse.Namespace, session: Session) -> int:
    print(store.cache_folder())
    return 0


def _clear(arguments: argparse.Namespace, session: Session) -> int:
    names = clear_cache()
    print(f"deleted: {', '.join(names)}" if names else "nothing to delete")
    return 0


def _size(entry: RegistryEntry) -> str:
    return f"{entry.size / 1e6:.0f} MB"
