"""Scanning a patient: a whole volume with its truth, or single slices for training."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid
from seru.phantom.canvas import LABEL_OF_OWNER, SIDE_OF_OWNER, Canvas
from seru.phantom.geometry import FIELD_CENTRE_LPS_MM, canonical_grid, orient, orient_grid
from seru.phantom.options import PhantomOptions
from seru.phantom.patient import Patient
from seru.phantom.texture import image_noise
from seru.volume import Volume

_SLAB_VOXELS = 600_000
_HU_RANGE = (-1024, 3071)


@dataclass(frozen=True)
class Phantom:
    """A synthetic abdominal CT with its truth.

    Attributes:
        volume: the image, int16 HU.
        labels_kji: uint8, 0 background, 1 kidney, 2 tumor; on the volume's grid.
        side_kji: uint8, 0 none, 1 the patient's right, 2 left; for kidney and tumor voxels.
        options: what it was made from.
    """

    volume: Volume
    labels_kji: np.ndarray
    side_kji: np.ndarray
    options: PhantomOptions


def make_phantom(options: PhantomOptions | None = None) -> Phantom:
    """Scan the patient of a seed.

    Args:
        options: patient and grid; None takes the defaults.

    Returns:
        The image with labels and sides. The same seed is the same patient on any grid; the 48 orientations hold
        the same voxels, noise included.

    Source: our anatomy, after the usual proportions of an adult's abdomen.
    """
    options = options or PhantomOptions()
    grid = canonical_grid(options)
    hu, owner = _scan(Patient(options), grid, options)
    written = orient_grid(grid, options.orientation)
    volume = Volume(orient(hu, options.orientation), written, {"path": "", "format": "phantom"})
    owner = orient(owner, options.orientation)
    return Phantom(volume, LABEL_OF_OWNER[owner], SIDE_OF_OWNER[owner], options)


def sample_slices(
    seed: int,
    z_mm: Sequence[float],
    shape_rc: tuple[int, int],
    pixel_mm: float,
    options: PhantomOptions | None = None,
    slice_mm: float = 3.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Scan single axial slices of a patient, without the volume around them.

    Args:
        seed: the patient; it replaces the options' own.
        z_mm: heights of the slices in mm, 0 at the middle of the kidneys, positive to the head.
        shape_rc: rows (front to back) and columns (right to left).
        pixel_mm: pixel size in mm.
        options: kidneys, tumors, phase and noise; the grid's options are not looked at.
        slice_mm: slice thickness, which softens the borders.

    Returns:
        HU, int16, shape (n, rows, columns), and labels 0/1/2, uint8, of the same shape.

    Raises:
        BadInputError: an argument is out of its range.
    """
    if not np.all(np.isfinite(np.asarray(z_mm, dtype=np.float64))):
        raise BadInputError(f"The slice heights are {list(z_mm)}; give finite numbers of millimetres.")
    options = replace(
        options or PhantomOptions(),
        seed=seed,
        shape_kji=(1, *shape_rc),
        spacing_kji_mm=(slice_mm, pixel_mm, pixel_mm),
        oblique_degrees=(0.0, 0.0, 0.0),
    )
    patient, flat = Patient(options), canonical_grid(options)
    shape = (len(z_mm), *flat.shape_kji[1:])
    hu, labels = np.empty(shape, dtype=np.int16), np.empty(shape, dtype=np.uint8)
    for n, z in enumerate(z_mm):
        matrix = flat.ijk_to_lps
        matrix[2, 3] = FIELD_CENTRE_LPS_MM[2] + float(z)
        rng = np.random.default_rng([seed, zlib.crc32(np.float64(z).tobytes()), *flat.shape_kji])
        canvas = Canvas(Grid.from_lps(flat.shape_kji, matrix))
        patient.paint(canvas)
        noise, _ = image_noise(rng, canvas.hu.shape, None)
        hu[n] = _finished(canvas.hu, noise, options.noise_hu)[0]
        labels[n] = LABEL_OF_OWNER[canvas.owner[0]]
    return hu, labels


def kidney_range_mm(seed: int, options: PhantomOptions | None = None) -> tuple[float, float]:
    """Return the heights between which a patient's kidneys and tumors lie, to choose slices from.

    Args:
        seed: the patient; it replaces the options' own.
        options: kidneys, tumors and phase; the grid's options are not looked at.

    Returns:
        Lowest and highest z in mm, as ``sample_slices`` takes them, a few mm wide of the organs;
        (0.0, 0.0) for a patient without kidneys.
    """
    patient = Patient(replace(options or PhantomOptions(), seed=seed))
    spans = [kidney.span_mm() for kidney in patient.kidneys.values()]
    spans += [tumor.span_mm() for tumor in patient.tumors]
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else (0.0, 0.0)


def _scan(patient: Patient, grid: Grid, options: PhantomOptions) -> tuple[np.ndarray, np.ndarray]:
    """Paint the patient slab by slab, so that memory stays that of the result and a few slices."""
    hu, owner = np.empty(grid.shape_kji, dtype=np.int16), np.empty(grid.shape_kji, dtype=np.uint8)
    slices, rows, columns = grid.shape_kji
    step = max(1, _SLAB_VOXELS // (rows * columns))
    rng = np.random.default_rng([int(options.seed), zlib.crc32(grid.ijk_to_lps.round(6).tobytes()), *grid.shape_kji])
    last_white: np.ndarray | None = None
    for first in range(0, slices, step):
        canvas = Canvas(grid.part((first, 0, 0), (min(step, slices - first), rows, columns)))
        patient.paint(canvas)
        window = slice(first, first + canvas.hu.shape[0])
        noise, last_white = image_noise(rng, canvas.hu.shape, last_white)
        hu[window] = _finished(canvas.hu, noise, options.noise_hu)
        owner[window] = canvas.owner
    return hu, owner


def _finished(hu: np.ndarray, noise: np.ndarray, noise_hu: float) -> np.ndarray:
    """Return the image as a scanner stores it: with noise, whole HU, 12 bits."""
    noise *= noise_hu
    hu += noise
    return np.clip(np.rint(hu), *_HU_RANGE).astype(np.int16)
