"""Two slice views with each side's patch at its key slice, and back to the layout the user had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk

from seru.findings import CropBox, KeySlice, Report, Side
from seru.terminology import COLORS, Color
from SERUSegmentationLib.scene.geometry import gridOf, toWorld

if TYPE_CHECKING:
    from slicer import qSlicerLayoutManager, vtkMRMLLayoutNode, vtkMRMLScalarVolumeNode, vtkMRMLSliceNode

# Slicer's own layouts have small numbers; a module's own starts above 100.
LAYOUT_ID = 7519
VIEWS: dict[Side, str] = {"right": "SERURight", "left": "SERULeft"}
_VIEW = """
  <item><view class="vtkMRMLSliceNode" singletontag="{tag}">
    <property name="orientation" action="default">Axial</property>
    <property name="viewlabel" action="default">{label}</property>
    <property name="viewcolor" action="default">{color}</property>
  </view></item>"""


class KeyPatchLayout:
    """Switches to the patches and back.

    A Slicer without this extension shows no view at all in a layout it does not know, so ours never gets into a file:
    while it is shown scenes are saved without their layout. (Slicer tells nobody that it is about to save.)

    Args:
        layoutManager: Slicer's.
    """

    def __init__(self, layoutManager: qSlicerLayoutManager) -> None:
        self._manager = layoutManager
        self._users = slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
        self._fillings: list[_Filling] = []
        self._tag = self._node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onLayoutNode)
        self._onLayoutNode()

    @property
    def isShown(self) -> bool:
        """Whether the patches are shown now."""
        return self._node.GetViewArrangement() == LAYOUT_ID

    def enter(self, volumeNode: vtkMRMLScalarVolumeNode, report: Report) -> None:
        """Show the patches.

        Args:
            volumeNode: the input.
            report: of the run.
        """
        node = self._node
        if not self.isShown:
            self._users = node.GetViewArrangement()
        _describe(node, [side for side in VIEWS if report.side(side).key_slice is not None])
        node.SetViewArrangement(LAYOUT_ID)
        self.release()
        for side, tag in VIEWS.items():
            sliceNode = volumeNode.GetScene().GetSingletonNode(tag, "vtkMRMLSliceNode")
            crop, keySlice = report.side(side).crop, report.side(side).key_slice
            if sliceNode is None or crop is None or keySlice is None:
                continue
            composite = self._manager.sliceWidget(tag).sliceLogic().GetSliceCompositeNode()
            composite.SetBackgroundVolumeID(volumeNode.GetID())
            composite.SetForegroundVolumeID(None)
            composite.SetLabelVolumeID(None)
            position, size = patchCentre(volumeNode, crop, keySlice, report.geometry.stack_axis)
            _centre(sliceNode, volumeNode, position)
            self._fillings.append(_Filling(sliceNode, *_inPlane(size, report.geometry.stack_axis, volumeNode)))

    def release(self) -> None:
        """Stop fitting the patches to their views; called whenever these are no longer shown."""
        for filling in self._fillings:
            filling.stop()
        self._fillings.clear()

    def leave(self) -> None:
        """Go back to the layout the user had; one chosen meanwhile stays."""
        self.release()
        if self.isShown:
            self._node.SetViewArrangement(self._users)

    def close(self) -> None:
        """Let go of the views and the layout."""
        self.release()
        self._node.RemoveObserver(self._tag)

    def _onLayoutNode(self, caller: vtkMRMLLayoutNode | None = None, event: str = "") -> None:
        # What a scene brings on its way in or out is not the user's choice.
        if not self.isShown and not slicer.mrmlScene.IsBatchProcessing():
            self._users = self._node.GetViewArrangement()
        self._node.SetSaveWithScene(not self.isShown)

    @property
    def _node(self) -> vtkMRMLLayoutNode:
        return self._manager.layoutLogic().GetLayoutNode()


def registerLayout(layoutManager: qSlicerLayoutManager | None) -> None:
    """Make the layout known, so that a scene that names it shows views.

    Args:
        layoutManager: Slicer's; None without a window.
    """
    if layoutManager is not None:
        _describe(layoutManager.layoutLogic().GetLayoutNode(), list(VIEWS))


def _describe(layoutNode: vtkMRMLLayoutNode, sides: list[Side]) -> None:
    items = [_VIEW.format(tag=VIEWS[side], label=side[0].upper(), color=_hex(COLORS[side])) for side in sides]
    description = f'<layout type="horizontal">{"".join(items)}\n</layout>'
    if layoutNode.IsLayoutDescription(LAYOUT_ID):
        layoutNode.SetLayoutDescription(LAYOUT_ID, description)
    else:
        layoutNode.AddLayoutDescription(LAYOUT_ID, description)


def _hex(color: Color) -> str:
    return "#{:02X}{:02X}{:02X}".format(*(round(255 * part) for part in color))


def patchCentre(
    volumeNode: vtkMRMLScalarVolumeNode, crop: CropBox, keySlice: KeySlice, stackAxis: int
) -> tuple[tuple[float, float, float], np.ndarray]:
    """Return where a patch lies.

    Args:
        volumeNode: the input.
        crop: of the side.
        keySlice: of the side.
        stackAxis: voxel axis of the slices.

    Returns:
        World position of the patch's centre on the key slice, and the patch's size in mm along i, j and k.
    """
    grid = gridOf(volumeNode)
    centre = [(low + high) / 2 for low, high in zip(crop.ijk_min, crop.ijk_max, strict=True)]
    centre[stackAxis] = keySlice.index
    _box, size = grid.box_to_ras(crop.ijk_min, crop.ijk_max)
    return toWorld(volumeNode, grid.ras_of_ijk(centre)), size


class _Filling:
    """Lets a patch fill its view, whose size comes with Qt's events and changes with the window.

    Args:
        sliceNode: of the view; its slice and centre stay as they are.
        width: of the patch in mm.
        height: of the patch in mm.
    """

    def __init__(self, sliceNode: vtkMRMLSliceNode, width: float, height: float) -> None:
        self._node, self._width, self._height = sliceNode, width, height
        self._filled: tuple[int, int] | None = None
        self._fill()
        self._tag = sliceNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._fill)

    def stop(self) -> None:
        """Leave the view alone."""
        self._node.RemoveObserver(self._tag)

    def _fill(self, caller: vtkMRMLSliceNode | None = None, event: str = "") -> None:
        columns, rows, _slices = self._node.GetDimensions()
        if (columns, rows) == self._filled:
            # What the user zooms stays.
            return
        self._filled = (columns, rows)
        scale = max(self._width / max(columns, 1), self._height / max(rows, 1))
        self._node.SetFieldOfView(columns * scale, rows * scale, self._node.GetFieldOfView()[2])


def _centre(
    sliceNode: vtkMRMLSliceNode, volumeNode: vtkMRMLScalarVolumeNode, position: tuple[float, float, float]
) -> None:
    wasModifying = sliceNode.StartModify()
    sliceNode.SetOrientation("Axial")
    parent = volumeNode.GetParentTransformNode()
    if parent is None or parent.IsTransformToWorldLinear():
        sliceNode.RotateToVolumePlane(volumeNode)
    sliceNode.JumpSliceByCentering(*position)
    sliceNode.EndModify(wasModifying)


def _inPlane(size: np.ndarray, stackAxis: int, volumeNode: vtkMRMLScalarVolumeNode) -> tuple[float, float]:
    """Width (the in-plane axis nearest to right-left) and height of a patch in mm."""
    axes = [axis for axis in range(3) if axis != stackAxis]
    directions = gridOf(volumeNode).directions_ras
    axes.sort(key=lambda axis: -abs(directions[0, axis]))
    return float(size[axes[0]]), float(size[axes[1]])


def jumpTo(layoutManager: qSlicerLayoutManager | None, position: tuple[float, float, float]) -> None:
    """Show a world position in every slice view that is shown; a view that shows its place already keeps its pan.

    Args:
        layoutManager: Slicer's; None without a window, then every slice node jumps.
        position: (r, a, s) in mm.
    """
    if layoutManager is None:
        nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    else:
        nodes = [layoutManager.sliceWidget(name).mrmlSliceNode() for name in layoutManager.sliceViewNames()]
    for node in nodes:
        x, y, _z, _w = np.linalg.inv(slicer.util.arrayFromVTKMatrix(node.GetXYToRAS())) @ [*position, 1.0]
        columns, rows, _slices = node.GetDimensions()
        isInView = 0 <= x <= columns and 0 <= y <= rows
        (node.JumpSliceByOffsetting if isInView else node.JumpSliceByCentering)(*position)
