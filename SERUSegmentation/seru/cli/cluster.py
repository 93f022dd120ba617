"""``seru batch`` on a Dask cluster: its arguments, and what it tells."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import seru
from seru.cli.session import Session
from seru.cohort.summary import Summary
from seru.model.engines.devices import count_gpus
from seru.model.store import Model, cache_folder, resources_folder
from seru.options import SegmentOptions
from seru.packages import require_optional

if TYPE_CHECKING:
    from distributed import Client

    from seru.cohort.dask_task import Ended, Recipe, Task

_MOST_WORKERS = 1024


def add_cluster_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the cases are run.

    Args:
        parser: of ``batch``.
    """
    group = parser.add_argument_group("on several processes (docs/cluster.md)").add_mutually_exclusive_group()
    group.add_argument(
        "--dask", metavar="ADDRESS", help="of a running Dask scheduler: tls://host:port or tcp://host:port"
    )
    group.add_argument("--workers", type=_count, metavar="N", help="processes on this computer, for this run alone")


def is_on_cluster(arguments: argparse.Namespace) -> bool:
    """Tell whether a batch runs on a cluster, be it this computer's own."""
    return arguments.dask is not None or arguments.workers is not None


def require_dask() -> None:
    """Check that what a cluster needs is installed.

    Raises:
        BadInputError: it is not, with how to get it.
    """
    require_optional("distributed", "distributed", "A batch on several processes")


def make_absolute(arguments: argparse.Namespace) -> None:
    """Turn the paths of a batch into ones that every process understands.

    Args:
        arguments: parsed; changed.
    """
    for name in ("input", "output", "report", "maps", "pictures", "page"):
        path = getattr(arguments, name)
        if path is not None:
            setattr(arguments, name, Path(os.path.abspath(path)))


def recipe_of(arguments: argparse.Namespace, model: Model, options: SegmentOptions) -> Recipe:
    """Return how every worker runs a case.

    Args:
        arguments: parsed, with those of :func:`add_cluster_arguments`; their paths are absolute.
        model: card and weights.
        options: how to run; processes of this computer share its cores and GPUs unless told otherwise.
    """
    from seru.cohort.dask_task import Recipe

    gpus = 0
    if arguments.workers is not None:
        gpus = count_gpus() if options.device in ("auto", "cuda") else 0
        if options.threads is None:
            options = replace(options, threads=max(1, (os.cpu_count() or 1) // arguments.workers))
    is_installed = model.folder.parent in (resources_folder() / "Models", cache_folder())
    name = model.folder.name if is_installed else os.path.abspath(model.folder)
    folders = (arguments.input, arguments.output, arguments.report, arguments.page)
    there = tuple(folder for folder in folders if folder is not None)
    return Recipe(name, model.card.checksums, options, seru.__version__, there, gpus)


def run_on_cluster(tasks: Sequence[Task], arguments: argparse.Namespace, summary: Summary, session: Session) -> None:
    """Run the tasks of a batch on the cluster that the arguments ask for.

    Args:
        tasks: of the cohort.
        arguments: parsed, with those of :func:`add_cluster_arguments`.
        summary: gets every case.
        session: of the command.

    Raises:
        SeruError: as :func:`seru.cohort.dask_runner.run_tasks`, and of the cluster.
    """
    from seru.cohort.dask_cluster import workers_of
    from seru.cohort.dask_runner import run_tasks

    with _client(arguments, session) as client:
        if not workers_of(client):
            session.say(f"No worker has come to '{arguments.dask}' yet; the cases wait for the first one.")
        session.cases(0, len(tasks))
        for done, (number, ended) in enumerate(run_tasks(tasks, client, session.progress), 1):
            _take(tasks[number], number + 1, ended, summary, session)
            session.cases(done, len(tasks))


def _client(arguments: argparse.Namespace, session: Session) -> AbstractContextManager[Client]:
    from seru.cohort.dask_cluster import is_encrypted, local_client, remote_client, stays_here

    if arguments.workers is not None:
        return local_client(arguments.workers)
    if not (is_encrypted(arguments.dask) or stays_here(arguments.dask)):
        session.progress.warning(
            f"What goes to '{arguments.dask}' is not encrypted, and whoever reaches that port can run programs there; "
            "take tls:// (docs/cluster.md)."
        )
    return remote_client(arguments.dask)


def _take(task: Task, place: int, ended: Ended, summary: Summary, session: Session) -> None:
    """Tell what became of a case, and add it to the summary."""
    case = task.case
    for message in ended.warnings:
        session.progress.warning(f"{case.name}: {message}")
    if ended.status == "done" or ended.status == "skipped":
        summary.add(case.name, case.path, ended.status, ended.report, outputs=task.outputs, place=place)
    else:
        session.progress.warning(f"{case.name} failed: {ended.error}")
        summary.add(case.name, case.path, "failed", error=ended.error, place=place)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of processes from 1 to {_MOST_WORKERS}")
    return int(text)
