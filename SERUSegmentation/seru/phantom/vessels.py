"""Aorta, vena cava and their branches to the kidneys and the gut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seru.phantom.canvas import Canvas
from seru.phantom.kidneys import Kidney
from seru.phantom.phases import Densities
from seru.phantom.shapes import Tube, draw, paint_tube, to_point
from seru.phantom.skeleton import Spine


class GreatVessels:
    """The large vessels in front of the spine."""

    def __init__(self, rng: np.random.Generator, spine: Spine) -> None:
        """Draw the vessels.

        Args:
            rng: draws calibre and course.
            spine: what they lie before.
        """
        self._aorta_mm, self._cava_mm = draw(rng, 8.5, 12), draw(rng, 9.5, 12)
        self._spine = spine
        split = draw(rng, -95, -78)
        self._aorta = self._along(7.0, -28.0, (190, 140, 100, 60, 20, -20, -60, split), self._aorta_mm)
        self._cava = self._along(-18.0, -25.0, (60, 20, -20, -60, split - 12), self._cava_mm)
        upper = self._cava.points[0]
        self._cava_head = Tube([upper, (upper[0] - 4.0, upper[1] - 18.0, 105.0), (-14.0, -24.0, 150.0)], [11, 12, 13])
        self._iliacs = [self._iliac(self._aorta, side, 6.0) for side in (-1.0, 1.0)]
        self._iliacs += [self._iliac(self._cava, side, 7.5) for side in (-1.0, 1.0)]
        x, y, _ = self._aorta.points[3]
        course = [(x, y - 6, 34), (x, y - 22, 26), (x - 3, y - 27, 0), (x - 6, y - 32, -50)]
        self._mesenteric = Tube(course, [4, 4, 3.6, 3])
        self._mesenteric_vein = Tube([(x - 26, y - 36, 36), (x - 15, y - 29, 18), (x - 13, y - 30, -50)], [6.5, 5.5, 4])
        self._calcium = [(draw(rng, 0, 6.3), draw(rng, -80, 60)) for _ in range(int(rng.choice(5)))]

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint the large vessels over everything around them."""
        paint_tube(canvas, self._mesenteric, densities.aorta)
        paint_tube(canvas, self._mesenteric_vein, densities.portal)
        for vessel in (self._cava, self._cava_head, *self._iliacs[2:]):
            paint_tube(canvas, vessel, densities.vein)
        for vessel in (self._aorta, *self._iliacs[:2]):
            paint_tube(canvas, Tube(vessel.points, [r + 1.0 for r in vessel.radii]), 45.0)
            paint_tube(canvas, vessel, densities.aorta)
        self._paint_calcium(canvas)

    def paint_renal(self, canvas: Canvas, kidney: Kidney, densities: Densities) -> None:
        """Paint artery and vein of a kidney up to its sinus.

        Args:
            canvas: where to paint.
            kidney: the kidney that they serve.
            densities: the patient's densities.
        """
        hilum = np.array(kidney.hilum())
        inner = kidney.local_to_lps(2.0, -0.45 * kidney.bean.semi[1], 2.0)
        root = hilum[2] + 8.0
        aorta, cava = (np.array([*self._place(*place, root), root]) for place in ((7.0, -28.0), (-18.0, -25.0)))
        middle = 0.5 * (aorta + hilum) + np.array([0.0, 4.0 if kidney.sign < 0 else -2.0, 4.0])
        paint_tube(canvas, _tube((aorta, middle, hilum, inner), (3.2, 2.9, 2.6, 1.8)), densities.aorta, owner=None)
        if kidney.sign > 0:
            course = [cava, aorta + np.array([0.0, -self._aorta_mm - 5.0, 2.0]), 0.4 * aorta + 0.6 * hilum, hilum]
        else:
            course = [cava, 0.5 * (cava + hilum) + np.array([0.0, -4.0, 0.0]), hilum]
        course = [point + np.array([0.0, -5.0, -4.0]) for point in course]
        paint_tube(canvas, _tube((*course, inner), (5.5,) * (len(course) - 1) + (4.6, 2.5)), densities.vein, owner=None)

    def _place(self, out: float, ahead: float, z: float) -> tuple[float, float]:
        x, y = self._spine.centre_mm(z)
        return x + out, y + ahead

    def _along(self, out: float, ahead: float, heights: tuple[float, ...], radius: float) -> Tube:
        points = [(*self._place(out, ahead, float(z)), float(z)) for z in heights]
        return Tube(points, [radius * (1.0 + 0.0012 * z) for z in heights])

    def _iliac(self, trunk: Tube, side: float, radius: float) -> Tube:
        x, y, z = trunk.points[-1]
        return Tube([(x, y, z), (side * 24.0, y + 2.0, z - 32.0), (side * 50.0, y - 4.0, z - 110.0)], [radius] * 3)

    def _paint_calcium(self, canvas: Canvas) -> None:
        for angle, z in self._calcium:
            x, y = self._place(7.0, -28.0, z)
            spot = (x + self._aorta_mm * float(np.cos(angle)), y + self._aorta_mm * float(np.sin(angle)))
            paint_tube(canvas, Tube([(*spot, z), (*spot, z + 5.0)], [1.3, 1.3]), 600.0)


def _tube(points: Iterable[Iterable[float]], radii: Sequence[float]) -> Tube:
    return Tube([to_point(point) for point in points], radii)
