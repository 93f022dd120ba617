"""The trunk: skin, fat, the muscle wall around the cavity, and the table under the patient."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seru.phantom.canvas import Canvas
from seru.phantom.phases import Densities
from seru.phantom.shapes import Waves, draw, smooth_step
from seru.phantom.texture import Texture

FAT_HU = -102.0
_ANGLES = 4096
_CHEST_FROM_MM, _CHEST_TO_MM = 10.0, 115.0


@dataclass(frozen=True)
class Layers:
    """Distances to the trunk's layers over a canvas, float32 mm, negative inside.

    Attributes:
        skin: to the skin's surface.
        wall: to the outside of the muscle wall.
        cavity: to the inside of the muscle wall.
        angle: about the body's axis, 0 in front, positive to the left, radians.
        radius: from the body's axis.
    """

    skin: np.ndarray
    wall: np.ndarray
    cavity: np.ndarray
    angle: np.ndarray
    radius: np.ndarray


class Torso:
    """The trunk of one patient, described by radius against angle at the belly and at the chest."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw the trunk.

        Args:
            rng: draws size, fat and muscle.
        """
        self.half_width_mm = draw(rng, 161, 187)
        self.front_mm = self.half_width_mm * draw(rng, 0.68, 0.78)
        self.back_mm = self.half_width_mm * draw(rng, 0.60, 0.66)
        self._belly = self._profiles(rng, is_chest=False)
        self._chest = self._profiles(rng, is_chest=True)
        self._waist, self._hip = draw(rng, 0.01, 0.045), draw(rng, 0.01, 0.05)
        self._bumps = Waves(rng, 3, (140, 320), draw(rng, 0.8, 2.0))
        self._layering = Waves(rng, 2, (60, 120), 0.7)
        self._strands, self._fibres = Texture(rng, 4.0), Texture(rng, 5.0)
        cavity = self._belly[2]
        self.cavity_half_width_mm = float(cavity[_ANGLES * 3 // 4])
        self.cavity_front_mm = float(cavity[_ANGLES // 2])

    def cavity_radius_mm(self, angle: float) -> float:
        """Return the radius of the cavity at the belly in mm, at an angle as in ``Layers``."""
        return float(self._belly[2][int((angle + math.pi) * _ANGLES / (2 * math.pi)) % _ANGLES])

    def layers(self, canvas: Canvas) -> Layers:
        """Return the distances to the layers over a canvas."""
        x, y, z = canvas.x, canvas.y, canvas.z
        angle = np.arctan2(x, -y)
        radius = np.sqrt(x * x + y * y)
        index = ((angle + math.pi) * (_ANGLES / (2 * math.pi))).astype(np.int32) % _ANGLES
        chest = smooth_step(z, _CHEST_FROM_MM, _CHEST_TO_MM)
        size = 1.0 - self._waist * np.exp(-np.square((z + 15.0) / 55.0)) + self._hip * smooth_step(-z, 60.0, 170.0)
        bumps = radius - self._bumps(x, y, z)
        radii = ((belly[index], thorax[index]) for belly, thorax in zip(self._belly, self._chest, strict=True))
        skin, wall, cavity = (bumps - size * (low + chest * (high - low)) for low, high in radii)
        return Layers(skin, wall, cavity, angle, radius)

    def paint_cavity(self, canvas: Canvas) -> None:
        """Fill everything with fat, which the organs then cover."""
        canvas.hu[...] = FAT_HU + 7.0 * self._strands(canvas.x, canvas.y, canvas.z)

    def paint_wall(self, canvas: Canvas, layers: Layers, densities: Densities) -> None:
        """Paint what holds the organs in: muscle wall, subcutaneous fat, skin and the air outside."""
        strands = self._strands(canvas.x, canvas.y, canvas.z)
        canvas.paint(-layers.cavity, self._muscle(canvas, layers, densities))
        canvas.paint(-layers.wall, FAT_HU - 3.0 + 6.0 * strands)
        canvas.paint(-2.2 - layers.skin, 25.0)
        canvas.paint(-layers.skin, -1000.0)

    def _muscle(self, canvas: Canvas, layers: Layers, densities: Densities) -> np.ndarray:
        """Return the density of the wall: fibres, and lines of fat between its sheets and its bundles."""
        muscle = densities.muscle + 6.0 * self._fibres(canvas.x, canvas.y, canvas.z * 0.6)
        share = -layers.wall / np.maximum(layers.cavity - layers.wall, 1.0)
        wander = self._layering(canvas.x, canvas.y, canvas.z)
        angle = np.abs(layers.angle)
        flank = np.exp(-np.square((angle - 1.35) * (1 / 0.42)))
        for border in (0.38, 0.7):
            muscle -= 75.0 * flank * np.exp(-np.square((share + 0.06 * wander - border) * (1 / 0.07)))
        bundles = np.exp(-np.square((angle - 2.72 + 0.05 * wander - 0.12 * (share - 0.5)) * (1 / 0.018)))
        bundles += np.exp(-np.square((angle - 2.44 + 0.03 * wander) * (1 / 0.022)))
        muscle -= 90.0 * np.clip(bundles * np.clip(4.0 * share * (1.1 - share), 0.0, 1.0), 0.0, 1.0)
        return muscle

    def paint_table(self, canvas: Canvas, layers: Layers) -> None:
        """Paint the cushion and the curved table top under the back."""
        top = self.back_mm * 1.01
        x, y = canvas.x, canvas.y
        curve = y - (top - 6.0) - 20.0 * (1.0 - np.square(x * (1.0 / 260.0)))
        edge = np.abs(x) - 225.0
        cushion = np.maximum(np.maximum(-curve - 14.0, curve), edge)
        shell = np.maximum(np.maximum(-curve, curve - 22.0), edge - 6.0)
        outside = -layers.skin
        canvas.paint(np.maximum(cushion, outside), -930.0)
        canvas.paint(np.maximum(shell, outside), 60.0)
        canvas.paint(np.maximum(shell + 3.2, outside), -965.0)

    def _profiles(self, rng: np.random.Generator, is_chest: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        angle = (np.arange(_ANGLES) + 0.5) * (2 * math.pi / _ANGLES) - math.pi
        skin = self._outline(rng, angle, is_chest)
        wall = skin - _fat_thickness(rng, angle, is_chest)
        cavity = wall - _wall_thickness(rng, angle, is_chest)
        return skin.astype(np.float32), wall.astype(np.float32), cavity.astype(np.float32)

    def _outline(self, rng: np.random.Generator, angle: np.ndarray, is_chest: bool) -> np.ndarray:
        width = self.half_width_mm * (draw(rng, 0.91, 0.96) if is_chest else 1.0)
        front = self.front_mm * (draw(rng, 0.93, 0.99) if is_chest else 1.0)
        sine, cosine = np.abs(np.sin(angle)), np.abs(np.cos(angle))
        ahead = _superellipse(sine / width, cosine / front, draw(rng, 2.0, 2.35))
        behind = _superellipse(sine / width, cosine / self.back_mm, draw(rng, 2.5, 2.9))
        radius = np.where(np.cos(angle) > 0, ahead, behind)
        radius -= draw(rng, 4, 7) * np.exp(-np.square((math.pi - np.abs(angle)) / 0.11))
        for order in (2, 3, 5):
            radius *= 1 + draw(rng, -0.006, 0.006) * np.cos(order * angle + draw(rng, 0, 6.3))
        return _smooth(radius, 0.06)


def _superellipse(across: np.ndarray, along: np.ndarray, power: float) -> np.ndarray:
    return (across**power + along**power) ** (-1.0 / power)


def _fat_thickness(rng: np.random.Generator, angle: np.ndarray, is_chest: bool) -> np.ndarray:
    fat = draw(rng, 9, 24) * (0.55 if is_chest else 1.0)
    knots = [0, 0.5, 1.0, 1.5, 2.0, 2.35, 2.7, 3.0, math.pi]
    values = [1.15, 1.25, 1.0, 0.85, 1.05, 1.3, 0.95, 0.75, 0.5]
    own = [v * fat * draw(rng, 0.92, 1.08) + 3.0 for v in values]
    return _smooth(np.interp(np.abs(angle), knots, own), 0.08)


def _wall_thickness(rng: np.random.Generator, angle: np.ndarray, is_chest: bool) -> np.ndarray:
    size = draw(rng, 0.85, 1.15)
    if is_chest:
        knots = [0, 0.4, 1.0, 1.6, 2.1, 2.45, 2.7, 2.9, math.pi]
        values = [11.0, 12, 13, 14, 16, 22, 34, 37, 35]
    else:
        knots = [0, 0.05, 0.13, 0.3, 0.5, 0.62, 0.78, 1.0, 1.5, 1.9, 2.2, 2.4, 2.6, 2.85, 3.0, math.pi]
        values = [3.0, 3.5, 9, 11, 9, 3.5, 9, 14, 16, 13, 12, 20, 36, 41, 38, 35]
    return _smooth(np.interp(np.abs(angle), knots, [v * size for v in values]), 0.02)


def _smooth(profile: np.ndarray, width: float) -> np.ndarray:
    """Smooth a profile around the body by a Gaussian of a width in radians."""
    frequency = np.fft.rfftfreq(profile.size, d=2 * math.pi / profile.size) * 2 * math.pi
    return np.fft.irfft(np.fft.rfft(profile) * np.exp(-0.5 * np.square(frequency * width)), n=profile.size)
