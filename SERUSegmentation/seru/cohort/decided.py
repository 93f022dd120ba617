"""A case's result with a person's verdicts applied: from its maps, without the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from seru.cohort.verdict_list import ListedVerdict, not_found, scan_of
from seru.findings import Finding, Report
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.result import finish
from seru.result.finish import Finished
from seru.result.maps import Maps
from seru.result.verdicts import Verdict

if TYPE_CHECKING:
    from seru.cascade.stages import SegmentResult

_LEFT_OUT = "were not applied."
_NEEDS_WORK = "A person says that this needs work: "


def decide(maps: Maps, report: Report, listed: Sequence[ListedVerdict], progress: Progress) -> SegmentResult:
    """Apply verdicts to a result; those that its maps carry on other findings stay.

    Args:
        maps: of the run.
        report: of the same run.
        listed: verdicts on the case.
        progress: told of what was not found and of what needs work.

    Returns:
        The result; the report's warnings are those of the run and what ``progress`` was told.
    """
    from seru.cascade.stages import SegmentResult

    options = SegmentOptions.from_deciding(report.options, alpha=report.alpha)
    found = [finish(maps, options, has_ranges=False)]
    if maps.verdicts:
        # A list made before those verdicts names what they have changed.
        found.append(finish(maps, options, verdicts=(), has_ranges=False))
    maps = replace(maps, verdicts=verdicts_with(maps.verdicts, found, listed))
    finished = finish(maps, options)
    sentences = list(sentences_on(listed, [finding for one in found for finding in one.findings]))
    for sentence in sentences:
        progress.warning(sentence)
    kept = [warning for warning in report.warnings if not _is_of_list(warning)]
    report = replace(finished.report_of(report), warnings=(*kept, *sentences))
    return SegmentResult(maps.whole(finished.labels_box), maps, report, finished.measured)


def on_scan(listed: Sequence[ListedVerdict], sha256: str, progress: Progress) -> tuple[ListedVerdict, ...]:
    """Return the verdicts that are on a CT: one of its name may have taken its place since.

    Args:
        listed: verdicts on the case.
        sha256: of the CT's content.
        progress: told where some are on another one.
    """
    chosen = tuple(one for one in listed if one.scan in ("", scan_of(sha256)))
    if len(chosen) < len(listed):
        progress.warning(f"{len(listed) - len(chosen)} of its verdicts are on another CT of this name and {_LEFT_OUT}")
    return chosen


def is_decided(report: Report, listed: Sequence[ListedVerdict]) -> bool:
    """Tell whether a report is of a result that has verdicts applied.

    Args:
        report: of the result.
        listed: verdicts on the case.
    """
    for one in listed:
        finding = one.find_in(report.findings)
        if finding is not None and one.decision not in (None, finding.status):
            return False
    return all(sentence in report.warnings for sentence in sentences_on(listed, report.findings))


def with_kept(listed: Sequence[ListedVerdict], report: Report) -> tuple[ListedVerdict, ...]:
    """Return verdicts with those that a result carries on other findings: where no maps keep them.

    Args:
        listed: verdicts on the case.
        report: of the result so far.
    """
    found = [one.find_in(report.findings) for one in listed]
    others = [finding for finding in report.findings if finding not in found]
    return (*listed, *filter(None, (ListedVerdict.kept(finding, report.findings) for finding in others)))


def verdicts_with(
    before: Sequence[Verdict], found: Sequence[Finished], listed: Sequence[ListedVerdict]
) -> tuple[Verdict, ...]:
    """Return the verdicts of a result with those of a list.

    Args:
        before: that the result has.
        found: the result as it is, and as it was before any verdict.
        listed: verdicts on the case; one that is on no finding, or decides nothing, changes nothing.
    """
    verdicts = tuple(before)
    for one in listed:
        # As the result is now, or else as it was before any verdict.
        finished = next((finished for finished in found if one.find_in(finished.findings)), None)
        finding = finished and one.find_in(finished.findings)
        if finished and finding and one.decision:
            verdicts = (*finished.without_verdict_on(finding, verdicts), finished.verdict_on(finding, one.decision))
    return verdicts


def sentences_on(listed: Sequence[ListedVerdict], findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what is to be told of verdicts that are on no finding, and of findings that need work.

    Args:
        listed: verdicts on the case.
        findings: of its result.
    """
    for one in listed:
        if one.find_in(findings) is None:
            yield not_found(one)
        elif one.decision is None:
            yield f"{_NEEDS_WORK}{one.name}{f': {one.note}' if one.note else ''}."


def _is_of_list(warning: str) -> bool:
    return warning.startswith(_NEEDS_WORK) or warning.endswith(("so its verdict was not applied.", _LEFT_OUT))
