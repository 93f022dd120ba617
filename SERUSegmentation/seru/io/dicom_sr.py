"""DICOM structured reports: the measures of each finding, referring to its segment and its images.

Source: DICOM PS3.16, TID 1500 (Measurement Report), TID 1411 (Volumetric ROI Measurements); diameters are CID 7470's
long and short axis, confidence is DCM 111012.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seru.files import Opener
from seru.findings import SIDES, Diameter, Finding, Report, Side, SideFindings
from seru.grid import Grid
from seru.io.dicom_seg import MANUFACTURER, Algorithm, Maker, coded
from seru.io.dicom_source import SourceHeaders, quiet
from seru.terminology import KIDNEY, LATERALITY, SEGMENTS_BY_SIDE, Code

if TYPE_CHECKING:
    from highdicom.seg import Segmentation
    from highdicom.sr import (
        Measurement,
        MeasurementReport,
        MeasurementsAndQualitativeEvaluations,
        ObservationContext,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )

_SERIES_NUMBER = 901
_ML: Code = ("UCUM", "mL", "milliliter")
_MM: Code = ("UCUM", "mm", "millimeter")
_PERCENT: Code = ("UCUM", "%", "percent")
_VOLUME: Code = ("SCT", "118565006", "Volume")
_LONG_AXIS: Code = ("SCT", "103339001", "Long Axis")
_SHORT_AXIS: Code = ("SCT", "103340004", "Short Axis")
_CERTAINTY: Code = ("DCM", "111012", "Certainty of Finding")
# No standard code says so.
_CUT: Code = ("99SERU", "CUT", "Cut by the scan's edge: measures are at least")
_YES: Code = ("SCT", "373066001", "Yes")
# An end of a diameter lies on a plane where it is this near to it, in planes; it is the centre of a voxel.
_ON_PLANE = 0.05


def write_dicom_sr(
    report: Report,
    grid: Grid,
    headers: SourceHeaders,
    algorithm: Algorithm | Maker,
    segmentation: Segmentation,
    path: Path,
    opener: Opener,
) -> None:
    """Write the findings that are in the labels as a measurement report.

    Args:
        report: of the run.
        grid: of the CT.
        headers: of the CT's slices.
        algorithm: that made the labels; of others' labels it is ours that measured them.
        segmentation: of the same run; its first segments are these findings, in their order.
        path: ends in ``.sr.dcm``.
        opener: of a group of files that take their places together.

    Raises:
        BadInputError: the file cannot be written.
    """
    from highdicom import UID
    from highdicom.sr import ComprehensiveSR

    findings = [finding for finding in report.findings if finding.is_counted]
    key_planes = _key_planes(report)
    planes = {*key_planes, *(k for finding in findings for k in _planes_of(finding, grid))}
    with quiet(), opener(path) as file:
        made = ComprehensiveSR(
            evidence=[segmentation, *(headers.plane(k, grid) for k in sorted(planes or {0}))],
            content=_content(report, findings, key_planes, grid, headers, algorithm, segmentation),
            series_instance_uid=UID(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            # No result is final: research use only.
            is_final=False,
        )
        made.SeriesDescription = "SERU measurements of kidneys and kidney tumors"
        made.ManufacturerModelName, made.SoftwareVersions = "SERU", algorithm.version
        # Required of every device; a program has none.
        made.DeviceSerialNumber = "none"
        headers.copy_patient_to(made)
        made.save_as(file, enforce_file_format=True)


def _content(
    report: Report,
    findings: Sequence[Finding],
    key_planes: Sequence[int],
    grid: Grid,
    headers: SourceHeaders,
    algorithm: Algorithm | Maker,
    segmentation: Segmentation,
) -> MeasurementReport:
    from highdicom.sr import MeasurementReport
    from pydicom.sr.codedict import codes

    groups = [
        _group(number, finding, grid, headers, algorithm, segmentation) for number, finding in enumerate(findings, 1)
    ]
    return MeasurementReport(
        observation_context=_observer(),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups or [_empty_group(side, report.side(side)) for side in SIDES],
        title=codes.DCM.ImagingMeasurementReport,
        # The key slices.
        referenced_images=[headers.plane(k, grid) for k in key_planes] or None,
    )


def _observer() -> ObservationContext:
    from highdicom import UID
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext
    from pydicom.sr.codedict import codes

    device = DeviceObserverIdentifyingAttributes(UID(), name="SERU", manufacturer_name=MANUFACTURER, model_name="SERU")
    return ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device))


def _group(
    number: int,
    finding: Finding,
    grid: Grid,
    headers: SourceHeaders,
    algorithm: Algorithm | Maker,
    segmentation: Segmentation,
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    from highdicom.sr import (
        AlgorithmIdentification,
        FindingSite,
        QualitativeEvaluation,
        ReferencedSegment,
        SourceSeriesForSegmentation,
        TrackingIdentifier,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )

    segment = next(item for item in segmentation.SegmentSequence if item.SegmentNumber == number)
    term = next(t for t in SEGMENTS_BY_SIDE if t.side == finding.side and t.name.lower().startswith(finding.kind))
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=segment.TrackingUID, identifier=segment.TrackingID),
        referenced_segment=ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=number,
            source_series=SourceSeriesForSegmentation(headers.slices[0].SeriesInstanceUID),
        ),
        finding_category=coded(term.category),
        finding_type=coded(term.kind),
        finding_sites=[FindingSite(coded(KIDNEY), laterality=coded(LATERALITY[finding.side]))],
        algorithm_id=AlgorithmIdentification(
            name="SERU",
            version=algorithm.version,
            parameters=[f"{name}={value}" for name, value in algorithm.parameters.items()] or None,
            manufacturer=MANUFACTURER,
        ),
        measurements=list(_measurements(finding, grid, headers)),
        qualitative_evaluations=[QualitativeEvaluation(coded(_CUT), coded(_YES))] if finding.cut_by_edge else None,
    )


def _empty_group(side: Side, found: SideFindings) -> MeasurementsAndQualitativeEvaluations:
    """Where no finding is in the labels: no report is without a measurement, and this one is true."""
    from highdicom.sr import FindingSite, Measurement, MeasurementsAndQualitativeEvaluations, TrackingIdentifier

    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(identifier=f"{side.capitalize()} kidney"),
        finding_type=coded(KIDNEY),
        finding_sites=[FindingSite(coded(KIDNEY), laterality=coded(LATERALITY[side]))],
        measurements=[Measurement(coded(_VOLUME), found.kidney_ml, coded(_ML))],
    )


def _measurements(finding: Finding, grid: Grid, headers: SourceHeaders) -> Iterator[Measurement]:
    from highdicom.sr import Measurement, SourceImageForMeasurement

    yield Measurement(coded(_VOLUME), finding.volume_ml, coded(_ML))
    for name, diameter in ((_LONG_AXIS, finding.longest), (_SHORT_AXIS, finding.across)):
        # The template has no room for the line itself.
        k = _plane_of(diameter, grid)
        sources = [] if k is None else [headers.slices[k]]
        images = [SourceImageForMeasurement(source.SOPClassUID, source.SOPInstanceUID) for source in sources]
        yield Measurement(coded(name), diameter.mm, coded(_MM), referenced_images=images or None)
    if finding.confidence is not None:
        yield Measurement(coded(_CERTAINTY), round(100 * finding.confidence, 2), coded(_PERCENT))


def _planes_of(finding: Finding, grid: Grid) -> list[int]:
    planes = (_plane_of(diameter, grid) for diameter in (finding.longest, finding.across))
    return [k for k in planes if k is not None]


def _plane_of(diameter: Diameter, grid: Grid) -> int | None:
    start, end = (float(_ijk(place, grid)[2]) for place in (diameter.start_ras, diameter.end_ras))
    k = round(start)
    return k if max(abs(start - k), abs(end - k)) < _ON_PLANE and 0 <= k < grid.shape_kji[0] else None


def _ijk(place_ras: Sequence[float], grid: Grid) -> np.ndarray:
    return np.linalg.solve(grid.ijk_to_ras, [*place_ras, 1.0])[:3]


def _key_planes(report: Report) -> list[int]:
    """The key slices, each once; of a CT whose images are axial, for else they lie on no single one."""
    slices = (report.right.key_slice, report.left.key_slice)
    return sorted({found.index for found in slices if found is not None}) if report.geometry.stack_axis == 2 else []
