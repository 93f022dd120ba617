"""What the stages found, in the report's terms: on the input's own grid, in its own order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seru.cascade.crops import SideCrop
from seru.cascade.key_slices import KeyContour, find_key_slices
from seru.findings import SIDES, CropBox, KeySlice, Measures, ModelFacts, Report, SideFindings, rounded
from seru.model.card import ModelCard
from seru.orientation import AxialStack


def model_facts(card: ModelCard) -> ModelFacts:
    """Return which model ran."""
    return ModelFacts(card.id, card.title, card.licence, card.checksums)


def side_findings(crop: SideCrop | None, measures: Measures, stack: AxialStack) -> SideFindings:
    """Return what was found on a side.

    Args:
        crop: key slice and crop in the stack; None where nothing was found.
        measures: of the fused labels.
        stack: the scan.

    Returns:
        The findings, on the input's own grid.
    """
    return SideFindings(
        **rounded(measures),
        present=crop is not None,
        key_slice=None if crop is None else _key_slice(crop.key, stack),
        crop=None if crop is None else _crop_box(crop, stack),
        nephrometry=None,
    )


def with_key_slices(report: Report, sides_kji: np.ndarray, stack: AxialStack) -> Report:
    """Return the report of labels that no network of ours made with the key slice of each side.

    Args:
        report: without key slices.
        sides_kji: uint8, shape of the CT (K, J, I): 1 where kidney or tumor of the patient's right is, 2 left.
        stack: the CT.

    Returns:
        A new report.
    """
    keys = find_key_slices(stack.orientation.to_stack(sides_kji))
    right, left = (
        replace(report.side(side), key_slice=None if (key := keys[side]) is None else _key_slice(key, stack))
        for side in SIDES
    )
    return replace(report, right=right, left=left)


def _key_slice(key: KeyContour, stack: AxialStack) -> KeySlice:
    ijk = stack.orientation.ijk_of_stack((key.index, *key.centre_rc), stack.hu.shape)
    return KeySlice(
        index=round(ijk[stack.orientation.stack_axis_ijk]),
        position_ras=_position(stack.grid.ras_of_ijk(ijk)),
        area_mm2=round(key.area_px * stack.pixel_mm2, 3),
    )


def _crop_box(crop: SideCrop, stack: AxialStack) -> CropBox:
    shape = stack.hu.shape
    rows, columns = (range(part.start, part.stop) for part in crop.region.inside(shape[1:]))
    low, high = stack.orientation.ijk_of_box((crop.slices, rows, columns), shape)
    return CropBox(
        ijk_min=low,
        ijk_max=high,
        centre_ras=_position(stack.grid.ras_of_ijk(np.add(low, high) / 2)),
        grown=crop.region.grown,
    )


def _position(values: Sequence[float]) -> tuple[float, float, float]:
    a, b, c = (round(float(value), 4) for value in values)
    return a, b, c
