"""Stomach, colon and small bowel, with gas, fluid and stool."""

from __future__ import annotations

import math

import numpy as np

from seru.phantom.canvas import Canvas, Patch
from seru.phantom.phases import Densities
from seru.phantom.shapes import Point, Tube, Waves, draw
from seru.phantom.texture import Filaments, Texture
from seru.phantom.viscera import Place

_GAS_HU = -960.0


class Stomach:
    """A bent bag of fluid under gas."""

    def __init__(self, rng: np.random.Generator, place: Place) -> None:
        """Draw the stomach.

        Args:
            rng: draws filling and shape.
            place: puts it into this patient's cavity.
        """
        full = draw(rng, 0.7, 1.05)
        points = [place(68, 4, 88), place(72, -34, 68), place(40, -64, 42), place(0, -62, 34), place(-26, -44, 26)]
        self._bag = Tube(points, [40 * full, 34 * full, 24 * full, 17, 12])
        self._waves = Waves(rng, 4, (40, 80), 2.5)
        self._wall_mm = draw(rng, 3.5, 5.0)
        front = points[1][1] - 33 * full
        self._level_mm = front + draw(rng, 6, 34)
        has_contrast = rng.random() < 0.25
        self._content_hu = draw(rng, 150, 300) if has_contrast else draw(rng, 8, 40)
        self._mottle = Texture(rng, 9.0)

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint wall, content and gas."""
        patch = self._bag.box(canvas, 6.0)
        if patch is None:
            return
        distance = self._bag.distance(patch) + self._waves(patch.x, patch.y, patch.z)
        patch.paint(distance, densities.mucosa * 0.9)
        content = self._content_hu + 9.0 * self._mottle(patch.x, patch.y, patch.z)
        patch.paint(distance + self._wall_mm, content)
        patch.paint(np.maximum(distance + self._wall_mm, patch.y - self._level_mm), _GAS_HU)


class Colon:
    """Ascending, transverse and descending colon with haustra, stool and gas."""

    def __init__(self, rng: np.random.Generator, place: Place) -> None:
        """Draw the colon.

        Args:
            rng: draws course, width and content.
            place: puts it into this patient's cavity.
        """
        course = (
            (-92, 4, -175, 22), (-112, 14, -120, 24), (-116, 20, -62, 22), (-108, 8, -22, 20), (-92, -42, -16, 18),
            (-46, -82, -34, 18), (4, -88, -44, 17), (54, -80, -26, 17), (96, -48, 10, 18), (114, 6, 34, 18),
            (120, 28, 2, 16), (120, 34, -56, 14), (112, 24, -116, 14), (94, 10, -180, 14),
        )  # fmt: skip
        size, sag = draw(rng, 0.85, 1.12), draw(rng, -22, 22)
        points, radii = [], []
        for x, y, z, radius in course:
            lowered = z + sag * (1.0 if abs(x) < 80 and z > -100 else 0.0)
            moved = np.array(place(x, y, lowered)) + rng.uniform(-4, 4, size=3)
            points.append(tuple(moved.tolist()))
            radii.append(radius * size * draw(rng, 0.85, 1.15))
        self._tube = Tube(points, radii)
        self._haustra = Waves(rng, 4, (22, 40), 2.4)
        self._gas_share = [draw(rng, -1.1, 1.6) for _ in radii]
        self._stool_hu, self._lumps, self._grains = draw(rng, -20, 60), Waves(rng, 5, (18, 42), 1.0), Texture(rng, 3.6)

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint wall and content, the walls first so that the lumen stays open."""
        pieces = [(piece, piece.box(canvas, 6.0)) for piece in self._tube.segments()]
        lumens = []
        for (piece, patch), gas in zip(pieces, self._gas_share, strict=False):
            if patch is None:
                continue
            distance = piece.distance(patch) + self._haustra(patch.x, patch.y, patch.z)
            patch.paint(distance, densities.mucosa * 0.75)
            lumens.append((patch, distance + 2.6, gas, piece))
        for patch, lumen, gas, piece in lumens:
            self._paint_content(patch, lumen, gas, piece)

    def _paint_content(self, patch: Patch, lumen: np.ndarray, gas: float, piece: Tube) -> None:
        grains = self._grains(patch.x, patch.y, patch.z)
        lumps = self._lumps(patch.x, patch.y, patch.z)
        stool = np.where(grains > 1.25, -420.0, self._stool_hu + 26.0 * grains)
        patch.paint(lumen, stool)
        middle = (piece.points[0][1] + piece.points[1][1]) / 2
        bubbles = (patch.y - middle) * 0.6 + 7.0 * lumps - 9.0 * gas
        patch.paint(np.maximum(lumen, bubbles), _GAS_HU)


