"""The real half: slicer-core's scene, application logic and module logics, as Slicer's startup makes them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
import vtk

# Slicer's module names and the logic class of each.
MODULE_LOGICS = {
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Models": "vtkSlicerModelsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
}
# Slicer's build knows its libraries under these names too.
PYTHON_MODULE_NAMES = {
    "vtkITK": "vtkITK",
    "vtkSegmentationCorePython": "vtkSegmentationCore",
    "vtkSlicerSegmentationsModuleLogicPython": "vtkSlicerSegmentationsModuleLogic",
    "MRMLCorePython": "MRMLCore",
    "MRMLLogicPython": "MRMLLogic",
}


@dataclass
class SceneParts:
    """What Slicer's startup leaves behind: one scene and the logics that serve it."""

    scene: Any
    application_logic: Any
    logics: dict[str, Any] = field(default_factory=dict)
    remote_io: Any = None
    data_io: Any = None


def alias_python_modules() -> None:
    """Make ``import vtkSegmentationCorePython`` and its like find slicer-core's modules."""
    import slicer_core

    for alias, name in PYTHON_MODULE_NAMES.items():
        module = sys.modules.get(f"slicer_core.{name}") or getattr(slicer_core, name, None)
        if module is not None:
            sys.modules.setdefault(alias, module)


def make_scene(temporary_folder: Path) -> SceneParts:
    """Make the scene with every module logic of slicer-core on it.

    Args:
        temporary_folder: where bundles (MRB) are unpacked.

    Returns:
        The scene and its logics; ``slicer.mrmlScene`` is set to it.
    """
    scene = slicer.vtkMRMLScene()
    application_logic = slicer.vtkSlicerApplicationLogic()
    application_logic.SetTemporaryPath(str(temporary_folder))
    application_logic.SetMRMLScene(scene)
    parts = SceneParts(scene, application_logic)
    slicer.mrmlScene = scene
    _add_colors(parts)
    for name, class_name in MODULE_LOGICS.items():
        _add_logic(parts, name, getattr(slicer, class_name)())
    _add_remote_io(parts, temporary_folder)
    scene.AddDefaultNode(_default_slice_node(scene))
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    return parts


def _default_slice_node(scene: Any) -> Any:
    node = slicer.vtkMRMLSliceNode()
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    return node


def _add_colors(parts: SceneParts) -> None:
    colors = parts.application_logic.GetColorLogic()
    colors.SetMRMLScene(parts.scene)
    colors.AddDefaultColorNodes()
    parts.application_logic.SetModuleLogic("Colors", colors)
    parts.logics["Colors"] = colors


def _add_logic(parts: SceneParts, name: str, logic: Any) -> None:
    logic.SetMRMLApplicationLogic(parts.application_logic)
    if name == "Terminologies":
        _give_terminologies(logic)
        vtk.vtkObject.GlobalWarningDisplayOff()  # the wheel lacks the lists and says so in red; tags work without
    logic.SetMRMLScene(parts.scene)
    vtk.vtkObject.GlobalWarningDisplayOn()
    parts.application_logic.SetModuleLogic(name, logic)
    parts.logics[name] = logic


def _give_terminologies(logic: Any) -> None:
    """Point the logic at the terminology lists of trame-slicer, where that is installed."""
    try:
        from trame_slicer.resources import resources_path
    except ImportError:
        return
    logic.SetModuleShareDirectory(str(resources_path() / "terminologies"))


def _add_remote_io(parts: SceneParts, temporary_folder: Path) -> None:
    """Give the scene the cache that reading a bundle needs."""
    cache = temporary_folder / "RemoteIO"
    cache.mkdir(parents=True, exist_ok=True)
    parts.remote_io = slicer.vtkMRMLRemoteIOLogic()
    parts.remote_io.SetMRMLScene(parts.scene)
    parts.remote_io.SetMRMLApplicationLogic(parts.application_logic)
    parts.remote_io.GetCacheManager().SetRemoteCacheDirectory(str(cache))
    parts.data_io = slicer.vtkDataIOManagerLogic()
    parts.data_io.SetMRMLScene(parts.scene)
    parts.data_io.SetMRMLApplicationLogic(parts.application_logic)
    parts.data_io.SetAndObserveDataIOManager(parts.remote_io.GetDataIOManager())
    parts.remote_io.AddDataIOToScene()
