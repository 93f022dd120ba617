"""The renal sinus and its opening, derived from the kidney's outline: no label holds them.

Source: our rule. In an axial slice the kidney is a C or a ring round its sinus: the sinus is what the slice's convex
outline of the kidney holds besides kidney and tumor, where that is deep, large and towards the hilum. The opening is
where it reaches the outline, between the lips of the C (Kutikov & Uzzo 2009, "Location": the polar lines are where the
medial lip of the parenchyma is interrupted in axial images). Vessels, fat and collecting system are not told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.result.components import label_components
from seru.result.nephrometry.anatomy import Anatomy
from seru.scores import Aspect, rounded

# What is shallower than this is a dent between lobes.
DEPTH_MM = 5.0
# What is smaller is a rough edge: some readers label sinus and hilum as kidney, and then none can be found.
SMALLEST_ML = 2.0
# The hilum of an adult kidney is 3 to 4 cm high; what is open over less than this is none, nor is a narrower slit.
LOWEST_OPENING_MM = 15.0
OPENING_MM = 3.0
# Slices that parenchyma or a vessel closes may lie between open ones; what is further off is another dent.
_BRIDGE_MM = 10.0
# Its middle lies in the middle half of the kidney's height; nearer to a pole two lobes or a tumor leave a gap.
_MIDDLE = (0.25, 0.75)
# A tumor may divide the sinus: parts of this share of the largest one count.
_PART_SHARE = 0.25
# The hilum faces the middle of the body and somewhat to the front; a malrotated one, up to a right angle beside it.
_FACING_DEGREES = 30.0

HOW = (
    "What the convex outline of the kidney in each axial slice holds besides kidney and tumor, 5 mm deep or more, "
    "towards the middle of the body; it opens where it reaches the outline."
)
NO_HILUM = "The labels show no hilum: none, or sinus and hilum are labelled as kidney."


@dataclass(frozen=True, eq=False)
class Sinus:
    """The renal sinus, in the box of its anatomy.

    Attributes:
        mask: bool, axial stack (slices, rows, columns).
        opening: bool, its voxels between the lips.
        facing: row and column of the way from the kidney's axis to the opening, in mm, of length 1.
    """

    mask: np.ndarray
    opening: np.ndarray
    facing: np.ndarray

    @property
    def ends(self) -> tuple[int, int]:
        """First and last slice with sinus: PADUA's sinus lines."""
        return _first_and_last(self.mask)

    @property
    def polar_lines(self) -> tuple[int, int]:
        """First and last slice in which it is open: the polar lines of R.E.N.A.L."""
        return _first_and_last(self.opening)


def find_sinus(anatomy: Anatomy) -> Sinus | None:
    """Derive the renal sinus.

    Args:
        anatomy: of the side.

    Returns:
        The sinus; None where the kidney has none that is open.
    """
    mask = _towards_hilum(_deep(anatomy), anatomy)
    opening = _open_slices(mask & _beside(~anatomy.outlines & ~anatomy.organ), anatomy)
    if not opening.any() or not _is_in_the_middle(opening, anatomy.kidney):
        return None
    offsets = anatomy.from_axis_mm(np.argwhere(opening)).mean(axis=0)
    length = float(np.hypot(*offsets))
    return Sinus(mask, opening, offsets / length) if length > 0 else None


def sinus_aspect(anatomy: Anatomy, sinus: Sinus | None, is_cut: bool) -> Aspect:
    """Tell where the sinus was found.

    Args:
        anatomy: of the side.
        sinus: of it.
        is_cut: whether the kidney reaches the edge of the scan: where the sinus ends is not known then.

    Returns:
        Its volume, its opening's centre and, where they are known, the slices of both its ends and of the opening's.
    """
    if sinus is None:
        return Aspect.unknown("sinus", HOW, NO_HILUM)
    frame = anatomy.frame
    volume_ml = np.count_nonzero(sinus.mask) * frame.grid.voxel_ml
    lines = {"lower_polar_line": sinus.polar_lines[0], "upper_polar_line": sinus.polar_lines[1]}
    ends = {"lower_end": sinus.ends[0], "upper_end": sinus.ends[1]}
    return Aspect(
        "sinus",
        f"{'at least ' if is_cut else ''}{volume_ml:.0f} ml",
        None,
        HOW,
        numbers=rounded(volume_ml=volume_ml),
        places_ras={"opening": frame.place_ras(np.argwhere(sinus.opening).mean(axis=0))},
        slices={} if is_cut else {name: frame.slice_index(index) for name, index in {**lines, **ends}.items()},
    )


