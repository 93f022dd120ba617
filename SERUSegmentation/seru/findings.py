"""The report of a run: what was found where, on which grid, with which model and settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seru.cascade.key_slices import CropBox, KeySlice
from seru.model.store import ModelCard
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.result.sides import SIDES, Side
from seru.volume import Volume

VERSION = 1


@dataclass
class SideResult:
    """What the cascade found on one side.

    Attributes:
        key_slice: in the axial stack.
        box: the crop.
        slices: slices of the stack that the refine stage ran on.
    """

    key_slice: KeySlice
    box: CropBox
    slices: range


@dataclass(frozen=True)
class RunFacts:
    """What a report is made of; the names are those of the cascade."""

    volume: Volume
    stack: AxialStack
    card: ModelCard
    options: SegmentOptions
    alpha: float
    engine: str
    device: str
    found: dict[Side, SideResult | None]
    measured: dict[Side, dict[str, float]]
    slices: dict[str, int]
    seconds: dict[str, float]
    warnings: list[str]


def make_report(facts: RunFacts) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        facts: from the cascade.

    Returns:
        JSON-ready values that follow ``report.schema.json``.
    """
    i, j, k = reversed(facts.volume.array_kji.shape)
    return {
        "version": VERSION,
        "input": {name: facts.volume.source.get(name) for name in ("path", "format", "series_uid")},
        "geometry": {
            "shape_ijk": [i, j, k],
            "spacing_ijk_mm": _rounded(facts.volume.grid.spacing_ijk_mm, 6),
            "ijk_to_ras": facts.volume.grid.ijk_to_ras.tolist(),
            "stack_axis": facts.stack.orientation.stack_axis_ijk,
        },
        "model": {
            "id": facts.card.id,
            "title": facts.card.title,
            "licence": facts.card.licence,
            "sha256": facts.card.checksums,
        },
        "device": facts.device,
        "engine": facts.engine,
        "alpha": facts.alpha,
        "options": facts.options.deciding(),
        "seconds": dict(facts.seconds),
        "slices": dict(facts.slices),
        "warnings": list(facts.warnings),
        **{side: _side(facts, side) for side in SIDES},
        "total": {
            name: round(sum(facts.measured[side][name] for side in SIDES), 4) for name in ("kidney_ml", "tumor_ml")
        },
    }


def _side(facts: RunFacts, side: Side) -> dict[str, Any]:
    result = facts.found[side]
    return {
        "present": result is not None,
        "key_slice": None if result is None else _key_slice(facts, result.key_slice),
        "crop": None if result is None else _crop(facts, result),
        **{name: round(value, 4) for name, value in facts.measured[side].items()},
    }


def _key_slice(facts: RunFacts, key_slice: KeySlice) -> dict[str, Any]:
    position = (key_slice.index, *key_slice.centre_rc)
    ijk = facts.stack.orientation.ijk_of_stack(position, facts.stack.hu.shape)
    return {
        "index": round(ijk[facts.stack.orientation.stack_axis_ijk]),
        "position_ras": _rounded(facts.volume.grid.ras_of_ijk(ijk), 4),
        "area_mm2": round(key_slice.area_px * facts.stack.pixel_mm2, 3),
    }


def _crop(facts: RunFacts, result: SideResult) -> dict[str, Any]:
    shape = facts.stack.hu.shape
    rows, columns = result.box.inside(shape[1:])
    corners = [
        facts.stack.orientation.ijk_of_stack(corner, shape)
        for corner in (
            (result.slices.start, rows.start, columns.start),
            (result.slices.stop - 1, rows.stop - 1, columns.stop - 1),
        )
    ]
    centre = np.mean(corners, axis=0)
    return {
        "ijk_min": [int(n) for n in np.min(corners, axis=0)],
        "ijk_max": [int(n) for n in np.max(corners, axis=0)],
        "centre_ras": _rounded(facts.volume.grid.ras_of_ijk(tuple(centre)), 4),
        "grown": result.box.grown,
    }


def _rounded(values: Any, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
