"""The panel with a result: alpha, stages, key slices, patches, measurements, saving and loading."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.options import SegmentOptions, switches
from seru.phantom import Phantom
from seru.result.maps import load_maps
from Testing.desktop import Desktop, choose, click, drag_slider
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import labels_of, move_alpha, open_module, show_result
from Testing.module.panel_fixtures import ct, node, panel
from Testing.module.scene_tools import fused_truth, maps_of, save, small_phantom, tiny_phantom

__all__ = ["node", "panel", "slicer_desktop"]

CUSTOM_LAYOUT = 6  # one slice view: "Red only"


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return tiny_phantom()


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    return save(maps_of(phantom), tmp_path)


def cell(panel: Any, row: int, column: int) -> str:
    return panel.ui.measurementsTable.item(row, column).text()


def test_without_a_result_the_slider_is_disabled_and_says_why(panel: Any) -> None:
    assert not panel.ui.alphaSlider.enabled
    assert panel.ui.resultReasonLabel.text == "There is no result yet: select a CT and click Segment."
    assert not panel.ui.rightJumpButton.enabled
    assert not panel.ui.exportCsvButton.enabled


def test_dragging_alpha_writes_the_command_s_labels(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    maps = load_maps(maps_file)[0]
    for alpha in (0.45, 0.62, 0.3):
        move_alpha(slicer_desktop, panel, alpha)
        assert np.array_equal(labels_of(node, ct()), fused_truth(maps, alpha))

    drag_slider(panel.ui.alphaSlider, 0.85, steps=5)

    assert panel._parameterNode.alpha == pytest.approx(0.85)
    assert np.array_equal(labels_of(node, ct()), fused_truth(maps, 0.85))
    click(panel.ui.alphaResetButton)
    assert panel._parameterNode.alpha == pytest.approx(0.4)
    assert np.array_equal(labels_of(node, ct()), fused_truth(maps, 0.4))


def test_the_measurements_follow_alpha(slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom) -> None:
    voxel_ml = phantom.volume.grid.voxel_ml
    left = (phantom.labels_kji == 2) & (phantom.side_kji == 2)
    assert cell(panel, 1, 1) == f"{left.sum() * voxel_ml:.1f}"
    longest = cell(panel, 1, 2)

    drag_slider(panel.ui.alphaSlider, 1.0)

    assert [cell(panel, row, 1) for row in range(3)] == ["0.0"] * 3
    assert cell(panel, 1, 2) == "0.0"
    drag_slider(panel.ui.alphaSlider, 0.0)
    assert cell(panel, 1, 2) == longest
    from SERUSegmentationLib.scene.nodes import TABLE, companion

    table = companion(node, TABLE).GetTable()
    rows = range(table.GetNumberOfRows())
    volumes = {
        tuple(table.GetValueByName(row, name).ToString() for name in ("Finding", "Side")): table.GetValueByName(
            row, "Volume (ml)"
        ).ToDouble()
        for row in rows
    }
    assert volumes["Left tumor", "left"] == pytest.approx(left.sum() * voxel_ml, abs=1e-3)
    assert volumes["Sum of tumors", "left"] == volumes["Left tumor", "left"]


def test_a_result_at_another_alpha_than_the_scene_s_shows_its_diameters_at_once(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom, tmp_path: Path
) -> None:
    assert panel._parameterNode.alpha != pytest.approx(0.3)

    show_result(slicer_desktop, panel, save(maps_of(phantom, alpha=0.3), tmp_path))

    assert panel.ui.alphaSlider.value == pytest.approx(0.3)
    assert float(cell(panel, 1, 2)) > 10


def test_alpha_that_is_dragged_away_and_back_shows_what_was_there(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    longest = cell(panel, 1, 2)
    move_alpha(slicer_desktop, panel, 0.9)
    assert cell(panel, 1, 2) == "\u2013"

    move_alpha(slicer_desktop, panel, 0.4)

    assert cell(panel, 1, 2) == longest
    assert np.array_equal(labels_of(node, ct()), fused_truth(load_maps(maps_file)[0], 0.4))


def test_without_a_result_alpha_shows_the_model_s(
    slicer_desktop: Desktop, phantom: Phantom, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    (folder / "model.json").write_text(json.dumps({**card, "alpha": 0.65}))

    panel = open_module(slicer_desktop, folder, phantom)

    assert not panel.ui.alphaSlider.enabled
    assert panel.ui.alphaSlider.value == pytest.approx(0.65)


def test_what_is_shown_can_be_chosen(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    from SERUSegmentationLib.scene.nodes import STAGES, companion

    stages = companion(node, STAGES)
    pictures = {}
    for title in ("Fused segments", "Coarse stage", "Refine stage", "Disagreement of the stages"):
        choose(panel.ui.shownComboBox, title)
        pictures[title] = np.array(view_pixels(slicer_desktop, "Red"))

    alike = [(a, b) for a in pictures for b in pictures if a < b and np.array_equal(pictures[a], pictures[b])]
    assert alike == []
    assert stages.GetSegmentation().GetNumberOfSegments() == 5
    choose(panel.ui.shownComboBox, "Fused segments")
    with_outline = np.array(view_pixels(slicer_desktop, "Red"))
    click(panel.ui.coarseOutlineCheckBox)
    assert not np.array_equal(with_outline, view_pixels(slicer_desktop, "Red"))


def test_the_slice_views_follow_while_alpha_moves(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    click(panel.ui.leftJumpButton)
    pictures = []
    for alpha in (0.0, 1.0, 0.0):
        move_alpha(slicer_desktop, panel, alpha)
        pictures.append(np.array(view_pixels(slicer_desktop, "Red")))

    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_what_the_user_hides_stays_hidden_while_alpha_moves(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    node.GetDisplayNode().SetVisibility2D(False)

    drag_slider(panel.ui.alphaSlider, 0.8)

    assert not node.GetDisplayNode().GetVisibility2D()


def view_pixels(desktop: Desktop, name: str) -> np.ndarray:
    desktop.process_events(0.05)
    image = desktop.grab_view(name)
    image = image.convertToFormat(image.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].copy()  # the image goes with this function


def test_every_option_s_widget_tells_the_option_s_help(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    from SERUSegmentationLib.panel.parameters import optionOf

    tips = {optionOf(widget): widget.toolTip for widget in vars(panel.ui).values() if optionOf(widget)}

    for switch in switches():
        if switch.paper is not None:
            assert tips[switch.camel_case] == switch.sentence


def test_a_result_that_a_script_cleaned_beyond_the_panel_s_limits_is_shown_at_the_limit(
    slicer_desktop: Desktop, panel: Any, maps_file: Path
) -> None:
    show_result(slicer_desktop, panel, maps_file, SegmentOptions(minimum_volume_ml=1000.0))

    assert panel.ui.minimumVolumeSpinBox.value == 100.0
    assert panel.parts.controller.state.options.minimum_volume_ml == 100.0


def test_splitting_sides_and_clean_up_take_effect_at_once(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom
) -> None:
    import slicer

    click(panel.ui.advancedCollapsibleButton)
    click(panel.ui.splitSidesCheckBox)

    segmentation = node.GetSegmentation()
    names = [segmentation.GetSegment(id).GetName() for id in segmentation.GetSegmentIDs()]
    assert sorted(names) == ["Kidney left", "Kidney right", "Tumor left", "Tumor right"]

    panel.ui.minimumVolumeSpinBox.value = 90.0
    slicer_desktop.process_events()
    click(panel.ui.splitSidesCheckBox)

    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentation.GetSegmentIDs()[0], ct())
    assert segmentation.GetNumberOfSegments() == 2
    assert array.sum() < (phantom.labels_kji == 1).sum() or array.sum() > 0


def test_segments_edited_by_hand_are_replaced_only_after_a_question(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    import slicer

    segment_id = node.GetSegmentation().GetSegmentIDs()[0]
    edited = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, ct())
    edited[tuple(np.argwhere(edited)[0])] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(edited, node, segment_id, ct())
    click(panel.ui.advancedCollapsibleButton)

    slicer_desktop.dialogs.answer("No")
    click(panel.ui.splitSidesCheckBox)

    slicer_desktop.process_events()
    assert "were edited by hand" in slicer_desktop.dialogs.shown[-1].text
    assert not panel.ui.splitSidesCheckBox.checked
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, ct()), edited)
    slicer_desktop.dialogs.answer("Yes")
    click(panel.ui.splitSidesCheckBox)
    assert node.GetSegmentation().GetNumberOfSegments() == 4


def test_jumping_shows_the_key_slice_in_every_view(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.markups import keySlicePosition

    report = load_maps(maps_file)[1]
    for side, button in (("right", panel.ui.rightJumpButton), ("left", panel.ui.leftJumpButton)):
        click(button)

        position = report.side(side).key_slice.position_ras
        offsets = [
            slicer_desktop.layout_manager.sliceWidget(name).mrmlSliceNode().GetSliceToRAS().GetElement(axis, 3)
            for name, axis in (("Red", 2), ("Green", 1), ("Yellow", 0))
        ]
        assert offsets == pytest.approx(position[::-1], abs=1e-3)
        assert keySlicePosition(node, side) == pytest.approx(position)
        assert getattr(panel.ui, f"{side}SliceLabel").text == str(report.side(side).key_slice.index)
        assert getattr(panel.ui, f"{side}AreaLabel").text == "12.3 cm²"


def test_crop_boxes_are_shown_and_hidden(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    from SERUSegmentationLib.scene.nodes import CROPS, companion

    assert panel.ui.cropBoxesCheckBox.checked

    click(panel.ui.cropBoxesCheckBox)

    assert [companion(node, role).GetDisplayVisibility() for role in CROPS.values()] == [0, 0]
    click(panel.ui.cropBoxesCheckBox)
    assert [companion(node, role).GetDisplayVisibility() for role in CROPS.values()] == [1, 1]


def test_key_patches_fill_their_views_and_the_user_s_layout_comes_back(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.key_patch_layout import VIEWS, patchCentre

    manager = slicer_desktop.layout_manager
    manager.setLayout(CUSTOM_LAYOUT)
    slicer_desktop.process_events()

    click(panel.ui.inspectButton)
    slicer_desktop.process_events()

    report = load_maps(maps_file)[1]
    shown = [name for name in manager.sliceViewNames() if manager.sliceWidget(name).mrmlSliceNode().IsMappedInLayout()]
    assert sorted(shown) == sorted(VIEWS.values())
    for side, tag in VIEWS.items():
        found = report.side(side)
        position, size = patchCentre(ct(), found.crop, found.key_slice, report.geometry.stack_axis)
        slice_node = manager.sliceWidget(tag).mrmlSliceNode()
        matrix = slice_node.GetSliceToRAS()
        assert [matrix.GetElement(row, 3) for row in range(3)] == pytest.approx(position, abs=1e-3)
        assert filled_share(slice_node, size) == pytest.approx(1.0, abs=0.02)
        composite = manager.sliceWidget(tag).sliceLogic().GetSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() == ct().GetID()
    click(panel.ui.inspectButton)
    slicer_desktop.process_events()
    assert manager.layoutLogic().GetLayoutNode().GetViewArrangement() == CUSTOM_LAYOUT


def filled_share(slice_node: Any, size_mm: Any) -> float:
    """Field of view by patch along the axis where the patch is tightest: 1 where it just fits."""
    (width, height, _depth), (columns, rows, _slices) = slice_node.GetFieldOfView(), slice_node.GetDimensions()
    assert width / columns == pytest.approx(height / rows)
    return min(width / size_mm[0], height / size_mm[1])


def test_key_patches_fill_their_views_at_any_size_and_keep_what_the_user_scrolled_and_zoomed(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.key_patch_layout import VIEWS, patchCentre

    report = load_maps(maps_file)[1]
    found = report.side("left")
    _position, size = patchCentre(ct(), found.crop, found.key_slice, report.geometry.stack_axis)
    click(panel.ui.inspectButton)
    slicer_desktop.process_events()
    left = slicer_desktop.layout_manager.sliceWidget(VIEWS["left"])
    slice_node = left.mrmlSliceNode()

    def resize(columns: int, rows: int) -> None:
        # What the view does when Qt gives it another size.
        left.sliceLogic().ResizeSliceNode(columns, rows)

    for columns, rows in ((300, 500), (640, 200), (37, 41)):
        resize(columns, rows)
        assert tuple(slice_node.GetDimensions()[:2]) == (columns, rows)
        assert filled_share(slice_node, size) == pytest.approx(1.0)
    slice_node.SetSliceOffset(slice_node.GetSliceOffset() + 6)
    scrolled = slice_node.GetSliceOffset()
    resize(400, 400)
    assert slice_node.GetSliceOffset() == scrolled
    slice_node.SetFieldOfView(10, 10, 1)
    assert slice_node.GetFieldOfView()[:2] == (10, 10)

    slicer_desktop.layout_manager.setLayout(CUSTOM_LAYOUT)
    slicer_desktop.process_events()
    slice_node.SetFieldOfView(10, 10, 1)
    resize(300, 300)

    # Another layout: nobody fits anything.
    assert slice_node.GetFieldOfView()[:2] == (10, 10)


def scene_text(bundle: Path) -> str:
    """The scene file inside a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".mrml"))
        return archive.read(name).decode()


