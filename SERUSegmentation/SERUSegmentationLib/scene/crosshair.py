"""What the crosshair points at in a result: the voxel, its side, what is shown there and what could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import slicer

from seru.findings import SIDES, Index, Report, Side
from seru.orientation import find_orientation
from seru.result.measurements import Measured
from seru.result.sides import find_midline
from SERUSegmentationLib.scene.geometry import fromWorld, gridOf
from SERUSegmentationLib.scene.live_result import LiveResult

if TYPE_CHECKING:
    from slicer import vtkMRMLVolumeNode

# So far from the crosshair may be what is meant by it.
_NEAR_MM = 5.0
_ALPHAS = np.linspace(0.0, 1.0, 21)


def crosshairIjk(volumeNode: vtkMRMLVolumeNode) -> Index | None:
    """Return the voxel (i, j, k) of a volume that the crosshair is on; None where it is outside.

    Args:
        volumeNode: under any parent transforms.
    """
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if node is None:
        return None
    grid = gridOf(volumeNode)
    place = np.linalg.inv(grid.ijk_to_ras) @ [*fromWorld(volumeNode, node.GetCrosshairRAS()), 1.0]
    i, j, k = np.rint(place[:3]).astype(int).tolist()
    isInside = all(0 <= at < size for at, size in zip((i, j, k), grid.shape_ijk, strict=True))
    return (i, j, k) if isInside else None


def sideAt(volumeNode: vtkMRMLVolumeNode, report: Report, ijk: Index) -> Side:
    """Return the side of a place: that of the only box around it, else that of its half of the body.

    Args:
        volumeNode: the input.
        report: of the run.
        ijk: voxel of the input.
    """
    around = [side for side in SIDES if _isInBox(report, side, ijk)]
    if len(around) == 1:
        return around[0]
    orientation = find_orientation(gridOf(volumeNode))
    hu = orientation.to_stack(slicer.util.arrayFromVolume(volumeNode))
    _slices, _rows, columns = orientation.box_of_ijk(ijk, ijk, hu.shape)
    return "right" if columns.start < find_midline(hu) else "left"


def _isInBox(report: Report, side: Side, ijk: Index) -> bool:
    crop = report.side(side).crop
    return crop is not None and all(
        low <= at <= high for low, at, high in zip(crop.ijk_min, ijk, crop.ijk_max, strict=True)
    )


def unbelievedAt(result: LiveResult, ijk: Index) -> Measured | None:
    """Return the finding, of those that are not in the labels, that is nearest to a place; None where none is near.

    Args:
        result: written or assumed.
        ijk: voxel of the input.
    """
    measured = result.finished.measured if result.finished else ()
    spacing, lower = np.array(result.maps.grid.spacing_kji_mm), np.array(result.maps.lower_kji)
    reach = np.ceil(_NEAR_MM / spacing).astype(int)

    def distance_mm(one: Measured) -> float:
        place = np.array(ijk[::-1]) - lower - [part.start for part in one.component.box]
        first = np.maximum(place - reach, 0)
        window = tuple(slice(a, max(b, 0)) for a, b in zip(first, place + reach + 1, strict=True))
        voxels = np.argwhere(one.component.voxels[window]) + first
        return float(np.linalg.norm((voxels - place) * spacing, axis=1).min(initial=np.inf))

    distances = [(distance_mm(one), one) for one in measured if not one.finding.is_counted]
    nearest, found = min(distances, key=lambda pair: pair[0], default=(np.inf, None))
    return found if nearest <= _NEAR_MM else None


def labelAt(result: LiveResult, ijk: Index) -> int:
    """Return what a result shows at a voxel of the input: 0 background, 1 kidney, 2 tumor."""
    place = _placeInBox(result, ijk)
    return 0 if place is None or result.finished is None else int(result.finished.labels_box[place])


def alphaWithMore(result: LiveResult, ijk: Index) -> tuple[float, int] | None:
    """Return the alpha nearest to the result's own at which more is found at a place, before anything is left out.

    Args:
        result: written or assumed.
        ijk: voxel of the input.

    Returns:
        Alpha and the label, kidney over background or tumor over either; None where no alpha has more.
    """
    place = _placeInBox(result, ijk)
    if place is None or result.finished is None:
        return None
    shown, own = int(result.finished.labels_box[place]), result.finished.alpha
    found = [(float(alpha), result.fusion.label_at(place, float(alpha))) for alpha in _ALPHAS]
    return min((pair for pair in found if pair[1] > shown), key=lambda pair: abs(pair[0] - own), default=None)


def _placeInBox(result: LiveResult, ijk: Index) -> Index | None:
    """The index (k, j, i) into the maps' stored box; None outside it."""
    k, j, i = (at - low for at, low in zip(ijk[::-1], result.maps.lower_kji, strict=True))
    isInside = all(0 <= at < size for at, size in zip((k, j, i), result.maps.mask.shape, strict=True))
    return (k, j, i) if isInside else None
