"""One CT from its file to its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seru.cohort.outputs import Outputs, write_results
from seru.findings import Report
from seru.io.images import read_volume
from seru.progress import Progress, RunRecord

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter


def process_case(path: Path, series: str | None, outputs: Outputs, segmenter: Segmenter, progress: Progress) -> Report:
    """Read, segment and write one case.

    Args:
        path: of the CT.
        series: series instance UID, or None.
        outputs: where the results go.
        segmenter: loads its networks with the first CT.
        progress: of the run.

    Returns:
        The report, with the reader's warnings and the time to load.

    Raises:
        SeruError: of any kind; then nothing is at the output.
    """
    record = RunRecord(progress)
    with record.timed("load"):
        record.stage("load", 0, 1)
        volume = read_volume(path, series, record)
    result = segmenter.segment(volume, record)
    write_results(outputs, volume, result, record)
    return result.report
