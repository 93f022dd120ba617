"""The nephrometry of a case, as its page shows it: each component with its points and what they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from seru.findings import SIDES, Report, Side
from seru.scores import APART, Aspect, Nephrometry, Score

# A sheet of A4 has room for the components of one side, beside this many lines of lists.
_MOST_BESIDE = 10
_UNITS = {"mm": "{:.1f} mm", "mm2": "{:.0f} mm²", "ml": "{:.1f} ml", "share": "{:.0f} %", "index": "{:.1f}"}
# Numbers that the value tells.
_VALUES = {"c_index", "volume_ml", "measured_mm2", "right_share", "left_share"}
_CALLED = {"between_share": "between these lines", "anterior_share": "in front", "exophytic_share": "outside"}


def scores_of(report: Report, lines_beside: int) -> list[dict[str, Any]]:
    """Return what the template shows of each side that was scored.

    Args:
        report: of a case.
        lines_beside: of the lists that are printed with it.
    """
    found = [(side, scores) for side in SIDES if (scores := report.side(side).nephrometry) is not None]
    is_printed = len(found) == 1 and lines_beside <= _MOST_BESIDE
    return [_of_side(side, scores, report.model is not None, is_printed) for side, scores in found]


def _of_side(side: Side, scores: Nephrometry, is_of_network: bool, is_printed: bool) -> dict[str, Any]:
    aspects = [*scores.renal.aspects, *scores.padua.aspects, *_measures(scores)]
    reasons = dict.fromkeys(aspect.reason for aspect in aspects if aspect.reason)
    return {
        "side": side,
        "title": f"Nephrometry, {side}: {scores.renal.name} {scores.renal.text}, PADUA {scores.padua.text}",
        "remark": _remark(scores, is_of_network),
        "reasons": list(reasons),
        "is_printed": is_printed,
        "tables": [{"name": score.name, "rows": list(_rows(score))} for score in (scores.renal, scores.padua)],
        "measures": "; ".join(map(_measure_text, _measures(scores))) + ".",
        "ways": list(dict.fromkeys((aspect.name, aspect.how) for aspect in aspects)),
    }


def _remark(scores: Nephrometry, is_of_network: bool) -> str:
    which = f"Of the largest of {scores.tumors} tumors. " if scores.tumors > 1 else ""
    who = "a network found this tumor, and " if is_of_network else ""
    apart = f" {APART}" if scores.is_apart else ""
    return f"{which}Check each component: {who}no label shows sinus, vessels or collecting system.{apart}"


def _rows(score: Score) -> Iterator[tuple[str, str, str, str]]:
    for aspect in score.aspects:
        value = "not known" if aspect.value is None else aspect.value
        points = "" if aspect.points is None else str(aspect.points)
        yield aspect.name.capitalize(), value, points, sources_text(aspect)


def _measures(scores: Nephrometry) -> tuple[Aspect, ...]:
    return scores.sinus, scores.centrality, scores.contact, scores.split


def _measure_text(aspect: Aspect) -> str:
    name = aspect.name[:1].upper() + aspect.name[1:]
    if aspect.value is None:
        return f"{name}: not known"
    sources = sources_text(aspect)
    return f"{name}: {aspect.value}" + (f" ({sources})" if sources else "")


def sources_text(aspect: Aspect, say: Callable[[str], str] = str) -> str:
    """Return what a component was computed from: ``between these lines 45 %; slices: midline 52, tumor lowest 51``.

    Args:
        aspect: the component; a number that its value tells is left out.
        say: puts each word into the reader's language.
    """
    told = {name: value for name, value in aspect.numbers.items() if name not in _VALUES}
    numbers = ", ".join(f"{say(_called(name))} {_number_text(name, value)}" for name, value in told.items())
    slices = ", ".join(f"{say(name.replace('_', ' '))} {index}" for name, index in aspect.slices.items())
    return "; ".join(text for text in (numbers, slices and f"{say('slices')}: {slices}") if text)


def _called(name: str) -> str:
    return _CALLED.get(name, name.rpartition("_")[0].replace("_", " "))


def _number_text(name: str, value: float) -> str:
    unit = name.rpartition("_")[2]
    return _UNITS[unit].format(100 * value if unit == "share" else value)
