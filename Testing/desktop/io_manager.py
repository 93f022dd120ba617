"""slicer.app.coreIOManager(): reading and writing through the real storage nodes and module logics.

Source: qSlicerCoreIOManager.cxx, qSlicerVolumesReader.cxx, qSlicerSegmentationsReader.cxx of Slicer/Slicer.
"""

from __future__ import annotations

import os
from typing import Any

import slicer
import vtk

TYPES_BY_ENDING = {
    ".mrb": "SceneFile",
    ".mrml": "SceneFile",
    ".seg.nrrd": "SegmentationFile",
    ".seg.nhdr": "SegmentationFile",
    ".nii.gz": "VolumeFile",
    ".nii": "VolumeFile",
    ".nrrd": "VolumeFile",
    ".nhdr": "VolumeFile",
    ".mha": "VolumeFile",
    ".mhd": "VolumeFile",
    ".dcm": "VolumeFile",
}


class qSlicerCoreIOManager:  # noqa: N801
    """Loads and saves nodes. Left out: its dialogs, readers but those of scenes, volumes and segmentations."""

    def fileType(self, path: Any) -> str:
        name = str(path).lower()
        endings = sorted((e for e in TYPES_BY_ENDING if name.endswith(e)), key=len)
        return TYPES_BY_ENDING[endings[-1]] if endings else "NoFile"

    def loadNodes(self, file_type: str, properties: dict, loaded: Any = None, messages: Any = None) -> bool:
        """Load a file; the loaded nodes are put into a vtkCollection, what went wrong into the messages."""
        reader = getattr(self, f"_load_{file_type}", None)
        path = str(properties["fileName"])
        if reader is None or not os.path.exists(path):
            reason = "no reader" if reader is None else "no such file"
            _say(messages, f"Cannot load '{path}' as {file_type}: {reason}.")
            return False
        node = reader(path, dict(properties))
        if node is None:
            _say(messages, f"Cannot load '{path}' as {file_type}.")
            return False
        if loaded is not None and node is not True:
            loaded.AddItem(node)
        return True

    def _load_SceneFile(self, path: str, properties: dict) -> Any:
        scene = slicer.mrmlScene
        is_clear = bool(properties.get("clear", False))
        if path.lower().endswith(".mrb"):
            return scene.ReadFromMRB(path, is_clear) or None
        scene.SetURL(path)
        return (scene.Connect() if is_clear else scene.Import()) or None

    def _load_VolumeFile(self, path: str, properties: dict) -> Any:
        options = 0
        for bit, name in enumerate(("labelmap", "center", "singleFile", "autoWindowLevel", "discardOrientation")):
            options |= (1 << bit) if properties.get(name) else 0
        name = properties.get("name") or _base_name(path)
        node = slicer.app.moduleLogic("Volumes").AddArchetypeVolume(path, name, options)
        if node is not None and properties.get("show", True):
            _show(node, bool(properties.get("labelmap")))
        return node

    def _load_SegmentationFile(self, path: str, properties: dict) -> Any:
        name = properties.get("name") or _base_name(path)
        if path.lower().endswith((".seg.nrrd", ".seg.nhdr", ".vtm")):
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
            return _read(node, "vtkMRMLSegmentationStorageNode", path)
        labels = slicer.app.moduleLogic("Volumes").AddArchetypeVolume(path, name, 1)
        if labels is None:
            return None
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(labels)
        logic = slicer.app.moduleLogic("Segmentations")
        is_read = logic.ImportLabelmapToSegmentationNode(labels, node)
        slicer.mrmlScene.RemoveNode(labels)
        return node if is_read else None

    def fileWriterFileType(self, node: Any, *_format: Any) -> str:
        return "SceneFile" if node.IsA("vtkMRMLScene") else "NodeFile"

    def saveNodes(self, file_type: str, properties: dict, messages: Any = None) -> bool:
        """Save the scene or one node; the node keeps the file as its own."""
        path = str(properties["fileName"])
        if file_type == "SceneFile":
            is_saved = _save_scene(path, messages)
        else:
            node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
            is_saved = self._write(node, path, messages, properties.get("useCompression"))
        return is_saved

    def _write(self, node: Any, path: str, messages: Any, compression: Any) -> bool:
        if node.GetStorageNode() is None and not node.AddDefaultStorageNode():
            _say(messages, f"'{node.GetName()}' cannot be stored.")
            return False
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        if compression is not None:
            storage.SetUseCompression(int(compression))
        if not storage.WriteData(node):
            _say(messages, f"Cannot write '{node.GetName()}' to '{path}'.")
            return False
        return True

    def extractKnownExtension(self, path: str, node: Any) -> str:
        of_format = slicer.vtkDataFileFormatHelper.GetFileExtensionFromFormatString
        endings = [of_format(file_format) for file_format in self.fileWriterExtensions(node)]
        return max((e for e in endings if e and str(path).endswith(e)), key=len, default="")

    def fileWriterExtensions(self, node: Any) -> tuple[str, ...]:
        types = _new_storage(node).GetSupportedWriteFileTypes()
        return tuple(types.GetValue(i) for i in range(types.GetNumberOfValues()))

    def exportNodes(self, ids: list, paths: list, _properties: dict, is_world: bool, messages: Any = None) -> bool:
        """Write nodes without touching their own storage."""
        for node_id, path in zip(ids, paths, strict=True):
            node = slicer.mrmlScene.GetNodeByID(node_id)
            copy = slicer.mrmlScene.CreateNodeByClass(node.GetClassName())
            copy.UnRegister(None)
            copy.CopyContent(node)
            if is_world and node.GetParentTransformNode() is not None:
                copy.SetAndObserveTransformNodeID(node.GetTransformNodeID())
                copy.ApplyTransform(node.GetParentTransformNode().GetTransformToParent())
            storage = _new_storage(node)
            storage.SetFileName(str(path))
            if not storage.WriteData(copy):
                _say(messages, f"Cannot write '{node.GetName()}' to '{path}'.")
                return False
        return True


