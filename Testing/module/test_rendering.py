"""How often the views are rendered, counted on their render windows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom
from seru.result.maps import load_maps
from Testing.desktop import Desktop, click, drag_slider
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import labels_of, move_alpha
from Testing.module.panel_fixtures import ct, node, panel
from Testing.module.scene_tools import fused_truth, maps_of, save, tiny_phantom

__all__ = ["node", "panel", "slicer_desktop"]

pytestmark = pytest.mark.drawn

SLICES = ("Red", "Green", "Yellow")
# Longer than a frame.
QUIET_S = 0.06


@pytest.fixture
def phantom() -> Phantom:
    return tiny_phantom()


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    return save(maps_of(phantom), tmp_path)


def settle(here: Desktop, views: dict[str, Any]) -> None:
    """Wait until no view is to be rendered, however slow the machine."""
    here.process_events(QUIET_S)
    here.wait_until(lambda: not any(view.isRenderAwaited() for view in views.values()))


@contextmanager
def counted(here: Desktop) -> Iterator[dict[str, int]]:
    """Count the renders of each view until it is quiet again."""
    views = {name: here.slice_view(name) for name in SLICES} | {"3D": here.three_d_view()}
    settle(here, views)
    counts = dict.fromkeys(views, 0)

    def observe(name: str) -> int:
        def count(*_arguments: Any) -> None:
            counts[name] += 1

        return views[name].renderWindow().AddObserver("EndEvent", count)

    tags = {name: observe(name) for name in views}
    yield counts
    settle(here, views)
    for name, tag in tags.items():
        views[name].renderWindow().RemoveObserver(tag)


def test_an_alpha_renders_each_slice_once_and_nothing_else(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    click(panel.ui.show3DButton)
    move_alpha(slicer_desktop, panel, 0.45)

    for alpha in (0.7, 0.2, 0.9):
        with counted(slicer_desktop) as counts:
            move_alpha(slicer_desktop, panel, alpha)
        assert counts == {"Red": 1, "Green": 1, "Yellow": 1, "3D": 0}


def test_of_many_alphas_in_a_frame_the_newest_is_shown(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    told: list[float] = []
    preview = panel.parts.controller.result.preview
    panel.parts.controller.result.preview = lambda alpha: told.append(alpha) or preview(alpha)

    with counted(slicer_desktop) as counts:
        for alpha in np.linspace(0.1, 0.8, 30):
            panel.ui.alphaSlider.valueIsChanging.emit(float(alpha))
        move_alpha(slicer_desktop, panel, 0.9)

    assert told == [pytest.approx(0.9)]
    assert counts == {"Red": 1, "Green": 1, "Yellow": 1, "3D": 0}
    assert np.array_equal(labels_of(node, ct()), fused_truth(load_maps(maps_file)[0], 0.9))


def test_one_event_tells_of_a_step(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    import slicer

    move_alpha(slicer_desktop, panel, 0.45)
    seen: list[str] = []
    scene = slicer.mrmlScene
    nodes = [scene.GetNthNode(number) for number in range(scene.GetNumberOfNodes())]
    tags = [(one, one.AddObserver("AnyEvent", lambda caller, event: seen.append(caller.GetID()))) for one in nodes]

    move_alpha(slicer_desktop, panel, 0.7)

    for one, tag in tags:
        one.RemoveObserver(tag)
    assert seen == [node.GetID()]


def test_a_view_without_the_segments_is_left_alone(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    node.GetDisplayNode().SetViewNodeIDs([slicer_desktop.slice_view("Green").mrmlSliceNode().GetID()])
    move_alpha(slicer_desktop, panel, 0.45)

    with counted(slicer_desktop) as counts:
        move_alpha(slicer_desktop, panel, 0.7)

    assert counts == {"Red": 0, "Green": 1, "Yellow": 0, "3D": 0}
    node.GetDisplayNode().SetVisibility2D(False)
    with counted(slicer_desktop) as counts:
        move_alpha(slicer_desktop, panel, 0.6)
    assert counts == {"Red": 0, "Green": 0, "Yellow": 0, "3D": 0}


def test_what_another_asked_of_a_view_meanwhile_is_rendered(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    move_alpha(slicer_desktop, panel, 0.45)

    with counted(slicer_desktop) as counts:
        slicer_desktop.three_d_view().mrmlViewNode().SetBackgroundColor(0.5, 0, 0)
        panel.parts.controller.preview(0.7)

    assert counts["3D"] == 1


def test_letting_alpha_go_renders_each_view_once(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    click(panel.ui.show3DButton)
    move_alpha(slicer_desktop, panel, 0.8)

    with counted(slicer_desktop) as counts:
        panel.ui.alphaSlider.value = 0.8

    assert panel._parameterNode.alpha == pytest.approx(0.8)
    assert counts == {"Red": 1, "Green": 1, "Yellow": 1, "3D": 1}


def test_letting_alpha_go_with_a_finding_outlined_renders_each_view_once(
    slicer_desktop: Desktop, panel: Any, node: Any
) -> None:
    panel.parts.findings.goToLargest()
    move_alpha(slicer_desktop, panel, 0.3)

    with counted(slicer_desktop) as counts:
        panel.ui.alphaSlider.value = 0.3

    assert panel.parts.controller.chosen is not None
    assert counts == {"Red": 1, "Green": 1, "Yellow": 1, "3D": 1}


def surface_ml(node: Any) -> float:
    """Return the volume inside the kidneys' surface as it is now; 0 without one."""
    import vtk

    segmentation, surface = node.GetSegmentation(), vtk.vtkPolyData()
    if not segmentation.ContainsRepresentation("Closed surface"):
        return 0.0
    node.GetClosedSurfaceRepresentation(segmentation.GetSegmentIdBySegmentName("Kidney"), surface)
    properties = vtk.vtkMassProperties()
    properties.SetInputData(surface)
    return properties.GetVolume() / 1000


