"""From the stack's probabilities to maps on the input's own axes."""

from __future__ import annotations

import numpy as np

from seru.findings import LEFT, RIGHT, Thresholds
from seru.orientation import AxialStack
from seru.result.components import bounding_box
from seru.result.fusion import is_foreground
from seru.result.maps import SURELY_BACKGROUND, Maps
from seru.result.sides import assign_sides
from seru.threads import in_threads


def make_maps(
    stack: AxialStack,
    midline: float,
    coarse: np.ndarray,
    refined: np.ndarray,
    slices: range,
    alpha: float,
    thresholds: Thresholds,
) -> Maps:
    """Keep the voxels that are not surely background in either stage.

    Args:
        stack: the scan.
        midline: column of the body's middle.
        coarse: uint8, shape (slices, 2, rows, columns): kidney and tumor probability times 255.
        refined: likewise.
        slices: of the stack; elsewhere both are 0.
        alpha: weight of the coarse stage that the run uses.
        thresholds: the model's own least confidences.

    Returns:
        The maps, with the side of each voxel.
    """
    stored = np.zeros((len(slices), *stack.hu.shape[1:]), bool)

    def find(offset: int) -> None:
        # Each sum is at most 255: it stays in 8 bits.
        sums = (stage[slices[offset], 0] + stage[slices[offset], 1] for stage in (coarse, refined))
        np.greater(np.maximum(*sums), SURELY_BACKGROUND, out=stored[offset])

    in_threads(find, range(len(slices)))
    found, box = bounding_box(stored), (slice(0, 0),) * 3
    if found is not None:
        box = slice(slices[found[0].start], slices[found[0].stop - 1] + 1), found[1], found[2]
    mask, to_input = stored[found or box], stack.orientation.from_stack
    parts = [stage[box[0], :, box[1], box[2]] for stage in (coarse, refined)]
    sides = _sides(mask, is_foreground(parts[0]) | is_foreground(parts[1]), midline - box[2].start, stack.grid.voxel_ml)
    mask_kji = np.ascontiguousarray(to_input(mask))
    coarse_stored, refined_stored = (
        np.stack([to_input(part[:, n])[mask_kji] for n in range(2)], axis=1) for part in parts
    )
    return Maps(
        grid=stack.grid,
        alpha=alpha,
        lower_kji=stack.orientation.lower_kji(box, stack.hu.shape),
        mask=mask_kji,
        coarse=coarse_stored,
        refined=refined_stored,
        sides=to_input(sides)[mask_kji],
        hu=_as_int16(to_input(stack.hu[box])[mask_kji]),
        thresholds=thresholds,
        tilt=stack.tilt,
    )


def _sides(mask: np.ndarray, foreground: np.ndarray, midline: float, voxel_ml: float) -> np.ndarray:
    sides = assign_sides(foreground, midline, voxel_ml)
    # What is background at both ends is background at every alpha: which side it gets is of no consequence.
    halves = np.where(np.arange(mask.shape[2]) < midline, np.uint8(RIGHT), np.uint8(LEFT))
    return np.where(mask & (sides == 0), halves, sides)


def _as_int16(hu: np.ndarray) -> np.ndarray:
    return hu if hu.dtype == np.int16 else np.clip(np.rint(hu), -32768, 32767).astype(np.int16)
