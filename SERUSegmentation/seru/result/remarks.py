"""What a person should know of the findings before believing them, in plain words and few.

Source: our rules; where a limit was measured, its comment says on what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from seru.findings import SIDES, Finding
from seru.grid import Grid
from seru.orientation import find_orientation

# Placeholders until measured: see the comments of the constants.
_NO_CONTRAST_HU = 70.0
_THICK_MM = 5.5
_KIDNEY_ML = (30.0, 500.0)
_FLUID_HU = 20.0
_FLUID_DEVIATION_HU = 30.0


def remarks_of(findings: Sequence[Finding], grid: Grid) -> tuple[str, ...]:
    """Say what is to be doubted.

    Args:
        findings: of a result, of every status.
        grid: of the scan.

    Returns:
        One sentence each.
    """
    counted = [finding for finding in findings if finding.is_counted]
    if not counted:
        return ()
    sentences = [
        _of_scan(counted, grid),
        _of_sides(counted),
        _of_edges(counted),
        _of_sizes(counted),
        _of_fluid(counted),
    ]
    return tuple(sentence for group in sentences for sentence in group)


def name_of(finding: Finding) -> str:
    """Return what a finding is called within a sentence: ``left kidney``, ``right tumor 2``."""
    number = f" {finding.number}" if finding.number > 1 or finding.kind == "tumor" else ""
    return f"{finding.side} {finding.kind}{number}"


def _of_scan(findings: Iterable[Finding], grid: Grid) -> Iterator[str]:
    values = [f.hu_mean for f in findings if f.kind == "kidney" and f.hu_mean is not None]
    if values and fmean(values) < _NO_CONTRAST_HU:
        yield (
            f"The kidneys have {fmean(values):.0f} HU, as without contrast agent, which the model was not trained on: "
            "check every outline."
        )
    thickness = grid.spacing_ijk_mm[find_orientation(grid).stack_axis_ijk]
    if thickness > _THICK_MM:
        yield f"The slices are {thickness:.1f} mm thick: small tumors are missed and volumes are rough."


def _of_sides(findings: Iterable[Finding]) -> Iterator[str]:
    found = {finding.side for finding in findings if finding.kind == "kidney"}
    for side in SIDES:
        if side not in found:
            yield f"No kidney was found on the {side}: look there yourself."


def _of_edges(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        if finding.cut_by_edge:
            least = f"{finding.volume_ml:.0f} ml"
            yield f"The {name_of(finding)} is cut by the scan's edge: its volume is at least {least}."


def _of_sizes(findings: Iterable[Finding]) -> Iterator[str]:
    least, most = _KIDNEY_ML
    for finding in findings:
        if finding.kind == "kidney" and not finding.cut_by_edge and not least <= finding.volume_ml <= most:
            yield f"The {name_of(finding)} has {finding.volume_ml:.0f} ml, unlike a kidney: check its outline."


def _of_fluid(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        mean, deviation = finding.hu_mean, finding.hu_deviation
        if finding.kind != "tumor" or mean is None or deviation is None:
            continue
        if mean < _FLUID_HU and deviation < _FLUID_DEVIATION_HU:
            yield f"The {name_of(finding)} has {mean:.0f} HU throughout, the density of fluid."
