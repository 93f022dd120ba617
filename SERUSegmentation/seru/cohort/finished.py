"""Which cases of a cohort are finished and need no further run.

By content, not by time: finished is what was made of the same voxels on the same grid, with the same model and
options, and is there as a whole. Copying and unpacking keep the times of files, so these say nothing.

Labels that were edited since, by a person who corrected them, say, are never run over: the case stays as it is, with a
warning, and fails where another run is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seru.cohort.outputs import Outputs, hash_labels
from seru.errors import BadInputError, CancelledError
from seru.findings import PICTURES, SIDES, Report
from seru.io.images import read_file
from seru.progress import RunRecord
from seru.records import parse_json
from seru.result.maps import load_maps
from seru.result.page import is_page_of
from seru.volume import Volume

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter

_LARGEST_REPORT = 1 << 24
_PNG_ENDS = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_SAME_MM = 1e-3


def read_finished(volume: Volume, outputs: Outputs, segmenter: Segmenter, record: RunRecord) -> Report | None:
    """Return the report of a case that needs no further run.

    Args:
        volume: the case's CT as it is now, from :func:`seru.cohort.case.read_case`.
        outputs: of the case.
        segmenter: that would run: its model and options.
        record: told where the labels are not the run's own any more.

    Returns:
        The report where it was made the same way of the same content, and every output is there and whole; else None.

    Raises:
        BadInputError: it needs one, which would run over labels that were edited.
        CancelledError: the run was cancelled.
    """
    if outputs.report is None or outputs.output is None:
        return None
    try:
        report = Report.from_dict(_read_json(outputs.report))
        labels = read_file(outputs.output)
    except CancelledError:
        raise
    except Exception:  # whatever an earlier run left is not finished
        return None
    is_edited = _is_edited(labels, report)
    if _is_finished(report, labels, volume, outputs, segmenter):
        if is_edited:
            record.warning(
                f"The labels '{outputs.output}' are no longer as they were written and are kept; "
                "delete them to have the case run again."
            )
            report = replace(report, warnings=(*report.warnings, record.warnings[-1]))
        return report
    if is_edited:
        raise BadInputError(
            f"The labels '{outputs.output}' are no longer as an earlier run wrote them, and another run would replace "
            "them; move or delete them to have the case run again."
        )
    return None


def check_not_edited(outputs: Outputs, report: Report) -> None:
    """Check, before verdicts change a finished case, that its labels are still those of its report.

    Args:
        outputs: of the case.
        report: of the case.

    Raises:
        BadInputError: someone has edited them.
    """
    if outputs.output is not None and _is_edited(read_file(outputs.output), report):
        raise BadInputError(
            f"The labels '{outputs.output}' are no longer as they were written, so no verdict was applied; "
            "move or delete them to have the case run again with the verdicts."
        )


def check_is_report(path: Path) -> None:
    """Check that what is at the place of a case's report was not made by someone else.

    Args:
        path: of the report; it may be missing, or damaged.

    Raises:
        BadInputError: it holds something else.
    """
    try:
        values = _read_json(path)
    except (OSError, ValueError):
        return
    if not (isinstance(values, dict) and values.keys() & {"version", "input", "geometry"}):
        raise BadInputError(f"'{path}' is in the place of a report and is none; move it, or choose another folder.")


def _read_json(path: Path) -> Any:
    if not path.is_file() or path.stat().st_size > _LARGEST_REPORT:
        raise ValueError("no report")
    return parse_json(path.read_bytes())


def _is_finished(report: Report, labels: Volume, volume: Volume, outputs: Outputs, segmenter: Segmenter) -> bool:
    try:
        return _is_made_so(report, volume, segmenter) and _has_grid(labels, volume) and _are_whole(outputs, report)
    except CancelledError:
        raise
    except Exception:  # maps, pages or pictures that cannot be read are not there
        return False


def _is_made_so(report: Report, volume: Volume, segmenter: Segmenter) -> bool:
    card, options = segmenter.model.card, segmenter.options
    return (
        report.input.sha256 is not None
        and report.input.sha256 == volume.source["sha256"]
        and report.model is not None
        and report.model.sha256 == card.checksums
        and report.alpha == (card.alpha if options.alpha is None else options.alpha)
        and report.options == options.deciding()
    )


def _are_whole(outputs: Outputs, report: Report) -> bool:
    """Tell whether maps, page and pictures are there and of the same run, where they are asked for."""
    if outputs.page is not None and not is_page_of(report, outputs.page):
        return False
    if outputs.maps is not None:
        of_maps = load_maps(outputs.maps)[1]
        if replace(of_maps, seconds={}, warnings=()) != replace(report, seconds={}, warnings=()):
            return False
    shown = [PICTURES[side] for side in SIDES if report.side(side).key_slice is not None]
    return outputs.pictures is None or all(_is_whole_picture(outputs.pictures / name) for name in shown)


def _is_whole_picture(path: Path) -> bool:
    data = path.read_bytes()
    return data.startswith(_PNG_ENDS[0]) and data.endswith(_PNG_ENDS[1])


def _has_grid(labels: Volume, volume: Volume) -> bool:
    matrices = labels.lattice.ijk_to_ras, volume.lattice.ijk_to_ras
    return labels.lattice.shape_kji == volume.lattice.shape_kji and np.allclose(*matrices, rtol=0, atol=_SAME_MM)


def _is_edited(labels: Volume, report: Report) -> bool:
    """Tell whether labels on a report's grid are no longer those that were written with it."""
    of_report = report.geometry
    if labels.grid.shape_ijk != of_report.shape_ijk:
        return False
    if not np.allclose(labels.grid.ijk_to_ras, of_report.ijk_to_ras, rtol=0, atol=_SAME_MM):
        return False
    with np.errstate(invalid="ignore"):  # an editor may have written floats
        exact = labels.array_kji.astype(np.uint8)
    return not np.array_equal(exact, labels.array_kji) or hash_labels(labels.on_slices(exact)) != report.labels_sha256
