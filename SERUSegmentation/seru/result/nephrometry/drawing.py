"""What the components were computed from, as lines and planes that a person can look at in the images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seru.findings import Finding
from seru.grid import Position
from seru.result.nephrometry.anatomy import Anatomy, Place
from seru.result.nephrometry.location import Case, Gap
from seru.result.nephrometry.sinus import Sinus
from seru.scores import Aspect

# How far a plane reaches beyond kidney and tumors, so that its line is seen beside them.
_MARGIN_MM = 10.0


@dataclass(frozen=True)
class Line:
    """A straight line between two points in RAS mm."""

    start_ras: Position
    end_ras: Position

    @property
    def mm(self) -> float:
        """Its length."""
        return math.dist(self.start_ras, self.end_ras)

    @property
    def middle_ras(self) -> Position:
        """The point half-way between its ends."""
        r, a, s = ((start + end) / 2 for start, end in zip(self.start_ras, self.end_ras, strict=True))
        return r, a, s


@dataclass(frozen=True)
class Plane:
    """A part of a plane: its four corners in RAS mm, in their order round it."""

    corners_ras: tuple[Position, Position, Position, Position]

    def beside_ras(self, line: Line) -> tuple[Position, Position]:
        """Return two points on the edges of the plane, straight beside where a line meets it.

        Args:
            line: however long, not parallel to the plane.

        Returns:
            The point on the edge from the last corner to the first, and that on the edge from the first to the second.
        """
        corners, start, end = np.array(self.corners_ras), np.array(line.start_ras), np.array(line.end_ras)
        along, down = corners[1] - corners[0], corners[3] - corners[0]
        normal = np.cross(along, down)
        meets = start + (end - start) * ((corners[0] - start) @ normal) / ((end - start) @ normal)
        aside, below = (float((meets - corners[0]) @ way / (way @ way)) for way in (along, down))
        (r, a, s), (r2, a2, s2) = (corners[0] + below * down).tolist(), (corners[0] + aside * along).tolist()
        return (r, a, s), (r2, a2, s2)


@dataclass(frozen=True)
class SinusDrawing:
    """What is known only where the sinus was found.

    Attributes:
        distance: the shortest way from the tumor to the sinus, between faces of voxels; no longer than a point where
            both touch.
        lower_polar: the axial slice of the lower polar line.
        midline: half-way between both.
        upper_polar: likewise, of the upper one.
        coronal: the kidney's own coronal plane, which parts anterior from posterior: through its long axis and the
            opening of the sinus.
    """

    distance: Line
    lower_polar: Plane
    midline: Plane
    upper_polar: Plane
    coronal: Plane


@dataclass(frozen=True)
class Drawing:
    """What a side's scores were computed from.

    Attributes:
        diameter: the tumor's longest one in an axial slice.
        axis: the kidney's long axis, from below its lowest slice to above its highest.
        centres: from the kidney's centre to the tumor's; None where the C-index cannot be told.
        sinus: what hangs on the sinus; None where none was found.
    """

    diameter: Line
    axis: Line
    centres: Line | None
    sinus: SinusDrawing | None


def drawing_of(case: Case, tumor: Finding, gap: Gap | None, centrality: Aspect) -> Drawing:
    """Gather what a side's scores were computed from.

    Args:
        case: of the side.
        tumor: that is scored.
        gap: from it to the sinus; None where none was found.
        centrality: the C-index.

    Returns:
        The drawing, in the scan's own RAS.
    """
    anatomy, places = case.anatomy, centrality.places_ras
    lowest, highest = _ends_of_axis(anatomy)
    return Drawing(
        diameter=Line(tumor.longest.start_ras, tumor.longest.end_ras),
        axis=Line(anatomy.frame.place_ras(lowest), anatomy.frame.place_ras(highest)),
        centres=Line(places["kidney"], places["tumor"]) if places else None,
        sinus=_sinus_drawing(anatomy, case.sinus, gap) if case.sinus is not None and gap is not None else None,
    )


def _sinus_drawing(anatomy: Anatomy, sinus: Sinus, gap: Gap) -> SinusDrawing:
    lower, upper = sinus.polar_lines
    return SinusDrawing(
        distance=Line(gap.tumor_ras, gap.sinus_ras),
        lower_polar=_axial_plane(anatomy, lower),
        midline=_axial_plane(anatomy, (lower + upper) / 2),
        upper_polar=_axial_plane(anatomy, upper),
        coronal=_coronal_plane(anatomy, sinus),
    )


def _ends_of_axis(anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray]:
    """Slice, row and column of the long axis at both faces of the kidney, that of its lowest slice first."""
    slices = np.flatnonzero(anatomy.kidney.any(axis=(1, 2)))[[0, -1]] + np.array([-0.5, 0.5])
    lowest, highest = (np.array([index, *anatomy.centre_at(index)]) for index in slices)
    return lowest, highest


def _axial_plane(anatomy: Anatomy, index: float) -> Plane:
    """What an axial slice shows of kidney and tumors, and some more."""
    margin_rows, margin_columns = _MARGIN_MM / anatomy.spacing_mm[1:]
    front, back = np.flatnonzero(anatomy.organ.any(axis=(0, 2)))[[0, -1]] + margin_rows * np.array([-1, 1])
    right, left = np.flatnonzero(anatomy.organ.any(axis=(0, 1)))[[0, -1]] + margin_columns * np.array([-1, 1])
    return _plane(anatomy, [(index, front, right), (index, front, left), (index, back, left), (index, back, right)])


def _coronal_plane(anatomy: Anatomy, sinus: Sinus) -> Plane:
    """Along the long axis, and as far to both sides as kidney and tumors reach."""
    ways_mm = anatomy.from_axis_mm(np.argwhere(anatomy.organ)) @ sinus.facing
    away, towards = (
        np.array([0.0, *(sinus.facing * way_mm / anatomy.spacing_mm[1:])])
        for way_mm in (ways_mm.min() - _MARGIN_MM, ways_mm.max() + _MARGIN_MM)
    )
    lowest, highest = _ends_of_axis(anatomy)
    return _plane(anatomy, [lowest + away, lowest + towards, highest + towards, highest + away])


def _plane(anatomy: Anatomy, places: Sequence[Place | np.ndarray]) -> Plane:
    first, second, third, fourth = map(anatomy.frame.place_ras, places)
    return Plane((first, second, third, fourth))
