"""The module in the headless desktop, ready to be used by a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seru.options import SegmentOptions
from seru.phantom import Phantom
from Testing import REPOSITORY
from Testing.desktop import Desktop
from Testing.module.scene_tools import labels_of

__all__ = ["MODULE_FILE", "agree", "labels_of", "move_alpha", "open_module", "own_nodes", "show_result", "turn"]

MODULE_FILE = REPOSITORY / "SERUSegmentation" / "SERUSegmentation.py"


def open_module(desktop: Desktop, model: Path | None = None, phantom: Phantom | None = None) -> Any:
    """Open the module's panel.

    Args:
        desktop: fresh.
        model: folder of a model to choose; its licence counts as agreed to.
        phantom: added to the scene as ``CT`` first.

    Returns:
        The module's widget.
    """
    if phantom is not None:
        desktop.add_volume(phantom.volume.array_kji, phantom.volume.grid.ijk_to_ras, "CT")
    widget = desktop.load_module(MODULE_FILE)
    if model is not None:
        widget.parts.inputs.addFolder(str(model))
        agree(widget)
    desktop.process_events()
    return widget


def agree(widget: Any) -> None:
    """Agree to the licence of the chosen model, as a user did on another day."""
    from SERUSegmentationLib.panel.choices import writeSetting

    choice = widget.parts.inputs.model
    writeSetting("AcceptedLicences", [f"{choice.key}: {choice.licence}"])


def show_result(desktop: Desktop, widget: Any, maps_file: Path, options: SegmentOptions | None = None) -> Any:
    """Write maps into the scene as a run does, and choose the result in the panel."""
    import slicer

    from SERUSegmentationLib.scene.scene_writer import SceneWriter

    result = SceneWriter(slicer.util.getNode("CT")).write(maps_file, options)
    widget.parts.controller.offer(result)
    widget.ui.outputSelector.setCurrentNode(result.segmentationNode)
    desktop.process_events()
    return result.segmentationNode


def move_alpha(desktop: Desktop, widget: Any, alpha: float) -> None:
    """Move alpha as a hand on the slider that is not let go yet, and wait for the frame."""
    widget.ui.alphaSlider.valueIsChanging.emit(alpha)
    desktop.wait_until(lambda: widget.parts.result._wanted is None)


def turn(desktop: Desktop, volume: Any) -> np.ndarray:
    """Put a volume under a transform that turns and moves it; return the transform's matrix."""
    import slicer

    matrix = np.array([[0.0, -1.0, 0.0, 40.0], [1.0, 0.0, 0.0, -30.0], [0.0, 0.0, 1.0, 200.0], [0.0, 0.0, 0.0, 1.0]])
    transform = desktop.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    return matrix


def own_nodes(scene: Any) -> list[str]:
    """Return the classes of the result nodes in a scene."""
    kinds = ("Segmentation", "MarkupsROI", "MarkupsFiducial", "Table", "Text")
    nodes = [scene.GetNthNode(number) for number in range(scene.GetNumberOfNodes())]
    return sorted(node.GetClassName() for node in nodes if node.GetClassName() in {f"vtkMRML{k}Node" for k in kinds})
