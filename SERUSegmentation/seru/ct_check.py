"""Is this image a CT? Decided from its numbers, before any network sees it.

Source: our rule, from what Hounsfield units mean: air -1000, fat -120 to -30, soft tissue 0 to 100.
"""

from __future__ import annotations

import numpy as np

from seru.errors import BadInputError
from seru.volume import Volume

# Voxels looked at: enough for shares of a thousandth, and milliseconds to count.
_SAMPLE = 1_000_000
# Below this there is no matter: padding outside the scanner's field of view (-1500, -2000, -3024, -32768).
_PADDING = -1500
# Denser than most bone: of a CT never so large a part; of byte-swapped numbers it is.
_DENSE_HU, _MOST_DENSE = 700, 0.25
# What scanners add to store Hounsfield units as unsigned numbers.
UNSIGNED_OFFSET = 1024
# In such numbers air and its noise lie above this, and padding below.
PADDING_BELOW = -200
# Plausible voxel sizes in mm; metres and micrometres lie outside.
_SMALLEST_MM, _LARGEST_MM = 0.02, 50.0


def check_is_ct(volume: Volume) -> list[str]:
    """Check that a volume can be a CT in Hounsfield units.

    Args:
        volume: from a reader or built from arrays.

    Returns:
        Warnings, one sentence each.

    Raises:
        BadInputError: empty, not finite, constant, or without the voxel sizes or the values of a CT.
    """
    array = volume.array_kji
    if array.size == 0:
        sizes = " x ".join(str(size) for size in volume.grid.shape_ijk)
        raise BadInputError(f"The image is not a 3D volume ({sizes} voxels); give a whole CT.")
    _check_spacing(volume)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BadInputError("The image has voxels that are not numbers (NaN or infinite); replace them by -1000.")
    low, high = float(array.min()), float(array.max())
    if low == high:
        raise BadInputError(f"Every voxel of the image is {low:g}; give a CT in Hounsfield units.")
    # Readers have taken it off; noise around 0 would pass for fat and air for tissue.
    if is_unsigned_ct(array):
        raise BadInputError(
            f"The values are a CT's plus {UNSIGNED_OFFSET} (air near 0); subtract {UNSIGNED_OFFSET} from them."
        )
    _check_values(_sample(array), low, high)
    return _warnings(volume)


def is_unsigned_ct(array_kji: np.ndarray) -> bool:
    """Decide whether a CT is stored with 1024 added, as unsigned numbers.

    Args:
        array_kji: numbers as stored, shape (K, J, I).

    Returns:
        True where air and its noise peak near 0, nothing but padding is below, and the body peaks near 1024.
    """
    values = _sample(array_kji)
    # Around the circle that was scanned there is one value; a few others come from resampling its edge.
    padding = values[values <= PADDING_BELOW]
    if padding.size and np.mean(padding == padding.min()) < 0.95:
        return False
    values = values[values > PADDING_BELOW]
    # A body holds fat and soft tissue and little between them and air; in other images the values spread out.
    body = values[values > 300]
    if body.size < 0.02 * values.size or body.size == 0 or np.mean(values < 150) < 0.02:
        return False
    tissue = (body > UNSIGNED_OFFSET - 200) & (body < UNSIGNED_OFFSET + 250)
    return float(np.mean(tissue)) > 0.6 and UNSIGNED_OFFSET - 130 < float(np.median(body)) < UNSIGNED_OFFSET + 130


def _sample(array_kji: np.ndarray) -> np.ndarray:
    step = max(1, round((array_kji.size / _SAMPLE) ** (1 / 3)))
    steps = tuple(slice(None, None, min(step, max(1, size // 8))) for size in array_kji.shape)
    return array_kji[steps].ravel()


def _check_values(values: np.ndarray, low: float, high: float) -> None:
    matter = values[values > _PADDING]
    # Fat, lung or air is in every CT of a body; soft tissue is what the window shows.
    light = np.mean(matter < -25) if matter.size else 0.0
    tissue = np.mean((matter > -200) & (matter < 350)) if matter.size else 0.0
    dense = np.mean(matter > _DENSE_HU) if matter.size else 0.0
    if light < 0.002 or tissue < 0.005 or dense > _MOST_DENSE:
        raise BadInputError(
            f"The image is no CT in Hounsfield units (its values run from {low:g} to {high:g}, "
            "a CT has air near -1000, fat near -100 and soft tissue near 50); give the original CT."
        )


def _check_spacing(volume: Volume) -> None:
    spacing = volume.grid.spacing_ijk_mm
    if min(spacing) < _SMALLEST_MM or max(spacing) > _LARGEST_MM:
        size = " x ".join(f"{s:g}" for s in spacing)
        raise BadInputError(f"The voxels measure {size} mm, which no CT has; correct the voxel size in the header.")


def _warnings(volume: Volume) -> list[str]:
    warnings = list(volume.notes)
    thickest = max(volume.grid.spacing_ijk_mm)
    if thickest > 6.0:
        warnings.append(f"The slices are {thickest:g} mm apart: small tumors and volumes will be inexact.")
    return warnings
