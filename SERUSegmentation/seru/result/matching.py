"""Which tumor of one scan is which of another: by side, and by their places relative to the kidney.

Source: our rule. Two scans of a patient are not registered: breath, position and table differ, so places are compared
from the centre of each scan's own kidney, along the patient's axes. A kidney turns and tips a little, and its centre
moves as a tumor grows in it; hence the limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seru.findings import Finding

# Farther apart than this, and than the larger one's radius, two tumors are two.
FARTHEST_MM = 40.0
# Another tumor that is nearly as near as the one that was chosen leaves it open.
_MARGIN_MM = 15.0


@dataclass(frozen=True)
class Match:
    """A tumor of the first scan, one of the second, or both, as the same.

    Attributes:
        before: in the first scan; None where it is only in the second.
        after: in the second scan; None where it is only in the first.
        apart_mm: how far their places lie apart, seen from the kidneys; None of one alone, and without kidneys.
        doubt: why it may be wrong, one sentence; None where nothing speaks against it.
    """

    before: Finding | None
    after: Finding | None
    apart_mm: float | None = None
    doubt: str | None = None


def match_tumors(before: Sequence[Finding], after: Sequence[Finding]) -> list[Match]:
    """Match the tumors of one side.

    Args:
        before: kidneys and tumors of the side in the first scan, those that are in the labels.
        after: likewise, of the second.

    Returns:
        Each tumor once, the largest first, those of the second scan alone last.
    """
    tumors = _of_kind("tumor", before), _of_kind("tumor", after)
    kidneys = _of_kind("kidney", before)[:1], _of_kind("kidney", after)[:1]
    if not all(kidneys):
        return _by_size(*tumors)
    places = [_places(found, kidney) for found, (kidney,) in zip(tumors, kidneys, strict=True)]
    apart_mm = np.linalg.norm(places[0][:, np.newaxis] - places[1], axis=-1)
    return _by_place(*tumors, apart_mm)


def _of_kind(kind: str, findings: Sequence[Finding]) -> list[Finding]:
    return sorted((finding for finding in findings if finding.kind == kind), key=lambda finding: finding.number)


def _places(tumors: Sequence[Finding], kidney: Finding) -> np.ndarray:
    return np.reshape([tumor.centre_ras for tumor in tumors], (-1, 3)) - kidney.centre_ras


def _by_size(before: list[Finding], after: list[Finding]) -> list[Match]:
    doubt = "There is no kidney on this side in one of the scans, so tumors are matched by their size alone."
    pairs = [Match(one, other, None, doubt) for one, other in zip(before, after, strict=False)]
    count = len(pairs)
    return [*pairs, *(Match(one, None) for one in before[count:]), *(Match(None, other) for other in after[count:])]


def _by_place(before: list[Finding], after: list[Finding], apart_mm: np.ndarray) -> list[Match]:
    """The matching that gains most, a match gaining what it lies nearer than its limit: none at the limit itself."""
    from scipy.optimize import linear_sum_assignment

    limits = np.array([[_limit_mm(one, other) for other in after] for one in before]).reshape(apart_mm.shape)
    rows, columns = linear_sum_assignment(np.minimum(apart_mm - limits, 0.0))
    chosen = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    chosen = {row: column for row, column in chosen.items() if apart_mm[row, column] <= limits[row, column]}
    matches = []
    for row, one in enumerate(before):
        if row not in chosen:
            matches.append(Match(one, None))
            continue
        column = chosen[row]
        doubt = _doubt(row, column, apart_mm, limits)
        matches.append(Match(one, after[column], round(float(apart_mm[row, column]), 1), doubt))
    taken = set(chosen.values())
    return [*matches, *(Match(None, other) for column, other in enumerate(after) if column not in taken)]


def _limit_mm(one: Finding, other: Finding) -> float:
    return max(FARTHEST_MM, one.longest.mm / 2, other.longest.mm / 2)


def _doubt(row: int, column: int, apart_mm: np.ndarray, limits: np.ndarray) -> str | None:
    near = (apart_mm < apart_mm[row, column] + _MARGIN_MM) & (apart_mm <= limits)
    if near[row].sum() > 1 or near[:, column].sum() > 1:
        return "Another tumor lies nearly as near, so this match may be wrong."
    return None
