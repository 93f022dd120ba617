"""Crop boxes that are moved by their handles: the side is refined anew, and equals a whole run with that box."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom, PhantomOptions, make_phantom
from Testing.desktop import Desktop, click, drag
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import labels_of, open_module

__all__ = ["slicer_desktop"]

# Only against hanging.
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    """As narrow as is segmented, but wider than the tiny model's crop."""
    return make_phantom(PhantomOptions(shape_kji=(48, 128, 128), spacing_kji_mm=(6.0, 3.0, 3.0)))


@pytest.fixture
def panel(slicer_desktop: Desktop, tiny_model: Path, phantom: Phantom) -> Any:
    """A result, its boxes with handles and its left key slice in view."""
    panel = open_module(slicer_desktop, tiny_model, phantom)
    click(panel.ui.segmentButton)
    settle(slicer_desktop, panel)
    panel.ui.keySlicesCollapsibleButton.collapsed = False
    slicer_desktop.process_events()
    panel.ui.moveBoxesCheckBox.click()
    click(panel.ui.leftJumpButton)
    return panel


def settle(desktop: Desktop, panel: Any) -> None:
    desktop.wait_until(lambda: not panel.logic.isRunning, TIMEOUT_S)
    desktop.process_events()


def roi_of(panel: Any) -> Any:
    from SERUSegmentationLib.scene.box_handles import cropBoxes

    return cropBoxes(panel.parts.controller.segmentationNode)["left"]


def drag_box(desktop: Desktop, panel: Any, by: tuple[int, int]) -> None:
    """Drag the left box by the handle in its middle, in pixels of the axial view."""
    import slicer

    view = desktop.slice_view("Red")
    centre = roi_of(panel).GetCenterWorld()
    xy_to_ras = slicer.util.arrayFromVTKMatrix(view.mrmlSliceNode().GetXYToRAS())
    x, y = (np.linalg.inv(xy_to_ras) @ [*centre, 1.0])[:2]
    start = round(x), round(view.height - 1 - y)
    desktop.process_events(0.1)
    drag(view, start, (start[0] + by[0], start[1] + by[1]))


def crop_of(panel: Any) -> Any:
    return panel.parts.controller.report.left.crop


def test_a_dragged_box_refines_its_side_as_a_whole_run_with_it_would(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom, tiny_model: Path, tmp_path: Path
) -> None:
    import slicer

    from seru.io.images import read_volume, write_volume

    node, volume, first = panel.ui.outputSelector.currentNode(), slicer.util.getNode("CT"), crop_of(panel)
    labels, pid = labels_of(node, volume), panel.logic.worker.pid
    right = panel.parts.controller.report.right.crop

    drag_box(slicer_desktop, panel, (0, 0))
    assert not panel.logic.isRunning

    drag_box(slicer_desktop, panel, (-24, -16))
    assert panel.logic.isRunning
    settle(slicer_desktop, panel)

    moved = crop_of(panel)
    assert moved.ijk_min != first.ijk_min
    assert panel.logic.worker.pid == pid
    assert panel.parts.controller.report.right.crop == right
    box = panel.parts.boxes.boxes[0]
    write_volume(phantom.volume, tmp_path / "ct.nrrd")
    command = [sys.executable, "-m", "seru", "segment", str(tmp_path / "ct.nrrd"), "-o", str(tmp_path / "out.nrrd")]
    subprocess.run([*command, "--model", str(tiny_model), "--box", str(box), "--progress", "none"], check=True)
    assert np.array_equal(labels_of(node, volume), read_volume(tmp_path / "out.nrrd").array_kji)

    click(panel.ui.undoBoxesButton)
    settle(slicer_desktop, panel)

    assert crop_of(panel) == first
    assert np.array_equal(labels_of(node, volume), labels)
    assert not panel.ui.undoBoxesButton.enabled


def test_what_was_drawn_stays_and_a_worker_that_has_gone_reads_the_ct_anew(slicer_desktop: Desktop, panel: Any) -> None:
    import slicer

    node, volume, first = panel.ui.outputSelector.currentNode(), slicer.util.getNode("CT"), crop_of(panel)
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName("Kidney")
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    rubbed = tuple(np.argwhere(drawn)[0])
    drawn[rubbed] = 0
    drawn[1:3, 1:9, 1:9] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, volume)
    before = labels_of(node, volume)
    os.kill(panel.logic.worker.pid, signal.SIGKILL)
    slicer_desktop.wait_until(lambda: panel.logic.worker.poll() is not None, TIMEOUT_S)

    drag_box(slicer_desktop, panel, (-24, -16))
    settle(slicer_desktop, panel)

    now = labels_of(node, volume)
    assert crop_of(panel) != first
    assert now[rubbed] == 0
    assert (now[1:3, 1:9, 1:9] == 1).all()
    assert panel.parts.controller.isEdited()
    click(panel.ui.resetBoxesButton)
    settle(slicer_desktop, panel)
    assert crop_of(panel) == first
    assert np.array_equal(labels_of(node, volume), before)


def test_a_refinement_is_given_up_for_the_next_one_by_cancel_and_by_closing_the_scene(
    slicer_desktop: Desktop, panel: Any
) -> None:
    roi, first = roi_of(panel), crop_of(panel)
    centre = list(roi.GetCenterWorld())
    drag_box(slicer_desktop, panel, (-24, -16))

    click(panel.ui.segmentButton)
    settle(slicer_desktop, panel)

    assert panel.ui.statusLabel.text == "The run was cancelled; nothing was written."
    assert list(roi.GetCenterWorld()) == pytest.approx(centre)
    assert crop_of(panel) == first
    drag_box(slicer_desktop, panel, (-12, -8))
    drag_box(slicer_desktop, panel, (-12, -8))
    wanted = list(roi.GetCenterWorld())
    settle(slicer_desktop, panel)
    spacing_mm = 3.0
    assert np.abs(np.array(roi.GetCenterWorld()) - wanted).max() <= spacing_mm
    assert np.abs(np.array(crop_of(panel).centre_ras) - wanted).max() <= spacing_mm

    drag_box(slicer_desktop, panel, (-8, 0))
    slicer_desktop.close_scene()

    assert not panel.logic.isRunning
    assert "The scene was closed during the run" in panel.ui.statusLabel.text
