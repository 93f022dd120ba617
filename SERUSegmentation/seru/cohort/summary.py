"""What became of each case of a cohort, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seru.files import write_text
from seru.findings import SIDES, Report

SUMMARY = "summary"
SUMMARY_CSV, SUMMARY_JSON = f"{SUMMARY}.csv", f"{SUMMARY}.json"
_SIDE_VALUES = ("kidney_ml", "tumor_ml", "tumor_longest_mm")

Status = Literal["done", "skipped", "failed"]


@dataclass
class Summary:
    """What became of each case; written anew after each one.

    Attributes:
        folder: of the results.
        rows: one for each case that was looked at.
    """

    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, path: Path, status: Status, report: Report | None = None, error: str = "") -> None:
        """Add a case and write the summary.

        Args:
            name: of the case.
            path: of its CT.
            status: what became of it.
            report: where there is one.
            error: the sentence that says why it failed.

        Raises:
            BadInputError: the summary cannot be written.
        """
        row: dict[str, Any] = {"case": name, "status": status}
        for side in SIDES:
            row |= {f"{side}_{value}": getattr(report.side(side), value) if report else None for value in _SIDE_VALUES}
        row |= {"warnings": " ".join(report.warnings) if report else "", "error": error, "input": str(path)}
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
