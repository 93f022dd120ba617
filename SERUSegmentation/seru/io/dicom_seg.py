"""DICOM segmentations: labels, or probabilities, on the slices of the DICOM CT that they belong to.

Where a voxel lies comes from our lattice alone: what headers say besides their positions is often wrong (a negative
Spacing Between Slices, say). Patient and study are those of the CT's headers, nothing more.

Source: DICOM PS3.3, A.51 (Segmentation IOD), A.51.6 (Label Map Segmentation IOD).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from seru.errors import BadInputError
from seru.files import Opener
from seru.grid import Lattice
from seru.io.dicom_source import SourceHeaders, quiet, require_highdicom
from seru.io.reading import quoted
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
_SERIES = ("SERU kidneys and kidney tumors", "Kidneys and kidney tumors, measured by SERU")
# A name in DICOM (VR LO).
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Algorithm:
    """What made the labels: our networks.

    Attributes:
        version: of the program.
        model: its id.
        alpha: weight of the coarse stage.
    """

    version: str
    model: str
    alpha: float

    @property
    def parameters(self) -> dict[str, str]:
        """What it was run with, by name."""
        return {"model": self.model, "alpha": f"{self.alpha:g}"}


@dataclass(frozen=True)
class Maker:
    """Who made the labels that were measured: a person, or another program.

    Attributes:
        version: of this program, which measured them.
        way: how they were made.
        program: by which they were made; empty where a person drew them.
    """

    version: str
    way: Literal["manual", "semiautomatic", "automatic"]
    program: str = ""

    @classmethod
    def parse(cls, text: str, version: str) -> Maker:
        """Read who made labels, as it is given to the command.

        Args:
            text: ``manual``, ``automatic:PROGRAM`` or ``semiautomatic:PROGRAM``.
            version: of this program.

        Returns:
            The maker.

        Raises:
            BadInputError: the text is none of them, or the name one that DICOM cannot hold.
        """
        way, _, program = text.partition(":")
        program = program.strip()
        if way == "manual" and not program:
            return cls(version, "manual")
        if way in ("semiautomatic", "automatic") and _is_name(program):
            return cls(version, "automatic" if way == "automatic" else "semiautomatic", program)
        raise BadInputError(
            f"Who made the labels cannot be read from {quoted(text)}; give --made-by manual, or automatic:PROGRAM or "
            f"semiautomatic:PROGRAM with its name, of {_LONGEST_NAME} ASCII characters at most and no backslash."
        )

    @property
    def parameters(self) -> dict[str, str]:
        """Measuring has none."""
        return {}


def _is_name(text: str) -> bool:
    """Whether DICOM holds it as one value, whatever the character set of the CT's headers."""
    return 0 < len(text) <= _LONGEST_NAME and text.isascii() and text.isprintable() and "\\" not in text


def write_dicom_seg(
    labels_kji: np.ndarray,
    lattice: Lattice,
    headers: SourceHeaders,
    algorithm: Algorithm | Maker,
    seg_type: SegType,
    path: Path,
    opener: Opener,
    probabilities: tuple[np.ndarray, np.ndarray] | None = None,
    segments: Sequence[SegmentTerm] = SEGMENTS,
) -> Segmentation:
    """Write labels as a DICOM segmentation; planes that show nothing are left out.

    Args:
        labels_kji: uint8 or uint16, shape (K, J, I): 0 background, else the label of a segment.
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
    algorithm: Algorithm | Maker,
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
    made = Segmentation(
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
        series_description=_SERIES[isinstance(algorithm, Maker)],
        pixel_measures=_pixel_measures(lattice),
        omit_empty_frames=not is_empty,
    )
    if isinstance(algorithm, Maker) and algorithm.program:
        # Of another program its name is known, and no more, which highdicom would ask for.
        for segment in made.SegmentSequence:
            segment.SegmentAlgorithmType, segment.SegmentAlgorithmName = algorithm.way.upper(), algorithm.program
    return made


def _shown_planes(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The planes along k in which any array shows anything."""
    shows = [[bool(plane.any()) for plane in array] for array in arrays]
    return np.flatnonzero(np.any(shows, axis=0))


def _pixel_measures(lattice: Lattice) -> PixelMeasuresSequence:
    from highdicom.content import PixelMeasuresSequence

    (i, j, _), k = lattice.spacing_ijk_mm, lattice.distance_mm
    return PixelMeasuresSequence(pixel_spacing=(j, i), slice_thickness=k, spacing_between_slices=k)


def _description(term: SegmentTerm, algorithm: Algorithm | Maker) -> SegmentDescription:
    from highdicom import UID
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription

    made = SegmentDescription(
        segment_number=term.label,
        segment_label=term.name,
        segmented_property_category=coded(term.category),
        segmented_property_type=coded(term.kind),
        algorithm_type="MANUAL" if isinstance(algorithm, Maker) else "AUTOMATIC",
        algorithm_identification=None if isinstance(algorithm, Maker) else identification(algorithm),
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
        parameters=algorithm.parameters,
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
