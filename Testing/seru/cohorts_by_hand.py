"""Cohorts by hand, for tests of their page: cases as a summary has them, without a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seru.findings import Finding
from seru.records import to_plain
from Testing.seru.test_summary_lines import KIDNEY, a_finding


def a_case(name: str, findings: Sequence[Finding] = (), **changes: Any) -> dict[str, Any]:
    """Return a case of a summary that is done.

    Args:
        name: of the case.
        findings: of its report.
        changes: fields that differ.
    """
    sides = {
        side: {
            "kidney_ml": _sum(findings, side, "kidney"),
            "tumor_ml": _sum(findings, side, "tumor"),
            "tumor_longest_mm": 0.0,
        }
        for side in ("right", "left")
    }
    values: dict[str, Any] = {
        "name": name, "path": f"/scans/{name}.nii.gz", "status": "done", "seconds": 12.3, "error": "", "warnings": [],
        "remarks": [], "report": f"{name}.json", "scan": "ct-0123456789ab", "pictures": None, "page": None, **sides,
        "findings": [to_plain(finding) for finding in findings if finding.is_counted],
        "candidates": [to_plain(finding) for finding in findings if not finding.is_counted],
    }  # fmt: skip
    return {**values, **changes}


def failed_case(name: str, error: str) -> dict[str, Any]:
    """Return a case that failed."""
    nothing = dict.fromkeys(("right", "left", "seconds", "report"))
    return a_case(name, **nothing, status="failed", error=error)


def many_cases(count: int) -> list[dict[str, Any]]:
    """Return cases with two kidneys, a tumor in every third one and two candidates each, all of other confidences."""
    return [a_case(f"case_{number:05d}", _findings(number), remarks=_remarks(number)) for number in range(count)]


def _findings(number: int) -> list[Finding]:
    volume = 120.0 + number * 37 % 160
    found = [
        replace(
            KIDNEY, side=side, volume_ml=volume + at, confidence=0.8 + (number * 7 + at) % 997 / 5000, centre_ras=place
        )
        for at, (side, place) in enumerate((("right", (60.0, -20.0, 10.5)), ("left", (-60.0, -20.0, 12.5))))
    ]
    if number % 3 == 0:
        sure = 0.3 + number * 13 % 1999 / 4000
        found.append(
            a_finding(confidence=sure, volume_ml=2.0 + number % 90, centre_ras=(72.3, -31.1, number % 100 + 0.4))
        )
    for at in (1, 2):
        doubtful = {"number": at, "side": "left", "status": "candidate", "volume_ml": 0.5 * at + number % 5}
        found.append(
            a_finding(**doubtful, confidence=0.05 + number * 11 % 991 / 9000, centre_ras=(-80.0, 5.0 * at, 3.0))
        )
    return found


def _remarks(number: int) -> list[str]:
    return ["The right kidney (at least 130 ml) is cut by the scan's edge."] if number % 7 == 0 else []


def _sum(findings: Sequence[Finding], side: str, kind: str) -> float:
    return sum(f.volume_ml for f in findings if f.is_counted and (f.side, f.kind) == (side, kind))
