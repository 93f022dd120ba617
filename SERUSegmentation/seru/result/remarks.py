"""What a person should know of the findings before believing them, in plain words and few.

Source: our rules; where a limit was measured, its comment says on what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from seru.findings import SIDES, Finding, Side

# Mean HU of a patient's kidneys, on the slices of KiTS (contrast): median 103 over 68 patients that validate, below 40
# in 2 of them (and in 5 of 246 others), below 70 in 11; 163 on IRCADb 07, 13 on TotalSegmentator's example without.
# As seru-kits-preview found them, on single slices: below 40 in 30 of 32 of patients with stones, without contrast
# agent (more_slices/stone_ct; on 12 more it believed none), and in 5 of 105 of KiTS.
# Noise is no such sign. Between neighbouring pixels it is 2 to 11 HU on KiTS, 13 to 24 on curvas, where the Dice is no
# lower, and 5 to 27 on pancreas_ct, where 1 % of 105 slices above 16 HU show a false tumor and 7 % of 103 below 8 HU.
_NO_CONTRAST_HU = 40.0
# A kidney without its tumors has 51 to 389 ml on 70 KiTS19 label volumes, and 43 ml at least on all 210.
_KIDNEY_ML = (40.0, 450.0)
# On the slices of KiTS 20 HU and 25 HU name 29 of 80 cysts and 17 of 280 tumors (of the patients that validate: 4 of 12
# and 2 of 45), a deviation of 30 HU 32 and 22. Smaller masses than 10 mm hold too many voxels of their border.
_FLUID_HU = 20.0
_FLUID_DEVIATION_HU = 25.0
_FLUID_MM = 10.0


def remarks_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Say what is to be doubted.

    Args:
        findings: of a result, of every status.

    Returns:
        One sentence each.
    """
    counted = [finding for finding in findings if finding.is_counted]
    if not counted:
        return tuple(_of_nothing([finding for finding in findings if finding.status == "candidate"]))
    kidney_hu = _kidney_hu(counted)
    sentences = [_of_scan("The kidneys have", kidney_hu), _of_sides(counted), _of_edges(counted), _of_sizes(counted)]
    sentences.append(_of_fluid(counted, kidney_hu))
    return tuple(sentence for group in sentences for sentence in group)


def remarks_of_labels(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Say what is to be doubted of labels that no network of ours made.

    Args:
        findings: all of them are in the labels.

    Returns:
        One sentence each.
    """
    sentences = [
        (f"No kidney is labelled on the {side}." for side in _sides_without_kidney(findings)),
        _of_edges(findings),
        _of_sizes(findings),
        _of_fluid(findings, _kidney_hu(findings)),
    ]
    return tuple(sentence for group in sentences for sentence in group)


def name_of(finding: Finding) -> str:
    """Return what a finding is called within a sentence: ``left kidney``, ``right tumor 2``."""
    number = f" {finding.number}" if finding.number > 1 or finding.kind == "tumor" else ""
    return f"{finding.side} {finding.kind}{number}"


def _kidney_hu(findings: Iterable[Finding]) -> float | None:
    """The mean over all kidney; None where the CT is not known."""
    kidneys = [(f.hu_mean, f.volume_ml) for f in findings if f.kind == "kidney" and f.hu_mean is not None]
    return fmean(*zip(*kidneys, strict=True)) if sum(volume_ml for _, volume_ml in kidneys) > 0 else None


def _of_scan(subject: str, kidney_hu: float | None) -> Iterator[str]:
    if kidney_hu is not None and kidney_hu < _NO_CONTRAST_HU:
        yield (
            f"{subject} {kidney_hu:.0f} HU, as without contrast agent, where kidneys and tumors are easily missed: "
            "check every outline."
        )


def _of_nothing(candidates: Sequence[Finding]) -> Iterator[str]:
    if candidates:
        yield "Nothing that was found is believed: look at the candidates."
        # The reason may be the scan.
        yield from _of_scan("What looks like kidney has", _kidney_hu(candidates))


def _of_sides(findings: Iterable[Finding]) -> Iterator[str]:
    for side in _sides_without_kidney(findings):
        yield f"No kidney was found on the {side}: look there yourself."


def _sides_without_kidney(findings: Iterable[Finding]) -> list[Side]:
    found = {finding.side for finding in findings if finding.kind == "kidney"}
    return [side for side in SIDES if side not in found]


def _of_edges(findings: Iterable[Finding]) -> Iterator[str]:
    cut = [f"the {name_of(finding)} (at least {_ml(finding)})" for finding in findings if finding.cut_by_edge]
    if cut:
        names = " and ".join(filter(None, [", ".join(cut[:-1]), cut[-1]]))
        yield f"{names[0].upper()}{names[1:]} {'is' if len(cut) == 1 else 'are'} cut by the scan's edge."


def _ml(finding: Finding) -> str:
    return f"{finding.volume_ml:.{0 if finding.volume_ml >= 10 else 1}f} ml"


def _of_sizes(findings: Iterable[Finding]) -> Iterator[str]:
    least, most = _KIDNEY_ML
    for finding in findings:
        # What is not the side's largest is a part of it, or an island; what the edge cuts may be larger, never smaller.
        if finding.kind != "kidney" or finding.number > 1 or (finding.cut_by_edge and finding.volume_ml < least):
            continue
        if not least <= finding.volume_ml <= most:
            yield f"The {name_of(finding)} has {finding.volume_ml:.0f} ml, unlike a kidney: check its outline."


def _of_fluid(findings: Iterable[Finding], kidney_hu: float | None) -> Iterator[str]:
    if kidney_hu is not None and kidney_hu < _NO_CONTRAST_HU:
        return  # without contrast agent a tumor is hardly denser than fluid
    for finding in findings:
        mean, deviation = finding.hu_mean, finding.hu_deviation
        if finding.kind != "tumor" or finding.longest.mm < _FLUID_MM or mean is None or deviation is None:
            continue
        if mean < _FLUID_HU and deviation < _FLUID_DEVIATION_HU:
            yield f"The {name_of(finding)} has {mean:.0f} HU throughout, the density of fluid."
