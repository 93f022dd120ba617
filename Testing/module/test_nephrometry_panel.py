"""*Nephrometry* in the panel: the scores, what is drawn of them in the views, and that neither is ever out of date.

The right kidney's centre is at R 50, A 0, S 0; the polar lines of its sinus are at S -20 and 20. The refined stage sees
a tumor of 28 mm there, the coarse one a tumor of 40 mm round the same centre, at R 54, A -22, S 30.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom, PhantomOptions
from seru.result.labelled import measure_labels
from seru.result.nephrometry import Study, studies
from seru.volume import Volume
from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import move_alpha, turn
from Testing.module.panel_fixtures import ct, node, panel
from Testing.module.scene_tools import make_maps, save
from Testing.seru.nephrometry_by_hand import Sphere, labels_of, sides_of

__all__ = ["node", "panel", "slicer_desktop"]

REFINED = [Sphere(up=30, back=22, medial=-4, radius=14), Sphere(up=-38, back=0, medial=-6, radius=6)]
COARSE = [Sphere(up=30, back=22, medial=-4, radius=20), REFINED[1]]
SPACING_MM = (4.0, 4.0, 4.0)
LINES = {"Long axis", "Longest diameter", "Between the centres", "To the sinus"}
ALL = LINES | {"Polar lines", "Polar lines and coronal plane"}
OUTDATED = "The segments have changed; click Nephrometry to score them as they are now."


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    labels, grid = labels_of(REFINED, SPACING_MM)
    hu = np.where(labels > 0, 100 + 20 * labels.astype(np.int16), -50).astype(np.int16)
    return Phantom(Volume(hu, grid), labels, sides_of(labels, grid), PhantomOptions())


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    grid = phantom.volume.grid
    coarse = labels_of(COARSE, SPACING_MM)[0]
    return save(make_maps(grid.ijk_to_ras, coarse, phantom.labels_kji, sides_of(coarse, grid)), tmp_path)


@pytest.fixture(scope="module")
def expected(phantom: Phantom) -> Study:
    grid = phantom.volume.grid
    labels = phantom.labels_kji
    found = studies(labels, phantom.side_kji, grid, measure_labels(labels, grid).findings)["right"]
    assert found is not None
    return found


def choose(panel: Any, title: str) -> None:
    table = panel.ui.findingsTable
    row = next(row for row in range(table.rowCount) if table.item(row, 0).text() == title)
    table.setCurrentCell(row, 0)


def score(desktop: Desktop, panel: Any, areShown: bool = True) -> None:
    """Choose the large tumor and click; show the lines as well."""
    choose(panel, "Right tumor")
    click(panel.ui.nephrometryButton)
    if areShown and not panel.ui.showNephrometryCheckBox.checked:
        click(panel.ui.showNephrometryCheckBox)
    desktop.process_events()


def drawn() -> dict[str, Any]:
    """What is drawn over results in the scene, or was over one that has gone, by its name."""
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLDisplayableNode")
    return {node.GetName(): node for node in nodes if node.GetNthNodeReferenceID("SERU.Scored", 0)}


def displays() -> int:
    """How many nodes of the scene say how markups and models are shown, besides each slice view's own in 3D."""
    import slicer

    of_views = len(slicer.util.getNodesByClass("vtkMRMLSliceNode"))
    found = [len(slicer.util.getNodesByClass(f"vtkMRML{kind}DisplayNode")) for kind in ("Markups", "Model")]
    return sum(found) - of_views


def ends_of(name: str) -> np.ndarray:
    import slicer

    return slicer.util.arrayFromMarkupsControlPoints(drawn()[name], world=True)


def planes() -> np.ndarray:
    """The corners in world coordinates, shape (plane, corner, 3): lower line, midline, upper line, coronal plane."""
    import slicer

    model = drawn()["Polar lines and coronal plane"]
    corners = slicer.util.arrayFromModelPoints(model).astype(float)
    transform = model.GetParentTransformNode()
    matrix = np.eye(4) if transform is None else slicer.util.arrayFromTransformMatrix(transform)
    assert model.GetPolyData().GetNumberOfCells() == 4
    return (corners @ matrix[:3, :3].T + matrix[:3, 3]).reshape(4, 4, 3)


