"""What Segment writes into a real MRML scene, and that it lands where the truth lies in world space."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

import vtk  # noqa: E402

from seru.errors import BadInputError  # noqa: E402
from seru.grid import Grid  # noqa: E402
from seru.options import SegmentOptions  # noqa: E402
from seru.phantom import Phantom  # noqa: E402
from seru.result import finish  # noqa: E402
from seru.result.maps import load_maps, save_maps  # noqa: E402
from SERUSegmentationLib.scene.live_result import LiveResult  # noqa: E402
from SERUSegmentationLib.scene.markups import keySlicePosition  # noqa: E402
from SERUSegmentationLib.scene.measurement_table import exportCsv  # noqa: E402
from SERUSegmentationLib.scene.nodes import (  # noqa: E402
    COMPANIONS,
    CROPS,
    DRAWN_TABLE,
    KEY_SLICES,
    MAPS,
    OUTLINES,
    STAGES,
    TABLE,
    VERDICTS,
    companion,
    ensureOverlay,
)
from SERUSegmentationLib.scene.scene_writer import SceneWriter  # noqa: E402
from SERUSegmentationLib.scene.segment_layer import SURFACE, TAG, tagOf  # noqa: E402
from SERUSegmentationLib.scene.segments import Shown, showStage  # noqa: E402
from SERUSegmentationLib.scene.stored_result import readMaps  # noqa: E402
from Testing.module.scene_tools import (  # noqa: E402
    add_volume,
    bare_scene,
    fused_truth,
    maps_of,
    report_of,
    save,
    small_phantom,
    tiny_phantom,
)


@pytest.fixture
def scene() -> Any:
    with bare_scene() as scene:
        yield scene


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return small_phantom()


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    return save(maps_of(phantom), tmp_path)


def segment_array(node: Any, name: str, volume: Any) -> np.ndarray:
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)


def labels_of(node: Any, volume: Any) -> np.ndarray:
    return np.where(segment_array(node, "Tumor", volume) > 0, 2, segment_array(node, "Kidney", volume) > 0)


def own_ids(node: Any) -> dict[str, str]:
    segmentation = node.GetSegmentation()
    return {tagOf(segmentation.GetSegment(id)): id for id in segmentation.GetSegmentIDs()}


def linear_transform(scene: Any) -> Any:
    transform = vtk.vtkTransform()
    transform.Translate(30, -20, 55)
    transform.RotateWXYZ(25, 0.3, 1, 0.2)
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    node.SetMatrixTransformToParent(transform.GetMatrix())
    return node


def grid_transform(scene: Any) -> Any:
    """A gentle bend, like the one that corrects a gantry tilt."""
    grid = vtk.vtkImageData()
    grid.SetDimensions(9, 9, 9)
    grid.SetOrigin(-300, -300, -300)
    grid.SetSpacing(75, 75, 75)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    vectors = vtk.util.numpy_support.vtk_to_numpy(grid.GetPointData().GetScalars()).reshape(9, 9, 9, 3)
    k, _j, i = np.meshgrid(*[np.arange(9)] * 3, indexing="ij")
    vectors[..., 0] = 6 * np.sin(k / 3) + 12
    vectors[..., 1] = 0.25 * 75 * (k - 4)
    vectors[..., 2] = 4 * np.cos(i / 4) - 15
    transform = vtk.vtkGridTransform()
    transform.SetDisplacementGridData(grid)
    transform.SetInterpolationModeToCubic()
    node = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "bent")
    node.SetAndObserveTransformFromParent(transform)
    return node


TRANSFORMS = {"none": lambda scene: None, "linear": linear_transform, "grid": grid_transform}
GRIDS = {
    "LPS": {},
    "flipped": {"orientation": "RAS"},
    "sagittal": {"orientation": "PIR"},
    "KiTS": {"orientation": "IPL"},
    "oblique": {"oblique_degrees": (12.0, -7.0, 20.0)},
    "oblique coronal": {"orientation": "LSA", "oblique_degrees": (5.0, 9.0, -15.0)},
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("grid", GRIDS)
def test_the_segments_land_where_the_truth_lies_in_world_space(
    scene: Any, tmp_path: Path, grid: str, transform: str
) -> None:
    phantom = tiny_phantom(**GRIDS[grid])
    volume = add_volume(phantom)
    parent = TRANSFORMS[transform](scene)
    volume.SetAndObserveTransformNodeID(parent.GetID() if parent else None)

    node = SceneWriter(volume).write(save(maps_of(phantom), tmp_path), SegmentOptions(alpha=0.0)).segmentationNode

    for label, name in ((1, "Kidney"), (2, "Tumor")):
        segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
        contains = surface_contains if transform == "grid" else labelmap_contains
        inside = contains(node, segment_id, world_points(phantom, phantom.labels_kji == label, parent)[::3])
        outside = contains(node, segment_id, world_points(phantom, phantom.labels_kji == 0, parent)[::23])
        assert inside.mean() > 0.95
        assert outside.mean() < 0.01


def world_points(phantom: Phantom, mask: np.ndarray, parent: Any) -> np.ndarray:
    """World positions of voxel centres, worked out without the module."""
    kji = np.argwhere(mask)
    points = (phantom.volume.grid.ijk_to_ras @ np.c_[kji[:, ::-1], np.ones(len(kji))].T)[:3].T
    if parent is None:
        return points
    transform = vtk.vtkGeneralTransform()
    parent.GetTransformToWorld(transform)
    return np.array([transform.TransformPoint(point) for point in points])


def surface_contains(node: Any, segment_id: str, points: np.ndarray) -> np.ndarray:
    """Whether points lie inside a segment's surface, taken to world space.

    Slicer's resampling of a labelmap under a bend bounds it by its corners alone and loses voxels; surfaces lose none.
    """
    node.GetSegmentation().SetConversionParameter("Smoothing factor", "0.0")
    node.CreateClosedSurfaceRepresentation()
    surface = vtk.vtkPolyData()
    node.GetClosedSurfaceRepresentation(segment_id, surface)
    to_world = vtk.vtkTransformPolyDataFilter()
    to_world.SetInputData(surface)
    to_world.SetTransform(parent_transform(node.GetParentTransformNode()))
    to_world.Update()
    cloud = vtk.vtkPolyData()
    vtk_points = vtk.vtkPoints()
    vtk_points.SetData(vtk.util.numpy_support.numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    cloud.SetPoints(vtk_points)
    enclosed = vtk.vtkSelectEnclosedPoints()
    enclosed.SetInputData(cloud)
    enclosed.SetSurfaceData(to_world.GetOutput())
    enclosed.Update()
    return np.array([enclosed.IsInside(number) for number in range(len(points))], bool)


def labelmap_contains(node: Any, segment_id: str, points: np.ndarray) -> np.ndarray:
    """Whether points lie inside a segment's labelmap as Slicer gives it in world space."""
    image = slicer.vtkOrientedImageData()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.GetSegmentBinaryLabelmapRepresentation(node, segment_id, image, True)
    matrix = vtk.vtkMatrix4x4()
    image.GetWorldToImageMatrix(matrix)
    ijk = np.rint((slicer.util.arrayFromVTKMatrix(matrix) @ np.c_[points, np.ones(len(points))].T)[:3].T).astype(int)
    extent = np.array(image.GetExtent()).reshape(3, 2)
    array = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    array = array.reshape([high - low + 1 for low, high in extent[::-1]])
    is_in = ((ijk >= extent[:, 0]) & (ijk <= extent[:, 1])).all(axis=1)
    k, j, i = (np.clip(ijk, extent[:, 0], extent[:, 1]) - extent[:, 0]).T[::-1]
    return (array[k, j, i] > 0) & is_in


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_the_segments_are_the_command_s_labels_voxel_for_voxel(
    scene: Any, phantom: Phantom, maps_file: Path, alpha: float
) -> None:
    volume = add_volume(phantom)

    node = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=alpha)).segmentationNode

    assert np.array_equal(labels_of(node, volume), fused_truth(maps_of(phantom), alpha))


