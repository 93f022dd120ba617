"""Which patients train and which validate: by patient, with a fixed seed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from seru.errors import BadInputError
from training.config import SplitConfig
from training.steps import read_json


def split_patients(patients: Iterable[str], config: SplitConfig) -> dict[str, list[str]]:
    """Split patients into training and validation.

    The order of the patients given does not matter; each of the ``folds`` validates every patient once.

    Args:
        patients: names, repeated or not.
        config: a file's list, one of several folds, or a share.

    Returns:
        ``train`` and ``val``, each sorted.

    Raises:
        BadInputError: the file or the fold does not exist, or one side would be empty.
    """
    names = sorted(set(patients))
    if config.file is not None:
        validation = _from_file(Path(config.file), names)
    else:
        shuffled = [names[index] for index in np.random.default_rng(config.seed).permutation(len(names))]
        validation = _fold(shuffled, config)
    result = {"train": sorted(set(names) - set(validation)), "val": sorted(validation)}
    if not result["train"] or not result["val"]:
        raise BadInputError(f"A split of {len(names)} patients leaves one side empty; give more patients.")
    return result


def _fold(shuffled: list[str], config: SplitConfig) -> list[str]:
    if config.fold is None:
        return shuffled[: max(1, round(config.validation_share * len(shuffled)))]
    if not 0 <= config.fold < config.folds:
        raise BadInputError(f"Fold {config.fold} does not exist; give 0 to {config.folds - 1}.")
    return shuffled[config.fold :: config.folds]


def _from_file(path: Path, names: list[str]) -> list[str]:
    path = path if path.is_file() else Path(__file__).parent / path
    content = read_json(path)
    if content is None:
        raise BadInputError(f"The split {path} does not exist; correct split.file in the config.")
    unknown = set(names) - set(content["train"]) - set(content["val"])
    if unknown:
        raise BadInputError(f"The split {path} lacks {len(unknown)} patients ({sorted(unknown)[0]}, ...); remake it.")
    return [name for name in content["val"] if name in set(names)]
