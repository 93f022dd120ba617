"""Spine, ribs, pelvis, and the muscles beside the spine."""

from __future__ import annotations

import math

import numpy as np

from seru.phantom.canvas import Canvas, Patch
from seru.phantom.phases import Densities
from seru.phantom.shapes import Ellipsoid, Tube, Waves, draw, ellipse_distance, ellipsoid_distance, paint_tube
from seru.phantom.texture import Texture
from seru.phantom.torso import FAT_HU, Layers

_CORTICAL_HU, _DISC_HU, _CARTILAGE_HU = 560.0, 88.0, 115.0


class Spine:
    """Vertebrae repeated along a curved column."""

    def __init__(self, rng: np.random.Generator, back_mm: float) -> None:
        """Draw the spine.

        Args:
            rng: draws curve, sizes and bone density.
            back_mm: distance of the back's skin from the body's axis.
        """
        self._lordosis_mm = draw(rng, 4, 8)
        self._depth_mm = back_mm - 79.0 - self._lordosis_mm
        self._scoliosis_mm, self._scoliosis_phase = draw(rng, 0, 4), draw(rng, 0, 6.3)
        self._period_mm, self._shift_mm = draw(rng, 33, 37), draw(rng, -10, 10)
        self._body = (draw(rng, 21.5, 25.5), draw(rng, 15.5, 18))
        self._marrow_hu = draw(rng, 130, 230)
        self._marrow = Texture(rng, 3.5)

    def centre_mm(self, z: float) -> tuple[float, float]:
        """Return x and y of the vertebral body's centre at a height, LPS mm."""
        x, y = self._curve(np.float32(z))
        return float(x), float(y)

    def paint(self, canvas: Canvas) -> None:
        """Paint vertebrae, discs, canal and processes."""
        patch = canvas.box((-62, -5, -1000), (62, 122, 1000))
        if patch is None:
            return
        column_x, column_y = self._curve(patch.z)
        x, y = patch.x - column_x, patch.y - column_y
        mirrored = np.abs(x)
        level = (patch.z - self._shift_mm) % self._period_mm - self._period_mm / 2
        marrow = self._marrow_hu + 38.0 * self._marrow(patch.x, patch.y, patch.z)
        self._paint_processes(patch, mirrored, y, level, marrow)
        self._paint_ring(patch, x, y, level, marrow)
        self._paint_body(patch, x, y, level, marrow)

    def _curve(self, z: np.ndarray | np.float32) -> tuple[np.ndarray, np.ndarray]:
        y = self._depth_mm - self._lordosis_mm * np.cos((z + 40.0) * (2 * math.pi / 420.0))
        return self._scoliosis_mm * np.sin(z * (1 / 80.0) + self._scoliosis_phase), y

    def _paint_body(self, patch: Patch, x: np.ndarray, y: np.ndarray, level: np.ndarray, marrow: np.ndarray) -> None:
        half = self._period_mm / 2 - 4.2
        waist = 1.7 * np.clip(1.0 - np.square(level * (1.0 / half)), 0.0, 1.0)
        column = ellipse_distance(x, y, self._body)
        hollow = 3.0 * np.exp(-np.square(x * (1 / 9.0))) * np.clip(y * (1 / 14.0), 0.0, 1.0)
        column = column + hollow
        patch.paint(column + 1.0, _DISC_HU)
        bone = np.maximum(column + waist, np.abs(level) - half + 0.018 * np.square(np.abs(x) * 0.7))
        patch.paint(bone, _CORTICAL_HU * 0.9)
        patch.paint(bone + 1.6, marrow)

    def _paint_ring(self, patch: Patch, x: np.ndarray, y: np.ndarray, level: np.ndarray, marrow: np.ndarray) -> None:
        depth = y - (self._body[1] + 7.5)
        outer, canal = ellipse_distance(x, depth, (16.5, 14.0)), ellipse_distance(x, depth, (11.0, 8.5))
        is_pedicle = np.maximum(level - 10.0, -3.0 - level)
        is_lamina = np.maximum(np.maximum(level - 6.0, -14.0 - level), 3.0 - depth)
        ring = np.maximum(np.maximum(outer, -canal), np.minimum(is_pedicle, is_lamina))
        patch.paint(outer, FAT_HU + 40.0)
        patch.paint(ring, _CORTICAL_HU * 0.85)
        patch.paint(ring + 1.9, marrow * 0.9)
        patch.paint(canal, -25.0)
        patch.paint(ellipse_distance(x, depth, (8.6, 6.6)), 24.0)

    def _paint_processes(
        self, patch: Patch, mirrored: np.ndarray, y: np.ndarray, level: np.ndarray, marrow: np.ndarray
    ) -> None:
        depth = y - self._body[1]
        along = np.clip((mirrored - 14.0) * (1 / 26.0), 0.0, 1.0)
        transverse = np.sqrt(
            np.square(np.maximum(mirrored - 40.0, 0.0))
            + np.square(depth - 13.0 - 6.0 * along)
            + np.square((level - 3.0) * 0.7)
        )
        transverse = np.maximum(transverse - 3.9, 10.0 - mirrored)
        facet_level = (level + 4.0 + self._period_mm) % self._period_mm - self._period_mm / 2
        facet = ellipsoid_distance(mirrored - 16.5, depth - 17.0, facet_level, (7.5, 7.0, 12.0))
        spinous = np.maximum(np.abs(depth - 33.0) - 15.5, np.abs(level + 6.0 + 0.15 * (depth - 30.0)) - 9.0)
        spinous = np.maximum(spinous, mirrored - 2.6 - 0.08 * np.maximum(depth - 30.0, 0.0))
        patch.paint(transverse, _CORTICAL_HU * 0.7)
        patch.paint(transverse + 1.8, marrow)
        patch.paint(facet, _CORTICAL_HU)
        patch.paint(np.maximum(facet, np.abs(mirrored - 17.0 - 0.25 * (depth - 17.0)) - 0.8), 160.0)
        patch.paint(spinous, _CORTICAL_HU * 0.8)
        patch.paint(spinous + 1.7, marrow)