def test_everything_a_result_has_is_in_the_scene(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)

    node = SceneWriter(volume).write(maps_file).segmentationNode

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    assert [role for role in COMPANIONS if companion(node, role) is None] == [OUTLINES, VERDICTS, DRAWN_TABLE]
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == hierarchy.GetItemParent(
        hierarchy.GetItemByDataNode(volume)
    )
    segment = node.GetSegmentation().GetSegment(own_ids(node)["Kidney"])
    assert "64033007" in segment.GetTerminology()
    assert segment.GetColor() == pytest.approx((185 / 255, 102 / 255, 83 / 255))
    # Two kidneys, two tumors, and the sums of both kinds on each side and together.
    assert companion(node, TABLE).GetNumberOfRows() == 4 + 6
    assert companion(node, KEY_SLICES).GetNumberOfControlPoints() == 2


def test_a_run_again_makes_no_node_twice_even_when_all_were_renamed(
    scene: Any, phantom: Phantom, maps_file: Path
) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file).segmentationNode
    nodes = [node, *(kept for role in COMPANIONS if (kept := companion(node, role)) is not None)]
    for number, renamed in enumerate(nodes):
        renamed.SetName(f"my own {number}")
    count = scene.GetNumberOfNodes()

    SceneWriter(volume, node).write(maps_file)

    assert scene.GetNumberOfNodes() == count
    assert [kept.GetName() for kept in nodes] == [f"my own {number}" for number in range(len(nodes))]


