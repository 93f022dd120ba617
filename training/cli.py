"""The recipe's command line."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from seru.cli.arguments import add_option_arguments, given_options
from seru.errors import BadInputError, CancelledError, SeruError

if TYPE_CHECKING:
    from training.config import Config

_CONFIG = Path(__file__).parent / "configs" / "paper.yaml"
_STEPS = {
    "pseudo": "a teacher's word on kidneys that no label shows",
    "prepare": "volumes to windowed slices",
    "crops": "crops from the coarse model's predictions",
    "alpha": "sweep alpha on the validation cases",
    "thresholds": "choose how sure a finding must be to be believed",
    "export": "write the model folder",
    "all": "every step, from the download to the export, that is not done",
}


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing the usage: an error is one sentence."""

    def error(self, message: str) -> NoReturn:
        raise BadInputError(f"{message[:1].upper()}{message[1:]}; see '{self.prog} --help'.")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of ``python -m training``."""
    parser = _Parser(prog="training", description="Train SERU. The weights are for research use only.")
    parser.add_argument("--debug", action="store_true", help="print the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    _add_download(commands)
    for name, text in _STEPS.items():
        step = commands.add_parser(name, help=text)
        _add_config(step)
        if name == "all":
            step.add_argument(
                "--accept-licence", action="store_true", help="agree to CC BY-NC-SA 4.0 and download KiTS19"
            )
        if name in ("alpha", "thresholds", "export", "all"):
            _add_quantise(step)
        step.set_defaults(run=_run_step, step=name)
    train = commands.add_parser("train", help="train a stage")
    train.add_argument("step", choices=("coarse", "refine"))
    _add_config(train)
    train.set_defaults(run=_run_step)
    _add_evaluate(commands)
    ranges = commands.add_parser("ranges", help="measure what a model's convolutions see, so that CPUs run it in 8 bit")
    ranges.add_argument("--model", metavar="ID_OR_FOLDER", required=True, help="gets the ranges into its folder")
    ranges.add_argument("--data", type=Path, metavar="FOLDER", required=True, help="as of evaluate; training patients")
    ranges.add_argument("--split-file", type=Path, metavar="JSON", help="patients by train and val")
    ranges.set_defaults(run=_ranges)
    split = commands.add_parser("split", help="write the split by patient to a file")
    _add_config(split)
    split.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    split.set_defaults(run=_split)
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
    except SystemExit as stop:  # argparse after --help
        return int(stop.code or 0)
    except SeruError as error:
        return _report(error, arguments)
    except KeyboardInterrupt:
        return _report(CancelledError("Stopped; the same command goes on where it was."), arguments)
    except MemoryError:
        return _report(SeruError("The computer has too little memory; make the batch smaller."), arguments)
    except ModuleNotFoundError as error:
        return _report(SeruError(f"{error.name} is not installed; run 'pip install -e .[training]'."), arguments)
    return 0


def _report(error: SeruError, arguments: Sequence[str]) -> int:
    if "--debug" in arguments:
        traceback.print_exception(error)
    print(f"training: {error}", file=sys.stderr)
    return error.exit_code


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=_CONFIG, metavar="YAML", help="default: configs/paper.yaml")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change an option, such as coarse.epochs=2"
    )
    parser.add_argument("--restart", action="store_true", help="make again what was made with other inputs")


def _add_quantise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quantise", action="store_true", help="convolution weights as 8-bit integers, scored and exported"
    )


def _changes(options: argparse.Namespace) -> tuple[str, ...]:
    quantise = ("export.quantise=true",) if getattr(options, "quantise", False) else ()
    return (*options.set, *quantise, *(f"inference.{name}={value}" for name, value in given_options(options).items()))


def _add_download(commands: argparse._SubParsersAction) -> None:
    download = commands.add_parser("download", help="the 210 KiTS19 cases (more than 20 GB)")
    download.add_argument("-o", "--output", type=Path, default=Path("data/kits19"), metavar="FOLDER")
    download.add_argument("--cases", default="0-209", metavar="A-B", help="numbers of the first and the last case")
    download.add_argument("--accept-licence", action="store_true", help="agree to CC BY-NC-SA 4.0")
    download.set_defaults(run=_download)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser("evaluate", help="score the run's validation cases, or any model on a data folder")
    _add_config(evaluate)
    _add_quantise(evaluate)
    evaluate.add_argument("--model", metavar="ID_OR_FOLDER", help="score this model instead of the config's run")
    evaluate.add_argument("--data", type=Path, metavar="FOLDER", help="KiTS19 cases, or slices with a manifest.csv")
    evaluate.add_argument("--split", choices=("train", "val", "all"), help="val; all of a folder without such")
    evaluate.add_argument("--split-file", type=Path, metavar="JSON", help="patients by train and val")
    evaluate.add_argument("--kind", default="", metavar="TEXT", help="only slices whose kind begins so")
    evaluate.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="tables and plots")
    add_option_arguments(evaluate)
    evaluate.set_defaults(run=_evaluate, step="evaluate")


def _download(options: argparse.Namespace) -> None:
    from training.download import CASES, agree_to_licence, download_cases

    first, _, last = options.cases.partition("-")
    try:
        numbers = list(range(int(first), int(last or first) + 1))
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 0 or numbers[-1] >= CASES:
        raise BadInputError(f"The cases '{options.cases}' do not exist; give two numbers of 0-{CASES - 1}, as 0-209.")
    agree_to_licence(options.accept_licence)
    download_cases(options.output, numbers)


def _run_step(options: argparse.Namespace) -> None:
    from training.config import load_config
    from training.recipe import Recipe
    from training.steps import process_rank

    config = load_config(options.config, _changes(options))
    if options.step == "all" and process_rank() == 0:
        _download_missing(config, options.accept_licence)
    recipe = Recipe(config, options.restart)
    result = recipe.run_all() if options.step == "all" else recipe.run(options.step)
    if process_rank() == 0:
        print(f"{options.step}: {_short(result)}")


def _download_missing(config: Config, accepted: bool) -> None:
    """Fetch KiTS19 where ``all`` runs on it and its folder holds no case yet."""
    from training.cases import kits19_cases
    from training.download import CASES, agree_to_licence, download_cases

    folder = Path(config.data.folder)
    # Who has put some of the cases there wants those; what a broken-off download left is known by its checksums.
    is_begun = (folder / "checksums.json").is_file()
    missing = CASES - len(kits19_cases(folder))
    if config.data.kind == "kits19" and missing and (is_begun or missing == CASES):
        agree_to_licence(accepted)
        download_cases(folder, list(range(CASES)))


def _evaluate(options: argparse.Namespace) -> None:
    from seru.options import SegmentOptions
    from training.config import load_config
    from training.evaluate import Choice, evaluate_model, format_summary
    from training.recipe import Recipe

    if (options.model is None) != (options.data is None):
        raise BadInputError("A model is scored on a data folder: give both --model and --data, or neither.")
    if options.model is None:
        summary = Recipe(load_config(options.config, _changes(options)), options.restart).run("evaluate")
    else:
        choice = Choice(options.split, options.split_file, options.kind)
        run = SegmentOptions(**given_options(options))
        summary = evaluate_model(options.model, options.data, choice, options.output, run)
    print(format_summary(summary), flush=True)
    if options.output is not None and options.model is not None:
        print(f"Tables and plots: {options.output}")


def _ranges(options: argparse.Namespace) -> None:
    from training.ranges import add_measured_ranges

    model = add_measured_ranges(options.model, options.data, options.split_file)
    print(f"ranges: {model.folder}")


def _split(options: argparse.Namespace) -> None:
    from training.cases import list_cases
    from training.config import load_config
    from training.split import split_patients
    from training.steps import write_json

    config = load_config(options.config, tuple(options.set))
    patients = [case.patient for case in list_cases(config.data) if not case.is_extra]
    split = split_patients(patients, config.split)
    write_json(options.output, split)
    print(f"split: {len(split['train'])} patients train, {len(split['val'])} validate")


def _short(result: dict) -> str:
    shown = {key: value for key, value in result.items() if not isinstance(value, dict | list)}
    return ", ".join(f"{key} {value}" for key, value in shown.items()) or "done"
