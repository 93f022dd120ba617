"""Tumors of the kidney: exophytic or endophytic; solid, necrotic or cystic."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from seru.phantom.canvas import LEFT_TUMOR, RIGHT_TUMOR, Canvas, Patch
from seru.phantom.kidneys import Kidney
from seru.phantom.phases import Densities
from seru.phantom.shapes import Axes, Ellipsoid, Point, Waves, draw, to_point
from seru.phantom.texture import Texture
from seru.phantom.torso import FAT_HU, Torso

TumorKind = Literal["solid", "papillary", "necrotic", "cystic"]
_KINDS: tuple[TumorKind, ...] = ("solid", "papillary", "necrotic", "cystic")
_LARGE_MM, _GIANT_MM = 46.0, 95.0
_BACK_WALL_MM, _MIDLINE_LIMIT_MM = 38.0, 26.0


class Tumor:
    """One tumor that grows from a kidney."""

    def __init__(self, rng: np.random.Generator, kidney: Kidney, torso: Torso, diameter_mm: float | None) -> None:
        """Draw the tumor.

        Args:
            rng: draws size, place and kind.
            kidney: where it grows.
            torso: limits how far it may reach.
            diameter_mm: longest diameter in mm; None draws 18 to 95 mm.
        """
        drawn = min(18.0 + float(rng.gamma(2.2, 13.0)), 95.0)
        diameter = drawn if diameter_mm is None else float(diameter_mm)
        self.owner = LEFT_TUMOR if kidney.sign > 0 else RIGHT_TUMOR
        kind = str(rng.choice(_KINDS, p=[0.42, 0.14, 0.3, 0.14]))
        self.kind: str = "solid" if diameter < 22.0 and kind in ("necrotic", "cystic") else kind
        self.ball = self._draw_ball(rng, kidney, torso, diameter)
        scale = min(max(diameter, 20.0), 110.0)
        self._heterogeneity = Waves(rng, 6, (0.22 * scale, 0.6 * scale), 1.0)
        self._core_share = draw(rng, 0.45, 0.68)
        self._septa = Waves(rng, 5, (0.4 * scale, 0.75 * scale), 1.0)
        self._mottle = Texture(rng, 5.0)
        self._hu_factor = draw(rng, 0.86, 1.12)

    def span_mm(self) -> tuple[float, float]:
        """Return the lowest and the highest z that the tumor can reach, mm."""
        low, high = self.ball.bounds(3.0)
        return low[2], high[2]

    def paint_fat(self, canvas: Canvas) -> None:
        """Paint the rim of fat that keeps other organs off."""
        patch = self.ball.box(canvas, 8.0)
        if patch is not None:
            patch.paint(self.ball.distance(patch) - 3.0, FAT_HU)

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint the tumor over its kidney."""
        patch = self.ball.box(canvas, 6.0)
        if patch is None:
            return
        distance = self.ball.distance(patch)
        patch.paint(distance, self._inside(patch, distance, densities), self.owner)

    def _inside(self, patch: Patch, distance: np.ndarray, densities: Densities) -> np.ndarray:
        uneven = self._heterogeneity(patch.x, patch.y, patch.z)
        mottle = self._mottle(patch.x, patch.y, patch.z)
        is_enhanced = densities.cortex > 80
        solid = densities.tumor * self._hu_factor
        if self.kind == "papillary":
            return (solid if not is_enhanced else 0.62 * solid) + 3.0 * mottle
        base = solid + (12.0 if is_enhanced else 3.0) * uneven + 4.0 * mottle
        if self.kind == "solid":
            return base
        radius = float(np.mean(self.ball.semi))
        if self.kind == "necrotic":
            core = distance + radius * (1.0 - self._core_share) + 0.13 * radius * uneven
            return base + _share(core) * (26.0 + 4.0 * uneven - base)
        return base + self._fluid_share(patch, -distance, uneven, radius) * (13.0 - base)

    def _fluid_share(self, patch: Patch, depth: np.ndarray, uneven: np.ndarray, radius: float) -> np.ndarray:
        """Return where a cystic tumor holds fluid: inside its wall, between its septa, off its nodules; 0 to 1."""
        septa = np.abs(self._septa(patch.x, patch.y, patch.z)) * (0.16 * radius) - 0.9
        nodule = np.maximum(depth - 0.5 * radius, (0.75 - uneven) * 0.25 * radius)
        return _share(-1.6 * np.minimum(np.minimum(depth - 2.5, septa), nodule))

    def _draw_ball(self, rng: np.random.Generator, kidney: Kidney, torso: Torso, diameter: float) -> Ellipsoid:
        radius = diameter / 2
        is_large = diameter > _LARGE_MM
        height = float(rng.choice([-1, 1])) * draw(rng, 0.75, 0.95) if is_large else draw(rng, -0.78, 0.78)
        point, out = kidney.surface_point(height, draw(rng, -1.9, 1.9))
        growth = draw(rng, 0.05, 0.5) if is_large else draw(rng, -0.55, 0.6)
        centre = np.array(point) + np.array(out) * radius * growth
        shrink = (1.0, draw(rng, 0.84, 0.97), draw(rng, 0.84, 0.97))
        if diameter > _GIANT_MM:
            return self._giant(rng, kidney, torso, diameter)
        axes = _random_axes(rng)
        inside = self._kept_inside(centre, radius, kidney, torso)
        waves = Waves(rng, 4, (max(0.7 * diameter, 18.0), max(1.4 * diameter, 36.0)), 0.022 * diameter)
        return Ellipsoid(inside, to_point(radius * s for s in shrink), axes, waves)

    @staticmethod
    def _kept_inside(centre: np.ndarray, radius: float, kidney: Kidney, torso: Torso) -> Point:
        """Move a tumor's centre off the spine, the back and the flank by what it would overlap them."""
        x, y, z = centre.tolist()
        y = min(y, torso.back_mm - _BACK_WALL_MM - 0.9 * radius)
        x = kidney.sign * max(kidney.sign * x, _MIDLINE_LIMIT_MM + 0.9 * radius)
        angle, reach = math.atan2(x, -y), math.hypot(x, y)
        limit = max(torso.cavity_radius_mm(angle) - 0.95 * radius, 20.0)
        scale = min(1.0, limit / reach)
        return x * scale, y * scale, z

    @staticmethod
    def _giant(rng: np.random.Generator, kidney: Kidney, torso: Torso, diameter: float) -> Ellipsoid:
        """Return a mass that is longest from head to foot and fills its half of the cavity before the kidney."""
        width = min(diameter / 2, 0.46 * torso.cavity_half_width_mm) * draw(rng, 0.9, 0.98)
        back = kidney.bean.centre[1] + 6.0
        depth = min(diameter / 2, 0.5 * (torso.cavity_front_mm + back - 4.0)) * draw(rng, 0.9, 0.98)
        x = kidney.sign * (torso.cavity_half_width_mm - 8.0 - width)
        y = back - depth
        z = 0.4 * kidney.bean.centre[2] + draw(rng, -6, 6)
        waves = Waves(rng, 4, (80, 180), 2.5)
        return Ellipsoid((x, y, z), (width, depth, diameter / 2), waves=waves)


def _share(distance: np.ndarray) -> np.ndarray:
    """Return how far inside a soft border points are, 0 to 1."""
    return np.clip(0.5 - distance * 0.25, 0.0, 1.0)


def _random_axes(rng: np.random.Generator) -> Axes:
    turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    first, second, third = (to_point(axis) for axis in turned.T)
    return first, second, third
