"""Nephrometry of ellipsoid kidneys with a notch and spherical tumors, whose scores are known by hand.

The kidney is 100 mm high and 56 mm across. Its sinus is open from 20 mm below to 20 mm above its middle and goes from
its axis towards the body's middle, 16 mm wide: the polar lines are at 20 mm.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.nephrometry import radius_text
from seru.errors import BadInputError
from seru.records import read_record, to_plain
from seru.result.labelled import measure_labels
from seru.result.nephrometry import Aspect, Nephrometry, nephrometry
from Testing.seru.nephrometry_by_hand import Sphere, labels_of, score_of, scores_of, sides_of, turned

AT_THE_POLE = Sphere(up=50, back=0, medial=-6, radius=12)
INSIDE = Sphere(up=0, back=0, medial=-15, radius=10)
BEHIND_ACROSS_A_LINE = Sphere(up=30, back=22, medial=-4, radius=14)
IN_FRONT_MOSTLY_INSIDE_THE_LINES = Sphere(up=17, back=-22, medial=-4, radius=8)
AT_THE_HILUM = Sphere(up=0, back=4, medial=24, radius=9)
LARGE = Sphere(up=0, back=-30, medial=-10, radius=37)


def renal(score: Nephrometry) -> dict[str, Aspect]:
    return {aspect.name: aspect for aspect in score.renal.aspects}


def padua(score: Nephrometry) -> dict[str, Aspect]:
    return {aspect.name: aspect for aspect in score.padua.aspects}


def points_of(score: Nephrometry) -> tuple[int | None, ...]:
    """Radius, exophytic, nearness and location."""
    return tuple(renal(score)[name].points for name in ("radius", "exophytic", "nearness", "location"))


def test_a_small_tumor_half_out_of_the_pole_has_the_fewest_points() -> None:
    score = score_of(AT_THE_POLE)

    assert points_of(score) == (1, 1, 1, 1)
    assert (score.renal.text, score.padua.text) == ("4x", "6")
    assert renal(score)["exophytic"].numbers["exophytic_share"] == pytest.approx(0.68, abs=0.1)
    assert padua(score)["renal rim"].numbers["medial_mm"] == pytest.approx(-6, abs=1)


def test_a_tumor_inside_the_kidney_near_its_middle_is_endophytic_and_central() -> None:
    score = score_of(INSIDE)

    assert points_of(score) == (1, 3, 2, 3)
    assert renal(score)["exophytic"].value == "entirely endophytic"
    assert renal(score)["nearness"].numbers["distance_mm"] == pytest.approx(5, abs=1.1)
    assert renal(score)["location"].value == "between the polar lines"
    assert (score.renal.text, score.padua.text) == ("9x", "9")


def test_the_polar_lines_are_where_the_sinus_opens() -> None:
    score = score_of(INSIDE)

    places = renal(score)["location"].places_ras
    assert places["upper_polar_line"][2] == pytest.approx(20, abs=2)
    assert places["lower_polar_line"][2] == pytest.approx(-20, abs=2)
    assert places["midline"][2] == pytest.approx(0, abs=1)
    # The patient's right is at positive R; the opening lies nearer to the middle than the kidney's centre.
    assert places["midline"][0] == pytest.approx(50, abs=1.5)
    assert score.sinus.places_ras["opening"][0] == pytest.approx(50 - 26, abs=2)


def test_the_sinus_has_the_volume_of_the_notch() -> None:
    # 41 mm high with voxels of 2 mm, 16 wide, and 27 deep on average.
    assert score_of(INSIDE).sinus.numbers["volume_ml"] == pytest.approx(40 * 16 * 27 / 1000, rel=0.08)


def test_a_tumor_that_crosses_a_polar_line_with_less_than_half_has_two_points() -> None:
    score = score_of(BEHIND_ACROSS_A_LINE)

    assert renal(score)["location"].value == "crosses a polar line"
    assert renal(score)["location"].points == 2
    assert renal(score)["location"].numbers["between_share"] == pytest.approx(0.055, abs=0.04)
    assert renal(score)["anterior or posterior"].value == "posterior"
    assert score.renal.suffix == score.padua.suffix == "p"
    assert padua(score)["longitudinal location"].points == 1


def test_a_tumor_with_more_than_half_across_a_polar_line_has_three_points() -> None:
    score = score_of(IN_FRONT_MOSTLY_INSIDE_THE_LINES)

    assert renal(score)["location"].value == "more than half across a polar line"
    assert renal(score)["location"].points == 3
    assert renal(score)["anterior or posterior"].value == "anterior"
    assert padua(score)["longitudinal location"].points == 2


def test_a_large_tumor_across_both_lines_crosses_the_midline() -> None:
    score = score_of(LARGE)

    assert renal(score)["radius"].value == "7 cm or more"
    assert renal(score)["radius"].numbers["diameter_mm"] == pytest.approx(74, abs=2)
    assert renal(score)["location"].points == 3
    assert padua(score)["size"].points == 3


def test_a_tumor_at_the_hilum_has_its_letter_and_leaves_the_collecting_system_open() -> None:
    score = score_of(AT_THE_HILUM)

    assert renal(score)["hilum"].value == "touches"
    assert renal(score)["nearness"].numbers["distance_mm"] == 0
    assert score.renal.suffix.endswith("h")
    assert padua(score)["renal sinus"].value == "involved"
    assert padua(score)["renal rim"].value == "medial"
    assert padua(score)["collecting system"].points is None
    assert padua(score)["collecting system"].reason is not None
    assert (score.padua.points, score.padua.most - score.padua.least) == (None, 1)


@pytest.mark.parametrize(("radius", "points"), [(19, (1, 1)), (22, (2, 2)), (34, (2, 2)), (37, (3, 3))])
def test_the_diameter_decides_at_4_and_7_cm(radius: float, points: tuple[int, int]) -> None:
    score = score_of(Sphere(up=0, back=-20 - radius / 4, medial=-10, radius=radius), spacing_mm=(4, 2, 2))

    assert (renal(score)["radius"].points, padua(score)["size"].points) == points


@pytest.mark.parametrize(("medial", "points"), [(-13, 3), (-16, 2), (-20, 1)])
def test_the_distance_to_the_sinus_decides_at_4_and_7_mm(medial: float, points: int) -> None:
    score = score_of(Sphere(up=0, back=0, medial=medial, radius=10), spacing_mm=(2, 1, 1))

    assert renal(score)["nearness"].numbers["distance_mm"] == pytest.approx(-medial - 10, abs=0.8)
    assert renal(score)["nearness"].points == points


@pytest.mark.parametrize(("medial", "share"), [(-28, 0.55), (-36, 0.94), (-22, 0.19)])
def test_the_exophytic_share_is_that_of_the_sphere_outside_of_the_ellipsoid(medial: float, share: float) -> None:
    numbers = renal(score_of(Sphere(up=0, back=0, medial=medial, radius=12)))["exophytic"].numbers

    assert numbers["exophytic_share"] == pytest.approx(share, abs=0.05)
    assert numbers["bulge_mm"] == pytest.approx(12 - medial - 28, abs=1.2)


def test_the_radius_is_compared_with_radiologists_by_its_points() -> None:
    ours, theirs = {"a": 40.0, "b": 41.0, "c": 75.0}, {"a": 38.0, "b": 40.0, "c": 70.0, "d": 9.0}

    assert radius_text(ours, theirs) == "radius: as many points as by the radiologists' size in 2 of 3 cases"


def test_the_c_index_is_the_distance_of_the_centres_over_the_radius() -> None:
    numbers = score_of(Sphere(up=30, back=-12, medial=-16, radius=12)).centrality.numbers

    assert numbers["along_slices_mm"] == pytest.approx(30, abs=1.5)
    assert numbers["in_plane_mm"] == pytest.approx(20, abs=1.5)
    assert numbers["radius_mm"] == pytest.approx(12, abs=1)
    assert numbers["c_index"] == pytest.approx(np.hypot(30, 20) / 12, rel=0.1)


def test_the_c_index_is_the_same_from_the_head_and_from_the_feet() -> None:
    # Voxels lie evenly round the centre, so that the two slices beside it are equally large.
    sphere = Sphere(up=30, back=-12, medial=-16, radius=12)
    above, below = (score_of(replace(sphere, up=up)).centrality.numbers for up in (sphere.up, -sphere.up))

    assert above == below
    assert above["along_slices_mm"] == pytest.approx(30, abs=1e-6)


def test_a_tumor_inside_touches_kidney_all_round() -> None:
    numbers = score_of(INSIDE).contact.numbers

    assert numbers["measured_mm2"] == pytest.approx(4 * np.pi * 10**2, rel=0.06)
    assert numbers["formula_mm2"] == pytest.approx(4 * np.pi * 10**2, rel=0.12)


@pytest.mark.parametrize("spacing_mm", [(2.0, 1.0, 1.0)])
@pytest.mark.parametrize("depth", [12])
def test_the_contact_of_a_sphere_in_a_flat_kidney_is_that_of_its_cap(
    spacing_mm: tuple[float, float, float], depth: int
) -> None:
    labels, grid = labels_of([], spacing_mm)
    up, back, left = (np.arange(size) * mm for size, mm in zip(labels.shape, spacing_mm, strict=True))
    labels[:] = 0
    # Its flat surface lies half a pixel before row 50.
    labels[3:-3, 50:-5, 15:85] = 1
    towards = (up[:, None, None] - up.mean()) ** 2 + (back[:, None] - (49.5 - 16 + depth)) ** 2 + (left - 50) ** 2
    labels[towards <= 16**2] = 2

    numbers = right_of(scores_of(labels, grid)).contact.numbers

    assert numbers["measured_mm2"] == pytest.approx(2 * np.pi * 16 * depth, rel=0.12)
    assert numbers["formula_mm2"] == pytest.approx(2 * np.pi * 16 * depth, rel=0.12)


def test_the_split_volume_leaves_tumors_out() -> None:
    labels, grid = labels_of([INSIDE])
    kidney_ml = 4 / 3 * np.pi * 50 * 28 * 28 / 1000 - 17.3

    numbers = right_of(scores_of(labels, grid)).split.numbers

    assert numbers["left_ml"] == pytest.approx(kidney_ml, rel=0.03)
    assert numbers["left_ml"] - numbers["right_ml"] == pytest.approx(4 / 3 * np.pi, rel=0.05)
    assert numbers["right_share"] + numbers["left_share"] == pytest.approx(1)


def test_a_kidney_whose_sinus_is_labelled_as_kidney_leaves_a_range() -> None:
    score = right_of(scores_of(*labels_of([INSIDE], has_notch=False)))

    assert score.sinus.reason == renal(score)["nearness"].reason is not None
    assert points_of(score) == (1, 3, None, None)
    assert score.renal.text == "6-10"
    assert score.renal.points is None
    assert score.contact.reason is None


def test_a_kidney_cut_by_the_edge_has_no_poles_and_no_volume() -> None:
    score = right_of(scores_of(*labels_of([AT_THE_POLE], lower_edge_mm=-40)))

    assert points_of(score) == (1, 1, 1, None)
    for aspect in (renal(score)["location"], padua(score)["longitudinal location"], score.centrality, score.split):
        assert aspect.reason == "The kidney reaches the edge of the scan, so its poles are not known."
    assert str(score.sinus.value).startswith("at least ")
    assert score.sinus.slices == {}


def test_of_a_tumor_cut_by_the_edge_nothing_is_scored() -> None:
    score = right_of(scores_of(*labels_of([Sphere(-44, 0, -6, 12)], lower_edge_mm=-50)))

    assert points_of(score) == (None, None, None, None)
    assert (score.renal.text, score.padua.text) == ("4-12", "6-14")
    assert score.contact.value is None


def test_the_largest_of_several_tumors_is_scored() -> None:
    score = score_of(AT_THE_POLE, Sphere(0, 0, -15, 8))

    assert score.tumors == 2
    assert renal(score)["location"].places_ras["tumor_highest"][2] == pytest.approx(62, abs=2)


def test_a_side_without_a_tumor_has_no_score() -> None:
    labels, grid = labels_of([INSIDE], side="left")
    sides = sides_of(labels, grid)

    assert scores_of(labels, grid)["right"] is None
    assert nephrometry(labels, sides, grid, []) == {"right": None, "left": None}


@pytest.mark.parametrize("tumor", [BEHIND_ACROSS_A_LINE])
def test_the_left_kidney_is_scored_as_the_right_one(tumor: Sphere) -> None:
    right = right_of(scores_of(*labels_of([tumor])))
    left = scores_of(*labels_of([tumor], side="left"))["left"]

    assert left is not None
    assert (left.renal.text, left.padua.text) == (right.renal.text, right.padua.text)
    for one, other in zip(left.renal.aspects, right.renal.aspects, strict=True):
        assert one.numbers == pytest.approx(other.numbers, abs=1e-3)


@pytest.mark.parametrize(("axes", "flipped"), [((0, 1, 2), (0,)), ((2, 0, 1), (1, 2)), ((1, 2, 0), (0, 1, 2))])
def test_every_orientation_of_the_grid_gives_the_same_values(axes: tuple[int, ...], flipped: tuple[int, ...]) -> None:
    labels, grid = labels_of([BEHIND_ACROSS_A_LINE])
    straight = right_of(scores_of(labels, grid))
    score = right_of(scores_of(*turned(labels, grid, axes, flipped)))

    assert without_slices(score) == without_slices(straight)
    place = renal(score)["location"].slices["upper_polar_line"]
    last = labels.shape[0] - 1
    expected = renal(straight)["location"].slices["upper_polar_line"]
    assert place == (last - expected if 0 in flipped else expected)


@pytest.mark.parametrize("tumor", [BEHIND_ACROSS_A_LINE])
def test_thick_slices_give_the_same_points(tumor: Sphere) -> None:
    thin, thick = score_of(tumor), score_of(tumor, spacing_mm=(4.0, 1.5, 2.0))

    assert (thick.renal.text, thick.padua.text) == (thin.renal.text, thin.padua.text)


def test_labels_of_a_box_of_the_scan_give_the_same_record() -> None:
    labels, grid = labels_of([INSIDE])
    sides = sides_of(labels, grid)
    findings = measure_labels(labels, grid).findings
    box = np.s_[5:, 8:-3, 2:]

    of_box = nephrometry(labels[box], sides[box], grid, findings, (5, 8, 2))

    assert of_box == nephrometry(labels, sides, grid, findings)


def test_a_tumor_in_one_slice_has_a_surface() -> None:
    labels, grid = labels_of([])
    labels[20, 20:30, 20:30] = 2

    numbers = right_of(scores_of(labels, grid)).contact.numbers

    # 20 mm wide and 2 mm thick, less what rounds its edges.
    assert numbers["tumor_surface_mm2"] == pytest.approx(2 * 20 * 20, rel=0.1)


def test_candidates_are_never_scored() -> None:
    labels, grid = labels_of([INSIDE])
    findings = [
        replace(finding, status="candidate" if finding.kind == "tumor" else finding.status)
        for finding in measure_labels(labels, grid).findings
    ]

    assert nephrometry(labels, sides_of(labels, grid), grid, findings) == {"right": None, "left": None}


def test_a_record_can_be_written_and_read() -> None:
    score = score_of(AT_THE_HILUM)
    written = json.loads(json.dumps(to_plain(score)))

    assert read_record(Nephrometry, written, "The nephrometry") == score
    with pytest.raises(BadInputError, match="nephrometry has an unknown option"):
        read_record(Nephrometry, {**written, "more": 1}, "The nephrometry")


def right_of(scores: dict[str, Nephrometry | None]) -> Nephrometry:
    score = scores["right"]
    assert score is not None
    return score


def without_slices(score: Nephrometry) -> Nephrometry:
    """A score without the slices' numbers, which depend on the grid."""

    def bare(aspect: Aspect) -> Aspect:
        return replace(aspect, slices={})

    parts = {name: bare(getattr(score, name)) for name in ("sinus", "centrality", "contact", "split")}
    sums = {
        name: replace(getattr(score, name), aspects=tuple(map(bare, getattr(score, name).aspects)))
        for name in ("renal", "padua")
    }
    return replace(score, **parts, **sums)
