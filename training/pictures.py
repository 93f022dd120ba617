"""Pictures of single results: the best, the middle and the worst, each on its image, with the labels beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

from seru.findings import TUMOR
from seru.hounsfield import window_to_uint8
from seru.orientation import AxialStack
from training.labelled import LabelledCase
from training.plots import save_figure
from training.predictions import Prediction
from training.scoring import CaseScore

_WINDOW = (-160.0, 240.0)
_OUTLINES = ((0, "#31d07c"), (1, "#ff5a4f"))


@dataclass(frozen=True)
class Example:
    """What is kept of a case until it is known whether it is drawn.

    Attributes:
        case: read again where it is drawn.
        score: of the case.
        index: the axial slice with the largest labels; of a case whose labels show none, with the largest found.
        found: uint8, shape (rows, columns), labels found on it, in the axial stack's orientation.
    """

    case: LabelledCase
    score: CaseScore
    index: int
    found: np.ndarray


def take_example(prediction: Prediction, score: CaseScore, found: np.ndarray) -> Example:
    """Keep the slice of a case that shows most.

    Args:
        prediction: of the case.
        score: of the case.
        found: uint8, the labels found on the maps' stored box (K, J, I).

    Returns:
        The example.
    """
    volume, _ = prediction.case.read()
    to_stack = AxialStack.of(volume).orientation.to_stack
    labels = to_stack(prediction.maps.whole(found))
    most = to_stack(prediction.truth) if score.shows_kidney else labels
    index = int(np.argmax((most > 0).sum(axis=(1, 2))))
    return Example(prediction.case, score, index, labels[index].copy())


def choose_examples(examples: Sequence[Example], count: int = 10) -> list[Example]:
    """Choose evenly from the best to the worst by the Dice of kidney and tumor together.

    Args:
        examples: those whose labels show no kidney are left out; where all are such, the less tumor the better.
        count: how many at most.

    Returns:
        The chosen, best first.
    """
    shown = [example for example in examples if example.score.shows_kidney]
    ordered = sorted(shown or examples, key=lambda example: (_fault(example), example.case.id))
    places = np.unique(np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int))
    return [ordered[place] for place in places]


def plot_pictures(path: Path, examples: Sequence[Example], title: str) -> None:
    """Draw examples: outlines found on the image (kidney with tumor green, tumor red), the labels dotted in white.

    Args:
        path: PNG; with no example nothing is written.
        examples: at most ten look well.
        title: above them.
    """
    if not examples:
        return
    columns = min(5, len(examples))
    rows = -(-len(examples) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(3 * columns, 3.3 * rows), layout="constrained", squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    for axes, example in zip(panels.flat, examples, strict=False):
        volume, truth_kji = example.case.read()
        stack = AxialStack.of(volume)
        truth = stack.orientation.to_stack(truth_kji)[example.index]
        axes.imshow(window_to_uint8(stack.hu[example.index], _WINDOW), cmap="gray", vmin=0, vmax=255)
        for least, color in _OUTLINES:
            _outline(axes, example.found > least, colors=color, linewidths=1.2)
            _outline(axes, truth > least, colors="white", linewidths=0.7, linestyles="dotted")
        kidney, tumor = (_written(dice) for dice in (example.score.kidney_tumor, example.score.tumor))
        axes.set_title(f"{example.case.id}\nDice {kidney}, tumor {tumor}", fontsize=8)
    figure.suptitle(title)
    save_figure(figure, path)


def _fault(example: Example) -> float:
    if example.score.shows_kidney:
        return -example.score.kidney_tumor
    return float((example.found == TUMOR).sum())


def _written(dice: float) -> str:
    return "-" if np.isnan(dice) else f"{dice:.2f}"


def _outline(axes: plt.Axes, mask: np.ndarray, **style: Any) -> None:
    if mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], **style)
