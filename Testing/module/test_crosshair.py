"""*Key slice here* and *Missed something?*: what the crosshair points at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom
from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import show_result, turn
from Testing.module.scene_tools import doubtful_maps, maps_of, save
from Testing.module.warm_panel import panel, shared_worker, small, wait_for, warm

__all__ = ["panel", "shared_worker", "slicer_desktop", "small", "warm"]

pytestmark = pytest.mark.drawn


def put_crosshair(desktop: Desktop, ijk: Any) -> None:
    """Put the crosshair on a voxel of the CT, where the scene shows it."""
    import slicer

    from SERUSegmentationLib.scene.geometry import gridOf, toWorld

    volume = slicer.util.getNode("CT")
    node = desktop.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    node = node or desktop.scene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    node.SetCrosshairRAS(toWorld(volume, gridOf(volume).ras_of_ijk(ijk)))


def open_key_slices(desktop: Desktop, panel: Any) -> None:
    panel.ui.keySlicesCollapsibleButton.collapsed = False
    desktop.process_events()


def middle_of(mask_kji: np.ndarray) -> list[int]:
    """A voxel (i, j, k) of a mask, near its middle."""
    places = np.argwhere(mask_kji)
    nearest = np.linalg.norm(places - places.mean(axis=0), axis=1).argmin()
    return places[nearest][::-1].tolist()


def test_the_box_of_the_crosshairs_side_is_centred_on_it_and_refined_in_a_turned_ct(
    slicer_desktop: Desktop, panel: Any
) -> None:
    import slicer

    turn(slicer_desktop, panel.ui.inputSelector.currentNode())
    click(panel.ui.segmentButton)
    wait_for(slicer_desktop, panel)
    open_key_slices(slicer_desktop, panel)
    before = panel.parts.controller.report
    size = np.array(before.left.crop.ijk_max) - before.left.crop.ijk_min + 1
    place = np.array(before.left.crop.ijk_min) + size // 2 + [-3, 2, -2]

    put_crosshair(slicer_desktop, place)
    click(panel.ui.keySliceHereButton)
    assert panel.ui.crosshairLabel.text == "The left side is refined around the crosshair."
    wait_for(slicer_desktop, panel)

    crop = panel.parts.controller.report.left.crop
    assert (np.array(crop.ijk_max) - crop.ijk_min + 1).tolist() == size.tolist()
    centre = (np.array(crop.ijk_min) + crop.ijk_max) / 2
    assert np.abs(centre - place)[:2].max() <= 0.5
    assert (crop.ijk_min[2], crop.ijk_max[2]) == (before.left.crop.ijk_min[2], before.left.crop.ijk_max[2])
    after = panel.parts.controller.report
    assert after.right == before.right
    assert after.left.key_slice.index == place[2] != before.left.key_slice.index
    points = slicer.util.getNode("*key slices")
    shown = {points.GetNthControlPointLabel(n): n for n in range(points.GetNumberOfControlPoints())}
    point = np.zeros(3)
    points.GetNthControlPointPosition(shown["Key slice left"], point)
    np.testing.assert_allclose(point, after.left.key_slice.position_ras, atol=1e-3)
    assert not panel.ui.crosshairLabel.visible, "it was said of the result before"
    click(panel.ui.keySliceHereButton)
    assert panel.ui.crosshairLabel.text == "The crop box lies there already."
    click(panel.ui.undoBoxesButton)
    wait_for(slicer_desktop, panel)
    assert panel.parts.controller.report.left.crop == before.left.crop

    # At the edge of the CT, on the right of the body: the right box, kept inside.
    put_crosshair(slicer_desktop, (0, 0, 0))
    click(panel.ui.missedButton)
    wait_for(slicer_desktop, panel)
    after = panel.parts.controller.report
    assert after.left.crop == before.left.crop
    assert after.right.crop.ijk_min == (0, 0, 0)


def test_a_candidate_under_the_crosshair_is_accepted_without_any_run(
    slicer_desktop: Desktop, panel: Any, small: Phantom, tmp_path: Path
) -> None:
    show_result(slicer_desktop, panel, save(doubtful_maps(small), tmp_path))
    open_key_slices(slicer_desktop, panel)
    tumor = (small.labels_kji == 2) & (small.side_kji == 2)
    place = middle_of(tumor)
    assert [one.status for one in tumors_of(panel)] == ["candidate"]

    put_crosshair(slicer_desktop, place)
    click(panel.ui.missedButton)

    assert not panel.logic.isRunning
    assert panel.ui.crosshairLabel.text == "Left tumor: it was not believed, and is accepted now."
    assert [one.status for one in tumors_of(panel)] == ["accepted"]
    click(panel.ui.missedButton)
    assert panel.ui.crosshairLabel.text == "A tumor is found here already."


def tumors_of(panel: Any) -> list[Any]:
    return [
        one.finding
        for one in panel.parts.controller.measured
        if one.finding.kind == "tumor" and one.finding.side == "left"
    ]


def test_an_alpha_that_finds_more_under_the_crosshair_is_told(
    slicer_desktop: Desktop, panel: Any, small: Phantom, tmp_path: Path
) -> None:
    maps = maps_of(small, alpha=0.4)
    show_result(slicer_desktop, panel, save(maps, tmp_path))
    open_key_slices(slicer_desktop, panel)
    # The coarse stage alone has it, and is surely right: from one half on.
    rim = maps.whole(maps.on_box((maps.coarse[:, 0] == 255) & (maps.refined.max(axis=1) == 0)).astype(np.uint8)) > 0

    put_crosshair(slicer_desktop, np.argwhere(rim)[0][::-1])
    click(panel.ui.missedButton)

    assert not panel.logic.isRunning
    assert panel.ui.crosshairLabel.text == "At alpha 0.55 kidney is found here."


def test_a_crosshair_outside_the_ct_is_told(
    slicer_desktop: Desktop, panel: Any, small: Phantom, tmp_path: Path
) -> None:
    assert not panel.ui.missedButton.enabled
    show_result(slicer_desktop, panel, save(maps_of(small), tmp_path))
    open_key_slices(slicer_desktop, panel)

    put_crosshair(slicer_desktop, (-1, 5, 5))
    for button in (panel.ui.keySliceHereButton, panel.ui.missedButton):
        click(button)
        assert panel.ui.crosshairLabel.text.startswith("The crosshair is not in the CT")
