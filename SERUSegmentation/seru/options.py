"""What a user may choose for a run, validated when built."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from seru.errors import BadInputError

EngineName = Literal["auto", "torch", "openvino"]
CropRule = Literal["grow", "paper"]

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class PostprocessingOptions:
    """Clean-up of the fused labels; everything is off by default, as in the paper.

    Attributes:
        largest_component_per_side: keep only the largest kidney+tumor component of each side.
        tumor_touches_kidney: remove tumor components that touch no kidney voxel.
        minimum_volume_ml: remove kidney+tumor components smaller than this, in ml.

    Raises:
        BadInputError: ``minimum_volume_ml`` is negative or not finite.
    """

    largest_component_per_side: bool = False
    tumor_touches_kidney: bool = False
    minimum_volume_ml: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minimum_volume_ml) and self.minimum_volume_ml >= 0):
            raise BadInputError(
                f"The minimum volume is {self.minimum_volume_ml} ml; give a number of millilitres that is 0 or more."
            )

    @property
    def is_off(self) -> bool:
        """True where nothing would be changed."""
        return not (self.largest_component_per_side or self.tumor_touches_kidney or self.minimum_volume_ml > 0)


@dataclass(frozen=True)
class SegmentOptions:
    """How the cascade runs.

    Attributes:
        alpha: weight of the coarse stage in the fusion, 0..1; None takes the model's default.
        device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``.
        engine: ``auto``, ``torch`` or ``openvino``.
        all_slices: run every slice through both stages, without the scout pass.
        mirror: run both networks on each slice and on its mirror image, and take the mean; twice the time.
        crop: ``grow`` lets a crop box grow to hold its side's coarse mask; ``paper`` keeps its size.
        postprocessing: clean-up of the fused labels.
        threads: CPU threads of the engine; None lets the engine choose (one per core).

    Raises:
        BadInputError: a value is out of its range.
    """

    alpha: float | None = None
    device: str = "auto"
    engine: EngineName = "auto"
    all_slices: bool = False
    mirror: bool = False
    crop: CropRule = "grow"
    postprocessing: PostprocessingOptions = field(default_factory=PostprocessingOptions)
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.alpha is not None:
            check_alpha(self.alpha)
        if not _DEVICE.fullmatch(self.device):
            raise BadInputError(f"The device '{self.device}' is unknown; give auto, cpu, mps, cuda or cuda:N.")
        _check_choice("engine", self.engine, get_args(EngineName))
        _check_choice("crop rule", self.crop, get_args(CropRule))
        if self.threads is not None and self.threads < 1:
            raise BadInputError(f"The number of threads is {self.threads}; give 1 or more.")

    def deciding(self) -> dict[str, Any]:
        """Return what decides a result, as the report keeps it: neither where it ran, nor alpha, which stands apart."""
        values = asdict(self)
        return {name: values[name] for name in ("all_slices", "mirror", "crop", "postprocessing")}


def check_alpha(alpha: float) -> float:
    """Return alpha if it is a fusion weight.

    Args:
        alpha: weight of the coarse stage, 0..1.

    Returns:
        The same number.

    Raises:
        BadInputError: alpha is not between 0 and 1.
    """
    if not (math.isfinite(alpha) and 0.0 <= alpha <= 1.0):
        raise BadInputError(f"Alpha is {alpha}; give a number from 0 (refined) to 1 (coarse).")
    return alpha


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadInputError(f"The {name} '{value}' is unknown; give one of {', '.join(choices)}.")
