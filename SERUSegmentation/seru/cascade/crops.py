"""Crops: a region of each side, centred on its key slice's contour and the same on every slice.

Source: SERU manuscript, key-slice section; a region that grows is our rule, ``--crop paper`` is the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seru.cascade.key_slices import KeyContour, find_key_slices
from seru.cascade.preprocessing import Prepared
from seru.cascade.stage_grid import refine_zoom, resize_probabilities
from seru.findings import SIDE_CODES, SIDES, Side
from seru.model.architecture import STRIDE
from seru.model.card import ModelCard
from seru.options import SegmentOptions
from seru.result.components import ISLAND_ML, bounding_box, remove_small, voxel_numbers
from seru.result.finish import thresholds_of
from seru.result.gate import believe
from seru.result.sides import assign_sides

# A grown region leaves this many of the network's pixels around the mask, and its sides stay multiples of the stride.
_MARGIN = 16
# The refine stage runs this far beyond a side's mask: the coarse stage may miss a pole.
REFINE_MARGIN_MM = 10.0
# A region grows for components that hold at least this share of the side's mask, not for islands.
_MAIN_SHARE = 0.05
_NO_KIDNEY = (
    "No kidney was found; check that the scan shows the abdomen. Without contrast agent kidneys are easily missed."
)
_NONE_BELIEVED = "Nothing was sure enough of a kidney for the refine stage: the coarse result stands."
# A key slice is chosen among components of at least this share of their side's largest. On TotalSegmentator's example a
# bowel loop of 13 % has the largest contour of its side, with nearly the confidence of the kidney.
_KEY_SHARE = 0.25
# A stack of a few slices shows less of a kidney: this much on each of them is enough.
_LEAST_MM2 = 200.0


@dataclass(frozen=True)
class CropRegion:
    """Where the crop of one side lies, in pixels of the axial stack; the same on every slice.

    Attributes:
        origin_rc: first row and column; negative where the image is smaller than the crop.
        size_rc: rows and columns.
        network_rc: rows and columns that the refine stage sees (the crop is resampled to them).
        grown: whether it is larger than the model's crop, or was moved.
    """

    origin_rc: tuple[int, int]
    size_rc: tuple[int, int]
    network_rc: tuple[int, int]
    grown: bool = False

    def inside(self, shape_rc: Sequence[int]) -> tuple[slice, slice]:
        """Return the rows and columns of the image that the region covers.

        Args:
            shape_rc: rows and columns of the image.

        Returns:
            Slices of rows and of columns.
        """
        rows, columns = (
            slice(max(origin, 0), min(origin + size, limit))
            for origin, size, limit in zip(self.origin_rc, self.size_rc, shape_rc, strict=True)
        )
        return rows, columns


@dataclass(frozen=True)
class SideCrop:
    """The crop of one side.

    Attributes:
        key: contour of the key slice.
        region: on every slice.
        slices: of the stack, that the refine stage runs on.
        warning: what the user should know of it, one sentence.
    """

    key: KeyContour
    region: CropRegion
    slices: range
    warning: str | None = None


@dataclass(frozen=True)
class Crops:
    """The crops of both sides; None for a side without a kidney.

    Attributes:
        by_side: crop of each side.
        why_none: what the user should know where there is no crop, one sentence.
    """

    by_side: dict[Side, SideCrop | None]
    why_none: str = ""

    def __iter__(self) -> Iterator[SideCrop]:
        """Yield the crops there are, right before left."""
        return (crop for side in SIDES if (crop := self.by_side[side]) is not None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know, one sentence each."""
        crops = list(self)
        return tuple(crop.warning for crop in crops if crop.warning) if crops else (self.why_none,)


