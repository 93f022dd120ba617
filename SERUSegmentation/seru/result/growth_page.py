"""The page of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seru.files import Opener, replacing, write_text
from seru.findings import SIDES
from seru.result.growth import Growth, Scan, TumorGrowth
from seru.result.growth_texts import alone_text, change_text, kidney_text, name_of
from seru.result.sheets import render

_COLUMNS = ("Finding", "Volume", "Longest diameter", "Across", "Doubles in", "A year", "Slices")
# Rows of each list on the sheet of A4.
_MOST_PRINTED = {"remarks": 8, "rows": 18}


def write_growth_page(path: Path, growth: Growth, opener: Opener = replacing) -> None:
    """Write the page of a comparison.

    Args:
        path: of the page.
        growth: of a patient.
        opener: of a group of files that take their places together.

    Raises:
        BadInputError: Jinja2 is missing, or the page cannot be written.
    """
    write_text(path, render_growth_page(growth), opener)


def render_growth_page(growth: Growth) -> str:
    """Return the page of a comparison as HTML.

    Args:
        growth: of a patient.
    """
    return render("growth.html", _content(growth))


def _content(growth: Growth) -> dict[str, Any]:
    tumors = [(side, tumor) for side in SIDES for tumor in growth.side(side).tumors]
    of_tumors = [f"{_upper(name_of(side, tumor))}: {text}" for side, tumor in tumors for text in tumor.remarks]
    scans = growth.before, growth.after
    # KiTS19, for one, calls every CT the same.
    are_alike = growth.before.name == growth.after.name
    names = [scan.report if are_alike or not scan.name else scan.name for scan in scans]
    return {
        "names": names,
        "when": "" if growth.days is None else f"{growth.days} days apart.",
        "remarks": [*of_tumors, *growth.remarks],
        "columns": _COLUMNS,
        "rows": [*_kidney_rows(growth), *((_upper(name_of(side, tumor)), *_cells(tumor)) for side, tumor in tumors)],
        "facts": [("First scan", _scan_text(growth.before)), ("Second scan", _scan_text(growth.after))],
        "most_printed": _MOST_PRINTED,
    }


def _kidney_rows(growth: Growth) -> Iterator[tuple[str, ...]]:
    for side in SIDES:
        text = kidney_text(growth.side(side).kidney_ml) or "not found in either scan"
        yield f"{_upper(side)} kidney", _upper(text), *5 * ("",)


def _cells(tumor: TumorGrowth) -> tuple[str, ...]:
    slices = ", ".join(str(seen.slice_index) for seen in (tumor.before, tumor.after) if seen is not None)
    if tumor.volume_ml is None or tumor.longest_mm is None or tumor.across_mm is None:
        return _upper(alone_text(tumor)), *4 * ("",), slices
    sizes = change_text(tumor.longest_mm, "mm"), change_text(tumor.across_mm, "mm")
    doubling = "not known" if tumor.doubling_days is None else f"{tumor.doubling_days:.0f} days"
    a_year = "not known" if tumor.mm_per_year is None else f"{tumor.mm_per_year:+z.1f} mm"
    return change_text(tumor.volume_ml, "ml"), *sizes, doubling, a_year, slices


def _scan_text(scan: Scan) -> str:
    made = "labels, measured" if scan.made_by is None else f"{scan.made_by}, alpha {scan.alpha:g}"
    return ", ".join(text for text in (scan.name, scan.study_date, f"report {scan.report}", made) if text)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
