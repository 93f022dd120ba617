"""The kidney's outline in three dimensions: what is left out of the work changes no measure."""

from __future__ import annotations

import numpy as np
import pytest

from seru.result.labelled import measure_labels
from seru.result.measurements import Field
from seru.result.nephrometry.anatomy import Anatomy, anatomy_of
from seru.result.nephrometry.outline import _hull_planes, _outside_by_cubes_mm, find_outline
from Testing.seru.nephrometry_by_hand import Sphere, labels_of

LARGE = Sphere(up=34, back=4, medial=-10, radius=25)
INSIDE = Sphere(up=0, back=0, medial=-15, radius=10)
SMALLER_THAN_A_CUBE = Sphere(up=50, back=0, medial=-6, radius=2.5)


def anatomy_with(tumor: Sphere, spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Anatomy:
    labels, grid = labels_of([tumor], spacing_mm)
    found = measure_labels(labels, grid)
    anatomy = anatomy_of(Field(grid, found.lower_kji, found.labels_box), found.sides_box, "right")
    assert anatomy is not None
    return anatomy


def of_each_voxel_mm(anatomy: Anatomy) -> np.ndarray:
    """How far every voxel of the tumor lies outside of the kidney's hull."""
    planes = _hull_planes(anatomy.kidney, anatomy.spacing_mm)
    return (np.argwhere(anatomy.tumor) * anatomy.spacing_mm @ planes[:, :3].T + planes[:, 3]).max(axis=1)


@pytest.mark.parametrize("tumor", [LARGE, INSIDE, SMALLER_THAN_A_CUBE])
@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 2.0), (8.0, 1.0, 2.0)])
def test_the_measures_are_those_of_every_voxel(tumor: Sphere, spacing_mm: tuple[float, float, float]) -> None:
    anatomy = anatomy_with(tumor, spacing_mm)

    outline = find_outline(anatomy)

    outside_mm, places = of_each_voxel_mm(anatomy), np.argwhere(anatomy.tumor)
    assert outline.exophytic_share == (outside_mm > 0).mean()
    assert outline.bulge_mm == pytest.approx(outside_mm.max(), abs=1e-9)
    assert outline.depth_mm == pytest.approx(-outside_mm.min(), abs=1e-9)
    # Of voxels that are equally far any may be named.
    named = [
        int(np.flatnonzero((places == place).all(axis=1))[0]) for place in (outline.bulge_place, outline.depth_place)
    ]
    assert outside_mm[named] == pytest.approx([outside_mm.max(), outside_mm.min()], abs=1e-9)


def test_most_of_a_large_tumor_is_not_looked_at_voxel_by_voxel() -> None:
    anatomy = anatomy_with(LARGE)
    planes = _hull_planes(anatomy.kidney, anatomy.spacing_mm)

    outside_mm = _outside_by_cubes_mm(np.argwhere(anatomy.tumor), planes, anatomy.spacing_mm)

    assert np.isclose(outside_mm, of_each_voxel_mm(anatomy), atol=1e-9).mean() < 0.7
