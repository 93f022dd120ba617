"""What findings are called in the panel, in tables and in the views."""

from __future__ import annotations

from seru.findings import Finding
from SERUSegmentationLib.texts import _


def findingTitle(finding: Finding) -> str:
    """Return what a finding is called.

    Args:
        finding: of a result; the number is told from the second of its kind and side on.

    Returns:
        ``Left kidney``, ``Right tumor 2``, ``Candidate: left tumor``, ``Dismissed: left tumor``.
    """
    patterns = {"candidate": _("Candidate: {finding}"), "dismissed": _("Dismissed: {finding}")}
    pattern = patterns.get(finding.status)
    return pattern.format(finding=_numbered(_namesInside(), finding)) if pattern else findingName(finding)


def findingName(finding: Finding) -> str:
    """Return what a finding is called where its status stands beside it: ``Left kidney``, ``Right tumor 2``."""
    return _numbered(_names(), finding)


def statusTitle(finding: Finding) -> str:
    """Return a finding's status as people read it."""
    return {
        "believed": _("Found"),
        "accepted": _("Accepted"),
        "candidate": _("Candidate"),
        "dismissed": _("Dismissed"),
    }[finding.status]


def _numbered(names: dict[tuple[str, str], str], finding: Finding) -> str:
    name = names[finding.side, finding.kind]
    return _("{finding} {number}").format(finding=name, number=finding.number) if finding.number > 1 else name


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
