"""The headless desktop: a module's panel under the hand, the views, the scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing import REPOSITORY
from Testing.desktop import Desktop, choose, click, drag, drag_slider, type_text, wheel
from Testing.desktop.dialogs import UnansweredDialogError
from Testing.desktop.pytest_fixtures import slicer_desktop

__all__ = ["slicer_desktop"]

pytestmark = pytest.mark.drawn

EXAMPLE = REPOSITORY / "Testing" / "desktop" / "example" / "DesktopExample.py"
OBLIQUE = np.array([[-2, 0.3, 0, 80], [-0.3, -2, 0, 80], [0, 0, 3, -60], [0, 0, 0, 1]], dtype=float)


def ellipsoid_kji() -> np.ndarray:
    """Return int16 (40, 80, 80): an ellipsoid of 200 in -100."""
    k, j, i = np.mgrid[:40, :80, :80]
    inside = ((k - 20) / 12) ** 2 + ((j - 40) / 25) ** 2 + ((i - 35) / 20) ** 2 < 1
    return np.where(inside, 200, -100).astype(np.int16)


def pixels(image: Any) -> np.ndarray:
    """Return a QImage as uint8 (rows, columns, 3)."""
    image = image.convertToFormat(image.Format.Format_RGB888)
    rows, columns = image.height(), image.width()
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(rows, image.bytesPerLine())
    return flat[:, : 3 * columns].reshape(rows, columns, 3).copy()  # the image goes with this function


@pytest.fixture
def volume(slicer_desktop: Desktop) -> Any:
    """Give the ellipsoid as a volume node on an oblique grid."""
    return slicer_desktop.add_volume(ellipsoid_kji(), OBLIQUE, "CT")


@pytest.fixture
def panel(slicer_desktop: Desktop, volume: Any) -> Any:
    """Give the example module's widget with the volume chosen."""
    return slicer_desktop.load_module(EXAMPLE)


def test_all_four_views_show_something(slicer_desktop: Desktop, panel: Any) -> None:
    click(panel.ui.applyButton)
    panel.ui.outputSelector.currentNode().CreateClosedSurfaceRepresentation()

    spreads = {name: pixels(slicer_desktop.grab_view(name)).std() for name in ("Red", "Green", "Yellow", "3D")}

    assert all(spread > 5 for spread in spreads.values()), spreads


