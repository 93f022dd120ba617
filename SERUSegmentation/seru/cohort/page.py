"""The page of a cohort: table, volumes and review queue, for a browser, a printer and a screen reader.

One file; only pictures of key slices and the cases' pages are beside it. Its one script and its one style are those of
the package, by their digests: a name that holds markup is text, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from seru.cohort.histogram import draw_histogram
from seru.cohort.slicer_command import slicer_command
from seru.cohort.summary import SUMMARY
from seru.errors import BadInputError
from seru.files import write_text
from seru.findings import PICTURES, SIDES
from seru.places import check_writable
from seru.result.sheets import require_jinja2, theme

PAGE = f"{SUMMARY}.html"

_HERE = Path(__file__).parent
# One script, in this order.
_SCRIPTS = ("cohort_table.js", "cohort_csv.js", "cohort_review.js")
_MARK = '<meta name="cohort" '
# The mark stands in the page's head, after its policy.
_HEAD = 2048
_STATUS = {"done": "Done", "skipped": "Finished before", "failed": "Failed", "left out": "Left out"}
_NUMBERS = ("Right kidney, ml", "Right tumor, ml", "Left kidney, ml", "Left tumor, ml", "Tumors", "Candidates")
_SIDE_VALUES = tuple((side, name) for side in SIDES for name in ("kidney_ml", "tumor_ml"))


def check_page(folder: Path) -> None:
    """Check, before any work, that the page can be written and takes no other file's place.

    Args:
        folder: of the summary.

    Raises:
        BadInputError: it does, it cannot be written, or Jinja2 is missing.
    """
    require_jinja2()
    path = folder / PAGE
    check_writable(path)
    if path.is_file():
        with open(path, "rb") as file:
            if _MARK.encode() not in file.read(_HEAD):
                raise BadInputError(
                    f"'{path}' is in the place of the cohort's page and is none; choose another folder."
                )


def write_cohort_page(folder: Path, summary: Mapping[str, Any], ending: str) -> Path:
    """Write the page of a cohort.

    Args:
        folder: of the summary, where the labels lie too.
        summary: what :meth:`seru.cohort.summary.Summary.to_dict` gives.
        ending: of the label files.

    Returns:
        Path of the page.

    Raises:
        BadInputError: Jinja2 is missing, or the page cannot be written.
    """
    require_jinja2()
    write_text(folder / PAGE, render_cohort(folder, summary["cases"], ending))
    return folder / PAGE


def render_cohort(folder: Path, cases: Sequence[Mapping[str, Any]], ending: str) -> str:
    """Return the page of a cohort as HTML.

    Args:
        folder: that it will be in.
        cases: of the summary.
        ending: of the label files.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    template, own_style = ((_HERE / f"cohort.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
    style = theme() + own_style
    script = "".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    rows = [_row(folder, case) for case in cases]
    data = _data(folder, cases, rows, ending)
    for row, of_case in zip(rows, data["cases"], strict=True):
        row["has_command"] = bool(of_case["command"])
    has_pictures = any(row["pictures"] for row in rows)
    return environment.from_string(template).render(
        policy=_policy(script, style),
        style=Markup(style),
        script=Markup(script),
        # No text in it ends the element that it is in.
        data=Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
        count_text=f"{len(cases)} {'case' if len(cases) == 1 else 'cases'}",
        states=_states(cases),
        histograms=[_histogram(cases, kind) for kind in ("kidney", "tumor")],
        columns=_columns(has_pictures),
        rows=rows,
        has_pictures=has_pictures,
    )


def _policy(script: str, style: str) -> str:
    digests = [b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii") for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )


def _states(cases: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(case["status"] for case in cases)
    return ", ".join(f"{text.lower()}: {counts[status]}" for status, text in _STATUS.items() if counts[status])


def _histogram(cases: Sequence[Mapping[str, Any]], kind: str) -> Any:
    volumes = [f["volume_ml"] for case in cases for f in case["findings"] if f["kind"] == kind]
    return draw_histogram(f"{kind.capitalize()}s that were found", volumes)


def _columns(has_pictures: bool) -> Iterator[dict[str, Any]]:
    yield {"title": "Case", "style": "name", "is_sorted": True}
    yield {"title": "Result", "style": "result", "is_sorted": True}
    for title in (*_NUMBERS, "Least sure, %", "Seconds"):
        yield {"title": title, "style": "number", "is_sorted": True}
    yield {"title": "To check", "style": "check", "is_sorted": True}
    if has_pictures:
        yield {"title": "Key slices", "style": "thumbs", "is_sorted": False}
    yield {"title": "Open", "style": "open", "is_sorted": False}


def _row(folder: Path, case: Mapping[str, Any]) -> dict[str, Any]:
    found = case["findings"]
    volumes = [case[side][name] if case[side] else None for side, name in _SIDE_VALUES]
    is_done = case["report"] is not None
    tumors = sum(finding["kind"] == "tumor" for finding in found) if is_done else None
    candidates = sum(f["status"] == "candidate" for f in case["candidates"]) if is_done else None
    least = min((f["confidence"] for f in found if f["confidence"] is not None), default=None)
    numbers = [
        *((volume, "" if volume is None else f"{volume:.1f}") for volume in volumes),
        *((count, "" if count is None else str(count)) for count in (tumors, candidates)),
        (least, "" if least is None else f"{100 * least:.0f}"),
        (case["seconds"], "" if case["seconds"] is None else f"{case['seconds']:.1f}"),
    ]
    return {
        "name": case["name"],
        "status": _STATUS[case["status"]],
        "error": case["error"],
        "numbers": numbers,
        "told": [*case["remarks"], *case["warnings"]],
        "pictures": list(_pictures(folder, case)),
        "page": _url(folder, case["page"]),
    }


def _pictures(folder: Path, case: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for side in SIDES:
        url = _url(folder, case["pictures"] and f"{case['pictures']}/{PICTURES[side]}")
        if url:
            yield {"side": side, "url": url, "alt": f"{side.capitalize()} key slice of {case['name']}"}


def _url(folder: Path, path: str | None) -> str | None:
    """Where a file lies as seen from the page; None where there is none."""
    if path is None or Path(path).is_absolute() or not (folder / path).is_file():
        return None
    return quote(path, errors="surrogateescape")


def _data(
    folder: Path, cases: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], ending: str
) -> dict[str, Any]:
    """What the script works with: cases, and their findings, the least sure first."""
    queue = [
        _queued(index, finding)
        for index, case in enumerate(cases)
        for finding in (*case["findings"], *case["candidates"])
    ]
    queue.sort(key=lambda finding: (finding["confidence"] is None, finding["confidence"] or 0.0))
    named: list[list[Any]] = [[] for _ in cases]
    for finding in queue:
        named[finding["case"]].append([finding["name"], finding["place"], finding["volume"]])
    return {
        "cases": [
            {
                "name": case["name"],
                "digest": _digest(case["name"], found),
                "scan": case["scan"] or "",
                "command": _command(folder, case, ending),
                "pictures": row["pictures"],
                "page": row["page"],
            }
            for case, row, found in zip(cases, rows, named, strict=True)
        ],
        "findings": queue,
    }


def _digest(name: str, found: Sequence[Any]) -> str:
    """What a case's verdicts are kept by: its findings, whatever was said of them so far and whoever is beside it."""
    return hashlib.sha256(json.dumps([name, sorted(found)]).encode()).hexdigest()[:32]


def _command(folder: Path, case: Mapping[str, Any], ending: str) -> str | None:
    labels = folder / f"{case['name']}{ending}"
    return slicer_command(Path(case["path"]), labels) if case["report"] and labels.is_file() else None


def _queued(index: int, finding: Mapping[str, Any]) -> dict[str, Any]:
    hu, deviation = finding["hu_mean"], finding["hu_deviation"]
    return {
        "case": index,
        "name": f"{finding['side']} {finding['kind']} {finding['number']}",
        "side": finding["side"],
        "status": finding["status"],
        "confidence": finding["confidence"],
        "place": [round(mm, 1) for mm in finding["centre_ras"]],
        "volume": round(finding["volume_ml"], 2),
        "size": f"{finding['longest']['mm']:.0f} x {finding['across']['mm']:.0f} mm",
        "slice": finding["slice_index"],
        "hu": "" if hu is None else f"{hu:.0f}" + ("" if deviation is None else f" ± {deviation:.0f}"),
        "cut": finding["cut_by_edge"],
    }