def test_no_way_to_write_a_result_ends_a_batch_which_would_end_a_drag_in_a_view(
    scene: Any, phantom: Phantom, maps_file: Path
) -> None:
    volume = add_volume(phantom)
    ended: list[str] = []
    scene.AddObserver(scene.EndBatchProcessEvent, lambda caller, event: ended.append(event))

    result = SceneWriter(volume).write(maps_file)
    SceneWriter(volume).replace(maps_file, result)
    SceneWriter(volume, result.segmentationNode).write(maps_file)
    count = scene.GetNumberOfNodes()
    SceneWriter(volume, result.segmentationNode).write(maps_file, splitSides=True)

    assert ended == []
    assert scene.GetNumberOfNodes() == count


def test_renamed_segments_are_found_again(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=1.0)).segmentationNode
    node.GetSegmentation().GetSegment(own_ids(node)["Tumor"]).SetName("RCC")

    SceneWriter(volume, node).write(maps_file, SegmentOptions(alpha=0.0))

    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert np.array_equal(segment_array(node, "RCC", volume) > 0, phantom.labels_kji == 2)


def add_foreign(node: Any, volume: Any, name: str = "Kidney") -> np.ndarray:
    mask = np.zeros(slicer.util.arrayFromVolume(volume).shape, np.uint8)
    mask[5:36, 30:70, 15:80] = 1
    segment_id = node.GetSegmentation().AddEmptySegment(name, name, (0.1, 0.2, 0.3))
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    return mask


def test_someone_else_s_segment_of_the_same_name_stays_untouched(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "theirs")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    mask = add_foreign(node, volume)

    result = SceneWriter(volume, node).write(maps_file)
    result.preview(0.9)
    result.commit(SegmentOptions(alpha=0.1))

    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, "Kidney", volume), mask)
    assert node.GetSegmentation().GetSegment("Kidney").GetColor() == pytest.approx((0.1, 0.2, 0.3))
    assert own_ids(node)["Kidney"] != "Kidney"


def test_a_segment_drawn_into_our_labelmap_is_kept(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.4))
    node = result.segmentationNode
    add_foreign(node, volume, "cyst")
    node.GetSegmentation().CollapseBinaryLabelmaps(True)
    before = segment_array(node, "cyst", volume)

    result.preview(0.9)
    result.commit(SegmentOptions(alpha=0.2))
    SceneWriter(volume, node).write(maps_file)

    assert before.sum() > 0
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    assert np.array_equal(segment_array(node, "cyst", volume), before)


def test_writing_into_a_segmentation_under_another_transform_is_refused(scene: Any, phantom: Phantom) -> None:
    volume = add_volume(phantom)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "theirs")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    add_foreign(node, volume)
    node.SetAndObserveTransformNodeID(linear_transform(scene).GetID())

    with pytest.raises(BadInputError, match="another transform"):
        SceneWriter(volume, node)


