"""A cohort on the workers of a Dask cluster: one task a case, and a second try, alone, for what a worker failed at.

Dask distributes the tasks, and gives those of a worker that dies to another one or back to us. Which of the cases that
such a worker had was at fault nobody knows; so each is tried again with no other beside it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from distributed import Client, Future, KilledWorker
from distributed.client import ClosedClientError

from seru.cohort.dask_cluster import workers_of
from seru.cohort.dask_task import Ended, Recipe, Task, run_task
from seru.cohort.discovery import Case
from seru.cohort.outputs import Outputs
from seru.errors import BadInputError, DeviceError, ModelError, SeruError
from seru.io.inputs import Inputs
from seru.progress import Progress

_LOOK_S = 0.2
_GATHER_S = 2.0
# A share may show later what another computer wrote.
_SEEN_S = 60.0
_CODES = {kind.exit_code: kind for kind in (BadInputError, ModelError, DeviceError)}


def make_tasks(cases: Sequence[Case], outputs_of: Callable[[Case], Outputs], recipe: Recipe) -> list[Task]:
    """Return a task for each case.

    Args:
        cases: of the cohort, with absolute paths, which mean the same on every worker.
        outputs_of: gives where a case's results go; absolute likewise.
        recipe: model and options.

    Returns:
        The tasks, each with those other cases' CTs that it might write over; there hardly ever are any.
    """
    inputs = Inputs(case.path for case in cases)
    tasks = []
    for case in cases:
        outputs = outputs_of(case)
        rivals = {inputs.reader_of(path) for _, path in outputs.files()}
        tasks.append(Task(case, outputs, tuple(sorted(path for path in rivals if path)), recipe))
    return tasks


def run_tasks(tasks: Sequence[Task], client: Client, progress: Progress) -> Iterator[tuple[int, Ended]]:
    """Run the tasks on a cluster's workers; one that fails stops no other.

    Two clients that run one cohort on one scheduler give a task the same key, so that it runs once, for both.

    Args:
        tasks: of a cohort.
        client: of the cluster.
        progress: asked whether to stop; then the tasks are given up.

    Yields:
        The number of each task, from 0, and what became of it, as they end: ``done``, ``skipped`` or ``failed``.

    Raises:
        CancelledError: the run was cancelled.
        BadInputError: a worker cannot run any case, or writes where nobody sees it.
        ModelError: a worker's model is missing, damaged, or another one.
        SeruError: the scheduler is gone.
    """
    submitter = _Submitter(client, tasks, progress)
    before = [_written(task) for task in tasks]
    again: list[tuple[int, Ended]] = []
    try:
        for number, ended in submitter.results(range(len(tasks))):
            if ended.may_succeed:
                again.append((number, ended))
            else:
                yield number, _of_this_run(tasks[number], before[number], ended)
        for number, first in again:
            yield number, _of_this_run(tasks[number], before[number], _again(submitter, number, first))
    except (OSError, ClosedClientError) as error:
        raise submitter.gone() from error


def _written(task: Task) -> tuple[int, int, int] | None:
    """What changes where a case's report is written anew; None where there is none."""
    with suppress(OSError):
        if task.outputs.report is not None:
            facts = task.outputs.report.stat()
            return facts.st_ino, facts.st_mtime_ns, facts.st_size
    return None


def _of_this_run(task: Task, before: tuple[int, int, int] | None, ended: Ended) -> Ended:
    """Return what became of a task; a worker that died may have written just before what the next try then skipped."""
    return replace(ended, status="done") if ended.status == "skipped" and _written(task) != before else ended


def _again(submitter: _Submitter, number: int, first: Ended) -> Ended:
    """Run a task again, alone; what a worker died of may not have begun before, and has another try of its own."""
    ended = first
    for _ in range(2 if first.killed else 1):
        before = ended
        ((_, ended),) = submitter.results([number], before)
        if not ended.may_succeed:
            return ended
    return replace(ended, error=_of_both(before, ended))


