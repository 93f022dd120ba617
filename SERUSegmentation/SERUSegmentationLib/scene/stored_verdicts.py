"""What a person said of a result's findings, kept with the scene: JSON in a text node of its own.

A verdict is voxels, so it holds at another alpha, after loading, and for another run on the same grid.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seru.errors import BadInputError
from seru.grid import Grid
from seru.records import parse_json
from seru.result.verdicts import Verdict, read_verdicts
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.nodes import VERDICTS, companion, ensureCompanion, inputVolume
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLVolumeNode

# Attribute of the text node: the grid that the voxels are of.
_GRID = "SERU.Grid"


def storeVerdicts(segmentationNode: vtkMRMLSegmentationNode, verdicts: Sequence[Verdict], grid: Grid) -> None:
    """Keep verdicts with their result.

    Args:
        segmentationNode: the result.
        verdicts: all of them; none is kept too, so that those of the maps do not come back.
        grid: of the scan.
    """
    name = f"{segmentationNode.GetName()} verdicts"
    node = ensureCompanion(segmentationNode, VERDICTS, "vtkMRMLTextNode", name)
    # A file beside the scene, like the maps.
    node.SetForceCreateStorageNode(True)
    node.SetAttribute(_GRID, _textOf(grid))
    node.SetText(json.dumps([verdict.to_dict() for verdict in verdicts]))
    markWritten(node)


def readVerdicts(segmentationNode: vtkMRMLSegmentationNode) -> tuple[Verdict, ...] | None:
    """Return the verdicts that a result carries.

    Args:
        segmentationNode: the result, possibly loaded from a file.

    Returns:
        The verdicts; None where nobody ever gave one here.

    Raises:
        BadInputError: they are damaged.
    """
    node = companion(segmentationNode, VERDICTS)
    if node is None:
        return None
    try:
        return read_verdicts(parse_json(node.GetText() or ""))
    except (ValueError, BadInputError) as error:
        raise BadInputError(
            _("What was said of this result's findings is damaged and not applied; accept or dismiss them again.")
        ) from error


def verdictsFor(
    segmentationNode: vtkMRMLSegmentationNode, volumeNode: vtkMRMLVolumeNode | None, grid: Grid
) -> tuple[tuple[Verdict, ...] | None, str]:
    """Return the verdicts that a result carries and that hold for a scan.

    Args:
        segmentationNode: the result, possibly loaded from a file.
        volumeNode: the scan; None where it is not in the scene.
        grid: of the scan.

    Returns:
        The verdicts, none of them where they do not hold, and None where nothing is known; and one sentence for the
        user where what was said is not applied, else empty.
    """
    try:
        verdicts = readVerdicts(segmentationNode)
    except BadInputError as error:
        return None, str(error)
    if verdicts and not (inputVolume(segmentationNode) is volumeNode and _areOfGrid(segmentationNode, grid)):
        return (), _("What was accepted or dismissed before was given on another CT and is not applied.")
    return verdicts, ""


def _areOfGrid(segmentationNode: vtkMRMLSegmentationNode, grid: Grid) -> bool:
    """Whether a result's verdicts were given on a grid, so that their voxels mean the same there."""
    node = companion(segmentationNode, VERDICTS)
    return node is not None and node.GetAttribute(_GRID) == _textOf(grid)


def _textOf(grid: Grid) -> str:
    # Less than a thousandth of a millimetre is what files round away; adding 0 makes -0 what it is.
    matrix = [[round(value, 3) + 0.0 for value in row] for row in grid.ijk_to_ras.tolist()]
    return json.dumps([list(grid.shape_kji), matrix])
