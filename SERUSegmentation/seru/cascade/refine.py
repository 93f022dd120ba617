"""The refine stage: the network on the crop of each side, outward from its key slice.

Each side's crops are kept as the network gave them; any slice is put together from the coarse stage and both sides. So
one side can be run again alone, and the result is that of a whole run.

Source: SERU manuscript, refine stage; where two crops overlap the average stands (our rule).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.crops import Crops, SideCrop, paste_crop, take_crop
from seru.cascade.preprocessing import Prepared, resize_image
from seru.findings import SIDES, Side
from seru.progress import Progress, RunRecord
from seru.threads import in_threads

# So many neighbouring slices are told of together while a side is refined: few come soon, many cost less a slice.
_BLOCK = 2


@dataclass(frozen=True, eq=False)
class RefinedCrop:
    """What the refine stage gave on one side.

    Attributes:
        crop: where it ran.
        probabilities: uint8, shape (slices, 2, H, W), of the crop's slices, as the network gave them.
    """

    crop: SideCrop
    probabilities: np.ndarray

    @classmethod
    def empty(cls, crop: SideCrop) -> RefinedCrop:
        """Return a crop that is still to be run: all zeros."""
        return cls(crop, np.zeros((len(crop.slices), 2, *crop.region.network_rc), np.uint8))

    def run(self, prepared: Prepared, runner: BatchRunner, progress: Progress) -> Generator[range, None, None]:
        """Run the refine stage, outward from the key slice.

        Args:
            prepared: the scan.
            runner: runs the network.
            progress: asked whether to stop.

        Yields:
            Neighbouring slices of the stack whose probabilities are there now.

        Raises:
            CancelledError: the run was cancelled.
            DeviceError: the device failed, or there is too little memory.
        """
        region, slices = self.crop.region, self.crop.slices

        def image(index: int) -> np.ndarray:
            parts = (take_crop(channel, region.origin_rc, region.size_rc) for channel in prepared.channels(index))
            return np.stack([resize_image(part, region.network_rc) for part in parts])

        blocks = list(outward(slices, self.crop.key.index))
        with closing(runner.run("refine", list(chain.from_iterable(blocks)), image, progress)) as outputs:
            for block in blocks:
                for index, output in islice(outputs, len(block)):
                    self.probabilities[index - slices.start] = output
                yield block


@dataclass(frozen=True)
class Refined:
    """What the refine stage gave on both sides; None for a side without a crop."""

    by_side: Mapping[Side, RefinedCrop | None]

    @property
    def passes(self) -> int:
        """Number of crops that the network saw."""
        return sum(len(side.crop.slices) for side in self._sides())

    def crop(self, side: Side) -> SideCrop | None:
        """Return where a side was refined; None where it was not."""
        refined = self.by_side.get(side)
        return None if refined is None else refined.crop

    def slices_over(self, slices: range) -> range:
        """Return the slices from the first to the last that either stage has a result for.

        Args:
            slices: that the coarse stage's result lies on.
        """
        ranges = [slices, *(side.crop.slices for side in self._sides())]
        return range(min(part.start for part in ranges), max(part.stop for part in ranges))

    def over(self, coarse: np.ndarray, slices: range) -> np.ndarray:
        """Return the probabilities of the whole stack.

        Args:
            coarse: uint8, shape (slices, 2, rows, columns).
            slices: that any of it lies on, from :meth:`slices_over`.

        Returns:
            Same shape; outside the crops those of the coarse stage.
        """
        if not self._sides():
            return coarse
        # Pages of this array cost memory only once written: other slices never are.
        whole = np.zeros(coarse.shape, coarse.dtype)

        def fill(index: int) -> None:
            whole[index] = coarse[index]
            self._paste(whole[index], index)

        in_threads(fill, slices)
        return whole

    def slice_over(self, coarse: np.ndarray, index: int) -> np.ndarray:
        """Return the probabilities of one slice.

        Args:
            coarse: of the whole stack, as for :meth:`over`.
            index: of the slice.

        Returns:
            uint8, shape (2, rows, columns), a new array.
        """
        target = coarse[index].copy()
        self._paste(target, index)
        return target

    def _paste(self, target: np.ndarray, index: int) -> None:
        earlier = None
        for side in self._sides():
            slices, region = side.crop.slices, side.crop.region
            if index in slices:
                paste_crop(target, side.probabilities[index - slices.start], region, earlier)
                earlier = region

    def _sides(self) -> list[RefinedCrop]:
        return [crop for side in SIDES if (crop := self.by_side.get(side)) is not None]


@dataclass(frozen=True, eq=False)
class Arrived:
    """Some slices of a side that the refine stage has just given.

    Attributes:
        refined: so far.
        side: that is refined.
        slices: of the stack, neighbours.
    """

    refined: Refined
    side: Side
    slices: range


def run_refine(
    prepared: Prepared, crops: Crops, runner: BatchRunner, progress: RunRecord, last: Refined | None = None
) -> Generator[Arrived, None, Refined]:
    """Run the refine stage on both sides.

    Args:
        prepared: the scan.
        crops: of both sides.
        runner: runs the network.
        progress: told of the stage ``refine``, and asked whether to stop.
        last: of the same scan; a side whose crop is the same is taken from it.

    Yields:
        What has just arrived, outward from each key slice.

    Returns:
        What both sides gave.

    Raises:
        CancelledError: the run was cancelled.
        DeviceError: the device failed, or there is too little memory.
    """
    before = {} if last is None else last.by_side
    with progress.timed("refine"):
        refined: dict[Side, RefinedCrop | None] = {
            side: kept for side in SIDES if (kept := before.get(side)) and kept.crop == crops.by_side[side]
        }
        wanted = [(side, crop) for side in SIDES if (crop := crops.by_side[side]) and side not in refined]
        done, total = 0, sum(len(crop.slices) for _, crop in wanted)
        progress.stage("refine", done, total)
        for side, crop in wanted:
            refined[side] = new = RefinedCrop.empty(crop)
            for slices in new.run(prepared, runner, progress):
                for _ in slices:
                    done += 1
                    progress.stage("refine", done, total)
                yield Arrived(Refined(refined), side, slices)
    return Refined(refined)


def outward(slices: range, key: int) -> Iterator[range]:
    """Divide slices into blocks of neighbours, in turn above and below the key slice, the nearest first.

    Args:
        slices: of the stack.
        key: of them; where it lies outside, its nearest one stands for it.

    Yields:
        Blocks of ascending slices.
    """
    middle = min(max(key, slices.start), slices.stop - 1)
    above = (range(first, min(first + _BLOCK, slices.stop)) for first in range(middle, slices.stop, _BLOCK))
    below = (range(max(last - _BLOCK, slices.start), last) for last in range(middle, slices.start, -_BLOCK))
    return (block for pair in zip_longest(above, below) for block in pair if block is not None)
