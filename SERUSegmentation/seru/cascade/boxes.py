"""Crops where a person put them: boxes of the input become regions and slices of the stack.

Source: our rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from seru.cascade.coarse import Coarse
from seru.cascade.crops import CropRegion, Crops, SideCrop, crop_origin, network_side, paper_region
from seru.cascade.key_slices import KeyContour, largest_contour
from seru.cascade.preprocessing import Prepared
from seru.cascade.stage_grid import refine_zoom
from seru.errors import BadInputError
from seru.findings import Side
from seru.grid import Grid
from seru.model.card import ModelCard
from seru.options import SideBox
from seru.orientation import Orientation, find_orientation
from seru.result.fusion import is_foreground

# So much of a box's width in the other half is told of; around a kidney in its own half it is about a tenth.
_OTHER_HALF = 0.75


def check_boxes(boxes: Sequence[SideBox], grid: Grid) -> None:
    """Check, before any network runs, that boxes lie inside a scan, and their key slices inside them.

    Args:
        boxes: of the options.
        grid: of the input.

    Raises:
        BadInputError: one does not.
    """
    axis = find_orientation(grid).stack_axis_ijk
    for box in boxes:
        key = box.key_slice
        if key is not None and not box.ijk_min[axis] <= key <= box.ijk_max[axis]:
            low, high = box.ijk_min[axis], box.ijk_max[axis]
            raise BadInputError(f"The key slice {key} lies outside its box {box}; give one from {low} to {high}.")
        if any(last >= size for last, size in zip(box.ijk_max, grid.shape_ijk, strict=True)):
            shape = " x ".join(map(str, grid.shape_ijk))
            raise BadInputError(
                f"The box {box} reaches beyond the CT of {shape} voxels; give voxels along i, j and k, counted from 0."
            )


def place_boxes(
    found: Crops,
    boxes: Sequence[SideBox],
    coarse: Coarse,
    prepared: Prepared,
    orientation: Orientation,
    card: ModelCard,
) -> Crops:
    """Put the crops of some sides where boxes are.

    Args:
        found: where the kidneys were found.
        boxes: one a side at most, inside the scan.
        coarse: of the same scan.
        prepared: its shape and spacing.
        orientation: of the input.
        card: size of the crop, and pixel size where it is fixed.

    Returns:
        The crops. A key slice is the one that its box gives, or the one that was found where it is among the box's
        slices, or that with the largest contour inside the box, or the box's middle slice.
    """
    by_side: dict[Side, SideCrop | None] = dict(found.by_side)
    zoom_rc = refine_zoom(prepared.spacing_mm[1:], card)
    for box in boxes:
        slices, *place_rc = orientation.box_of_ijk(box.ijk_min, box.ijk_max, prepared.shape)
        region = _region(place_rc, zoom_rc, card.crop_size, prepared.shape[1:])
        key = _key_of(box, by_side[box.side], slices, region, coarse, orientation)
        usual = paper_region(key.centre_rc, card.crop_size, zoom_rc, prepared.shape[1:])
        moved = CropRegion(region.origin_rc, region.size_rc, region.network_rc, grown=region != usual)
        by_side[box.side] = SideCrop(key, moved, slices, _side_warning(box.side, place_rc[1], prepared.midline))
    return Crops(by_side, found.why_none)


def _key_of(
    box: SideBox,
    found: SideCrop | None,
    slices: range,
    region: CropRegion,
    coarse: Coarse,
    orientation: Orientation,
) -> KeyContour:
    """The key slice of a side in its box."""
    if box.key_slice is not None:
        place = [box.key_slice if axis == orientation.stack_axis_ijk else low for axis, low in enumerate(box.ijk_min)]
        i, j, k = place
        slices, *_ = orientation.box_of_ijk((i, j, k), (i, j, k), coarse.probabilities[:, 0].shape)
    elif found is not None and found.key.index in slices:
        return found.key
    return _key_inside(slices, region, coarse)


def _side_warning(side: Side, columns: range, midline: float) -> str | None:
    """What is to be told of a box in the other half of the body; some kidneys do lie there."""
    share_right = sum(column < midline for column in columns) / len(columns)
    other: Side = "left" if side == "right" else "right"
    if (share_right if side == "left" else 1 - share_right) <= _OTHER_HALF:
        return None
    return f"The box of the {side} side lies in the {other} half of the body; check that the side is the patient's."


def _region(place_rc: Sequence[range], zoom_rc: Sequence[float], crop_size: int, shape_rc: Sequence[int]) -> CropRegion:
    """The region around a box: never under the model's crop, and of a size that the network takes."""
    sides = [network_side(len(place), zoom, crop_size) for place, zoom in zip(place_rc, zoom_rc, strict=True)]
    (rows, columns), size_rc = (network for network, _ in sides), (sides[0][1], sides[1][1])
    centre_rc = [(place[0] + place[-1]) / 2 for place in place_rc]
    return CropRegion(crop_origin(centre_rc, size_rc, shape_rc), size_rc, (rows, columns))


def _key_inside(slices: range, region: CropRegion, coarse: Coarse) -> KeyContour:
    rows, columns = region.inside(coarse.probabilities.shape[2:])
    best: KeyContour | None = None
    for index in slices:
        contour = largest_contour(is_foreground(coarse.probabilities[index : index + 1, :, rows, columns])[0])
        if contour is not None and (best is None or contour[0] > best.area_px):
            area, (row, column) = contour
            best = KeyContour(index, (row + rows.start, column + columns.start), area)
    if best is not None:
        return best
    centre = ((part.start + part.stop - 1) / 2 for part in (rows, columns))
    return KeyContour(slices[(len(slices) - 1) // 2], (next(centre), next(centre)), 0.0)
