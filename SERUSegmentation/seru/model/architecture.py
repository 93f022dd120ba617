"""The shape of a SERU network: numbers only, so that it loads without torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from seru.errors import ModelError

# The encoder halves height and width five times.
STRIDE = 32

# Far above any network that is trained today; below, nothing overflows and a network is described in a moment.
_DEEPEST, _WIDEST = 64, 4096


@dataclass(frozen=True)
class Architecture:
    """Widths and depths of SERU; the defaults are SE-ResNeXt50 32x4d with a slim U-Net decoder.

    The manuscript leaves the decoder's widths open; these keep both stages below 70 MB as 8-bit integers.

    Attributes:
        blocks: bottlenecks in each of the four encoder stages.
        base_channels: channels of the stem; stage n has ``base_channels * 4 * 2**n`` channels.
        cardinality: groups of the 3x3 convolution in a bottleneck.
        base_width: channels per group where the stage's planes are 64.
        reduction: squeeze-and-excitation reduction ratio.
        decoder_channels: channels after each of the five up-convolutions, deepest first.
        classes: background, kidney, tumor.

    Raises:
        ModelError: a number is no integer or out of its range, or the lists have the wrong length.
    """

    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    base_channels: int = 64
    cardinality: int = 32
    base_width: int = 4
    reduction: int = 16
    decoder_channels: tuple[int, int, int, int, int] = (256, 128, 64, 32, 16)
    classes: int = 3

    def __post_init__(self) -> None:
        if len(self.blocks) != 4 or len(self.decoder_channels) != 5:
            raise ModelError("The architecture needs four encoder stages and five decoder widths.")
        widths = (*self.decoder_channels, self.base_channels, self.cardinality, self.base_width, self.reduction)
        if not _are_within(_DEEPEST, *self.blocks) or not _are_within(_WIDEST, *widths, self.classes):
            raise ModelError(
                f"The architecture has a depth that is not 1 to {_DEEPEST}, or a width that is not 1 to {_WIDEST}."
            )
        if self.bottleneck_width(0) < 1:
            raise ModelError("The architecture has a bottleneck without channels.")

    @property
    def encoder_channels(self) -> tuple[int, int, int, int, int]:
        """Channels of the stem and of the four stages, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input."""
        first = self.base_channels * 4
        return self.base_channels, first, first * 2, first * 4, first * 8

    def bottleneck_width(self, stage: int) -> int:
        """Channels of the grouped 3x3 convolution in one encoder stage.

        Args:
            stage: 0 to 3.

        Returns:
            The number of channels, a multiple of ``cardinality``.
        """
        planes = self.base_channels * 2**stage
        return planes * self.base_width // 64 * self.cardinality

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON-ready lists and integers."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Any) -> Architecture:
        """Build an architecture from a model card's entry.

        Args:
            values: what :meth:`to_dict` gave; ``name`` is allowed and must be ``SERU``.

        Returns:
            The architecture.

        Raises:
            ModelError: an entry is unknown or has the wrong type.
        """
        if not isinstance(values, dict):
            raise ModelError("The model's architecture is not a JSON object.")
        values = dict(values)
        if values.pop("name", "SERU") != "SERU":
            raise ModelError("The model's architecture is not SERU; this version runs SERU only.")
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ModelError(f"The model's architecture has unknown entries ({', '.join(sorted(unknown))}).")
        try:
            numbers: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
            }
            return cls(**numbers)
        except TypeError as error:
            raise ModelError(f"The model's architecture cannot be read ({error}).") from error


def _are_within(most: int, *numbers: Any) -> bool:
    return all(type(number) is int and 1 <= number <= most for number in numbers)
