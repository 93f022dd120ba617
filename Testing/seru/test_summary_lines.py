"""What the command says of a result in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seru.cli.session import summary_lines
from seru.findings import Diameter, Finding, KeySlice, SideFindings
from Testing.reports import NOTHING, make_report

PLACE = (0.0, 0.0, 0.0)


def a_finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "kind": "tumor",
        "side": "right",
        "number": 1,
        "status": "believed",
        "confidence": 0.934,
        "volume_ml": 63.04,
        "volume_range_ml": (51.2, 70.3),
        "longest": Diameter(52.4, PLACE, PLACE),
        "across": Diameter(40.4, PLACE, PLACE),
        "longest_range_mm": None,
        "longest_3d_mm": 60.0,
        "slice_index": 12,
        "centre_ras": PLACE,
        "hu_mean": 40.0,
        "hu_deviation": 10.0,
        "contact_mm2": 0.0,
        "cut_by_edge": False,
    }
    return Finding(**{**values, **changes})


def a_side(kidney_ml: float, tumor_ml: float = 0.0) -> SideFindings:
    return replace(NOTHING, kidney_ml=kidney_ml, tumor_ml=tumor_ml, key_slice=KeySlice(7, PLACE, 1.0))


KIDNEY = a_finding(kind="kidney", volume_ml=180.2, volume_range_ml=(172.0, 190.0))


def test_a_side_has_its_kidney_and_each_tumor_with_ranges_and_confidence() -> None:
    report = make_report(right=a_side(180.2, 63.04), findings=(KIDNEY, a_finding()))

    right, left = summary_lines(report)

    assert right == (
        "right kidney: 180.2 ml (172.0 to 190.0); "
        "tumor: 63.0 ml (51.2 to 70.3), 52 x 40 mm, confidence 0.93; key slice 7"
    )
    assert left == "left kidney: not found"


def test_several_tumors_have_a_sum_that_is_called_one() -> None:
    second = a_finding(number=2, volume_ml=2.0, volume_range_ml=None, confidence=None)
    report = make_report(right=a_side(180.2, 65.04), findings=(KIDNEY, a_finding(), second))

    line = next(summary_lines(report))

    assert "confidence 0.93, 2.0 ml, 52 x 40 mm; tumors in all 65.0 ml" in line


def test_a_kidney_in_several_pieces_has_no_range_of_its_sum() -> None:
    report = make_report(right=a_side(182.2), findings=(KIDNEY, replace(KIDNEY, number=2, volume_ml=2.0)))

    assert next(summary_lines(report)) == "right kidney: 182.2 ml; tumor: none found; key slice 7"


def test_the_largest_candidates_are_named_and_the_others_counted() -> None:
    candidates = [a_finding(status="candidate", volume_ml=float(n), slice_index=n) for n in range(1, 6)]
    dismissed = a_finding(status="dismissed", volume_ml=99.0)
    report = make_report(right=a_side(180.2), findings=(KIDNEY, dismissed, *candidates), remarks=("Look.", "Twice."))

    lines = list(summary_lines(report))

    assert lines[2:] == [
        "not counted, too doubtful: right tumor 5.0 ml at slice 5, right tumor 4.0 ml at slice 4, "
        "right tumor 3.0 ml at slice 3 and 2 more",
        "note: Look.",
        "note: Twice.",
    ]
