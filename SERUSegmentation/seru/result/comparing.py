"""From two reports of a patient to what has changed between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from seru.errors import BadInputError
from seru.findings import SIDES, Report, Side
from seru.result.growth import Change, Growth, Scan, Seen, SideGrowth, TumorGrowth
from seru.result.matching import Match, match_tumors

_DAYS_PER_YEAR = 365.25
# Slices thicker than the other scan's by more than this measure otherwise.
_THICKER = 1.5


def compare(
    before: Report, after: Report, names: tuple[str, str], days: int | None = None, same_patient: bool = False
) -> Growth:
    """Compare two reports of a patient.

    Args:
        before: of the first scan.
        after: of the second.
        names: of both reports, for the reader.
        days: between the scans; None takes the study dates where both reports have them.
        same_patient: a person says that both are of one patient, whatever the patient IDs are.

    Returns:
        What changed.

    Raises:
        BadInputError: the reports are of different patients, show nothing, or are given in the wrong order.
    """
    _check(before, after, names, same_patient)
    days = _days(before, after) if days is None else days
    right, left = (_side_growth(side, before, after, days) for side in SIDES)
    first, second = _scan(before, names[0]), _scan(after, names[1])
    return Growth(first, second, days, right, left, tuple(_remarks(before, after, days)))


def _check(before: Report, after: Report, names: tuple[str, str], same_patient: bool) -> None:
    patients = {report.input.patient for report in (before, after)}
    if len(patients - {None}) > 1 and not same_patient:
        raise BadInputError(
            f"'{names[0]}' and '{names[1]}' are of patients with different IDs; give two reports of one patient, or "
            "--same-patient where the IDs were changed."
        )
    for report, name in zip((before, after), names, strict=True):
        if not any(finding.is_counted for finding in report.findings):
            candidates = sum(finding.status == "candidate" for finding in report.findings)
            but = f", but {candidates} that are too doubtful to be compared" if candidates else ""
            large = " large enough to be listed" if report.islands.counted else ""
            raise BadInputError(f"'{name}' shows no kidney and no tumor{large}{but}; give a report with findings.")


def _days(before: Report, after: Report) -> int | None:
    first, second = before.input.study_date, after.input.study_date
    if first is None or second is None or first == second:
        return None
    days = (date.fromisoformat(second) - date.fromisoformat(first)).days
    if days < 0:
        raise BadInputError(f"The first CT is of {first}, after the second one ({second}); give the older one first.")
    return days


def _scan(report: Report, name: str) -> Scan:
    path = report.input.path or (report.measured.path if report.measured else None)
    model = None if report.model is None else report.model.id
    return Scan(name, path and Path(path).name, report.input.study_date, model, report.alpha)


def _side_growth(side: Side, before: Report, after: Report, days: int | None) -> SideGrowth:
    counted = [[f for f in report.findings if f.side == side and f.is_counted] for report in (before, after)]
    one, other = before.side(side), after.side(side)
    return SideGrowth(
        Change.of(one.kidney_ml, other.kidney_ml),
        Change.of(one.tumor_ml, other.tumor_ml),
        tuple(_tumor_growth(match, days) for match in match_tumors(*counted)),
    )


def _tumor_growth(match: Match, days: int | None) -> TumorGrowth:
    before, after = match.before, match.after
    seen = Seen.of(before), Seen.of(after)
    remarks = [match.doubt] if match.doubt else []
    if before is None or after is None:
        return TumorGrowth(*seen, None, None, None, None, None, None, tuple(remarks))
    volume, longest = Change.of(before.volume_ml, after.volume_ml), Change.of(before.longest.mm, after.longest.mm)
    is_cut = before.cut_by_edge or after.cut_by_edge
    if is_cut:
        remarks.append("It reaches the edge of a scan, so its change is not known.")
    elif _overlaps(before.volume_ml, before.volume_range_ml, after.volume_ml, after.volume_range_ml):
        remarks.append("The ranges of both volumes overlap, so the change may be none.")
    return TumorGrowth(
        *seen,
        match.apart_mm,
        volume,
        longest,
        Change.of(before.across.mm, after.across.mm),
        None if is_cut else doubling_days(volume, days),
        None if is_cut or not days else round(longest.difference * _DAYS_PER_YEAR / days, 2),
        tuple(remarks),
    )


def doubling_days(volume: Change, days: int | None) -> float | None:
    """Return in how many days a volume doubles that grows as it did.

    Args:
        volume: its change.
        days: between both; None where it is not known.

    Returns:
        None where it did not grow, or where the days are not known.

    Source: Schwartz, "A biomathematical approach to clinical tumor growth", Cancer 14 (1961) 1272-1294: growth is
    exponential.
    """
    if not days or volume.before <= 0 or volume.after <= volume.before:
        return None
    return round(days * math.log(2) / math.log(volume.after / volume.before), 1)


def _overlaps(
    one_ml: float, one: tuple[float, float] | None, other_ml: float, other: tuple[float, float] | None
) -> bool:
    if one is None or other is None or one_ml == other_ml:
        return False
    return one[0] <= other[1] and other[0] <= one[1]


def _remarks(before: Report, after: Report, days: int | None) -> Iterator[str]:
    if before.input.sha256 is not None and before.input.sha256 == after.input.sha256:
        yield "Both reports are of the same CT: what differs are the results, not the patient."
    elif before.measured is not None and after.measured is not None and before.measured.sha256 == after.measured.sha256:
        yield "Both reports are of the same labels, so nothing can have changed: give those of two scans."
    if days is None:
        same = before.input.study_date is not None and before.input.study_date == after.input.study_date
        why = "Both CTs have the same study date" if same else "The reports do not say when both CTs were made"
        yield f"{why}, so there is no doubling time: give --days or --dates."
    yield from _of_kidneys(before, after)
    yield from _of_places(before, after)
    counted = [finding for report in (before, after) for finding in report.findings if finding.is_counted]
    if not any(finding.kind == "tumor" for finding in counted):
        yield "Neither report shows a tumor: only kidneys are compared."
    else:
        yield (
            "The scans are not registered: tumors are matched by their side and their place relative to the kidney's "
            "centre; look at each pair."
        )
    numbers = [sum(f.status == "candidate" for f in report.findings) for report in (before, after)]
    if any(numbers):
        yield f"Candidates are not compared: {numbers[0]} in the first report and {numbers[1]} in the second."
    if (before.model, before.alpha) != (after.model, after.alpha):
        yield "The results were not made in the same way (model or alpha), which alone may change a volume."
    thickness = [report.geometry.spacing_ijk_mm[report.geometry.stack_axis] for report in (before, after)]
    if max(thickness) > _THICKER * min(thickness):
        yield f"The slices are {thickness[0]:g} and {thickness[1]:g} mm apart, which alone may change a volume."


def _of_places(before: Report, after: Report) -> Iterator[str]:
    """Where the place of a tumor is seen from a kidney's centre that the edge of a scan moves."""
    for side in SIDES:
        found = [finding for report in (before, after) for finding in report.findings if finding.is_counted]
        here = [finding for finding in found if finding.side == side]
        kinds = [finding.kind for finding in here]
        if "tumor" in kinds and any(finding.kind == "kidney" and finding.cut_by_edge for finding in here):
            yield f"The centre of the {side} kidney is not known either, so its tumors may be matched wrongly."


def _of_kidneys(before: Report, after: Report) -> Iterator[str]:
    """Where the volumes of a kidney tell nothing of a change."""
    for side in SIDES:
        found = [[f for f in report.of_kind("kidney") if f.side == side] for report in (before, after)]
        if any(kidney.cut_by_edge for kidneys in found for kidney in kidneys):
            yield f"The {side} kidney reaches the edge of a scan, so the change of its volume is not known."
        elif bool(found[0]) != bool(found[1]):
            which = "second" if found[0] else "first"
            yield f"The {which} report shows no kidney on the {side}: look there yourself."
