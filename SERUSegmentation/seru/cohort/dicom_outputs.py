"""What a run writes in DICOM: a segmentation, and the report that refers to its segments."""

from __future__ import annotations

import math
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
    import numpy as np

    from seru.cascade.cascade import SegmentResult
    from seru.findings import Report
    from seru.io.dicom_seg import Algorithm, Maker
    from seru.result.measurements import Measured


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


@dataclass(frozen=True, eq=False)
class DicomContent:
    """What DICOM outputs hold.

    Attributes:
        labels_kji: uint8, shape of the CT (K, J, I): 0 background, 1 kidney, 2 tumor.
        lower_kji: first voxel of the box that the findings were measured in.
        measured: findings with their voxels, in the order of the report's.
        report: of the labels.
        algorithm: that made them, or who.
        probabilities: of kidney and of tumor for a fractional segmentation, uint8, shape (K, J, I), 255 = 1; else None.
    """

    labels_kji: np.ndarray
    lower_kji: tuple[int, int, int]
    measured: Sequence[Measured]
    report: Report
    algorithm: Algorithm | Maker
    probabilities: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def of_run(cls, result: SegmentResult, choice: DicomChoice) -> DicomContent:
        """Return what a run of the networks gives."""
        from seru.io.dicom_seg import Algorithm
        from seru.result.fusion import fused_maps

        maps, model = result.maps, result.report.model
        assert model is not None  # networks ran
        return cls(
            result.labels_kji,
            maps.lower_kji,
            result.measured,
            result.report,
            Algorithm(choice.version, model.id, maps.alpha),
            fused_maps(maps, maps.alpha) if choice.seg_type == "fractional" else None,
        )


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


def doubts_of_dicom(paths: Sequence[Path], volume: Volume) -> tuple[str, ...]:
    """Tell what programs that read DICOM outputs may take otherwise than they are.

    Args:
        paths: of all outputs.
        volume: the CT.

    Returns:
        One sentence each.
    """
    if volume.tilt is None or not any(ending_of(path, (DICOM_SEG_ENDING,)) for path in paths):
        return ()
    beside_mm = volume.lattice.spacing_ijk_mm[2] * math.sin(math.radians(volume.tilt.degrees))
    # Seen with segimage2itkimage of dcmqi 1.5.7: tilted one way it does so without a word, the other way it refuses.
    return (
        "Programs that take slices to be perpendicular to their stack, as dcmqi does, lay the DICOM segmentation wrong "
        f"by {beside_mm:.1f} mm more with each slice, or refuse it: check it over the CT there, or use .seg.nrrd.",
    )


def write_dicom(
    paths: Sequence[Path],
    volume: Volume,
    content: DicomContent,
    choice: DicomChoice,
    progress: Progress,
    opener: Opener,
) -> None:
    """Write the segmentation, and then the report where one is wanted.

    Args:
        paths: of all outputs; a report never without a segmentation.
        volume: the CT.
        content: what they hold.
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
    from seru.io.dicom_seg import write_dicom_seg
    from seru.io.dicom_source import SourceHeaders
    from seru.io.dicom_sr import write_dicom_sr
    from seru.result.finding_segments import segments_of_findings
    from seru.terminology import SEGMENTS

    headers, algorithm = SourceHeaders.read(volume.slice_files), content.algorithm
    labels, segments = content.labels_kji, SEGMENTS
    if choice.seg_findings or DICOM_SR_ENDING in by_ending:
        labels, segments = segments_of_findings(labels, content.lower_kji, content.measured)
    probabilities = None
    if content.probabilities is not None:
        kidney, tumor = map(volume.on_slices, content.probabilities)
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
        write_dicom_sr(content.report, volume.grid, headers, algorithm, made, by_ending[DICOM_SR_ENDING], opener)
        progress.check_cancelled()
