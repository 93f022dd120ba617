"""What a result keeps in the scene: the maps of its run, and what is shown of them.

So alpha works again after saving and loading. The maps' file is kept as it is, in base64, in a text node: a class of
MRML's core that every Slicer reads and writes, as a file of its own in a scene folder and in an .mrb. Nothing is
pickled. What is shown is kept in attributes of the segmentation.
"""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seru.errors import BadInputError
from seru.options import PostprocessingOptions
from seru.result.maps import MAPS_FILE, Maps, load_maps
from SERUSegmentationLib.scene.nodes import MAPS, companion, ensureCompanion, placeInFolder

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLTextNode

_FORMAT = "SERU.Format"
_FORMAT_VALUE = "maps.npz in base64, version 1"
_ALPHA = "SERU.Alpha"
_SPLIT_SIDES = "SERU.SplitSides"
_CLEAN_UP = "SERU.CleanUp"


@dataclass(frozen=True)
class ResultState:
    """What a result shows.

    Attributes:
        alpha: weight of the coarse stage.
        postprocessing: clean-up.
        splitSides: one segment per side.
    """

    alpha: float
    postprocessing: PostprocessingOptions = field(default_factory=PostprocessingOptions)
    splitSides: bool = False


def storeMaps(segmentationNode: vtkMRMLSegmentationNode, mapsFile: Path) -> vtkMRMLTextNode:
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


def readMaps(segmentationNode: vtkMRMLSegmentationNode) -> Maps:
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


def mapsTime(segmentationNode: vtkMRMLSegmentationNode) -> tuple[str, int] | None:
    """Return what tells whether the maps have changed: the node's id and its time; None without maps."""
    node = companion(segmentationNode, MAPS)
    return (node.GetID(), node.GetMTime()) if node is not None else None


def storedState(segmentationNode: vtkMRMLSegmentationNode, defaultAlpha: float) -> ResultState:
    """Return what a segmentation shows, from its attributes; damaged ones give the defaults."""
    try:
        alpha = min(max(float(segmentationNode.GetAttribute(_ALPHA)), 0.0), 1.0)
    except (TypeError, ValueError):
        alpha = defaultAlpha
    try:
        postprocessing = PostprocessingOptions(**json.loads(segmentationNode.GetAttribute(_CLEAN_UP)))
    except (TypeError, ValueError, BadInputError):
        postprocessing = PostprocessingOptions()
    return ResultState(alpha, postprocessing, segmentationNode.GetAttribute(_SPLIT_SIDES) == "1")


def storeState(segmentationNode: vtkMRMLSegmentationNode, state: ResultState) -> None:
    """Keep with a segmentation what it shows."""
    segmentationNode.SetAttribute(_ALPHA, repr(float(state.alpha)))
    segmentationNode.SetAttribute(_SPLIT_SIDES, str(int(state.splitSides)))
    segmentationNode.SetAttribute(_CLEAN_UP, json.dumps(asdict(state.postprocessing)))
