"""Findings of small scans whose answer is known: volumes, places, densities, contact, edges, ranges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seru.findings import Diameter, Finding, Measures, Thresholds
from seru.options import SegmentOptions
from seru.result import Finished, finish
from seru.result.maps import Maps
from seru.result.remarks import remarks_of
from Testing.maps_by_hand import make_maps, probabilities

SHAPE = (6, 12, 24)
KIDNEY = np.s_[1:5, 2:10, 2:10]
TUMOR = np.s_[2, 4:6, 4:9]
SIDES = np.where(np.arange(24) < 12, 1, 2)
# Voxels of 2 x 3 x 5 mm along i, j and k: 0.03 ml.
SPACING = np.array([[2.0, 0, 0, -20], [0, 3.0, 0, 10], [0, 0, 5.0, 100], [0, 0, 0, 1]])


def scan(**others: Any) -> Maps:
    values = probabilities(SHAPE, (KIDNEY, 0.9, 0.0), (TUMOR, 0.0, 0.9))
    return make_maps(values, sides=SIDES, **{"ijk_to_ras": SPACING, **others})


def only(result: Finished, kind: str) -> Finding:
    (found,) = (finding for finding in result.findings if finding.kind == kind)
    return found


def test_a_tumor_has_volume_diameters_place_and_contact() -> None:
    tumor = only(finish(scan(), SegmentOptions()), "tumor")

    assert (tumor.side, tumor.number, tumor.status) == ("right", 1, "believed")
    assert tumor.volume_ml == pytest.approx(10 * 0.03)
    # Five voxels of 2 mm by two of 3 mm: from corner to corner; across it from one row to the other.
    assert tumor.longest.mm == pytest.approx(np.hypot(8, 3), abs=1e-3)
    assert 3 <= tumor.across.mm <= np.hypot(2, 3)
    assert tumor.longest_3d_mm == pytest.approx(np.hypot(8, 3), abs=1e-3)
    assert tumor.slice_index == 2
    assert tumor.centre_ras == pytest.approx((2 * 6 - 20, 3 * 4.5 + 10, 5 * 2 + 100))
    ends = {tuple(end) for end in (tumor.longest.start_ras, tumor.longest.end_ras)}
    corners = [(2 * i - 20, 3 * j + 10, 110.0) for i, j in ((4, 4), (8, 5), (4, 5), (8, 4))]
    assert ends in ({corners[0], corners[1]}, {corners[2], corners[3]})
    # Above and below 10 faces of 2 x 3 mm, at the long sides 5 of 2 x 5, at the ends 2 of 3 x 5.
    assert tumor.contact_mm2 == pytest.approx(2 * 10 * 6 + 2 * 5 * 10 + 2 * 2 * 15)
    assert not tumor.cut_by_edge


def test_a_kidney_is_measured_without_its_tumors() -> None:
    kidney = only(finish(scan(), SegmentOptions()), "kidney")

    assert kidney.volume_ml == pytest.approx((4 * 8 * 8 - 10) * 0.03)
    assert kidney.contact_mm2 == pytest.approx(280)
    # Of the kidney with its tumor: 0.9 everywhere.
    assert kidney.confidence == pytest.approx(2 * 230 / 255 - 1, abs=1e-3)


def test_a_tumor_that_is_not_believed_is_part_of_its_kidney() -> None:
    result = finish(scan(thresholds=Thresholds(tumor=0.9)), SegmentOptions())

    assert only(result, "tumor").status == "candidate"
    assert only(result, "kidney").volume_ml == pytest.approx(4 * 8 * 8 * 0.03)
    assert only(result, "kidney").volume_ml == pytest.approx(result.measures["right"].kidney_ml)
    assert only(result, "kidney").contact_mm2 == 0


def test_the_sums_of_a_side_are_those_of_its_findings() -> None:
    result = finish(scan(), SegmentOptions())

    assert result.measures["left"] == Measures(0.0, 0.0, 0.0)
    right = result.measures["right"]
    assert (right.kidney_ml, right.tumor_ml) == pytest.approx((246 * 0.03, 10 * 0.03))
    assert right.tumor_longest_mm == only(result, "tumor").longest.mm


def test_only_the_largest_tumor_of_a_side_counts_for_its_diameter() -> None:
    values = probabilities(SHAPE, (np.s_[1, 1:5, 1:5], 0.0, 0.9), (np.s_[4, 8, 1:11], 0.0, 0.9))
    result = finish(make_maps(values, ijk_to_ras=np.diag([3.0, 3.0, 5.0, 1.0])), SegmentOptions())

    assert [f.number for f in result.findings] == [1, 2]
    assert result.measures["right"].tumor_longest_mm == pytest.approx(np.hypot(9, 9), abs=1e-3)


def test_density_is_that_of_the_ct() -> None:
    hu = np.zeros(SHAPE, np.int16)
    hu[KIDNEY] = 120
    hu[TUMOR] = [10, 20, 30, 40, 50]

    result = finish(scan(hu=hu), SegmentOptions())

    tumor, kidney = only(result, "tumor"), only(result, "kidney")
    assert (tumor.hu_mean, tumor.hu_deviation) == (30.0, pytest.approx(np.sqrt(200), abs=0.01))
    assert (kidney.hu_mean, kidney.hu_deviation) == (120.0, 0.0)


@pytest.mark.parametrize(
    ("where", "is_cut"),
    [
        (np.s_[0:2, 4:6, 4:6], True),
        (np.s_[4:6, 4:6, 4:6], True),
        (np.s_[2:4, 0:2, 4:6], True),
        (np.s_[2:4, 10:12, 4:6], True),
        (np.s_[2:4, 4:6, 22:24], True),
        (np.s_[1:5, 1:11, 1:23], False),
    ],
)
def test_what_reaches_the_scans_edge_is_cut(where: Any, is_cut: bool) -> None:
    maps = make_maps(probabilities(SHAPE, (where, 0.9, 0.0)))

    assert only(finish(maps, SegmentOptions()), "kidney").cut_by_edge is is_cut


def test_the_edge_is_the_scans_and_not_the_boxs() -> None:
    whole = make_maps(probabilities((2, 2, 2), (np.s_[:], 0.9, 0.0)), lower_kji=(1, 1, 1), shape_kji=(4, 4, 4))
    at_end = make_maps(probabilities((2, 2, 2), (np.s_[:], 0.9, 0.0)), lower_kji=(1, 1, 2), shape_kji=(4, 4, 4))

    assert not only(finish(whole, SegmentOptions()), "kidney").cut_by_edge
    assert only(finish(at_end, SegmentOptions()), "kidney").cut_by_edge


def test_places_are_those_of_the_whole_scan() -> None:
    there = only(finish(scan(lower_kji=(3, 0, 0), shape_kji=(20, 12, 24)), SegmentOptions()), "tumor")
    here = only(finish(scan(), SegmentOptions()), "tumor")

    assert there.slice_index == here.slice_index + 3
    assert there.centre_ras == pytest.approx(np.add(here.centre_ras, (0, 0, 15)))


def test_findings_are_kidneys_before_tumors_and_the_largest_first() -> None:
    values = probabilities(
        SHAPE,
        (np.s_[1, 1:4, 1:4], 0.9, 0),
        (np.s_[1, 1:6, 8:11], 0.9, 0),
        (np.s_[4, 1:3, 1:3], 0, 0.9),
        (np.s_[1, 1:3, 20:22], 0.9, 0),
    )

    findings = finish(make_maps(values, sides=SIDES), SegmentOptions()).findings

    assert [(f.kind, f.side, f.number, f.volume_ml) for f in findings] == [
        ("kidney", "right", 1, 15.0),
        ("kidney", "right", 2, 9.0),
        ("kidney", "left", 1, 4.0),
        ("tumor", "right", 1, 4.0),
    ]


def test_the_range_spans_both_stages_and_both_probabilities() -> None:
    values = probabilities((1, 3, 20), (np.s_[0, 1, 4:8], 0.0, 0.9), (np.s_[0, 1, 8:10], 0.0, 0.6))
    values[0, 1, 10:12] = 0, round(0.4 * 255)
    refined = values.copy()
    refined[0, 1, 3] = 0, 255
    # Alone, the refined stage shows one voxel more; at alpha 1 it is gone.
    maps = make_maps(values, refined, alpha=1.0, ijk_to_ras=np.diag([5.0, 5.0, 8.0, 1.0]))

    tumor = only(finish(maps, SegmentOptions()), "tumor")

    assert tumor.volume_ml == 1.2
    # Above 0.7 the four sure ones; above 0.3 eight of the coarse stage; the refined stage alone seven.
    assert tumor.volume_range_ml == (0.8, 1.6)
    assert tumor.longest_range_mm == (15.0, 35.0)


def test_the_range_holds_no_voxel_of_another_finding() -> None:
    values = probabilities(
        (1, 3, 20), (np.s_[0, 1, 1:5], 0, 0.9), (np.s_[0, 1, 6:10], 0, 0.9), (np.s_[0, 1, 5], 0, 0.4)
    )

    maps = make_maps(values, alpha=0.4, ijk_to_ras=np.diag([5.0, 5.0, 8.0, 1.0]))

    tumors = finish(maps, SegmentOptions()).findings

    assert [f.volume_range_ml for f in tumors] == [(0.8, 1.0), (0.8, 1.0)]


def test_candidates_have_no_range() -> None:
    result = finish(scan(), SegmentOptions(min_confidence=1.0))

    (kidney,) = result.findings
    assert (kidney.status, kidney.volume_range_ml, kidney.longest_range_mm) == ("candidate", None, None)
    # Its tumor goes with it.
    assert kidney.volume_ml == pytest.approx(256 * 0.03)


def test_what_clean_up_takes_out_of_the_labels_is_no_finding() -> None:
    values = probabilities(SHAPE, (KIDNEY, 0.9, 0.0), (np.s_[5, 11, 11:14], 0.0, 0.9))
    maps = make_maps(values)

    assert len(finish(maps, SegmentOptions()).findings) == 2
    assert len(finish(maps, SegmentOptions(tumor_touches_kidney=True)).findings) == 1


def a_finding(**changes: Any) -> Finding:
    found = only(finish(scan(hu=130), SegmentOptions()), changes.pop("kind", "kidney"))
    return Finding(**{**vars(found), "volume_ml": 150.0, **changes})


def remarks(*findings: Finding) -> str:
    return " ".join(remarks_of(findings))


def both_kidneys(**changes: Any) -> list[Finding]:
    return [a_finding(**changes), a_finding(side="left")]


def test_two_whole_kidneys_with_contrast_call_for_no_remark() -> None:
    assert remarks(*both_kidneys()) == ""


def test_a_side_without_a_kidney_is_said() -> None:
    assert "No kidney was found on the left" in remarks(a_finding())
    assert "No kidney was found on the right" in remarks(a_finding(status="candidate"), a_finding(side="left"))


def test_a_kidney_cut_by_the_edge_is_said_to_be_at_least_as_large() -> None:
    one = remarks(*both_kidneys(cut_by_edge=True))

    assert one == "The right kidney (at least 150 ml) is cut by the scan's edge."


def test_all_that_the_edge_cuts_is_one_remark() -> None:
    kidneys = [a_finding(side=side, cut_by_edge=True) for side in ("left", "right")]
    tumor = a_finding(kind="tumor", side="left", cut_by_edge=True, volume_ml=0.13)

    assert remarks(*kidneys, tumor) == (
        "The left kidney (at least 150 ml), the right kidney (at least 150 ml) and the left tumor 1 (at least 0.1 ml) "
        "are cut by the scan's edge."
    )


def test_kidneys_without_contrast_are_said() -> None:
    dark, bright = a_finding(hu_mean=20.0), a_finding(side="left", hu_mean=70.0)

    assert "The kidneys have 20 HU, as without contrast" in remarks(dark, a_finding(side="left", hu_mean=20.0))
    # Each counts by its volume: 45 HU in the mean, and 30 where the bright one is small.
    assert "without contrast" not in remarks(dark, bright)
    assert "30 HU" in remarks(dark, replace(bright, volume_ml=37.5))
    assert remarks(*both_kidneys(hu_mean=None)) == ""


def test_where_nothing_is_believed_the_candidates_and_the_scan_are_spoken_of() -> None:
    doubtful = a_finding(status="candidate", hu_mean=20.0)

    assert remarks(doubtful, a_finding(status="dismissed")) == (
        "Nothing that was found is believed: look at the candidates. What looks like kidney has 20 HU, as without "
        "contrast agent, where kidneys and tumors are easily missed: check every outline."
    )
    assert remarks(a_finding(status="candidate")) == "Nothing that was found is believed: look at the candidates."
    assert remarks(a_finding(status="dismissed")) == remarks() == ""


@pytest.mark.parametrize("volume_ml", [5.0, 900.0])
def test_a_kidney_of_no_kidneys_size_is_said(volume_ml: float) -> None:
    assert "unlike a kidney" in remarks(*both_kidneys(volume_ml=volume_ml))


def test_a_part_of_a_kidney_is_not_said_to_be_small() -> None:
    assert remarks(*both_kidneys(), a_finding(number=2, volume_ml=5.0)) == ""


def test_a_mass_of_fluid_is_said_as_an_observation() -> None:
    longest = Diameter(10.0, (0.0, 0.0, 0.0), (10.0, 0.0, 0.0))
    fluid = a_finding(kind="tumor", hu_mean=8.0, hu_deviation=9.0, longest=longest)
    mixed = replace(fluid, hu_deviation=60.0)
    small = replace(fluid, longest=replace(longest, mm=9.9))

    assert "right tumor 1 has 8 HU throughout" in remarks(*both_kidneys(), fluid)
    assert "HU" not in remarks(*both_kidneys(), mixed, small)
    # Without contrast agent every tumor is nearly as dark.
    assert "throughout" not in remarks(a_finding(hu_mean=20.0), a_finding(side="left", hu_mean=20.0), fluid)


def test_nothing_found_calls_for_no_remark() -> None:
    assert remarks() == ""
