"""The gate: which components of the fused labels are believed.

A component's confidence is the mean of |2p - 1| over its voxels, p being the fused probability of its class: of kidney
and tumor together for a component that holds kidney, of tumor for a tumor. Components that hold kidney are looked at
first, and their tumors go with them; then each tumor in what stays. What is not believed is a candidate: it is not in
the labels, but it is listed. A person's verdict goes before confidence; where what it was on has become a small part of
something else, it decides on that part alone.

What the gate takes out of a kidney becomes kidney (a tumor in it), everything else background. It is kept as a ceiling
of each voxel, the highest label allowed there, so that it holds while alpha moves.

Source: our rule; ``--min-confidence 0`` is the paper's way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.findings import TUMOR, Thresholds
from seru.result.components import bounding_box, voxel_numbers
from seru.result.gated import Gated
from seru.result.judging import Foreground, PlacedVerdict, certainty
from seru.result.maps import Maps
from seru.result.verdicts import Verdict


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
    foreground = Foreground.of_maps(labels_box, maps, alpha)
    placed = [PlacedVerdict.of(verdict, maps) for verdict in verdicts]
    kidneys = foreground.number("kidney")
    extra = foreground.take_out_merged(placed, kidneys)
    if extra:
        kidneys = foreground.number("kidney")
    kidneys.judge(thresholds.kidney, placed)
    kidneys.lower()
    tumors = foreground.number("tumor", kidneys)
    tumors.judge(thresholds.tumor, placed)
    tumors.lower()
    components = [*extra, *kidneys.listed(), *tumors.listed()]
    ceilings = np.full(labels_box.shape, TUMOR, np.uint8)
    ceilings.reshape(-1)[foreground.flat] = foreground.ceilings
    kinds = kidneys, tumors
    return Gated(
        labels_box=np.minimum(labels_box, ceilings),
        ceilings_box=ceilings,
        components=tuple(components),
        specks=tuple(numbered.specks() for numbered in kinds),
        left_out=np.concatenate([numbered.left_out_sizes() for numbered in kinds]),
    )


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
    inside = mask[box]
    numbers = voxel_numbers(inside)
    sums = np.bincount(numbers, certainty(probability[box][inside] / np.float32(255)))
    believed = np.zeros_like(mask)
    believed[box][inside] = (sums >= threshold * np.bincount(numbers))[numbers]
    return believed