def test_the_stages_are_no_place_for_a_result(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file).segmentationNode
    ensureOverlay(node, volume, OUTLINES, "outlines")

    for role in (STAGES, OUTLINES):
        with pytest.raises(BadInputError, match="is part of another result"):
            SceneWriter(volume, companion(node, role))


@vtk.calldata_type(vtk.VTK_OBJECT)
def make_item(scene: Any, event: str, node: Any) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    if node.IsA("vtkMRMLStorableNode") and not node.GetHideFromEditors():
        hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)


def test_companions_share_a_folder_beside_the_volume(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    # Slicer makes an item for every node that is added; its Qt part does, which is not here.
    scene.AddObserver(scene.NodeAddedEvent, make_item)
    hierarchy.CreateItem(study, volume)

    node = SceneWriter(volume).write(maps_file).segmentationNode
    SceneWriter(volume, node).write(maps_file)

    items = [hierarchy.GetItemByDataNode(companion(node, role)) for role in (KEY_SLICES, TABLE)]
    hidden = [kept for role in COMPANIONS if (kept := companion(node, role)) and kept.GetHideFromEditors()]
    with_item = [kept for kept in hidden if hierarchy.GetItemByDataNode(kept)]
    # Slicer complains of a segmentation without an item; nobody sees that of a hidden one.
    assert with_item == [companion(node, STAGES)]
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(with_item[0])) == study
    assert len(hidden) == 4
    folders = {hierarchy.GetItemParent(item) for item in items}
    assert len(folders) == 1
    assert hierarchy.GetItemParent(folders.pop()) == study
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_a_volume_that_was_moved_during_the_run_is_refused(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    volume.SetOrigin(1, 2, 3)

    with pytest.raises(BadInputError, match="another geometry"):
        SceneWriter(volume).write(maps_file)

    assert scene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None


def test_moving_alpha_in_steps_gives_what_one_step_gives(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.4))

    for alpha in (0.9, 0.2, 0.55, 0.45, 1.0, 0.0, 0.6):
        measured = result.preview(alpha)
        expected = fused_truth(result.maps, alpha)
        assert np.array_equal(labels_of(result.segmentationNode, volume), expected)
        voxel_ml = phantom.volume.grid.voxel_ml
        total = sum(side.tumor_ml for side in measured.values())
        assert total == pytest.approx((expected == 2).sum() * voxel_ml)
        total = sum(side.kidney_ml for side in measured.values())
        assert total == pytest.approx((expected == 1).sum() * voxel_ml)


def test_sides_become_segments_of_their_own(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0)).segmentationNode

    result = SceneWriter(volume, node).write(maps_file, SegmentOptions(alpha=0.7), splitSides=True)
    result.preview(0.0)

    assert sorted(own_ids(node)) == ["Kidney_left", "Kidney_right", "Tumor_left", "Tumor_right"]
    left = segment_array(node, "Tumor left", volume) > 0
    assert np.array_equal(left, (phantom.labels_kji == 2) & (phantom.side_kji == 2))
    assert "7771000" in node.GetSegmentation().GetSegment(own_ids(node)["Tumor_left"]).GetTerminology()


def test_clean_up_removes_islands_and_alpha_brings_them_back(scene: Any, phantom: Phantom, tmp_path: Path) -> None:
    labels = phantom.labels_kji.copy()
    labels[1:3, 2:4, 2:4] = 2
    with_island = type(phantom)(phantom.volume, labels, np.where(labels > 0, np.maximum(phantom.side_kji, 1), 0), None)
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(
        save(maps_of(with_island), tmp_path), SegmentOptions(alpha=0.0, tumor_touches_kidney=True)
    )
    node = result.segmentationNode

    assert segment_array(node, "Tumor", volume)[1:3, 2:4, 2:4].sum() == 0

    result.preview(0.1)

    assert segment_array(node, "Tumor", volume)[1:3, 2:4, 2:4].sum() == 8


