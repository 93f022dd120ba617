"""A case as a Dask task: what a worker process does, with networks that it loads once."""

from __future__ import annotations

import importlib.metadata
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from distributed import Status, get_worker

from seru.cohort.discovery import Case
from seru.cohort.local import failure_sentence, run_case
from seru.cohort.outputs import Outputs
from seru.errors import BadInputError, CancelledError, MissingPackageError, ModelError, SeruError
from seru.findings import Report
from seru.io.inputs import Inputs
from seru.options import SegmentOptions
from seru.progress import Progress

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter


@dataclass(frozen=True)
class Recipe:
    """How each case of a cohort is run.

    Attributes:
        model: id or folder.
        checksums: of the weights that the client knows.
        options: how to run.
        version: of the program.
        folders: that every worker must see.
        gpus: that the workers, who are numbered, share; 0 where each has its own.
    """

    model: str
    checksums: dict[str, str]
    options: SegmentOptions
    version: str
    folders: tuple[Path, ...] = ()
    gpus: int = 0

    def pinned(self, worker: object) -> SegmentOptions:
        """Return the options on the one device that a worker keeps to.

        Args:
            worker: its name; a local cluster's are numbers.
        """
        if self.gpus > 1 and isinstance(worker, int) and self.options.device in ("auto", "cuda"):
            return replace(self.options, device=f"cuda:{worker % self.gpus}")
        return self.options


@dataclass(frozen=True)
class Task:
    """A case to be run.

    Attributes:
        case: its path is the same on every worker.
        outputs: likewise.
        rivals: CTs whose reading opens what the case would write.
        recipe: of the cohort.
    """

    case: Case
    outputs: Outputs
    rivals: tuple[Path, ...]
    recipe: Recipe


@dataclass(frozen=True)
class Ended:
    """What became of a task.

    Attributes:
        status: of the case; ``cancelled`` where the cluster gave the task up, ``hopeless`` where no case can be run.
        report: where there is one.
        error: the sentence that says why it failed.
        warnings: of the run.
        may_succeed: on another try; what a CT itself is refused for never changes.
        worker: its address, where it is known.
        killed: the worker died with it, of it or of another case.
        code: of the exit, where no case can be run.
    """

    status: Literal["done", "skipped", "failed", "cancelled", "hopeless"]
    report: Report | None = None
    error: str = ""
    warnings: tuple[str, ...] = field(default=())
    may_succeed: bool = False
    worker: str | None = None
    killed: bool = False
    code: int = 1


def run_task(task: Task) -> Ended:
    """Run a case on this worker; the results are in their places when it returns.

    Args:
        task: of the cohort.

    Returns:
        What became of it; nothing that a case raises gets out, so that the cluster never blames its worker.
    """
    worker = get_worker()
    progress = _TaskProgress()
    try:
        with _one_at_a_time:
            segmenter = _ready(task.recipe, worker.name)
            status, report = run_case(task.case, task.outputs, Inputs(task.rivals), segmenter, progress)
    except CancelledError:
        return Ended("cancelled", worker=worker.address)
    except (ModelError, _WorkerError) as error:
        return Ended("hopeless", error=_on(worker.address, error), worker=worker.address, code=error.exit_code)
    except Exception as error:
        may_succeed = not isinstance(error, BadInputError)
        return Ended("failed", error=failure_sentence(error), may_succeed=may_succeed, worker=worker.address)
    return Ended(status, report, warnings=tuple(progress.warnings), worker=worker.address)


# A worker may have several threads; the networks run for one case at a time.
_one_at_a_time = threading.Lock()
_kept: tuple[Recipe, Segmenter] | None = None


def _ready(recipe: Recipe, worker: object) -> Segmenter:
    """Return the networks, which are loaded once for all cases that are run alike."""
    global _kept
    if _kept is None or _kept[0] != recipe:
        _kept = None  # what another cohort's networks hold is free before these are loaded
        _check_worker(recipe)
        import cv2

        from seru.cascade.cascade import Segmenter

        cv2.setNumThreads(1)  # as the command has it; threads of ours prepare the slices
        segmenter = Segmenter.of_model(recipe.model, recipe.pinned(worker))
        if segmenter.model.card.checksums != recipe.checksums:
            raise ModelError(
                f"The model '{recipe.model}' there has other weights than here; give all computers the same."
            )
        _kept = recipe, segmenter
    return _kept[1]


class _WorkerError(SeruError):
    """A worker cannot run any case."""

    exit_code = BadInputError.exit_code


def _check_worker(recipe: Recipe) -> None:
    version = importlib.metadata.version("seru")
    if version != recipe.version:
        raise _WorkerError(f"seru is version {version} there and {recipe.version} here; install the same one.")
    for folder in recipe.folders:
        if not folder.exists():
            raise _WorkerError(f"'{folder}' is not to be seen there; all computers must share it under the same path.")


def _on(address: str, error: Exception) -> str:
    where = "" if isinstance(error, MissingPackageError) else f"On the worker {address}: "
    return f"{where}{error}"


class _TaskProgress(Progress):
    """Keeps warnings, and stops a run whose task the cluster has given up: nobody waits for it any more.

    A task is given up where the client cancels it, or goes; a worker that has lost its scheduler closes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []
        self._worker = get_worker()
        self._key = self._worker.get_current_task()

    def warning(self, message: str) -> None:
        """Keep a warning."""
        self.warnings.append(message)

    def check_cancelled(self) -> None:
        """Stop here where the task was given up."""
        task = self._worker.state.tasks.get(self._key)
        if task is None or task.state == "cancelled" or self._worker.status in (Status.closing, Status.closed):
            self.cancel()
        super().check_cancelled()