def rows_of(panel: Any) -> dict[str, tuple[str, str]]:
    """First line of the value, and points, by the component."""
    table = panel.ui.nephrometryTable
    texts = [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount)]
    return {name: (value.splitlines()[0], points) for name, value, points in texts}


def places(desktop: Desktop) -> list[float]:
    """Where the sagittal, coronal and axial view stand: R, A and S."""
    manager = desktop.layout_manager
    nodes = [manager.sliceWidget(name).mrmlSliceNode() for name in ("Yellow", "Green", "Red")]
    return [node.GetSliceToRAS().GetElement(axis, 3) for axis, node in enumerate(nodes)]


def test_the_scores_stand_component_by_component_and_ask_to_be_checked(
    slicer_desktop: Desktop, panel: Any, node: Any, expected: Study
) -> None:
    ui = panel.ui
    assert not ui.nephrometryButton.enabled
    choose(panel, "Left kidney")
    assert not ui.nephrometryButton.enabled

    score(slicer_desktop, panel, areShown=False)

    scores = expected.scores
    assert ui.nephrometryLabel.text == (
        f"Right tumor: R.E.N.A.L. {scores.renal.text}, PADUA {scores.padua.text}. Of the largest of 2 tumors. "
        "Check each component: no label shows sinus, vessels or collecting system."
    )
    rows = rows_of(panel)
    for part in (scores.renal, scores.padua):
        for aspect in part.aspects:
            assert rows[f"{part.name} {aspect.name}"] == (aspect.value or "not known", str(aspect.points or ""))
    assert rows["C-index"] == (scores.centrality.value, "")
    assert rows["split renal volume"][0] == scores.split.value
    row = list(rows).index("R.E.N.A.L. nearness")
    assert f"distance {expected.drawing.sinus.distance.mm:.1f} mm" in ui.nephrometryTable.item(row, 1).text()
    assert "between faces of voxels" in ui.nephrometryTable.item(row, 1).toolTip()
    # Nothing is drawn unasked, and the other kidney has no tumor.
    assert drawn() == {}
    choose(panel, "Left kidney")
    assert not ui.nephrometryTable.visible
    assert not ui.showNephrometryCheckBox.enabled
    # Measured as they are, the segments have the same scores, said beside their volumes.
    click(ui.measureSegmentsButton)
    assert ui.measuredLabel.text.splitlines()[2].startswith(f"Right tumor: R.E.N.A.L. {scores.renal.text}, PADUA")
    assert "Check each component" in ui.measuredLabel.text