def find_crops(
    mask: np.ndarray,
    prepared: Prepared,
    card: ModelCard,
    options: SegmentOptions,
    first_slice: int = 0,
    probability: np.ndarray | None = None,
) -> Crops:
    """Find key slices and crops on a mask of kidney and tumor, among components that are believed.

    Args:
        mask: bool, (slices, rows, columns): the stack, or a run of its slices.
        prepared: the whole stack: its shape, spacing and midline.
        card: size of the crop, and pixel size where it is fixed.
        options: whether a crop may grow, whether every slice is refined, and the least confidence.
        first_slice: of the stack, where the mask begins.
        probability: uint8, shape of the mask: of kidney and tumor together, times 255; None believes the whole mask.

    Returns:
        The crops.
    """
    by_side: dict[Side, SideCrop | None] = dict.fromkeys(SIDES)
    box = bounding_box(mask)
    if box is None:
        return Crops(by_side, _NO_KIDNEY)
    lower = first_slice + box[0].start, box[1].start, box[2].start
    found = inside = remove_small(mask[box], prepared.voxel_ml, _island_ml(prepared))
    threshold = 0.0
    if probability is not None:
        threshold = thresholds_of(card.least_confidences, options).kidney_coarse
        inside = believe(inside, probability[box], threshold)
    sides = assign_sides(inside, prepared.midline - lower[2], prepared.voxel_ml)
    for side, key in find_key_slices(_main_parts(sides) if threshold > 0 else sides, lower).items():
        if key is not None:
            of_side = sides == SIDE_CODES[side]
            region, larger = _region_of(key, of_side, lower, prepared, card)
            warning = None
            if larger.grown:
                warning = _grown_warning(side, larger, card.crop_size, options.crop)
                region = larger if options.crop == "grow" else region
            slices = range(prepared.shape[0])
            if not options.all_slices:
                slices = _slices_around(of_side, lower[0], prepared)
            by_side[side] = SideCrop(key, region, slices, warning)
    return Crops(by_side, _NONE_BELIEVED if found.any() else _NO_KIDNEY)


