"""SERU's stages in order: coarse, key slices, refine, fusion.

Source: SERU manuscript, method section; what goes beyond it is a switch of :class:`seru.options.SegmentOptions`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seru.cascade.batches import BatchRunner, MakeImage
from seru.cascade.key_slices import CropBox, KeySlice, find_key_slices, grow_box, paper_box, take_crop
from seru.cascade.preprocessing import neighbours, preprocess_slice, resize_image
from seru.cascade.sparse_pass import KIDNEY_MM2, scout_range
from seru.cascade.stage_grid import coarse_shape, is_foreground, paste_crop, refine_zoom, resize_probabilities
from seru.errors import DeviceError
from seru.findings import RunFacts, SideResult, make_report
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.progress import Progress, Stage
from seru.result.cleanup import clean_labels
from seru.result.fusion import LiveFusion
from seru.result.maps import SURELY_BACKGROUND, Maps
from seru.result.measurements import measure
from seru.result.sides import (
    ISLAND_ML,
    LEFT,
    RIGHT,
    SIDE_CODES,
    SIDES,
    Side,
    assign_sides,
    bounding_box,
    find_midline,
    remove_islands,
)
from seru.volume import Volume

# The refine stage runs this far beyond a side's coarse mask: the coarse stage may miss a pole.
_REFINE_MARGIN_MM = 10.0
# A crop grows for components that hold at least this share of the side's coarse mask, not for islands.
_MAIN_SHARE = 0.05


@dataclass(frozen=True)
class SegmentResult:
    """What a run gives.

    Attributes:
        labels_kji: uint8, shape (K, J, I), the input's own grid: 0 background, 1 kidney, 2 tumor.
        maps: probabilities of both stages; :class:`seru.result.fusion.LiveFusion` fuses them at any alpha.
        report: see ``report.schema.json``.
    """

    labels_kji: np.ndarray
    maps: Maps
    report: dict[str, Any]


def segment(
    volume: Volume, model: Model, options: SegmentOptions | None = None, progress: Progress | None = None
) -> SegmentResult:
    """Find kidneys and kidney tumors in a CT.

    Args:
        volume: the CT, any orientation.
        model: from :func:`seru.model.store.find_model`.
        options: None takes the defaults.
        progress: None is silent.

    Returns:
        Labels, maps and report.

    Raises:
        BadInputError: the grid is sheared or an option is wrong.
        ModelError: the weights are missing or damaged.
        DeviceError: the device failed or the memory is too small.
        CancelledError: the run was cancelled.
    """
    return Segmenter(model, options or SegmentOptions()).segment(volume, progress)


class Segmenter:
    """The cascade with its networks loaded once, for many volumes.

    Args:
        model: card and weights.
        options: how to run.

    Raises:
        DeviceError: the device or the engine is not on this computer.
    """

    def __init__(self, model: Model, options: SegmentOptions) -> None:
        self.model = model
        self.options = options
        self._runner = BatchRunner(model, options)

    def segment(self, volume: Volume, progress: Progress | None = None) -> SegmentResult:
        """Segment one volume; see :func:`segment`."""
        if self._runner.has_fallen_back:
            # One volume that was too large for the device decides nothing for the next.
            self._runner = BatchRunner(self.model, self.options)
        try:
            return _Run(volume, self.model, self.options, self._runner, progress or Progress()).run()
        except MemoryError as error:
            raise DeviceError("The computer has too little memory for this volume; close other programs.") from error


class _Run:
    """One volume on its way through the stages; everything is in the axial stack until the end."""

    def __init__(
        self, volume: Volume, model: Model, options: SegmentOptions, runner: BatchRunner, progress: Progress
    ) -> None:
        self.volume, self.model, self.options, self.runner = volume, model, options, runner
        self.progress = _Recorder(progress)
        self.alpha = model.card.alpha if options.alpha is None else options.alpha
        self.stack = AxialStack.of(volume)
        self.shape = self.stack.hu.shape
        # Pages of these arrays cost memory only once written: slices outside the range never are.
        self.images = np.zeros(self.shape, np.uint8)
        self.is_prepared = np.zeros(self.shape[0], bool)
        self.coarse = np.zeros((self.shape[0], 2, *self.shape[1:]), np.uint8)
        self.coarse_done = self.refine_done = 0
        self.coarse_seen: set[int] = set()
        self.found: dict[Side, SideResult | None] = dict.fromkeys(SIDES)

    def run(self) -> SegmentResult:
        with self.progress.timed("preprocess"):
            self.midline = find_midline(self.stack.hu)
            self.progress.stage("preprocess", 1, 1)
        with self.progress.timed("coarse"):
            self.coarse_range = self._run_coarse()
        with self.progress.timed("key_slices"):
            self._find_sides()
        with self.progress.timed("refine"):
            refined = self._run_refine()
        with self.progress.timed("fuse"):
            maps = self._make_maps(refined)
            labels, sides = LiveFusion(maps).box_labels(self.alpha), maps.side_box()
            labels = clean_labels(labels, sides, self.stack.grid.voxel_ml, self.options.postprocessing)
            measured = measure(labels, sides, self.volume.grid.spacing_ijk_mm)
            self.progress.stage("fuse", 1, 1)
        return self._result(maps, labels, measured)

    # Coarse stage

    def _run_coarse(self) -> range:
        """Fill ``coarse``; return the slices that count."""
        slices = self.shape[0]
        if self.options.all_slices:
            self._find_areas(range(slices))
            return range(slices)
        kept = scout_range(self._find_areas, slices, self.stack.spacing_mm[0])
        left_out = 0
        for index in self.coarse_seen.difference(kept):
            # Of whatever it is, only this slice was looked at.
            left_out += int(self._area_mm2(index) >= KIDNEY_MM2)
            self.coarse[index] = 0
        if left_out:
            self.progress.warning(
                f"What looks like kidney far from the kidneys was left out ({left_out} of the slices looked at); "
                "run all slices to see it."
            )
        return kept

    def _area_mm2(self, index: int) -> float:
        return float(is_foreground(self.coarse[index]).sum() * self.stack.pixel_mm2)

    def _find_areas(self, indices: Sequence[int]) -> np.ndarray:
        shape_rc = coarse_shape(self.shape[1:], self.stack.spacing_mm[1:], self.model.card)
        total = self.coarse_done + len(indices)
        areas = []

        def image(index: int) -> np.ndarray:
            return np.stack([resize_image(channel, shape_rc) for channel in self._channels(index)])

        for index, output in self.runner.run("coarse", indices, image, self.progress):
            self.coarse[index] = resize_probabilities(output, self.shape[1:])
            areas.append(self._area_mm2(index))
            self.coarse_seen.add(index)
            self.coarse_done += 1
            self.progress.stage("coarse", self.coarse_done, total)
        return np.asarray(areas, np.float64)

    # Key slices and crops

    def _find_sides(self) -> None:
        kept = slice(self.coarse_range.start, self.coarse_range.stop)
        mask = remove_islands(is_foreground(self.coarse[kept]), self.stack.grid.voxel_ml, self._island_ml())
        sides = assign_sides(mask, self.midline, self.stack.grid.voxel_ml)
        for side, key_slice in find_key_slices(sides).items():
            if key_slice is not None:
                key_slice = replace(key_slice, index=key_slice.index + kept.start)
                self.found[side] = self._make_crop(key_slice, sides == SIDE_CODES[side], kept.start)
        if not any(self.found.values()):
            self.progress.warning("No kidney was found; check that the scan shows the abdomen.")
        self.progress.stage("key_slices", 1, 1)

    def _island_ml(self) -> float:
        """A stack of a few slices shows less of a kidney: 2 cm2 on each of them are enough."""
        return min(ISLAND_ML, 0.2 * self.stack.spacing_mm[0] * self.shape[0])

    def _make_crop(self, key_slice: KeySlice, mask: np.ndarray, first_slice: int) -> SideResult:
        zoom = refine_zoom(self.stack.spacing_mm[1:], self.model.card)
        box = paper_box(key_slice.centre_rc, self.model.card.crop_size, zoom, self.shape[1:])
        main_ml = _MAIN_SHARE * np.count_nonzero(mask) * self.stack.grid.voxel_ml
        larger = grow_box(box, remove_islands(mask, self.stack.grid.voxel_ml, main_ml), zoom)
        if larger.grown:
            self.progress.warning(_crop_warning(key_slice.side, larger, self.model.card.crop_size, self.options.crop))
            box = larger if self.options.crop == "grow" else box
        if self.options.all_slices:
            return SideResult(key_slice, box, range(self.shape[0]))
        extent = bounding_box(mask)[0]
        margin = int(np.ceil(_REFINE_MARGIN_MM / self.stack.spacing_mm[0]))
        low, high = extent.start + first_slice - margin, extent.stop + first_slice + margin
        return SideResult(key_slice, box, range(max(low, 0), min(high, self.shape[0])))

    # Refine stage

    def _run_refine(self) -> np.ndarray:
        """Return the refined probabilities; outside the crops those of the coarse stage stand."""
        results = [result for result in self.found.values() if result is not None]
        total = sum(len(result.slices) for result in results)
        refined = self.coarse.copy() if results else self.coarse
        self.progress.stage("refine", 0, total)
        for number, result in enumerate(results):
            earlier = results[0] if number else None
            images = self._crop_images(result.box)
            for index, output in self.runner.run("refine", result.slices, images, self.progress):
                overlap = earlier.box if earlier is not None and index in earlier.slices else None
                paste_crop(refined[index], output, result.box, overlap)
                self.refine_done += 1
                self.progress.stage("refine", self.refine_done, total)
        return refined

    def _crop_images(self, box: CropBox) -> MakeImage:
        def image(index: int) -> np.ndarray:
            crops = (take_crop(channel, box.origin_rc, box.size_rc) for channel in self._channels(index))
            return np.stack([resize_image(crop, box.network_rc) for crop in crops])

        return image

    def _channels(self, index: int) -> np.ndarray:
        """The pre-processed slice, or it with its neighbours: uint8, shape (1 or 3, rows, columns)."""
        if self.model.card.input_slices == 1:
            return self._image(index)[np.newaxis]
        return np.stack([self._image(near) for near in neighbours(index, self.shape[0])])

    def _image(self, index: int) -> np.ndarray:
        # Two threads may prepare the same slice at once; they write the same.
        if not self.is_prepared[index]:
            self.images[index] = preprocess_slice(self.stack.hu[index], self.model.card)
            self.is_prepared[index] = True
        return self.images[index]

    # Fusion

    def _result(self, maps: Maps, labels: np.ndarray, measured: dict[Side, dict[str, float]]) -> SegmentResult:
        report = make_report(
            RunFacts(
                volume=self.volume,
                stack=self.stack,
                card=self.model.card,
                options=self.options,
                alpha=self.alpha,
                engine=self.runner.engine.name,
                device=self.runner.engine.device,
                found=self.found,
                measured=measured,
                slices={"total": self.shape[0], "coarse": self.coarse_done, "refined": self.refine_done},
                seconds=self.progress.seconds,
                warnings=self.progress.warnings,
            )
        )
        whole = np.zeros(self.volume.array_kji.shape, np.uint8)
        whole[maps.box_slices] = labels
        return SegmentResult(whole, replace(maps, report=report), report)

    def _make_maps(self, refined: np.ndarray) -> Maps:
        """Keep the voxels that are not surely background, on the input's own axes."""
        stored = np.zeros(self.shape, bool)
        for index in range(self.shape[0]):
            # Each sum is at most 255: it stays in 8 bits.
            sums = (stage[index, 0] + stage[index, 1] for stage in (self.coarse, refined))
            np.greater(np.maximum(*sums), SURELY_BACKGROUND, out=stored[index])
        del self.images  # a large scan needs the room
        box = bounding_box(stored) or (slice(0, 0),) * 3
        mask, to_input = stored[box], self.stack.orientation.from_stack
        parts = {"coarse": self.coarse[box[0], :, box[1], box[2]], "refined": refined[box[0], :, box[1], box[2]]}
        sides = self._stored_sides(mask, is_foreground(parts["coarse"]) | is_foreground(parts["refined"]), box)
        mask_kji = np.ascontiguousarray(to_input(mask))
        probabilities = {
            name: np.stack([to_input(part[:, channel])[mask_kji] for channel in range(2)], axis=1)
            for name, part in parts.items()
        }
        return Maps(
            shape_kji=self.volume.array_kji.shape,
            ijk_to_ras=self.volume.grid.ijk_to_ras,
            alpha=self.alpha,
            report={},
            lower_kji=self.stack.orientation.lower_kji(box, self.shape),
            mask=mask_kji,
            sides=to_input(sides)[mask_kji],
            **probabilities,
        )

    def _stored_sides(self, mask: np.ndarray, foreground: np.ndarray, box: tuple[slice, slice, slice]) -> np.ndarray:
        midline = self.midline - box[2].start
        sides = assign_sides(foreground, midline, self.stack.grid.voxel_ml)
        # What is background at both ends is background at every alpha: which side it gets is of no consequence.
        halves = np.where(np.arange(mask.shape[2]) < midline, np.uint8(RIGHT), np.uint8(LEFT))
        return np.where(mask & (sides == 0), halves, sides)


class _Recorder(Progress):
    """Passes progress on and keeps what the report needs."""

    def __init__(self, target: Progress) -> None:
        super().__init__()
        self._target = target
        self.seconds: dict[str, float] = {}
        self.warnings: list[str] = []
        self.stage = target.stage
        self.check_cancelled = target.check_cancelled

    def warning(self, message: str) -> None:
        self.warnings.append(message)
        self._target.warning(message)

    @contextmanager
    def timed(self, name: Stage) -> Iterator[None]:
        """Time a stage; cancelling is noticed at its start."""
        self.check_cancelled()
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def _crop_warning(side: Side, larger: CropBox, crop_size: int, rule: str) -> str:
    leaves = f"The {side} kidney leaves its {crop_size}x{crop_size} crop"
    if rule == "grow":
        if larger.network_rc == (crop_size, crop_size):
            return f"{leaves}; the crop moved to hold it."
        return f"{leaves}; the crop grew to {larger.network_rc[0]}x{larger.network_rc[1]}."
    return f"{leaves}; outside it the coarse result stands."
