"""What was read and on which grid, in the report's terms."""

from __future__ import annotations

import dataclasses

from seru.findings import GeometryFacts, InputFacts
from seru.grid import Grid
from seru.orientation import find_orientation
from seru.volume import Volume


def input_facts(volume: Volume) -> InputFacts:
    """Return what was read."""
    names = (field.name for field in dataclasses.fields(InputFacts))
    return InputFacts(**{name: volume.source.get(name) for name in names})


def geometry_facts(grid: Grid) -> GeometryFacts:
    """Return a grid."""
    i, j, k = (round(size, 6) for size in grid.spacing_ijk_mm)
    return GeometryFacts(
        shape_ijk=grid.shape_ijk,
        spacing_ijk_mm=(i, j, k),
        ijk_to_ras=tuple(tuple(row) for row in grid.ijk_to_ras.tolist()),
        stack_axis=find_orientation(grid).stack_axis_ijk,
    )
