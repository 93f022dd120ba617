"""The panel with a process that is warm already: most of a short run's time is its process's start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seru.phantom import Phantom, PhantomOptions, make_phantom
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
def shared_worker() -> Iterator[Any]:
    """Works for one test after the other; a CT that it had last is not run again unless it is released."""
    pytest.importorskip("slicer")
    from SERUSegmentationLib.run.worker import Worker

    worker = Worker()
    yield worker
    worker.close()


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
