"""A part of a side that is refined anew, as the worker tells it before the side is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seru.findings import SIDES, Side
from seru.result.npz import NpzFile
from SERUSegmentationLib.scene.geometry import LayerGrid

_Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class RefinedPart:
    """Probabilities of both stages in a box of the scan.

    Attributes:
        side: that is refined.
        lowerKji: first voxel of the box on the scan's own grid.
        coarse: uint8, shape (K, J, I, 2): of kidney and tumor, times 255.
        refined: uint8, likewise.
    """

    side: Side
    lowerKji: tuple[int, int, int]
    coarse: np.ndarray
    refined: np.ndarray

    @classmethod
    def read(cls, event: Mapping[str, Any], folder: Path) -> RefinedPart:
        """Read the part that an event tells of.

        Args:
            event: ``slices`` of the worker's protocol.
            folder: that paths are relative to.

        Returns:
            The part.

        Raises:
            KeyError, TypeError, or one of :data:`seru.result.npz.DAMAGES`: there is none.
        """
        low, high = (np.array(event[name], int)[::-1] for name in ("ijk_min", "ijk_max"))
        if event["side"] not in SIDES or (low < 0).any() or (high < low).any():
            raise ValueError("it is no part of a side")
        with NpzFile(folder / event["file"]) as file:
            coarse, refined = (file.read(name, [*(high - low + 1).tolist(), 2]) for name in ("coarse", "refined"))
        k, j, i = low.tolist()
        return cls(event["side"], (k, j, i), coarse, refined)

    def within(self, grid: LayerGrid) -> tuple[LayerGrid, _Box, np.ndarray, np.ndarray] | None:
        """Return what of the part lies in a layer.

        Args:
            grid: of the layer.

        Returns:
            That box of the scan, its place in the layer, and the probabilities of both stages; None where all of it
            lies outside.
        """
        first = np.maximum(self.lowerKji, grid.lowerKji)
        last = np.minimum(np.add(self.lowerKji, self.coarse.shape[:3]), np.add(grid.lowerKji, grid.shapeKji))
        if (last <= first).any():
            return None
        own, box = _slices(first, last, self.lowerKji), _slices(first, last, grid.lowerKji)
        lower, shape = first.tolist(), (last - first).tolist()
        part = LayerGrid(grid.ijkToRas, (lower[0], lower[1], lower[2]), (shape[0], shape[1], shape[2]))
        return part, box, self.coarse[own], self.refined[own]


def _slices(first: np.ndarray, last: np.ndarray, lower: tuple[int, int, int]) -> _Box:
    k, j, i = (slice(int(a) - low, int(b) - low) for a, b, low in zip(first, last, lower, strict=True))
    return k, j, i