def test_lines_and_planes_lie_where_they_were_computed_and_are_nobody_s_to_change(
    slicer_desktop: Desktop, panel: Any, node: Any, expected: Study
) -> None:
    import slicer

    before = displays()
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "my own")
    own.CreateDefaultDisplayNodes()
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActivePlaceNodeID(own.GetID())

    score(slicer_desktop, panel)

    assert set(drawn()) == ALL
    # One display each, and no default one besides.
    assert displays() == before + 1 + len(ALL)
    assert selection.GetActivePlaceNodeID() == own.GetID()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    for line in drawn().values():
        display = line.GetDisplayNode()
        assert not line.IsA("vtkMRMLMarkupsNode") or line.GetLocked()
        assert line.GetHideFromEditors()
        assert not hierarchy.GetItemByDataNode(line)
        assert (display.GetVisibility2D(), display.GetVisibility3D()) == (1, 0)
    for name, line in {
        "Longest diameter": expected.drawing.diameter,
        "To the sinus": expected.drawing.sinus.distance,
        "Between the centres": expected.drawing.centres,
        "Long axis": expected.drawing.axis,
    }.items():
        assert ends_of(name) == pytest.approx(np.array([line.start_ras, line.end_ras]), abs=1e-6)
        assert drawn()[name].GetMeasurement("length").GetValue() == pytest.approx(line.mm, abs=1e-6)
        # Each is named at one end, not all of them in the middle, where they meet.
        names = sorted(drawn()[name].GetNthControlPointLabel(number) for number in range(2))
        assert names == ["", f"{name} {line.mm:.1f} mm"]
    corners = planes()
    for number, height in enumerate((-20, 0, 20)):
        assert corners[number, :, 2] == pytest.approx(np.full(4, height), abs=2.1)
    assert corners[3, :, 1] == pytest.approx(np.zeros(4), abs=2.1)
    assert np.ptp(corners[3], axis=0)[[0, 2]] == pytest.approx((76, 100), abs=6)
    # Each line is named at its right and its front edge, straight beside the long axis.
    names = [drawn()["Polar lines"].GetNthControlPointLabel(number) for number in range(6)]
    assert names == [name for name in ("Lower polar line", "Midline", "Upper polar line") for _ in range(2)]
    expected_ras = [(place, height) for height in (-20, 0, 20) for place in ((88, 0), (50, 38))]
    named = ends_of("Polar lines")
    assert named == pytest.approx(np.array([(*place, height) for place, height in expected_ras]), abs=4.1)
    # There it hides no other name: the centre of the kidney, where one stands, lies on the midline.
    others = [ends_of(name) for name in LINES]
    assert min(np.linalg.norm(named[:, np.newaxis] - np.concatenate(others), axis=2).min(axis=1)) > 15
    assert places(slicer_desktop) == pytest.approx(expected.drawing.diameter.middle_ras, abs=1e-3)

    # A row leads to where it was measured.
    row = list(rows_of(panel)).index("R.E.N.A.L. location")
    panel.ui.nephrometryTable.setCurrentCell(row, 0)
    assert places(slicer_desktop)[2] == pytest.approx(-20, abs=2)
    click(panel.ui.showNephrometryCheckBox)
    assert drawn() == {}
    assert displays() == before + 1


def test_the_lines_turn_with_the_ct_also_when_it_is_turned_later(
    slicer_desktop: Desktop, panel: Any, node: Any, expected: Study
) -> None:
    score(slicer_desktop, panel)
    diameter = expected.drawing.diameter

    matrix = turn(slicer_desktop, ct())

    ends = np.array([diameter.start_ras, diameter.end_ras]) @ matrix[:3, :3].T + matrix[:3, 3]
    assert ends_of("Longest diameter") == pytest.approx(ends, abs=1e-6)
    # Front and back are right and left now.
    assert planes()[3, :, 0] == pytest.approx(np.full(4, 40), abs=2.1)
    # Drawn anew under the transform; the segmentation is turned with its CT.
    node.SetAndObserveTransformNodeID(ct().GetTransformNodeID())
    score(slicer_desktop, panel)
    assert ends_of("Longest diameter") == pytest.approx(ends, abs=1e-6)
    assert places(slicer_desktop) == pytest.approx(ends.mean(axis=0), abs=1e-3)