def test_screenshot_holds_panel_and_views(slicer_desktop: Desktop, panel: Any, tmp_path: Path) -> None:
    picture = pixels(slicer_desktop.grab(tmp_path / "window.png"))

    half = slicer_desktop.window.viewport().x
    assert (tmp_path / "window.png").stat().st_size > 10_000
    assert np.median(picture[:, : half - 10]) > 200
    # Red and Green; what is right of them is the 3D view's, too.
    assert np.median(picture[:, half : (half + picture.shape[1]) // 2]) < 200


def test_click_on_apply_makes_the_segment(panel: Any, volume: Any) -> None:
    import slicer

    click(panel.ui.applyButton)

    node = panel.ui.outputSelector.currentNode()
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName("bright")
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    np.testing.assert_array_equal(mask, ellipsoid_kji() > 100)
    assert panel.events[-1] == ("output", node)


def test_slider_dragged_with_the_mouse_writes_the_parameter(panel: Any) -> None:
    drag_slider(panel.ui.alphaSlider, 0.73)

    assert panel._parameterNode.alpha == pytest.approx(0.73)
    assert float(panel._parameterNode.parameterNode.GetParameter("alpha")) == pytest.approx(0.73)
    assert len([e for e in panel.events if e[0] == "alpha"]) > 2


def test_slider_without_tracking_tells_once_at_the_end(panel: Any) -> None:
    panel.ui.alphaSlider.tracking = False

    drag_slider(panel.ui.alphaSlider, 0.9)

    told = [e for e in panel.events if isinstance(e, tuple)]
    assert told[-1] == ("alpha", pytest.approx(0.9))
    assert len(told) <= 3


def test_parameter_set_in_the_node_moves_the_widgets(panel: Any, volume: Any) -> None:
    parameters = panel._parameterNode

    parameters.alpha = 0.25
    parameters.isInverted = True
    parameters.segmentName = "dark"
    parameters.color = type(parameters.color).RED
    parameters.method = "slow"
    parameters.options.iterations = 7

    assert panel.ui.alphaSlider.value == pytest.approx(0.25)
    assert panel.ui.invertCheckBox.checked
    assert panel.ui.segmentNameEdit.text == "dark"
    assert panel.ui.colorComboBox.currentText == "Red"
    assert panel.ui.methodComboBox.currentText == "slow"
    assert panel.ui.iterationsSpinBox.value == 7
    assert panel.ui.inputSelector.currentNode() is volume


def test_widgets_used_by_hand_write_the_parameters(panel: Any) -> None:
    click(panel.ui.advancedButton)

    click(panel.ui.invertCheckBox)
    choose(panel.ui.colorComboBox, "Red")
    choose(panel.ui.methodComboBox, "slow")
    type_text(panel.ui.segmentNameEdit, "dark")
    type_text(panel.ui.iterationsSpinBox, "9")
    click(panel.ui.smoothCheckBox)

    parameters = panel._parameterNode
    assert parameters.isInverted is True
    assert parameters.color.value == "red"
    assert parameters.method == "slow"
    assert parameters.segmentName == "dark"
    assert parameters.options.iterations == 9
    assert parameters.options.isSmooth is True


def test_value_outside_the_range_is_refused(panel: Any) -> None:
    with pytest.raises(ValueError, match="range"):
        panel._parameterNode.alpha = 1.5

    assert panel._parameterNode.alpha == pytest.approx(0.4)


def test_value_that_is_no_choice_is_refused(panel: Any) -> None:
    with pytest.raises(ValueError, match="magic"):
        panel._parameterNode.method = "magic"

    assert panel._parameterNode.method == "fast"
    assert panel.ui.methodComboBox.currentText == "fast"


def test_disconnected_widgets_and_parameters_go_their_own_ways(panel: Any) -> None:
    parameters = panel._parameterNode

    parameters.disconnectGui(panel._parameterNodeGuiTag)
    panel.ui.methodComboBox.currentText = "slow"
    panel.ui.iterationsSpinBox.value = 9
    parameters.alpha = 0.9

    assert (parameters.method, parameters.options.iterations) == ("fast", 5)
    assert panel.ui.alphaSlider.value == pytest.approx(0.4)


def test_collapsed_section_hides_its_widgets_and_a_click_shows_them(panel: Any) -> None:
    assert not panel.ui.invertCheckBox.isVisible()

    click(panel.ui.advancedButton)

    assert panel.ui.invertCheckBox.isVisible()
    assert not panel.ui.advancedButton.collapsed


def test_a_hidden_or_disabled_widget_cannot_be_clicked(panel: Any) -> None:
    panel.ui.failButton.enabled = False

    with pytest.raises(AssertionError, match="not visible"):
        click(panel.ui.invertCheckBox)
    with pytest.raises(AssertionError, match="disabled"):
        click(panel.ui.failButton)


def test_node_selector_creates_renames_and_deletes(slicer_desktop: Desktop, panel: Any) -> None:
    selector = panel.ui.outputSelector

    choose(selector, "Create new Segmentation")
    created = selector.currentNode()
    slicer_desktop.dialogs.answer(("Renamed", True))
    choose(selector, "Rename current Segmentation")

    assert panel._parameterNode.outputSegmentation is created
    assert created.GetName() == "Renamed"
    assert selector.comboBox().currentText == "Renamed"
    choose(selector, "Delete current Segmentation")
    assert selector.currentNode() is None
    assert selector.comboBox().currentText == "Create new segmentation on Apply"


def test_apply_is_enabled_only_with_a_volume(slicer_desktop: Desktop) -> None:
    panel = slicer_desktop.load_module(EXAMPLE)
    assert not panel.ui.applyButton.enabled
    assert panel.ui.inputSelector.comboBox().placeholderText == "Select a Volume"

    node = slicer_desktop.add_volume(ellipsoid_kji(), OBLIQUE)

    assert panel.ui.inputSelector.currentNode() is node
    assert panel.ui.applyButton.enabled


def test_error_at_the_button_is_shown_with_its_traceback(slicer_desktop: Desktop, panel: Any) -> None:
    click(panel.ui.failButton)

    shown = slicer_desktop.dialogs.shown[-1]
    assert "Failed to fail." in shown.text
    assert "this button always fails" in shown.text
    assert "ValueError" in shown.details
    assert [type(error) for error in slicer_desktop.errors] == [ValueError]
    slicer_desktop.errors.clear()


@pytest.mark.parametrize(("answer", "expected"), [("Yes", True), ("No", False), ("close", False)])
def test_question_is_answered_by_a_real_click(slicer_desktop: Desktop, panel: Any, answer: str, expected: bool) -> None:
    slicer_desktop.dialogs.answer(answer)

    click(panel.ui.askButton)

    assert panel.events[-1] is expected
    assert slicer_desktop.dialogs.shown[-1].text == "Go on?"


def test_question_nobody_answered_is_an_error(slicer_desktop: Desktop, panel: Any) -> None:
    click(panel.ui.askButton)

    assert [type(error) for error in slicer_desktop.errors] == [UnansweredDialogError]
    assert slicer_desktop.dialogs.unanswered == ["nobody answered the question: Go on?"]
    slicer_desktop.errors.clear()
    slicer_desktop.dialogs.unanswered.clear()


def test_testing_mode_skips_the_question(slicer_desktop: Desktop, panel: Any) -> None:
    slicer_desktop.app.set_testing(True)

    click(panel.ui.askButton)

    assert panel.events[-1] is False  # slicer.util compares its True with QMessageBox.Yes
    assert not slicer_desktop.dialogs.shown


def test_closing_the_scene_empties_the_panel(slicer_desktop: Desktop, panel: Any) -> None:
    click(panel.ui.applyButton)
    panel._parameterNode.alpha = 0.9

    slicer_desktop.close_scene()

    assert [e for e in panel.events if isinstance(e, str)][-2:] == ["start close", "end close"]
    assert panel.ui.inputSelector.currentNode() is None
    assert not panel.ui.applyButton.enabled
    assert panel._parameterNode.alpha == pytest.approx(0.4)


def test_leaving_and_entering_tells_the_module(slicer_desktop: Desktop, panel: Any) -> None:
    slicer_desktop.leave_module()
    panel._parameterNode.alpha = 0.6
    assert panel.events[-1] == "exit"
    assert panel.ui.alphaSlider.value == pytest.approx(0.4)

    slicer_desktop.select_module("DesktopExample")

    assert [e for e in panel.events if isinstance(e, str)][-1] == "enter"
    assert panel.ui.alphaSlider.value == pytest.approx(0.6)


def test_unloading_cleans_up(slicer_desktop: Desktop, panel: Any) -> None:
    import slicer

    slicer_desktop.unload("DesktopExample")

    assert panel.events[-1] == "cleanup"
    assert not hasattr(slicer.modules, "desktopexample")


def test_bundle_brings_everything_back(slicer_desktop: Desktop, panel: Any, tmp_path: Path) -> None:
    import slicer

    click(panel.ui.applyButton)
    drag_slider(panel.ui.alphaSlider, 0.8)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "second").CreateDefaultDisplayNodes()

    assert slicer_desktop.save_scene(tmp_path / "scene.mrb")
    slicer_desktop.close_scene()
    for _ in range(3):  # each time over the one before
        assert slicer_desktop.open_scene(tmp_path / "scene.mrb")
        colors = pixels(slicer_desktop.grab_view("Red")).astype(int)
        assert (np.ptp(colors, axis=2) > 40).sum() > 100, "the segment is drawn before anyone touches the slice"
    assert slicer_desktop.log.errors == []
    panel.initializeParameterNode()

    parameters = panel._parameterNode
    assert parameters.alpha == pytest.approx(0.8)
    assert panel.ui.inputSelector.currentNode().GetName() == "CT"
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(parameters.inputVolume), ellipsoid_kji())
    assert parameters.outputSegmentation.GetSegmentation().GetNthSegment(0).GetName() == "bright"
    assert pixels(slicer_desktop.grab_view("Red")).std() > 5


