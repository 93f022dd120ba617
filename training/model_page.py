"""The page that people read beside a model's weights: what its card says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seru.model.card import ModelCard

PAGE = "README.md"
_CLASSES = {"kidney_tumor": "kidney and tumor together", "tumor": "tumor"}
_LICENCES = {"CC-BY-NC-SA-4.0": "[CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/)"}
_WAYS = {"fused": "fused", "coarse_alone": "coarse stage alone", "refined_alone": "refine stage alone"}


def model_page(card: ModelCard) -> str:
    """Return the page of a model.

    Args:
        card: with the scores that the recipe measured.

    Returns:
        Markdown.
    """
    scores = card.scores
    fused = scores["fused"]
    trained = scores.get("trained_on", {"slices": "?", "patients": "?"})
    parts = [
        f"# {card.title}",
        f"`{card.id}`, licence of the weights: {_LICENCES.get(card.licence, card.licence)}. "
        "**Research use only; not a medical device.**",
        "## Data",
        f"{card.training_data.rstrip('.')}. Trained on {trained['slices']} slices of {trained['patients']} patients; "
        f"the figures below are those of {fused['cases']} cases of {fused['patients']} other patients, "
        f"at alpha {card.alpha:g} ({scores.get('alpha_is', 'given')}).",
        "## Scores",
        "Mean Dice over the slices or cases whose labels show the class:",
        _shown_table(scores["shown"]),
        "Mean Dice over all cases where it is defined (labels or result show the class), as KiTS19 counts:",
        _ways_table(scores),
        *_gate(card),
        "## Know before use",
        "\n".join(f"- {note}" for note in card.notes),
        "## How it sees",
        f"HU window {card.window[0]:g} to {card.window[1]:g}, CLAHE with clip limit {card.clahe_clip_limit:g} on "
        f"{card.clahe_grid[0]}x{card.clahe_grid[1]} tiles; coarse stage: {_coarse(card)}; refine stage: crops of "
        f"{card.crop_size}x{card.crop_size} pixels{_pixels(card)}.",
        "## Files",
        "\n".join(f"- `{name}`, {entry['size']} bytes, SHA-256 `{entry['sha256']}`" for name, entry in _files(card)),
    ]
    return "\n\n".join(parts) + "\n"


def _shown_table(shown: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        "| class | mean | standard deviation | 95 % interval | slices or cases | patients | false alarms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in _CLASSES.items():
        part = shown[name]
        values = (_number(part[key]) for key in ("mean", "deviation"))
        interval = f"{_number(part['low'])} to {_number(part['high'])}"
        alarms = f"{part['false_alarms']} of {part['without']} without it"
        cells = (title, *values, interval, str(part["slices"]), str(part["patients"]), alarms)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _ways_table(scores: Mapping[str, Any]) -> str:
    lines = ["| | kidney and tumor together | tumor | mean of both |", "|---|---|---|---|"]
    for name, title in _WAYS.items():
        values = (_number(scores[name][key]) for key in ("kidney_tumor", "tumor", "score"))
        lines.append(f"| {title} | {' | '.join(values)} |")
    return "\n".join(lines)


def _gate(card: ModelCard) -> list[str]:
    """What is believed, and what that costs; nothing for a model without thresholds."""
    gate, thresholds = card.scores.get("gate"), card.thresholds
    if gate is None or thresholds is None:
        return []
    lines = [
        "| findings | least confidence | true area or volume kept | true findings kept | false findings left |",
        "|---|---|---|---|---|",
    ]
    for kind in ("kidney", "tumor"):
        part = gate[kind]
        numbers = f"{part['true']} of {part['of_true']} | {part['false']} of {part['of_false']}"
        lines.append(f"| {kind} | {getattr(thresholds, kind):g} | {_percent(part['true_kept'])} | {numbers} |")
    lost = ", ".join(f"{count} ({size})" for size, count in gate["tumor"]["lost_by_size"].items() if count)
    return [
        "## What is believed",
        "A finding with less confidence is a candidate: listed, but not in labels and volumes. On the same cases this "
        "costs:",
        "\n".join(lines),
        f"Tumors that are lost by it, by the diameter of a circle or ball as large: {lost or 'none'}. Key slices and "
        f"crops come from components of the coarse stage with a confidence of at least {thresholds.kidney_coarse:g}.",
    ]


def _coarse(card: ModelCard) -> str:
    return "slices as they are" if card.coarse_size is None else f"the longer side on {card.coarse_size} pixels"


def _pixels(card: ModelCard) -> str:
    return "" if card.in_plane_spacing_mm is None else f" of {card.in_plane_spacing_mm:g} mm"


def _files(card: ModelCard) -> list[tuple[str, dict[str, Any]]]:
    return sorted(card.files.items())


def _percent(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
