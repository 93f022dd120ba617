"""The crops that the refine stage is trained on: from the coarse model's own predictions, as the paper says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from seru.cascade.batches import BatchRunner
from seru.cascade.key_slices import find_key_slices
from seru.cascade.preprocessing import network_channels, resize_image
from seru.cascade.stage_grid import coarse_shape, is_foreground, resize_probabilities
from seru.errors import BadInputError
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.result.sides import ISLAND_ML, SIDE_CODES, SIDES, assign_sides, bounding_box, remove_islands
from training.config import Config
from training.prepare import PreparedCase, PreparedData
from training.steps import Step, read_json, write_json

# As far as the cascade refines beyond a side's coarse mask.
_MARGIN_MM = 10.0


@dataclass(frozen=True)
class SidePatch:
    """The crop of one side.

    Attributes:
        centre_rc: centre of the key slice's contour, in pixels of the prepared slices.
        key_slice: its slice.
        slices: first slice to refine, and the one after the last.
        source: ``coarse`` or ``labels``.
    """

    centre_rc: tuple[float, float]
    key_slice: int
    slices: tuple[int, int]
    source: str


@dataclass(frozen=True)
class CasePatches:
    """The crops of one case; None for a side without a kidney."""

    case: str
    sides: dict[str, SidePatch | None]


def patches_step(config: Config, work: Path, data: PreparedData, coarse: dict[str, Any] | None) -> Step:
    """Return the step ``patches``: it depends on the slices, the coarse weights and the switch."""
    network = config.to_dict()["network"]
    inputs = {key: network[key] for key in ("coarse_size", "in_plane_spacing_mm", "input_slices")}
    weights = None if coarse is None else coarse["weights"]
    return Step(work / "patches", {**config.to_dict()["patches"], **inputs, "manifest": data.hash, "coarse": weights})


def make_patches(
    config: Config, step: Step, data: PreparedData, model: Model | None, restart: bool = False
) -> dict[str, Any]:
    """Find the crops of every case; those that are found already are kept.

    Args:
        config: where the crops come from.
        step: from :func:`patches_step`.
        data: prepared cases.
        model: the coarse model; not looked at where the labels decide.
        restart: delete what other inputs made.

    Returns:
        The step's result: crops found, and the sides that labels show but the coarse model missed.

    Raises:
        BadInputError: no case has any crop.
    """
    if step.result is not None:
        return step.result
    step.begin(restart)
    finder = _PatchFinder(config, data, model)
    missed: list[str] = []
    found = 0
    for case in tqdm(data.cases.values(), "patches", disable=None):
        path = step.folder / f"{case.id}.json"
        record = read_json(path)
        if record is None:
            patches, lost = finder.find(case)
            record = {**asdict(patches), "missed": lost}
            write_json(path, record)
        found += sum(side is not None for side in record["sides"].values())
        missed += [f"{case.id} {side}" for side in record["missed"]]
    if not found:
        raise BadInputError(
            "The coarse model finds no kidney in any case; train it longer, or set patches.fall_back_to_labels."
        )
    if missed:
        print(f"patches: the coarse model missed {len(missed)} kidney sides ({', '.join(missed[:5])} ...)", flush=True)
    return step.finish({"crops": found, "missed": missed})


def read_patches(folder: Path, data: PreparedData) -> dict[str, CasePatches]:
    """Read the crops of every case.

    Args:
        folder: of the step ``patches``.
        data: prepared cases.

    Returns:
        Crops by case.
    """
    result = {}
    for case in data.cases:
        sides = read_json(folder / f"{case}.json")["sides"]
        result[case] = CasePatches(case, {name: _side_from(side) for name, side in sides.items()})
    return result


def find_patches(mask: np.ndarray, case: PreparedCase, source: str) -> CasePatches:
    """Find key slices and crops on a mask, by the cascade's own rules.

    Args:
        mask: bool, axial stack (slices, rows, columns): kidney or tumor.
        case: its spacing and midline.
        source: what the mask is, for the record.

    Returns:
        The crops.
    """
    voxel_ml = float(np.prod(case.spacing_mm)) / 1000
    slice_mm = case.spacing_mm[0]
    mask = remove_islands(mask, voxel_ml, min(ISLAND_ML, 0.2 * slice_mm * case.shape[0]))
    sides = assign_sides(mask, case.midline, voxel_ml)
    patches: dict[str, SidePatch | None] = dict.fromkeys(SIDES)
    margin = int(np.ceil(_MARGIN_MM / slice_mm))
    for side, key in find_key_slices(sides).items():
        if key is not None:
            extent = bounding_box(sides == SIDE_CODES[side])[0]
            slices = max(extent.start - margin, 0), min(extent.stop + margin, case.shape[0])
            patches[side] = SidePatch(key.centre_rc, key.index, slices, source)
    return CasePatches(case.id, patches)


class _PatchFinder:
    def __init__(self, config: Config, data: PreparedData, model: Model | None) -> None:
        self._config, self._data, self._card = config, data, config.card()
        self._runner = None
        if config.patches.source == "coarse":
            run = config.inference
            options = SegmentOptions(device=run.device, engine=run.engine, threads=run.threads)
            self._runner = BatchRunner(model, options)

    def find(self, case: PreparedCase) -> tuple[CasePatches, list[str]]:
        """Return the crops of a case, and the sides that only the labels show."""
        truth = find_patches(np.asarray(self._data.labels(case.id)) > 0, case, "labels")
        if self._runner is None:
            return truth, []
        patches = find_patches(self._coarse_mask(case), case, "coarse")
        lost = [side for side in SIDES if patches.sides[side] is None and truth.sides[side] is not None]
        if self._config.patches.fall_back_to_labels:
            patches.sides.update({side: truth.sides[side] for side in lost})
        return patches, lost

    def _coarse_mask(self, case: PreparedCase) -> np.ndarray:
        images, slices = self._data.images(case.id), range(case.shape[0])
        shape_rc = coarse_shape(case.shape[1:], case.spacing_mm[1:], self._card)

        def image(index: int) -> np.ndarray:
            channels = network_channels(images, index, self._card.input_slices)
            channels = channels if self._card.input_slices == 3 else channels[:1]
            return np.stack([resize_image(np.ascontiguousarray(channel), shape_rc) for channel in channels])

        mask = np.zeros(case.shape, bool)
        for index, output in self._runner.run("coarse", slices, image, Progress()):
            mask[index] = is_foreground(resize_probabilities(output, case.shape[1:]))
        return mask


def _side_from(values: dict[str, Any] | None) -> SidePatch | None:
    return (
        None if values is None else SidePatch(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    )
