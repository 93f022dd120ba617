"""Pictures of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from seru.files import replacing
from seru.findings import Thresholds
from training.scoring import CaseScore

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_COLORS = {"kidney_tumor": "#1f6f8b", "tumor": "#c8553d", "score": "#444444"}
_NAMES = {"kidney_tumor": "kidney + tumor", "tumor": "tumor", "score": "mean of both"}


def plot_alpha(
    path: Path, alphas: Sequence[float], means: Mapping[str, Sequence[float]], chosen: float, paper: float
) -> None:
    """Draw the mean Dice over alpha.

    Args:
        path: PNG.
        alphas: 0..1.
        means: of ``kidney_tumor``, ``tumor`` and ``score`` at each alpha.
        chosen: marked by a line.
        paper: the manuscript's, likewise.
    """
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, values in means.items():
        axes.plot(alphas, values, color=_COLORS[name], marker="o", markersize=3, label=_NAMES[name])
    axes.axvline(chosen, color="#888888", linestyle="--", linewidth=1, label=f"chosen: {chosen:g}")
    axes.axvline(paper, color="#888888", linestyle=":", linewidth=1, label=f"the paper's: {paper:g}")
    axes.set(xlabel="alpha (0: refined alone, 1: coarse alone)", ylabel="mean Dice", xlim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    save_figure(figure, path)


def plot_cases(path: Path, scores: Sequence[CaseScore], title: str) -> None:
    """Draw the Dice of every case, ordered, one panel a class.

    Args:
        path: PNG.
        scores: of the cases; undefined ones are left out and counted.
        title: above the panels.
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for axes, name in zip(panels, ("kidney_tumor", "tumor"), strict=True):
        values = np.sort([getattr(score, name) for score in scores if not np.isnan(getattr(score, name))])
        axes.plot(np.arange(1, values.size + 1), values, "o", markersize=4, color=_COLORS[name])
        if values.size:
            axes.axhline(values.mean(), color=_COLORS[name], linewidth=1)
            axes.annotate(
                f"mean {values.mean():.3f}, median {np.median(values):.3f}",
                (0.98, 0.03),
                xycoords="axes fraction",
                ha="right",
            )
        undefined = len(scores) - values.size
        axes.set(title=f"{_NAMES[name]} ({values.size} cases, {undefined} undefined)", xlabel="case, ordered by Dice")
        axes.set_ylim(-0.03, 1.03)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("Dice")
    figure.suptitle(title)
    save_figure(figure, path)


def plot_tumor_size(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Draw tumor Dice over true tumor volume, and found over true volume.

    Args:
        path: PNG.
        rows: with ``true_tumor_ml``, ``found_tumor_ml`` and ``tumor``.
    """
    shown = [row for row in rows if row["true_tumor_ml"] > 0]
    true, found, values = (
        np.array([row[key] for row in shown]) for key in ("true_tumor_ml", "found_tumor_ml", "tumor")
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    left.semilogx(true, values, "o", markersize=4, color=_COLORS["tumor"])
    left.set(xlabel="true tumor volume (ml)", ylabel="tumor Dice", ylim=(-0.03, 1.03))
    if true.size:
        # Whole decades: a log axis labels them cleanly.
        limits = [10 ** np.floor(np.log10(true.min())), 10 ** np.ceil(np.log10(max(true.max(), found.max())))]
        left.set_xlim(limits)
        right.plot(limits, limits, color="#888888", linewidth=1)
        right.loglog(true, np.maximum(found, limits[0]), "o", markersize=4, color=_COLORS["tumor"])
    right.set(xlabel="true tumor volume (ml)", ylabel="found tumor volume (ml)")
    for axes in (left, right):
        axes.grid(alpha=0.3, which="both")
    save_figure(figure, path)


def plot_findings(path: Path, tables: Mapping[str, Any], thresholds: Thresholds) -> None:
    """Draw how many findings of each confidence are true, by number and by volume, and how many there are.

    Args:
        path: PNG.
        tables: of :func:`training.finding_tables.summarise_findings`; with none nothing is written.
        thresholds: marked by a line.
    """
    if not tables:
        return
    size = (5.2 * len(tables), 5.2)
    figure, panels = plt.subplots(2, len(tables), figsize=size, layout="constrained", squeeze=False, sharex=True,
                                  height_ratios=(3, 1))  # fmt: skip
    for kind, axes, counts in zip(tables, *panels, strict=True):
        rows = [row for row in tables[kind]["calibration"] if row["findings"]]
        confidences = [row["confidence"] for row in rows]
        color = _COLORS["tumor" if kind == "tumor" else "kidney_tumor"]
        axes.plot(confidences, [row["true"] for row in rows], "o-", color=color, label="by number")
        axes.plot(confidences, [row["true_volume"] for row in rows], "s--", color="#888888", label="by volume")
        axes.axvline(getattr(thresholds, kind), color="#888888", linestyle=":", label="believed from here")
        axes.set(title=f"{kind} findings", ylabel="share that is true", xlim=(0, 1), ylim=(-0.03, 1.03))
        axes.legend(frameon=False)
        for row in rows:
            width = row["high"] - row["low"]
            counts.bar(row["low"], row["findings"], width, align="edge", color=color, edgecolor="white")
        counts.set(xlabel="confidence", ylabel="findings")
        axes.grid(alpha=0.3)
    save_figure(figure, path)


def plot_losses(path: Path, losses: Mapping[str, Sequence[tuple[int, float, float]]]) -> None:
    """Draw each stage's loss over its steps, smoothed over a twentieth of them.

    Args:
        path: PNG.
        losses: step, loss and learning rate of each stage.
    """
    figure, panels = plt.subplots(1, len(losses), figsize=(4.8 * len(losses), 3.8), layout="constrained", squeeze=False)
    for axes, (stage, rows) in zip(panels[0], losses.items(), strict=True):
        steps, values = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        axes.plot(steps, values, color="#bbbbbb", linewidth=0.7, label="each step")
        width = max(1, len(rows) // 20)
        if len(rows) > width:
            smooth = np.convolve(values, np.ones(width) / width, "valid")
            axes.plot(steps[width - 1 :], smooth, color="#1f6f8b", label=f"mean of {width}")
        axes.set(title=stage, xlabel="step", ylabel="loss")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, and close it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=110)
    plt.close(figure)
