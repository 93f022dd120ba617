"""The grid of an image: small answers by hand, and what cannot be one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seru.errors import BadInputError
from seru.grid import SHEAR_TOLERANCE, Grid
from seru.volume import Volume

# i runs to the right 2 mm a voxel, j to the front 3 mm, k to the feet 4 mm.
PLAIN = np.array(
    [
        [2.0, 0, 0, 10],
        [0, 3.0, 0, 20],
        [0, 0, -4.0, 30],
        [0, 0, 0, 1],
    ]
)
# i runs to the head, j to the left, k to the front; right-handed.
TURNED = np.array(
    [
        [0, -3.0, 0, 10],
        [0, 0, 4.0, 20],
        [-2.0, 0, 0, 30],
        [0, 0, 0, 1],
    ]
)


def sheared(cosine: float) -> np.ndarray:
    """A grid of 1 x 1 x 2 mm whose j and k have this cosine between them."""
    matrix = np.eye(4)
    matrix[:3, 2] = 0, 2 * cosine, 2 * np.sqrt(1 - cosine**2)
    return matrix


def moved(x: float, y: float, z: float) -> np.ndarray:
    matrix = PLAIN.copy()
    matrix[:3, 3] += x, y, z
    return matrix


def test_spacing_and_shape_are_given_in_both_orders() -> None:
    grid = Grid((5, 6, 7), TURNED)

    assert grid.spacing_ijk_mm == (2.0, 3.0, 4.0)
    assert grid.spacing_kji_mm == (4.0, 3.0, 2.0)
    assert grid.shape_ijk == (7, 6, 5)


def test_a_voxel_of_2_by_3_by_4_mm_holds_24_microlitres() -> None:
    assert Grid((5, 6, 7), PLAIN).voxel_ml == pytest.approx(0.024)


def test_directions_are_unit_columns() -> None:
    np.testing.assert_array_equal(Grid((5, 6, 7), TURNED).directions_ras, [[0, -1, 0], [0, 0, 1], [-1, 0, 0]])


def test_lps_turns_the_first_two_rows_and_comes_back_as_it_was() -> None:
    grid = Grid((5, 6, 7), PLAIN)

    np.testing.assert_array_equal(grid.ijk_to_lps, [[-2, 0, 0, -10], [0, -3, 0, -20], [0, 0, -4, 30], [0, 0, 0, 1]])
    np.testing.assert_array_equal(Grid.from_lps((5, 6, 7), grid.ijk_to_lps).ijk_to_ras, PLAIN)


def test_a_voxel_lies_where_the_matrix_puts_it() -> None:
    assert Grid((5, 6, 7), PLAIN).ras_of_ijk((1, 2, 3)) == (12.0, 26.0, 18.0)
    assert Grid((5, 6, 7), TURNED).ras_of_ijk((1, 2, 0.5)) == (4.0, 22.0, 28.0)


def test_a_box_has_its_own_axes_its_centre_and_its_size() -> None:
    box, size_mm = Grid((5, 6, 7), TURNED).box_to_ras((1, 2, 3), (2, 2, 4))

    np.testing.assert_array_equal(box, [[0, -1, 0, 4], [0, 0, 1, 34], [-1, 0, 0, 27], [0, 0, 0, 1]])
    np.testing.assert_array_equal(size_mm, [4, 3, 8])


def test_a_box_of_a_left_handed_grid_is_right_handed_around_the_same_centre() -> None:
    box, size_mm = Grid((5, 6, 7), PLAIN).box_to_ras((0, 0, 0), (1, 0, 4))

    np.testing.assert_array_equal(box, [[1, 0, 0, 11], [0, 1, 0, 20], [0, 0, 1, 22], [0, 0, 0, 1]])
    np.testing.assert_array_equal(size_mm, [4, 3, 20])


def test_a_part_begins_at_its_first_voxel() -> None:
    part = Grid((5, 6, 7), TURNED).part((3, 2, 1), (1, 2, 4))

    assert part.shape_kji == (1, 2, 4)
    np.testing.assert_array_equal(part.ijk_to_ras, [[0, -3, 0, 4], [0, 0, 4, 32], [-2, 0, 0, 28], [0, 0, 0, 1]])


def test_a_part_may_be_empty() -> None:
    assert Grid((5, 6, 7), PLAIN).part((0, 0, 0), (0, 0, 0)).shape_ijk == (0, 0, 0)


@pytest.mark.parametrize("shift", [(1, 0, 0), (0, -1, 0), (0, 0, 1)])
def test_grids_are_close_below_a_thousandth_of_a_millimetre(shift: tuple[int, int, int]) -> None:
    grid = Grid((5, 6, 7), PLAIN)

    assert grid.is_close(Grid((5, 6, 7), moved(*(0.00099 * n for n in shift))))
    assert not grid.is_close(Grid((5, 6, 7), moved(*(0.00101 * n for n in shift))))


def test_a_spacing_that_differs_counts_at_the_far_corner() -> None:
    grid, wider = Grid((5, 6, 7), PLAIN), PLAIN.copy()
    wider[0, 0] += 0.0002

    assert not grid.is_close(Grid((5, 6, 7), wider))
    assert grid.is_close(Grid((5, 6, 7), wider), tolerance_mm=0.0015)


def test_another_shape_or_swapped_axes_are_not_close() -> None:
    cube = Grid((4, 4, 4), np.eye(4))

    assert not cube.is_close(Grid((4, 4, 5), np.eye(4)))
    # The first and the last corner stay where they are.
    assert not cube.is_close(Grid((4, 4, 4), np.eye(4)[[1, 0, 2, 3]]))


def test_axes_sheared_by_less_than_the_tolerance_are_taken() -> None:
    assert SHEAR_TOLERANCE == 1e-3
    for cosine in (0.99e-3, -0.99e-3):
        assert Grid((5, 6, 7), sheared(cosine)).spacing_ijk_mm == pytest.approx((1, 1, 2))


def test_axes_sheared_by_more_than_the_tolerance_are_refused_with_the_angle() -> None:
    for cosine in (1.01e-3, -1.01e-3):
        with pytest.raises(BadInputError, match=r"sheared by 0\.06 degrees"):
            Grid((5, 6, 7), sheared(cosine))
    with pytest.raises(BadInputError, match=r"sheared by 12\.00 degrees"):
        Grid((5, 6, 7), sheared(np.sin(np.deg2rad(12))))


@pytest.mark.parametrize(("value", "text"), [(0.0, "1 x 0 x 1"), (1e-6, "1 x 1e-06 x 1"), (np.nan, "1 x nan x 1")])
def test_a_spacing_that_is_zero_or_no_number_is_refused(value: float, text: str) -> None:
    with pytest.raises(BadInputError, match=f"voxel size of the image is {text} mm"):
        Grid((5, 6, 7), np.diag([1.0, value, 1.0, 1.0]))


def test_an_origin_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadInputError, match="a place that is no number"):
        Grid((5, 6, 7), moved(np.inf, 0, 0))


@pytest.mark.parametrize("shape", [(6, 7), (4, 5, 6, 7), (5, -1, 7)])
def test_a_shape_without_three_sizes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInputError, match="not a 3D volume"):
        Grid(shape, PLAIN)


def test_a_grid_does_not_change_with_the_matrix_it_was_built_from() -> None:
    matrix = PLAIN.copy()
    grid = Grid((5, 6, 7), matrix)

    matrix[0, 0] = 0

    assert grid.ijk_to_ras[0, 0] == 2
    with pytest.raises(ValueError, match="read-only"):
        grid.ijk_to_ras[0, 0] = 0


def test_a_volume_has_the_shape_of_its_grid() -> None:
    array = np.zeros((5, 6, 7), np.int16)

    assert Volume.from_array(array, PLAIN).grid.shape_kji == (5, 6, 7)
    with pytest.raises(BadInputError, match="must be equal"):
        Volume(array, Grid((7, 6, 5), PLAIN))
    with pytest.raises(BadInputError, match=r"not a 3D volume \(7 x 6 voxels\)"):
        Volume.from_array(array[0], PLAIN)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 6, 7), object), "holds object and no numbers"),
        (np.zeros((5, 6, 7), complex), "holds complex128 and no numbers"),
        (np.zeros((5, 6, 7), "U3"), "holds <U3 and no numbers"),
        (np.zeros((5, 6, 7), "m8[s]"), "no numbers"),
        (None, "holds object and no numbers"),
        ([[[1, 2]], [[3]]], "no array of three axes"),
        (np.ma.masked_less(np.arange(210).reshape(5, 6, 7), 9), "has masked voxels"),
    ],
)
def test_an_array_of_no_numbers_is_no_volume(array: Any, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Volume.from_array(array, PLAIN)


def test_a_list_of_numbers_is_a_volume() -> None:
    assert Volume.from_array([[[1, 2], [3, 4]]], PLAIN).array_kji.tolist() == [[[1, 2], [3, 4]]]


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (PLAIN[:3], "not one of 4 x 4 numbers"),
        (None, "not one of 4 x 4 numbers"),
        ("matrix", "not one of 4 x 4 numbers"),
        (PLAIN * 1j, "not one of 4 x 4 numbers"),
        (np.diag([2.0, 2.0, 2.0, 2.0]), "must be 0 0 0 1"),
    ],
)
def test_what_is_no_matrix_of_an_image_is_refused(matrix: Any, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        Grid((5, 6, 7), matrix)