def test_wheel_moves_the_slice_by_its_spacing(slicer_desktop: Desktop, volume: Any) -> None:
    view = slicer_desktop.slice_view("Red")
    before = view.mrmlSliceNode().GetSliceOffset()

    wheel(view, 2)

    assert view.mrmlSliceNode().GetSliceOffset() - before == pytest.approx(2 * 3.0, abs=1e-6)


def test_dragging_the_right_button_zooms_the_slice(slicer_desktop: Desktop, volume: Any) -> None:
    from Testing.desktop.gestures import RIGHT

    view = slicer_desktop.slice_view("Red")
    before = view.mrmlSliceNode().GetFieldOfView()[0]

    drag(view, (100, 100), (100, 160), RIGHT)

    assert view.mrmlSliceNode().GetFieldOfView()[0] != pytest.approx(before)


def test_dragging_turns_the_three_d_view(slicer_desktop: Desktop, volume: Any) -> None:
    view = slicer_desktop.three_d_view()
    before = np.array(view.cameraNode().GetPosition())

    drag(view, (100, 100), (180, 120))

    assert np.linalg.norm(np.array(view.cameraNode().GetPosition()) - before) > 10


def test_offset_slider_of_the_bar_moves_the_slice(slicer_desktop: Desktop, volume: Any) -> None:
    slider = slicer_desktop.layout_manager.sliceWidget("Green").sliceController().sliceOffsetSlider()

    drag_slider(slider, slider.minimum + 10 * slider.singleStep)

    node = slicer_desktop.slice_view("Green").mrmlSliceNode()
    assert node.GetSliceOffset() == pytest.approx(slider.minimum + 10 * slider.singleStep)


