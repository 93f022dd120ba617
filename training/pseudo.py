"""A teacher's word on images whose labels do not show kidneys: a network that others trained, or a model of ours.

What it says is no truth: it trains, where it is sure, and is never scored on. It is part of the recipe alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from tqdm import tqdm

from seru.cascade.cascade import Segmenter
from seru.cascade.preprocessing import resize_image
from seru.errors import BadInputError
from seru.files import replacing
from seru.hounsfield import window_to_uint8
from seru.model.store import find_model
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.result.fusion import fused_maps
from seru.volume import Volume
from training.cases import list_cases
from training.config import Config
from training.labelled import LabelledCase
from training.steps import Step, digest, file_digest

_SIZE = 512

Teacher = Callable[[np.ndarray], np.ndarray]
"""Takes a slice, uint8 in the teacher's window; gives the probability of kidney or tumor, float32 0..1, same shape."""


def pseudo_step(config: Config, work: Path) -> Step:
    """Return the step ``pseudo``: it depends on the data, on the teacher, and on the models in its place."""
    options = config.to_dict()
    inputs = {key: options["pseudo"][key] for key in ("teacher", "window", "models")}
    return Step(work / "pseudo", {**inputs, "data": options["data"]})


def said_by_teacher(config: Config, work: Path) -> str | None:
    """Return a hash of what the teacher said: empty where the config has none, None while it is not asked yet."""
    if config.pseudo.teacher is None:
        return ""
    result = pseudo_step(config, work).result
    return None if result is None else result["said"]


def ask_teacher(config: Config, work: Path, restart: bool = False) -> dict[str, Any]:
    """Ask the teacher about every case whose labels do not show kidneys; what it has said already is kept.

    Args:
        config: the data and the teacher.
        work: the work folder.
        restart: delete what other inputs made.

    Returns:
        The step's result: number of cases, and a hash of what was said.

    Raises:
        BadInputError: the teacher or a case cannot be read.
        ModelError: so for a model.
    """
    if config.pseudo.teacher is None:
        return {"cases": 0, "said": ""}
    step = pseudo_step(config, work)
    if step.result is not None:
        return step.result
    step.begin(restart)
    ask = partial(_probability, load_teacher(Path(config.pseudo.teacher)), config.pseudo.window)
    ask_on = {folder: _model_says(model) for folder, model in config.pseudo.models.items()}
    cases = [case for case in list_cases(config.data) if not case.knows_kidney]
    for case in tqdm(cases, "pseudo", disable=None):
        path = _path(step.folder, case)
        if not path.is_file():
            volume, _ = case.read()
            _write(path, ask_on.get(case.dataset, ask)(volume))
    said = digest([[case.id, file_digest(_path(step.folder, case))] for case in cases])
    return step.finish({"cases": len(cases), "said": said})


def read_teacher(folder: Path, case: LabelledCase) -> np.ndarray | None:
    """Read what the teacher said of a case.

    Args:
        folder: of the step ``pseudo``.
        case: any case.

    Returns:
        Probability of kidney or tumor times 255, uint8, on the volume's own grid; None where it was not asked.
    """
    path = _path(folder, case)
    return np.load(path, allow_pickle=False)["probability"] if path.is_file() and not case.knows_kidney else None


def load_teacher(path: Path) -> Teacher:
    """Load an OpenVINO network as a teacher.

    Args:
        path: ``.xml``; input (1, 1, 512, 512), 0..255, the transposed slice; output one logit, transposed.

    Raises:
        BadInputError: it is not there, or cannot be read.
    """
    from seru.model.engines.quiet_openvino import openvino

    try:
        compiled = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        raise BadInputError(f"The teacher {path} cannot be read ({str(error).strip().splitlines()[-1]}).") from error

    def probability(image: np.ndarray) -> np.ndarray:
        square = resize_image(image, (_SIZE, _SIZE))
        logit = compiled(square.T[np.newaxis, np.newaxis].astype(np.float32))[0].reshape(_SIZE, _SIZE).T
        return resize_image(expit(np.ascontiguousarray(logit, np.float32)), image.shape)

    return probability


def _probability(teacher: Teacher, window: tuple[float, float], volume: Volume) -> np.ndarray:
    """What a teacher says of a CT: kidney or tumor, times 255, uint8 on the volume's own grid."""
    stack = AxialStack.of(volume)
    said = np.stack([teacher(window_to_uint8(hu, window)) for hu in stack.hu])
    return np.ascontiguousarray(stack.orientation.from_stack(np.rint(said * 255).astype(np.uint8)))


def _model_says(id_or_folder: str) -> Callable[[Volume], np.ndarray]:
    """As :func:`_probability`, of a SERU model, whatever it believes of it."""
    # Beside the packages of the recipe OpenVINO has let a later signal crash the process.
    segmenter = Segmenter(find_model(id_or_folder), SegmentOptions(engine="torch", all_slices=True))

    def probability(volume: Volume) -> np.ndarray:
        maps = segmenter.segment(volume).maps
        kidney, tumor = fused_maps(maps, maps.alpha)
        return np.minimum(kidney.astype(np.uint16) + tumor, 255).astype(np.uint8)

    return probability


def _path(folder: Path, case: LabelledCase) -> Path:
    return folder / f"{case.id}.npz"


def _write(path: Path, probability: np.ndarray) -> None:
    with replacing(path) as file:
        np.savez_compressed(file, probability=probability)