def test_surfaces_stay_while_alpha_moves_and_are_new_after(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0))
    node = result.segmentationNode
    node.CreateClosedSurfaceRepresentation()
    tumor = own_ids(node)["Tumor"]
    before = node.GetSegmentation().GetSegment(tumor).GetRepresentation(SURFACE)

    result.preview(1.0)
    assert node.GetSegmentation().GetSegment(tumor).GetRepresentation(SURFACE) is before
    result.commit(SegmentOptions(alpha=1.0))

    assert node.GetSegmentation().GetSegment(tumor).GetRepresentation(SURFACE).GetNumberOfPoints() == 0
    assert node.GetSegmentation().GetSegment(own_ids(node)["Kidney"]).GetRepresentation(SURFACE).GetNumberOfPoints()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_crop_boxes_and_key_slices_lie_in_the_volume_s_own_frame(scene: Any, tmp_path: Path, transform: str) -> None:
    phantom = small_phantom(**GRIDS["oblique coronal"])
    volume = add_volume(phantom)
    parent = TRANSFORMS[transform](scene)
    volume.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    maps = maps_of(phantom)
    report = report_of(maps)

    node = SceneWriter(volume).write(save_maps(maps, report, tmp_path)).segmentationNode

    for side, role in CROPS.items():
        found, roi = report.side(side), companion(node, role)
        middle = [(a + b) / 2 for a, b in zip(found.crop.ijk_min, found.crop.ijk_max, strict=True)]
        centre = np.array([0.0, 0.0, 0.0])
        roi.GetCenterWorld(centre)
        expected = moved((phantom.volume.grid.ijk_to_ras @ [*middle, 1])[:3], parent)
        assert np.allclose(centre, expected, atol=1e-3)
        spacing = np.array(phantom.volume.grid.spacing_ijk_mm)
        size = (np.subtract(found.crop.ijk_max, found.crop.ijk_min) + 1) * spacing
        assert np.allclose(sorted(roi.GetSize()), sorted(size))
        expected = moved(found.key_slice.position_ras, parent)
        assert np.allclose(keySlicePosition(node, side), expected, atol=1e-3)


def moved(point: Any, parent: Any) -> Any:
    return point if parent is None else parent_transform(parent).TransformPoint(point)


def parent_transform(parent: Any) -> Any:
    transform = vtk.vtkGeneralTransform()
    parent.GetTransformToWorld(transform)
    return transform


def test_a_box_along_left_handed_axes_stays_right_handed() -> None:
    matrix = np.array([[0, 0, 2.0, 10], [3.0, 0, 0, 20], [0, 0.5, 0, 30], [0, 0, 0, 1]])
    mirrored = matrix.copy()
    mirrored[:, 0] *= -1

    for grid in (matrix, mirrored):
        box, size = Grid((9, 9, 9), grid).box_to_ras((1, 2, 3), (4, 6, 8))

        assert np.linalg.det(box[:3, :3]) == pytest.approx(1.0)
        assert size.tolist() == [12.0, 2.5, 12.0]
        assert np.allclose(box[:3, 3], (grid @ [2.5, 4, 5.5, 1])[:3])


def test_a_side_without_a_kidney_loses_its_box_and_point(scene: Any, phantom: Phantom, tmp_path: Path) -> None:
    volume = add_volume(phantom)
    both = save(maps_of(phantom), tmp_path / "both")
    maps = maps_of(phantom)
    report = report_of(maps)
    report = replace(report, left=replace(report.left, present=False, key_slice=None, crop=None))
    node = SceneWriter(volume).write(both).segmentationNode

    SceneWriter(volume, node).write(save_maps(maps, report, tmp_path / "one"))

    assert companion(node, CROPS["left"]) is None
    assert companion(node, CROPS["right"]) is not None
    assert keySlicePosition(node, "left") is None