def test_slice_view_is_rendered_once_for_many_changes(slicer_desktop: Desktop, volume: Any) -> None:
    import slicer

    view = slicer_desktop.slice_view("Red")
    slicer_desktop.process_events(0.05)
    before = view.renderCount()

    # Paused, for on a slow machine a frame passes meanwhile.
    with slicer.util.RenderBlocker():
        for offset in range(10):
            view.mrmlSliceNode().SetSliceOffset(offset)
    slicer_desktop.process_events(0.05)

    assert view.renderCount() - before == 1


def test_custom_layout_gets_its_own_slice_views(slicer_desktop: Desktop, volume: Any) -> None:
    import slicer

    def view(tag: str) -> str:
        return f"""<item><view class="vtkMRMLSliceNode" singletontag="{tag}">
            <property name="orientation" action="default">Axial</property>
            <property name="viewlabel" action="default">{tag}</property>
            <property name="viewcolor" action="default">#4488AA</property></view></item>"""

    description = f'<layout type="horizontal" split="true">{view("KeyLeft")}{view("KeyRight")}</layout>'
    layout_node = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    layout_node.AddLayoutDescription(5733, description)
    changed = []
    slicer.app.layoutManager().connect("layoutChanged(int)", changed.append)

    slicer.app.layoutManager().setLayout(5733)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)

    shown = [w.mrmlSliceNode().GetLayoutName() for w in slicer.app.layoutManager().shownWidgets()]
    assert shown == ["KeyLeft", "KeyRight"]
    assert changed == [5733]
    assert pixels(slicer_desktop.grab_view("KeyLeft")).std() > 5
    assert not slicer.app.layoutManager().sliceWidget("Red").isVisible()
    slicer.app.layoutManager().setLayout(3)
    assert slicer.app.layoutManager().sliceWidget("Red").isVisible()


def test_volume_is_saved_and_loaded_through_slicer_util(slicer_desktop: Desktop, volume: Any, tmp_path: Path) -> None:
    import slicer

    assert slicer.util.saveNode(volume, str(tmp_path / "ct.nrrd"))
    again = slicer_desktop.load_volume(tmp_path / "ct.nrrd")

    np.testing.assert_array_equal(slicer.util.arrayFromVolume(again), ellipsoid_kji())
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == again.GetID()
    with pytest.raises(RuntimeError, match="no such file"):
        slicer.util.loadVolume(str(tmp_path / "missing.nrrd"))


def test_module_self_test_runs(slicer_desktop: Desktop, panel: Any) -> None:
    import slicer

    slicer_desktop.app.set_testing(True)

    slicer.selfTests["DesktopExample"](msec=0)

    # What the test of the example makes; it raises where the result is wrong.
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_reload_makes_a_new_panel(slicer_desktop: Desktop, panel: Any) -> None:
    import slicer

    slicer.util.reloadScriptedModule("DesktopExample")

    assert slicer.modules.DesktopExampleWidget is not panel
    assert panel.events[-1] == "cleanup"
    assert slicer.modules.DesktopExampleWidget.ui.applyButton.enabled
