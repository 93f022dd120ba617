"""One CT that stays: its sides can be refined again, in other boxes.

The stage functions are those of any run, and a side whose crop is still the same is not run again. So the result after
any change of boxes is that of a whole run with these boxes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from seru.cascade.batches import BatchRunner
from seru.cascade.refine import Arrived, Refined, run_refine
from seru.cascade.stages import Looked, SegmentResult, choose_crops, conclude
from seru.findings import Index, Side
from seru.options import SegmentOptions
from seru.progress import RunRecord
from seru.volume import Volume


@dataclass(frozen=True, eq=False)
class RefinedPart:
    """Some slices of a side that was refined just now, on the input's own grid.

    Attributes:
        side: the patient's.
        stack_axis: of the slices: 0 = i, 1 = j, 2 = k.
        ijk_min: first voxel of the part: the slices, and in the plane what the side's old and new crops cover.
        ijk_max: last voxel, inside the part.
        coarse: uint8, shape (K, J, I, 2): kidney and tumor probability times 255.
        refined: likewise, as in the maps.
    """

    side: Side
    stack_axis: int
    ijk_min: Index
    ijk_max: Index
    coarse: np.ndarray
    refined: np.ndarray


class LiveScan:
    """A CT that the coarse stage has seen, and its last result.

    Args:
        looked: the CT.

    Attributes:
        options: of the last result; only boxes and what is of the result may change.
    """

    def __init__(self, looked: Looked) -> None:
        self.options = looked.options
        self._looked, self._crops, self._refined = looked, looked.found, Refined({})

    @property
    def volume(self) -> Volume:
        """The CT."""
        return self._looked.volume

    def read_from(self, volume: Volume) -> LiveScan:
        """Return the scan as read from other files; this one stays as it is.

        Args:
            volume: of the same voxels on the same grid.
        """
        other = LiveScan(self._looked.read_from(volume))
        other.options, other._crops, other._refined = self.options, self._crops, self._refined
        return other

    def refine(
        self, options: SegmentOptions, runner: BatchRunner, record: RunRecord
    ) -> Generator[PartMaker, None, None]:
        """Refine each side whose crop is another one than the last time; before the end nothing changes.

        Args:
            options: with the boxes.
            runner: runs the network.
            record: of the run.

        Yields:
            What makes the part that has just arrived, outward from each key slice.

        Raises:
            BadInputError: a box lies outside the CT.
            CancelledError: the run was cancelled.
            DeviceError: the device failed, or there is too little memory.
        """
        self._take_up(record)
        crops = choose_crops(self._looked, options.boxes, record)
        arriving = run_refine(self._looked.images(), crops, runner, record, self._refined)
        while True:
            try:
                arrived = next(arriving)
            except StopIteration as end:
                refined = end.value
                break
            yield PartMaker(self, arrived)
        self.options, self._crops, self._refined = options, crops, refined

    def close(self) -> None:
        """Give the pre-processed slices up. No side can be refined any more."""
        self._looked = self._looked.without_images()

    def result(self, runner: BatchRunner, record: RunRecord) -> SegmentResult:
        """Fuse and measure, as :func:`seru.cascade.stages.conclude`.

        Args:
            runner: that ran.
            record: of the run, for the report.

        Returns:
            Labels, maps and report.
        """
        return conclude(self._looked, self._crops, self._refined, self.options, runner, record)

    def part(self, arrived: Arrived) -> RefinedPart:
        """Return some slices of a side that is being refined.

        Args:
            arrived: which.

        Returns:
            The part, over what the side's crop covers and covered before.
        """
        stack, slices, refined = self._looked.stack, arrived.slices, arrived.refined
        shape = stack.hu.shape
        crops = [refined.crop(arrived.side), self._crops.by_side[arrived.side]]
        places = [crop.region.inside(shape[1:]) for crop in crops if crop is not None]
        rows, columns = (
            slice(min(part.start for part in parts), max(part.stop for part in parts))
            for parts in zip(*places, strict=True)
        )
        box = slices, range(rows.start, rows.stop), range(columns.start, columns.stop)
        low, high = stack.orientation.ijk_of_box(box, shape)
        coarse = self._looked.coarse.probabilities
        whole = np.stack([refined.slice_over(coarse, index)[:, rows, columns] for index in slices])
        return RefinedPart(
            side=arrived.side,
            stack_axis=stack.orientation.stack_axis_ijk,
            ijk_min=low,
            ijk_max=high,
            coarse=self._on_input(coarse[slices.start : slices.stop, :, rows, columns]),
            refined=self._on_input(whole),
        )

    def _take_up(self, record: RunRecord) -> None:
        """Let a later request's record begin with what the first one told."""
        record.warn_of(warning for warning in self._looked.warnings if warning not in record.warnings)
        for stage, seconds in self._looked.seconds.items():
            record.seconds.setdefault(stage, seconds)

    def _on_input(self, probabilities: np.ndarray) -> np.ndarray:
        orientation = self._looked.stack.orientation
        return np.stack([orientation.from_stack(probabilities[:, n]) for n in range(2)], axis=-1)


@dataclass(frozen=True, eq=False)
class PartMaker:
    """What has just arrived: nothing is worked out for those who do not ask.

    Attributes:
        scan: of the side.
        arrived: which slices.
    """

    scan: LiveScan
    arrived: Arrived

    @property
    def side(self) -> Side:
        """The patient's side that is refined."""
        return self.arrived.side

    def make(self) -> RefinedPart:
        """Return the part, as it is now."""
        return self.scan.part(self.arrived)