def name_layout(bundle: Path, layout: int) -> None:
    """Write another layout into a bundle's scene file."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in files.items():
            if name.endswith(".mrml"):
                content = re.sub(b'currentViewArrangement="[0-9]+"', b'currentViewArrangement="%d"' % layout, content)
            archive.writestr(name, content)


def test_a_scene_saved_while_the_patches_are_shown_opens_in_the_user_s_own_layout(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    from SERUSegmentationLib.scene.key_patch_layout import LAYOUT_ID

    manager = slicer_desktop.layout_manager
    manager.setLayout(CUSTOM_LAYOUT)
    slicer_desktop.process_events()
    click(panel.ui.inspectButton)
    slicer_desktop.process_events(0.2)

    slicer_desktop.save_scene(tmp_path / "case.mrb")

    # A Slicer without this extension would show no view.
    assert f'"{LAYOUT_ID}"' not in scene_text(tmp_path / "case.mrb")
    assert manager.layout == LAYOUT_ID
    slicer_desktop.close_scene()
    assert manager.layout == CUSTOM_LAYOUT
    assert slicer_desktop.open_scene(tmp_path / "case.mrb")
    assert manager.layout == CUSTOM_LAYOUT
    assert len(manager.shownWidgets()) == 1
    assert not panel.ui.inspectButton.checked


@pytest.mark.parametrize("is_added", [True, False])
def test_a_scene_whose_file_names_the_patches_layout_leads_to_the_user_s_own(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path, is_added: bool
) -> None:
    from SERUSegmentationLib.scene.key_patch_layout import LAYOUT_ID

    manager, file = slicer_desktop.layout_manager, tmp_path / "case.mrb"
    slicer_desktop.save_scene(file)
    name_layout(file, LAYOUT_ID)
    manager.setLayout(CUSTOM_LAYOUT)
    slicer_desktop.process_events()

    if is_added:
        assert slicer_desktop.app.coreIOManager().loadNodes("SceneFile", {"fileName": str(file)})
    else:
        assert slicer_desktop.open_scene(file)

    slicer_desktop.process_events()
    assert manager.layout == CUSTOM_LAYOUT
    assert not panel.ui.inspectButton.checked


def test_with_the_users_layout_shown_scenes_keep_it(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    click(panel.ui.inspectButton)
    slicer_desktop.process_events()
    slicer_desktop.layout_manager.setLayout(CUSTOM_LAYOUT)
    slicer_desktop.process_events()

    slicer_desktop.save_scene(tmp_path / "case.mrb")

    assert f'currentViewArrangement="{CUSTOM_LAYOUT}"' in scene_text(tmp_path / "case.mrb")


def test_leaving_the_patches_through_slicer_s_own_menu_pops_the_button(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    click(panel.ui.inspectButton)
    slicer_desktop.process_events()

    slicer_desktop.layout_manager.setLayout(3)
    slicer_desktop.process_events()

    assert not panel.ui.inspectButton.checked


def test_opening_the_module_changes_neither_layout_nor_views(slicer_desktop: Desktop, phantom: Phantom) -> None:
    slicer_desktop.add_volume(phantom.volume.array_kji, phantom.volume.grid.ijk_to_ras, "CT")
    slicer_desktop.layout_manager.setLayout(CUSTOM_LAYOUT)
    slicer_desktop.process_events()
    before = slice_state(slicer_desktop)

    open_module(slicer_desktop)

    assert slice_state(slicer_desktop) == before


def slice_state(desktop: Desktop) -> list[Any]:
    nodes = [desktop.scene.GetNthNodeByClass(n, "vtkMRMLSliceNode") for n in range(3)]
    views = [[node.GetSliceToRAS().GetElement(r, c) for r in range(3) for c in range(4)] for node in nodes]
    return [desktop.layout_manager.layoutLogic().GetLayoutNode().GetViewArrangement(), views]


def test_a_saved_scene_is_loaded_and_alpha_moves_again(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path, tmp_path: Path
) -> None:
    import slicer

    drag_slider(panel.ui.alphaSlider, 0.65)
    bundle = tmp_path / "case.mrb"

    assert slicer_desktop.save_scene(bundle)
    slicer_desktop.close_scene()
    assert not panel.ui.alphaSlider.enabled
    assert slicer_desktop.open_scene(bundle)

    loaded = panel.ui.outputSelector.currentNode()
    assert loaded is not None
    assert panel.ui.alphaSlider.enabled
    assert panel.ui.alphaSlider.value == pytest.approx(0.65)
    assert np.array_equal(labels_of(loaded, ct()), fused_truth(load_maps(maps_file)[0], 0.65))
    drag_slider(panel.ui.alphaSlider, 0.1)
    assert np.array_equal(labels_of(loaded, ct()), fused_truth(load_maps(maps_file)[0], 0.1))
    assert panel.ui.rightSliceLabel.text == str(load_maps(maps_file)[1].right.key_slice.index)
    assert slicer.util.getNode("CT") is panel.ui.inputSelector.currentNode()


def test_a_segmentation_without_maps_disables_alpha_with_the_reason(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    from SERUSegmentationLib.scene.nodes import MAPS, companion

    slicer_desktop.scene.RemoveNode(companion(node, MAPS))
    slicer_desktop.process_events()

    assert not panel.ui.alphaSlider.enabled
    assert panel.ui.resultReasonLabel.text == "This segmentation carries no SERU maps; click Segment to make them."
    assert panel.ui.alphaSlider.toolTip == panel.ui.resultReasonLabel.text


def test_deleting_the_result_empties_the_panel(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    slicer_desktop.scene.RemoveNode(node)
    slicer_desktop.process_events()

    assert not panel.ui.alphaSlider.enabled
    assert cell(panel, 0, 0) == "–"
    assert panel.ui.rightSliceLabel.text == "–"


def test_two_results_each_have_their_own_alpha(slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path) -> None:
    drag_slider(panel.ui.alphaSlider, 0.9)
    other = show_result(slicer_desktop, panel, maps_file, SegmentOptions(alpha=0.2))
    assert panel.ui.alphaSlider.value == pytest.approx(0.2)

    panel.ui.outputSelector.setCurrentNode(node)
    slicer_desktop.process_events()

    assert panel.ui.alphaSlider.value == pytest.approx(0.9)
    assert np.array_equal(labels_of(node, ct()), fused_truth(load_maps(maps_file)[0], 0.9))
    assert np.array_equal(labels_of(other, ct()), fused_truth(load_maps(maps_file)[0], 0.2))


def test_the_measurements_are_exported_as_csv(slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path) -> None:
    slicer_desktop.dialogs.answer(str(tmp_path / "out.csv"))
    click(panel.ui.exportCsvButton)

    rows = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    sums = next(row.split(",") for row in rows if row.startswith("Sum of kidneys,kidney,right"))
    assert f"{float(sums[rows[0].split(',').index('Volume (ml)')]):.1f}" == cell(panel, 0, 0)
    slicer_desktop.dialogs.answer("")
    click(panel.ui.exportCsvButton)
    assert panel.ui.statusLabel.text == ""


def test_3d_surfaces_come_and_go(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    click(panel.ui.show3DButton)
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    drag_slider(panel.ui.alphaSlider, 0.9)
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert panel.ui.show3DButton.checked

    click(panel.ui.show3DButton)

    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_what_is_shown_and_closed_leaves_no_error_in_the_log(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    choose(panel.ui.shownComboBox, "Disagreement of the stages")
    panel.ui.findingsTable.setCurrentCell(0, 0)
    slicer_desktop.process_events()

    slicer_desktop.close_scene()

    assert slicer_desktop.log.errors == []


def test_the_user_s_point_list_stays_the_one_that_points_are_placed_into(
    slicer_desktop: Desktop, panel: Any, maps_file: Path
) -> None:
    theirs = slicer_desktop.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "theirs")
    selection = slicer_desktop.application_logic.GetSelectionNode()
    assert selection.GetActivePlaceNodeID() == theirs.GetID()

    show_result(slicer_desktop, panel, maps_file)

    assert selection.GetActivePlaceNodeID() == theirs.GetID()
    assert selection.GetActivePlaceNodeClassName() == "vtkMRMLMarkupsFiducialNode"


def other_bundle(desktop: Desktop, panel: Any, folder: Path) -> Path:
    """A bundle with another patient's CT and its result at alpha 0.3; the scene is closed afterwards."""
    other = small_phantom(seed=3)
    folder.mkdir()
    desktop.close_scene()
    desktop.add_volume(other.volume.array_kji, other.volume.grid.ijk_to_ras, "CT")
    desktop.process_events()
    show_result(desktop, panel, save(maps_of(other, alpha=0.3), folder))
    assert desktop.save_scene(folder / "other.mrb")
    desktop.close_scene()
    return folder / "other.mrb"


