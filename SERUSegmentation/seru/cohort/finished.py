"""Which cases of a cohort are finished and need no further run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from seru.cohort.discovery import Case
from seru.cohort.outputs import Outputs
from seru.errors import BadInputError
from seru.findings import Report
from seru.io.images import read_volume

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter


def read_finished(case: Case, outputs: Outputs, segmenter: Segmenter) -> Report | None:
    """Return the report of a case that needs no further run.

    Args:
        case: of the cohort.
        outputs: of the case; the report is written last.
        segmenter: that would run: its model and options.

    Returns:
        The report where output and report are whole, newer than the input, and were made the same way; else None.
    """
    card, options = segmenter.model.card, segmenter.options
    if outputs.report is None or outputs.output is None:
        return None
    try:
        report = Report.from_dict(json.loads(outputs.report.read_text(encoding="utf-8")))
        alpha = card.alpha if options.alpha is None else options.alpha
        is_same = (
            report.model.sha256 == card.checksums
            and report.alpha == alpha
            and report.options == options.deciding()
            and report.input.path is not None
            and os.path.realpath(report.input.path) == os.path.realpath(case.path)
            and outputs.output.stat().st_mtime >= _newest(case.path)
            and all(folder is None or folder.is_dir() for folder in (outputs.maps, outputs.pictures))
        )
        if is_same and read_volume(outputs.output).grid.shape_ijk == report.geometry.shape_ijk:
            return report
    except (OSError, ValueError, BadInputError):
        pass
    return None


def _newest(path: Path) -> float:
    if path.is_file():
        return path.stat().st_mtime
    return max(os.stat(os.path.join(place, name)).st_mtime for place, _, names in os.walk(path) for name in names)
