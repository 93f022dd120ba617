"""The crops that the refine stage is trained on: from the coarse model's own predictions, as the paper says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from seru.cascade.batches import BatchRunner
from seru.cascade.coarse import run_coarse
from seru.cascade.crops import find_crops
from seru.cascade.preprocessing import Prepared
from seru.errors import BadInputError
from seru.findings import SIDES, Side
from seru.model.card import ModelCard
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.records import read_record
from training.config import Config
from training.partial import shows_kidney
from training.prepare import PreparedCase, PreparedData, equalised
from training.steps import Step, read_json, write_json


@dataclass(frozen=True)
class RecordedCrop:
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
class CaseCrops:
    """The crops of one case; None for a side without a kidney."""

    case: str
    sides: dict[str, RecordedCrop | None]


def crops_step(config: Config, work: Path, data: PreparedData, coarse: dict[str, Any] | None) -> Step:
    """Return the step ``crops``: it depends on the slices, the coarse weights and the switch."""
    network = config.to_dict()["network"]
    named = ("coarse_size", "in_plane_spacing_mm", "input_slices", "clahe_clip_limit", "clahe_grid")
    inputs = {key: network[key] for key in named}
    weights = None if coarse is None else coarse["weights"]
    return Step(work / "crops", {**config.to_dict()["crops"], **inputs, "manifest": data.hash, "coarse": weights})


def make_crops(
    config: Config, step: Step, data: PreparedData, model: Model | None, restart: bool = False
) -> dict[str, Any]:
    """Find the crops of every case; those that are found already are kept.

    Args:
        config: where the crops come from.
        step: from :func:`crops_step`.
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
    finder = _CropFinder(config, data, model)
    missed: list[str] = []
    found = 0
    for case in tqdm(data.cases.values(), "crops", disable=None):
        path = step.folder / f"{case.id}.json"
        record = read_json(path)
        if record is None:
            crops, lost = finder.find(case)
            record = {**asdict(crops), "missed": lost}
            write_json(path, record)
        found += sum(side is not None for side in record["sides"].values())
        missed += [f"{case.id} {side}" for side in record["missed"]]
    if not found:
        raise BadInputError(
            "The coarse model finds no kidney in any case; train it longer, or set crops.fall_back_to_labels."
        )
    if missed:
        print(f"crops: the coarse model missed {len(missed)} kidney sides ({', '.join(missed[:5])} ...)", flush=True)
    return step.finish({"crops": found, "missed": missed})


def read_crops(folder: Path, data: PreparedData) -> dict[str, CaseCrops]:
    """Read the crops of every case.

    Args:
        folder: of the step ``crops``.
        data: prepared cases.

    Returns:
        Crops by case.
    """
    result = {}
    for case in data.cases:
        sides = read_json(folder / f"{case}.json")["sides"]
        result[case] = CaseCrops(case, {name: _recorded(side) for name, side in sides.items()})
    return result


def record_crops(mask: np.ndarray, prepared: Prepared, card: ModelCard, case: str, source: str) -> CaseCrops:
    """Find key slices and crops on a mask, as the cascade does.

    Args:
        mask: bool, axial stack (slices, rows, columns): kidney or tumor.
        prepared: the case.
        card: size of the crop.
        case: name of the case.
        source: what the mask is, for the record.

    Returns:
        The crops.
    """
    crops = find_crops(mask, prepared, card, SegmentOptions(crop="paper"))
    return CaseCrops(
        case,
        {
            side: None
            if crop is None
            else RecordedCrop(crop.key.centre_rc, crop.key.index, (crop.slices.start, crop.slices.stop), source)
            for side, crop in crops.by_side.items()
        },
    )


class _CropFinder:
    def __init__(self, config: Config, data: PreparedData, model: Model | None) -> None:
        self._config, self._data, self._card = config, data, config.card()
        self._runner = None if model is None else BatchRunner(model, replace(config.inference, mirror=False))

    def find(self, case: PreparedCase) -> tuple[CaseCrops, list[Side]]:
        """Return the crops of a case, and the sides that only the labels show."""
        prepared = self._prepared(case)
        truth = record_crops(
            shows_kidney(np.asarray(self._data.labels(case.id))), prepared, self._card, case.id, "labels"
        )
        if self._runner is None:
            return truth, []
        mask = run_coarse(prepared, self._runner, SegmentOptions(all_slices=True), Progress()).mask()
        crops = record_crops(mask, prepared, self._card, case.id, "coarse")
        lost = [side for side in SIDES if crops.sides[side] is None and truth.sides[side] is not None]
        if self._config.crops.fall_back_to_labels:
            crops.sides.update({side: truth.sides[side] for side in lost})
        return crops, lost

    def _prepared(self, case: PreparedCase) -> Prepared:
        def channels(index: int) -> np.ndarray:
            return equalised(self._data.channels(case.id, index, self._card), self._card)

        return Prepared(channels, case.shape, case.spacing_mm, case.midline)


def _recorded(values: dict[str, Any] | None) -> RecordedCrop | None:
    return None if values is None else read_record(RecordedCrop, values, "The record of a crop")
