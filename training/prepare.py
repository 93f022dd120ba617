"""Volumes to pre-processed slices: the images that inference would see, once, with a manifest."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from seru.cascade.preprocessing import preprocess_slice
from seru.errors import BadInputError
from seru.files import replacing
from seru.model.card import ModelCard
from seru.orientation import AxialStack
from seru.records import read_record
from seru.result.sides import find_midline
from training.cases import excluded_cases, list_cases
from training.config import Config
from training.labelled import LabelledCase
from training.steps import Step, digest, file_digest, read_json, write_json


@dataclass(frozen=True)
class PreparedCase:
    """A case as slices: ``images.npy`` and ``labels.npy``, uint8, shape (slices, rows, columns), axial stack.

    Attributes:
        id: the case.
        patient: whose it is.
        folder: name of its folder below ``cases``.
        shape: slices, rows, columns.
        spacing_mm: distance of slices, rows and columns.
        midline: column of the body's middle.
        kidney_slices: slices that show kidney or tumor.
        tumor_slices: slices that show tumor.
        source: fingerprint of what it was read from.
        sha256: of image and label files.
        is_extra: only ever trained on.
    """

    id: str
    patient: str
    folder: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    midline: float
    kidney_slices: tuple[int, ...]
    tumor_slices: tuple[int, ...]
    source: str
    sha256: tuple[str, str]
    is_extra: bool = False


class PreparedData:
    """The prepared cases of a work folder.

    Args:
        folder: of the step ``prepare``.

    Raises:
        BadInputError: it is not there yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        manifest = read_json(folder / "manifest.json")
        if manifest is None:
            raise BadInputError(f"{folder} holds no prepared slices; run 'python -m training prepare' first.")
        self.hash: str = digest(manifest)
        self.cases = {entry["id"]: _case_from(entry) for entry in manifest["cases"]}
        self._open: dict[str, np.ndarray] = {}

    def images(self, case_id: str) -> np.ndarray:
        """Return a case's images: uint8, shape (slices, rows, columns), read from the disk where they are used."""
        return self._array(case_id, "images")

    def labels(self, case_id: str) -> np.ndarray:
        """Return a case's labels: uint8, same shape, 0 background, 1 kidney, 2 tumor."""
        return self._array(case_id, "labels")

    def _array(self, case_id: str, name: str) -> np.ndarray:
        path = self.folder / "cases" / self.cases[case_id].folder / f"{name}.npy"
        if str(path) not in self._open:
            try:
                self._open[str(path)] = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError) as error:
                raise BadInputError(f"{path} cannot be read ({error}); run prepare with --restart.") from error
        return self._open[str(path)]

    def __getstate__(self) -> dict[str, Any]:
        # Processes that prepare batches open the files themselves.
        return {**self.__dict__, "_open": {}}


def prepare_step(config: Config, work: Path) -> Step:
    """Return the step ``prepare``: it depends on the data and on pre-processing."""
    network = config.to_dict()["network"]
    inputs = {key: network[key] for key in ("window", "clahe_clip_limit", "clahe_grid")}
    return Step(work / "prepare", {"data": config.to_dict()["data"], **inputs})


def prepare(config: Config, work: Path, restart: bool = False) -> dict[str, Any]:
    """Prepare every case; those that are prepared already are kept.

    Args:
        config: data and pre-processing.
        work: the work folder.
        restart: delete what other inputs made.

    Returns:
        The step's result: number of cases and slices, and the manifest's hash.

    Raises:
        BadInputError: there are no cases, or one cannot be read.
    """
    step = prepare_step(config, work)
    cases = list_cases(config.data)
    if step.result is not None and step.result["sources"] == _sources(cases):
        return step.result
    step.begin(restart)
    entries = [
        prepare_case(case, config.card(), step.folder / "cases") for case in tqdm(cases, "prepare", disable=None)
    ]
    manifest = {
        "kind": config.data.kind,
        "preprocessing": {key: value for key, value in step.inputs.items() if key != "data"},
        "excluded": excluded_cases(config.data) if config.data.kind != "phantom" else {},
        "cases": [asdict(entry) for entry in entries],
    }
    write_json(step.folder / "manifest.json", manifest)
    data = PreparedData(step.folder)
    slices = sum(entry.shape[0] for entry in entries)
    result = {"cases": len(entries), "slices": slices, "manifest": data.hash, "sources": _sources(cases)}
    return step.finish(result)


def wait_prepared(config: Config, work: Path, seconds: float = 2.0) -> dict[str, Any]:
    """Wait until another process has prepared every case there is.

    Args:
        config: data and pre-processing.
        work: the work folder, on a disk that the processes share.
        seconds: between two looks.

    Returns:
        The step's result.
    """
    step = prepare_step(config, work)
    while True:
        # While the other process still downloads, there are fewer cases than it will prepare.
        result = step.result
        if result is not None and result["sources"] == _sources(list_cases(config.data)):
            return result
        time.sleep(seconds)


def prepare_case(case: LabelledCase, card: ModelCard, folder: Path) -> PreparedCase:
    """Prepare one case, or return it where it is prepared already.

    Args:
        case: what to read.
        card: window and CLAHE.
        folder: the case's own folder is made in it.

    Returns:
        Its entry of the manifest.
    """
    place = folder / case.id
    entry = read_json(place / "case.json")
    if entry is not None and entry["source"] == case.source:
        return _case_from(entry)
    place.mkdir(parents=True, exist_ok=True)
    volume, labels_kji = case.read()
    stack = AxialStack.of(volume)
    labels = np.ascontiguousarray(stack.orientation.to_stack(labels_kji))
    images = np.stack([preprocess_slice(hu, card) for hu in stack.hu])
    for name, array in (("images", images), ("labels", labels)):
        with replacing(place / f"{name}.npy") as file:
            np.save(file, array, allow_pickle=False)
    prepared = PreparedCase(
        id=case.id,
        patient=case.patient,
        folder=case.id,
        shape=images.shape,
        spacing_mm=stack.spacing_mm,
        midline=find_midline(stack.hu),
        kidney_slices=_slices_with(labels, 1),
        tumor_slices=_slices_with(labels, 2),
        source=case.source,
        sha256=(file_digest(place / "images.npy"), file_digest(place / "labels.npy")),
        is_extra=case.is_extra,
    )
    # Written last: a case without it is prepared anew.
    write_json(place / "case.json", asdict(prepared))
    return prepared


def _sources(cases: list[LabelledCase]) -> str:
    return digest([[case.id, case.source] for case in cases])


def _slices_with(labels: np.ndarray, least: int) -> tuple[int, ...]:
    return tuple(np.flatnonzero((labels >= least).any(axis=(1, 2))).tolist())


def _case_from(entry: dict[str, Any]) -> PreparedCase:
    if os.sep in entry["folder"]:
        raise BadInputError("The manifest of the prepared slices is damaged; run prepare with --restart.")
    return read_record(PreparedCase, entry, "The manifest of the prepared slices")
