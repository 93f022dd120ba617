"""Findings of many cases in numbers: precision, recall, calibration, and how often ranges hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from seru.findings import Kind, Thresholds
from training.finding_scores import KINDS, CaseFindings, FindingScore, Interval, TrueComponent

# Upper limits of the size classes in mm; 40 mm parts the stages T1a and T1b.
_SIZES_MM = (10.0, 20.0, 40.0)
# Of the bins of confidence.
_BINS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

Table = dict[str, Any]


def summarise_findings(cases: Sequence[CaseFindings], thresholds: Thresholds) -> Table:
    """Summarise findings before and after the gate.

    Args:
        cases: with every finding, believed or not.
        thresholds: of the gate.

    Returns:
        By ``kidney`` and ``tumor``, each where some labels tell it: ``all`` (gate off) and ``believed`` (gate on), each
        with the numbers of true and false findings, of found components of the labels and of the classes of size;
        ``calibration``; and ``ranges``.
    """
    tables: Table = {}
    for kind in KINDS:
        known = [case for case in cases if (case.case.knows_kidney if kind == "kidney" else case.case.knows_tumor)]
        if known:
            tables[kind] = _of_kind(known, kind, thresholds)
    return tables


def size_class(size_mm: float) -> str:
    """Return the name of a size's class."""
    lower = 0.0
    for upper in _SIZES_MM:
        if size_mm < upper:
            return f"{lower:g} to {upper:g} mm" if lower else f"under {upper:g} mm"
        lower = upper
    return f"{_SIZES_MM[-1]:g} mm and more"


def size_classes() -> list[str]:
    """Return the names of the classes, small ones first."""
    return [size_class(low) for low in (0.0, *_SIZES_MM)]


def _of_kind(cases: Sequence[CaseFindings], kind: Kind, thresholds: Thresholds) -> Table:
    findings = [finding for case in cases for finding in case.findings if finding.kind == kind]
    truths = [truth for case in cases for truth in case.truths if truth.kind == kind]
    return {
        "cases": len(cases),
        "all": _counts(findings, truths, Thresholds(), len(cases)),
        "believed": _counts(findings, truths, thresholds, len(cases)),
        "calibration": calibration(findings),
        "ranges": {
            "volume": _ranges(findings, lambda finding: finding.volume),
            "longest": _ranges(findings, lambda finding: finding.longest),
        },
    }


def _counts(
    findings: Iterable[FindingScore], truths: Sequence[TrueComponent], thresholds: Thresholds, cases: int
) -> Table:
    kept = [finding for finding in findings if finding.is_believed(thresholds)]
    found = [truth for truth in truths if truth.is_found(thresholds)]
    true = sum(finding.is_true for finding in kept)
    by_size = {}
    for name in size_classes():
        of_size = [truth for truth in truths if size_class(truth.size_mm) == name]
        by_size[name] = {
            "components": len(of_size),
            "found": sum(truth.is_found(thresholds) for truth in of_size),
            "true": sum(finding.is_true for finding in kept if size_class(finding.size_mm) == name),
            "false": sum(not finding.is_true for finding in kept if size_class(finding.size_mm) == name),
        }
    return {
        "true": true,
        "false": len(kept) - true,
        "precision": _share(true, len(kept)),
        "components": len(truths),
        "found": len(found),
        "recall": _share(len(found), len(truths)),
        "false_per_case": (len(kept) - true) / cases,
        "by_size": by_size,
    }


def calibration(findings: Iterable[FindingScore]) -> list[Table]:
    """Tell how many findings of each bin of confidence are true.

    Args:
        findings: of one kind.

    Returns:
        For each bin: its limits, mean confidence, number of findings, share of true ones, and the share of their
        volume that is true; None where the bin is empty.
    """
    findings, rows = list(findings), []
    for low, high in pairwise(_BINS):
        inside = [f for f in findings if low <= f.confidence and (f.confidence < high or high == _BINS[-1])]
        volume = sum(finding.volume_ml for finding in inside)
        rows.append(
            {
                "low": low,
                "high": high,
                "findings": len(inside),
                "confidence": _share(sum(finding.confidence for finding in inside), len(inside)),
                "true": _share(sum(finding.is_true for finding in inside), len(inside)),
                "true_volume": _share(sum(finding.true_ml for finding in inside), volume),
            }
        )
    return rows


def _ranges(findings: Iterable[FindingScore], interval_of: Callable[[FindingScore], Interval | None]) -> Table:
    """How often the true value lies in the range, and how wide the range is against what it is of."""
    intervals = [interval for finding in findings if (interval := interval_of(finding)) is not None]
    widths = sorted((one.high - one.low) / one.found for one in intervals if one.found > 0)
    return {
        "findings": len(intervals),
        "inside": _share(sum(interval.holds for interval in intervals), len(intervals)),
        "below": _share(sum(interval.true < interval.low for interval in intervals), len(intervals)),
        "above": _share(sum(interval.true > interval.high for interval in intervals), len(intervals)),
        "median_width": widths[len(widths) // 2] if widths else None,
    }


def format_findings(tables: Table) -> str:
    """Return the tables of :func:`summarise_findings` as lines for people."""
    lines = []
    for kind, table in tables.items():
        for name, title in (("all", "gate off"), ("believed", "gate on")):
            part = table[name]
            sizes = "; ".join(
                f"{size}: {of['found']} of {of['components']}, {of['false']} false"
                for size, of in part["by_size"].items()
            )
            lines.append(
                f"{kind:>8} findings, {title}: {part['true']} true and {part['false']} false "
                f"(precision {_number(part['precision'])}, {part['false_per_case']:.2f} false a case), found "
                f"{part['found']} of {part['components']} (recall {_number(part['recall'])})\n{'':>10}{sizes}"
            )
        bins = ", ".join(
            f"{row['low']:g}-{row['high']:g}: {_number(row['true'], 2)} of {row['findings']}"
            for row in table["calibration"]
            if row["findings"]
        )
        lines.append(f"{kind:>8} true by confidence: {bins or 'no findings'}")
        for measure, part in table["ranges"].items():
            if part["findings"]:
                lines.append(
                    f"{kind:>8} {measure}: {part['inside']:.0%} of {part['findings']} true values lie in the range, "
                    f"{part['below']:.0%} below, {part['above']:.0%} above"
                )
    return "\n".join(lines)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _number(value: float | None, digits: int = 3) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"
