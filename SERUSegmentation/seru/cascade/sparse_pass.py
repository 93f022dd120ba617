"""The sparse pass: which slices can hold a kidney at all.

Kidneys and tumors fill a third of a scan's slices. Every k-th slice is looked at first; then only the range around the
hits is run, with a margin, and the range grows while its ends still show something. A kidney shows on neighbouring
looks: where some do, what is elsewhere is left out. Where no slice shows anything, all are run.

Source: our rule; ``--all-slices`` is the paper's way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

# Kidneys are 40 mm or longer: at this step at least two slices of any kidney are looked at.
STEP_MM = 18.0
# Kept beyond the last hit; the network may miss the tip of a pole.
MARGIN_MM = 15.0
# A slice is a hit when this much of it is kidney or tumor.
HIT_MM2 = 30.0
# Neighbouring looks with this much each are a kidney, and hits far from them are not.
KIDNEY_MM2 = 500.0

FindAreas = Callable[[Sequence[int]], np.ndarray]


def find_range(find_areas: FindAreas, slices: int, slice_mm: float) -> range:
    """Find the slices that can hold a kidney or a tumor, running the coarse stage on as few as possible.

    Args:
        find_areas: runs the coarse stage on slices of the stack (ascending, each at most once over all calls) and
            returns the area of kidney and tumor on each, in mm2.
        slices: number of slices in the stack.
        slice_mm: distance of slices in mm.

    Returns:
        The range of slices; ``find_areas`` has seen each of them.
    """
    areas = np.full(slices, np.nan)

    def look(wanted: Sequence[int]) -> None:
        new = [index for index in wanted if np.isnan(areas[index])]
        if new:
            areas[new] = find_areas(new)

    step = max(1, int(STEP_MM / slice_mm))
    margin = int(np.ceil(MARGIN_MM / slice_mm))
    look(first_slices(slices, step))
    hits = _kidney_hits(areas, step, slice_mm)
    if hits.size == 0:
        look(range(slices))
        return range(slices)
    # The slice a step beyond the last hit was no hit: what lies between is not known yet.
    found = _around(hits, max(step - 1, margin), slices)
    look(found)
    while True:
        hits = found.start + np.flatnonzero(areas[found.start : found.stop] >= HIT_MM2)
        near = _around(hits, margin, slices)
        wider = range(min(found.start, near.start), max(found.stop, near.stop))
        if wider == found:
            break
        found = wider
        look(found)
    return found


def first_slices(slices: int, step: int) -> list[int]:
    """Return the slices that are looked at first.

    Args:
        slices: number of slices in the stack.
        step: from one to the next.

    Returns:
        Ascending indices; the first and the last are at most half a step from the ends.
    """
    offset = ((slices - 1) % step) // 2
    return list(range(offset, slices, step))


def _kidney_hits(areas: np.ndarray, step: int, slice_mm: float) -> np.ndarray:
    """Return the looks that a kidney is seen on; every hit where none is sure."""
    is_large = areas >= KIDNEY_MM2
    beside = np.zeros_like(is_large)
    # Between thicker slices, a kidney may show on a single one.
    if slice_mm <= STEP_MM:
        beside[:-step] |= is_large[step:]
        beside[step:] |= is_large[:-step]
    sure = np.flatnonzero(is_large & beside)
    return sure if sure.size else np.flatnonzero(areas >= HIT_MM2)


def _around(hits: np.ndarray, reach: int, slices: int) -> range:
    return range(max(0, int(hits[0]) - reach), min(slices, int(hits[-1]) + reach + 1))
