"""A person's verdicts on a cohort's findings, as CSV: what the cohort's page exports, a batch and the panel read.

A finding is named by its words (``left tumor 1``), its centre in RAS millimetres and its volume: the place and the
volume find it again, for numbers change with alpha and with verdicts. Text that a spreadsheet would run begins with a
quote, which is no part of it.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from seru.cohort.separators import separator_of
from seru.errors import BadInputError
from seru.findings import Finding, Kind, Position, Side
from seru.result.verdicts import Decision

ListDecision = Literal["accept", "dismiss", "needs_work"]
COLUMNS = ("case", "finding", "r_mm", "a_mm", "s_mm", "volume_ml", "verdict", "note", "scan")

_DECISIONS: dict[ListDecision, Decision] = {"accept": "accepted", "dismiss": "dismissed"}
_NAME = re.compile(r"(right|left) (kidney|tumor)(?: ([1-9][0-9]{0,5}))?")
_QUOTED = re.compile(r"'(?=['=+\-@\t\r\n＝＋－＠])")
_LARGEST = 64 << 20
_NEEDED = COLUMNS[:7]
_SCAN_DIGITS = 12
# What alpha and the clean-up change.
_MOST_TIMES = 3.0
# A single voxel has no length.
_LEAST_REACH_MM = 2.0


@dataclass(frozen=True)
class ListedVerdict:
    """What a person said of one finding of a case.

    Attributes:
        kind: of the finding.
        side: the patient's.
        number: of the finding when it was looked at; for people.
        centre_ras: in mm, likewise.
        volume_ml: likewise.
        verdict: ``needs_work`` changes no labels and is told.
        note: of the person; may be empty.
        scan: what :func:`scan_of` gives of the CT that was looked at; empty where the list does not say.
    """

    kind: Kind
    side: Side
    number: int
    centre_ras: Position
    volume_ml: float
    verdict: ListDecision
    note: str = ""
    scan: str = ""

    @classmethod
    def kept(cls, finding: Finding, findings: Iterable[Finding]) -> ListedVerdict | None:
        """Return the verdict that stands on a finding of a result, for another run; None where nobody gave one.

        Args:
            finding: of the result.
            findings: all of it.
        """
        seen = _with_tumors(finding, findings)
        for verdict, decision in _DECISIONS.items():
            if finding.status == decision:
                return cls(finding.kind, finding.side, finding.number, seen.centre_ras, seen.volume_ml, verdict)
        return None

    @property
    def decision(self) -> Decision | None:
        """What it decides; None where it decides nothing."""
        return _DECISIONS.get(self.verdict)

    @property
    def name(self) -> str:
        """The finding's, with its place, within a sentence."""
        place = ", ".join(f"{mm:.0f}" for mm in self.centre_ras)
        return f"the {self.side} {self.kind} {self.number} ({self.volume_ml:.1f} ml at {place} mm)"

    def find_in(self, findings: Sequence[Finding]) -> Finding | None:
        """Return the finding that it is on.

        A kidney that is not believed is measured with its tumors, another one without; it is known either way.

        Args:
            findings: all of the case, at any alpha and of any run.

        Returns:
            The nearest one of its kind and side, if the place lies within half its length of its centre and their
            volumes are alike; else None.
        """
        alike = [
            (self._distance_mm(seen), number)
            for number, finding in enumerate(findings)
            for seen in (finding, _with_tumors(finding, findings))
            if self._is_alike(seen)
        ]
        return findings[min(alike)[1]] if alike else None

    def _is_alike(self, finding: Finding) -> bool:
        if (finding.kind, finding.side) != (self.kind, self.side):
            return False
        least, most = sorted((finding.volume_ml, self.volume_ml))
        is_near = self._distance_mm(finding) <= max(finding.longest_3d_mm / 2, _LEAST_REACH_MM)
        # Dismissed with tumors that may be far larger than the kidney is.
        is_part = self.kind == "kidney" and self.decision == "dismissed" == finding.status
        is_as_large = most <= _MOST_TIMES * max(least, 0.01)  # the list rounds volumes to a hundredth
        return is_near and (is_as_large or (is_part and self.volume_ml <= finding.volume_ml))

    def _distance_mm(self, finding: Finding) -> float:
        return math.dist(finding.centre_ras, self.centre_ras)


