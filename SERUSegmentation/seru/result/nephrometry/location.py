"""Where a tumor lies: near the sinus, across lines, in front or behind, at the lateral or the medial rim.

Both scores look at the same places; each gives its own points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.grid import Position
from seru.result.nephrometry.anatomy import Anatomy
from seru.result.nephrometry.sinus import NO_HILUM, Sinus
from seru.scores import Aspect, rounded

TUMOR_CUT = "The tumor reaches the edge of the scan, and what lies beyond is not known."
KIDNEY_CUT = "The kidney reaches the edge of the scan, so its poles are not known."
# A tumor with less than this share on one side of the kidney's own coronal plane is neither in front nor behind.
_FACE_SHARE = 2 / 3


@dataclass(frozen=True, eq=False)
class Case:
    """A side with what the components need.

    Attributes:
        anatomy: kidney and tumor.
        sinus: None where none was found.
        diameter_mm: the tumor's longest diameter in an axial slice.
        kidney_is_cut: whether it reaches the edge of the scan.
        tumor_is_cut: likewise.
    """

    anatomy: Anatomy
    sinus: Sinus | None
    diameter_mm: float
    kidney_is_cut: bool
    tumor_is_cut: bool

    @property
    def tumor_reason(self) -> str | None:
        """Why what needs the whole tumor cannot be told."""
        return TUMOR_CUT if self.tumor_is_cut else None

    @property
    def whole_reason(self) -> str | None:
        """Why what needs the whole of kidney and tumor cannot be told."""
        return KIDNEY_CUT if self.kidney_is_cut else self.tumor_reason


@dataclass(frozen=True)
class Gap:
    """The shortest way from a tumor to the sinus.

    Attributes:
        mm: between the faces of voxels.
        tumor_ras: where it begins, on the face of a tumor's voxel, in RAS mm.
        sinus_ras: where it ends, on the face of a voxel of the sinus.
    """

    mm: float
    tumor_ras: Position
    sinus_ras: Position


def find_gap(anatomy: Anatomy, mask: np.ndarray) -> Gap:
    """Find the shortest way from the tumor to a mask.

    Args:
        anatomy: of the side.
        mask: bool, same box, not empty.

    Returns:
        The way; 0 mm where both touch.
    """
    from scipy import spatial

    tumor, other = _surface(anatomy.tumor), _surface(mask)
    _, nearest = spatial.KDTree(other * anatomy.spacing_mm).query(tumor * anatomy.spacing_mm)
    # Between the faces of two voxels; their centres are one voxel apart where they touch.
    steps = np.maximum(np.abs(tumor - other[nearest]) - 1, 0) * anatomy.spacing_mm
    distances = np.linalg.norm(steps, axis=1)
    shortest = int(distances.argmin())
    start, end = tumor[shortest], other[nearest[shortest]]
    to_face = np.clip(end - start, -1, 1) / 2
    place_ras = anatomy.frame.place_ras
    return Gap(float(distances[shortest]), place_ras(start + to_face), place_ras(end - to_face))


def share_between(mask: np.ndarray, lines: tuple[int, int]) -> float:
    """Return the share of a mask's voxels that lies from one slice to another, both counted, 0..1."""
    areas = mask.sum(axis=(1, 2))
    return float(areas[lines[0] : lines[1] + 1].sum() / areas.sum())


def face_aspect(case: Case, name: str) -> Aspect:
    """Tell whether the tumor lies in front of the kidney's own coronal plane or behind it.

    Args:
        case: of the side.
        name: of the component.

    Returns:
        ``anterior``, ``posterior`` or ``neither``; without points.

    Source: Kutikov & Uzzo 2009, "Anterior/posterior"; Ficarra et al. 2009, Table 1. The plane holds the kidney's long
    axis and the way to its opening; from which share on it is neither is our rule.
    """
    how = "Share of the tumor in front of the plane through the kidney's long axis and its opening; two thirds decide."
    if case.sinus is None or case.tumor_is_cut:
        return Aspect.unknown(name, how, case.tumor_reason or NO_HILUM)
    to_row, to_column = case.sinus.facing
    to_front = np.array([-to_column, to_row]) * case.anatomy.medial
    share = float((case.anatomy.from_axis_mm(np.argwhere(case.anatomy.tumor)) @ to_front > 0).mean())
    value = "anterior" if share >= _FACE_SHARE else "posterior" if share <= 1 - _FACE_SHARE else "neither"
    return Aspect(name, value, None, how, numbers=rounded(anterior_share=share))


def medial_mm(anatomy: Anatomy, sinus: Sinus) -> float:
    """Return how far the tumor's centre lies from the kidney's long axis towards the opening; negative: away."""
    centre = np.argwhere(anatomy.tumor).mean(axis=0)
    return float(anatomy.from_axis_mm(centre[np.newaxis])[0] @ sinus.facing)


def _surface(mask: np.ndarray) -> np.ndarray:
    """Places of the voxels that have a neighbour outside."""
    from scipy import ndimage

    return np.argwhere(mask & ~ndimage.binary_erosion(mask))
