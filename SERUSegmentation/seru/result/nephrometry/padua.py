"""PADUA: six anatomical components of a renal tumor; 6 to 14 points.

Source: Ficarra et al., "Preoperative aspects and dimensions used for an anatomical (PADUA) classification of renal
tumours", Eur Urol 56 (2009) 786-793, section 2 and Table 1.
"""

from __future__ import annotations

from seru.result.nephrometry.location import Case, Gap, face_aspect, medial_mm, share_between
from seru.result.nephrometry.outline import Outline
from seru.result.nephrometry.renal import exophytic_of
from seru.result.nephrometry.sinus import NO_HILUM
from seru.scores import Aspect, Score, rounded, score_of

_LIMITS = {
    "longitudinal location": (1, 2),
    "exophytic rate": (1, 3),
    "renal rim": (1, 2),
    "renal sinus": (1, 2),
    "collecting system": (1, 2),
    "size": (1, 3),
}
_LETTERS = {"anterior": "a", "posterior": "p"}


def padua_score(case: Case, outline: Outline, gap: Gap | None) -> Score:
    """Score a tumor.

    Args:
        case: of the side.
        outline: of its kidney.
        gap: from the tumor to the sinus; None where none was found.

    Returns:
        The score; a range for a tumor in the sinus, of which the labels do not tell whether it reaches the collecting
        system.
    """
    face = face_aspect(case, "face")
    aspects = (
        _longitudinal(case),
        _exophytic(case, outline),
        _rim(case),
        _sinus(case, gap),
        _collecting_system(case, gap),
        _size(case),
        face,
    )
    return score_of("PADUA", aspects, _LIMITS, _LETTERS.get(face.value or "", ""))


def _longitudinal(case: Case) -> Aspect:
    """Polar: more than half above or below the sinus lines, which go through the ends of the renal sinus."""
    name, how = (
        "longitudinal location",
        "Share of the tumor in the axial slices from one end of the sinus to the other.",
    )
    if case.sinus is None or case.whole_reason:
        return Aspect.unknown(name, how, case.whole_reason or NO_HILUM)
    share = share_between(case.anatomy.tumor, case.sinus.ends)
    value, points = ("middle", 2) if share >= 0.5 else ("superior or inferior", 1)
    slices = {"lower_end": case.sinus.ends[0], "upper_end": case.sinus.ends[1]}
    slices = {line: case.anatomy.frame.slice_index(index) for line, index in slices.items()}
    return Aspect(name, value, points, how, numbers=rounded(between_share=share), slices=slices)


def _exophytic(case: Case, outline: Outline) -> Aspect:
    """As R.E.N.A.L. has it."""
    name, how = (
        "exophytic rate",
        "Share of the tumor's volume outside of the convex hull of the kidney without the tumor.",
    )
    if reason := case.tumor_reason:
        return Aspect.unknown(name, how, reason)
    value, points = exophytic_of(outline)
    return Aspect(name, value, points, how, numbers=rounded(exophytic_share=outline.exophytic_share))


def _rim(case: Case) -> Aspect:
    """Lateral or medial."""
    how = "On which side of the kidney's long axis the tumor's centre lies, along the way to the opening of the sinus."
    if case.sinus is None or case.tumor_is_cut:
        return Aspect.unknown("renal rim", how, case.tumor_reason or NO_HILUM)
    mm = medial_mm(case.anatomy, case.sinus)
    value, points = ("medial", 2) if mm > 0 else ("lateral", 1)
    return Aspect("renal rim", value, points, how, numbers=rounded(medial_mm=mm))


def _sinus(case: Case, gap: Gap | None) -> Aspect:
    """Involved or not."""
    how = "Whether the tumor touches the renal sinus."
    if gap is None or case.tumor_is_cut:
        return Aspect.unknown("renal sinus", how, case.tumor_reason or NO_HILUM)
    value, points = ("involved", 2) if gap.mm == 0 else ("not involved", 1)
    places = {"tumor": gap.tumor_ras, "sinus": gap.sinus_ras}
    return Aspect("renal sinus", value, points, how, numbers=rounded(distance_mm=gap.mm), places_ras=places)


def _collecting_system(case: Case, gap: Gap | None) -> Aspect:
    """Not involved where the tumor leaves the sinus alone, in which it lies; else not to be told."""
    name, how = "collecting system", "Not involved where the tumor does not touch the renal sinus, which holds it."
    if gap is None or case.tumor_is_cut:
        return Aspect.unknown(name, how, case.tumor_reason or NO_HILUM)
    if gap.mm == 0:
        reason = "The tumor touches the sinus, and the labels do not show the collecting system in it."
        return Aspect.unknown(name, how, reason)
    return Aspect(name, "not involved", 1, how, numbers=rounded(distance_mm=gap.mm))


def _size(case: Case) -> Aspect:
    """In cm, to a tenth, as the paper's groups are."""
    how = "The tumor's longest diameter in an axial slice."
    if reason := case.tumor_reason:
        return Aspect.unknown("size", how, reason)
    cm = round(case.diameter_mm / 10, 1)
    value, points = ("4 cm or less", 1) if cm <= 4 else ("4.1 to 7 cm", 2) if cm <= 7 else ("more than 7 cm", 3)
    return Aspect("size", value, points, how, numbers=rounded(diameter_mm=case.diameter_mm))
