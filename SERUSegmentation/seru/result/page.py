"""A page a case: key slices, findings, and what is to be doubted, for a browser, a printer and a screen reader.

One file with everything in it and no script. What comes from outside (names, warnings, a model's title) is text there,
whatever it holds. A printed page is one sheet: lists are cut for it, and say so.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seru.files import Opener, replacing, write_text
from seru.findings import SIDES, Finding, Islands, Report
from seru.result.page_scores import scores_of
from seru.result.remarks import name_of
from seru.result.sheets import render
from seru.terminology import COLORS

if TYPE_CHECKING:
    from seru.result.pictures import KeySlicePicture

_COLUMNS = ("Finding", "Volume", "Diameters", "HU", "Confidence", "Slice", "Status")
_STATUS = {"believed": "Found", "accepted": "Accepted", "candidate": "Candidate", "dismissed": "Dismissed"}
# Rows of each list on the sheet of A4.
_MOST_PRINTED = {"remarks": 5, "counted": 8, "candidates": 4, "dismissed": 1}
# How a line looks, its color and what it is.
_LEGEND = (
    ("thin", "coarse kidney", "coarse stage (thin line)"),
    ("thick", "kidney", "kidney and tumor, fused (thick line)"),
    ("thick", "tumor", "tumor, fused (thick line)"),
    ("box", "right", "right crop"),
    ("box", "left", "left crop"),
)
_LEGEND_OF_LABELS = (("thick", "kidney", "kidney and tumor"), ("thick", "tumor", "tumor"))


def write_page(path: Path, report: Report, pictures: Sequence[KeySlicePicture], opener: Opener = replacing) -> None:
    """Write the page of a case.

    Args:
        path: of the page.
        report: as it is written beside it.
        pictures: of the key slices; empty where the CT is not at hand.
        opener: of a group of files that take their places together.

    Raises:
        BadInputError: Jinja2 is missing, or the page cannot be written.
    """
    write_text(path, render_page(report, pictures), opener)


def render_page(report: Report, pictures: Sequence[KeySlicePicture]) -> str:
    """Return the page of a case as HTML.

    Args:
        report: of the case.
        pictures: of the key slices.
    """
    return render("page.html", _content(report, pictures))


def is_page_of(report: Report, path: Path) -> bool:
    """Tell whether a file is the whole page of a report.

    Args:
        report: of the case.
        path: of the page.

    Returns:
        False where it is of another run, or cut.

    Raises:
        OSError: it cannot be read.
    """
    page = path.read_bytes()
    return _mark(report).encode() in page and page.rstrip().endswith(b"</html>")


def _mark(report: Report) -> str:
    """What two runs share that found the same in the same way."""
    return hashlib.sha256(replace(report, seconds={}, warnings=()).to_json().encode("utf-8", "replace")).hexdigest()


def _content(report: Report, pictures: Sequence[KeySlicePicture]) -> dict[str, Any]:
    groups: dict[str, list[tuple[str, ...]]] = {"counted": [], "candidates": [], "dismissed": []}
    for finding in report.findings:
        group = "dismissed" if finding.status == "dismissed" else "candidates"
        groups["counted" if finding.is_counted else group].append(_cells(finding))
    remarks = (*report.remarks, *report.warnings)
    lines = {name: len(rows) for name, rows in groups.items()} | {"remarks": len(remarks)}
    printed = {name: min(count, _MOST_PRINTED[name]) for name, count in lines.items()}
    return {
        **groups,
        "mark": _mark(report),
        "name": _name(report),
        "remarks": remarks,
        "pictures": [_shown(picture, report) for picture in pictures],
        "no_pictures": _no_pictures(report),
        "legend": [(kind, _hex(color), text) for kind, color, text in (_LEGEND if report.model else _LEGEND_OF_LABELS)],
        "columns": _COLUMNS,
        "sums": list(_sums(report)),
        # A remark may have two lines.
        "nephrometry": scores_of(report, sum(printed.values()) + printed["remarks"]),
        "islands": _islands_text(report.islands),
        "nothing": f"No kidney and no tumor{' large enough to be listed' if report.islands.counted else ''} was found.",
        "facts": [(what, value) for what, value in _facts(report) if value],
        "most_printed": _MOST_PRINTED,
    }


def _name(report: Report) -> str:
    """The name alone of the CT, or else of the labels: where it lies is nobody's business on paper."""
    labels = "" if report.measured is None else Path(report.measured.path).name
    return Path(report.input.path or "").name or labels or "a CT"


