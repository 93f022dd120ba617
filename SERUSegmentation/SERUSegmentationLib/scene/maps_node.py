"""The maps of a run inside the scene, so that alpha works again after saving and loading.

The file is kept as it is, in base64, in a text node: a class of MRML's core that every Slicer reads and writes, as a
file of its own in a scene folder and in an .mrb. Nothing is pickled.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
from pathlib import Path
from typing import Any

from seru.errors import BadInputError
from seru.result.maps import MAPS_FILE, Maps, load_maps
from SERUSegmentationLib.scene.owned_nodes import MAPS, companion, ensureCompanion, placeInFolder

_FORMAT = "SERU.Format"
_FORMAT_VALUE = "maps.npz in base64, version 1"


def storeMaps(segmentationNode: Any, mapsFile: Path) -> Any:
    """Keep a run's maps with its segmentation.

    Args:
        segmentationNode: the result.
        mapsFile: what ``seru segment --maps`` wrote.

    Returns:
        The text node.
    """
    node = ensureCompanion(segmentationNode, MAPS, "vtkMRMLTextNode", f"{segmentationNode.GetName()} maps")
    node.SetAttribute(_FORMAT, _FORMAT_VALUE)
    # A file beside the scene, and only there: as an attribute in the scene file it would be large.
    node.SetForceCreateStorageNode(True)
    node.SetText(base64.b64encode(Path(mapsFile).read_bytes()).decode("ascii"))
    placeInFolder(node, segmentationNode)
    return node


def readMaps(segmentationNode: Any) -> Maps:
    """Return the maps that a segmentation carries.

    Args:
        segmentationNode: the result, possibly loaded from a file.

    Returns:
        The maps.

    Raises:
        BadInputError: there are none, or they are damaged.
    """
    node = companion(segmentationNode, MAPS)
    if node is None:
        raise BadInputError("This segmentation carries no SERU maps; click Segment to make them.")
    try:
        content = base64.b64decode(node.GetText() or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInputError("The SERU maps in this scene are damaged; click Segment to make them again.") from error
    if not content:
        raise BadInputError("The SERU maps were not saved with this scene; click Segment to make them again.")
    with tempfile.TemporaryDirectory(prefix="SERU-") as folder:
        path = Path(folder) / MAPS_FILE
        path.write_bytes(content)
        return load_maps(path)


def mapsTime(segmentationNode: Any) -> tuple[str, int] | None:
    """Return what tells whether the maps have changed: the node's id and its time; None without maps."""
    node = companion(segmentationNode, MAPS)
    return (node.GetID(), node.GetMTime()) if node is not None else None
