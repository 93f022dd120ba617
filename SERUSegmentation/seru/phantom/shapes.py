"""Signed distances of simple shapes (mm, negative inside), and the smooth waves that make them irregular."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seru.phantom.canvas import Canvas, Patch

Point = tuple[float, float, float]
Axes = tuple[Point, Point, Point]


def to_point(xyz: Iterable[float]) -> Point:
    """Return three numbers as Python floats, so that float32 arrays stay float32."""
    x, y, z = xyz
    return float(x), float(y), float(z)


def draw(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a uniform number as a Python float, so that float32 arrays stay float32."""
    return float(rng.uniform(low, high))


def ellipse_distance(u: np.ndarray, v: np.ndarray, semi: tuple[float, float]) -> np.ndarray:
    """Return the signed distance to an axis-aligned ellipse, exact at its border to first order."""
    u, v = u * (1.0 / semi[0]), v * (1.0 / semi[1])
    radius = np.sqrt(u * u + v * v)
    u, v = u * (1.0 / semi[0]), v * (1.0 / semi[1])
    slope = np.sqrt(u * u + v * v)
    return radius * (radius - 1.0) / np.maximum(slope, 1e-6)


def ellipsoid_distance(u: np.ndarray, v: np.ndarray, w: np.ndarray, semi: Point) -> np.ndarray:
    """Return the signed distance to an axis-aligned ellipsoid, exact at its border to first order.

    Args:
        u, v, w: float32 coordinates from the centre in mm; broadcast together.
        semi: semi-axes in mm.

    Returns:
        float32, mm, negative inside.
    """
    squares = [np.square(c * (1.0 / s)) for c, s in zip((u, v, w), semi, strict=True)]
    radius = np.sqrt(squares[0] + squares[1] + squares[2])
    slopes = [q * (1.0 / (s * s)) for q, s in zip(squares, semi, strict=True)]
    slope = np.sqrt(slopes[0] + slopes[1] + slopes[2])
    np.maximum(slope, 1e-6, out=slope)
    distance = radius - 1.0
    distance *= radius
    distance /= slope
    return distance


def smooth_min(a: np.ndarray, b: np.ndarray, width_mm: float) -> np.ndarray:
    """Return the union of two shapes with their seam filled over ``width_mm``."""
    overlap = np.maximum(width_mm - np.abs(a - b), 0.0)
    return np.minimum(a, b) - overlap * overlap * (0.25 / width_mm)


def smooth_step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 0 below ``low``, 1 above ``high`` and a smooth ramp between."""
    t = np.clip((value - low) * (1.0 / (high - low)), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


class Waves:
    """A sum of plane waves: a cheap smooth random field of the patient's coordinates."""

    def __init__(
        self, rng: np.random.Generator, count: int, wavelength_mm: tuple[float, float], amplitude: float
    ) -> None:
        directions = rng.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        numbers = 2 * math.pi / rng.uniform(*wavelength_mm, size=(count, 1))
        self._vectors: list[list[float]] = (directions * numbers).tolist()
        self._phases: list[float] = rng.uniform(0, 2 * math.pi, size=count).tolist()
        self._amplitude = amplitude * math.sqrt(2.0 / count)

    def __call__(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the field; its standard deviation over space is the amplitude."""
        waves = self._waves(x, y, z)
        total = next(waves)
        for wave in waves:
            total += wave
        total *= self._amplitude
        return total

    def _waves(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> Iterator[np.ndarray]:
        for (kx, ky, kz), phase in zip(self._vectors, self._phases, strict=True):
            wave = x * kx + (y * ky + (z * kz + phase))
            yield np.sin(wave, out=wave)


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid anywhere in the patient.

    Attributes:
        centre: LPS mm.
        semi: semi-axes in mm.
        axes: unit vectors of the semi-axes, one a row.
        waves: irregularity added to the distance; None for a plain ellipsoid.
    """

    centre: Point
    semi: Point
    axes: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    waves: Waves | None = None

    def local(self, patch: Patch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the coordinates along the semi-axes, from the centre, in mm."""
        x, y, z = (c - o for c, o in zip((patch.x, patch.y, patch.z), self.centre, strict=True))
        u, v, w = (_dot(x, y, z, axis) for axis in self.axes)
        return u, v, w

    def distance(self, patch: Patch) -> np.ndarray:
        """Return the signed distance in mm over a patch."""
        distance = ellipsoid_distance(*self.local(patch), self.semi)
        if self.waves is not None:
            distance = distance + self.waves(patch.x, patch.y, patch.z)
        return distance

    def bounds(self, margin_mm: float) -> tuple[Point, Point]:
        """Return the lowest and highest x, y and z of the ellipsoid and a margin, LPS mm."""
        reach = np.sqrt(np.sum(np.square(np.array(self.axes) * np.array(self.semi)[:, None]), axis=0)) + margin_mm
        centre = np.array(self.centre)
        return to_point(centre - reach), to_point(centre + reach)

    def box(self, canvas: Canvas, margin_mm: float = 3.0) -> Patch | None:
        """Return the patch that the ellipsoid and a margin can touch."""
        return canvas.box(*self.bounds(margin_mm))


@dataclass(frozen=True)
class Tube:
    """A chain of round cones through points.

    Attributes:
        points: LPS mm.
        radii: radius at each point in mm.
    """

    points: Sequence[Point]
    radii: Sequence[float]

    def segments(self) -> list[Tube]:
        """Return the tube's pieces, one for each pair of neighbouring points."""
        return [Tube(self.points[n : n + 2], self.radii[n : n + 2]) for n in range(len(self.points) - 1)]

    def distance(self, patch: Patch) -> np.ndarray:
        """Return the signed distance in mm over a patch."""
        pieces = zip(self.points[:-1], self.points[1:], self.radii[:-1], self.radii[1:], strict=True)
        distances = [_cone_distance(patch, *piece) for piece in pieces]
        total = distances[0]
        for distance in distances[1:]:
            np.minimum(total, distance, out=total)
        return total

    def box(self, canvas: Canvas, margin_mm: float = 1.0) -> Patch | None:
        """Return the patch that the tube and a margin can touch."""
        points, reach = np.array(self.points), np.array(self.radii)[:, None] + margin_mm
        return canvas.box(to_point((points - reach).min(axis=0)), to_point((points + reach).max(axis=0)))


def paint_tube(canvas: Canvas, tube: Tube, hu: float, owner: int | None = 0) -> None:
    """Paint a tube of one density piece by piece."""
    for segment in tube.segments():
        patch = segment.box(canvas)
        if patch is not None:
            patch.paint(segment.distance(patch), hu, owner)


def _cone_distance(patch: Patch, start: Point, end: Point, start_radius: float, end_radius: float) -> np.ndarray:
    along = [b - a for a, b in zip(start, end, strict=True)]
    length2 = max(sum(c * c for c in along), 1e-6)
    x, y, z = patch.x - start[0], patch.y - start[1], patch.z - start[2]
    share = _dot(x, y, z, [c / length2 for c in along])
    share = np.clip(share, 0.0, 1.0)
    squared = np.square(x - share * along[0]) + np.square(y - share * along[1]) + np.square(z - share * along[2])
    distance = np.sqrt(squared, out=squared)
    distance -= start_radius + share * (end_radius - start_radius)
    return distance


def _dot(x: np.ndarray, y: np.ndarray, z: np.ndarray, axis: Sequence[float]) -> np.ndarray:
    """Return the product with an axis, leaving out zero terms so that plain axes stay one-dimensional."""
    terms = [c * a for c, a in zip((x, y, z), axis, strict=True) if a != 0.0]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
