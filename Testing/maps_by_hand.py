"""Maps by hand, for tests of what comes after the networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from seru.findings import Thresholds
from seru.grid import Grid
from seru.result.maps import Maps


def make_maps(
    coarse: np.ndarray,
    refined: np.ndarray | None = None,
    sides: np.ndarray | int = 1,
    hu: np.ndarray | int = 0,
    ijk_to_ras: np.ndarray | None = None,
    **others: Any,
) -> Maps:
    """Return maps that store every voxel where a probability is given.

    Args:
        coarse: uint8, shape (K, J, I, 2): kidney and tumor probability times 255.
        refined: likewise; None takes the coarse ones.
        sides: of each voxel, or of all.
        hu: of each voxel, or of all.
        ijk_to_ras: of the grid; None takes voxels of 10 mm, of 1 ml each.
        others: fields of :class:`Maps`.
    """
    refined = coarse if refined is None else refined
    shape = coarse.shape[:3]
    mask = (coarse.sum(axis=3) + refined.sum(axis=3)) > 0
    values: dict[str, Any] = {"alpha": 0.4, "lower_kji": (0, 0, 0), "thresholds": Thresholds(), **others}
    whole = tuple(low + size for low, size in zip(values["lower_kji"], shape, strict=True))
    matrix = np.diag([10.0, 10.0, 10.0, 1.0]) if ijk_to_ras is None else ijk_to_ras
    return Maps(
        grid=Grid(values.pop("shape_kji", whole), matrix),
        mask=mask,
        coarse=coarse[mask],
        refined=refined[mask],
        sides=np.broadcast_to(np.asarray(sides, np.uint8), shape)[mask],
        hu=np.broadcast_to(np.asarray(hu, np.int16), shape)[mask],
        **values,
    )


def probabilities(shape_kji: tuple[int, int, int], *parts: tuple[Any, float, float]) -> np.ndarray:
    """Return probabilities that are 0 but for some parts.

    Args:
        shape_kji: of the box.
        parts: where (slices), and the probabilities of kidney and tumor there, 0..1.
    """
    values = np.zeros((*shape_kji, 2), np.uint8)
    for where, kidney, tumor in parts:
        values[where] = round(kidney * 255), round(tumor * 255)
    return values
