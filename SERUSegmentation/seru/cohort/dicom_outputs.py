"""What a run writes in DICOM: a segmentation, and the report that refers to its segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seru.errors import BadInputError
from seru.files import Opener
from seru.io.images import DICOM_ENDINGS, DICOM_SEG_ENDING, DICOM_SR_ENDING, ending_of
from seru.options import SegType
from seru.progress import Progress
from seru.volume import Volume

if TYPE_CHECKING:
    from seru.cascade.cascade import SegmentResult


@dataclass(frozen=True)
class DicomChoice:
    """How DICOM outputs are written.

    Attributes:
        version: of the program.
        seg_type: how a segmentation holds its segments.
        seg_findings: whether it has one for each finding, without a report too.
    """

    version: str
    seg_type: SegType
    seg_findings: bool = False


def check_dicom(paths: Sequence[Path], volume: Volume, choice: DicomChoice | None) -> None:
    """Check, before any work, that DICOM outputs can be made of a CT.

    Args:
        paths: of all outputs.
        volume: the CT.
        choice: how they are written; None writes none.

    Raises:
        BadInputError: they cannot.
    """
    for path in paths:
        if ending_of(path, DICOM_ENDINGS):
            from seru.io.dicom_seg import check_dicom_output

            check_dicom_output(path, volume.slice_files)
            wants_findings = ending_of(path, (DICOM_SR_ENDING,)) or (choice is not None and choice.seg_findings)
            if wants_findings and choice is not None and choice.seg_type == "fractional":
                raise BadInputError(
                    f"'{path.name}' needs a segment for each finding, and --seg-type fractional has none; "
                    "leave one of them out."
                )


def write_dicom(
    paths: Sequence[Path],
    volume: Volume,
    result: SegmentResult,
    choice: DicomChoice,
    progress: Progress,
    opener: Opener,
) -> None:
    """Write the segmentation, and then the report where one is wanted.

    Args:
        paths: of all outputs; a report never without a segmentation.
        volume: the CT.
        result: of the cascade.
        choice: how they are written.
        progress: asked whether to stop.
        opener: of a group of files that take their places together.

    Raises:
        BadInputError: a file cannot be written.
        CancelledError: the run was cancelled.
    """
    by_ending = {ending_of(path, DICOM_ENDINGS): path for path in paths}
    if DICOM_SEG_ENDING not in by_ending:
        return
    from seru.io.dicom_seg import Algorithm, write_dicom_seg
    from seru.io.dicom_source import SourceHeaders
    from seru.io.dicom_sr import write_dicom_sr
    from seru.result.finding_segments import segments_of_findings
    from seru.result.fusion import fused_maps
    from seru.terminology import SEGMENTS

    headers, model, alpha = SourceHeaders.read(volume.slice_files), result.report.model, result.maps.alpha
    assert model is not None  # networks ran
    algorithm = Algorithm(choice.version, model.id, alpha)
    labels, segments = result.labels_kji, SEGMENTS
    if choice.seg_findings or DICOM_SR_ENDING in by_ending:
        labels, segments = segments_of_findings(labels, result.maps.lower_kji, result.measured)
    probabilities = None
    if choice.seg_type == "fractional":
        kidney, tumor = map(volume.on_slices, fused_maps(result.maps, alpha))
        probabilities = kidney, tumor
    made = write_dicom_seg(
        volume.on_slices(labels),
        volume.lattice,
        headers,
        algorithm,
        choice.seg_type,
        by_ending[DICOM_SEG_ENDING],
        opener,
        probabilities,
        segments or SEGMENTS,
    )
    progress.check_cancelled()
    if DICOM_SR_ENDING in by_ending:
        write_dicom_sr(result.report, volume.grid, headers, algorithm, made, by_ending[DICOM_SR_ENDING], opener)
        progress.check_cancelled()
