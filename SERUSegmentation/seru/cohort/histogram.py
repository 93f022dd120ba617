"""A histogram as the numbers of an SVG drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

WIDTH, HEIGHT = 480, 150
_TOP, _FLOOR = 16, 130
_MOST_BINS = 25
_TICKS = 5


@dataclass(frozen=True)
class Bar:
    """One bin: its rectangle in the drawing, and what it says."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """How often each volume is.

    Attributes:
        title: what is counted.
        words: number, median and range.
        bin_text: width of a bin.
        bars: of the bins that are not empty.
        ticks: of the axis: x, anchor and text.
        most: number in the fullest bin.
    """

    title: str
    words: str
    bin_text: str
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str, str], ...]
    most: int
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = _FLOOR


def draw_histogram(title: str, volumes_ml: Sequence[float]) -> Histogram:
    """Return the histogram of volumes.

    Args:
        title: what they are of.
        volumes_ml: each 0 or more, in ml.

    Returns:
        From 0 on, in bins of a round width; without bars where there is no volume.
    """
    if not volumes_ml:
        return Histogram(title, "none.", "", (), (), 0)
    least, most = min(volumes_ml), max(volumes_ml)
    words = f"{len(volumes_ml)}, median {median(volumes_ml):.1f} ml, from {least:.1f} to {most:.1f} ml."
    step = _round_step(most)
    count = int(most / step) + 1
    sizes = [0] * count
    for volume in volumes_ml:
        sizes[int(volume / step)] += 1
    bars = tuple(_bar(index, size, count, max(sizes), step) for index, size in enumerate(sizes) if size)
    return Histogram(title, words, f"{step:g} ml", bars, _ticks(count, step), max(sizes))


def _round_step(most: float) -> float:
    """The least of 1, 2 and 5 times a power of ten by which all fits into the bins."""
    power = 10.0 ** math.floor(math.log10(max(most, 1.0) / _MOST_BINS))
    return next(power * times for times in (1, 2, 5, 10) if most < power * times * _MOST_BINS)


def _bar(index: int, size: int, count: int, most: int, step: float) -> Bar:
    width, height = WIDTH / count, (_FLOOR - _TOP) * size / most
    text = f"{index * step:g} to {(index + 1) * step:g} ml: {size}"
    return Bar(round(index * width, 1), round(_FLOOR - height, 1), round(0.9 * width, 1), round(height, 1), text)


def _ticks(count: int, step: float) -> tuple[tuple[float, str, str], ...]:
    every = math.ceil(count / _TICKS)
    places = [index for index in range(0, count + 1, every) if index <= count]
    ticks = []
    for index in places:
        anchor = "start" if index == 0 else "end" if index == count else "middle"
        unit = " ml" if index == 0 else ""
        ticks.append((round(WIDTH * index / count, 1), anchor, f"{index * step:g}{unit}"))
    return tuple(ticks)
