"""Fine structure of tissue, and the noise of the scanner."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import ndimage

from seru.phantom.shapes import Waves

_CELLS = 96
_CELL_MM = 1.5


@lru_cache(maxsize=4)
def _table(smoothness: float) -> np.ndarray:
    """Return a periodic cube of smoothed noise with mean 0 and standard deviation 1, float32."""
    noise = np.random.default_rng(20190319).standard_normal((_CELLS,) * 3, dtype=np.float32)
    smoothed = ndimage.gaussian_filter(noise, smoothness, mode="wrap")
    return ((smoothed - smoothed.mean()) / smoothed.std()).astype(np.float32)


class Texture:
    """Mottle fixed to the patient, so that every grid sees the same."""

    def __init__(self, rng: np.random.Generator, grain_mm: float) -> None:
        """Place the texture.

        Args:
            rng: draws the place.
            grain_mm: size of the grains in mm, about 2 to 12.
        """
        self._scale = 1.0 / (_CELL_MM * max(grain_mm / 6.0, 0.6))
        self._offset: list[float] = rng.uniform(0, _CELLS, size=3).tolist()

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the mottle, float32 with mean 0 and standard deviation 1, broadcast over the coordinates."""
        cells = [
            (c * self._scale + (o + 4096 * _CELLS)).astype(np.int32) % _CELLS
            for c, o in zip((x, y, z), self._offset, strict=True)
        ]
        return _table(1.6)[cells[2], cells[1], cells[0]]


class Filaments:
    """Branching vessels without a tree: where two smooth fields vanish together."""

    def __init__(self, rng: np.random.Generator, wavelength_mm: tuple[float, float]) -> None:
        """Draw the two fields.

        Args:
            rng: draws the fields.
            wavelength_mm: range of the fields' wavelengths; about twice the distance between vessels.
        """
        self._fields = Waves(rng, 4, wavelength_mm, 1.0), Waves(rng, 4, wavelength_mm, 1.0)
        self._scale_mm = sum(wavelength_mm) / 2 / (2 * math.pi)

    def distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray, radius_mm: float) -> np.ndarray:
        """Return about the distance to the vessels' walls in mm, float32, broadcast over the coordinates."""
        first, second = (field(x, y, z) for field in self._fields)
        return np.sqrt(first * first + second * second) * self._scale_mm - radius_mm


def image_noise(
    rng: np.random.Generator, shape_kji: tuple[int, int, int], previous: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return noise that looks like filtered back-projection: fine grain, no slow drift, weak ties between slices.

    Args:
        rng: draws the noise; slabs must be asked for in order.
        shape_kji: shape of the slab.
        previous: white noise of the slice before the slab, shape (1, J, I); None for the first slab.

    Returns:
        The noise, float32 of the shape with standard deviation 1, and the white noise of the slab's last slice.
    """
    white = rng.standard_normal(shape_kji, dtype=np.float32)
    before = white[:1] if previous is None else previous
    tied = np.concatenate([before, white])
    tied = tied[1:] + 0.45 * tied[:-1]
    for axis in (1, 2):
        tied = ndimage.correlate1d(tied, np.array([0.3, 1.0, 0.3], dtype=np.float32), axis=axis, mode="wrap")
    drift = ndimage.uniform_filter(tied, (1, 7, 7), mode="wrap")
    tied -= drift
    tied *= 1.0 / _noise_gain()
    return tied, white[-1:]


@lru_cache(maxsize=1)
def _noise_gain() -> float:
    """Return the standard deviation that the filter of ``image_noise`` gives to white noise."""
    kernel = np.zeros((31, 31))
    kernel[15, 15] = 1.0
    for axis in (0, 1):
        kernel = ndimage.correlate1d(kernel, [0.3, 1.0, 0.3], axis=axis)
    kernel = kernel - ndimage.uniform_filter(kernel, 7)
    return float(np.sqrt(np.sum(kernel**2) * (1 + 0.45**2)))