def _no_pictures(report: Report) -> str:
    if report.measured is not None and report.input.path is None:
        return "They are shown where the labels are measured with their CT."
    has_any = any(report.side(side).key_slice is not None for side in SIDES)
    return "They are not shown: the CT was not at hand." if has_any else "No side has one."


def _shown(picture: KeySlicePicture, report: Report) -> dict[str, str]:
    key_slice = report.side(picture.side).key_slice
    index, area = (key_slice.index, key_slice.area_mm2 / 100) if key_slice else ("?", 0.0)
    return {
        "base64": b64encode(picture.webp).decode("ascii"),
        "alt": f"Axial CT slice {index}, the {picture.side} key slice, with the patient's right on the left of the "
        f"picture and the front at its top. Drawn: {', '.join(picture.shown)}.",
        "caption": f"{picture.side.capitalize()} key slice {index}, contour {area:.1f} cm²",
    }


def _cells(finding: Finding) -> tuple[str, ...]:
    name = name_of(finding)
    volume = f"{'at least ' if finding.cut_by_edge else ''}{_number(finding.volume_ml)} ml"
    if finding.volume_range_ml is not None:
        volume += f" ({' to '.join(map(_number, finding.volume_range_ml))})"
    diameters = f"{finding.longest.mm:.0f} x {finding.across.mm:.0f} mm"
    if finding.longest_range_mm is not None:
        diameters += f" ({' to '.join(f'{mm:.0f}' for mm in finding.longest_range_mm)})"
    return (
        f"{name[0].upper()}{name[1:]}",
        volume,
        diameters,
        _density(finding),
        "not known" if finding.confidence is None else f"{100 * finding.confidence:.0f} %",
        str(finding.slice_index),
        _STATUS[finding.status],
    )


def _density(finding: Finding) -> str:
    if finding.hu_mean is None:
        return "not known"
    return f"{finding.hu_mean:.0f}" + ("" if finding.hu_deviation is None else f" ± {finding.hu_deviation:.0f}")


def _number(ml: float) -> str:
    return f"{ml:.{0 if ml >= 10 else 1}f}"


def _sums(report: Report) -> Iterator[tuple[str, str, str]]:
    total = report.total
    for name, kidney_ml, tumor_ml in (
        *((side.capitalize(), report.side(side).kidney_ml, report.side(side).tumor_ml) for side in SIDES),
        ("Both", total["kidney_ml"], total["tumor_ml"]),
    ):
        yield name, f"{kidney_ml:.1f} ml", f"{tumor_ml:.1f} ml"


def _islands_text(islands: Islands) -> str:
    texts = []
    if islands.counted:
        texts.append(f"{islands.counted} too small to be listed are in the sums ({islands.counted_ml:.2f} ml)")
    if islands.left_out:
        texts.append(f"{islands.left_out} too small to be listed are left out ({islands.left_out_ml:.2f} ml)")
    return f"Of what was found {' and '.join(texts)}." if texts else ""


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """What a person needs to know to make it again; a result that no network made has fewer."""
    geometry, least = report.geometry, report.thresholds
    size, spacing = (" x ".join(f"{n:g}" for n in row) for row in (geometry.shape_ijk, geometry.spacing_ijk_mm))
    name = "" if report.input.path is None else f"{_name(report)}, "
    yield "CT" if name else "Grid", f"{name}{size} voxels of {spacing} mm"
    yield "Series", report.input.series_uid or ""
    if report.measured is not None:
        yield "Labels", Path(report.measured.path).name
    if report.alpha is not None:
        yield "Alpha", f"{report.alpha:g} (0 refined, 1 coarse)"
        yield "Least confidence", f"{least.kidney:g} of a kidney, {least.tumor:g} of a tumor"
    if report.model is not None:
        yield "Model", f"{report.model.title} ({report.model.id})"
        yield "Licence of its weights", report.model.licence
        sums = ", ".join(f"{name} {value[:12]}" for name, value in report.model.sha256.items())
        yield "Weights, by SHA-256", sums
    yield "Run with", ", ".join(text for text in (report.engine, report.device) if text)


def _hex(color: str) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in COLORS[color])
