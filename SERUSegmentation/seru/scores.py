"""What nephrometry says, as records: each component with the numbers it comes from, so that a person can check it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from seru.grid import Position

# Said wherever the scores are.
APART = "The tumor does not touch the kidney, so it may not belong to it."
_DIGITS = 4


@dataclass(frozen=True)
class Aspect:
    """One component of a score, or one measure.

    Attributes:
        name: of the component, as its paper calls it.
        value: in the words of the paper; None where it cannot be told.
        points: of the score; None where it cannot be told or has no points.
        how: what was done, one sentence.
        reason: why it cannot be told, one sentence; None where it can.
        numbers: what it was computed from, by name; the unit ends the name (``_mm``, ``_mm2``, ``_ml``, ``_share``).
        places_ras: points to look at, by name, in RAS mm.
        slices: slices to look at, by name, in the input's own order along its stack axis.
    """

    name: str
    value: str | None
    points: int | None
    how: str
    reason: str | None = None
    numbers: dict[str, float] = field(default_factory=dict)
    places_ras: dict[str, Position] = field(default_factory=dict)
    slices: dict[str, int] = field(default_factory=dict)

    @classmethod
    def unknown(cls, name: str, how: str, reason: str) -> Aspect:
        """Return what cannot be told, with the reason in one sentence."""
        return cls(name, None, None, how, reason)


@dataclass(frozen=True)
class Score:
    """A sum of points; a range where a component cannot be told.

    Attributes:
        name: of the score.
        aspects: its components, those without points too.
        least: the sum, if each component that cannot be told had its fewest points.
        most: likewise, its most.
        suffix: letters that follow the sum.
    """

    name: str
    aspects: tuple[Aspect, ...]
    least: int
    most: int
    suffix: str

    @property
    def points(self) -> int | None:
        """The sum; None where a component cannot be told."""
        return self.least if self.least == self.most else None

    @property
    def text(self) -> str:
        """As it is written: ``9ph``, or ``8-10ph`` where a component cannot be told."""
        return f"{self.least}{'' if self.points else f'-{self.most}'}{self.suffix}"


@dataclass(frozen=True)
class Nephrometry:
    """How complex the largest tumor of a kidney is.

    Attributes:
        tumors: number of tumors on the side; the largest one is scored.
        sinus: where the renal sinus was found, which no label holds.
        renal: R.E.N.A.L. nephrometry score.
        padua: PADUA score.
        centrality: C-index.
        contact: area in which the tumor touches the kidney.
        split: volumes of both kidneys without tumors.
    """

    tumors: int
    sinus: Aspect
    renal: Score
    padua: Score
    centrality: Aspect
    contact: Aspect
    split: Aspect

    @property
    def is_apart(self) -> bool:
        """Whether no part of the tumor's surface lies on the kidney, where that is known."""
        return self.contact.numbers.get("measured_mm2") == 0


def score_of(name: str, aspects: Sequence[Aspect], limits: dict[str, tuple[int, int]], suffix: str) -> Score:
    """Sum the points of components.

    Args:
        name: of the score.
        aspects: its components.
        limits: fewest and most points of each component that has points, by its name.
        suffix: letters that follow the sum.

    Returns:
        The score.
    """
    ranges = [
        limits[aspect.name] if aspect.points is None else (aspect.points, aspect.points)
        for aspect in aspects
        if aspect.name in limits
    ]
    return Score(name, tuple(aspects), sum(low for low, _ in ranges), sum(high for _, high in ranges), suffix)


def rounded(**numbers: float) -> dict[str, float]:
    """Return numbers by name with the digits that a record keeps."""
    return {name: round(float(value), _DIGITS) for name, value in numbers.items()}
