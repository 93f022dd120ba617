"""Single slices: a folder with ``images``, ``manifest.csv`` and, for some, ``masks``."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import cv2
import numpy as np

from seru.errors import BadInputError
from seru.volume import Volume
from training.labelled import Knowledge, LabelledCase

# The slices' pixel size is not known; this is the median of KiTS19. Sizes in mm and ml are worth as much as it.
_SLICE_PIXEL_MM = 0.78
_SLICE_THICKNESS_MM = 5.0
# Where a manifest names no window: the usual one for the abdomen, level 40 and width 400.
_USUAL_WINDOW = (-160.0, 240.0)
# Where an 8-bit slice is 0, anything at or below its window may be: air, for the body's outline.
_BELOW_WINDOW_HU = -1000
_LABEL_OF_MASK = np.array([0, 1, 2, 1], np.uint8)
# A manifest without counts of pixels says in words what its masks are; these masks show the kidneys alone.
_KIDNEY_MASK = "expert mask"
_MASKED: tuple[Knowledge, ...] = ("everything", "kidney")


def slice_cases(folder: Path) -> list[LabelledCase]:
    """List the single slices of a folder.

    Args:
        folder: with ``images/*.webp``, ``manifest.csv`` and ``masks/*.png`` where the manifest says so.

    Returns:
        One case a slice; several may be of one patient.

    Raises:
        BadInputError: the manifest is missing or lacks a column.
    """
    path = folder / "manifest.csv"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [_case_of(folder, row) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError) as error:
        raise BadInputError(f"The manifest {path} cannot be read ({error}); see training/README.md.") from error


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


def _case_of(folder: Path, row: dict[str, str]) -> LabelledCase:
    knowledge = _knowledge_of(row)
    counts = ",".join(row[name] for name in ("px_kidney", "px_tumor", "px_cyst") if name in row)
    return LabelledCase(
        row["file"],
        row["case"],
        f"manifest.csv:{counts or ','.join(row.values())}",
        functools.partial(_read_slice, folder, row["file"], _window_of(row), has_mask=knowledge in _MASKED),
        knowledge=knowledge,
        kind=row["kind"],
        dataset=folder.name,
    )


def _knowledge_of(row: dict[str, str]) -> Knowledge:
    """Masks say everything, or the kidney alone; without masks a sentence may say that there is no tumor."""
    if "px_tumor" in row:
        return "everything"
    if row["labels"] == "masks":
        return "kidney" if row["kind"].startswith(_KIDNEY_MASK) else "everything"
    says_no_tumor = row["slice_label"].startswith(("no tumor", "no kidney tumor"))
    return "no tumor" if says_no_tumor else "nothing"


def _window_of(row: dict[str, str]) -> tuple[float, float]:
    if not row["window_lo"] and not row["window_hi"]:
        return _USUAL_WINDOW
    return float(row["window_lo"]), float(row["window_hi"])


def _read_slice(folder: Path, name: str, window: tuple[float, float], has_mask: bool) -> tuple[Volume, np.ndarray]:
    image = cv2.imread(str(folder / "images" / f"{name}.webp"), cv2.IMREAD_GRAYSCALE)
    mask = cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED) if has_mask else None
    if image is not None and not has_mask:
        mask = np.zeros_like(image)
    if image is None or mask is None or image.shape != mask.shape:
        raise BadInputError(f"The slice {name} of {folder} is missing or damaged; copy the folder again.")
    # Rows run to the back and columns to the patient's left.
    matrix = np.diag([-_SLICE_PIXEL_MM, -_SLICE_PIXEL_MM, _SLICE_THICKNESS_MM, 1.0])
    return Volume.from_array(slice_to_hu(image, window)[np.newaxis], matrix), _LABEL_OF_MASK[mask][np.newaxis]
