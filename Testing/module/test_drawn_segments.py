"""*Measure this segmentation*: the segments as they are, whoever drew them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom
from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module
from Testing.module.panel_fixtures import ct, node, panel
from Testing.module.scene_tools import maps_of, save, tiny_phantom

__all__ = ["node", "panel", "slicer_desktop"]


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return tiny_phantom()


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    return save(maps_of(phantom), tmp_path)


def add_segmentation(masks_kji: dict[str, np.ndarray], reference: Any = None) -> Any:
    """Add a segmentation of someone else's, with plain segments of these names."""
    import slicer

    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(reference or ct())
    for name, mask in masks_kji.items():
        id = segmentation.GetSegmentation().AddEmptySegment(name, name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, id, reference or ct())
    return segmentation


def measure(desktop: Desktop, panel: Any, segmentation: Any) -> dict[str, dict[str, str]]:
    """Choose a segmentation, measure it, and return the rows of its table by their titles."""
    from SERUSegmentationLib.scene.measurement_table import exportCsv

    panel.ui.outputSelector.setCurrentNode(segmentation)
    panel.ui.measurementsCollapsibleButton.collapsed = False
    desktop.process_events()
    click(panel.ui.measureSegmentsButton)
    path = desktop.temporary_folder / "drawn.csv"
    exportCsv(segmentation, path)
    with open(path, encoding="utf-8", newline="") as file:
        return {row["Finding"]: row for row in csv.DictReader(file)}


def test_a_result_that_was_edited_is_measured_as_it_is(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom
) -> None:
    import slicer

    id = node.GetSegmentation().GetSegmentIdBySegmentName("Tumor")
    drawn = slicer.util.arrayFromSegmentBinaryLabelmap(node, id, ct())
    drawn[4:8, 4:10, 4:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, id, ct())

    rows = measure(slicer_desktop, panel, node)

    ml = phantom.volume.grid.voxel_ml
    tumors = [float(row["Volume (ml)"]) for title, row in rows.items() if row["Kind"] == "tumor" and row["Number"]]
    assert any(volume == pytest.approx(4 * 6 * 8 * ml, rel=1e-3) for volume in tumors)
    assert float(rows["Sum of tumors"]["Volume (ml)"]) == pytest.approx(drawn.sum() * ml, rel=1e-3)
    assert {row["Confidence"] for row in rows.values()} == {""}
    lines = panel.ui.measuredLabel.text.splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["Right", "Left"]
    assert panel.ui.measuredLabel.visible

    # It is said of this segmentation alone.
    panel.ui.outputSelector.setCurrentNode(None)
    slicer_desktop.process_events()
    assert not panel.ui.measuredLabel.visible


def test_segments_of_another_program_are_known_by_their_names_and_the_others_are_named(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom
) -> None:
    labels, sides = phantom.labels_kji, phantom.side_kji
    masks = {
        "right kidney": (labels > 0) & (sides == 1),
        "Left Kidney": (labels > 0) & (sides == 2),
        "Renal mass": labels == 2,
        "Liver": np.roll(labels > 0, 9, axis=2),
    }

    rows = measure(slicer_desktop, panel, add_segmentation(masks))

    ml = phantom.volume.grid.voxel_ml
    for kind, label in (("kidneys", 1), ("tumors", 2)):
        both = [row for title, row in rows.items() if title == f"Sum of {kind}" and row["Side"] == "both"]
        assert float(both[0]["Volume (ml)"]) == pytest.approx((labels == label).sum() * ml, rel=1e-3)
    assert "Neither kidney nor tumor: Liver" in panel.ui.measuredLabel.text
    # Nothing of the segmentation itself is touched.
    assert not panel.ui.resultWidget.enabled


def test_a_turned_ct_and_its_segments_have_the_same_volumes(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom
) -> None:
    import slicer
    import vtk

    segmentation = add_segmentation({"kidney": phantom.labels_kji > 0})
    straight = measure(slicer_desktop, panel, segmentation)
    turn = vtk.vtkTransform()
    turn.RotateZ(30)
    turn.Translate(11, -7, 5)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "Turned")
    transform.SetMatrixTransformToParent(turn.GetMatrix())
    for moved in (ct(), segmentation):
        moved.SetAndObserveTransformNodeID(transform.GetID())

    turned = measure(slicer_desktop, panel, segmentation)

    assert turned == straight
    assert len(turned) >= 3


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["Liver"], "No segment of 'Drawn' is called kidney or tumor"),
        ([], "No segment of 'Drawn' is called kidney or tumor"),
        (["kidney"], "have no voxel in the CT 'CT'"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    slicer_desktop: Desktop, panel: Any, phantom: Phantom, names: list[str], sentence: str
) -> None:
    import slicer

    panel.ui.outputSelector.setCurrentNode(
        add_segmentation({name: np.zeros_like(phantom.labels_kji) for name in names})
    )
    slicer_desktop.process_events()
    click(panel.ui.measureSegmentsButton)

    assert sentence in panel.ui.statusLabel.text
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLTableNode") == 0
    assert not panel.ui.measuredLabel.visible


def test_without_a_segmentation_there_is_nothing_to_measure(slicer_desktop: Desktop) -> None:
    widget = open_module(slicer_desktop)

    assert not widget.ui.measureSegmentsButton.enabled


def test_measures_under_a_transform_that_bends_are_doubted(
    slicer_desktop: Desktop, panel: Any, node: Any, phantom: Phantom
) -> None:
    import slicer

    from Testing.module.test_scene_writer import grid_transform, linear_transform

    said = "The CT lies under a transform that bends it"
    for transform, is_doubted in ((linear_transform, False), (grid_transform, True)):
        ct().SetAndObserveTransformNodeID(transform(slicer.mrmlScene).GetID())
        measure(slicer_desktop, panel, node)
        panel.parts.findings.refresh()
        assert (said in panel.ui.measuredLabel.text) == is_doubted
        assert (said in panel.ui.remarksLabel.text) == is_doubted
