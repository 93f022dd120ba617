"""Nephrometry of a box with a notch and box-shaped tumors: every distance and share follows from their faces."""

from __future__ import annotations

import numpy as np
import pytest

from seru.grid import Grid
from Testing.seru.nephrometry_by_hand import scores_of

# From and to, in mm from the field's lower, front and right end. The notch is open towards the patient's left.
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
KIDNEY: Box = (20, 120), (20, 80), (20, 70)
NOTCH: Box = (50, 90), (40, 60), (50, 70)
FIELD_MM, VOXEL_MM = (140, 100, 160), 2


def inside(box: Box) -> tuple[slice, ...]:
    """The voxels of a box."""
    return tuple(slice(first // VOXEL_MM, last // VOXEL_MM) for first, last in box)


@pytest.mark.parametrize(
    ("tumor", "outside", "nearness_mm", "between", "hilum_mm", "texts"),
    [
        # Half of it stands out at the side, its inner face 20 mm from the notch: 1 + 1 + 1 + 3.
        (((60, 80), (40, 60), (10, 30)), 0.5, 20.0, 1.0, 38.0, ("6x", "7")),
        # In the lower pole, 8 mm under the notch and 6 mm beside it: 1 + 3 + 1 + 1.
        (((22, 42), (42, 58), (24, 44)), 0.0, 10.0, 0.0, (24**2 + 8**2) ** 0.5, ("6x", "8")),
        # In front; 40 of 60 mm lie between the lines, 40 x 10 of 46 x 28 mm2 in the kidney: 2 + 1 + 1 + 3.
        (((40, 100), (2, 30), (14, 60)), 1 - 400 / 1288, 10.0, 2 / 3, (8**2 + 10**2) ** 0.5, ("7a", "8a")),
    ],
    ids=["beside", "in the pole", "in front"],
)
def test_boxes_have_the_shares_and_distances_of_their_faces(
    tumor: Box, outside: float, nearness_mm: float, between: float, hilum_mm: float, texts: tuple[str, str]
) -> None:
    labels = np.zeros([size // VOXEL_MM for size in FIELD_MM], np.uint8)
    labels[inside(KIDNEY)], labels[inside(NOTCH)], labels[inside(tumor)] = 1, 0, 2
    matrix = np.diag([-VOXEL_MM, -VOXEL_MM, VOXEL_MM, 1.0])

    score = scores_of(labels, Grid(labels.shape, matrix))["right"]

    assert score is not None
    aspects = {aspect.name: aspect.numbers for aspect in score.renal.aspects}
    assert aspects["exophytic"]["exophytic_share"] == pytest.approx(outside, abs=1e-4)
    assert aspects["nearness"]["distance_mm"] == pytest.approx(nearness_mm, abs=1e-3)
    assert aspects["location"]["between_share"] == pytest.approx(between, abs=1e-4)
    # The opening is the notch's outermost voxel.
    assert aspects["hilum"]["distance_mm"] == pytest.approx(hilum_mm, abs=1e-3)
    assert score.sinus.numbers["volume_ml"] == 16.0
    assert (score.renal.text, score.padua.text) == texts