def _with_tumors(finding: Finding, findings: Iterable[Finding]) -> Finding:
    """Return a kidney that is counted as it is measured where it is not: with the tumors of its side; others as is."""
    if finding.kind != "kidney" or not finding.is_counted:
        return finding
    tumors = [one for one in findings if one.is_counted and (one.kind, one.side) == ("tumor", finding.side)]
    parts = [finding, *tumors]
    volume_ml = math.fsum(one.volume_ml for one in parts)
    if volume_ml == 0.0:
        return finding
    r, a, s = (math.fsum(one.volume_ml * one.centre_ras[axis] for one in parts) / volume_ml for axis in range(3))
    longest_mm = max(one.longest_3d_mm for one in parts)
    return replace(finding, volume_ml=volume_ml, centre_ras=(r, a, s), longest_3d_mm=longest_mm)


def read_verdicts(path: Path) -> dict[str, tuple[ListedVerdict, ...]]:
    """Read a list of verdicts that anyone may have written.

    Args:
        path: of the CSV; its first line holds :data:`COLUMNS`, in any order; ``note`` and ``scan`` may be missing,
            others may be there.

    Returns:
        The verdicts of each case, by the name that :func:`name_in_list` gives it.

    Raises:
        BadInputError: it cannot be read, or a line holds no verdict.
    """
    text = _read_text(path)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator_of(text, _NEEDED), strict=True)
    found: dict[str, dict[tuple[object, ...], tuple[int, ListedVerdict]]] = {}
    try:
        missing = [column for column in _NEEDED if column not in (reader.fieldnames or ())]
        if missing:
            raise BadInputError(f"'{path}' is no list of verdicts: its first line lacks {', '.join(missing)}.")
        for cells in reader:
            case, listed = _read_line(cells, f"Line {reader.line_num} of '{path}'")
            of_case = found.setdefault(case, {})
            before = of_case.setdefault((listed.name, listed.centre_ras), (reader.line_num, listed))
            if before[1].verdict != listed.verdict:
                raise BadInputError(
                    f"Lines {before[0]} and {reader.line_num} of '{path}' contradict each other; keep one of them."
                )
    except csv.Error as error:
        raise BadInputError(f"'{path}' is no list of verdicts (line {reader.line_num}: {error}).") from error
    return {case: tuple(listed for _, listed in lines.values()) for case, lines in found.items()}


def name_in_list(case: str) -> str:
    """Return the name of a case as a list in UTF-8 can hold it."""
    return case.encode("utf-8", "backslashreplace").decode("utf-8")


def scan_of(sha256: str | None) -> str | None:
    """Return what a list knows a CT by, whatever it is called; nothing that a spreadsheet takes for a number.

    Args:
        sha256: of its content, in hexadecimal; None where it is not known.
    """
    return sha256 and f"ct-{sha256[:_SCAN_DIGITS]}"


def not_found(listed: ListedVerdict) -> str:
    """Say that a verdict is on no finding any more."""
    return f"{listed.name[0].upper()}{listed.name[1:]} was not found, so its verdict was not applied."


def _read_text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadInputError(f"The verdicts '{path}' cannot be read ({error.strerror or error}).") from error
    if len(content) > _LARGEST:
        raise BadInputError(f"'{path}' is too large for a list of verdicts.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"'{path}' is not in UTF-8; save it as CSV UTF-8.") from error


def _read_line(cells: dict[str, str | None], where: str) -> tuple[str, ListedVerdict]:
    values = {column: _unquoted(cells.get(column) or "") for column in COLUMNS}
    case = values["case"]  # a name may begin or end with a space
    values = {column: value.strip() for column, value in values.items()}
    name = _NAME.fullmatch(values["finding"])
    if not case or name is None:
        raise BadInputError(f"{where} names no finding of a case, as 'left tumor 1'; take the line out or mend it.")
    verdict = values["verdict"]
    if verdict not in get_args(ListDecision):
        known = ", ".join(get_args(ListDecision))
        raise BadInputError(f"{where} has the verdict {verdict[:20]!r}; known: {known}.")
    r, a, s, volume_ml = _numbers([values[column] for column in COLUMNS[2:6]], where)
    side, kind, number = cast(tuple[Side, Kind, str | None], name.groups())
    decision = cast(ListDecision, verdict)
    note = " ".join(values["note"].split())
    return case, ListedVerdict(kind, side, int(number or 1), (r, a, s), volume_ml, decision, note, values["scan"])


def _numbers(texts: Iterable[str], where: str) -> Iterator[float]:
    for text in texts:
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadInputError(f"{where} has {text[:20]!r} for a number; write millimetres and millilitres as 12.5.")
        yield number


def _unquoted(text: str) -> str:
    return text[1:] if _QUOTED.match(text) else text
