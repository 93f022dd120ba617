"""The panel over a phantom, with a result: fixtures that ask the test file for its ``phantom`` and ``maps_file``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seru.phantom import Phantom
from Testing.desktop import Desktop
from Testing.module.module_tools import open_module, show_result


@pytest.fixture
def panel(slicer_desktop: Desktop, phantom: Phantom) -> Any:
    """The opened module, the phantom its CT."""
    return open_module(slicer_desktop, phantom=phantom)


@pytest.fixture
def node(slicer_desktop: Desktop, panel: Any, maps_file: Path) -> Any:
    """The segmentation of a run that wrote these maps."""
    return show_result(slicer_desktop, panel, maps_file)


def ct() -> Any:
    """Return the phantom's volume node."""
    import slicer

    return slicer.util.getNode("CT")
