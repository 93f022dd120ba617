"""The panel of a checkout of a release, whose model has yet to be fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module
from Testing.module.scene_tools import small_phantom
from Testing.release_by_hand import ID, RESOURCES, project, release, server
from tools.release.make import Release

__all__ = ["project", "release", "server", "slicer_desktop"]

pytestmark = pytest.mark.slow

FETCHED_S = 60


def test_the_panel_asks_once_for_the_download_and_then_segments(
    slicer_desktop: Desktop, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("SERUSegmentationLib.run.process._MODULE_FOLDER", release.tree / "SERUSegmentation")
    for user in ("seru.model.store", "seru.model.registry", "SERUSegmentationLib.panel.choices"):
        monkeypatch.setattr(f"{user}.resources_folder", lambda: release.tree / RESOURCES)
    panel = open_module(slicer_desktop, phantom=small_phantom())
    assert panel.ui.segmentButton.enabled
    slicer_desktop.dialogs.answer("No")
    click(panel.ui.segmentButton)
    assert panel.ui.statusLabel.text == "The model was not fetched; click Segment to be asked again."
    slicer_desktop.dialogs.shown.clear()

    slicer_desktop.dialogs.answer("Yes")
    click(panel.ui.segmentButton)
    assert panel.ui.statusLabel.text.endswith("the run starts afterwards.")
    assert "The model is being fetched." in panel.ui.segmentButton.toolTip
    slicer_desktop.wait_until(lambda: panel.logic.isRunning, FETCHED_S)

    (asked,) = slicer_desktop.dialogs.shown
    assert "shall it be downloaded now?" in asked.text
    assert "Licence of the weights: CC-BY-NC-SA-4.0" in asked.text
    assert "Section 3 \u2013 License Conditions." in asked.details
    assert (tmp_path / "SERU" / "models" / ID / "refine.safetensors").is_file()
    assert len(slicer_desktop.dialogs.shown) == 1
    panel.logic.abort()
