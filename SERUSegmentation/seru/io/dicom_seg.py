"""DICOM segmentations: labels, or probabilities, on the slices of the DICOM CT that they belong to.

Where a voxel lies comes from our lattice alone: what headers say besides their positions is often wrong (a negative
Spacing Between Slices, say). Patient and study are those of the CT's headers, nothing more.

Source: DICOM PS3.3, A.51 (Segmentation IOD), A.51.6 (Label Map Segmentation IOD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seru.errors import BadInputError
from seru.files import Opener
from seru.grid import Lattice
from seru.io.dicom_source import SourceHeaders, quiet, require_highdicom
from seru.options import SegType
from seru.terminology import LATERALITY, SEGMENTS, Code, SegmentTerm
from seru.volume import SliceFile

if TYPE_CHECKING:
    from highdicom.content import AlgorithmIdentificationSequence, PixelMeasuresSequence
    from highdicom.seg import Segmentation, SegmentDescription
    from highdicom.sr import CodedConcept

MANUFACTURER = "SlicerSERU"
_SERIES_NUMBER = 900
# Of a probability that is stored in a byte.
_WHOLE = 255


@dataclass(frozen=True)
class Algorithm:
    """What made the labels.

    Attributes:
        version: of the program.
        model: its id.
        alpha: weight of the coarse stage.
    """

    version: str
    model: str
    alpha: float


def write_dicom_seg(
    labels_kji: np.ndarray,
    lattice: Lattice,
    headers: SourceHeaders,
    algorithm: Algorithm,
    seg_type: SegType,
    path: Path,
    opener: Opener,
    probabilities: tuple[np.ndarray, np.ndarray] | None = None,
    segments: Sequence[SegmentTerm] = SEGMENTS,
) -> Segmentation:
    """Write labels as a DICOM segmentation; planes that show nothing are left out.

    Args:
        labels_kji: uint8, shape (K, J, I): 0 background, else the label of a segment.
        lattice: of the CT's slices.
        headers: of the CT's slices.
        algorithm: that made the labels.
        seg_type: how the segments are held.
        path: ends in ``.seg.dcm``.
        opener: of a group of files that take their places together.
        probabilities: for ``fractional``: of kidney and of tumor, uint8, shape (K, J, I), 255 = 1.
        segments: what the labels mean, 1 the first.

    Returns:
        What was written.

    Raises:
        BadInputError: highdicom is missing, or the file cannot be written.
    """
    require_highdicom()
    with quiet(), opener(path) as file:
        made = _segmentation(labels_kji, lattice, headers, algorithm, seg_type, probabilities, segments)
        headers.copy_patient_to(made)
        made.save_as(file, enforce_file_format=True)
    return made


def _segmentation(
    labels_kji: np.ndarray,
    lattice: Lattice,
    headers: SourceHeaders,
    algorithm: Algorithm,
    seg_type: SegType,
    probabilities: tuple[np.ndarray, np.ndarray] | None,
    segments: Sequence[SegmentTerm],
) -> Segmentation:
    from highdicom import UID
    from highdicom.seg import Segmentation

    shown = probabilities if seg_type == "fractional" and probabilities is not None else (labels_kji,)
    planes = _shown_planes(shown)
    is_empty = not len(planes)
    if is_empty:  # no segmentation is without a frame
        planes = np.array([0])
    if seg_type == "fractional" and probabilities is not None:
        pixels = np.stack([values[planes] for values in probabilities], axis=-1) / np.float32(_WHOLE)
    else:
        pixels = labels_kji[planes]
    return Segmentation(
        source_images=[headers.plane(k, lattice) for k in planes],
        pixel_array=pixels,
        segmentation_type=seg_type.upper(),
        segment_descriptions=[_description(term, algorithm) for term in segments],
        series_instance_uid=UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name="SERU",
        software_versions=algorithm.version,
        # Required of every device; a program has none.
        device_serial_number="none",
        max_fractional_value=_WHOLE,
        content_label="KIDNEY_TUMOR",
        content_description="Kidneys and kidney tumors (research use only)",
        series_description="SERU kidneys and kidney tumors",
        pixel_measures=_pixel_measures(lattice),
        omit_empty_frames=not is_empty,
    )


def _shown_planes(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The planes along k in which any array shows anything."""
    shows = [[bool(plane.any()) for plane in array] for array in arrays]
    return np.flatnonzero(np.any(shows, axis=0))


def _pixel_measures(lattice: Lattice) -> PixelMeasuresSequence:
    from highdicom.content import PixelMeasuresSequence

    (i, j, _), k = lattice.spacing_ijk_mm, lattice.distance_mm
    return PixelMeasuresSequence(pixel_spacing=(j, i), slice_thickness=k, spacing_between_slices=k)


def _description(term: SegmentTerm, algorithm: Algorithm) -> SegmentDescription:
    from highdicom import UID
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription

    made = SegmentDescription(
        segment_number=term.label,
        segment_label=term.name,
        segmented_property_category=coded(term.category),
        segmented_property_type=coded(term.kind),
        algorithm_type="AUTOMATIC",
        algorithm_identification=identification(algorithm),
        anatomic_regions=[coded(term.region)] if term.region else None,
        display_color=CIELabColor.from_rgb(*(round(255 * value) for value in term.color)),
        # By which a report knows the finding.
        tracking_uid=UID() if term.side else None,
        tracking_id=term.name if term.side else None,
    )
    if term.side:
        if term.region:
            (where,), name = made.AnatomicRegionSequence, "AnatomicRegionModifierSequence"
        else:
            (where,), name = made.SegmentedPropertyTypeCodeSequence, "SegmentedPropertyTypeModifierCodeSequence"
        setattr(where, name, [coded(LATERALITY[term.side])])
    return made


def identification(algorithm: Algorithm) -> AlgorithmIdentificationSequence:
    """Return what made the labels, as DICOM names it."""
    from highdicom.content import AlgorithmIdentificationSequence
    from pydicom.sr.codedict import codes

    return AlgorithmIdentificationSequence(
        name="SERU",
        family=codes.DCM.ArtificialIntelligence,
        version=algorithm.version,
        source=MANUFACTURER,
        parameters={"model": algorithm.model, "alpha": f"{algorithm.alpha:g}"},
    )


def coded(code: Code) -> CodedConcept:
    """Return a code of our terminology as DICOM writes it."""
    from highdicom.sr import CodedConcept

    scheme, value, meaning = code
    return CodedConcept(value=value, scheme_designator=scheme, meaning=meaning)


def check_dicom_output(path: Path, slice_files: Sequence[SliceFile]) -> None:
    """Check, before any work, that a DICOM output can be made of a CT.

    Args:
        path: of the output.
        slice_files: of the CT.

    Raises:
        BadInputError: the CT is no DICOM, its headers do not identify it, or a package is missing.
    """
    if not slice_files:
        raise BadInputError(
            f"'{path.name}' refers to the images of a DICOM CT, and the input is none; give .seg.nrrd or .nii.gz."
        )
    require_highdicom()
    SourceHeaders.read(slice_files)
