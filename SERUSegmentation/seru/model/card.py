"""The card of a model: everything but its weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from seru.errors import BadInputError, ModelError
from seru.findings import Thresholds
from seru.model.architecture import Architecture
from seru.model.registry import LARGEST_FILE, LONGEST_LINE, SHA256
from seru.records import read_record

# The two trainings of one network that a model holds.
NetworkStage = Literal["coarse", "refine"]
NETWORK_STAGES: tuple[NetworkStage, NetworkStage] = ("coarse", "refine")

# Pixels along a side that a stage sees at most: a slice of CT has 512, a fine one 1024.
LARGEST_SIDE = 2048
# No text of a card is longer, but a name or title fits a line.
_LONGEST_TEXT = 10_000
# What decides a result besides weights and alpha.
_DECIDING = {
    "architecture",
    "window",
    "clahe_clip_limit",
    "clahe_grid",
    "mean",
    "std",
    "coarse_size",
    "crop_size",
    "in_plane_spacing_mm",
    "input_slices",
    "thresholds",
}

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ModelCard:
    """What ``model.json`` says of a model.

    Attributes:
        id: short name, also the folder's.
        title: name shown to people.
        licence: of the weights.
        training_data: what they were trained on, in a sentence.
        architecture: widths and depths of both stages' networks.
        window: lower and upper Hounsfield unit.
        clahe_clip_limit: OpenCV's clip limit; 0 turns CLAHE off.
        clahe_grid: tiles along rows and columns.
        mean: of the three channels, 0..1.
        std: of the three channels, 0..1.
        class_names: background, kidney, tumor.
        coarse_size: a slice's longer side is resized to this for the coarse stage; None keeps its size.
        crop_size: side of the refine stage's crop in pixels.
        alpha: default weight of the coarse stage in the fusion.
        in_plane_spacing_mm: slices are resampled to this pixel size before both stages; None keeps theirs.
        input_slices: 1, or 3 for a slice with its two neighbours as channels.
        thresholds: least confidences of what is believed; None believes everything.
        scores: measured results, with the data and the patients.
        notes: what a user must know, such as what the model cannot do.
        files: SHA-256 and size in bytes of each weight file.
        version: of this format.

    Raises:
        ModelError: a value is out of its range.
    """

    id: str
    title: str
    licence: str
    training_data: str
    architecture: Architecture = field(default_factory=Architecture)
    window: tuple[float, float] = (-79.0, 304.0)
    clahe_clip_limit: float = 2.0
    clahe_grid: tuple[int, int] = (8, 8)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    class_names: tuple[str, str, str] = ("background", "kidney", "tumor")
    coarse_size: int | None = None
    crop_size: int = 256
    alpha: float = 0.4
    in_plane_spacing_mm: float | None = None
    input_slices: int = 1
    thresholds: Thresholds | None = None
    scores: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ("Research use only; not a medical device.",)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 1

    def __post_init__(self) -> None:
        checks = {
            "version": type(self.version) is int and self.version == 1,
            "id": _is_line(self.id) and Path(self.id).name == self.id != "" and not self.id.startswith("."),
            "title": _is_line(self.title),
            "licence": _is_line(self.licence),
            "training_data": _is_text(self.training_data),
            "window": _are_in(-32768, 32767, *_items(self.window, 2)) and self.window[1] - self.window[0] >= 1,
            "clahe_clip_limit": _are_in(0, 1000, self.clahe_clip_limit),
            "clahe_grid": _are_whole(1, 64, *_items(self.clahe_grid, 2)),
            "mean": _are_in(0, 1, *_items(self.mean, 3)),
            "std": _are_in(1e-3, 10, *_items(self.std, 3)),
            "class_names": list(map(_is_line, _items(self.class_names, 3))) == [True] * 3,
            "architecture": self.architecture.classes == 3,
            "coarse_size": self.coarse_size is None or _are_whole(32, LARGEST_SIDE, self.coarse_size),
            "crop_size": _are_whole(32, LARGEST_SIDE, self.crop_size) and self.crop_size % 32 == 0,
            "alpha": _are_in(0, 1, self.alpha),
            "in_plane_spacing_mm": self.in_plane_spacing_mm is None or _are_in(0.1, 10, self.in_plane_spacing_mm),
            "input_slices": _are_whole(1, 3, self.input_slices) and self.input_slices != 2,
            "scores": isinstance(self.scores, dict),
            "notes": isinstance(self.notes, tuple) and all(map(_is_text, self.notes)),
            "files": isinstance(self.files, dict) and all(map(_is_file_entry, self.files.values())),
        }
        wrong = [name for name, is_valid in checks.items() if not is_valid]
        if wrong:
            raise ModelError(f"The model card has a wrong value for {', '.join(wrong)}; fetch the model again.")

    @property
    def least_confidences(self) -> Thresholds:
        """The least confidences of what is believed; without any everything is."""
        return self.thresholds or Thresholds()

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of each weight file, and of what else decides a result: what tells two models with one id apart."""
        deciding = {name: value for name, value in asdict(self).items() if name in _DECIDING}
        of_card = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
        return {"model.json": of_card} | {name: entry["sha256"] for name, entry in sorted(self.files.items())}

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON-ready values."""
        return {**asdict(self), "architecture": {"name": "SERU", **self.architecture.to_dict()}}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelCard:
        """Build a card from the content of ``model.json``.

        Args:
            values: what :meth:`to_dict` gave.

        Returns:
            The card.

        Raises:
            ModelError: an entry is missing, unknown or wrong.
        """
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ModelError(f"The model card has unknown entries ({', '.join(sorted(unknown))}); update SERU.")
        try:
            values = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
            values["architecture"] = Architecture.from_dict(values.get("architecture", {}))
            if values.get("thresholds") is not None:
                values["thresholds"] = read_record(Thresholds, values["thresholds"], "The model card")
            return cls(**values)
        except (TypeError, ValueError, BadInputError) as error:
            raise ModelError(f"The model card cannot be read ({error}); fetch the model again.") from error


def _are_in(low: float, high: float, *values: Any) -> bool:
    """Whether there are values, all of them numbers of a range; NaN lies in none."""
    return bool(values) and all(_is_number(value) and low <= value <= high for value in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_whole(low: int, high: int, *values: Any) -> bool:
    """Whether there are values, all of them integers of a range."""
    return _are_in(low, high, *values) and all(isinstance(value, int) for value in values)


def _items(values: Any, count: int) -> tuple[Any, ...]:
    """The items of a tuple of that length; none of anything else."""
    return values if isinstance(values, tuple) and len(values) == count else ()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _is_line(value: Any) -> bool:
    return _is_text(value) and len(value) <= LONGEST_LINE and value.isprintable()


def _is_file_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        return False
    return SHA256.fullmatch(entry["sha256"]) is not None and _are_whole(0, LARGEST_FILE, entry.get("size"))
