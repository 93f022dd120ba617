"""Labels with a number for each finding, for formats in which a finding is a segment of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from seru.findings import LABEL_OF, Kind, Side
from seru.result.measurements import Measured
from seru.result.remarks import name_of
from seru.terminology import SEGMENTS, SEGMENTS_BY_SIDE, SegmentTerm


def segments_of_findings(
    labels_kji: np.ndarray, lower_kji: tuple[int, int, int], measured: Iterable[Measured]
) -> tuple[np.ndarray, tuple[SegmentTerm, ...]]:
    """Number the findings that are in labels.

    Args:
        labels_kji: uint8, shape (K, J, I): 0 background, 1 kidney, 2 tumor.
        lower_kji: first voxel of the box that the findings were measured in.
        measured: findings with their voxels.

    Returns:
        uint8, or uint16 of very many findings, same shape: 1 for the first finding that is in the labels, 2 for the
        next, ...; then one for each kind for what is too small to be listed. And what each number means.
    """
    counted = [one for one in measured if one.finding.is_counted]
    # What is too small to be listed is a number for each kind.
    numbers = np.zeros(labels_kji.shape, np.min_scalar_type(len(counted) + len(LABEL_OF)))
    terms: list[SegmentTerm] = []
    for one in counted:
        finding = one.finding
        k, j, i = (slice(p.start + low, p.stop + low) for p, low in zip(one.component.box, lower_kji, strict=True))
        shown = one.component.voxels & (labels_kji[k, j, i] == LABEL_OF[finding.kind])
        name = name_of(finding)
        terms.append(_term(finding.kind, finding.side, len(terms) + 1, f"{name[0].upper()}{name[1:]}"))
        np.copyto(numbers[k, j, i], numbers.dtype.type(len(terms)), where=shown)
    for kind, label in LABEL_OF.items():
        rest = (labels_kji == label) & (numbers == 0)
        if rest.any():
            terms.append(_term(kind, None, len(terms) + 1, f"{kind.capitalize()}, too small to be listed"))
            numbers[rest] = len(terms)
    return numbers, tuple(terms)


def _term(kind: Kind, side: Side | None, number: int, name: str) -> SegmentTerm:
    terms = SEGMENTS_BY_SIDE if side else SEGMENTS
    term = next(term for term in terms if (term.label, term.side) == (LABEL_OF[kind], side))
    return replace(term, id=name.replace(" ", "_"), name=name, label=number)
