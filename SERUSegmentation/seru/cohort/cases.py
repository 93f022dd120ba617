"""The cases of a batch: which there are, which are finished, and what became of them."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seru.cohort.outputs import Places
from seru.errors import BadInputError
from seru.files import write_text
from seru.io.images import INPUT_ENDINGS, ending_of, read_volume
from seru.model.card import ModelCard
from seru.options import SegmentOptions

_SUMMARY = "summary"
SUMMARY_CSV, SUMMARY_JSON = f"{_SUMMARY}.csv", f"{_SUMMARY}.json"
_SIDE_VALUES = ("kidney_ml", "tumor_ml", "tumor_longest_mm")

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class Case:
    """One CT of a batch.

    Attributes:
        name: of its results.
        path: of the file or the DICOM folder.
    """

    name: str
    path: Path


def find_cases(folder: Path, skipped: Path) -> list[Case]:
    """Find the CT files in a folder, and the folders in it that hold DICOM files.

    Args:
        folder: to look in.
        skipped: a folder that is not looked into: the results'.

    Returns:
        The cases by name.

    Raises:
        BadInputError: the folder is missing, or holds no case.
    """
    if not folder.is_dir():
        raise BadInputError(f"'{folder}' is no folder; give a folder of CT files or DICOM folders.")
    found: list[tuple[str, str, Path]] = []
    for path in sorted(folder.iterdir()):
        ending = ending_of(path, INPUT_ENDINGS)
        if path.name.startswith(".") or path.absolute() == skipped.absolute():
            continue
        if path.is_dir() and _holds_dicom(path):
            found.append((path.name, "dicom", path))
        elif path.is_file() and ending is not None:
            found.append((path.name[: -len(ending)], ending.strip("."), path))
    cases = _named_apart(found)
    if not cases:
        raise BadInputError(
            f"'{folder}' holds no CT file and no folder with DICOM files; for a single series run 'seru segment'."
        )
    return cases


def _named_apart(found: list[tuple[str, str, Path]]) -> list[Case]:
    """Name the cases so that no result takes the place of another one or of the summary, in any file system."""
    stems = Counter(stem.casefold() for stem, _, _ in found) + Counter([_SUMMARY])
    taken = {stem for stem, count in stems.items() if count == 1} | {_SUMMARY}
    cases = []
    for stem, kind, path in found:
        name = stem
        if stems[stem.casefold()] > 1:
            names = (f"{stem}-{kind}" + (f"-{number}" if number > 1 else "") for number in itertools.count(1))
            name = next(name for name in names if name.casefold() not in taken)
            taken.add(name.casefold())
        cases.append(Case(name, path))
    return cases


def _holds_dicom(folder: Path) -> bool:
    from seru.io.dicom import looks_like_dicom

    return any(looks_like_dicom(Path(place, name)) for place, _, names in os.walk(folder) for name in sorted(names))


def is_finished(case: Case, places: Places, card: ModelCard, options: SegmentOptions) -> bool:
    """Tell whether a case needs no further run.

    Args:
        case: of the batch.
        places: of its results; the report is written last.
        card: of the model that would run.
        options: that would be used.

    Returns:
        True where output and report are whole, newer than the input, and were made the same way.
    """
    try:
        report = json.loads(places.report.read_text(encoding="utf-8"))
        alpha = card.alpha if options.alpha is None else options.alpha
        made = report["model"]["sha256"], report["alpha"], os.path.realpath(report["input"]["path"])
        used = report["options"]
        if made != (card.checksums, alpha, os.path.realpath(case.path)):
            return False
        if any(used[name] != value for name, value in options.deciding().items()):
            return False
        if places.output.stat().st_mtime < _newest(case.path):
            return False
        shape = read_volume(places.output).array_kji.shape
        folders = [folder for folder in (places.maps, places.pictures) if folder is not None]
        return list(shape[::-1]) == report["geometry"]["shape_ijk"] and all(folder.is_dir() for folder in folders)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInputError):
        return False


def _newest(path: Path) -> float:
    if path.is_file():
        return path.stat().st_mtime
    return max(os.stat(os.path.join(place, name)).st_mtime for place, _, names in os.walk(path) for name in names)


@dataclass
class Summary:
    """What became of each case; written anew after each one.

    Attributes:
        folder: of the results.
        rows: one for each case that was looked at.
    """

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, case: Case, status: Status, report: dict[str, Any] | None = None, error: str = "") -> None:
        """Add a case and write the summary.

        Args:
            case: of the batch.
            status: what became of it.
            report: where there is one.
            error: the sentence that says why it failed.

        Raises:
            BadInputError: the summary cannot be written.
        """
        row: dict[str, Any] = {"case": case.name, "status": status}
        for side in ("right", "left"):
            row |= {f"{side}_{name}": report[side][name] if report else None for name in _SIDE_VALUES}
        row |= {"warnings": " ".join(report["warnings"]) if report else "", "error": error, "input": str(case.path)}
        self.rows.append(row)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.folder / SUMMARY_CSV, text.getvalue())
        write_text(self.folder / SUMMARY_JSON, json.dumps({"cases": self.rows}, indent=2, ensure_ascii=False) + "\n")

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rows of the failed cases."""
        return [row for row in self.rows if row["status"] == "failed"]
