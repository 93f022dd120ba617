"""Volumes to windowed 8-bit slices, once, with a manifest; CLAHE follows where they are used."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from seru.cascade.preprocessing import apply_clahe, neighbours
from seru.errors import BadInputError
from seru.files import replacing
from seru.hounsfield import window_to_uint8
from seru.model.card import ModelCard
from seru.orientation import AxialStack
from seru.records import read_record
from seru.result.sides import find_midline
from training.cases import excluded_cases, list_cases
from training.config import Config
from training.labelled import Knowledge, LabelledCase
from training.partial import partial_labels, shows_kidney, shows_tumor
from training.pseudo import pseudo_step, read_teacher, said_by_teacher
from training.steps import Step, digest, file_digest, read_json, write_json


@dataclass(frozen=True)
class PreparedCase:
    """A case as slices: ``images.npy`` and ``labels.npy``, uint8, shape (slices, rows, columns), axial stack.

    The images are windowed; the labels partial (:mod:`training.partial`).

    Attributes:
        id: the case.
        patient: whose it is.
        folder: name of its folder below ``cases``.
        shape: slices, rows, columns.
        spacing_mm: distance of slices, rows and columns.
        midline: column of the body's middle.
        kidney_slices: slices that show kidney or tumor for sure.
        tumor_slices: slices that show tumor for sure.
        source: fingerprint of what it was read from.
        sha256: of image and label files.
        is_extra: only ever trained on.
        knowledge: what the labels say.
        dataset: name of the folder that it comes from.
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
    knowledge: Knowledge = "everything"
    dataset: str = ""


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
        """Return a case's windowed images: uint8, shape (slices, rows, columns), read from the disk where they are
        used.
        """
        return self._array(case_id, "images")

    def channels(self, case_id: str, index: int, card: ModelCard) -> np.ndarray:
        """Return a slice with its neighbours where the network takes them: uint8, shape (1 or 3, rows, columns)."""
        images = self.images(case_id)
        wanted = neighbours(index, len(images)) if card.input_slices == 3 else (index,)
        return np.ascontiguousarray(images[list(wanted)])

    def labels(self, case_id: str) -> np.ndarray:
        """Return a case's labels: uint8, same shape, partial (:mod:`training.partial`)."""
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
    """Return the step ``prepare``: it depends on the data, on the window, and on what the teacher said."""
    options = config.to_dict()
    believed = {key: options["pseudo"][key] for key in ("sure", "blind_on")}
    inputs = {"data": options["data"], "window": options["network"]["window"], **believed}
    return Step(work / "prepare", {**inputs, "pseudo": said_by_teacher(config, work)})


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
    if step.inputs["pseudo"] is None:
        raise BadInputError("The step 'pseudo' is not done with this config; run it first, or run 'all'.")
    step.begin(restart)
    teacher = pseudo_step(config, work).folder
    entries = [
        prepare_case(case, config, step.folder / "cases", read_teacher(teacher, case))
        for case in tqdm(cases, "prepare", disable=None)
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
    while True:
        # While the other process still downloads, there are fewer cases than it will prepare.
        result = prepare_step(config, work).result
        if result is not None and result["sources"] == _sources(list_cases(config.data)):
            return result
        time.sleep(seconds)


def prepare_case(case: LabelledCase, config: Config, folder: Path, teacher: np.ndarray | None = None) -> PreparedCase:
    """Prepare one case, or return it where it is prepared already.

    Args:
        case: what to read.
        config: the window, and when the teacher is sure.
        folder: the case's own folder is made in it.
        teacher: probability of kidney or tumor times 255, uint8, on the volume's own grid; None where there is none.

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
    pseudo = config.pseudo
    labels_kji = partial_labels(labels_kji, case.knowledge, teacher, pseudo.sure, case.dataset in pseudo.blind_on)
    labels = np.ascontiguousarray(stack.orientation.to_stack(labels_kji))
    images = np.stack([window_to_uint8(hu, config.network.window) for hu in stack.hu])
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
        kidney_slices=_slices_of(shows_kidney(labels)),
        tumor_slices=_slices_of(shows_tumor(labels)),
        source=case.source,
        sha256=(file_digest(place / "images.npy"), file_digest(place / "labels.npy")),
        is_extra=case.is_extra,
        knowledge=case.knowledge,
        dataset=case.dataset,
    )
    # Written last: a case without it is prepared anew.
    write_json(place / "case.json", asdict(prepared))
    return prepared


def _sources(cases: list[LabelledCase]) -> str:
    return digest([[case.id, case.source] for case in cases])


def _slices_of(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask.any(axis=(1, 2))).tolist())


def equalised(channels: np.ndarray, card: ModelCard) -> np.ndarray:
    """Return windowed channels after CLAHE, as inference sees them: uint8, same shape."""
    return np.stack([apply_clahe(channel, card.clahe_clip_limit, card.clahe_grid) for channel in channels])


def _case_from(entry: dict[str, Any]) -> PreparedCase:
    if os.sep in entry["folder"]:
        raise BadInputError("The manifest of the prepared slices is damaged; run prepare with --restart.")
    return read_record(PreparedCase, entry, "The manifest of the prepared slices")
