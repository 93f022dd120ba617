"""The grid of a phantom: canonical LPS sampling, slabs of it, and its 48 ways of being written."""

from __future__ import annotations

import math

import numpy as np

from seru.grid import Grid
from seru.phantom.options import PhantomOptions

FIELD_CENTRE_LPS_MM = (0.0, 12.0, 0.0)
"""Where the field of view is centred: between the kidneys, a little behind the body's centre."""

_PAIRS = ("LR", "PA", "SI")


def coordinates_lps(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x (to the left), y (to the back) and z (to the head) of a grid's voxels.

    Args:
        grid: canonical, or a part of it.

    Returns:
        Three float32 arrays in mm that broadcast to the grid's shape; on an unturned grid each is one axis long.
    """
    nk, nj, ni = grid.shape_kji
    index = (np.arange(ni).reshape(1, 1, ni), np.arange(nj).reshape(1, nj, 1), np.arange(nk).reshape(nk, 1, 1))
    coordinates = []
    for row in grid.ijk_to_lps[:3]:
        value = np.full((1, 1, 1), row[3])
        for step, steps in zip(row[:3], index, strict=True):
            if step != 0.0:
                value = value + step * steps
        coordinates.append(value.astype(np.float32))
    return coordinates[0], coordinates[1], coordinates[2]


def canonical_grid(options: PhantomOptions) -> Grid:
    """Return the grid on which the patient is sampled, before it is written in the wanted axis order.

    Args:
        options: shape, spacing and oblique turn.

    Returns:
        A grid whose i grows to the left, j to the back and k to the head, before any oblique turn.
    """
    size_ijk = np.array(options.shape_kji[::-1], dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(options.oblique_degrees) @ np.diag(options.spacing_kji_mm[::-1])
    matrix[:3, 3] = np.array(FIELD_CENTRE_LPS_MM) - matrix[:3, :3] @ ((size_ijk - 1) / 2)
    return Grid.from_lps(options.shape_kji, matrix)


def orient(array_kji: np.ndarray, orientation: str) -> np.ndarray:
    """Write a canonical array in another axis order.

    Args:
        array_kji: canonical array, shape (K, J, I).
        orientation: directions of the new i, j and k, for example ``RAS``.

    Returns:
        A contiguous array with the same voxels, transposed and flipped.
    """
    sources = [_canonical_axis(letter) for letter in orientation]
    transposed = array_kji.transpose([2 - axis for axis in sources[::-1]])
    flips = [slice(None, None, -1) if _is_flipped(letter) else slice(None) for letter in orientation[::-1]]
    return np.ascontiguousarray(transposed[tuple(flips)])


def orient_grid(grid: Grid, orientation: str) -> Grid:
    """Return the grid of the array that ``orient`` writes.

    Args:
        grid: the canonical grid.
        orientation: directions of the new i, j and k.

    Returns:
        The same voxels in the same places.
    """
    lps, written = grid.ijk_to_lps, np.eye(4)
    written[:3, 3] = lps[:3, 3]
    for new_axis, letter in enumerate(orientation):
        axis = _canonical_axis(letter)
        column = lps[:3, axis]
        flipped = _is_flipped(letter)
        written[:3, new_axis] = -column if flipped else column
        if flipped:
            written[:3, 3] += (grid.shape_ijk[axis] - 1) * column
    i, j, k = (grid.shape_ijk[_canonical_axis(letter)] for letter in orientation)
    return Grid.from_lps((k, j, i), written)


def _canonical_axis(letter: str) -> int:
    return next(axis for axis, pair in enumerate(_PAIRS) if letter in pair)


def _is_flipped(letter: str) -> bool:
    return letter in "RAI"


def _rotation(degrees_xyz: tuple[float, float, float]) -> np.ndarray:
    """Return the turn about x, then y, then z (LPS axes); exact zeros stay zeros."""
    if not any(degrees_xyz):
        return np.eye(3)
    (cx, sx), (cy, sy), (cz, sz) = [(math.cos(math.radians(a)), math.sin(math.radians(a))) for a in degrees_xyz]
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
