"""The refine stage: the network on the crop of each side.

Source: SERU manuscript, refine stage; where two crops overlap the average stands (our rule).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.coarse import Coarse
from seru.cascade.crops import CropRegion, Crops, paste_crop, take_crop
from seru.cascade.preprocessing import Prepared, resize_image
from seru.progress import Progress


@dataclass(frozen=True)
class Refined:
    """What the refine stage gives.

    Attributes:
        probabilities: uint8, shape (slices, 2, rows, columns); outside the crops those of the coarse stage.
        passes: crops that the network saw.
    """

    probabilities: np.ndarray
    passes: int


def run_refine(prepared: Prepared, coarse: Coarse, crops: Crops, runner: BatchRunner, progress: Progress) -> Refined:
    """Run the refine stage.

    Args:
        prepared: the scan.
        coarse: of the same scan.
        crops: where to run.
        runner: runs the network.
        progress: told of the stage ``refine``, and asked whether to stop.

    Returns:
        Probabilities.

    Raises:
        CancelledError: the run was cancelled.
        DeviceError: the device failed, or there is too little memory.
    """
    wanted = list(crops)
    total = sum(len(crop.slices) for crop in wanted)
    probabilities = coarse.probabilities.copy() if wanted else coarse.probabilities
    done = 0
    progress.stage("refine", done, total)
    for number, crop in enumerate(wanted):

        def image(index: int, region: CropRegion = crop.region) -> np.ndarray:
            parts = (take_crop(channel, region.origin_rc, region.size_rc) for channel in prepared.channels(index))
            return np.stack([resize_image(part, region.network_rc) for part in parts])

        earlier = wanted[0] if number else None
        for index, output in runner.run("refine", crop.slices, image, progress):
            overlap = earlier.region if earlier is not None and index in earlier.slices else None
            paste_crop(probabilities[index], output, crop.region, overlap)
            done += 1
            progress.stage("refine", done, total)
    return Refined(probabilities, done)
