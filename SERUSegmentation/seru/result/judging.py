"""The components of fused labels while the gate judges them.

Flat arrays hold one number for each voxel that the fusion calls kidney or tumor, or one for each component of a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seru.findings import BACKGROUND, KIDNEY, SIDE_CODES, SIDES, TUMOR, Kind, Status
from seru.result.components import Box, number_voxels
from seru.result.gated import Component, Specks
from seru.result.maps import Maps
from seru.result.verdicts import Verdict

# Smaller components are counted, not listed: a ball of 6 mm.
LISTED_ML = 0.1
# Of each kind so many of the largest, in the labels and not: a scan of something else may show thousands of pieces,
# which nobody would read.
MOST_LISTED = 40

_STATUSES: tuple[Status, ...] = ("believed", "accepted", "candidate", "dismissed")
_BELIEVED, _ACCEPTED, _CANDIDATE, _DISMISSED = range(4)


def certainty(probability: np.ndarray) -> np.ndarray:
    """Return how sure a probability is: 0 at 0.5, 1 at 0 and at 1.

    Args:
        probability: float32, 0..1, any shape.

    Returns:
        |2p - 1|, float32, same shape.
    """
    return np.abs(2 * probability - 1)


@dataclass(frozen=True)
class PlacedVerdict:
    """A verdict in the stored box: its voxels there, and how many it has in all."""

    verdict: Verdict
    box: Box
    voxels: np.ndarray

    @classmethod
    def of(cls, verdict: Verdict, maps: Maps) -> PlacedVerdict:
        """Place a verdict in the box that maps store."""
        return cls(verdict, *verdict.inside(maps.lower_kji, maps.mask.shape))

    def holds(self, flat: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """Whether it holds each of some voxels, given by their flat indices, ascending, into the stored box."""
        starts = np.array([[part.start] for part in self.box])
        stops = np.array([[part.stop] for part in self.box])
        first, last = np.searchsorted(flat, np.array([self.box[0].start, self.box[0].stop]) * (shape[1] * shape[2]))
        places = np.array(np.unravel_index(flat[first:last], shape))
        inside = np.flatnonzero(((places >= starts) & (places < stops)).all(axis=0))
        held = np.zeros(len(flat), bool)
        held[first + inside] = self.voxels[tuple(places[:, inside] - starts)]
        return held


class Foreground:
    """The voxels that labels call kidney or tumor; arrays hold one number for each.

    Args:
        labels_box: uint8, shape (K, J, I), before the gate.
        flat: index of the voxels into it, ascending.
        sides: of the voxels: right or left.
        voxel_ml: volume of a voxel in ml.
        certainty: gives |2p - 1| of a kind's probability, float32, of each voxel.

    Attributes:
        flat: index into the stored box, ascending.
        labels: before the gate.
        ceilings: so far.
        sides: right or left.
    """

    def __init__(
        self,
        labels_box: np.ndarray,
        flat: np.ndarray,
        sides: np.ndarray,
        voxel_ml: float,
        certainty: Callable[[Kind], np.ndarray],
    ) -> None:
        self._shape, self._certainty = labels_box.shape, certainty
        self.flat, self.labels, self.sides = flat, labels_box.reshape(-1)[flat], sides
        self.ceilings = np.full(len(flat), TUMOR, np.uint8)
        self.voxel_ml = voxel_ml

    @classmethod
    def of_maps(cls, labels_box: np.ndarray, maps: Maps, alpha: float) -> Foreground:
        """Return the voxels that the fusion calls kidney or tumor.

        Args:
            labels_box: uint8, on the stored box (K, J, I), as fused at ``alpha``.
            maps: of the run.
            alpha: weight of the coarse stage, 0..1.
        """
        stored = np.flatnonzero(labels_box.reshape(-1)[maps.flat_index])
        stages = maps.coarse[stored], maps.refined[stored]

        def fused_certainty(kind: Kind) -> np.ndarray:
            # Both classes together are at most 255.
            coarse, refined = (
                (stage[:, 0] + stage[:, 1] if kind == "kidney" else stage[:, 1]).astype(np.float32) for stage in stages
            )
            fused = np.float32(alpha) * coarse + np.float32(1 - alpha) * refined
            return certainty(fused / np.float32(255))

        return cls(labels_box, maps.flat_index[stored], maps.sides[stored], maps.grid.voxel_ml, fused_certainty)

    def number(self, kind: Kind, kidneys: Numbered | None = None) -> Numbered:
        """Number the components of a kind, side by side; those of kidney are the ones that hold kidney."""
        shown = np.minimum(self.labels, self.ceilings)
        numbers = self._components(shown > BACKGROUND if kind == "kidney" else shown == TUMOR)
        if kind == "kidney":
            # A tumor apart from every kidney is judged as a tumor alone.
            holds_kidney = np.zeros(int(numbers.max(initial=0)) + 1, bool)
            holds_kidney[numbers[shown == KIDNEY]] = True
            numbers = np.where(holds_kidney[numbers], numbers, 0)
        return Numbered(self, kind, numbers, self._certainty(kind), kidneys)

    def take_out_merged(self, verdicts: Sequence[PlacedVerdict], kidneys: Numbered) -> list[Component]:
        """Take dismissed voxels out of components that are mostly something else, before these are looked at."""
        dismissed = [placed for placed in verdicts if placed.verdict.decision == "dismissed"]
        if not dismissed:
            return []
        taken = []
        for numbered in (kidneys, self.number("tumor", kidneys)):
            for placed in dismissed:
                if placed.verdict.kind == numbered.kind:
                    taken += numbered.take_out(placed)
        return taken

    def component(self, voxels: np.ndarray, kind: Kind, status: Status, confidence: float) -> Component:
        """Return some of the voxels, given by their index, as a component."""
        places = np.array(np.unravel_index(self.flat[voxels], self._shape))
        low, high = places.min(axis=1), places.max(axis=1) + 1
        k, j, i = (slice(int(start), int(stop)) for start, stop in zip(low, high, strict=True))
        mask = np.zeros(high - low, bool)
        mask[tuple(places - low[:, np.newaxis])] = True
        side = next(side for side in SIDES if SIDE_CODES[side] == self.sides[voxels[0]])
        return Component(kind, side, status, confidence, (k, j, i), mask)

    def _components(self, chosen: np.ndarray) -> np.ndarray:
        """The number of each voxel's component among those that are chosen; 0 for the others."""
        numbers = np.zeros(len(self.flat), np.int64)
        # What is on two sides is two components.
        for code in SIDE_CODES.values():
            voxels = np.flatnonzero(chosen & (self.sides == code))
            numbers[voxels] = number_voxels(self.flat[voxels], self._shape) + numbers.max(initial=0)
        return numbers

    def held_by(self, placed: PlacedVerdict) -> np.ndarray:
        """Whether a verdict holds each voxel."""
        return placed.holds(self.flat, self._shape)