def test_two_volumes_have_two_results_that_keep_apart(scene: Any, phantom: Phantom, tmp_path: Path) -> None:
    other = small_phantom(seed=3, orientation="RAS")
    volumes = [add_volume(phantom, "first"), add_volume(other, "second")]
    files = [save(maps_of(item), tmp_path / str(number)) for number, item in enumerate((phantom, other))]

    first, second = (SceneWriter(volume).write(file) for volume, file in zip(volumes, files, strict=True))
    second.preview(1.0)

    results = (first.segmentationNode, second.segmentationNode)
    made_later = (OUTLINES, VERDICTS, DRAWN_TABLE)
    companions = [companion(node, role) for node in results for role in COMPANIONS if role not in made_later]
    assert len({node.GetID() for node in companions}) == 2 * (len(COMPANIONS) - len(made_later))
    assert np.array_equal(labels_of(first.segmentationNode, volumes[0]), fused_truth(maps_of(phantom), 0.4))
    assert np.array_equal(labels_of(second.segmentationNode, volumes[1]), fused_truth(maps_of(other), 1.0))


def test_a_scene_saved_and_loaded_keeps_the_result_and_alpha_works_again(
    scene: Any, phantom: Phantom, maps_file: Path, tmp_path: Path
) -> None:
    volume = add_volume(phantom)
    SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.4))
    bundle = tmp_path / "case.mrb"

    assert scene.WriteToMRB(str(bundle))
    scene.Clear(0)
    assert scene.ReadFromMRB(str(bundle), True)

    nodes = [n for n in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if companion(n, MAPS) is not None]
    node, volume = nodes[0], slicer.util.getNode("CT")
    result = LiveResult(node, *readMaps(node))
    assert [role for role in COMPANIONS if companion(node, role) is None] == [OUTLINES, VERDICTS, DRAWN_TABLE]
    assert sorted(own_ids(node)) == ["Kidney", "Tumor"]
    assert np.array_equal(labels_of(node, volume), fused_truth(load_maps(maps_file)[0], 0.4))
    result.preview(0.8)
    assert np.array_equal(labels_of(node, volume), fused_truth(load_maps(maps_file)[0], 0.8))
    assert "64033007" in node.GetSegmentation().GetSegment(own_ids(node)["Kidney"]).GetTerminology()


def test_damaged_and_missing_maps_are_told_apart(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file).segmentationNode

    companion(node, MAPS).SetText("not base64!")
    with pytest.raises(BadInputError, match="damaged"):
        readMaps(node)
    companion(node, MAPS).SetText("")
    with pytest.raises(BadInputError, match="not saved"):
        readMaps(node)
    scene.RemoveNode(companion(node, MAPS))
    with pytest.raises(BadInputError, match="carries no"):
        readMaps(node)


def test_undo_brings_the_segmentation_before_the_run_back(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "theirs")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    mask = add_foreign(node, volume, "cyst")
    node.UndoEnabledOn()
    scene.SetUndoOn()

    result = SceneWriter(volume, node).write(maps_file)
    scene.Undo()

    assert list(node.GetSegmentation().GetSegmentIDs()) == ["cyst"]
    assert np.array_equal(segment_array(node, "cyst", volume), mask)
    # The labelmap the result knew is gone: alpha must not bring it back as someone's voxels.
    result.preview(0.7)
    assert np.array_equal(segment_array(node, "cyst", volume), mask)


def test_a_deleted_segment_is_not_brought_back_by_alpha(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0))
    node = result.segmentationNode
    node.GetSegmentation().RemoveSegment(own_ids(node)["Kidney"])

    result.preview(0.2)
    result.commit(SegmentOptions(alpha=0.1))

    assert list(own_ids(node)) == ["Tumor"]
    assert np.array_equal(segment_array(node, "Tumor", volume) > 0, phantom.labels_kji == 2)


def test_edits_by_hand_survive_alpha_and_are_noticed(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0))
    node = result.segmentationNode
    assert not result.isEdited()
    kidney = segment_array(node, "Kidney", volume)
    where = tuple(np.argwhere((fused_truth(result.maps, 0.0) == 1) & (fused_truth(result.maps, 1.0) == 1))[0])
    kidney[where] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(kidney, node, own_ids(node)["Kidney"], volume)

    assert result.isEdited()
    result.preview(0.9)
    result.commit(SegmentOptions(alpha=0.3, largest_component_per_side=True))
    loaded = LiveResult(node, *readMaps(node))
    loaded.assume(SegmentOptions(alpha=0.3, largest_component_per_side=True))

    assert segment_array(node, "Kidney", volume)[where] == 0
    assert loaded.isEdited()
    expected = fused_truth(result.maps, 0.3)
    expected[where] = 0
    assert np.array_equal(labels_of(node, volume), expected)


