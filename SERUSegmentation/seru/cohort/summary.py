"""What became of each case of a cohort, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seru.errors import BadInputError
from seru.files import write_text
from seru.findings import SIDES, Report

SUMMARY = "summary"
SUMMARY_CSV, SUMMARY_JSON = f"{SUMMARY}.csv", f"{SUMMARY}.json"
_SIDE_VALUES = ("kidney_ml", "tumor_ml", "tumor_longest_mm")

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")

Status = Literal["done", "skipped", "failed", "left out"]


@dataclass
class Summary:
    """What became of each case; written anew after each one.

    Attributes:
        folder: of the results.
        rows: one for each case that was looked at.
    """

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def check(self) -> None:
        """Check, before any work, that what is at the place of the summary was not made by someone else.

        Raises:
            BadInputError: it was.
        """
        path = self.folder / SUMMARY_CSV
        try:
            start = path.read_bytes()[:12]
        except OSError:
            return
        if start and not start.startswith(b"case,status,"):
            raise BadInputError(f"'{path}' is in the place of the summary and is none; choose another folder.")

    def add(self, name: str, path: Path, status: Status, report: Report | None = None, error: str = "") -> None:
        """Add a case and write the summary.

        Args:
            name: of the case.
            path: of its CT.
            status: what became of it.
            report: where there is one.
            error: the sentence that says why it failed or was left out.

        Raises:
            BadInputError: the summary cannot be written.
        """
        row: dict[str, Any] = {"case": name, "status": status}
        for side in SIDES:
            row |= {f"{side}_{value}": getattr(report.side(side), value) if report else None for value in _SIDE_VALUES}
        row["candidates"] = sum(f.status == "candidate" for f in report.findings) if report else None
        told = (*report.warnings, *report.remarks) if report else ()
        row |= {"warnings": " ".join(told), "error": error, "input": str(path)}
        self.rows.append(row)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _as_text(value) for key, value in row.items()} for row in self.rows)
        write_text(self.folder / SUMMARY_CSV, text.getvalue())
        write_text(self.folder / SUMMARY_JSON, json.dumps({"cases": self.rows}, indent=2, ensure_ascii=False) + "\n")

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rows of the failed cases."""
        return [row for row in self.rows if row["status"] == "failed"]


def _as_text(value: Any) -> Any:
    """Return a cell that no spreadsheet runs; JSON keeps it as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