def _new_storage(node: Any) -> Any:
    """Return a storage node for a node; it knows the scene and so its file types, and is not in it."""
    storage = node.CreateDefaultStorageNode()
    storage.UnRegister(None)
    storage.SetScene(slicer.mrmlScene)
    return storage


def _show(node: Any, is_labelmap: bool) -> None:
    logic = slicer.app.applicationLogic()
    if is_labelmap:
        logic.GetSelectionNode().SetActiveLabelVolumeID(node.GetID())
    else:
        logic.GetSelectionNode().SetActiveVolumeID(node.GetID())
    logic.PropagateVolumeSelection()


def _save_scene(path: str, messages: Any) -> bool:
    scene = slicer.mrmlScene
    if path.lower().endswith(".mrb"):
        is_saved = scene.WriteToMRB(path)
    else:
        scene.SetURL(path)
        is_saved = scene.Commit()
    if not is_saved:
        _say(messages, f"Cannot save the scene to '{path}'.")
    return bool(is_saved)


def _read(node: Any, storage_class: str, path: str) -> Any:
    storage = slicer.mrmlScene.AddNewNodeByClass(storage_class)
    storage.SetFileName(path)
    node.SetAndObserveStorageNodeID(storage.GetID())
    if not storage.ReadData(node):
        slicer.mrmlScene.RemoveNode(storage)
        slicer.mrmlScene.RemoveNode(node)
        return None
    node.CreateDefaultDisplayNodes()
    return node


def _base_name(path: str) -> str:
    name = os.path.basename(path)
    for ending in sorted(TYPES_BY_ENDING, key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return os.path.splitext(name)[0]


def _say(messages: Any, text: str) -> None:
    if messages is not None:
        messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
