"""Names, colors and SNOMED CT codes of the segments, as Slicer's terminologies write them.

The kidney is in Slicer's own "General Anatomy" list. That list has no neoplasm, so the tumor's entry names the
"DICOM master list", which has it; both texts are what ``vtkSegment::SetTerminology`` takes.
"""

from __future__ import annotations

from dataclasses import dataclass

from seru.findings import Side

GENERAL_ANATOMY_LIST = "Segmentation category and type - 3D Slicer General Anatomy list"
DICOM_MASTER_LIST = "Segmentation category and type - DICOM master list"
ANATOMIC_CODES_LIST = "Anatomic codes - DICOM master list"

# Scheme, value, meaning: one coded entry.
Code = tuple[str, str, str]
NO_CODE: Code = ("", "", "")
ANATOMICAL_STRUCTURE: Code = ("SCT", "123037004", "Anatomical Structure")
ALTERED_STRUCTURE: Code = ("SCT", "49755003", "Morphologically Altered Structure")
KIDNEY: Code = ("SCT", "64033007", "Kidney")
NEOPLASM: Code = ("SCT", "108369006", "Neoplasm")
LATERALITY: dict[Side, Code] = {"right": ("SCT", "24028007", "Right"), "left": ("SCT", "7771000", "Left")}

# Slicer's key of the tag that holds a segment's terminology entry.
TERMINOLOGY_TAG = "TerminologyEntry"


Color = tuple[float, float, float]
# The one palette of panel, views and pictures: red, green and blue, 0..1, no two alike.
COLORS: dict[str, Color] = {
    # What Slicer's list recommends for either kidney.
    "kidney": (185 / 255, 102 / 255, 83 / 255),
    # The lists recommend no color for a neoplasm; this one differs from the kidney's in lightness as well.
    "tumor": (250 / 255, 210 / 255, 80 / 255),
    "coarse kidney": (0.25, 0.75, 1.0),
    "coarse tumor": (1.0, 0.35, 0.85),
    "refined kidney": (0.45, 0.95, 0.35),
    "refined tumor": (1.0, 0.5, 0.1),
    "disagreement": (1.0, 0.1, 0.1),
    "right": (0.0, 0.65, 0.55),
    "left": (0.25, 0.35, 1.0),
    "key slice": (0.75, 1.0, 0.95),
    "candidate": (0.72, 0.6, 1.0),
    "nephrometry": (0.3, 1.0, 0.75),
    "dismissed": (0.6, 0.6, 0.6),
    "chosen": (1.0, 1.0, 1.0),
}


@dataclass(frozen=True)
class SegmentTerm:
    """What a segment is called, how it is colored and what it means.

    Attributes:
        id: segment id inside the segmentation.
        name: shown to people.
        label: value in our label maps: 1 kidney, 2 tumor.
        color: red, green and blue, 0..1.
        entry: Slicer's serialised terminology entry.
        side: the patient's side, or None for both sides in one segment.
        category: code of what it is a kind of.
        kind: code of what it is.
        region: code of where it is, or None where the kind says so.
    """

    id: str
    name: str
    label: int
    color: Color
    entry: str
    side: Side | None
    category: Code
    kind: Code
    region: Code | None = None


def _entry(context: str, category: Code, kind: Code, modifier: Code, region: Code, region_modifier: Code) -> str:
    texts = ["^".join(code) for code in (category, kind, modifier)]
    regions = ["^".join(code) for code in (region, region_modifier)]
    return "~".join([context, *texts, ANATOMIC_CODES_LIST, *regions])


def _kidney(side: Side | None) -> SegmentTerm:
    laterality = LATERALITY[side] if side else NO_CODE
    entry = _entry(GENERAL_ANATOMY_LIST, ANATOMICAL_STRUCTURE, KIDNEY, laterality, NO_CODE, NO_CODE)
    return SegmentTerm(*_names("Kidney", side), 1, COLORS["kidney"], entry, side, ANATOMICAL_STRUCTURE, KIDNEY)


def _tumor(side: Side | None) -> SegmentTerm:
    laterality = LATERALITY[side] if side else NO_CODE
    entry = _entry(DICOM_MASTER_LIST, ALTERED_STRUCTURE, NEOPLASM, NO_CODE, KIDNEY, laterality)
    return SegmentTerm(*_names("Tumor", side), 2, COLORS["tumor"], entry, side, ALTERED_STRUCTURE, NEOPLASM, KIDNEY)


def _names(name: str, side: Side | None) -> tuple[str, str]:
    return (f"{name}_{side}", f"{name} {side}") if side else (name, name)


# Both sides in one segment each; then one segment a side.
SEGMENTS: tuple[SegmentTerm, ...] = (_kidney(None), _tumor(None))
SEGMENTS_BY_SIDE: tuple[SegmentTerm, ...] = (_kidney("right"), _kidney("left"), _tumor("right"), _tumor("left"))
