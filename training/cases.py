"""The cases of a data folder: KiTS19 volumes, single KiTS slices, or phantoms."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from seru.errors import BadInputError
from seru.io.images import read_volume
from seru.phantom import Phantom, PhantomOptions, make_phantom
from seru.volume import Volume
from training.config import DataConfig, PhantomData
from training.labelled import LabelledCase
from training.slices import slice_cases


def list_cases(config: DataConfig) -> list[LabelledCase]:
    """List the cases of a config, known-bad ones left out.

    Args:
        config: kind, folder, exclusions, and phantoms.

    Returns:
        Cases in the order of their names; phantoms that are mixed in last.

    Raises:
        BadInputError: there are none.
    """
    if config.kind == "phantom":
        cases = phantom_cases(config.phantom)
    else:
        read = kits19_cases if config.kind == "kits19" else slice_cases
        found = [case for folder in config.all_folders for case in read(folder)]
        excluded = excluded_cases(config)
        cases = [case for case in found if case.patient not in excluded and case.id not in excluded]
        cases += phantom_cases(config.phantom, is_extra=True)
    if not any(not case.is_extra for case in cases):
        raise BadInputError(f"There are no cases of kind {config.kind} in '{config.folder}'; see training/README.md.")
    _check_ids(cases)
    return cases


def _check_ids(cases: list[LabelledCase]) -> None:
    times = Counter(case.id for case in cases)
    twice = sorted(name for name, count in times.items() if count > 1)
    if twice:
        raise BadInputError(f"{len(twice)} cases are in two folders ({twice[0]}, ...); leave one of them out.")


def scored_cases(cases: Iterable[LabelledCase], config: DataConfig) -> list[LabelledCase]:
    """Return the cases that alpha, thresholds and the run's scores come from.

    Args:
        cases: of the validation.
        config: the data.

    Returns:
        Those of ``folder`` whose labels tell everything; other folders are scored by ``evaluate --data``.
    """
    return [case for case in cases if case.knowledge == "everything" and case.dataset in ("", Path(config.folder).name)]


def excluded_cases(config: DataConfig) -> dict[str, str]:
    """Return the cases that are left out, each with the reason.

    Args:
        config: its ``exclude`` names cases, or ``known_bad`` for the list of the repository.

    Returns:
        Reason by case.
    """
    reasons = dict.fromkeys((name for name in config.exclude if name != "known_bad"), "excluded by the config")
    if "known_bad" in config.exclude:
        known = json.loads((Path(__file__).parent / "known_bad.json").read_text(encoding="utf-8"))
        reasons.update(known["excluded"])
    return reasons


def kits19_cases(folder: Path) -> list[LabelledCase]:
    """List the KiTS19 cases that have image and labels.

    Args:
        folder: with ``case_xxxxx/imaging.nii.gz`` and ``segmentation.nii.gz``.

    Returns:
        The cases.
    """
    cases = []
    for place in sorted(folder.glob("case_*")):
        files = place / "imaging.nii.gz", place / "segmentation.nii.gz"
        if all(file.is_file() for file in files):
            sizes = ",".join(f"{file.name}:{file.stat().st_size}" for file in files)
            cases.append(LabelledCase(place.name, place.name, sizes, functools.partial(_read_kits19, *files)))
    return cases


def phantom_cases(config: PhantomData, is_extra: bool = False) -> list[LabelledCase]:
    """List phantoms as cases.

    Args:
        config: how many, and on which grids.
        is_extra: whether they are mixed into real cases.

    Returns:
        The cases; tumors are on both sides, one, or none in turn.
    """
    cases = []
    for number in range(config.patients):
        options = _phantom_options(config, number)
        name = f"phantom_{options.seed:08d}"
        fingerprint = hashlib.sha256(repr(options).encode()).hexdigest()[:16]
        cases.append(LabelledCase(name, name, fingerprint, functools.partial(_read_phantom, options), is_extra))
    return cases


def _read_kits19(image: Path, labels: Path) -> tuple[Volume, np.ndarray]:
    volume = read_volume(image)
    truth = read_volume(labels).array_kji
    if truth.shape != volume.array_kji.shape:
        raise BadInputError(f"{labels} has shape {truth.shape}, its image {volume.array_kji.shape}; download it again.")
    return volume, truth.astype(np.uint8)


def _phantom_options(config: PhantomData, number: int) -> PhantomOptions:
    seed = config.first_seed + number
    rng = np.random.default_rng(seed)
    along_k, in_plane = rng.uniform(*config.voxel_scale, 2)
    scale_kji = np.array([along_k, in_plane, in_plane])
    return PhantomOptions(
        shape_kji=tuple(np.rint(np.divide(config.shape_kji, scale_kji)).astype(int).tolist()),
        spacing_kji_mm=tuple(np.multiply(config.spacing_kji_mm, scale_kji).tolist()),
        seed=seed,
        tumor=("both", "left", "right", "both", "none")[number % 5],
        noise_hu=float(rng.uniform(*config.noise_hu)),
    )


def _read_phantom(options: PhantomOptions) -> tuple[Volume, np.ndarray]:
    phantom: Phantom = make_phantom(options)
    return phantom.volume, phantom.labels_kji