class Ribs:
    """Ribs running down and forward inside the chest's wall."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw the ribs.

        Args:
            rng: draws the level of the last rib, the spacing and the slope.
        """
        self._last_mm, self._gap_mm = draw(rng, 42, 58), draw(rng, 25, 29)
        self._drop_mm = draw(rng, 105, 140)

    def paint(self, canvas: Canvas, layers: Layers) -> None:
        """Paint the ribs; only the voxels near the middle of the wall are looked at."""
        middle = layers.cavity - 6.0
        where = np.nonzero((np.abs(middle) < 7.0) & (canvas.z > self._last_mm - 1.1 * self._drop_mm))
        if where[0].size == 0:
            return
        from_back = math.pi - np.abs(np.broadcast_to(layers.angle, canvas.hu.shape)[where])
        radius = np.broadcast_to(layers.radius, canvas.hu.shape)[where]
        z = np.broadcast_to(canvas.z, canvas.hu.shape)[where]
        drop = self._drop_mm * (0.5 * np.minimum(from_back, 2.1) - 0.55 * np.maximum(from_back - 2.1, 0.0))
        height = (z + drop - self._last_mm) * (1.0 / self._gap_mm)
        number = np.maximum(np.rint(height), 0.0)
        across = (height - number) * self._gap_mm * 0.85
        end = np.select([number == 0, number == 1], [0.75, 1.25], 1.95)
        rib = ellipse_distance(across, middle[where], (6.3, 4.3))
        bone = np.maximum(rib, np.maximum(from_back - end, 0.3 - from_back) * radius)
        cartilage = np.maximum(rib, np.maximum(end - from_back, from_back - 2.75) * radius)
        cartilage[number < 2] = 100.0
        spot = Patch((z, z, z), canvas.hu[where], canvas.owner[where], canvas.blend_mm)
        spot.paint(cartilage, _CARTILAGE_HU)
        spot.paint(bone, _CORTICAL_HU)
        spot.paint(bone + 1.6, 170.0)
        canvas.hu[where], canvas.owner[where] = spot.hu, spot.owner


