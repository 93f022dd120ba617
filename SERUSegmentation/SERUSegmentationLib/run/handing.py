"""A volume of the scene as a run is given it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from seru.errors import BadInputError
from SERUSegmentationLib.scene.geometry import ijkToRas, shapeKji
from SERUSegmentationLib.scene.nodes import isPlainVolume
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLNode, vtkMRMLScalarVolumeNode


def checkInput(volumeNode: vtkMRMLNode | None) -> None:
    """Check that a node is a 3D scalar volume.

    Args:
        volumeNode: chosen by the user.

    Raises:
        BadInputError: it is not.
    """
    if volumeNode is None:
        raise BadInputError(_("No CT volume is selected; load a CT and select it."))
    name = volumeNode.GetName()
    if not isPlainVolume(volumeNode):
        raise BadInputError(_("'{name}' is not a CT volume; select a scalar volume.").format(name=name))
    if 0 in shapeKji(volumeNode):
        raise BadInputError(_("The volume '{name}' has no voxels; load it again.").format(name=name))


def exportVolume(volumeNode: vtkMRMLScalarVolumeNode, path: Path) -> None:
    """Write a volume in its own coordinates, without parent transforms.

    Args:
        volumeNode: the CT.
        path: of the NRRD file, uncompressed.

    Raises:
        BadInputError: it cannot be written.
    """
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.SetUseCompression(False)
    if not storage.WriteData(volumeNode) or not path.is_file():
        text = _("The volume cannot be written to '{folder}'; free some disk space and try again.")
        raise BadInputError(text.format(folder=path.parent))


def contentOf(volumeNode: vtkMRMLScalarVolumeNode) -> tuple:
    """Return what tells whether a volume is another one, or has other voxels or another grid, than before."""
    return volumeNode.GetID(), volumeNode.GetImageData().GetMTime(), ijkToRas(volumeNode).tobytes()


def isInScene(node: vtkMRMLNode) -> bool:
    """Return whether a node is still part of the scene."""
    scene = node.GetScene()
    return scene is not None and scene.IsNodePresent(node)


def temporaryFolder() -> str | None:
    """Return Slicer's folder for temporary files; None takes the system's."""
    path = getattr(getattr(slicer, "app", None), "temporaryPath", None)
    return path if path and Path(path).is_dir() else None
