"""A scan with what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from seru.volume import Volume

Knowledge = Literal["everything", "kidney", "no tumor", "nothing"]
"""What labels say: kidney and tumor; kidney against background, tumor unknown; that there is no tumor, kidney unknown;
nothing."""


@dataclass(frozen=True)
class LabelledCase:
    """One scan with its labels, read when asked for.

    Attributes:
        id: short name, also of its files.
        patient: cases of one patient stay on one side of the split.
        source: fingerprint of what it is read from.
        read: gives image and labels (uint8, same shape: 0, 1 kidney, 2 tumor; 0 where nothing is known).
        is_extra: only ever trained on.
        knowledge: what the labels say.
        kind: of single slices, what their manifest calls them.
        dataset: name of the folder that it comes from.
    """

    id: str
    patient: str
    source: str
    read: Callable[[], tuple[Volume, np.ndarray]] = field(repr=False, compare=False)
    is_extra: bool = False
    knowledge: Knowledge = "everything"
    kind: str = ""
    dataset: str = ""

    @property
    def knows_kidney(self) -> bool:
        """Whether kidney (with what tumor it holds) is told from background."""
        return self.knowledge in ("everything", "kidney")

    @property
    def knows_tumor(self) -> bool:
        """Whether it is known where tumor is, and where not."""
        return self.knowledge in ("everything", "no tumor")
