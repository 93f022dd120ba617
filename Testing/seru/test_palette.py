"""One palette for panel, views and pictures."""

from __future__ import annotations

import itertools
import math

from seru.terminology import COLORS, SEGMENTS, SEGMENTS_BY_SIDE


def test_no_two_colors_of_the_palette_are_alike() -> None:
    alike = [(a, b) for a, b in itertools.combinations(COLORS, 2) if math.dist(COLORS[a], COLORS[b]) < 0.25]

    assert alike == []


def test_segments_take_their_colors_from_the_palette() -> None:
    for term in (*SEGMENTS, *SEGMENTS_BY_SIDE):
        assert term.color == COLORS["kidney" if term.label == 1 else "tumor"]