def test_an_edit_that_keeps_number_and_middle_of_the_voxels_is_noticed(
    scene: Any, phantom: Phantom, maps_file: Path
) -> None:
    from SERUSegmentationLib.scene.content import isEdited

    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0)).segmentationNode
    assert not isEdited(node)
    kidney = segment_array(node, "Kidney", volume)
    k, j = next((k, j) for k, j, _ in np.argwhere(kidney) if np.count_nonzero(kidney[k, j]) >= 4)
    first, *_, last = np.flatnonzero(kidney[k, j])
    kidney[k, j, [first, last]] = 0
    kidney[k, j, [first - 1, last + 1]] = 1

    slicer.util.updateSegmentBinaryLabelmapFromArray(kidney, node, own_ids(node)["Kidney"], volume)

    assert isEdited(node)


def test_stages_are_shown_one_at_a_time(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    volume = add_volume(phantom)
    result = SceneWriter(volume).write(maps_file)
    node = result.segmentationNode
    stages = companion(node, STAGES)

    shown = {}
    for choice in Shown:
        showStage(node, choice, result.fusion)
        display = stages.GetDisplayNode()
        visible = {
            key: display.GetSegmentVisibility2DFill(id)
            for key, id in own_ids(stages).items()
            if display.GetSegmentVisibility(id)
        }
        shown[choice] = (bool(node.GetDisplayNode().GetVisibility2D()), visible)

    outline = {"coarse_Kidney": False, "coarse_Tumor": False}
    refined = {"refined_Kidney": False, "refined_Tumor": False}
    assert shown[Shown.FUSED] == (True, outline)
    assert shown[Shown.COARSE] == (False, dict.fromkeys(outline, True))
    assert shown[Shown.REFINED] == (False, dict.fromkeys(refined, True))
    assert shown[Shown.DISAGREEMENT] == (False, {**outline, **refined, "disagreement": True})
    disagreement = slicer.util.arrayFromSegmentBinaryLabelmap(stages, own_ids(stages)["disagreement"], volume)
    expected = fused_truth(result.maps, 0.0) != fused_truth(result.maps, 1.0)
    assert np.array_equal(disagreement > 0, expected)


def test_the_table_holds_the_measurements_and_becomes_csv(
    scene: Any, phantom: Phantom, maps_file: Path, tmp_path: Path
) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0)).segmentationNode

    exportCsv(node, tmp_path / "out.csv")

    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["Left kidney", "Right kidney", "Left tumor", "Right tumor"]
    assert sorted(row["Finding"] for row in rows if row["Status"] == "believed") == sorted(names)
    sums = {(row["Kind"], row["Side"]): float(row["Volume (ml)"]) for row in rows if row["Status"] == "sum"}
    voxel_ml = phantom.volume.grid.voxel_ml
    for kind, label in (("kidney", 1), ("tumor", 2)):
        counts = [((phantom.labels_kji == label) & (phantom.side_kji == side)).sum() for side in (1, 2)]
        expected = [counts[0] * voxel_ml, counts[1] * voxel_ml, sum(counts) * voxel_ml]
        assert [sums[kind, side] for side in ("right", "left", "both")] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(BadInputError, match="cannot be written"):
        exportCsv(node, tmp_path / "missing" / "out.csv")


