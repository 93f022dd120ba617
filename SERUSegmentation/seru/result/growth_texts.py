"""A comparison in words: the same on the command line and on its page."""

from __future__ import annotations

from collections.abc import Iterator

from seru.findings import SIDES, Side
from seru.result.growth import Change, Growth, Seen, TumorGrowth


def change_text(change: Change, unit: str) -> str:
    """Return ``10.2 to 14.1 ml (+3.9 ml, +38 %)``; without a percentage where there was nothing before."""
    percent = "" if change.percent is None else f", {round(change.percent):+} %"
    return f"{change.before:.1f} to {change.after:.1f} {unit} ({change.difference:+z.1f} {unit}{percent})"


def kidney_text(kidney_ml: Change) -> str:
    """Return how a kidney has changed, or which scan alone it is in; empty where it is in neither."""
    for there, missing, which in (
        (kidney_ml.before, kidney_ml.after, "first"),
        (kidney_ml.after, kidney_ml.before, "second"),
    ):
        if not missing:
            return f"only in the {which} scan: {there:.1f} ml" if there else ""
    return change_text(kidney_ml, "ml")


def _rate_text(tumor: TumorGrowth) -> str:
    """Return how fast a tumor grows, empty where it cannot be told."""
    texts = []
    if tumor.doubling_days is not None:
        texts.append(f"doubles its volume in {tumor.doubling_days:.0f} days")
    if tumor.mm_per_year is not None:
        texts.append(f"{tumor.mm_per_year:+z.1f} mm a year")
    return ", ".join(texts)


def name_of(side: Side, tumor: TumorGrowth) -> str:
    """Return what a tumor is called: by its number in the first report, and in the second where that is another."""
    numbers = dict.fromkeys(seen.number for seen in (tumor.before, tumor.after) if seen is not None)
    return f"{side} tumor {' / '.join(map(str, numbers))}"


def alone_text(tumor: TumorGrowth) -> str:
    """Return which scan alone a tumor is in, empty where it is in both."""
    if tumor.before is None and tumor.after is not None:
        return f"only in the second scan: {_seen_text(tumor.after)}"
    if tumor.before is not None and tumor.after is None:
        return f"only in the first scan: {_seen_text(tumor.before)}"
    return ""


def growth_lines(growth: Growth) -> Iterator[str]:
    """Say in words what has changed.

    Args:
        growth: of a patient.

    Yields:
        A line for each kidney and each tumor, then what is to be known of them.
    """
    for side in SIDES:
        found = growth.side(side)
        if text := kidney_text(found.kidney_ml):
            yield f"{side} kidney: {text}"
        for tumor in found.tumors:
            yield f"{name_of(side, tumor)}: {alone_text(tumor) or _both_text(tumor)}"
            yield from (f"note: {name_of(side, tumor)}: {remark}" for remark in tumor.remarks)
    yield from (f"note: {remark}" for remark in growth.remarks)


def _both_text(tumor: TumorGrowth) -> str:
    assert tumor.volume_ml is not None
    assert tumor.longest_mm is not None
    rate = _rate_text(tumor)
    sizes = f"{change_text(tumor.volume_ml, 'ml')}, longest {change_text(tumor.longest_mm, 'mm')}"
    return sizes + (f"; {rate}" if rate else "")


def _seen_text(seen: Seen) -> str:
    least = "at least " if seen.cut_by_edge else ""
    return f"{least}{seen.volume_ml:.1f} ml, {seen.longest_mm:.0f} x {seen.across_mm:.0f} mm, slice {seen.slice_index}"