class SmallBowel:
    """Loops that fill the middle of the belly, with the vessels of the mesentery between them."""

    def __init__(self, rng: np.random.Generator, place: Place) -> None:
        """Draw the loops.

        Args:
            rng: draws course, width and content.
            place: puts them into this patient's cavity.
        """
        gap = draw(rng, 25, 30)
        has_contrast = rng.random() < 0.2
        self._loops: list[tuple[Tube, float]] = []
        for layer, z in enumerate(np.arange(-190.0, 34.0, gap)):
            for y in np.arange(-84.0, -14.0, gap):
                for x in np.arange(-84.0, 90.0, gap):
                    shift = 0.5 * gap * (layer % 2)
                    if math.hypot((x + shift) / 96.0, (y + 20.0) / 78.0) < 1.0 and z < 30 - 0.45 * abs(x - 20):
                        self._loops.append(self._draw_loop(rng, place(x + shift, y, float(z)), gap, has_contrast))
        duodenum = [
            place(-34, -46, 26),
            place(-50, -30, 12),
            place(-46, -12, -22),
            place(-26, -8, -44),
            place(26, -20, -38),
        ]
        self._loops.append((Tube(duodenum, [12.0, 13.0, 13.0, 12.0, 11.0]), draw(rng, 15, 40)))
        order = rng.permutation(len(self._loops))
        self._loops = [self._loops[n] for n in order]
        self._folds = Waves(rng, 4, (9, 16), 0.9)
        self._mesentery = Filaments(rng, (34, 60))

    def paint_mesentery(self, canvas: Canvas, densities: Densities, place: Place) -> None:
        """Paint thin vessels into the fat in which the loops will lie."""
        patch = canvas.box(place(-95, -95, -190), place(95, 10, 40))
        if patch is None:
            return
        x, y, _ = place(88, 70, 0)
        inside = (np.hypot(patch.x * (1 / x), (patch.y + 22.0) * (1 / y)) - 1.0) * 60.0
        vessels = np.maximum(self._mesentery.distance(patch.x, patch.y, patch.z, 1.15), inside)
        patch.paint(vessels, densities.portal)

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint the loops one after the other."""
        for loop, content_hu in self._loops:
            patch = loop.box(canvas, 2.0)
            if patch is None:
                continue
            distance = loop.distance(patch)
            distance += self._folds(patch.x, patch.y, patch.z)
            patch.paint(distance - 0.6, -75.0)
            patch.paint(distance, densities.mucosa)
            lumen = distance + (2.3 if loop.radii[0] > 9.5 else 5.0)
            patch.paint(lumen, content_hu)
            if content_hu < -500:
                patch.paint(np.maximum(lumen, loop.points[1][1] + 1.0 - patch.y), 22.0)

    @staticmethod
    def _draw_loop(rng: np.random.Generator, middle: Point, gap: float, has_contrast: bool) -> tuple[Tube, float]:
        centre = np.array(middle) + rng.uniform(-0.2, 0.2, size=3) * gap
        along, bent = rng.normal(size=(2, 3)) * np.array([1.0, 1.0, 0.8])
        along *= 0.72 * gap / np.linalg.norm(along)
        bent *= 0.3 * gap / np.linalg.norm(bent)
        points = [tuple(p.tolist()) for p in (centre - along + bent, centre, centre + along + bent)]
        radius = gap * draw(rng, 0.28, 0.5)
        chance = rng.random()
        content = draw(rng, 10, 40) if chance < 0.9 else _GAS_HU
        if has_contrast and chance < 0.6:
            content = draw(rng, 140, 330)
        return Tube(points, [radius, radius * draw(rng, 0.85, 1.1), radius * draw(rng, 0.8, 1.05)]), content
