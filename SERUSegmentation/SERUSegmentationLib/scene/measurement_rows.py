"""The sums of both sides as rows for the panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seru.findings import SIDES, Side, Volumes
from SERUSegmentationLib.texts import _

_NUMBERS = ("kidneyMl", "tumorMl", "tumorLongestMm", "tumorShare")


@dataclass(frozen=True)
class MeasurementRow:
    """What one side shows, or both together.

    Attributes:
        title: of the row.
        kidneyMl: kidney without tumor, in ml.
        tumorMl: of all tumors together, in ml.
        tumorLongestMm: longest axial diameter of the largest tumor in mm; None while alpha moves, and for both sides.
        tumorShare: tumor's part of kidney and tumor, in percent; None where there is neither.
    """

    title: str
    kidneyMl: float
    tumorMl: float
    tumorLongestMm: float | None
    tumorShare: float | None

    @classmethod
    def of(cls, title: str, kidneyMl: float, tumorMl: float, longestMm: float | None) -> MeasurementRow:
        """Return a row with the share worked out."""
        whole = kidneyMl + tumorMl
        return cls(title, kidneyMl, tumorMl, longestMm, 100.0 * tumorMl / whole if whole > 0 else None)

    def texts(self) -> list[str]:
        """Return the numbers as people read them; a dash for none."""
        values = [getattr(self, name) for name in _NUMBERS]
        return ["\u2013" if value is None else f"{value:.1f}" for value in values]


def rowsOf(measured: Mapping[Side, Volumes]) -> list[MeasurementRow]:
    """Return the rows of right, left and both.

    Args:
        measured: measures of both sides, or volumes alone.

    Returns:
        Three rows.
    """
    titles = rowTitles()
    sides = [
        MeasurementRow.of(titles[side], of.kidney_ml, of.tumor_ml, getattr(of, "tumor_longest_mm", None))
        for side, of in ((side, measured[side]) for side in SIDES)
    ]
    longest = [row.tumorLongestMm for row in sides if row.tumorLongestMm is not None]
    both = max(longest) if len(longest) == len(sides) else None
    total = (sum(row.kidneyMl for row in sides), sum(row.tumorMl for row in sides))
    return [*sides, MeasurementRow.of(titles["total"], *total, both)]


def rowTitles() -> dict[str, str]:
    """Return the titles of the rows."""
    return {"right": _("Right"), "left": _("Left"), "total": _("Both")}