class Numbered:
    """The components of one kind; arrays hold one number for each, the first for what is no component.

    Attributes:
        kind: of all.
        numbers: of each voxel's component.
        statuses: of each component.
    """

    def __init__(
        self,
        foreground: Foreground,
        kind: Kind,
        numbers: np.ndarray,
        certainty: np.ndarray,
        kidneys: Numbered | None,
    ) -> None:
        self.kind: Kind = kind
        self.numbers = numbers
        self._foreground, self._certainty, self._kidneys = foreground, certainty, kidneys
        self._count()

    def _count(self) -> None:
        numbers = self.numbers
        count = int(numbers.max(initial=0)) + 1
        self.sizes = np.bincount(numbers, minlength=count)
        self.sizes[0] = 0
        sums = np.bincount(numbers, self._certainty, minlength=count)
        self.confidences = np.divide(sums, self.sizes, out=np.zeros(count), where=self.sizes > 0)
        self.is_in_kidney = np.zeros(count, bool)
        if self._kidneys is not None:
            self.is_in_kidney[numbers[self._kidneys.numbers > 0]] = True
        self.statuses = np.zeros(count, np.uint8)

    def judge(self, threshold: float, verdicts: Sequence[PlacedVerdict]) -> None:
        """Say of each component whether it is believed; a person's verdict goes before confidence."""
        for placed in verdicts:
            if placed.verdict.kind == self.kind and placed.verdict.decision == "accepted":
                self._set_apart(placed, threshold)
        # 0 is everything: not even rounding may take a component out.
        if threshold > 0:
            self.statuses[self.confidences < threshold] = _CANDIDATE
        for placed in verdicts:
            verdict = placed.verdict
            overlap = self._overlap(placed)
            hit = (overlap > 0) & verdict.are_decided(overlap, self.sizes)
            if verdict.kind == self.kind:
                self.statuses[hit] = _ACCEPTED if verdict.decision == "accepted" else _DISMISSED
            elif self.kind == "kidney" and verdict.decision == "accepted":
                # An accepted tumor keeps the kidney that it lies in.
                self.statuses[hit & (self.statuses == _CANDIDATE)] = _ACCEPTED

    def _set_apart(self, placed: PlacedVerdict, threshold: float) -> None:
        """Make accepted voxels a component of their own where they are a small part of one that is too doubtful."""
        overlap = self._overlap(placed)
        is_whole = (2 * overlap > placed.verdict.size) & (2 * overlap <= self.sizes) & (self.confidences < threshold)
        if is_whole.any():
            self.numbers[is_whole[self.numbers] & self._foreground.held_by(placed)] = len(self.sizes)
            self._count()

    def lower(self) -> None:
        """Lower the ceilings of the voxels that are not believed."""
        lowered = np.where(self.is_in_kidney, np.uint8(KIDNEY), np.uint8(BACKGROUND))
        of_component = np.where(self.is_counted, np.uint8(TUMOR), lowered)
        of_component[0] = TUMOR
        ceilings = self._foreground.ceilings
        np.minimum(ceilings, of_component[self.numbers], out=ceilings)

    def take_out(self, placed: PlacedVerdict) -> list[Component]:
        """Take dismissed voxels out of the components that are mostly something else; they are returned."""
        overlap = self._overlap(placed)
        foreground = self._foreground
        taken = []
        for number in np.flatnonzero((2 * overlap > placed.verdict.size) & (2 * overlap <= self.sizes)):
            voxels = np.flatnonzero((self.numbers == number) & foreground.held_by(placed))
            lowered = KIDNEY if self.is_in_kidney[number] else BACKGROUND
            foreground.ceilings[voxels] = np.minimum(foreground.ceilings[voxels], lowered)
            confidence = float(self.confidences[number])
            taken.append(foreground.component(voxels, self.kind, "dismissed", confidence))
        return taken

    @property
    def is_counted(self) -> np.ndarray:
        """Whether each component is in the labels."""
        return self.statuses <= _ACCEPTED

    @property
    def is_listed(self) -> np.ndarray:
        """Whether each component is large enough to be listed; what a person looked at always is."""
        is_decided = (self.statuses == _ACCEPTED) | (self.statuses == _DISMISSED)
        largest = np.zeros(len(self.sizes), bool)
        for group in (self.is_counted, ~self.is_counted):
            # Candidates take no place from what is believed.
            numbers = np.flatnonzero(group)
            largest[numbers[np.argsort(-self.sizes[numbers], kind="stable")[:MOST_LISTED]]] = True
        is_large = largest & (self.sizes * self._foreground.voxel_ml >= LISTED_ML)
        return (self.sizes > 0) & (is_large | is_decided)

    def listed(self) -> Iterator[Component]:
        """Yield the components that are listed, in the order of their numbers."""
        is_listed = self.is_listed
        found = np.flatnonzero(is_listed[self.numbers])
        order = found[np.argsort(self.numbers[found], kind="stable")]
        numbers = np.flatnonzero(is_listed)
        for number, end in zip(numbers, np.cumsum(self.sizes[numbers]), strict=True):
            status, confidence = _STATUSES[self.statuses[number]], float(self.confidences[number])
            yield self._foreground.component(order[end - self.sizes[number] : end], self.kind, status, confidence)

    def specks(self) -> Specks:
        """The components that are in the labels and not listed."""
        voxels = np.flatnonzero(((self.sizes > 0) & ~self.is_listed & self.is_counted)[self.numbers])
        return Specks(self.kind, self._foreground.flat[voxels], self.numbers[voxels])

    def left_out_sizes(self) -> np.ndarray:
        """The sizes of the components that are neither in the labels nor listed."""
        return self.sizes[(self.sizes > 0) & ~self.is_listed & ~self.is_counted]

    def _overlap(self, placed: PlacedVerdict) -> np.ndarray:
        """The number of voxels that each component shares with a verdict."""
        held = self._foreground.held_by(placed)
        counts = np.bincount(self.numbers[held], minlength=len(self.sizes))
        counts[0] = 0
        return counts
