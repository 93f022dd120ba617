"""Liver, gallbladder, spleen, pancreas, lungs and heart."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from seru.phantom.canvas import Canvas, Patch
from seru.phantom.phases import Densities
from seru.phantom.shapes import Ellipsoid, Point, Tube, Waves, draw, paint_tube, smooth_min, to_point
from seru.phantom.texture import Filaments, Texture
from seru.phantom.torso import FAT_HU, Layers

Place = Callable[[float, float, float], Point]
"""Turns a position in a standard cavity into this patient's LPS mm."""


class Viscera:
    """The solid organs of the upper abdomen."""

    def __init__(self, rng: np.random.Generator, place: Place) -> None:
        """Draw the organs.

        Args:
            rng: draws size, shape and density.
            place: puts them into this patient's cavity.
        """
        size, low = draw(rng, 0.92, 1.08), draw(rng, -18, 12)
        right_semi = (92 * size, 104 * size, 96 * size)
        self._right_lobe = Ellipsoid(place(-78, -8, 52 + low), right_semi, waves=Waves(rng, 4, (90, 170), 3.5))
        tilt = draw(rng, -0.3, -0.12)
        left_axes = ((math.cos(tilt), 0.0, -math.sin(tilt)), (0.0, 1.0, 0.0), (math.sin(tilt), 0.0, math.cos(tilt)))
        left_semi = (draw(rng, 66, 92), 44 * size, 46 * size)
        self._left_lobe = Ellipsoid(place(-2, -66, 76 + low), left_semi, left_axes, Waves(rng, 3, (70, 120), 2.5))
        self._under = (draw(rng, 0.55, 0.75), draw(rng, 0.1, 0.4), -0.72, draw(rng, -4, 12) + 0.2 * low)
        self._liver_mottle, self._liver_vessels = Texture(rng, 6.0), Filaments(rng, (52, 90))
        self._liver_fat_hu = -draw(rng, 0, 25) if rng.random() < 0.3 else 0.0
        self._gallbladder = Tube([place(-52, -42, 22 + low), place(-64, -66, -8 + low)], [8.0, draw(rng, 12, 17)])
        self._spleen = self._draw_spleen(rng, place)
        self._pancreas = _draw_pancreas(rng, place)
        self._lobules = Waves(rng, 5, (10, 18), 1.3)

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint the organs, the later over the earlier."""
        self._paint_pancreas(canvas, densities)
        self._paint_liver(canvas, densities)
        paint_tube(canvas, self._gallbladder, 45.0)
        paint_tube(canvas, Tube(self._gallbladder.points, [r - 1.5 for r in self._gallbladder.radii]), 9.0)
        self._paint_spleen(canvas, densities)

    def _paint_liver(self, canvas: Canvas, densities: Densities) -> None:
        hu = densities.liver + self._liver_fat_hu
        boxes = [self._right_lobe.box(canvas, 12.0), self._left_lobe.box(canvas, 8.0)]
        for lobe, patch in zip((self._right_lobe, self._left_lobe), boxes, strict=True):
            if patch is None:
                continue
            right = self._cut_right(patch)
            distance = right if lobe is self._right_lobe else smooth_min(lobe.distance(patch), right, 14.0)
            patch.paint(distance, hu + 2.5 * self._liver_mottle(patch.x, patch.y, patch.z))
            vessels = np.maximum(self._liver_vessels.distance(patch.x, patch.y, patch.z, 2.6), distance + 6.0)
            patch.paint(vessels, densities.portal if hu < densities.portal else hu - 16.0)

    def _cut_right(self, patch: Patch) -> np.ndarray:
        """Return the distance to the right lobe, cut by the plane of its lower surface."""
        nx, ny, nz, offset = self._under
        x, y, z = self._right_lobe.centre
        plane = (patch.x - x) * nx + (patch.y - y) * ny + (patch.z - z) * nz - (52.0 + offset)
        return np.maximum(self._right_lobe.distance(patch), plane * 0.85)

    def _draw_spleen(self, rng: np.random.Generator, place: Place) -> tuple[Ellipsoid, Ellipsoid, Texture]:
        size, turn = draw(rng, 0.85, 1.15), draw(rng, 0.35, 0.6)
        axes = ((math.cos(turn), math.sin(turn), 0.12), (-math.sin(turn), math.cos(turn), 0.0), (-0.12, 0.0, 1.0))
        centre = place(112, 36, 78 + draw(rng, -8, 10))
        outer = Ellipsoid(centre, (33 * size, 52 * size, 55 * size), axes, Waves(rng, 3, (50, 90), 2.0))
        inner_centre = (centre[0] - 46 * size, centre[1] - 24.0 * size, centre[2])
        inner = Ellipsoid(inner_centre, (36 * size, 58 * size, 70 * size), axes, Waves(rng, 3, (30, 60), 2.5))
        return outer, inner, Texture(rng, 9.0)

    def _paint_spleen(self, canvas: Canvas, densities: Densities) -> None:
        outer, inner, mottle = self._spleen
        patch = outer.box(canvas, 6.0)
        if patch is None:
            return
        distance = np.maximum(outer.distance(patch), -inner.distance(patch))
        marbling = 14.0 if densities.aorta > 200 else 2.5
        patch.paint(distance, densities.spleen + marbling * mottle(patch.x, patch.y, patch.z))

    def _paint_pancreas(self, canvas: Canvas, densities: Densities) -> None:
        for segment in self._pancreas.segments():
            patch = segment.box(canvas, 5.0)
            if patch is not None:
                lobules = self._lobules(patch.x, patch.y, patch.z)
                patch.paint(segment.distance(patch) + lobules, densities.pancreas + 9.0 * lobules)


class Chest:
    """Lungs above the diaphragm's domes, and the heart between them."""

    def __init__(self, rng: np.random.Generator, place: Place) -> None:
        """Draw the chest.

        Args:
            rng: draws the height of the domes.
            place: puts them into this patient's cavity.
        """
        top = draw(rng, 110, 135)
        self._domes = (
            Ellipsoid(place(-68, -22, 15), (96, 122, top - 15.0), waves=Waves(rng, 3, (80, 160), 3.0)),
            Ellipsoid(place(70, -22, 8), (96, 122, top - 26.0), waves=Waves(rng, 3, (80, 160), 3.0)),
        )
        self._heart = Ellipsoid(place(24, -40, top + 34.0), (68, 58, 50), waves=Waves(rng, 3, (60, 100), 3.0))
        self._vessels = Filaments(rng, (26, 44))
        self._mottle, self._mediastinum = Texture(rng, 8.0), Waves(rng, 4, (45, 110), 6.0)

    def paint(self, canvas: Canvas, layers: Layers, densities: Densities) -> None:
        """Paint lungs and heart; they end what the abdomen's organs would carry above the diaphragm."""
        patch = canvas.box((-260, -260, 25), (260, 260, 2000))
        if patch is None:
            return
        cavity = patch.cut(layers.cavity)
        domes = np.minimum(self._domes[0].distance(patch), self._domes[1].distance(patch))
        above = np.maximum(np.maximum(3.0 - domes, cavity + 1.0), 30.0 - patch.z)
        patch.paint(above - 2.0, FAT_HU + 20.0)
        middle = 22.0 - np.abs(patch.x - 3.0) + self._mediastinum(patch.x, patch.y, patch.z)
        lungs = np.maximum(above, middle)
        patch.paint(lungs, -845.0 + 22.0 * self._mottle(patch.x, patch.y, patch.z))
        vessels = np.maximum(self._vessels.distance(patch.x, patch.y, patch.z, 0.85), lungs + 6.0)
        patch.paint(vessels, 20.0)
        heart = self._heart.distance(patch)
        patch.paint(np.maximum(heart - 5.0, 4.0 - domes), FAT_HU + 15.0)
        patch.paint(np.maximum(heart, 6.0 - domes), densities.heart * 0.8)
        patch.paint(np.maximum(heart + 11.0, 8.0 - domes), densities.heart)


def _draw_pancreas(rng: np.random.Generator, place: Place) -> Tube:
    thick = draw(rng, 0.8, 1.15)
    points = [place(-38, -22, -12), place(-34, -28, 14), place(-4, -38, 30), place(34, -26, 40), place(72, 2, 56)]
    moved = [to_point(np.array(point) + rng.uniform(-4, 4, 3)) for point in points]
    return Tube(moved, [11 * thick, 14 * thick, 8 * thick, 10 * thick, 9 * thick])
