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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seru.errors import BadInputError
from seru.findings import Report
from seru.options import SegmentOptions, check_alpha
from seru.records import parse_json, read_record
from seru.result.maps import MAPS_FILE, Maps, load_maps
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.nodes import MAPS, companion, ensureCompanion
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLTextNode

_FORMAT = "SERU.Format"
_FORMAT_VALUE = "maps.npz in base64, version 1"
_OPTIONS = "SERU.Options"
_SPLIT_SIDES = "SERU.SplitSides"


@dataclass(frozen=True)
class ResultState:
    """What a result shows.

    Attributes:
        options: alpha and clean-up; the others are at their defaults.
        splitSides: one segment per side.
    """

    options: SegmentOptions
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
    markWritten(node)
    return node


def readMaps(segmentationNode: vtkMRMLSegmentationNode) -> tuple[Maps, Report]:
    """Return the maps and the report that a segmentation carries.

    Args:
        segmentationNode: the result, possibly loaded from a file.

    Returns:
        Both.

    Raises:
        BadInputError: there are none, or they are damaged.
    """
    node = companion(segmentationNode, MAPS)
    if node is None:
        raise BadInputError(_("This segmentation carries no SERU maps; click Segment to make them."))
    try:
        content = base64.b64decode(node.GetText() or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInputError(_("The SERU maps in this scene are damaged; click Segment to make them again.")) from error
    if not content:
        raise BadInputError(_("The SERU maps were not saved with this scene; click Segment to make them again."))
    with tempfile.TemporaryDirectory(prefix="SERU-") as folder:
        path = Path(folder) / MAPS_FILE
        path.write_bytes(content)
        return load_maps(path)


def mapsTime(segmentationNode: vtkMRMLSegmentationNode) -> tuple[str, int] | None:
    """Return what tells whether the maps have changed: the node's id and its time; None without maps."""
    node = companion(segmentationNode, MAPS)
    return (node.GetID(), node.GetMTime()) if node is not None else None


def storedState(segmentationNode: vtkMRMLSegmentationNode, alpha: float) -> ResultState:
    """Return what a segmentation shows, from its attributes.

    Args:
        segmentationNode: the result, possibly loaded from a file.
        alpha: of the run.

    Returns:
        The state; damaged attributes give the run's alpha and no clean-up.
    """
    try:
        values = parse_json(segmentationNode.GetAttribute(_OPTIONS))
        shown = read_record(SegmentOptions, values, "What the segmentation shows").of_result()
        check_alpha(shown["alpha"])
    except (TypeError, ValueError, BadInputError):
        shown = {"alpha": alpha}
    return ResultState(SegmentOptions(**shown), segmentationNode.GetAttribute(_SPLIT_SIDES) == "1")


def storeState(segmentationNode: vtkMRMLSegmentationNode, state: ResultState) -> None:
    """Keep with a segmentation what it shows."""
    segmentationNode.SetAttribute(_OPTIONS, json.dumps(state.options.of_result()))
    segmentationNode.SetAttribute(_SPLIT_SIDES, str(int(state.splitSides)))
