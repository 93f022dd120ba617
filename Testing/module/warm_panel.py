"""The panel with a process that is warm already: most of a short run's time is its process's start.

It stops half way where a test wants to meet it there: however busy the machine, the test is never too late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from seru.phantom import Phantom, PhantomOptions, make_phantom
from Testing import halting
from Testing.desktop import Desktop
from Testing.module.module_tools import open_module

# Only against hanging.
TIMEOUT_S = 300


def small_scan(**options: Any) -> Phantom:
    """Return a phantom as narrow as is segmented, but wider than the tiny model's crop."""
    return make_phantom(PhantomOptions(shape_kji=(48, 128, 128), spacing_kji_mm=(6.0, 3.0, 3.0), **options))


@pytest.fixture(scope="session")
def small() -> Phantom:
    return small_scan()


@pytest.fixture(scope="session")
def shared_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Works for one test after the other; a CT that it had last is not run again unless it is released."""
    pytest.importorskip("slicer")
    worker = halting_worker(tmp_path_factory.mktemp("halt"))
    yield worker
    worker.close()


def halting_worker(folder: Path) -> Any:
    """Return a worker for :func:`halted`; what its process is told is in a folder."""
    from SERUSegmentationLib.run import worker as worker_module
    from SERUSegmentationLib.run.process import ChildProcess
    from SERUSegmentationLib.run.worker import Worker

    class HaltingChild(ChildProcess):
        @property
        def command(self) -> list[str]:
            python, _, *arguments = super().command
            return [python, halting.__file__, str(worker.halt), *arguments]

    class HaltingWorker(Worker):
        halt = folder / "stage"

        def start(self, *arguments: Any) -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(worker_module, "ChildProcess", HaltingChild)
                super().start(*arguments)

    worker = HaltingWorker()
    return worker


def halted(panel: Any, stage: str = "refine") -> AbstractContextManager[None]:
    """Meanwhile runs of the panel stop in a stage."""
    return halting.halted(panel.logic.worker.halt, stage)


@pytest.fixture
def warm(slicer_desktop: Desktop, tiny_model: Path, shared_worker: Any) -> Iterator[Any]:
    """The opened module without a CT; its runs go to the shared worker, which outlives it."""
    panel = open_module(slicer_desktop, tiny_model)
    own, panel.logic.worker = panel.logic.worker, shared_worker
    yield panel
    if shared_worker.isBusy:
        shared_worker.close()
    shared_worker.forget()
    panel.logic.worker = own


@pytest.fixture
def panel(slicer_desktop: Desktop, warm: Any, small: Phantom) -> Any:
    """The opened module with a small phantom as ``CT``."""
    add_ct(slicer_desktop, small)
    return warm


def add_ct(desktop: Desktop, phantom: Phantom, name: str = "CT") -> Any:
    """Add a phantom's image to the scene, as after loading a file; the panel chooses the first one."""
    node = desktop.add_volume(phantom.volume.array_kji, phantom.volume.grid.ijk_to_ras, name)
    desktop.process_events()
    return node


def wait_for(desktop: Desktop, panel: Any) -> None:
    """Wait for the end of a run."""
    desktop.wait_until(lambda: not panel.logic.isRunning, TIMEOUT_S)
    desktop.process_events()