def test_every_fact_of_a_finding_is_a_column(scene: Any, phantom: Phantom, maps_file: Path, tmp_path: Path) -> None:
    node = SceneWriter(add_volume(phantom)).write(maps_file, SegmentOptions(alpha=0.0)).segmentationNode
    maps = load_maps(maps_file)[0]
    tumor = finish(maps, SegmentOptions(alpha=0.0)).findings[2]

    exportCsv(node, tmp_path / "out.csv")

    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        row = list(csv.DictReader(file))[2]
    assert row.pop("Finding") == f"{tumor.side.capitalize()} tumor"
    facts = {
        "Kind": "tumor",
        "Side": tumor.side,
        "Number": 1,
        "Status": "believed",
        "Confidence": tumor.confidence,
        "Volume (ml)": tumor.volume_ml,
        "Volume, least (ml)": tumor.volume_range_ml[0],
        "Volume, most (ml)": tumor.volume_range_ml[1],
        "Longest axial diameter (mm)": tumor.longest.mm,
        "Longest, least (mm)": tumor.longest_range_mm[0],
        "Longest, most (mm)": tumor.longest_range_mm[1],
        "Across (mm)": tumor.across.mm,
        "Longest 3D diameter (mm)": tumor.longest_3d_mm,
        "HU, mean": 120,
        "HU, deviation": 0,
        "Contact with the other label (mm\u00b2)": tumor.contact_mm2,
        "Cut by the scan's edge": "no",
        "Slice": tumor.slice_index,
    }
    places = {
        "Centre": tumor.centre_ras,
        "Longest, start": tumor.longest.start_ras,
        "Longest, end": tumor.longest.end_ras,
        "Across, start": tumor.across.start_ras,
        "Across, end": tumor.across.end_ras,
    }
    for title, place in places.items():
        facts |= {f"{title} {axis} (mm)": value for axis, value in zip("RAS", place, strict=True)}
    assert list(row) == list(facts)
    assert [row[name] if isinstance(fact, str) else float(row[name]) for name, fact in facts.items()] == pytest.approx(
        list(facts.values())
    )


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1+2", "@sum", "\t=1"])
def test_no_spreadsheet_runs_what_someone_wrote_into_the_table(
    scene: Any, phantom: Phantom, maps_file: Path, tmp_path: Path, text: str
) -> None:
    node = SceneWriter(add_volume(phantom)).write(maps_file).segmentationNode
    companion(node, TABLE).GetTable().SetValueByName(0, "Finding", vtk.vtkVariant(text))

    exportCsv(node, tmp_path / "out.csv")

    with open(tmp_path / "out.csv", encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["Finding"] == f"'{text}"


def test_the_exported_segmentation_carries_tag_and_terminology(
    scene: Any, phantom: Phantom, maps_file: Path, tmp_path: Path
) -> None:
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file).segmentationNode
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "out.seg.nrrd"))

    assert storage.WriteData(node)

    header = (tmp_path / "out.seg.nrrd").read_bytes()[:20000].decode("latin-1")
    assert TAG in header
    assert "108369006" in header


def test_the_dicom_exporter_of_slicer_finds_what_it_asks_for(scene: Any, phantom: Phantom, maps_file: Path) -> None:
    """The calls are those of DICOMSegmentationExporter in Slicer's DICOMSegmentationPlugin."""
    volume = add_volume(phantom)
    node = SceneWriter(volume).write(maps_file, SegmentOptions(alpha=0.0), splitSides=True).segmentationNode
    segmentation, found = node.GetSegmentation(), {}

    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        scalars = segment.GetRepresentation("Binary labelmap").GetPointData().GetArray("ImageScalars")
        entry = slicer.vtkSlicerTerminologyEntry()
        slicer.modules.terminologies.logic().DeserializeTerminologyEntry(segment.GetTerminology(), entry)
        ids = vtk.vtkStringArray()
        ids.InsertNextValue(segment_id)
        merged = slicer.vtkOrientedImageData()
        node.GenerateMergedLabelmapForAllSegments(merged, 0, None, ids)
        voxels = int((vtk.util.numpy_support.vtk_to_numpy(merged.GetPointData().GetScalars()) > 0).sum())
        codes = (entry.GetCategoryObject().GetCodeValue(), entry.GetTypeObject().GetCodeValue())
        found[segment.GetName()] = (*codes, voxels, scalars is not None)

    def count(label: int, side: int) -> int:
        return int(((phantom.labels_kji == label) & (phantom.side_kji == side)).sum())

    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert found == {
        "Kidney right": ("123037004", "64033007", count(1, 1), True),
        "Kidney left": ("123037004", "64033007", count(1, 2), True),
        "Tumor right": ("49755003", "108369006", count(2, 1), True),
        "Tumor left": ("49755003", "108369006", count(2, 2), True),
    }
