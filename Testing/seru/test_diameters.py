"""Diameters of shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import distance

from seru.result.diameters import axial_diameters, longest_diameter_mm


def test_the_longest_diameter_is_that_of_the_slice_where_it_is_longest() -> None:
    mask = np.zeros((5, 12, 30), bool)
    mask[1, 2:6, 3:10] = True
    mask[3, 5, 4:25] = True

    found = axial_diameters(mask, (1.0, 1.0))

    assert (found.slice, found.longest_mm, found.longest) == (3, 20.0, ((5, 4), (5, 24)))


def test_diameters_are_in_millimetres_between_pixel_centres() -> None:
    mask = np.zeros((1, 9, 21), bool)
    mask[0, 2:7, 3:18] = True

    found = axial_diameters(mask, (2.0, 0.5))

    assert found.longest_mm == pytest.approx(np.hypot(4 * 2.0, 14 * 0.5))
    assert found.across_mm <= found.longest_mm


def test_the_diameter_across_stands_at_right_angles_and_lies_inside() -> None:
    rows, columns = np.mgrid[-30:31, -30:31]
    turned = np.deg2rad(30)
    along = columns * np.cos(turned) + rows * np.sin(turned)
    beside = rows * np.cos(turned) - columns * np.sin(turned)
    ellipse = (along / 25) ** 2 + (beside / 10) ** 2 <= 1

    found = axial_diameters(ellipse[np.newaxis], (1.0, 1.0))

    assert found.longest_mm == pytest.approx(50, abs=1.5)
    assert found.across_mm == pytest.approx(20, abs=1.5)
    (a, b), (c, d) = (np.array(ends, float) for ends in (found.longest, found.across))
    cosine = (b - a) @ (d - c) / np.linalg.norm(b - a) / np.linalg.norm(d - c)
    assert abs(cosine) < 0.1


def test_two_parts_of_a_slice_are_not_measured_together() -> None:
    mask = np.zeros((2, 10, 40), bool)
    mask[0, 2:8, 2:8] = mask[0, 2:8, 30:34] = True
    mask[1, 4, 2:34] = True

    found = axial_diameters(mask[:1], (1.0, 1.0))

    assert found.longest_mm == pytest.approx(np.hypot(5, 5))


def test_a_thin_part_is_not_measured_together_with_a_thick_one() -> None:
    mask = np.zeros((1, 12, 60), bool)
    mask[0, 2:10, 2:10] = True
    mask[0, 5, 40:45] = True

    assert axial_diameters(mask, (1.0, 1.0)).longest_mm == pytest.approx(np.hypot(7, 7))


def test_a_thin_bridge_does_not_make_two_parts_one() -> None:
    rows, columns = np.mgrid[0:40, 0:90]
    discs = ((rows - 20) ** 2 + (columns - 20) ** 2 <= 15**2) | ((rows - 20) ** 2 + (columns - 68) ** 2 <= 15**2)
    thin, thick = discs.copy(), discs.copy()
    thin[20:22, 20:68] = True
    thick[16:25, 20:68] = True

    of_thin, of_thick = (axial_diameters(mask[np.newaxis], (1.0, 1.0)) for mask in (thin, thick))

    assert of_thin.longest_mm == pytest.approx(30, abs=2.5)
    assert of_thick.longest_mm == pytest.approx(78, abs=0.1)


def test_a_part_as_thin_as_a_bridge_is_measured_as_it_is() -> None:
    line = np.zeros((1, 5, 40), bool)
    line[0, 2, 5:35] = True

    assert axial_diameters(line, (1.0, 1.0)).longest_mm == 29


def test_a_point_has_no_diameter_and_nothing_has_none() -> None:
    point = np.zeros((3, 4, 5), bool)
    assert axial_diameters(point, (1.0, 1.0)) is None

    point[2, 1, 3] = True
    found = axial_diameters(point, (1.0, 1.0))

    assert (found.slice, found.longest_mm, found.longest, found.across_mm) == (2, 0.0, ((1, 3), (1, 3)), 0.0)


def test_of_equally_long_slices_the_lowest_counts() -> None:
    mask = np.zeros((4, 3, 9), bool)
    mask[1:4, 1, 2:7] = True

    assert axial_diameters(mask, (1.0, 1.0)).slice == 1


def test_the_same_line_has_the_same_length_wherever_it_lies() -> None:
    mask = np.zeros((9, 1, 11), bool)
    for index in range(2, 9):
        # As floats their ends differ in the last digits.
        mask[index, 0, index : index + 3] = True

    found = axial_diameters(mask, (0.7243, 0.7243))

    assert (found.slice, found.longest_mm) == (2, pytest.approx(2 * 0.7243))


@pytest.mark.parametrize("seed", range(8))
def test_no_slice_is_longer_than_the_one_that_is_found(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mask = generator.random((9, 12, 15)) < 0.25
    spacing = generator.uniform(0.4, 3.0, 2)
    longest = []
    for plane in mask:
        numbers, count = ndimage.label(plane, np.ones((3, 3)))
        parts = [np.argwhere(numbers == number) * spacing for number in range(1, count + 1)]
        longest.append(max(float(distance.cdist(part, part).max()) for part in parts))

    found = axial_diameters(mask, spacing, bridge_mm=0.0)

    assert found.longest_mm == pytest.approx(max(longest))
    assert found.slice == next(index for index, mm in enumerate(longest) if mm == pytest.approx(max(longest)))


def test_the_longest_distance_is_three_dimensional_and_in_millimetres() -> None:
    mask = np.zeros((5, 5, 5), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = mask[3, 3, 3] = True

    assert longest_diameter_mm(mask, (3.0, 2.0, 1.0)) == pytest.approx(2 * np.sqrt(1 + 4 + 9))


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_a_flat_or_round_tumor_has_its_longest_distance(flat_axis: int) -> None:
    axes = np.ogrid[-20:21, -20:21, -20:21]
    ball = sum(axis**2 for axis in axes) <= 18**2
    disc = ball & (axes[flat_axis] == 0)

    assert longest_diameter_mm(ball, (1, 1, 1)) == 36
    assert longest_diameter_mm(disc, (1, 1, 1)) == 36


def test_a_line_and_a_point_have_their_length() -> None:
    line = np.zeros((1, 1, 80), bool)
    line[..., 5:75] = True

    assert longest_diameter_mm(line, (1, 1, 0.5)) == pytest.approx(34.5)
    assert longest_diameter_mm(line[..., :6], (1, 1, 0.5)) == 0
    assert longest_diameter_mm(line[..., :5], (1, 1, 0.5)) == 0
