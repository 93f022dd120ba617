"""The coarse stage: the network on whole axial slices.

Source: SERU manuscript, coarse stage; on which slices is the sparse pass's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.preprocessing import Prepared, resize_image
from seru.cascade.sparse_pass import KIDNEY_MM2, find_range
from seru.cascade.stage_grid import coarse_shape, resize_probabilities
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.result.finish import thresholds_of
from seru.result.fusion import is_foreground
from seru.result.gate import believe
from seru.threads import slice_pool


@dataclass(frozen=True)
class Coarse:
    """What the coarse stage gives.

    Attributes:
        probabilities: uint8, shape (slices, 2, rows, columns): kidney and tumor probability times 255; 0 outside
            ``slices``.
        slices: of the stack, that can hold a kidney or a tumor.
        passes: slices that the network saw.
        warnings: what the user should know, one sentence each.
    """

    probabilities: np.ndarray
    slices: range
    passes: int
    warnings: tuple[str, ...] = ()

    def mask(self) -> np.ndarray:
        """Return where kidney or tumor is most probable, bool, shape (slices of the range, rows, columns)."""
        return is_foreground(self.probabilities[self.slices.start : self.slices.stop])

    def probability(self) -> np.ndarray:
        """Return the probability of kidney and tumor together, uint8, times 255, in the shape of :meth:`mask`."""
        of_range = self.probabilities[self.slices.start : self.slices.stop]
        return of_range[:, 0] + of_range[:, 1]


def run_coarse(prepared: Prepared, runner: BatchRunner, options: SegmentOptions, progress: Progress) -> Coarse:
    """Run the coarse stage.

    Args:
        prepared: the scan.
        runner: runs the network.
        options: whether every slice is looked at, or those that the sparse pass asks for; and the least confidence of
            what it follows.
        progress: told of the stage ``coarse``, and asked whether to stop.

    Returns:
        Probabilities and range.

    Raises:
        CancelledError: the run was cancelled.
        DeviceError: the device failed, or there is too little memory.
    """
    slices, *shape_rc = prepared.shape
    # Of a tilted gantry the network sees each slice as it was taken.
    window_rc = [part.stop - part.start for part in prepared.window(0)]
    network_rc = coarse_shape(window_rc, prepared.spacing_mm[1:], runner.card)
    # Pages of this array cost memory only once written: slices outside the range never are.
    probabilities = np.zeros((slices, 2, *shape_rc), np.uint8)
    areas_mm2 = np.full(slices, np.nan)
    least = thresholds_of(runner.card.least_confidences, options).kidney_coarse

    def image(index: int) -> np.ndarray:
        window = prepared.window(index)
        return np.stack([resize_image(channel[window], network_rc) for channel in prepared.channels(index)])

    def keep(index: int, output: np.ndarray) -> None:
        rows, columns = prepared.window(index)
        probabilities[index][:, rows, columns] = resize_probabilities(output, window_rc)
        areas_mm2[index] = _believed_pixels(probabilities[index], least) * prepared.pixel_mm2

    def look(indices: Sequence[int]) -> np.ndarray:
        done = int(np.isfinite(areas_mm2).sum())
        total = done + len(indices)
        # Beside the network, which may be faster.
        with slice_pool("keep") as pool:
            kept = []
            for index, output in runner.run("coarse", indices, image, progress):
                kept.append(pool.submit(keep, index, output))
                done += 1
                progress.stage("coarse", done, total)
            for future in kept:
                future.result()
        return areas_mm2[list(indices)]

    kept = range(slices)
    if options.all_slices:
        look(kept)
    else:
        kept = find_range(look, slices, prepared.spacing_mm[0])
    seen = np.flatnonzero(np.isfinite(areas_mm2))
    outside = seen[(seen < kept.start) | (seen >= kept.stop)]
    # Believed or not, it is told of.
    shown_mm2 = np.array([is_foreground(probabilities[index]).sum() * prepared.pixel_mm2 for index in outside])
    left_out = int(np.count_nonzero(shown_mm2 >= KIDNEY_MM2))
    # Of whatever lies there only these slices were looked at.
    probabilities[outside] = 0
    warning = (
        f"What looks like kidney far from the kidneys was left out ({left_out} of the slices looked at); "
        "run every slice to see it."
    )
    return Coarse(probabilities, kept, len(seen), (warning,) if left_out else ())


def _believed_pixels(probabilities: np.ndarray, least: float) -> int:
    """The number of pixels of a slice that are kidney or tumor, without parts that are too doubtful."""
    mask = is_foreground(probabilities)[np.newaxis]
    return int(np.count_nonzero(believe(mask, (probabilities[0] + probabilities[1])[np.newaxis], least)))
