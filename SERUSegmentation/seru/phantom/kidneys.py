"""Kidneys: bean, cortex and pyramids, sinus with fat and pelvis, cysts, and the fat around them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seru.phantom.canvas import LEFT_KIDNEY, RIGHT_KIDNEY, Canvas, Patch
from seru.phantom.phases import Densities
from seru.phantom.shapes import (
    Ellipsoid,
    Point,
    Tube,
    Waves,
    draw,
    ellipsoid_distance,
    paint_tube,
    smooth_min,
    to_point,
)
from seru.phantom.texture import Filaments, Texture
from seru.phantom.torso import FAT_HU

_SINUS_FAT_HU = -78.0
_CAPSULE_MM = 14.0


@dataclass(frozen=True)
class Cyst:
    """A simple cyst; it belongs to the kidney, as in KiTS19.

    Attributes:
        ball: its shape.
        hu: its fluid.
    """

    ball: Ellipsoid
    hu: float


class Kidney:
    """One kidney in its own frame: u to the upper pole, v to the convex border, w across."""

    def __init__(
        self, rng: np.random.Generator, side: Literal["right", "left"], spine_xy: Point, is_horseshoe: bool
    ) -> None:
        """Draw the kidney.

        Args:
            rng: draws place, tilt, size, sinus, and cysts.
            side: the patient's side.
            spine_xy: middle of the spine at the kidneys' height, LPS mm.
            is_horseshoe: turns the lower poles inward and joins them before the aorta.
        """
        self.sign = 1.0 if side == "left" else -1.0
        self.owner = LEFT_KIDNEY if side == "left" else RIGHT_KIDNEY
        self._draw_bean(rng, spine_xy, is_horseshoe)
        self._draw_inside(rng)
        self._adrenal = self._draw_adrenal()
        self.isthmus = self._draw_isthmus(spine_xy) if is_horseshoe else None
        self.cysts = [self._draw_cyst(rng) for _ in range(int(rng.choice(4, p=[0.45, 0.3, 0.17, 0.08])))]

    def local_to_lps(self, u: float, v: float, w: float) -> Point:
        """Return the LPS position of a point of the kidney's frame, mm."""
        x, y, z = np.array(self.bean.centre) + np.array([u, v, w]) @ np.array(self.bean.axes)
        return float(x), float(y), float(z)

    def surface_point(self, height: float, around: float) -> tuple[Point, Point]:
        """Return a point of the kidney's surface and the direction out of it.

        Args:
            height: along u, -1 at the lower pole to 1 at the upper one.
            around: angle about u, 0 at the convex border, radians.

        Returns:
            The point in LPS mm, and a unit vector.
        """
        length, width, thickness = self.bean.semi
        ring = math.sqrt(max(1 - height * height, 0.0))
        u, v, w = height * length, ring * math.cos(around) * width, ring * math.sin(around) * thickness
        normal = np.array([u / length**2, v / width**2, w / thickness**2]) @ np.array(self.bean.axes)
        normal = normal / np.linalg.norm(normal)
        bent = v - self._bend_mm * (height * height - 0.35)
        return self.local_to_lps(u, bent, w), to_point(normal)

    def hilum(self) -> Point:
        """Return where vessels and ureter meet the sinus, LPS mm."""
        return self.local_to_lps(0.0, -1.0 * self.bean.semi[1], 0.0)

    def span_mm(self) -> tuple[float, float]:
        """Return the lowest and the highest z that kidney and cysts can reach, mm."""
        bounds = [shape.bounds(3.0) for shape in (self.bean, *(cyst.ball for cyst in self.cysts))]
        low, high = min(low[2] for low, _ in bounds), max(high[2] for _, high in bounds)
        if self.isthmus is not None:
            low = min(low, *(p[2] - r - 3.0 for p, r in zip(self.isthmus.points, self.isthmus.radii, strict=True)))
        return low, high

    def paint_fat(self, canvas: Canvas) -> None:
        """Paint the fat capsule that keeps other organs off, with the thin fascia around it."""
        patch = self._patch(canvas)
        if patch is None:
            return
        distance = self._distance(patch)
        rim = self._capsule_waves(patch.x, patch.y, patch.z) + self._fat_mm
        patch.paint(distance - rim, FAT_HU)
        line = np.abs(distance - rim) - 0.35
        is_behind = 18.0 * np.clip((self.bean.centre[1] - 5.0 - patch.y) * 0.2, 0.0, 1.0)
        patch.paint(line + is_behind, -20.0)
        for cyst in self.cysts:
            around = replace(cyst.ball, semi=to_point(s + 3.0 for s in cyst.ball.semi))
            patch = around.box(canvas)
            if patch is not None:
                patch.paint(around.distance(patch), FAT_HU)

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint the organ, its sinus and its cysts."""
        patch = self._patch(canvas)
        if patch is not None:
            self._paint_parenchyma(patch, densities)
        for limb in self._adrenal:
            paint_tube(canvas, limb, densities.pancreas * 0.85)
        for cyst in self.cysts:
            patch = cyst.ball.box(canvas)
            if patch is not None:
                patch.paint(cyst.ball.distance(patch), cyst.hu, self.owner)

    def paint_ureter(self, canvas: Canvas, densities: Densities, path: list[Point]) -> None:
        """Paint pelvis and ureter down a path."""
        start = self.local_to_lps(-3.0, -1.15 * self.bean.semi[1], 0.0)
        paint_tube(canvas, Tube([start, *path], [4.0] + [2.2] * len(path)), densities.urine, owner=None)

    def _draw_bean(self, rng: np.random.Generator, spine_xy: Point, is_horseshoe: bool) -> None:
        side = self.sign
        tilt = draw(rng, 0.14, 0.36) if not is_horseshoe else -draw(rng, 0.2, 0.35)
        back, turn = draw(rng, 0.1, 0.3), draw(rng, 0.35, 0.75)
        long_axis = np.array([-side * math.sin(tilt), math.sin(back), math.cos(tilt)])
        long_axis /= np.linalg.norm(long_axis)
        convex = np.array([side * math.cos(turn), math.sin(turn), 0.0])
        convex -= long_axis * (convex @ long_axis)
        convex /= np.linalg.norm(convex)
        axes = (to_point(long_axis), to_point(convex), to_point(np.cross(long_axis, convex)))
        size = draw(rng, 0.93, 1.08)
        semi = (55.0 * size * draw(rng, 0.96, 1.07), 30.5 * size * draw(rng, 0.94, 1.06), 25.0 * size)
        out = draw(rng, 63, 72) - (10.0 if is_horseshoe else 0.0)
        height = draw(rng, -4, 6) + (4.0 if side > 0 else -draw(rng, 6, 16)) - (22.0 if is_horseshoe else 0.0)
        centre = (spine_xy[0] + side * out, spine_xy[1] + draw(rng, 2, 8), height)
        self.bean = Ellipsoid(centre, semi, axes)
        self._bend_mm = draw(rng, 5, 11)
        self._lobes = Waves(rng, 4, (28, 60), draw(rng, 0.6, 1.5))
        self._fat_mm, self._capsule_waves = draw(rng, 6, 10), Waves(rng, 3, (35, 70), 1.6)

    def _draw_inside(self, rng: np.random.Generator) -> None:
        length, width, thickness = self.bean.semi
        sizes = (draw(rng, 0.38, 0.48), draw(rng, 0.68, 0.8), draw(rng, 0.34, 0.46))
        self._sinus_semi = (length * sizes[0], width * sizes[1], thickness * sizes[2])
        self._sinus_v = -0.58 * width
        self._sinus_waves = Waves(rng, 5, (14, 26), 1.7)
        self._cortex_mm, self._pyramid_mm = draw(rng, 5.5, 8.0), draw(rng, 17, 23)
        self._pyramid_phase = draw(rng, 0, 6.3)
        self._mottle, self._branches = Texture(rng, 4.0), Filaments(rng, (15, 26))

    def _draw_isthmus(self, spine_xy: Point) -> Tube:
        pole = self.local_to_lps(-0.78 * self.bean.semi[0], -4.0, 0.0)
        before = spine_xy[1] - 52.0
        return Tube([pole, (0.45 * pole[0], before + 10.0, pole[2] - 6.0), (0.0, before, pole[2] - 8.0)], [19, 13, 11])

    def _draw_adrenal(self) -> list[Tube]:
        """Return the two limbs of the adrenal gland, which sits before and inside the upper pole."""
        x, y, z = self.local_to_lps(0.86 * self.bean.semi[0], -0.5 * self.bean.semi[1], 0.0)
        x, y = x - 8.0 * self.sign, y - 9.0
        ends = [(x + self.sign * 10.0, y + 10.0, z - 12.0), (x - self.sign * 1.0, y + 15.0, z - 12.0)]
        return [Tube([(x, y, z + 10.0), (x, y, z), end], [1.6, 3.2, 2.0]) for end in ends]

    def _draw_cyst(self, rng: np.random.Generator) -> Cyst:
        radius = min(4.0 + float(rng.gamma(2.0, 3.5)), 26.0)
        point, out = self.surface_point(draw(rng, -0.85, 0.85), draw(rng, -2.0, 2.0))
        centre = np.array(point) + np.array(out) * radius * draw(rng, -0.5, 0.45)
        semi = to_point(radius * draw(rng, 0.92, 1.08) for _ in range(3))
        return Cyst(Ellipsoid(to_point(centre), semi), draw(rng, 0, 14))

    def _patch(self, canvas: Canvas) -> Patch | None:
        if self.isthmus is None:
            return self.bean.box(canvas, _CAPSULE_MM)
        ends = np.array([self.local_to_lps(*c) for c in np.vstack([np.eye(3), -np.eye(3)]) * self.bean.semi])
        ends = np.vstack([ends, np.array(self.isthmus.points)])
        reach = np.array([12.0, 40.0, 30.0])
        low, high = ends.min(axis=0) - reach, ends.max(axis=0) + reach
        return canvas.box(to_point(low), to_point(high))

    def _local(self, patch: Patch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        u, v, w = self.bean.local(patch)
        return u, v + self._bend_mm * (np.square(u * (1.0 / self.bean.semi[0])) - 0.35), w

    def _distance(self, patch: Patch) -> np.ndarray:
        distance = ellipsoid_distance(*self._local(patch), self.bean.semi)
        distance += self._lobes(patch.x, patch.y, patch.z)
        if self.isthmus is not None:
            joined = smooth_min(distance, self.isthmus.distance(patch), 16.0)
            distance = np.maximum(joined, patch.x * -self.sign)
        return distance

    def _paint_parenchyma(self, patch: Patch, densities: Densities) -> None:
        u, v, w = self._local(patch)
        distance = self._distance(patch)
        sinus = ellipsoid_distance(u, v - self._sinus_v, w, self._sinus_semi)
        sinus += self._sinus_waves(patch.x, patch.y, patch.z)
        mottle = self._mottle(patch.x, patch.y, patch.z)
        patch.paint(distance, densities.cortex + 5.0 * mottle, self.owner)
        wander = self._pyramid_phase + 1.4 * np.sin(w * 0.16 + v * 0.07)
        around = np.arctan2(w, v - self._sinus_v - 3.0)
        columns = np.cos(u * (2 * math.pi / self._pyramid_mm) + wander) + np.cos(3.6 * around + 0.5 * wander)
        medulla = np.maximum(distance + self._cortex_mm, 1.2 - sinus)
        medulla = np.maximum(medulla, (-0.3 - columns) * 3.0)
        patch.paint(medulla, densities.medulla + 5.0 * mottle, self.owner)
        patch.paint(sinus, _SINUS_FAT_HU)
        branches = np.maximum(
            self._branches.distance(patch.x, patch.y, patch.z, 0.9), np.maximum(sinus + 1.5, distance)
        )
        patch.paint(branches, densities.vein, owner=None)
        self._paint_pelvis(patch, u, v, w, densities)

    def _paint_pelvis(self, patch: Patch, u: np.ndarray, v: np.ndarray, w: np.ndarray, densities: Densities) -> None:
        length, width, thickness = self.bean.semi
        pelvis = ellipsoid_distance(u + 2.0, v + 0.95 * width, w, (0.17 * length, 0.55 * width, 0.2 * thickness))
        for height in (-0.27, 0.02, 0.28):
            share = np.clip((v + 0.8 * width) * (1.0 / (0.85 * width)), 0.0, 1.0)
            calyx = np.hypot(u - share * height * length, w) - (1.8 + 2.6 * share)
            calyx = np.maximum(calyx, np.maximum(v - 0.02 * width, -0.8 * width - v))
            pelvis = smooth_min(pelvis, calyx, 4.0)
        patch.paint(pelvis, densities.urine, owner=None)