class _Submitter:
    """Gives tasks to the cluster, and takes what becomes of them."""

    def __init__(self, client: Client, tasks: Sequence[Task], progress: Progress) -> None:
        self._client = client
        self._tasks = tasks
        self._progress = progress
        self._address = client.scheduler.address if client.scheduler else "?"
        self._tries = itertools.count(1)
        self._sharing: set[str | None] = set()

    def results(self, numbers: Sequence[int], first: Ended | None = None) -> Iterator[tuple[int, Ended]]:
        """Yield tasks' numbers and what became of them, as they end.

        Args:
            numbers: of the tasks to run.
            first: how another try ended; it was on a worker that is avoided now where there are others.
        """
        ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        futures = {number: self._submit(self._tasks[number], first) for number in numbers}
        for number, future in futures.items():
            _tell_of(future, number, ended)
        try:
            while futures:
                number = self._next(ended)
                result = self._result(futures[number])
                if result is None:
                    _tell_of(futures[number], number, ended)
                    continue
                del futures[number]
                self._check_shared(self._tasks[number], result)
                yield number, result
        finally:
            with suppress(Exception):  # the scheduler may be gone, and with it all tasks
                self._client.cancel(list(futures.values()))

    def _submit(self, task: Task, first: Ended | None) -> Future:
        # Dask would answer for a key that it still knows as it did before.
        again = f"-again-{next(self._tries)}" if first else ""
        others = [worker for worker in workers_of(self._client) if worker != first.worker] if first else []
        return self._client.submit(
            run_task,
            task,
            key=(f"seru-{_digest(task.recipe)}", f"{_digest(task)}{again}"),
            workers=others or None,
            allow_other_workers=bool(others),
            pure=False,
        )

    def _next(self, ended: queue.SimpleQueue[int]) -> int:
        """Wait for a task to end."""
        while True:
            self._progress.check_cancelled()
            with suppress(queue.Empty):
                return ended.get(timeout=_LOOK_S)
            if self._client.status != "running":
                raise self.gone()

    def _result(self, future: Future) -> Ended | None:
        """Return what became of a task; None where its worker died with that, and Dask has it run again."""
        if future.status == "error":
            return _of_error(future.exception())
        if future.status == "cancelled":
            raise self.gone()
        try:
            result: Ended = future.result(timeout=_GATHER_S)
        except TimeoutError:
            return None
        except CancelledError as error:
            raise self.gone() from error
        except Exception as error:  # its worker has died since, for the last time
            return _of_error(error)
        if result.status == "hopeless":
            raise _CODES.get(result.code, SeruError)(result.error)
        if result.status == "cancelled":  # by another client that shared it
            return replace(result, status="failed", error="Its run was cancelled by another client.", may_succeed=True)
        return result

    def _check_shared(self, task: Task, ended: Ended) -> None:
        """Check, once for each worker, that its results are to be seen from here: its folder may be another one."""
        if ended.status not in ("done", "skipped") or ended.worker in self._sharing:
            return
        deadline = time.monotonic() + _SEEN_S
        while hidden := [path for path in task.outputs.places() if not _is_seen(path)]:
            if time.monotonic() > deadline:
                raise BadInputError(
                    f"What the worker {ended.worker} wrote to '{hidden[0]}' is not to be seen here; all computers must "
                    "share that folder under the same path."
                )
            self._progress.check_cancelled()
            time.sleep(_LOOK_S)
        self._sharing.add(ended.worker)

    def gone(self) -> SeruError:
        """Return the error of a scheduler that is there no more."""
        return SeruError(
            f"The Dask scheduler at '{self._address}' is gone; the cases that were finished are kept, and the same "
            "command goes on with the others once it is back."
        )


def _is_seen(path: Path) -> bool:
    # A share that keeps what it knew for a while looks again where a folder is listed.
    return path.exists() or (path.parent.is_dir() and path.name in os.listdir(path.parent))


def _tell_of(future: Future, number: int, ended: queue.SimpleQueue[int]) -> None:
    future.add_done_callback(lambda _: ended.put(number))


def _digest(record: Recipe | Task) -> str:
    """Return what two records that are equal have in common, in any process."""
    return hashlib.sha256(repr(record).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _of_error(error: BaseException) -> Ended:
    if isinstance(error, KilledWorker):
        sentence = "The worker process that ran it ended."
        return Ended("failed", error=sentence, may_succeed=True, worker=error.last_worker.address, killed=True)
    text = " ".join(str(error).split())
    return Ended("failed", error=f"{type(error).__name__}: {text}", may_succeed=True)


def _of_both(first: Ended, second: Ended) -> str:
    if first.error == second.error:
        return f"{second.error.rstrip('.')} (tried twice)."
    return f"{second.error.rstrip('.')}; before that: {first.error}"
