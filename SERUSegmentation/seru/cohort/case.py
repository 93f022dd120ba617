"""One CT from its file to its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seru.cohort.decided import decide, with_kept
from seru.cohort.finished import check_not_edited
from seru.cohort.outputs import Outputs, write_results
from seru.cohort.verdict_list import ListedVerdict
from seru.findings import Report
from seru.io.images import read_volume
from seru.progress import RunRecord
from seru.result.maps import load_maps
from seru.volume import Volume

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter


def read_case(path: Path, series: str | None, record: RunRecord) -> Volume:
    """Read the CT of a case.

    Args:
        path: of the CT.
        series: series instance UID, or None.
        record: of the run.

    Returns:
        The CT; its source holds the hash of what was read, for the report.

    Raises:
        BadInputError: it cannot be read, or is no CT.
        CancelledError: the run was cancelled.
    """
    with record.timed("load"):
        record.stage("load", 0, 1)
        volume = read_volume(path, series, record)
        content = volume.sha256()
    return replace(volume, source={**volume.source, "sha256": content})


def process_case(
    volume: Volume,
    outputs: Outputs,
    segmenter: Segmenter,
    record: RunRecord,
    verdicts: Sequence[ListedVerdict] = (),
) -> Report:
    """Segment and write one case.

    Args:
        volume: from :func:`read_case`.
        outputs: where the results go.
        segmenter: loads its networks with the first CT.
        record: that has begun with the reading.
        verdicts: of a person, on the case.

    Returns:
        The report, with the reader's warnings and the time to load.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    result = segmenter.segment(volume, record)
    if verdicts:
        result = decide(result.maps, result.report, verdicts, record)
    write_results(outputs, volume, result, record)
    return result.report


def decide_case(
    volume: Volume,
    outputs: Outputs,
    segmenter: Segmenter,
    record: RunRecord,
    verdicts: Sequence[ListedVerdict],
    report: Report,
) -> Report:
    """Apply verdicts to a finished case: to its maps, without the network, or else by another run.

    Args:
        volume: from :func:`read_case`.
        outputs: where the results are.
        segmenter: as :func:`process_case`.
        record: that has begun with the reading.
        verdicts: of a person, on the case.
        report: of the results.

    Returns:
        The new report.

    Raises:
        SeruError: of any kind; then the results are as they were.
    """
    check_not_edited(outputs, report)
    if outputs.maps is None:
        return process_case(volume, outputs, segmenter, record, with_kept(verdicts, report))
    result = decide(*load_maps(outputs.maps), verdicts, record)
    write_results(outputs, volume, result, record)
    return result.report
