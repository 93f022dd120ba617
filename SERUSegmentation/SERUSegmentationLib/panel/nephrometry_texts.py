"""What nephrometry says of its components, in the reader's language: seru makes the texts, and knows no translation."""

from __future__ import annotations

import re

from SERUSegmentationLib.texts import _

# Each text that a component may have, for translators; a number that is worked out stands as {}.
TEXTS: tuple[str, ...] = (
    # Components
    "radius",
    "exophytic",
    "nearness",
    "anterior or posterior",
    "location",
    "hilum",
    "longitudinal location",
    "exophytic rate",
    "renal rim",
    "renal sinus",
    "collecting system",
    "size",
    "face",
    "C-index",
    "contact surface area",
    "split renal volume",
    "sinus",
    # Values
    "4 cm or less",
    "more than 4, less than 7 cm",
    "7 cm or more",
    "4.1 to 7 cm",
    "more than 7 cm",
    "entirely endophytic",
    "less than 50 % exophytic",
    "50 % or more exophytic",
    "4 mm or less",
    "more than 4, less than 7 mm",
    "7 mm or more",
    "anterior",
    "posterior",
    "neither",
    "above or below the polar lines",
    "crosses a polar line",
    "more than half across a polar line",
    "crosses the axial renal midline",
    "between the polar lines",
    "touches",
    "does not touch",
    "superior or inferior",
    "middle",
    "lateral",
    "medial",
    "involved",
    "not involved",
    "at least {} ml",
    "right {} %, left {} %",
    # Numbers
    "diameter",
    "outside",
    "bulge",
    "distance",
    "in front",
    "between these lines",
    "centres",
    "along slices",
    "in plane",
    "tumor surface",
    "formula",
    "depth",
    "right",
    "left",
    # Slices
    "slices",
    "lower polar line",
    "upper polar line",
    "midline",
    "tumor lowest",
    "tumor highest",
    "lower end",
    "upper end",
    "kidney",
    "tumor",
    # Why it cannot be told
    "The labels show no hilum: none, or sinus and hilum are labelled as kidney.",
    "The kidney reaches the edge of the scan, so its poles are not known.",
    "The tumor reaches the edge of the scan, and what lies beyond is not known.",
    "The tumor touches the sinus, and the labels do not show the collecting system in it.",
    "The tumor is no wider than a voxel in its largest slice.",
    "The labels hold no kidney.",
    # How it was computed
    "The tumor's longest diameter in an axial slice.",
    "Share of the tumor's volume outside of the convex hull of the kidney without the tumor.",
    "The shortest way from the tumor to the renal sinus, between faces of voxels; the collecting system is in it.",
    "Share of the tumor in front of the plane through the kidney's long axis and its opening; two thirds decide.",
    "The slices of the tumor against the first and last axial slice in which the sinus is open (the polar lines) and "
    "the one half-way between them.",
    "Whether the tumor touches the opening of the sinus, which the main vessels pass; the vessels are not labelled.",
    "Share of the tumor in the axial slices from one end of the sinus to the other.",
    "On which side of the kidney's long axis the tumor's centre lies, along the way to the opening of the sinus.",
    "Whether the tumor touches the renal sinus.",
    "Not involved where the tumor does not touch the renal sinus, which holds it.",
    "From the kidney's centre (of its outline, half-way between its poles) to the tumor's in the axial slice of its "
    "largest area (half-way between two equal ones), divided by half the tumor's longest diameter there.",
    "Measured: the part of the tumor's surface (marching cubes) that has kidney on its other side; by formula: 2 pi r "
    "d, r being half the longest diameter and d how deep the tumor reaches into the kidney's convex hull, at most the "
    "diameter.",
    "Voxels of each side's kidney without tumors, and their share of both.",
    "What the convex outline of the kidney in each axial slice holds besides kidney and tumor, 5 mm deep or more, "
    "towards the middle of the body; it opens where it reaches the outline.",
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def said(text: str) -> str:
    """Return a text of nephrometry in the reader's language.

    Args:
        text: as seru has it; one that is only numbers and units stays.
    """
    if text in TEXTS:
        return _(text)
    pattern = _NUMBER.sub("{}", text)
    return _(pattern).format(*_NUMBER.findall(text)) if pattern in TEXTS else text
