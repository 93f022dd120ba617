"""Where the voxels of a NIfTI file lie: its two matrices, which one counts, and whether they agree.

Of two the choice is ITK's, so that Slicer shows the image where we say it is.

Source: the NIfTI-1 header definition (nifti1.h), "3D image orientation and location in space".
"""

from __future__ import annotations

import itertools

import numpy as np

from seru.grid import Lattice
from seru.io.reading import UnreadableError, no_orientation_note, unit_note

MILLIMETRES = 2
SCANNER = 1

_UNKNOWN_UNIT = 0
_MM_PER_UNIT = {_UNKNOWN_UNIT: 1.0, 1: 1000.0, MILLIMETRES: 1.0, 3: 0.001}
# No CT of a body is as small.
_SMALL_MM = 100.0
# The square of a unit quaternion's stored part is 1 at most; 32 bits and some tools round.
_LARGEST_SQUARE = 1.01
# Voxel sizes of a header are the same to a hundredth, in 32 bits and after some tools.
_SPACING_TOLERANCE = 0.01


def lattice_of(shape_kji: tuple[int, int, int], fields: np.void) -> tuple[Lattice, tuple[str, ...]]:
    """Return where the voxels of a NIfTI file lie.

    Args:
        shape_kji: voxels along k, j and i.
        fields: of its header.

    Returns:
        Their lattice; and what the user should know of it, one sentence each.

    Raises:
        UnreadableError: the unit is unknown, a voxel size is not positive, there are two of them, or no matrix.
        BadInputError: the axes are of no lattice.
    """
    unit = int(fields["units"]) & 7
    if unit not in _MM_PER_UNIT:
        raise UnreadableError(f"measures in an unknown unit of length (NIfTI unit {unit}); correct the header")
    mm = _MM_PER_UNIT[unit]
    spacing = fields["pixdim"][1:4].astype(np.float64) * mm
    if not (np.isfinite(spacing).all() and spacing.min() > 0):
        size = " x ".join(f"{s:g}" for s in spacing)
        raise UnreadableError(f"has a voxel size of {size} mm; all three must be more than 0: correct the header")
    matrix, notes = _matrix(shape_kji, fields, spacing, mm)
    lattice = Lattice(shape_kji, matrix).simplest()
    if np.abs(lattice.spacing_ijk_mm / spacing - 1).max() > _SPACING_TOLERANCE:
        texts = (" x ".join(f"{s:g}" for s in sizes) for sizes in (lattice.spacing_ijk_mm, spacing))
        raise UnreadableError("has two voxel sizes in its header ({} and {} mm); correct it".format(*texts))
    width = max(np.multiply(lattice.shape_ijk, lattice.spacing_ijk_mm))
    # Many writers leave the unit out and mean millimetres; a small image may mean something else.
    if unit == _UNKNOWN_UNIT and width < _SMALL_MM:
        notes += (f"The NIfTI header names no unit of length; in millimetres the image is {width:.0f} mm large.",)
    return lattice, unit_note({mm}) + notes


def _matrix(
    shape_kji: tuple[int, int, int], fields: np.void, spacing_mm: np.ndarray, mm: float
) -> tuple[np.ndarray, tuple[str, ...]]:
    qform, sform = (int(code) for code in fields["codes"])
    if qform <= 0 and sform <= 0:
        # As ITK, and so Slicer, take it: along left, posterior, superior.
        return np.diag([*(spacing_mm * (-1, -1, 1)), 1.0]), (no_orientation_note("NIfTI"),)
    by_sform, by_qform = np.eye(4), np.eye(4)
    by_sform[:3] = fields["rows"].astype(np.float64) * mm
    by_qform[:3, :3] = _rotation_of_quaternion(*fields["quaternion"].tolist()) * spacing_mm
    by_qform[:3, 2] *= -1.0 if fields["pixdim"][0] < 0 else 1.0
    by_qform[:3, 3] = fields["offset"].astype(np.float64) * mm
    takes_sform = sform > 0 and (sform == SCANNER or qform <= 0)
    if min(qform, sform) > 0 and not _is_usable(by_sform if takes_sform else by_qform):
        takes_sform = not takes_sform
    taken, other = (by_sform, by_qform) if takes_sform else (by_qform, by_sform)
    if not np.isfinite(taken).all():
        raise UnreadableError(
            f"has no matrix of an image in its {'sform' if takes_sform else 'qform'}; correct its header"
        )
    difference = _difference(taken, other, shape_kji) if min(qform, sform) > 0 else ""
    if not difference:
        return taken, ()
    name = "sform" if takes_sform else "qform"
    note = (
        f"The qform and the sform of the NIfTI header disagree ({difference}); the {name} was taken, as 3D Slicer "
        "does: check left and right."
    )
    return taken, (note,)


def _is_usable(matrix: np.ndarray) -> bool:
    return bool(np.isfinite(matrix).all() and np.linalg.norm(matrix[:3, :3], axis=0).min() > 0)


def _difference(taken: np.ndarray, other: np.ndarray, shape_kji: tuple[int, int, int]) -> str:
    """Say how two matrices differ; nothing where no corner is half a voxel away."""
    corners = np.array([(*corner, 1) for corner in itertools.product(*((0, size) for size in shape_kji[::-1]))]).T
    with np.errstate(all="ignore"):
        apart = np.linalg.norm(((taken - other) @ corners)[:3], axis=0).max()
        spacings = [np.linalg.norm(matrix[:3, :3], axis=0) for matrix in (taken, other)]
        cosines = (taken[:3, :3] * other[:3, :3]).sum(axis=0) / (spacings[0] * spacings[1])
        ratio = spacings[0] / spacings[1]
    if not np.isfinite([apart, *cosines, *ratio]).all():
        return "one of them is no matrix of an image"
    if apart <= spacings[0].min() / 2:
        return ""
    if cosines.min() < 0:
        return "an axis runs the other way"
    if np.abs(ratio - 1).max() > _SPACING_TOLERANCE:
        return "they give two voxel sizes"
    return f"places differ by up to {apart:.1f} mm"


def _rotation_of_quaternion(b: float, c: float, d: float) -> np.ndarray:
    """Return the rotation of a unit quaternion whose first part, not negative, is not stored; NaN for none."""
    a2 = 1.0 - (b * b + c * c + d * d)
    if a2 < 1.0 - _LARGEST_SQUARE:
        return np.full((3, 3), np.nan)
    if a2 < 1e-7:
        b, c, d = np.array([b, c, d]) / np.sqrt(b * b + c * c + d * d)
        a2 = 0.0
    a = np.sqrt(a2)
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )


def quaternion_of_rotation(directions: np.ndarray) -> tuple[float, float, float]:
    """Return b, c and d of the rotation nearest to right-handed directions; the first part is then not negative.

    Args:
        directions: unit directions as columns, float64, shape (3, 3).

    Returns:
        The three parts that NIfTI stores.
    """
    from scipy.spatial.transform import Rotation

    left, _, right = np.linalg.svd(directions)
    b, c, d, a = Rotation.from_matrix(left @ right).as_quat()
    return (-b, -c, -d) if a < 0 else (b, c, d)
