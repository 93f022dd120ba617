"""R.E.N.A.L. nephrometry: radius, exophytic share, nearness, anterior or posterior, location; 4 to 12 points.

Source: Kutikov & Uzzo, "The R.E.N.A.L. nephrometry score", J Urol 182 (2009) 844-853, Materials and Methods with its
table of points; Parsons et al., AJR 199 (2012) W355-W359, for how it is read in images. What the labels do not hold is
replaced as each component says.
"""

from __future__ import annotations

import numpy as np

from seru.result.nephrometry.location import Case, Gap, face_aspect, share_between
from seru.result.nephrometry.outline import Outline
from seru.result.nephrometry.sinus import NO_HILUM
from seru.scores import Aspect, Score, rounded, score_of

# Less than this out of the outline is a label's roughness: the tumor is entirely endophytic (our rule).
ENDOPHYTIC_MM = 2.0

_LIMITS = dict.fromkeys(("radius", "exophytic", "nearness", "location"), (1, 3))
_LETTERS = {"anterior": "a", "posterior": "p", "neither": "x"}


def renal_score(case: Case, outline: Outline, gap: Gap | None, hilar_gap: Gap | None) -> Score:
    """Score a tumor.

    Args:
        case: of the side.
        outline: of its kidney.
        gap: from the tumor to the sinus; None where none was found.
        hilar_gap: from the tumor to the opening of the sinus; likewise.

    Returns:
        The score; ``h`` in its suffix says that the tumor touches the opening.
    """
    face, hilum = face_aspect(case, "anterior or posterior"), _hilum(case, hilar_gap)
    aspects = (_radius(case), _exophytic(case, outline), _nearness(case, gap), face, _location(case), hilum)
    suffix = _LETTERS.get(face.value or "", "") + ("h" if hilum.value == "touches" else "")
    return score_of("R.E.N.A.L.", aspects, _LIMITS, suffix)


def _radius(case: Case) -> Aspect:
    """Section "Radius": the largest diameter; in axial slices, as radiologists measure (benchmarks/diameters.py)."""
    how = "The tumor's longest diameter in an axial slice."
    if reason := case.tumor_reason:
        return Aspect.unknown("radius", how, reason)
    value, points = radius_of(case.diameter_mm)
    return Aspect("radius", value, points, how, numbers=rounded(diameter_mm=case.diameter_mm))


def radius_of(diameter_mm: float) -> tuple[str, int]:
    """Return the words and points of a tumor's longest diameter in mm."""
    if diameter_mm >= 70:
        return "7 cm or more", 3
    return ("4 cm or less", 1) if diameter_mm <= 40 else ("more than 4, less than 7 cm", 2)


def _exophytic(case: Case, outline: Outline) -> Aspect:
    """Section "Exophytic/endophytic"; by volume, against the outline of :mod:`seru.result.nephrometry.outline`."""
    name, how = "exophytic", "Share of the tumor's volume outside of the convex hull of the kidney without the tumor."
    if reason := case.tumor_reason:
        return Aspect.unknown(name, how, reason)
    value, points = exophytic_of(outline)
    place_ras = case.anatomy.frame.place_ras
    return Aspect(
        name,
        value,
        points,
        how,
        numbers=rounded(exophytic_share=outline.exophytic_share, bulge_mm=outline.bulge_mm),
        places_ras={"outermost": place_ras(outline.bulge_place), "innermost": place_ras(outline.depth_place)},
    )


def exophytic_of(outline: Outline) -> tuple[str, int]:
    """Return the words and points that both scores give to how much of a tumor lies outside of the kidney."""
    if outline.bulge_mm < ENDOPHYTIC_MM:
        return "entirely endophytic", 3
    return ("50 % or more exophytic", 1) if outline.exophytic_share >= 0.5 else ("less than 50 % exophytic", 2)


def _nearness(case: Case, gap: Gap | None) -> Aspect:
    """Section "Nearness": to the sinus, which holds the collecting system that no label shows."""
    how = "The shortest way from the tumor to the renal sinus, between faces of voxels; the collecting system is in it."
    if gap is None or case.tumor_is_cut:
        return Aspect.unknown("nearness", how, case.tumor_reason or NO_HILUM)
    value, points = ("4 mm or less", 3) if gap.mm <= 4 else ("more than 4, less than 7 mm", 2)
    if gap.mm >= 7:
        value, points = "7 mm or more", 1
    places = {"tumor": gap.tumor_ras, "sinus": gap.sinus_ras}
    return Aspect("nearness", value, points, how, numbers=rounded(distance_mm=gap.mm), places_ras=places)


def _location(case: Case) -> Aspect:
    """Section "Location", on axial slices; the renal midline is half-way between the polar lines."""
    how = (
        "The slices of the tumor against the first and last axial slice in which the sinus is open (the polar lines) "
        "and the one half-way between them."
    )
    if case.sinus is None or case.whole_reason:
        return Aspect.unknown("location", how, case.whole_reason or NO_HILUM)
    tumor, frame = case.anatomy.tumor, case.anatomy.frame
    lower, upper = case.sinus.polar_lines
    share = share_between(tumor, (lower, upper))
    slices = np.flatnonzero(tumor.any(axis=(1, 2)))
    value, points = _place(int(slices[0]), int(slices[-1]), (lower, upper), share)
    lines = {"lower_polar_line": lower, "upper_polar_line": upper, "midline": (lower + upper) / 2}
    lines |= {"tumor_lowest": slices[0], "tumor_highest": slices[-1]}
    return Aspect(
        "location",
        value,
        points,
        how,
        numbers=rounded(between_share=share),
        places_ras={name: frame.place_ras((index, *case.anatomy.centre_at(index))) for name, index in lines.items()},
        slices={name: frame.slice_index(index) for name, index in lines.items()},
    )


def _place(lowest: int, highest: int, lines: tuple[int, int], share: float) -> tuple[str, int]:
    if highest < lines[0] or lowest > lines[1]:
        return "above or below the polar lines", 1
    if lines[0] <= lowest and highest <= lines[1]:
        return "between the polar lines", 3
    if share > 0.5:
        return "more than half across a polar line", 3
    if lowest < sum(lines) / 2 < highest:
        return "crosses the axial renal midline", 3
    return "crosses a polar line", 2


def _hilum(case: Case, hilar_gap: Gap | None) -> Aspect:
    """Suffix "h": the main artery and vein, which no label shows, pass the opening of the sinus."""
    how = (
        "Whether the tumor touches the opening of the sinus, which the main vessels pass; the vessels are not labelled."
    )
    if hilar_gap is None or case.tumor_is_cut:
        return Aspect.unknown("hilum", how, case.tumor_reason or NO_HILUM)
    value = "touches" if hilar_gap.mm == 0 else "does not touch"
    places = {"tumor": hilar_gap.tumor_ras, "opening": hilar_gap.sinus_ras}
    return Aspect("hilum", value, None, how, numbers=rounded(distance_mm=hilar_gap.mm), places_ras=places)
