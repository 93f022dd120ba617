"""slicer.util's functions that need the application, on the headless desktop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop

__all__ = ["slicer_desktop"]

pytestmark = pytest.mark.drawn


@pytest.fixture
def volume(slicer_desktop: Desktop) -> Any:
    """Give a volume of random labels 0 to 3."""
    labels = np.random.default_rng(0).integers(0, 4, (6, 8, 10)).astype(np.int16)
    return slicer_desktop.add_volume(labels, np.diag([-1, -1, 2, 1.0]), "CT")


def test_node_is_exported_and_its_own_file_stays(volume: Any, tmp_path: Path) -> None:
    import slicer

    assert slicer.util.exportNode(volume, str(tmp_path / "ct.nii.gz"))

    assert (tmp_path / "ct.nii.gz").stat().st_size > 0
    assert volume.GetStorageNode() is None
    again = slicer.util.loadVolume(str(tmp_path / "ct.nii.gz"), {"name": "again"})
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(again), slicer.util.arrayFromVolume(volume))


def test_labels_come_as_label_map_and_as_segmentation(volume: Any, tmp_path: Path) -> None:
    import slicer

    slicer.util.saveNode(volume, str(tmp_path / "labels.nrrd"))

    labels = slicer.util.loadLabelVolume(str(tmp_path / "labels.nrrd"))
    segmentation = slicer.util.loadSegmentation(str(tmp_path / "labels.nrrd"))
    slicer.util.saveNode(segmentation, str(tmp_path / "labels.seg.nrrd"))
    again = slicer.util.loadSegmentation(str(tmp_path / "labels.seg.nrrd"))

    assert labels.GetClassName() == "vtkMRMLLabelMapVolumeNode"
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 3
    assert again.GetSegmentation().GetNumberOfSegments() == 3


@pytest.mark.parametrize(("answer", "expected"), [("OK", True), ("Cancel", False), ("close", False)])
def test_ok_cancel_is_answered(slicer_desktop: Desktop, answer: str, expected: bool) -> None:
    import slicer

    slicer_desktop.dialogs.answer(answer)

    assert slicer.util.confirmOkCancelDisplay("Really?") is expected


def test_displays_are_recorded(slicer_desktop: Desktop) -> None:
    import slicer

    slicer.util.infoDisplay("for your information")
    slicer.util.warningDisplay("careful")
    slicer.util.errorDisplay("broken", detailedText="where")

    shown = [(dialog.text, dialog.details) for dialog in slicer_desktop.dialogs.shown]
    assert shown == [("for your information", ""), ("careful", ""), ("broken", "where")]


def test_console_process_tells_its_lines_and_its_end(slicer_desktop: Desktop) -> None:
    import slicer

    got: list[Any] = []
    slicer.util.launchConsoleProcess(
        [sys.executable, "-c", "print('line'); raise SystemExit(4)"],
        blocking=False,
        logCallback=got.append,
        completedCallback=got.append,
    )
    slicer_desktop.wait_until(lambda: 4 in got)

    assert got == ["line", 4]


def test_rendering_waits_while_it_is_blocked(slicer_desktop: Desktop, volume: Any) -> None:
    import slicer

    view = slicer_desktop.slice_view("Red")
    slicer_desktop.process_events(0.05)
    before = view.renderCount()

    with slicer.util.RenderBlocker():
        view.mrmlSliceNode().SetSliceOffset(3)
        slicer_desktop.process_events(0.05)
        assert view.renderCount() == before
    slicer_desktop.process_events(0.05)

    assert view.renderCount() > before


def test_slicers_own_drag_helper_turns_the_view(slicer_desktop: Desktop, volume: Any) -> None:
    import slicer

    view = slicer_desktop.three_d_view()
    before = np.array(view.cameraNode().GetPosition())

    slicer.util.clickAndDrag(view, start=(50, 50), end=(120, 90))

    assert np.linalg.norm(np.array(view.cameraNode().GetPosition()) - before) > 5


def test_window_status_and_modules_are_found(slicer_desktop: Desktop) -> None:
    import slicer

    assert slicer.util.mainWindow() is slicer_desktop.window
    assert slicer.util.showStatusMessage("busy")
    assert slicer.util.getModuleLogic("Volumes") is slicer_desktop.logics["Volumes"]
    with pytest.raises(RuntimeError, match="Nonsense"):
        slicer.util.getModule("Nonsense")


def test_table_view_shows_and_writes_its_node(slicer_desktop: Desktop) -> None:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Table")
    slicer.util.updateTableFromArray(node, [np.arange(3.0), np.arange(3.0) * 2], ["a", "b"])
    view = slicer.qMRMLTableView()
    view.setMRMLTableNode(node)

    view.item(1, 1).setText("7")

    assert (view.rowCount, view.columnCount) == (3, 2)
    assert view.horizontalHeaderItem(1).text() == "b"
    assert float(node.GetCellText(1, 1)) == 7.0
    view.setMRMLTableNode(None)
    assert view.rowCount == 0


def test_layout_with_a_table_view_shows_it(slicer_desktop: Desktop, volume: Any) -> None:
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "Table")
    slicer.util.updateTableFromArray(node, [np.arange(4.0)], ["a"])

    slicer.app.applicationLogic().GetSelectionNode().SetActiveTableID(node.GetID())
    slicer.app.applicationLogic().PropagateTableSelection()

    assert manager.tableViewCount == 1
    assert manager.tableWidget(0).tableView().rowCount == 4
    assert manager.tableWidget(0).isVisible()


def test_slider_keeps_more_than_its_decimals_and_stays_in_its_range(slicer_desktop: Desktop) -> None:
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum, slider.singleStep, slider.decimals = 0.0, 1.0, 0.1, 2
    told: list[float] = []
    slider.connect("valueChanged(double)", told.append)

    slider.value = 0.437
    slider.value = 0.437
    slider.value = 5

    assert told == pytest.approx([0.437, 1.0])
    assert slider.value == pytest.approx(1.0)


@pytest.mark.parametrize("tracking", [True, False])
def test_slider_tells_that_it_is_changing_only_without_tracking(slicer_desktop: Desktop, tracking: bool) -> None:
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.tracking = tracking
    told: list[tuple[str, float]] = []
    slider.connect("valueIsChanging(double)", lambda value: told.append(("is changing", value)))
    slider.connect("valueChanged(double)", lambda value: told.append(("changed", value)))

    slider.value = 3.0
    slider.slider().sliderPressed.emit()
    slider.slider().setValue(5.0)
    slider.slider().setValue(7.0)
    held = slider.value
    slider.slider().sliderReleased.emit()

    if tracking:
        assert (told, held) == ([("changed", value) for value in (3.0, 5.0, 7.0)], 7.0)
    else:
        moving = [("is changing", 5.0), ("is changing", 7.0)]
        assert (told, held) == ([("is changing", 3.0), ("changed", 3.0), *moving, ("changed", 7.0)], 3.0)


@pytest.mark.parametrize(("gone", "chosen"), [(0, "b"), (1, "c"), (2, "b")])
def test_node_selector_takes_the_next_node_when_the_current_goes_else_the_last(
    slicer_desktop: Desktop, gone: int, chosen: str
) -> None:
    import slicer

    combo = slicer.qMRMLNodeComboBox()
    combo.nodeTypes, combo.noneEnabled = ["vtkMRMLTableNode"], True
    combo.setMRMLScene(slicer.mrmlScene)
    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name) for name in "abc"]
    combo.setCurrentNode(nodes[gone])

    slicer.mrmlScene.RemoveNode(nodes[gone])

    assert combo.currentNode().GetName() == chosen
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)
    assert combo.currentNode() is None
