"""Where the lines and planes lie that nephrometry was computed from: ellipsoid kidneys with a notch, and spheres.

The right kidney's centre is at R 50, A 0, S 0; it is 100 mm high and 56 mm across. Its sinus is open from 20 mm below
to 20 mm above that, and goes from R 50 towards the middle.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from seru.findings import Side
from seru.grid import Grid
from seru.result.labelled import measure_labels
from seru.result.nephrometry import Study, studies
from seru.result.nephrometry.drawing import Drawing, Line, Plane
from Testing.seru.nephrometry_by_hand import Sphere, labels_of, sides_of, turned

BEHIND_ACROSS_A_LINE = Sphere(up=30, back=22, medial=-4, radius=14)
NEAR_THE_SINUS = Sphere(up=0, back=0, medial=-16, radius=10)
IN_THE_SINUS = Sphere(up=0, back=4, medial=24, radius=9)


def study_of(labels: np.ndarray, grid: Grid, side: Side = "right") -> Study:
    found = studies(labels, sides_of(labels, grid), grid, measure_labels(labels, grid).findings)[side]
    assert found is not None
    return found


@cache
def behind() -> Study:
    return study_of(*labels_of([BEHIND_ACROSS_A_LINE]))


def corners(plane: Plane) -> np.ndarray:
    return np.array(plane.corners_ras)


def points_of(drawing: Drawing) -> np.ndarray:
    """All points of a drawing with a sinus, shape (n, 3)."""
    sinus = drawing.sinus
    assert sinus is not None
    assert drawing.centres is not None
    lines = (drawing.diameter, drawing.axis, drawing.centres, sinus.distance)
    planes = (sinus.lower_polar, sinus.midline, sinus.upper_polar, sinus.coronal)
    return np.concatenate([*[[line.start_ras, line.end_ras] for line in lines], *map(corners, planes)])


def test_polar_lines_and_midline_are_axial_planes_round_kidney_and_tumor() -> None:
    sinus = behind().drawing.sinus

    assert sinus is not None
    for plane, height in ((sinus.lower_polar, -20), (sinus.midline, 0), (sinus.upper_polar, 20)):
        assert corners(plane)[:, 2] == pytest.approx(np.full(4, height), abs=1.1)
        # 10 mm beyond the kidney in front, and beyond the tumor behind.
        assert np.sort(corners(plane)[:, 0])[[0, -1]] == pytest.approx([50 - 38, 50 + 38], abs=3.1)
        assert np.sort(corners(plane)[:, 1])[[0, -1]] == pytest.approx([-22 - 14 - 10, 38], abs=2.1)


def test_the_coronal_plane_holds_the_long_axis_and_the_opening_of_the_sinus() -> None:
    drawing = behind().drawing

    assert drawing.sinus is not None
    plane = corners(drawing.sinus.coronal)
    assert plane[:, 1] == pytest.approx(np.zeros(4), abs=1.5)
    assert plane[:, 2] == pytest.approx([-50, -50, 50, 50], abs=1)
    assert plane[[0, 1], 0] == pytest.approx([50 + 38, 50 - 38], abs=3.1)
    assert np.array(drawing.axis.start_ras) == pytest.approx([50, 0, -50], abs=1)
    assert np.array(drawing.axis.end_ras) == pytest.approx([50, 0, 50], abs=1)


def test_the_way_to_the_sinus_goes_from_face_to_face_and_is_as_long_as_the_score_says() -> None:
    study = study_of(*labels_of([NEAR_THE_SINUS], (2.0, 1.0, 1.0)))

    assert study.drawing.sinus is not None
    distance = study.drawing.sinus.distance
    said = next(aspect for aspect in study.scores.renal.aspects if aspect.name == "nearness").numbers["distance_mm"]
    assert distance.mm == pytest.approx(said, abs=0.005)
    # The tumor ends 6 mm beside the kidney's axis, where the sinus begins.
    assert distance.start_ras[0] == pytest.approx(56, abs=0.6)
    assert distance.end_ras[0] == pytest.approx(50, abs=0.6)
    assert distance.start_ras[1:] == pytest.approx(distance.end_ras[1:], abs=0.01)


def test_a_tumor_that_touches_the_sinus_has_a_way_of_no_length_between_both() -> None:
    drawing = study_of(*labels_of([IN_THE_SINUS])).drawing

    assert drawing.sinus is not None
    distance = drawing.sinus.distance
    assert distance.start_ras == distance.end_ras
    assert np.linalg.norm(np.array(distance.start_ras) - (50 - 24, -4, 0)) == pytest.approx(9, abs=2)


def test_diameter_and_centres_are_as_long_as_the_scores_say() -> None:
    study = behind()
    drawing, scores = study.drawing, study.scores

    assert drawing.centres is not None
    assert drawing.diameter.mm == pytest.approx(study.tumor.longest.mm, abs=0.005)
    assert np.array(drawing.diameter.middle_ras) == pytest.approx([54, -22, 30], abs=2.1)
    assert drawing.centres.mm == pytest.approx(scores.centrality.numbers["centres_mm"], abs=0.005)
    assert drawing.centres.end_ras == pytest.approx((54, -22, 30), abs=1.5)


def test_without_a_sinus_diameter_axis_and_centres_are_left() -> None:
    drawing = study_of(*labels_of([NEAR_THE_SINUS], has_notch=False)).drawing

    assert drawing.sinus is None
    assert drawing.diameter.mm == pytest.approx(20, abs=2.1)
    assert drawing.centres is not None


def test_of_a_kidney_cut_by_the_edge_no_centres_are_drawn() -> None:
    assert study_of(*labels_of([BEHIND_ACROSS_A_LINE], lower_edge_mm=-40)).drawing.centres is None


def test_the_largest_of_several_tumors_is_drawn() -> None:
    study = study_of(*labels_of([Sphere(up=-36, back=0, medial=-8, radius=7), BEHIND_ACROSS_A_LINE]))

    assert study.scores.tumors == 2
    assert study.tumor.centre_ras == pytest.approx((54, -22, 30), abs=1)
    assert study.drawing.diameter.middle_ras[2] == pytest.approx(30, abs=2.1)


def test_the_left_kidney_s_drawing_is_the_right_one_s_mirror_image() -> None:
    right = points_of(behind().drawing)
    left = points_of(study_of(*labels_of([BEHIND_ACROSS_A_LINE], side="left"), side="left").drawing)

    # Ends and corners come in the image's order, and of equally short ways one half a voxel off may be taken.
    assert np.sort(left[:, 0]) == pytest.approx(np.sort(-right[:, 0]), abs=1.1)
    assert np.sort(left[:, 1:], axis=0) == pytest.approx(np.sort(right[:, 1:], axis=0), abs=0.1)


@pytest.mark.parametrize(("axes", "flipped"), [((0, 1, 2), (0,)), ((2, 0, 1), (1, 2)), ((1, 2, 0), (0, 1, 2))])
def test_every_orientation_of_the_grid_gives_the_same_drawing(axes: tuple[int, ...], flipped: tuple[int, ...]) -> None:
    labels, grid = labels_of([BEHIND_ACROSS_A_LINE])

    drawn = points_of(study_of(*turned(labels, grid, axes, flipped)).drawing)

    assert drawn == pytest.approx(points_of(behind().drawing), abs=0.01)


def test_an_oblique_grid_turns_the_drawing_with_it() -> None:
    labels, grid = labels_of([BEHIND_ACROSS_A_LINE])
    angle = np.deg2rad(12)
    turn = np.eye(4)
    turn[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = 7, -5, 30

    drawn = points_of(study_of(labels, Grid(labels.shape, turn @ grid.ijk_to_ras)).drawing)

    straight = points_of(behind().drawing)
    assert drawn == pytest.approx(straight @ turn[:3, :3].T + turn[:3, 3], abs=0.01)


def test_labels_of_a_box_of_the_scan_give_the_same_drawing() -> None:
    labels, grid = labels_of([BEHIND_ACROSS_A_LINE])
    sides, findings = sides_of(labels, grid), measure_labels(labels, grid).findings

    of_box = studies(labels[5:, 8:-3, 2:], sides[5:, 8:-3, 2:], grid, findings, (5, 8, 2))

    assert of_box == {"right": behind(), "left": None}


def test_a_line_knows_its_length_and_its_middle() -> None:
    line = Line((1.0, 2.0, 3.0), (4.0, 6.0, 3.0))

    assert (line.mm, line.middle_ras) == (5.0, (2.5, 4.0, 3.0))