def add_scene(desktop: Desktop, bundle: Path) -> None:
    """Add a scene to the one that is there."""
    assert desktop.app.coreIOManager().loadNodes("SceneFile", {"fileName": str(bundle)})
    desktop.process_events()


def test_a_second_scene_that_is_added_brings_its_result_and_leaves_the_first_one_alone(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    import slicer

    first = tmp_path / "first.mrb"
    assert slicer_desktop.save_scene(first)
    second = other_bundle(slicer_desktop, panel, tmp_path / "other")

    add_scene(slicer_desktop, first)
    assert panel.ui.alphaSlider.value == pytest.approx(0.4)
    add_scene(slicer_desktop, second)

    assert panel.ui.alphaSlider.enabled
    assert panel.ui.alphaSlider.value == pytest.approx(0.3)
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert panel.ui.inputSelector.currentNode() is volumes[1]
    panel.ui.inputSelector.setCurrentNode(volumes[0])
    assert panel.ui.alphaSlider.enabled
    assert panel.ui.alphaSlider.value == pytest.approx(0.4)


def test_a_ct_that_is_chosen_again_offers_its_own_result(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    import slicer

    first = ct()
    array = slicer.util.arrayFromVolume(first)
    other = slicer.util.addVolumeFromArray(array, ijkToRAS=np.diag([-4.0, -4.0, 6.0, 1.0]), name="other")

    panel.ui.inputSelector.setCurrentNode(other)
    assert panel.ui.outputSelector.currentNode() is None
    panel.ui.inputSelector.setCurrentNode(first)

    assert panel.ui.outputSelector.currentNode() is node
    assert panel.ui.alphaSlider.enabled


def test_of_several_results_of_a_ct_the_latest_is_offered(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    import slicer

    first, latest = ct(), show_result(slicer_desktop, panel, maps_file)
    other = slicer.util.addVolumeFromArray(slicer.util.arrayFromVolume(first), name="other")
    panel.ui.inputSelector.setCurrentNode(other)

    panel.ui.inputSelector.setCurrentNode(first)

    assert panel.ui.outputSelector.currentNode() is latest


def test_a_label_map_is_never_taken_as_the_ct(slicer_desktop: Desktop) -> None:
    import slicer

    array = np.zeros((4, 5, 6), np.int16)
    slicer.util.addVolumeFromArray(array, name="labels", nodeClassName="vtkMRMLLabelMapVolumeNode")
    slicer.util.addVolumeFromArray(np.zeros((4, 5, 6, 3)), name="colors", nodeClassName="vtkMRMLVectorVolumeNode")
    hidden = slicer.util.addVolumeFromArray(array, name="hidden")
    hidden.SetHideFromEditors(True)

    panel = open_module(slicer_desktop)
    assert panel._parameterNode.inputVolume is None
    slicer_desktop.add_volume(array, name="CT")
    slicer_desktop.process_events()

    # One that comes while none is chosen is chosen.
    assert panel._parameterNode.inputVolume is ct()
    slicer_desktop.add_volume(array, name="another")
    slicer_desktop.process_events()
    assert panel._parameterNode.inputVolume is ct()


def test_a_warning_stands_once_and_no_other_part_talks_over_a_run(slicer_desktop: Desktop, panel: Any) -> None:
    from SERUSegmentationLib.run.progress import RunProgress

    run, label = panel.parts.run, panel.ui.statusLabel
    run.start()
    run.cancelling()
    run.tell("Fetching a model")
    assert label.text == "Stopping the run"

    told = RunProgress(warnings=["The slices are thick.", "A node was renamed."])
    run.finish(None, told, told=["The slices are thick."])
    assert label.text.startswith("Done in ")
    assert label.text.endswith(". A node was renamed.")
    # Nobody sees the other CT's findings.
    run.finish(None, told, "other", told=["The slices are thick."])
    assert label.text.endswith(". The slices are thick. A node was renamed.")
    run.tell("Fetching a model")
    assert label.text == "Fetching a model"


@pytest.mark.parametrize("change", ["another CT", "no CT", "scene closed"])
def test_what_was_said_of_a_ct_goes_with_it(slicer_desktop: Desktop, panel: Any, node: Any, change: str) -> None:
    import slicer

    panel.parts.run.say("Done in 0:12.")
    if change == "another CT":
        other = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name="other")
        slicer_desktop.process_events()
        assert panel.ui.statusLabel.text == "Done in 0:12."
        panel.ui.inputSelector.setCurrentNode(other)
    elif change == "no CT":
        panel.ui.inputSelector.setCurrentNode(None)
    else:
        slicer_desktop.close_scene()

    left = "" if change == "another CT" else "No CT volume is selected; load a CT and select it."
    assert panel.ui.statusLabel.text == left
    assert panel.ui.statusLabel.visible == bool(left)


def test_separate_sides_keep_surfaces_outlines_and_what_was_hidden(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.nodes import STAGES, companion

    click(panel.ui.show3DButton)
    click(panel.ui.leftJumpButton)
    click(panel.ui.advancedCollapsibleButton)
    before = np.array(view_pixels(slicer_desktop, "Red"))

    click(panel.ui.splitSidesCheckBox)

    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert panel.ui.show3DButton.checked
    assert companion(node, STAGES).GetDisplayNode().GetVisibility()
    # Nothing else changes in the views, kidneys keep their color on both sides; of two outlines that cross another one
    # may be on top, which is a pixel here and there.
    assert np.mean(view_pixels(slicer_desktop, "Red") != before) < 0.001
    click(panel.ui.splitSidesCheckBox)
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert np.mean(view_pixels(slicer_desktop, "Red") != before) < 0.001


def test_key_slices_labels_can_be_shown_and_hidden(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    from SERUSegmentationLib.scene.nodes import KEY_SLICES, companion

    display = companion(node, KEY_SLICES).GetDisplayNode()
    # They would lie over what is beside their points.
    assert not panel.ui.keyLabelsCheckBox.checked

    click(panel.ui.keyLabelsCheckBox)
    assert display.GetPointLabelsVisibility()
    click(panel.ui.keyLabelsCheckBox)

    assert not display.GetPointLabelsVisibility()
    assert display.GetVisibility()


def test_the_log_keeps_its_left_edge_in_view(slicer_desktop: Desktop, panel: Any) -> None:
    click(panel.ui.logCollapsibleButton)

    panel.parts.run.log.add("a long line " * 100)
    slicer_desktop.process_events()

    assert panel.ui.logTextEdit.horizontalScrollBar().value == 0