class Pelvis:
    """The wings of the ilium and the sacrum, at the lower end of the field of view."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw the pelvis.

        Args:
            rng: draws its height and density.
        """
        top, marrow = draw(rng, -132, -112), draw(rng, 120, 200)
        self._marrow_hu = marrow
        flare, turn = draw(rng, 0.28, 0.4), draw(rng, 0.55, 0.75)
        self._wings = []
        for side in (-1.0, 1.0):
            thin = (side * math.cos(turn) * math.cos(flare), math.sin(turn) * math.cos(flare), -math.sin(flare))
            wide = (side * -math.sin(turn), math.cos(turn), 0.0)
            tall = tuple(np.cross(thin, wide).tolist())
            waves = Waves(rng, 3, (50, 120), 2.0)
            self._wings.append(Ellipsoid((side * 92.0, 30.0, top - 80.0), (7.5, 62.0, 88.0), (thin, wide, tall), waves))
        self._sacrum = Ellipsoid((0.0, 68.0, top - 95.0), (50.0, 26.0, 55.0), waves=Waves(rng, 3, (40, 80), 2.0))

    def paint(self, canvas: Canvas) -> None:
        """Paint the bones."""
        for bone in (*self._wings, self._sacrum):
            patch = bone.box(canvas, 8.0)
            if patch is not None:
                distance = bone.distance(patch)
                patch.paint(distance, _CORTICAL_HU)
                patch.paint(distance + 2.0, self._marrow_hu)


class SpineMuscles:
    """Psoas, quadratus lumborum and the crura of the diaphragm, on both sides."""

    def __init__(self, rng: np.random.Generator, spine: Spine) -> None:
        """Draw the muscles.

        Args:
            rng: draws their size.
            spine: what they lie along.
        """
        size = draw(rng, 0.85, 1.2)
        self._psoas, self._others = [], []
        for side in (-1.0, 1.0):
            points, radii = [], []
            for z, out, ahead, radius in (
                (38, 27, 6, 4), (10, 29, 6, 8), (-30, 33, 3, 13), (-70, 38, -1, 18), (-110, 45, -9, 21),
                (-160, 56, -28, 21), (-260, 66, -58, 17),
            ):  # fmt: skip
                x, y = spine.centre_mm(z)
                points.append((x + side * out * (0.9 + 0.1 * size), y + ahead + 4.0, float(z)))
                radii.append(radius * size)
            self._psoas.append(Tube(points, radii))
            self._others.append(self._quadratus(side, size, spine))
            self._others.append(self._crus(side, spine))

    def paint(self, canvas: Canvas, densities: Densities) -> None:
        """Paint the muscles."""
        for psoas in self._psoas:
            paint_tube(canvas, psoas, densities.muscle + 2.0)
        for muscle in self._others:
            patch = muscle.box(canvas)
            if patch is not None:
                patch.paint(muscle.distance(patch), densities.muscle)

    @staticmethod
    def _quadratus(side: float, size: float, spine: Spine) -> Ellipsoid:
        x, y = spine.centre_mm(-45.0)
        turn = 0.45
        axes = (
            (side * math.cos(turn), math.sin(turn), 0.0), (-side * math.sin(turn), math.cos(turn), 0.0), (0.0, 0.0, 1.0)
        )  # fmt: skip
        return Ellipsoid((x + side * 60.0, y + 43.0, -60.0), (20.0, 8.0 * size, 80.0), axes)

    @staticmethod
    def _crus(side: float, spine: Spine) -> Ellipsoid:
        x, y = spine.centre_mm(75.0)
        return Ellipsoid((x + side * 17.0, y - 17.0, 70.0), (5.0, 15.0, 75.0))
