"""One patient: every organ drawn from the seed, and the order in which they are painted."""

from __future__ import annotations

import zlib

import numpy as np

from seru.phantom.bowel import Colon, SmallBowel, Stomach
from seru.phantom.canvas import Canvas
from seru.phantom.kidneys import Kidney
from seru.phantom.options import PhantomOptions
from seru.phantom.phases import draw_densities
from seru.phantom.shapes import Point
from seru.phantom.skeleton import Pelvis, Ribs, Spine, SpineMuscles
from seru.phantom.torso import Torso
from seru.phantom.tumors import Tumor
from seru.phantom.vessels import GreatVessels
from seru.phantom.viscera import Chest, Viscera

_STANDARD_HALF_WIDTH_MM, _STANDARD_FRONT_MM, _STANDARD_BACK_MM = 138.0, 96.0, 112.0
_SECOND_TUMOR_CHANCE = 0.12


class Patient:
    """The anatomy of one seed, in LPS mm; each organ has its own random numbers."""

    def __init__(self, options: PhantomOptions) -> None:
        """Draw the patient.

        Args:
            options: seed, kidneys, tumors and phase; the grid is not looked at.
        """
        self._seed = int(options.seed)
        self.densities = draw_densities(self._rng("phase"), options.phase)
        self.torso = Torso(self._rng("torso"))
        self.spine = Spine(self._rng("spine"), self.torso.back_mm)
        self.muscles = SpineMuscles(self._rng("muscles"), self.spine)
        self.ribs, self.pelvis = Ribs(self._rng("ribs")), Pelvis(self._rng("pelvis"))
        self.viscera = Viscera(self._rng("viscera"), self.place)
        self.chest = Chest(self._rng("chest"), self.place)
        self.stomach = Stomach(self._rng("stomach"), self.place)
        self.colon = Colon(self._rng("colon"), self.place)
        self.small_bowel = SmallBowel(self._rng("small bowel"), self.place)
        self.vessels = GreatVessels(self._rng("vessels"), self.spine)
        self.kidneys = self._draw_kidneys(options)
        self.tumors = self._draw_tumors(options)

    def kidneys_and_tumors(self) -> list[Kidney | Tumor]:
        """Return the organs whose truth is known."""
        return [*self.kidneys.values(), *self.tumors]

    def place(self, x: float, y: float, z: float) -> Point:
        """Return where a position of the standard cavity lies in this patient, LPS mm."""
        across = self.torso.cavity_half_width_mm / _STANDARD_HALF_WIDTH_MM
        ahead = self.torso.cavity_front_mm / _STANDARD_FRONT_MM if y < 0 else self.torso.back_mm / _STANDARD_BACK_MM
        return x * across, y * ahead, float(z)

    def paint(self, canvas: Canvas) -> None:
        """Paint the patient on the table, the later organs over the earlier ones."""
        densities = self.densities
        layers = self.torso.layers(canvas)
        self.torso.paint_cavity(canvas)
        self.small_bowel.paint_mesentery(canvas, densities, self.place)
        self.small_bowel.paint(canvas, densities)
        self.stomach.paint(canvas, densities)
        self.colon.paint(canvas, densities)
        self.viscera.paint(canvas, densities)
        self.chest.paint(canvas, layers, densities)
        self._paint_urinary(canvas)
        self.vessels.paint(canvas, densities)
        self.muscles.paint(canvas, densities)
        self.torso.paint_wall(canvas, layers, densities)
        self.torso.paint_table(canvas, layers)
        self.spine.paint(canvas)
        self.pelvis.paint(canvas)
        self.ribs.paint(canvas, layers)

    def _paint_urinary(self, canvas: Canvas) -> None:
        for part in self.kidneys_and_tumors():
            part.paint_fat(canvas)
        for kidney in self.kidneys.values():
            kidney.paint(canvas, self.densities)
        for kidney in self.kidneys.values():
            self.vessels.paint_renal(canvas, kidney, self.densities)
            kidney.paint_ureter(canvas, self.densities, self._ureter(kidney))
        for tumor in self.tumors:
            tumor.paint(canvas, self.densities)

    def _ureter(self, kidney: Kidney) -> list[Point]:
        path = []
        for z in (-55.0, -85.0, -120.0, -180.0):
            x, y = self.spine.centre_mm(z)
            path.append((x + kidney.sign * 38.0, y - 20.0 + 0.15 * (z + 55.0), z))
        return path

    def _draw_kidneys(self, options: PhantomOptions) -> dict[str, Kidney]:
        spine_xy = (*self.spine.centre_mm(0.0), 0.0)
        is_horseshoe = options.kidneys == "horseshoe"
        return {s: Kidney(self._rng(f"{s} kidney"), s, spine_xy, is_horseshoe) for s in options.kidney_sides}

    def _draw_tumors(self, options: PhantomOptions) -> list[Tumor]:
        tumors = []
        for side in options.tumor_sides:
            rng = self._rng(f"{side} tumor")
            has_second = rng.random() < _SECOND_TUMOR_CHANCE and options.tumor_diameter_mm is None
            for _ in range(1 + has_second):
                tumors.append(Tumor(rng, self.kidneys[side], self.torso, options.tumor_diameter_mm))
        return tumors

    def _rng(self, organ: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(organ.encode())])
