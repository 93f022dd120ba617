"""Reports by hand, for tests that need one and not what made it."""

from __future__ import annotations

from typing import Any

import numpy as np

from seru.findings import GeometryFacts, InputFacts, Islands, ModelFacts, Report, SideFindings, SliceCounts, Thresholds
from seru.grid import Grid
from seru.options import SegmentOptions

NOTHING = SideFindings(0.0, 0.0, 0.0, present=False, key_slice=None, crop=None)


def make_report(grid: Grid | None = None, **changes: Any) -> Report:
    """Return a report of a run that found nothing.

    Args:
        grid: of the input; None takes a small one.
        changes: fields that differ.
    """
    grid = grid or Grid((4, 5, 6), np.eye(4))
    values: dict[str, Any] = {
        "input": InputFacts("ct.nii.gz", "nifti"),
        "geometry": GeometryFacts(
            grid.shape_ijk, grid.spacing_ijk_mm, tuple(tuple(row) for row in grid.ijk_to_ras.tolist()), 2
        ),
        "model": ModelFacts("truth", "Truth", "none"),
        "device": "cpu",
        "engine": "torch",
        "alpha": 0.4,
        "options": SegmentOptions().deciding(),
        "seconds": {"load": 0.1},
        "slices": SliceCounts(grid.shape_kji[0], 0, 0),
        "thresholds": Thresholds(),
        "warnings": (),
        "remarks": (),
        "right": NOTHING,
        "left": NOTHING,
        "findings": (),
        "islands": Islands(),
    }
    return Report(**{**values, **changes})