def crop_origin(centre_rc: Sequence[float], size_rc: Sequence[int], shape_rc: Sequence[int]) -> tuple[int, int]:
    """Return the first pixel of a crop around a centre, moved into the image where the image is large enough.

    Args:
        centre_rc: centre (row, column).
        size_rc: rows and columns of the crop.
        shape_rc: rows and columns of the image.

    Returns:
        First row and column; where the image is smaller than the crop it is centred in it (negative origin).
    """
    origin = []
    for centre, size, limit in zip(centre_rc, size_rc, shape_rc, strict=True):
        if limit <= size:
            origin.append(-((size - limit) // 2))
        else:
            origin.append(min(max(round(centre - (size - 1) / 2), 0), limit - size))
    return origin[0], origin[1]


def take_crop(image: np.ndarray, origin_rc: Sequence[int], size_rc: Sequence[int], fill: int = 0) -> np.ndarray:
    """Cut a crop out of a slice, filled where it reaches outside.

    Args:
        image: shape (rows, columns), any dtype.
        origin_rc: first row and column; may be negative.
        size_rc: rows and columns of the crop.
        fill: value outside the image.

    Returns:
        Array of the crop's size and the image's dtype; a view where the crop lies inside.
    """
    (row, column), (rows, columns) = origin_rc, size_rc
    inside = image[max(row, 0) : row + rows, max(column, 0) : column + columns]
    if inside.shape == (rows, columns):
        return inside
    crop = np.full((rows, columns), fill, image.dtype)
    top, left = max(-row, 0), max(-column, 0)
    crop[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return crop


def paper_region(
    centre_rc: Sequence[float], crop_size: int, zoom_rc: Sequence[float], shape_rc: Sequence[int]
) -> CropRegion:
    """Return the paper's region: ``crop_size`` network pixels around the contour's centre.

    Args:
        centre_rc: centre of the key slice's contour, (row, column).
        crop_size: rows and columns that the refine stage sees.
        zoom_rc: network pixels per image pixel, along rows and columns (1 where slices are not resampled).
        shape_rc: rows and columns of the image.

    Returns:
        The region.
    """
    rows, columns = (max(1, round(crop_size / zoom)) for zoom in zoom_rc)
    size_rc = (rows, columns)
    return CropRegion(crop_origin(centre_rc, size_rc, shape_rc), size_rc, (crop_size, crop_size))


def grow_region(
    region: CropRegion, extent_rc: Sequence[slice], zoom_rc: Sequence[float], shape_rc: Sequence[int]
) -> CropRegion:
    """Grow a region until it holds a mask.

    Args:
        region: the paper's.
        extent_rc: rows and columns of the image that hold the mask.
        zoom_rc: network pixels per image pixel.
        shape_rc: rows and columns of the image.

    Returns:
        The same region where it holds the mask already, else a larger one; its sides are multiples of 32
        network pixels.
    """
    origin, size, network = list(region.origin_rc), list(region.size_rc), list(region.network_rc)
    for axis, (place, zoom) in enumerate(zip(extent_rc, zoom_rc, strict=True)):
        if origin[axis] <= place.start and place.stop <= origin[axis] + size[axis]:
            continue
        margin = math.ceil(_MARGIN / zoom)
        # Beyond the image there is nothing to see; so the region is what its part inside the image gives again.
        wanted = min(place.stop - place.start + 2 * margin, shape_rc[axis])
        network[axis], size[axis] = network_side(wanted, zoom, network[axis])
        centre = (place.start + place.stop - 1) / 2
        origin[axis] = crop_origin((centre,) * 2, (size[axis],) * 2, (shape_rc[axis],) * 2)[0]
    grown = tuple(size) != region.size_rc or tuple(origin) != region.origin_rc
    return CropRegion((origin[0], origin[1]), (size[0], size[1]), (network[0], network[1]), grown)


def network_side(pixels: int, zoom: float, least: int) -> tuple[int, int]:
    """Return the smallest side of a crop that holds so many pixels of the image.

    Args:
        pixels: of the image.
        zoom: network pixels per image pixel.
        least: network pixels that it has at least, a multiple of 32.

    Returns:
        Its network pixels, a multiple of 32, and its pixels of the image; given those, it returns the same.
    """
    network = max(least, STRIDE * (int(pixels * zoom) // STRIDE))
    while max(1, round(network / zoom)) < pixels:
        network += STRIDE
    return network, max(1, round(network / zoom))


def paste_crop(target: np.ndarray, crop: np.ndarray, region: CropRegion, overlap: CropRegion | None = None) -> None:
    """Write a crop's probabilities into a slice, in place.

    Args:
        target: uint8, shape (2, rows, columns).
        crop: uint8, shape (2, H, W), as the network gave it.
        region: where it belongs.
        overlap: of an earlier crop; where both overlap the average stands.
    """
    shape_rc = target.shape[1:]
    rows, columns = region.inside(shape_rc)
    crop = resize_probabilities(crop, region.size_rc)
    crop = crop[:, rows.start - region.origin_rc[0] :, columns.start - region.origin_rc[1] :]
    covered = target[:, rows, columns]
    crop = crop[:, : covered.shape[1], : covered.shape[2]]
    if overlap is None:
        covered[:] = crop
        return
    both = np.zeros(shape_rc, bool)
    both[overlap.inside(shape_rc)] = True
    # Rounding down keeps the sum of both classes at 255 or less.
    average = ((covered.astype(np.uint16) + crop) // 2).astype(np.uint8)
    covered[:] = np.where(both[rows, columns], average, crop)


def _main_parts(sides: np.ndarray) -> np.ndarray:
    """Of each side the components that a key slice is chosen among."""
    box = bounding_box(sides > 0)
    if box is None:
        return sides
    kept, inside = np.zeros_like(sides), sides[box]
    for code in SIDE_CODES.values():
        of_side = inside == code
        numbers = voxel_numbers(of_side)
        sizes = np.bincount(numbers)
        is_main = sizes >= max(_KEY_SHARE * sizes.max(initial=0), 1)
        kept[box][of_side] = is_main[numbers] * np.uint8(code)
    return kept


def _island_ml(prepared: Prepared) -> float:
    return min(ISLAND_ML, _LEAST_MM2 / 1000 * prepared.spacing_mm[0] * prepared.shape[0])


def _region_of(
    key: KeyContour, mask: np.ndarray, lower: Sequence[int], prepared: Prepared, card: ModelCard
) -> tuple[CropRegion, CropRegion]:
    """The paper's region, and the one that holds the side's mask, which begins at ``lower`` of the stack."""
    shape_rc = prepared.shape[1:]
    zoom = refine_zoom(prepared.spacing_mm[1:], card)
    region = paper_region(key.centre_rc, card.crop_size, zoom, shape_rc)
    main_ml = _MAIN_SHARE * np.count_nonzero(mask) * prepared.voxel_ml
    extent = bounding_box(remove_small(mask, prepared.voxel_ml, main_ml))
    if extent is None:
        return region, region
    held = [slice(part.start + low, part.stop + low) for part, low in zip(extent[1:], lower[1:], strict=True)]
    return region, grow_region(region, held, zoom, shape_rc)


def _slices_around(mask: np.ndarray, first_slice: int, prepared: Prepared) -> range:
    shown = first_slice + np.flatnonzero(mask.any(axis=(1, 2)))
    margin = math.ceil(REFINE_MARGIN_MM / prepared.spacing_mm[0])
    return range(max(int(shown[0]) - margin, 0), min(int(shown[-1]) + 1 + margin, prepared.shape[0]))


def _grown_warning(side: Side, larger: CropRegion, crop_size: int, rule: str) -> str:
    leaves = f"The {side} kidney leaves its {crop_size}x{crop_size} crop"
    if rule == "grow":
        if larger.network_rc == (crop_size, crop_size):
            return f"{leaves}; the crop moved to hold it."
        return f"{leaves}; the crop grew to {larger.network_rc[0]}x{larger.network_rc[1]}."
    return f"{leaves}; outside it the coarse result stands."