def _deep(anatomy: Anatomy) -> np.ndarray:
    """What the outlines hold besides organ, in each slice the parts that are deep somewhere."""
    from scipy import ndimage

    gaps = anatomy.outlines & ~anatomy.organ
    deep = np.zeros_like(gaps)
    for index in np.flatnonzero(gaps.any(axis=(1, 2))):
        numbers, count = ndimage.label(gaps[index], np.ones((3, 3)))
        depth_mm = ndimage.distance_transform_edt(anatomy.outlines[index], anatomy.spacing_mm[1:])
        deepest = ndimage.maximum(depth_mm, numbers, np.arange(count + 1))
        deep[index] = gaps[index] & (np.asarray(deepest) >= DEPTH_MM)[numbers]
    return deep


def _towards_hilum(deep: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """The largest part that lies towards the hilum, and others nearly as large."""
    numbers = label_components(deep)
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    for number in np.flatnonzero(sizes):
        to_back, to_left = anatomy.from_axis_mm(np.argwhere(numbers == number)).mean(axis=0)
        angle = np.deg2rad(_FACING_DEGREES)
        if to_left * anatomy.medial * np.cos(angle) - to_back * np.sin(angle) <= 0:
            sizes[number] = 0
    least = max(_PART_SHARE * sizes.max(), SMALLEST_ML / anatomy.frame.grid.voxel_ml)
    return (sizes >= least)[numbers]


def _beside(mask: np.ndarray) -> np.ndarray:
    """What shares an edge with a mask in its slice."""
    from scipy import ndimage

    return ndimage.binary_dilation(mask, ndimage.generate_binary_structure(2, 1)[np.newaxis])


def _open_slices(opening: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """The opening, in the slices where it is wide enough."""
    opening = opening.copy()
    for index in np.flatnonzero(opening.any(axis=(1, 2))):
        sizes_mm = np.ptp(np.argwhere(opening[index]), axis=0) * anatomy.spacing_mm[1:]
        if np.hypot(*sizes_mm) < OPENING_MM:
            opening[index] = False
    return _largest_run(opening, anatomy)


def _largest_run(opening: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """The largest opening among those that many closed slices separate; nothing where it is too low."""
    spacing_mm = anatomy.spacing_mm[0]
    slices = np.flatnonzero(opening.any(axis=(1, 2)))
    # A tumor may close the hilum, so its slices separate nothing.
    heights_mm = np.cumsum(~anatomy.tumor.any(axis=(1, 2)))[slices] * spacing_mm
    starts = np.flatnonzero(np.diff(heights_mm) > max(_BRIDGE_MM, 1.5 * spacing_mm)) + 1
    largest = max(np.split(slices, starts), key=lambda run: np.count_nonzero(opening[run]))
    kept = np.zeros_like(opening)
    if len(largest) and (largest[-1] - largest[0] + 1) * spacing_mm >= LOWEST_OPENING_MM:
        kept[largest] = opening[largest]
    return kept


def _is_in_the_middle(opening: np.ndarray, kidney: np.ndarray) -> bool:
    lowest, highest = _first_and_last(kidney)
    height = (sum(_first_and_last(opening)) / 2 - lowest) / max(highest - lowest, 1)
    return _MIDDLE[0] <= height <= _MIDDLE[1]


def _first_and_last(mask: np.ndarray) -> tuple[int, int]:
    slices = np.flatnonzero(mask.any(axis=(1, 2)))
    return int(slices[0]), int(slices[-1])
