"""How kidneys and tumors have changed between two reports of a patient, as records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from seru.findings import Finding, Side
from seru.grid import Position
from seru.records import to_plain

VERSION = 1


@dataclass(frozen=True)
class Scan:
    """One of both reports.

    Attributes:
        report: name of its file.
        name: of the CT's file or folder, or of the labels'; None where it is not known.
        study_date: as ``2019-12-31``; None where it is not known.
        made_by: id of the model, or None of labels that were measured.
        alpha: of the result, likewise.
    """

    report: str
    name: str | None
    study_date: str | None
    made_by: str | None
    alpha: float | None


@dataclass(frozen=True)
class Change:
    """A measure in both scans.

    Attributes:
        before: in the first.
        after: in the second.
        difference: what was added.
        percent: of the first; None where that is 0.
    """

    before: float
    after: float
    difference: float
    percent: float | None

    @classmethod
    def of(cls, before: float, after: float) -> Change:
        """Return the change of a measure."""
        percent = round(100 * (after - before) / before, 2) if before > 0 else None
        return cls(before, after, round(after - before, 4), percent)


@dataclass(frozen=True)
class Seen:
    """A tumor in one scan.

    Attributes:
        number: in its report, of its side.
        slice_index: of the longest diameter, in the input's own order along its stack axis.
        centre_ras: centre of mass in mm, of its own scan.
        volume_ml: of it.
        longest_mm: longest diameter in an axial slice.
        across_mm: the longest one at right angles to it, in the same slice.
        cut_by_edge: whether all of these are "at least".
    """

    number: int
    slice_index: int
    centre_ras: Position
    volume_ml: float
    longest_mm: float
    across_mm: float
    cut_by_edge: bool

    @classmethod
    def of(cls, finding: Finding | None) -> Seen | None:
        """Return what a report says of a tumor."""
        if finding is None:
            return None
        sizes = finding.volume_ml, finding.longest.mm, finding.across.mm
        return cls(finding.number, finding.slice_index, finding.centre_ras, *sizes, finding.cut_by_edge)


@dataclass(frozen=True)
class TumorGrowth:
    """A tumor in both scans, or in one of them.

    Attributes:
        before: None where it is only in the second scan.
        after: None where it is only in the first.
        apart_mm: how far its places lie apart, seen from the kidneys; None where that is not known.
        volume_ml: its change; None of a tumor in one scan alone, as the others.
        longest_mm: likewise.
        across_mm: likewise.
        doubling_days: in which its volume doubles, at the rate between the scans; None where it cannot be told.
        mm_per_year: that its longest diameter grows; None where it cannot be told.
        remarks: what is to be known of it, one sentence each.
    """

    before: Seen | None
    after: Seen | None
    apart_mm: float | None
    volume_ml: Change | None
    longest_mm: Change | None
    across_mm: Change | None
    doubling_days: float | None
    mm_per_year: float | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class SideGrowth:
    """One side in both scans: kidney without tumors, all tumors, and each of them."""

    kidney_ml: Change
    tumor_ml: Change
    tumors: tuple[TumorGrowth, ...]


@dataclass(frozen=True)
class Growth:
    """Two reports of a patient, compared.

    Attributes:
        before: the first scan.
        after: the second one.
        days: between them; None where it is not known.
        right: the patient's right.
        left: the patient's left.
        remarks: what is to be known of the comparison, one sentence each.
    """

    before: Scan
    after: Scan
    days: int | None
    right: SideGrowth
    left: SideGrowth
    remarks: tuple[str, ...]

    def side(self, side: Side) -> SideGrowth:
        """Return what changed on a side."""
        return self.right if side == "right" else self.left

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, after ``comparison.schema.json``."""
        return {"version": VERSION, **to_plain(self)}

    def to_json(self) -> str:
        """Return the text of its file."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
