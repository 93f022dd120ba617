"""Crop boxes that are moved by their handles: the side is refined anew, and equals a whole run with that box."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.desktop import Desktop, click, drag
from Testing.desktop.pytest_fixtures import WINDOW_SIZE, slicer_desktop
from Testing.module.module_tools import labels_of, turn
from Testing.module.warm_panel import (
    TIMEOUT_S,
    add_ct,
    halted,
    panel,
    shared_worker,
    small,
    small_scan,
    wait_for,
    warm,
)

__all__ = ["panel", "shared_worker", "slicer_desktop", "small", "warm"]

pytestmark = pytest.mark.drawn

SPACING_MM = 3.0


@pytest.fixture
def large(slicer_desktop: Desktop) -> Iterator[Desktop]:
    """The desktop in a window that has room for a handle and what it is dragged to."""
    slicer_desktop.window.resize(1280, 800)
    yield slicer_desktop
    slicer_desktop.window.resize(*WINDOW_SIZE)


@pytest.fixture
def boxed(large: Desktop, panel: Any) -> Any:
    """The panel with a result, its boxes with handles and its left key slice in view."""
    segment(large, panel)
    show_handles(large, panel)
    return panel


def segment(desktop: Desktop, panel: Any) -> None:
    click(panel.ui.segmentButton)
    wait_for(desktop, panel)


def show_handles(desktop: Desktop, panel: Any) -> None:
    panel.ui.keySlicesCollapsibleButton.collapsed = False
    desktop.process_events()
    if not panel.ui.moveBoxesCheckBox.checked:
        panel.ui.moveBoxesCheckBox.click()
    click(panel.ui.leftJumpButton)


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


def wait_for_slices(desktop: Desktop, panel: Any) -> None:
    desktop.wait_until(lambda: panel.parts.controller.result.showsParts, TIMEOUT_S)


def rows_with_progress(panel: Any) -> list[str]:
    return [side for side in ("right", "left") if getattr(panel.ui, f"{side}ProgressBar").visible]


def crop_of(panel: Any) -> Any:
    return panel.parts.controller.report.left.crop


def shown(panel: Any) -> np.ndarray:
    """The labels that the scene shows of the chosen result."""
    return labels_of(panel.ui.outputSelector.currentNode(), panel.ui.inputSelector.currentNode())


def whole_run(panel: Any, model: Path) -> np.ndarray:
    """The labels of a run from the start with the boxes of the chosen result."""
    from SERUSegmentationLib.run.segmentation import RunSettings, SegmentationRun

    worker, volume = panel.logic.worker, panel.ui.inputSelector.currentNode()
    worker.release()
    settings = RunSettings(model=str(model), boxes=panel.parts.boxes.boxes)
    run = SegmentationRun(volume, settings=settings, worker=worker)
    run.start()
    run.wait()
    return labels_of(run.finish().segmentationNode, volume)


def test_a_dragged_box_of_a_turned_ct_refines_its_side_as_a_whole_run_with_it_would(
    slicer_desktop: Desktop, panel: Any, tiny_model: Path
) -> None:
    turn(slicer_desktop, panel.ui.inputSelector.currentNode())
    segment(slicer_desktop, panel)
    show_handles(slicer_desktop, panel)
    first, labels, pid = crop_of(panel), shown(panel), panel.logic.worker.pid
    right = panel.parts.controller.report.right.crop

    drag_box(slicer_desktop, panel, (0, 0))
    assert not panel.logic.isRunning

    with halted(panel):
        drag_box(slicer_desktop, panel, (-24, -16))
        assert panel.logic.isRunning
    wait_for(slicer_desktop, panel)

    moved = shown(panel)
    assert crop_of(panel).ijk_min != first.ijk_min
    assert panel.logic.worker.pid == pid
    assert panel.parts.controller.report.right.crop == right
    click(panel.ui.undoBoxesButton)
    wait_for(slicer_desktop, panel)
    assert crop_of(panel) == first
    assert np.array_equal(shown(panel), labels)

    # Undoing it was a step back, and there is none before it.
    assert not panel.ui.undoBoxesButton.enabled
    drag_box(slicer_desktop, panel, (-24, -16))
    wait_for(slicer_desktop, panel)
    assert np.array_equal(shown(panel), moved)
    assert np.array_equal(whole_run(panel, tiny_model), moved)


def test_what_was_drawn_stays_and_a_worker_that_was_killed_reads_the_ct_anew(
    slicer_desktop: Desktop, boxed: Any
) -> None:
    import slicer

    node, volume, first = boxed.ui.outputSelector.currentNode(), slicer.util.getNode("CT"), crop_of(boxed)
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName("Kidney")
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    rubbed = tuple(np.argwhere(drawn)[0])
    drawn[rubbed] = 0
    drawn[1:3, 1:9, 1:9] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, volume)
    before = labels_of(node, volume)

    with halted(boxed):
        drag_box(slicer_desktop, boxed, (-24, -16))
        wait_for_slices(slicer_desktop, boxed)
        os.kill(boxed.logic.worker.pid, signal.SIGKILL)
        wait_for(slicer_desktop, boxed)
    assert boxed.ui.statusLabel.text == slicer_desktop.dialogs.shown[-1].text
    assert crop_of(boxed) == first
    assert np.array_equal(labels_of(node, volume), before)

    drag_box(slicer_desktop, boxed, (-24, -16))
    wait_for(slicer_desktop, boxed)

    now = labels_of(node, volume)
    assert crop_of(boxed) != first
    assert now[rubbed] == 0
    assert (now[1:3, 1:9, 1:9] == 1).all()
    assert boxed.parts.controller.isEdited()
    os.kill(boxed.logic.worker.pid, signal.SIGKILL)
    slicer_desktop.wait_until(lambda: boxed.logic.worker.poll() is not None, TIMEOUT_S)
    click(boxed.ui.resetBoxesButton)
    wait_for(slicer_desktop, boxed)
    assert crop_of(boxed) == first
    assert np.array_equal(labels_of(node, volume), before)


def test_a_refinement_is_given_up_for_the_next_one_by_cancel_and_by_closing_the_scene(
    slicer_desktop: Desktop, boxed: Any
) -> None:
    roi, first, labels = roi_of(boxed), crop_of(boxed), shown(boxed)
    centre = list(roi.GetCenterWorld())
    with halted(boxed):
        drag_box(slicer_desktop, boxed, (-24, -16))
        wait_for_slices(slicer_desktop, boxed)
        # Slices are shown as they arrive, and how far the side is, in its row alone.
        assert not np.array_equal(shown(boxed), labels)
        assert rows_with_progress(boxed) == ["left"]
        assert not boxed.ui.leftSliceLabel.visible
        assert boxed.ui.leftProgressBar.text in boxed.ui.statusLabel.text
        assert boxed.ui.statusLabel.text.startswith("Left side: Refine stage, slice ")
        click(boxed.ui.segmentButton)
        wait_for(slicer_desktop, boxed)

    assert boxed.ui.statusLabel.text == "The run was cancelled; nothing was written."
    assert list(roi.GetCenterWorld()) == pytest.approx(centre)
    assert crop_of(boxed) == first
    assert np.array_equal(shown(boxed), labels)
    assert not boxed.parts.controller.isEdited()
    assert rows_with_progress(boxed) == []
    assert boxed.ui.leftSliceLabel.visible
    with halted(boxed):
        drag_box(slicer_desktop, boxed, (-12, -8))
        drag_box(slicer_desktop, boxed, (-12, -8))
    wanted = list(roi.GetCenterWorld())
    wait_for(slicer_desktop, boxed)
    assert np.abs(np.array(roi.GetCenterWorld()) - wanted).max() <= SPACING_MM
    assert np.abs(np.array(crop_of(boxed).centre_ras) - wanted).max() <= SPACING_MM

    with halted(boxed):
        drag_box(slicer_desktop, boxed, (-8, 0))
        slicer_desktop.close_scene()

    assert not boxed.logic.isRunning
    assert "The scene was closed during the run" in boxed.ui.statusLabel.text


def test_a_scene_that_was_saved_and_loaded_keeps_its_boxes_and_refines_again(
    slicer_desktop: Desktop, boxed: Any, tmp_path: Path
) -> None:
    first, labels = crop_of(boxed), shown(boxed)
    drag_box(slicer_desktop, boxed, (-24, -16))
    wait_for(slicer_desktop, boxed)
    moved, moved_labels = crop_of(boxed), shown(boxed)

    slicer_desktop.save_scene(tmp_path / "case.mrb")
    slicer_desktop.close_scene()
    assert boxed.logic.worker.held is None
    slicer_desktop.open_scene(tmp_path / "case.mrb")
    slicer_desktop.process_events()

    assert crop_of(boxed) == moved
    assert boxed.ui.moveBoxesCheckBox.checked
    click(boxed.ui.undoBoxesButton)
    wait_for(slicer_desktop, boxed)
    assert crop_of(boxed) == first
    assert np.array_equal(shown(boxed), labels)
    assert not boxed.ui.undoBoxesButton.enabled
    drag_box(slicer_desktop, boxed, (-24, -16))
    wait_for(slicer_desktop, boxed)
    assert np.array_equal(shown(boxed), moved_labels)
    click(boxed.ui.resetBoxesButton)
    wait_for(slicer_desktop, boxed)
    assert crop_of(boxed) == first


def test_boxes_of_two_cts_in_turn_are_refined_each_in_its_own(slicer_desktop: Desktop, boxed: Any) -> None:
    first_ct, first, labels = boxed.ui.inputSelector.currentNode(), crop_of(boxed), shown(boxed)
    other_ct = add_ct(slicer_desktop, small_scan(seed=5), "other")
    boxed.ui.inputSelector.setCurrentNode(other_ct)
    boxed._parameterNode.crop = "paper"
    segment(slicer_desktop, boxed)
    other_labels = shown(boxed)
    show_handles(slicer_desktop, boxed)
    display = roi_of(boxed).GetDisplayNode()
    assert display.GetTranslationHandleVisibility()
    assert not display.GetScaleHandleVisibility()
    assert display.GetPointLabelsVisibility()
    assert roi_of(boxed).GetNthControlPointLabel(0) == "Left"

    with halted(boxed):
        drag_box(slicer_desktop, boxed, (-24, -16))
        # It goes on while another CT is looked at.
        boxed.ui.inputSelector.setCurrentNode(first_ct)
        slicer_desktop.process_events(0.15)
        assert rows_with_progress(boxed) == []
    wait_for(slicer_desktop, boxed)
    assert boxed.ui.statusLabel.text.startswith("'other': Left side: Done in")
    assert crop_of(boxed) == first
    assert np.array_equal(shown(boxed), labels)
    assert not boxed.ui.undoBoxesButton.enabled
    show_handles(slicer_desktop, boxed)
    assert roi_of(boxed).GetDisplayNode().GetScaleHandleVisibility()
    drag_box(slicer_desktop, boxed, (-12, -8))
    wait_for(slicer_desktop, boxed)
    assert crop_of(boxed) != first

    boxed.ui.inputSelector.setCurrentNode(other_ct)
    assert not np.array_equal(shown(boxed), other_labels)
    click(boxed.ui.undoBoxesButton)
    wait_for(slicer_desktop, boxed)
    assert np.array_equal(shown(boxed), other_labels)


def test_boxes_go_back_where_the_ct_is_deleted_while_a_side_refines(slicer_desktop: Desktop, boxed: Any) -> None:
    roi = roi_of(boxed)
    centre = list(roi.GetCenterWorld())
    with halted(boxed):
        drag_box(slicer_desktop, boxed, (-24, -16))
        assert boxed.logic.isRunning

        slicer_desktop.scene.RemoveNode(boxed.ui.inputSelector.currentNode())
        wait_for(slicer_desktop, boxed)

    assert "The volume was deleted during the run" in boxed.ui.statusLabel.text
    assert list(roi.GetCenterWorld()) == pytest.approx(centre)
    # Nothing can be refined without it, and nothing is kept of it.
    assert roi.GetLocked()
    for widget in (boxed.ui.moveBoxesCheckBox, boxed.ui.undoBoxesButton, boxed.ui.resetBoxesButton):
        assert not widget.enabled
    assert boxed.logic.worker.held is None
    assert not (boxed.logic.worker.folder / "input.nrrd").exists()