def test_surfaces_wait_until_the_hand_rests(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    click(panel.ui.show3DButton)
    refined_ml = surface_ml(node)

    panel.ui.alphaSlider.value = 0.9

    assert surface_ml(node) == refined_ml
    assert panel.ui.show3DButton.checked
    # Whoever drags on is not held up, however long.
    move_alpha(slicer_desktop, panel, 0.95)
    slicer_desktop.process_events(0.4)
    assert surface_ml(node) == refined_ml
    # Back where it was: nothing but the clock tells of it.
    move_alpha(slicer_desktop, panel, 0.9)
    slicer_desktop.wait_until(lambda: surface_ml(node) != refined_ml)
    coarse_ml = surface_ml(node)
    assert coarse_ml > 1.1 * refined_ml

    panel.ui.alphaSlider.value = 0.1
    panel.ui.outputSelector.setCurrentNode(None)
    assert surface_ml(node) == pytest.approx(refined_ml)

    panel.ui.outputSelector.setCurrentNode(node)
    panel.ui.alphaSlider.value = 0.9
    click(panel.ui.show3DButton)
    slicer_desktop.process_events(0.4)
    assert surface_ml(node) == 0
    assert not panel.ui.show3DButton.checked


def test_a_result_is_rendered_once_when_it_is_written(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.scene_writer import SceneWriter

    with counted(slicer_desktop) as counts:
        SceneWriter(ct(), node).write(maps_file)

    assert counts == {"Red": 1, "Green": 1, "Yellow": 1, "3D": 1}


def test_choosing_a_finding_renders_each_slice_once(slicer_desktop: Desktop, panel: Any, node: Any) -> None:
    with counted(slicer_desktop) as counts:
        panel.parts.findings.goToLargest()

    assert max(counts.values()) == 1


def test_dragging_ends_in_the_labels_of_where_it_ends(
    slicer_desktop: Desktop, panel: Any, node: Any, maps_file: Path
) -> None:
    drag_slider(panel.ui.alphaSlider, 0.85, steps=5)
    drag_slider(panel.ui.alphaSlider, 0.15, steps=5)
    slicer_desktop.process_events(QUIET_S)

    assert np.array_equal(labels_of(node, ct()), fused_truth(load_maps(maps_file)[0], 0.15))
    assert not panel.parts.controller.isMoving
