"""The cases of a data folder: KiTS19 volumes, single KiTS slices, or phantoms."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from seru.errors import BadInputError
from seru.io.images import read_volume
from seru.phantom import Phantom, PhantomOptions, make_phantom
from seru.volume import Volume
from training.config import DataConfig, PhantomData

# The slices' pixel size is not known; this is the median of KiTS19. Only the smallest component's size depends on it.
_SLICE_PIXEL_MM = 0.78
_SLICE_THICKNESS_MM = 5.0
# Where an 8-bit slice is 0, anything at or below its window may be: air, for the body's outline.
_BELOW_WINDOW_HU = -1000
_LABEL_OF_MASK = np.array([0, 1, 2, 1], np.uint8)


@dataclass(frozen=True)
class LabelledCase:
    """One scan with its labels, read when asked for.

    Attributes:
        id: short name, also of its files.
        patient: cases of one patient stay on one side of the split.
        source: fingerprint of what it is read from.
        read: gives image and labels (uint8, same shape: 0, 1 kidney, 2 tumor).
        is_extra: only ever trained on.
    """

    id: str
    patient: str
    source: str
    read: Callable[[], tuple[Volume, np.ndarray]] = field(repr=False, compare=False)
    is_extra: bool = False


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
        found = kits19_cases(Path(config.folder)) if config.kind == "kits19" else slice_cases(Path(config.folder))
        excluded = excluded_cases(config)
        cases = [case for case in found if case.patient not in excluded and case.id not in excluded]
        cases += phantom_cases(config.phantom, is_extra=True)
    if not any(not case.is_extra for case in cases):
        raise BadInputError(f"There are no cases of kind {config.kind} in '{config.folder}'; see training/README.md.")
    return cases


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


def slice_cases(folder: Path) -> list[LabelledCase]:
    """List the single slices of a folder with ``images``, ``masks`` and ``manifest.csv``.

    Args:
        folder: of the slices.

    Returns:
        One case a slice; several may be of one patient.

    Raises:
        BadInputError: the manifest is missing or lacks a column.
    """
    path = folder / "manifest.csv"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            LabelledCase(
                row["file"],
                row["case"],
                f"{path.name}:{row['px_kidney']},{row['px_tumor']},{row['px_cyst']}",
                functools.partial(_read_slice, folder, row["file"], (float(row["window_lo"]), float(row["window_hi"]))),
            )
            for row in rows
        ]
    except (OSError, KeyError, ValueError) as error:
        raise BadInputError(f"The manifest {path} cannot be read ({error}); see training/README.md.") from error


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


def slice_to_hu(image: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Turn an 8-bit slice back into Hounsfield units.

    Args:
        image: uint8, any shape; 0 and 255 are the window's bounds.
        window: lower and upper HU.

    Returns:
        float32, same shape; air where the image is 0, for that may be anything below the window.
    """
    lower, upper = window
    hu = lower + image.astype(np.float32) * np.float32((upper - lower) / 255)
    return np.where(image == 0, np.float32(_BELOW_WINDOW_HU), hu)


def _read_kits19(image: Path, labels: Path) -> tuple[Volume, np.ndarray]:
    volume = read_volume(image)
    truth = read_volume(labels).array_kji
    if truth.shape != volume.array_kji.shape:
        raise BadInputError(f"{labels} has shape {truth.shape}, its image {volume.array_kji.shape}; download it again.")
    return volume, truth.astype(np.uint8)


def _read_slice(folder: Path, name: str, window: tuple[float, float]) -> tuple[Volume, np.ndarray]:
    image = cv2.imread(str(folder / "images" / f"{name}.webp"), cv2.IMREAD_GRAYSCALE)
    mask = cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    if image is None or mask is None or image.shape != mask.shape:
        raise BadInputError(f"The slice {name} of {folder} is missing or damaged; copy the folder again.")
    # Rows run to the back and columns to the patient's left.
    matrix = np.diag([-_SLICE_PIXEL_MM, -_SLICE_PIXEL_MM, _SLICE_THICKNESS_MM, 1.0])
    return Volume.from_array(slice_to_hu(image, window)[np.newaxis], matrix), _LABEL_OF_MASK[mask][np.newaxis]


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
