"""The gate: which components of the fused labels are believed.

A component's confidence is the mean of |2p - 1| over its voxels, p being the fused probability of its class: of kidney
and tumor together for a component that holds kidney, of tumor for a tumor. Components that hold kidney are looked at
first, and their tumors go with them; then each tumor in what stays. What is not believed is a candidate: it is not in
the labels, but it is listed. A person's verdict goes before confidence.

What the gate takes out of a kidney becomes kidney (a tumor in it), everything else background. It is kept as a ceiling
of each voxel, the highest label allowed there, so that it holds while alpha moves.

Source: our rule; ``--min-confidence 0`` is the paper's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seru.findings import BACKGROUND, KIDNEY, SIDE_CODES, SIDES, TUMOR, Islands, Kind, Side, Status, Thresholds
from seru.result.components import Box, bounding_box, label_components
from seru.result.maps import Maps
from seru.result.verdicts import Verdict

# Smaller components are counted, not listed: a ball of 6 mm.
LISTED_ML = 0.1

_STATUSES: tuple[Status, ...] = ("believed", "accepted", "candidate", "dismissed")
_BELIEVED, _ACCEPTED, _CANDIDATE, _DISMISSED = range(4)


@dataclass(frozen=True)
class Component:
    """One component on one side.

    Attributes:
        kind: ``kidney`` for one of labels > 0 that holds kidney, ``tumor`` for one of tumor.
        side: the patient's.
        status: whether it is in the labels.
        confidence: 0..1.
        box: in the stored box.
        voxels: bool, shape of the box; of a kidney with its tumors.
        labels: uint8, shape of the box: the labels of its voxels before the gate, 0 beside it.
    """

    kind: Kind
    side: Side
    status: Status
    confidence: float
    box: Box
    voxels: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Gated:
    """Labels after the gate.

    Attributes:
        labels_box: uint8, on the stored box (K, J, I).
        ceilings_box: uint8, same shape: the highest label that the gate allows.
        components: that are large enough to be listed, whatever their status.
        islands: the others.
    """

    labels_box: np.ndarray
    ceilings_box: np.ndarray
    components: tuple[Component, ...]
    islands: Islands


def gate(
    labels_box: np.ndarray, maps: Maps, alpha: float, thresholds: Thresholds, verdicts: Sequence[Verdict] = ()
) -> Gated:
    """Tell what is believed from what is not.

    Args:
        labels_box: uint8, on the stored box (K, J, I), as fused at ``alpha``.
        maps: of the run.
        alpha: weight of the coarse stage, 0..1.
        thresholds: least confidences.
        verdicts: of a person; later ones win.

    Returns:
        The labels, and every component with its confidence.
    """
    ceilings = np.full(labels_box.shape, TUMOR, np.uint8)
    scan = _Scan(maps, alpha, tuple(verdicts))
    extra = scan.take_out_merged(labels_box, ceilings)
    kidneys = scan.number(np.minimum(labels_box, ceilings), "kidney")
    kidneys.judge(thresholds.kidney)
    ceilings = np.minimum(ceilings, kidneys.ceilings()[kidneys.numbers])
    tumors = scan.number(np.minimum(labels_box, ceilings), "tumor", kidneys)
    tumors.judge(thresholds.tumor)
    ceilings = np.minimum(ceilings, tumors.ceilings()[tumors.numbers])
    components = [*extra, *kidneys.listed(labels_box), *tumors.listed(labels_box)]
    return Gated(np.minimum(labels_box, ceilings), ceilings, tuple(components), _islands(kidneys, tumors))


def believe(mask: np.ndarray, probability: np.ndarray, threshold: float) -> np.ndarray:
    """Keep the components of a stage's mask that are believed.

    Args:
        mask: bool, three axes.
        probability: uint8, same shape: of kidney and tumor together, times 255.
        threshold: least confidence; 0 keeps all.

    Returns:
        bool, same shape; the same array where all are kept.
    """
    box = bounding_box(mask) if threshold > 0 else None
    if box is None:
        return mask
    numbers = label_components(mask[box])
    found = numbers[mask[box]]
    sums = np.bincount(found, _certainty(probability[box][mask[box]] / np.float32(255)))
    kept = sums >= threshold * np.bincount(found)
    kept[0] = False
    believed = np.zeros_like(mask)
    believed[box] = kept[numbers]
    return believed


def _certainty(probability: np.ndarray) -> np.ndarray:
    return np.abs(2 * probability - 1)


class _Scan:
    """The probabilities of a run at one alpha, and what a person said of it."""

    def __init__(self, maps: Maps, alpha: float, verdicts: tuple[Verdict, ...]) -> None:
        self.maps, self.alpha = maps, alpha
        shape = maps.mask.shape
        self.verdicts = [(verdict, *verdict.inside(maps.lower_kji, shape)) for verdict in verdicts]

    def number(self, labels: np.ndarray, kind: Kind, kidneys: _Numbered | None = None) -> _Numbered:
        """Number the components of a kind, side by side; those of kidney are the ones that hold kidney."""
        return _Numbered(self, labels, kind, kidneys)

    def probability(self, stored: np.ndarray, kind: Kind) -> np.ndarray:
        """The fused probability of a kind at stored voxels, float32."""
        coarse, refined = (
            stage[stored].sum(axis=1, dtype=np.float32) if kind == "kidney" else stage[stored, 1].astype(np.float32)
            for stage in (self.maps.coarse, self.maps.refined)
        )
        return (np.float32(self.alpha) * coarse + np.float32(1 - self.alpha) * refined) / np.float32(255)

    def take_out_merged(self, labels: np.ndarray, ceilings: np.ndarray) -> list[Component]:
        """Take dismissed voxels out of components that are mostly something else, before these are looked at."""
        taken: list[Component] = []
        if not any(verdict.decision == "dismissed" for verdict, *_ in self.verdicts):
            return taken
        kidneys = self.number(labels, "kidney")
        for numbered in (kidneys, self.number(labels, "tumor", kidneys)):
            for verdict, box, voxels in self.verdicts:
                if verdict.decision != "dismissed" or verdict.kind != numbered.kind:
                    continue
                overlap = numbered.overlap(box, voxels)
                for number in np.flatnonzero((2 * overlap > verdict.size) & (2 * overlap <= numbered.sizes)):
                    inside = voxels & (numbered.numbers[box] == number)
                    lowered = KIDNEY if numbered.kind == "tumor" and numbered.is_in_kidney[number] else BACKGROUND
                    ceilings[box][inside] = np.minimum(ceilings[box][inside], lowered)
                    held = np.where(inside, labels[box], 0).astype(np.uint8)
                    side, confidence = numbered.side(number), float(numbered.confidences[number])
                    taken.append(Component(numbered.kind, side, "dismissed", confidence, box, inside, held))
        return taken


class _Numbered:
    """The components of one kind, with their facts by number; 0 is no component."""

    def __init__(self, scan: _Scan, labels: np.ndarray, kind: Kind, kidneys: _Numbered | None) -> None:
        self.kind: Kind = kind
        self._scan = scan
        maps = scan.maps
        where = labels > BACKGROUND if kind == "kidney" else labels == TUMOR
        self.numbers = np.zeros(labels.shape, np.int32)
        box = bounding_box(where)
        if box is not None:
            # What is on two sides is two components.
            self.numbers[box] = label_components(np.where(where[box], maps.sides_box[box], np.uint8(0)))
        count = int(self.numbers.max(initial=0)) + 1
        of_stored = self.numbers[maps.mask]
        stored = np.flatnonzero(of_stored)
        found = of_stored[stored]
        if kind == "kidney":
            holds_kidney = np.zeros(count, bool)
            holds_kidney[found[labels[maps.mask][stored] == KIDNEY]] = True
            # A tumor apart from every kidney is judged as a tumor alone.
            self.numbers = np.where(holds_kidney, np.arange(count, dtype=np.int32), 0)[self.numbers]
            kept = holds_kidney[found]
            stored, found = stored[kept], found[kept]
        self.sizes = np.bincount(found, minlength=count)
        sums = np.bincount(found, _certainty(scan.probability(stored, kind)), minlength=count)
        self.confidences = np.divide(sums, self.sizes, out=np.zeros(count), where=self.sizes > 0)
        self._sides = np.zeros(count, np.uint8)
        self._sides[found] = maps.sides[stored]
        self.is_in_kidney = np.zeros(count, bool)
        if kidneys is not None:
            self.is_in_kidney[found] = kidneys.numbers[maps.mask][stored] > 0
        self.statuses = np.zeros(count, np.uint8)

    def judge(self, threshold: float) -> None:
        """Say of each component whether it is believed; a person's verdict goes before confidence."""
        # 0 is everything: not even rounding may take a component out.
        if threshold > 0:
            self.statuses[self.confidences < threshold] = _CANDIDATE
        for verdict, box, voxels in self._scan.verdicts:
            is_tumor_of_kidney = verdict.kind == "tumor" and self.kind == "kidney"
            if (verdict.kind != self.kind and not is_tumor_of_kidney) or not voxels.size:
                continue
            overlap = self.overlap(box, voxels)
            hit = (2 * overlap > verdict.size) | ((2 * overlap > self.sizes) & (overlap > 0))
            if not is_tumor_of_kidney:
                self.statuses[hit] = _ACCEPTED if verdict.decision == "accepted" else _DISMISSED
            elif verdict.decision == "accepted":
                # An accepted tumor keeps the kidney that it lies in.
                self.statuses[hit & (self.statuses == _CANDIDATE)] = _ACCEPTED

    def overlap(self, box: Box, voxels: np.ndarray) -> np.ndarray:
        """The number of voxels that each component shares with others, given in a box."""
        counts = np.bincount(self.numbers[box][voxels], minlength=len(self.sizes))
        counts[0] = 0
        return counts

    @property
    def is_counted(self) -> np.ndarray:
        """Whether each component is in the labels."""
        return self.statuses <= _ACCEPTED

    def ceilings(self) -> np.ndarray:
        """The highest label that each component allows, uint8."""
        lowered = np.where(self.is_in_kidney, np.uint8(KIDNEY), np.uint8(BACKGROUND))
        ceilings = np.where(self.is_counted, np.uint8(TUMOR), lowered)
        ceilings[0] = TUMOR
        return ceilings

    def side(self, number: int | np.integer) -> Side:
        """The side of a component."""
        return next(side for side in SIDES if SIDE_CODES[side] == self._sides[number])

    @property
    def is_listed(self) -> np.ndarray:
        """Whether each component is large enough to be listed; what a person looked at always is."""
        is_large = self.sizes * self._scan.maps.grid.voxel_ml >= LISTED_ML
        is_decided = (self.statuses == _ACCEPTED) | (self.statuses == _DISMISSED)
        return (self.sizes > 0) & (is_large | is_decided)

    def listed(self, labels: np.ndarray) -> list[Component]:
        """The components that are listed, in the order of their numbers."""
        from scipy import ndimage

        components = []
        boxes = ndimage.find_objects(self.numbers) if self.numbers.size else []
        for number in np.flatnonzero(self.is_listed):
            box = boxes[number - 1]
            voxels = self.numbers[box] == number
            held = np.where(voxels, labels[box], 0).astype(np.uint8)
            status = _STATUSES[self.statuses[number]]
            confidence = float(self.confidences[number])
            components.append(Component(self.kind, self.side(number), status, confidence, box, voxels, held))
        return components


def _islands(kidneys: _Numbered, tumors: _Numbered) -> Islands:
    counts, voxels = [], []
    voxel_ml = kidneys._scan.maps.grid.voxel_ml
    for is_counted in (True, False):
        small = [
            numbered.sizes[(numbered.sizes > 0) & ~numbered.is_listed & (numbered.is_counted == is_counted)]
            for numbered in (kidneys, tumors)
        ]
        counts.append(sum(len(sizes) for sizes in small))
        voxels.append(float(sum(sizes.sum() for sizes in small)) * voxel_ml)
    return Islands(counts[0], round(voxels[0], 4), counts[1], round(voxels[1], 4))
