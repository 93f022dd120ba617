"""The axial stack: every axis order and flip, oblique grids."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from seru.grid import Grid
from seru.orientation import AxialStack, find_orientation
from seru.volume import Volume

GRIDS = [(order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)]


def grid_matrix(order: tuple[int, ...], signs: tuple[int, ...], spacing: tuple[float, ...]) -> np.ndarray:
    """IJKToRAS whose axis n runs along RAS axis order[n], forwards or backwards."""
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    for axis in range(3):
        matrix[order[axis], axis] = signs[axis] * spacing[axis]
    matrix[:3, 3] = (11, -7, 5)
    return matrix


@pytest.mark.parametrize(("order", "signs"), GRIDS)
def test_every_axis_order_and_flip_gives_the_same_stack(order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    matrix = grid_matrix(order, signs, (2.0, 3.0, 4.0))
    k, j, i = np.meshgrid(*(range(n) for n in (4, 5, 6)), indexing="ij")
    ras = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ matrix.T
    volume = Volume.from_array(ras[..., 0] * 1e4 + ras[..., 1] * 1e2 + ras[..., 2], matrix)

    stack = AxialStack.of(volume)

    directions = ((2, 1), (1, -1), (0, -1))
    superior, posterior, left = (stack.orientation.to_stack(sign * ras[..., axis]) for axis, sign in directions)
    assert (np.diff(superior, axis=0) > 0).all()
    assert (np.diff(posterior, axis=1) > 0).all()
    assert (np.diff(left, axis=2) > 0).all()
    np.testing.assert_array_equal(stack.orientation.from_stack(stack.hu), volume.array_kji)
    spacing_ras = dict(zip(order, (2.0, 3.0, 4.0), strict=True))
    assert stack.spacing_mm == (spacing_ras[2], spacing_ras[1], spacing_ras[0])


@pytest.mark.parametrize(("order", "signs"), GRIDS[::5])
def test_a_stack_position_is_the_same_place_in_the_input(order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    volume = Volume.from_array(np.arange(120).reshape(4, 5, 6), grid_matrix(order, signs, (1.0, 1.0, 1.0)))
    stack = AxialStack.of(volume)
    position = (1, 2, 3)

    i, j, k = stack.orientation.ijk_of_stack(position, stack.hu.shape)

    assert volume.array_kji[int(k), int(j), int(i)] == stack.hu[position]


@pytest.mark.parametrize(("order", "signs"), GRIDS[::7])
def test_the_lower_corner_of_a_box_is_found_on_the_input(order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    volume = Volume.from_array(np.zeros((4, 5, 6), np.uint8), grid_matrix(order, signs, (1.0, 1.0, 1.0)))
    stack = AxialStack.of(volume)
    box = (slice(1, 3), slice(0, 2), slice(2, 4))
    stack.hu[box] = 1

    lower = stack.orientation.lower_kji(box, stack.hu.shape)

    assert lower == tuple(int(axis.min()) for axis in np.nonzero(volume.array_kji))


@pytest.mark.parametrize("degrees", [5, 20, 40])
def test_an_oblique_grid_keeps_its_own_axes(degrees: float) -> None:
    angle = np.deg2rad(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]

    orientation = find_orientation(Grid((4, 5, 6), turn @ grid_matrix((0, 1, 2), (-1, -1, 1), (1, 1, 5))))

    assert orientation.axes == (0, 1, 2)
    assert orientation.flips == (False, False, False)


def test_a_coronal_volume_is_stacked_from_feet_to_head() -> None:
    orientation = find_orientation(Grid((4, 5, 6), grid_matrix((0, 2, 1), (-1, -1, 1), (1, 1, 3))))

    assert orientation.axes == (1, 0, 2)
    assert orientation.flips == (True, True, False)
    assert orientation.stack_axis_ijk == 1
