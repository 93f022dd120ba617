"""What findings are called in the panel, in tables and in the views."""

from __future__ import annotations

from collections.abc import Sequence

from seru.findings import Finding
from SERUSegmentationLib.texts import _


def findingTitles(findings: Sequence[Finding]) -> list[str]:
    """Return the title of each finding.

    Args:
        findings: all of a result: the number is told where there are several of a kind on a side.

    Returns:
        ``Left kidney``, ``Right tumor 2``, ``Candidate: left tumor``, ``Dismissed: left tumor``.
    """
    keys = [(finding.kind, finding.side) for finding in findings]
    return [_title(finding, keys.count(key) > 1) for finding, key in zip(findings, keys, strict=True)]


def statusTitle(finding: Finding) -> str:
    """Return a finding's status as people read it."""
    return {
        "believed": _("Found"),
        "accepted": _("Accepted"),
        "candidate": _("Candidate"),
        "dismissed": _("Dismissed"),
    }[finding.status]


def _title(finding: Finding, isNumbered: bool) -> str:
    patterns = {
        "candidate": _("Candidate: {finding}"),
        "dismissed": _("Dismissed: {finding}"),
    }
    pattern = patterns.get(finding.status)
    names = _namesInside() if pattern else _names()
    name = names[finding.side, finding.kind]
    if isNumbered:
        name = _("{finding} {number}").format(finding=name, number=finding.number)
    return pattern.format(finding=name) if pattern else name


def _names() -> dict[tuple[str, str], str]:
    return {
        ("right", "kidney"): _("Right kidney"),
        ("left", "kidney"): _("Left kidney"),
        ("right", "tumor"): _("Right tumor"),
        ("left", "tumor"): _("Left tumor"),
    }


def _namesInside() -> dict[tuple[str, str], str]:
    return {
        ("right", "kidney"): _("right kidney"),
        ("left", "kidney"): _("left kidney"),
        ("right", "tumor"): _("right tumor"),
        ("left", "tumor"): _("left tumor"),
    }