def test_alpha_and_verdicts_take_scores_and_lines_away_and_a_click_scores_what_is_there_then(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    score(slicer_desktop, panel)

    move_alpha(slicer_desktop, panel, 0.8)

    assert drawn() == {}
    assert panel.ui.nephrometryLabel.text == OUTDATED
    assert not panel.ui.nephrometryTable.visible
    assert not panel.ui.nephrometryButton.enabled
    panel.ui.alphaSlider.value = 0.8
    slicer_desktop.process_events()
    score(slicer_desktop, panel)
    # What is ticked stays so: the coarse stage's tumor is 40 mm across.
    assert np.linalg.norm(np.diff(ends_of("Longest diameter"), axis=0)) == pytest.approx(40, abs=4)
    click(panel.ui.dismissFindingButton)
    slicer_desktop.process_events()
    assert drawn() == {}
    score(slicer_desktop, panel, areShown=False)
    assert "Of the largest" not in panel.ui.nephrometryLabel.text
    assert rows_of(panel)["R.E.N.A.L. radius"] == ("4 cm or less", "1")


def draw_more(node: Any) -> None:
    """Draw a bar from the tumor's centre to the end of the image in the back, at A -68."""
    import slicer

    id = node.GetSegmentation().GetSegmentIdBySegmentName("Tumor")
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(node, id, ct())
    voxels[24:26, 22:, 10:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, node, id, ct())


def test_edits_by_hand_are_scored_as_they_are_and_an_undone_one_is_noticed_too(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    import slicer

    score(slicer_desktop, panel)
    history = slicer.vtkSegmentationHistory()
    history.SetSegmentation(node.GetSegmentation())
    history.SaveState()

    draw_more(node)

    assert drawn() == {}
    assert panel.ui.nephrometryLabel.text == OUTDATED
    score(slicer_desktop, panel)
    assert np.linalg.norm(np.diff(ends_of("Longest diameter"), axis=0)) == pytest.approx(68 - 22 + 14, abs=4)
    history.RestorePreviousState()
    assert drawn() == {}
    assert panel.ui.nephrometryLabel.text == OUTDATED
    # Rubbed out, there is nothing to score, and that is said.
    id = node.GetSegmentation().GetSegmentIdBySegmentName("Tumor")
    nothing = np.zeros(ct().GetImageData().GetDimensions()[::-1], np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(nothing, node, id, ct())
    score(slicer_desktop, panel, areShown=False)
    assert panel.ui.nephrometryLabel.text == (
        "As they were edited, the segments show no kidney with a tumor on this side."
    )
    assert drawn() == {}


def test_colors_surfaces_and_another_module_leave_the_lines_alone_and_an_edit_there_does_not(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    score(slicer_desktop, panel)
    before = list(drawn().values())

    node.GetSegmentation().GetNthSegment(0).SetColor(0.1, 0.2, 0.3)
    click(panel.ui.show3DButton)
    panel.ui.shownComboBox.setCurrentIndex(1)
    choose(panel, "Right kidney")
    slicer_desktop.process_events()

    assert list(drawn().values()) == before
    slicer_desktop.leave_module()
    slicer_desktop.process_events()
    assert list(drawn().values()) == before
    draw_more(node)
    assert drawn() == {}


def test_the_lines_go_with_the_result(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    score(slicer_desktop, panel)

    other = slicer_desktop.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "another")
    panel.ui.outputSelector.setCurrentNode(other)
    slicer_desktop.process_events()
    assert drawn() == {}

    panel.ui.outputSelector.setCurrentNode(node)
    slicer_desktop.process_events()
    assert not panel.ui.nephrometryLabel.visible
    score(slicer_desktop, panel)
    slicer_desktop.scene.RemoveNode(node)
    slicer_desktop.process_events()
    # Nothing of the boxes and key slices is left either.
    assert (drawn(), displays()) == ({}, 0)
    assert slicer_desktop.dialogs.shown == []


def test_a_scene_that_is_saved_while_they_are_shown_holds_nothing_of_them(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    before = displays()
    score(slicer_desktop, panel)
    slicer_desktop.save_scene(tmp_path / "case.mrb")
    assert set(drawn()) == ALL
    with zipfile.ZipFile(tmp_path / "case.mrb") as archive:
        text = next(archive.read(name).decode() for name in archive.namelist() if name.endswith(".mrml"))
    assert "SERU.KeySlices" in text
    # No node, and no reference to one, whose id another node may have when the file is loaded.
    assert not [name for name in (*ALL, "SERU.Scored", "MarkupsLine") if name in text]

    slicer_desktop.close_scene()
    assert slicer_desktop.open_scene(tmp_path / "case.mrb")

    assert (drawn(), displays()) == ({}, before)
    score(slicer_desktop, panel, areShown=False)
    assert panel.ui.nephrometryTable.visible


def test_a_result_whose_ct_has_gone_is_still_scored(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    slicer_desktop.scene.RemoveNode(ct())
    slicer_desktop.process_events()
    panel.ui.outputSelector.setCurrentNode(node)
    slicer_desktop.process_events()

    score(slicer_desktop, panel)

    assert set(drawn()) == ALL
