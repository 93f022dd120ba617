"""What became of each case of a cohort: one JSON, and tables of cases and findings."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seru.cohort.outputs import Outputs
from seru.cohort.tables import CASES, FINDINGS, case_rows, finding_rows
from seru.cohort.verdict_list import scan_of
from seru.files import FileGroup, write_text
from seru.findings import SIDES, Report, rounded
from seru.records import to_plain

SUMMARY = CASES.name
SUMMARY_CSV, SUMMARY_JSON = f"{SUMMARY}.csv", f"{SUMMARY}.json"
VERSION = 1
# Times that writing took, until it is written again: with thousands of cases it would else be most of the work.
_PAUSE = 100

Status = Literal["done", "skipped", "failed", "left out"]


@dataclass
class Summary:
    """What became of each case; written while the cohort runs, seldom where it is long, and in the end.

    Attributes:
        folder: of the results.
        versions: of the program and what it runs on, by name; ``seru`` is the program's.
        cases: JSON-ready, one for each case that was looked at.
    """

    folder: Path
    versions: Mapping[str, str] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    _places: list[int] = field(default_factory=list)
    _due_s: float = 0.0

    def check(self) -> None:
        """Check, before any work, that what is at the place of the summary was not made by someone else.

        Raises:
            BadInputError: it was.
        """
        CASES.check(self.folder)
        FINDINGS.check(self.folder)

    def add(
        self,
        name: str,
        path: Path,
        status: Status,
        report: Report | None = None,
        error: str = "",
        outputs: Outputs | None = None,
        place: int = 0,
    ) -> None:
        """Add a case.

        Args:
            name: of the case.
            path: of its CT.
            status: what became of it.
            report: where there is one.
            error: the sentence that says why it failed or was left out.
            outputs: where its results are; None where there are none.
            place: in the list of cases, which may end in any order; what is no case comes first.

        Raises:
            BadInputError: the summary cannot be written.
        """
        self.cases.append(
            {
                "name": name,
                "path": str(path),
                "status": status,
                "error": error,
                **_facts(report),
                **self._results(outputs if report is not None else None),
            }
        )
        self._places.append(place)
        if time.monotonic() >= self._due_s:
            self.write()

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON-ready values.

        Each case has ``name``, ``path``, ``status``, ``seconds`` (of its whole run, whenever that was), ``error``,
        ``warnings``, ``remarks``, ``right`` and ``left`` (volumes in ml and the longest diameter in mm), ``findings``
        (those in labels and volumes) and ``candidates`` (the others) as its report has them, ``scan`` (the beginning of
        the digest of the CT's content, by which verdicts know it), and ``report``,
        ``pictures`` and ``page``: paths as seen from the summary's folder, or null where there are none.
        """
        order = sorted(range(len(self.cases)), key=self._places.__getitem__)
        return {"version": VERSION, "versions": dict(self.versions), "cases": [self.cases[index] for index in order]}

    def write(self) -> None:
        """Write the summary as it stands: JSON, CSV and, where pyarrow is installed, Parquet.

        Raises:
            BadInputError: it cannot be written.
        """
        start = time.monotonic()
        values = self.to_dict()
        rows = list(case_rows(values["cases"], self.versions.get("seru", "")))
        with FileGroup() as group:
            CASES.write(self.folder, rows, group.open)
            FINDINGS.write(self.folder, list(finding_rows(values["cases"])), group.open)
            text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
            write_text(self.folder / SUMMARY_JSON, text, group.open)
        now = time.monotonic()
        self._due_s = now + _PAUSE * (now - start)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The failed cases."""
        return [case for case in self.to_dict()["cases"] if case["status"] == "failed"]

    def _results(self, outputs: Outputs | None) -> dict[str, str | None]:
        names = ("report", "pictures", "page")
        return {name: self._relative(getattr(outputs, name)) if outputs else None for name in names}

    def _relative(self, path: Path | None) -> str | None:
        if path is None:
            return None
        try:
            return Path(os.path.relpath(path, self.folder)).as_posix()
        except ValueError:  # on another drive
            return path.absolute().as_posix()


def _facts(report: Report | None) -> dict[str, Any]:
    """Return what a report says, or the same keys without values."""
    found = report.findings if report else ()
    facts: dict[str, Any] = {
        "seconds": round(sum(report.seconds.values()), 3) if report else None,
        "scan": scan_of(report.input.sha256) if report else None,
        "model": report.model.id if report and report.model else None,
        **{name: getattr(report, name) if report else None for name in ("device", "engine", "alpha")},
        "warnings": list(report.warnings) if report else [],
        "remarks": list(report.remarks) if report else [],
        **{side: rounded(report.side(side)) if report else None for side in SIDES},
    }
    facts["findings"] = [to_plain(finding) for finding in found if finding.is_counted]
    facts["candidates"] = [to_plain(finding) for finding in found if not finding.is_counted]
    return facts
