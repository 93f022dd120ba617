"""The findings in the panel: what the table says, where a row leads, and what a person's verdict does to the result.

The phantom's left tumor and a loop of bowel are found with too little confidence to be believed.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from seru.options import SegmentOptions
from seru.phantom import Phantom
from seru.result import finish
from seru.result.maps import Maps, load_maps
from Testing.desktop import Desktop, click, drag_slider
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import labels_of, move_alpha, show_result
from Testing.module.panel_fixtures import ct, node, panel
from Testing.module.scene_tools import doubtful_maps, save, small_phantom, tiny_phantom

__all__ = ["node", "panel", "slicer_desktop"]

TUMOR, BOWEL = "Candidate: left tumor", "Candidate: left kidney 2"


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return tiny_phantom()


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    return save(doubtful_maps(phantom), tmp_path)


@pytest.fixture
def left_tumor(phantom: Phantom) -> np.ndarray:
    return (phantom.labels_kji == 2) & (phantom.side_kji == 2)


def titles(panel: Any) -> list[str]:
    """What each row is called in its tooltip: with its status."""
    table = panel.ui.findingsTable
    return [table.item(row, 0).toolTip().splitlines()[0] for row in range(table.rowCount)]


def status(panel: Any, title: str) -> str:
    return panel.ui.findingsTable.item(titles(panel).index(title), 5).text()


def choose_row(panel: Any, title: str) -> None:
    """Click a row on its name."""
    table = panel.ui.findingsTable
    table.scrollToItem(table.item(titles(panel).index(title), 0))
    place = table.visualItemRect(table.item(titles(panel).index(title), 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def places(desktop: Desktop) -> list[float]:
    """Where the sagittal, coronal and axial view stand: R, A and S."""
    manager = desktop.layout_manager
    nodes = [manager.sliceWidget(name).mrmlSliceNode() for name in ("Yellow", "Green", "Red")]
    return [node.GetSliceToRAS().GetElement(axis, 3) for axis, node in enumerate(nodes)]


def press(panel: Any, key: Any) -> None:
    # Keys go to the active window alone, and another test's dialog may have been that.
    window = panel.ui.findingsTable.window()
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    panel.ui.findingsTable.setFocus()
    QTest.keyClick(panel.ui.findingsTable, key)


def enabled(panel: Any) -> tuple[bool, bool, bool]:
    ui = panel.ui
    return ui.acceptFindingButton.enabled, ui.dismissFindingButton.enabled, ui.undoFindingButton.enabled


def truth(maps: Maps, alpha: float, verdicts: Any, **options: Any) -> np.ndarray:
    """Labels on the whole grid that a fresh finish gives."""
    finished = finish(maps, SegmentOptions(alpha=alpha, **options), verdicts=verdicts)
    labels = np.zeros(maps.grid.shape_kji, np.uint8)
    box = tuple(slice(low, low + n) for low, n in zip(maps.lower_kji, maps.mask.shape, strict=True))
    labels[box] = finished.labels_box
    return labels


def test_kidneys_tumors_and_candidates_are_listed_each_sorted_by_volume(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom
) -> None:
    table, voxel_ml = panel.ui.findingsTable, phantom.volume.grid.voxel_ml

    assert titles(panel) == ["Left kidney", "Right kidney", "Right tumor", BOWEL, TUMOR]
    assert [table.item(row, 5).text() for row in range(5)] == ["Found"] * 3 + ["Candidate"] * 2
    tumor = ((phantom.labels_kji == 2) & (phantom.side_kji == 1)).sum() * voxel_ml
    assert table.item(2, 1).text() == f"{tumor:.0f} ml\n({tumor:.0f} to {tumor:.0f})"
    # No interval is worked out for what is not believed.
    assert table.item(4, 1).text().endswith(" ml")
    assert table.item(2, 2).text() == "31 x 25 mm\n(31 to 31)"
    assert table.item(4, 2).text().endswith(" mm")
    assert table.item(2, 3).text() == "120"
    assert [table.cellWidget(row, 4).value for row in range(5)] == [100, 100, 100, 22, 22]


def test_a_row_says_name_status_and_the_range_of_the_volume_each_in_its_column(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    table = panel.ui.findingsTable
    texts = [[table.item(row, column).text() for column in (0, 5)] for row in range(table.rowCount)]

    assert ["Left tumor", "Candidate"] in texts
    assert ["Left kidney 2", "Candidate"] in texts
    # Two lines hold all of it.
    assert table.columnWidth(0) > table.fontMetrics().boundingRect("Right kidney").width()
    least, most = panel.parts.controller.measured[1].finding.volume_range_ml
    assert most > 1.3 * least
    assert table.item(1, 1).text() == f"{least:.0f} ml\n({least:.0f} to {most:.0f})"


def test_a_click_jumps_to_the_longest_diameter_and_outlines_the_finding(
    slicer_desktop: Desktop, panel: Any, node: Any, left_tumor: np.ndarray
) -> None:
    import slicer

    from SERUSegmentationLib.scene.nodes import OUTLINES, companion

    choose_row(panel, TUMOR)

    found = next(
        one for one in panel.parts.controller.measured if one.finding.kind == "tumor" and not one.finding.is_counted
    )
    ends = np.array([found.finding.longest.start_ras, found.finding.longest.end_ras])
    assert places(slicer_desktop) == pytest.approx(ends.mean(axis=0), abs=1e-3)
    outlines = companion(node, OUTLINES)
    chosen = outlines.GetSegmentation().GetSegmentIdBySegmentName("Chosen finding")
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(outlines, chosen, ct()) > 0, left_tumor)
    assert not outlines.GetDisplayNode().GetSegmentVisibility2DFill(chosen)
    choose_row(panel, "Right kidney")
    assert slicer.util.arrayFromSegmentBinaryLabelmap(outlines, chosen, ct())[left_tumor].sum() == 0


def test_the_arrow_keys_and_enter_go_through_the_findings(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    choose_row(panel, "Left kidney")
    assert places(slicer_desktop)[0] < 0

    press(panel, Qt.Key.Key_Down)
    press(panel, Qt.Key.Key_Down)

    assert panel.parts.controller.chosen.finding.kind == "tumor"
    there = places(slicer_desktop)
    assert there[0] > 0
    sagittal = slicer_desktop.layout_manager.sliceWidget("Yellow").mrmlSliceNode()
    sagittal.SetSliceOffset(sagittal.GetSliceOffset() + 30)
    press(panel, Qt.Key.Key_Return)
    assert places(slicer_desktop) == pytest.approx(there)


def test_an_accepted_candidate_is_part_of_labels_sums_and_table(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom, left_tumor: np.ndarray, maps_file: Path
) -> None:
    before = labels_of(node, ct())
    assert not (before[left_tumor] == 2).any()
    choose_row(panel, TUMOR)
    assert enabled(panel) == (True, True, False)

    click(panel.ui.acceptFindingButton)

    after = labels_of(node, ct())
    assert np.array_equal(after == 2, (before == 2) | left_tumor)
    assert status(panel, "Left tumor") == "Accepted"
    assert enabled(panel) == (False, True, True)
    assert float(panel.ui.measurementsTable.item(1, 1).text()) == pytest.approx(
        left_tumor.sum() * phantom.volume.grid.voxel_ml, abs=0.06
    )
    maps = load_maps(maps_file)[0]
    assert np.array_equal(after, truth(maps, 0.4, panel.parts.controller.result.verdicts))


def test_undo_brings_every_voxel_back(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    before, rows = labels_of(node, ct()), titles(panel)
    for title, key in ((TUMOR, Qt.Key.Key_A), ("Right tumor", Qt.Key.Key_D), ("Left kidney", Qt.Key.Key_D)):
        choose_row(panel, title)

        press(panel, key)

        assert not np.array_equal(labels_of(node, ct()), before)
        press(panel, Qt.Key.Key_U)
        assert np.array_equal(labels_of(node, ct()), before)
        assert titles(panel) == rows
        assert not panel.ui.undoFindingButton.enabled


def test_a_dismissed_tumor_becomes_kidney_where_it_lies_in_one(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom
) -> None:
    before = labels_of(node, ct())
    tumor = (phantom.labels_kji == 2) & (phantom.side_kji == 1)
    choose_row(panel, "Right tumor")

    click(panel.ui.dismissFindingButton)

    after = labels_of(node, ct())
    assert (after[tumor] == 1).all()
    assert np.array_equal(after[~tumor], before[~tumor])
    assert titles(panel)[-1] == "Dismissed: right tumor"
    measured = panel.parts.controller.measured
    kidney = next(one.finding for one in measured if (one.finding.kind, one.finding.side) == ("kidney", "right"))
    assert kidney.volume_ml == pytest.approx(((before > 0) & (phantom.side_kji == 1)).sum() * 0.324)
    assert enabled(panel) == (True, False, True)


def test_a_dismissed_kidney_leaves_no_voxel(slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom) -> None:
    choose_row(panel, "Right kidney")

    click(panel.ui.dismissFindingButton)

    assert not labels_of(node, ct())[phantom.side_kji == 1].any()
    assert "No kidney was found on the right: look there yourself." in panel.ui.remarksLabel.text


def test_keys_do_nothing_where_their_button_is_disabled(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    before = labels_of(node, ct())
    choose_row(panel, "Right kidney")

    press(panel, Qt.Key.Key_U)
    panel.ui.minimumVolumeSpinBox.setFocus()
    QTest.keyClick(panel.ui.minimumVolumeSpinBox, Qt.Key.Key_D)

    assert np.array_equal(labels_of(node, ct()), before)
    assert panel.parts.controller.result.verdicts == ()


def accept_and_dismiss(panel: Any) -> None:
    choose_row(panel, TUMOR)
    click(panel.ui.acceptFindingButton)
    choose_row(panel, "Right tumor")
    click(panel.ui.dismissFindingButton)


def test_releasing_alpha_equals_a_fresh_finish_with_the_verdicts(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    maps = load_maps(maps_file)[0]
    seen = []
    accept_and_dismiss(panel)
    for moved, released in ((0.2, 0.0), (0.6, 0.85), (0.9, 1.0)):
        move_alpha(slicer_desktop, panel, moved)
        seen.append(labels_of(node, ct()))

        drag_slider(panel.ui.alphaSlider, released, steps=3)

        verdicts = panel.parts.controller.result.verdicts
        assert [verdict.decision for verdict in verdicts] == ["accepted", "dismissed"]
        assert np.array_equal(labels_of(node, ct()), truth(maps, released, verdicts))
    # While alpha moves the last gate stands: what was dismissed does not flash up.
    right = maps.sides_box == 1
    box = tuple(slice(low, low + n) for low, n in zip(maps.lower_kji, maps.mask.shape, strict=True))
    assert not any((labels[box][right] == 2).any() for labels in seen)


def test_findings_are_gray_while_alpha_moves(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    move_alpha(slicer_desktop, panel, 0.9)
    assert not panel.ui.findingsTable.enabled

    move_alpha(slicer_desktop, panel, 0.4)

    assert panel.ui.findingsTable.enabled


def test_verdicts_that_came_with_the_maps_can_be_taken_back_for_good(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom, tmp_path: Path
) -> None:
    maps = doubtful_maps(phantom)
    bowel = next(one for one in finish(maps, SegmentOptions()).findings if one.status == "candidate")
    verdict = finish(maps, SegmentOptions()).verdict_on(bowel, "accepted")
    show_result(slicer_desktop, panel, save(replace(maps, verdicts=(verdict,)), tmp_path))
    assert status(panel, "Left kidney 2") == "Accepted"

    choose_row(panel, "Left kidney 2")
    click(panel.ui.undoFindingButton)
    slicer_desktop.save_scene(tmp_path / "case.mrb")
    slicer_desktop.close_scene()
    assert slicer_desktop.open_scene(tmp_path / "case.mrb")

    assert status(panel, BOWEL) == "Candidate"


def test_verdicts_survive_clean_up_and_splitting_sides(
    slicer_desktop: Desktop, panel: Any, node: Any, left_tumor: np.ndarray
) -> None:
    import slicer

    accept_and_dismiss(panel)

    click(panel.ui.tumorTouchesKidneyCheckBox)
    panel._parameterNode.splitSides = True
    slicer_desktop.process_events()

    segmentation = node.GetSegmentation()
    ids = {segmentation.GetSegment(id).GetName(): id for id in segmentation.GetSegmentIDs()}
    left = slicer.util.arrayFromSegmentBinaryLabelmap(node, ids["Tumor left"], ct())
    right = slicer.util.arrayFromSegmentBinaryLabelmap(node, ids["Tumor right"], ct())
    assert np.array_equal(left > 0, left_tumor)
    assert not right.any()
    assert status(panel, "Left tumor") == "Accepted"


def test_verdicts_survive_saving_and_loading_and_can_be_taken_back_there(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    before = labels_of(node, ct())
    accept_and_dismiss(panel)
    after = labels_of(node, ct())
    slicer_desktop.save_scene(tmp_path / "case.mrb")
    slicer_desktop.close_scene()
    assert titles(panel) == []

    assert slicer_desktop.open_scene(tmp_path / "case.mrb")

    loaded = panel.ui.outputSelector.currentNode()
    assert np.array_equal(labels_of(loaded, ct()), after)
    assert status(panel, "Left tumor") == "Accepted"
    assert not panel.parts.controller.isEdited()
    for title in ("Left tumor", "Dismissed: right tumor"):
        choose_row(panel, title)
        click(panel.ui.undoFindingButton)
    assert np.array_equal(labels_of(loaded, ct()), before)


def test_damaged_verdicts_are_one_sentence_and_the_result_goes_without(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.nodes import VERDICTS, companion

    accept_and_dismiss(panel)
    companion(node, VERDICTS).SetText('[{"decision": "accepted"}]')
    slicer_desktop.save_scene(tmp_path / "case.mrb")
    slicer_desktop.close_scene()

    assert slicer_desktop.open_scene(tmp_path / "case.mrb")

    assert "What was said of this result's findings is damaged and not applied" in panel.ui.remarksLabel.text
    assert panel.ui.alphaSlider.enabled
    assert panel.parts.controller.result.verdicts == ()
    # What the segments hold is not thrown away in silence.
    assert panel.parts.controller.isEdited()
    choose_row(panel, TUMOR)
    click(panel.ui.acceptFindingButton)
    assert "is damaged" not in panel.ui.remarksLabel.text


def test_a_run_again_on_the_same_ct_takes_the_verdicts_over_and_says_so(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom, maps_file: Path, left_tumor: np.ndarray
) -> None:
    from SERUSegmentationLib.scene.scene_writer import SceneWriter

    accept_and_dismiss(panel)
    writer = SceneWriter(ct(), node)

    writer.write(maps_file)
    panel.updatePanel()

    assert writer.warnings == ["What was accepted or dismissed before is applied to this run too (findings: 2)."]
    assert (labels_of(node, ct())[left_tumor] == 2).all()
    assert status(panel, "Left tumor") == "Accepted"


def test_another_ct_gets_none_of_the_verdicts(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom, tmp_path: Path
) -> None:
    from SERUSegmentationLib.scene.scene_writer import SceneWriter

    accept_and_dismiss(panel)
    other = small_phantom(orientation="RAS", shape_kji=(20, 48, 48), spacing_kji_mm=(12.0, 8.0, 8.0))
    volume = slicer_desktop.add_volume(other.volume.array_kji, other.volume.grid.ijk_to_ras, "other")
    writer = SceneWriter(volume, node)

    result = writer.write(save(doubtful_maps(other), tmp_path / "other"))

    assert result.verdicts == ()
    assert writer.warnings == ["What was accepted or dismissed before was given on another CT and is not applied."]


def test_candidates_are_outlines_that_can_be_switched_off(
    slicer_desktop: Desktop, panel: Any, node: Any, left_tumor: np.ndarray
) -> None:
    import slicer

    from SERUSegmentationLib.scene.nodes import OUTLINES, companion

    outlines = companion(node, OUTLINES)
    segmentation, display = outlines.GetSegmentation(), outlines.GetDisplayNode()
    ids = {segmentation.GetSegment(id).GetName(): id for id in segmentation.GetSegmentIDs()}
    assert set(ids) == {TUMOR, BOWEL}
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(outlines, ids[TUMOR], ct()) > 0, left_tumor)
    for id in ids.values():
        assert (display.GetSegmentVisibility2DFill(id), display.GetSegmentVisibility2DOutline(id)) == (False, True)

    click(panel.ui.showCandidatesCheckBox)

    assert [display.GetSegmentVisibility(id) for id in ids.values()] == [False, False]
    click(panel.ui.showCandidatesCheckBox)
    assert [display.GetSegmentVisibility(id) for id in ids.values()] == [True, True]


def test_candidates_are_in_no_segment_table_or_export(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    slicer_desktop.dialogs.answer(str(tmp_path / "out.csv"))
    click(panel.ui.exportCsvButton)

    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Finding"] for row in rows if row["Status"] != "sum"] == ["Left kidney", "Right kidney", "Right tumor"]
    assert node.GetSegmentation().GetNumberOfSegments() == 2


def test_doubtful_findings_come_in_and_a_script_s_own_confidence_stays_until_a_click(
    slicer_desktop: Desktop, panel: Any, node: Any, left_tumor: np.ndarray
) -> None:
    box = panel.ui.leaveOutCheckBox
    assert box.checked

    click(box)

    assert (labels_of(node, ct())[left_tumor] == 2).all()
    assert panel._parameterNode.minConfidence == 0.0
    assert titles(panel) == ["Left kidney", "Right kidney", "Left kidney 2", "Left tumor", "Right tumor"]
    panel._parameterNode.minConfidence = 0.1
    assert box.checked
    assert panel.parts.controller.state.options.min_confidence == pytest.approx(0.1)
    click(box)
    assert panel._parameterNode.minConfidence == 0.0
    click(box)
    assert panel._parameterNode.minConfidence == -1.0
    assert not (labels_of(node, ct())[left_tumor] == 2).any()


def test_the_banner_tells_remarks_and_is_hidden_without_any(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom, tmp_path: Path
) -> None:
    assert not panel.ui.remarksLabel.visible
    thin = small_phantom(shape_kji=(48, 96, 96), spacing_kji_mm=(5.0, 4.0, 4.0))
    volume = slicer_desktop.add_volume(thin.volume.array_kji, thin.volume.grid.ijk_to_ras, "thin")
    panel.ui.inputSelector.setCurrentNode(volume)

    from SERUSegmentationLib.scene.scene_writer import SceneWriter

    node = SceneWriter(volume).write(save(doubtful_maps(thin), tmp_path / "thin")).segmentationNode
    panel.ui.outputSelector.setCurrentNode(node)
    slicer_desktop.process_events()
    assert panel.ui.remarksLabel.text == ""
    assert not panel.ui.remarksLabel.visible
    maps = doubtful_maps(phantom)
    native = replace(maps, hu=np.full_like(maps.hu, 20))
    show_result(slicer_desktop, panel, save(native, tmp_path / "native"))
    lines = panel.ui.remarksLabel.text.splitlines()
    assert lines[0] == "Please check:"
    assert lines[1].startswith("\u2022 The kidneys have 20 HU, as without contrast agent")
    assert panel.ui.remarksLabel.textFormat == Qt.TextFormat.PlainText


def test_remarks_that_have_no_room_are_in_the_tooltip(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    panel.parts.controller.problems = [f"Remark {number} <b>is</b> told." for number in range(9)]
    panel.parts.findings.refresh()

    assert panel.ui.remarksLabel.text.splitlines()[-1].startswith("and ")
    assert "Remark 8" not in panel.ui.remarksLabel.text
    assert "Remark 8 &lt;b&gt;is&lt;/b&gt; told." in panel.ui.remarksLabel.toolTip


def add_ball(node: Any, name: str, where: tuple[slice, ...]) -> None:
    """Draw into one of our segments as the Segment Editor does."""
    import slicer

    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, ct())
    array[where] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segment_id, ct())


OUTSIDE = (slice(1, 3), slice(1, 9), slice(1, 9))


def test_edits_far_from_the_kidneys_are_asked_about_before_they_are_lost(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    add_ball(node, "Tumor", OUTSIDE)
    slicer_desktop.dialogs.answer("No")

    panel._parameterNode.splitSides = True

    assert "were edited by hand" in slicer_desktop.dialogs.shown[-1].text
    slicer_desktop.process_events()
    assert (labels_of(node, ct())[OUTSIDE] == 2).all()


def test_verdicts_and_alpha_leave_edits_outside_the_maps_alone(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    add_ball(node, "Tumor", OUTSIDE)

    accept_and_dismiss(panel)
    drag_slider(panel.ui.alphaSlider, 0.8, steps=2)

    assert (labels_of(node, ct())[OUTSIDE] == 2).all()
    assert panel.parts.controller.isEdited()


def test_edits_are_noticed_where_the_maps_are_gone(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    from SERUSegmentationLib.scene.nodes import MAPS, companion

    slicer_desktop.scene.RemoveNode(companion(node, MAPS))
    slicer_desktop.process_events()
    assert panel.parts.mayReplace()
    add_ball(node, "Kidney", OUTSIDE)

    slicer_desktop.dialogs.answer("No")

    assert not panel.parts.mayReplace()


def test_moving_alpha_is_no_edit(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    from SERUSegmentationLib.scene.content import isEdited

    move_alpha(slicer_desktop, panel, 0.9)
    assert not isEdited(node)
    drag_slider(panel.ui.alphaSlider, 0.8, steps=2)
    assert not isEdited(node)
    add_ball(node, "Kidney", OUTSIDE)

    drag_slider(panel.ui.alphaSlider, 0.3, steps=2)

    assert isEdited(node)


def test_a_deleted_result_takes_its_parts_along_and_no_neighbour_is_chosen(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    other = show_result(slicer_desktop, panel, maps_file)
    count = slicer_desktop.scene.GetNumberOfNodes()
    assert companions_of(other)

    slicer_desktop.scene.RemoveNode(other)
    slicer_desktop.process_events()

    assert panel.ui.outputSelector.currentNode() is None
    assert titles(panel) == []
    assert slicer_desktop.scene.GetNumberOfNodes() < count - 7
    assert len(companions_of(node)) == 7
    slicer_desktop.scene.RemoveNode(node)
    slicer_desktop.process_events()
    assert left_over(slicer_desktop.scene) == []
    assert folders(slicer_desktop.scene) == []


def test_what_the_user_put_into_a_result_s_folder_stays_with_it(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    scene = slicer_desktop.scene
    theirs = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "theirs")
    hierarchy = scene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
    [folder] = folders(scene)
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(theirs), folder)

    scene.RemoveNode(node)
    slicer_desktop.process_events()

    assert left_over(scene) == ["theirs"]
    assert folders(scene) == [folder]


def folders(scene: Any) -> list[int]:
    import vtk

    hierarchy = scene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
    items = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    ids = [items.GetId(number) for number in range(items.GetNumberOfIds())]
    return [item for item in ids if hierarchy.GetItemAttribute(item, "SERU.Folder")]


def companions_of(node: Any) -> list[Any]:
    from SERUSegmentationLib.scene.nodes import COMPANIONS, companion

    return [kept for role in COMPANIONS if (kept := companion(node, role)) is not None]


def left_over(scene: Any) -> list[str]:
    kinds = ("Segmentation", "MarkupsROI", "MarkupsFiducial", "Table", "Text")
    nodes = [scene.GetNthNode(number) for number in range(scene.GetNumberOfNodes())]
    return [kept.GetName() for kept in nodes if kept.GetClassName() in {f"vtkMRML{kind}Node" for kind in kinds}]


def rename(node: Any) -> None:
    companions_of(node)[0].SetName("my own stages")


def move_box(node: Any) -> None:
    from SERUSegmentationLib.scene.nodes import CROPS, companion

    box = companion(node, CROPS["left"])
    box.SetName(box.GetName())
    box.SetSize(10, 20, 30)


@pytest.mark.parametrize(("change", "answer", "count"), [(rename, "No", 1), (move_box, "No", 1), (rename, "Yes", 0)])
def test_parts_that_someone_worked_on_are_asked_about_once(
    slicer_desktop: Desktop, panel: Any, node: Any, change: Callable[[Any], None], answer: str, count: int
) -> None:
    drag_slider(panel.ui.alphaSlider, 0.7, steps=2)
    change(node)
    slicer_desktop.dialogs.answer(answer)

    slicer_desktop.scene.RemoveNode(node)
    slicer_desktop.process_events()

    assert "which were renamed or edited" in slicer_desktop.dialogs.shown[-1].text
    assert len(left_over(slicer_desktop.scene)) == count


def test_a_saved_and_loaded_result_is_deleted_without_a_question(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    accept_and_dismiss(panel)
    slicer_desktop.save_scene(tmp_path / "case.mrb")
    slicer_desktop.close_scene()
    assert slicer_desktop.open_scene(tmp_path / "case.mrb")

    slicer_desktop.scene.RemoveNode(panel.ui.outputSelector.currentNode())
    slicer_desktop.process_events()

    assert left_over(slicer_desktop.scene) == []


def test_no_selector_offers_what_belongs_to_a_result(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    accept_and_dismiss(panel)

    box = panel.ui.outputSelector.comboBox()

    entries = [box.itemData(row) for row in range(box.count)]
    assert [entry for entry in entries if entry] == [node.GetID()]
    from SERUSegmentationLib.scene.nodes import KEY_SLICES, TABLE, companion

    visible = [kept for kept in companions_of(node) if not kept.GetHideFromEditors()]
    assert visible == [companion(node, KEY_SLICES), companion(node, TABLE)]


def test_a_crop_box_is_off_in_the_slices_while_its_line_runs_across_the_chosen_finding(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    from SERUSegmentationLib.scene.nodes import CROPS, companion

    boxes = {side: companion(node, role).GetDisplayNode() for side, role in CROPS.items()}
    # The box ends with the kidney in this result; a tumor within the kidney is far from its faces.
    choose_row(panel, "Left kidney")
    assert {side: bool(box.GetVisibility2D()) for side, box in boxes.items()} == {"right": True, "left": False}
    assert all(box.GetVisibility3D() for box in boxes.values())

    choose_row(panel, "Right kidney")

    assert {side: bool(box.GetVisibility2D()) for side, box in boxes.items()} == {"right": False, "left": True}
