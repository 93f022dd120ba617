"""The header of one DICOM image: where it lies, what it belongs to, and how its pixels are stored.

Source: DICOM PS3.3, C.7.6.2 (Image Plane), C.7.6.3 (Image Pixel), C.8.2.1 (CT Image).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import numpy as np

from seru.errors import BadInputError
from seru.io.dicom_elements import IMPLICIT, DamagedError, Elements, read_elements
from seru.io.dicom_files import DicomFile

_CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_SCOUTS = ("LOCALIZER", "SCOUT", "TOPOGRAM")
_GRAY = ("", "MONOCHROME1", "MONOCHROME2")
# Values of other types are densities, atomic numbers or shares.
_HOUNSFIELD_TYPES = ("", "HU", "US", "HU_MOD", "HOUNSFIELD", "UNSPECIFIED")
# Hounsfield units of 12 bits end here.
_BRIGHTEST = 3071

# What tells acquisitions and reconstructions apart that share a series.
LABELS = (
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "NominalPercentageOfCardiacPhase",
    "TriggerTime",
    "EchoNumbers",
    "ImageType",
    "ConvolutionKernel",
    "KVP",
    "ContrastBolusAgent",
    "SliceThickness",
    "ReconstructionDiameter",
    "SeriesNumber",
    "SeriesDescription",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentTime",
)

DAMAGED, UNKNOWN, LOCALIZER = "damaged file", "file without modality", "CT localizer"
MULTI_FRAME = "multi-frame CT (save it from Slicer as NRRD first)"


@dataclass(frozen=True)
class StoredPixels:
    """How the pixels of an image are stored.

    Attributes:
        syntax: UID of the transfer syntax.
        offset: of the value of the pixel element, in the file, or in what a deflated file inflates to.
        length: of that value in bytes, ``UNDEFINED`` for fragments.
        dtype: of a number, with byte order.
        bits: of a number that are used, from bit 0.
        has_overlay: True where an overlay lies in the bits above.
        slope: Hounsfield units per number.
        intercept: Hounsfield units at zero.
        padding: the bits that stand for no value, None where they are those of an ordinary dark one.
    """

    syntax: str
    offset: int
    length: int
    dtype: np.dtype
    bits: int
    has_overlay: bool
    slope: float
    intercept: float
    padding: int | None


@dataclass(frozen=True)
class Slice:
    """What the header of one image says.

    Attributes:
        file: it is in.
        instance: SOP instance UID.
        series: series instance UID.
        owner: patient ID, patient's name, study UID and frame of reference UID.
        study_date: as ``2019-12-31``, empty where it is none.
        position: of the first pixel, LPS mm.
        orientation: unit directions of rows, then of columns, LPS.
        orientation_error: how far their lengths were from 1.
        shape: rows and columns.
        spacing: distance of rows and of columns in mm.
        step: distance of slices by the header, in mm, 0 where it is not given.
        thickness: of a slice, in mm, 0 where it is not given.
        gantry_tilt: in degrees, without its sign; 0 where it is not given.
        number: instance number, None where it is not given.
        labels: texts of ``LABELS``.
        rescaling: whether the header gives an intercept, and a slope.
        pixels: how they are stored, or in a sentence why they cannot be used.
    """

    file: DicomFile
    instance: str
    series: str
    owner: tuple[str, str, str, str]
    study_date: str
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    orientation_error: float
    shape: tuple[int, int]
    spacing: tuple[float, ...]
    step: float
    thickness: float
    gantry_tilt: float
    number: float | None
    labels: tuple[str, ...]
    rescaling: tuple[bool, bool]
    pixels: StoredPixels | str

    @property
    def normal(self) -> np.ndarray:
        """Direction of the slice axis, LPS, float64, shape (3,)."""
        return np.cross(self.orientation[:3], self.orientation[3:])


@dataclass(frozen=True)
class Other:
    """What is no CT slice.

    Attributes:
        file: it is in.
        what: it is, in words.
        series: series instance UID, empty where it is not known.
    """

    file: DicomFile
    what: str
    series: str = ""


def damaged(file: DicomFile) -> str:
    """Say that a file is cut or damaged."""
    return f"The DICOM file '{file}' is cut or damaged; copy the series again."


def read_header(file: DicomFile) -> Slice | Other:
    """Read the header of a DICOM file.

    Args:
        file: that looks like DICOM.

    Returns:
        A CT slice, or what else the file is.

    Raises:
        BadInputError: it is a CT slice whose header is cut or damaged, or lies in a damaged zip.
        OSError: it cannot be read.
    """
    with file.open() as stream:
        try:
            return _content(file, read_elements(stream))
        except DamagedError as error:
            stream.seek(0)
            if _CT_STORAGE.encode() + b"\x00" in stream.read(4096):
                raise BadInputError(damaged(file)) from error
            return Other(file, DAMAGED)


def _content(file: DicomFile, header: Elements) -> Slice | Other:
    modality = header.text("Modality")[:16].upper() or ("CT" if header.text("SOPClassUID") == _CT_STORAGE else UNKNOWN)
    if modality == UNKNOWN and header.pixel_length < 0:
        raise DamagedError("it ends before it says what it is")
    if modality != "CT":
        return Other(file, modality, header.text("SeriesInstanceUID"))
    if any(word in header.text("ImageType").upper() for word in _SCOUTS):
        return Other(file, LOCALIZER, header.text("SeriesInstanceUID"))
    if header.pixel_length < 0 and header.text("SOPClassUID") not in ("", _CT_STORAGE):
        return Other(file, "CT document", header.text("SeriesInstanceUID"))
    if header.pixel_length < 0:
        raise DamagedError("it ends before its pixels")
    missing = _missing(header)
    if not missing:
        return _slice(file, header)
    # A CT slice always has a place: where it is lost, the series that is read may be another's too.
    is_ct_storage = header.text("SOPClassUID") == _CT_STORAGE
    return Other(file, missing, "" if is_ct_storage else header.text("SeriesInstanceUID"))


def _missing(header: Elements) -> str:
    """Say why a CT image is no slice, empty if it is one."""
    if (header.number("NumberOfFrames") or 1) > 1:
        return MULTI_FRAME
    if header.integer("SamplesPerPixel") not in (None, 1) or header.text("PhotometricInterpretation") not in _GRAY:
        return "CT color picture"
    orientation = header.numbers("ImageOrientationPatient", 6)
    if (
        header.numbers("ImagePositionPatient", 3) is None
        or orientation is None
        or header.numbers("PixelSpacing", 2) is None
    ):
        return "CT image without a position"
    if np.linalg.norm(np.reshape(orientation, (2, 3)), axis=1).min() < 0.5:
        return "CT image without a direction"
    return ""


def _slice(file: DicomFile, header: Elements) -> Slice:
    rows, columns = header.integer("Rows"), header.integer("Columns")
    if not rows or not columns:
        raise DamagedError("it has no rows or columns")
    axes = np.reshape(header.numbers("ImageOrientationPatient", 6) or (), (2, 3))
    lengths = np.linalg.norm(axes, axis=1)
    return Slice(
        file=file,
        instance=header.text("SOPInstanceUID"),
        series=header.text("SeriesInstanceUID"),
        owner=(
            header.text("PatientID"),
            header.text("PatientName").strip("^ ").upper(),
            header.text("StudyInstanceUID"),
            header.text("FrameOfReferenceUID"),
        ),
        study_date=iso_date(header.text("StudyDate")),
        position=header.numbers("ImagePositionPatient", 3) or (),
        orientation=tuple((axes / lengths[:, None]).ravel().tolist()),
        orientation_error=float(np.abs(lengths - 1).max()),
        shape=(rows, columns),
        spacing=header.numbers("PixelSpacing", 2) or (),
        step=abs(header.number("SpacingBetweenSlices") or 0.0),
        thickness=abs(header.number("SliceThickness") or 0.0),
        gantry_tilt=abs(header.number("GantryDetectorTilt") or 0.0),
        number=header.number("InstanceNumber"),
        labels=tuple(header.text(name) for name in LABELS),
        rescaling=(bool(header.text("RescaleIntercept")), bool(header.text("RescaleSlope"))),
        pixels=_stored_pixels(file, header),
    )


def facts_of_study(study_date: str, patient_id: str) -> dict[str, str]:
    """Return when a study was, and a digest of the patient ID, by which two are known to be of different patients.

    Args:
        study_date: as ``2019-12-31``; empty where it is not known.
        patient_id: as it is written; likewise.

    Returns:
        ``study_date`` and ``patient``, as :class:`seru.volume.Volume` names them, where they are known.
    """
    patient = patient_id and hashlib.sha256(patient_id.encode("utf-8", "replace")).hexdigest()[:16]
    return {name: text for name, text in (("study_date", study_date), ("patient", patient)) if text}


def iso_date(text: str) -> str:
    """Return a date of DICOM, of the old way with dots too, as ``2019-12-31``; empty where it is none."""
    digits = text.strip().replace(".", "")
    with suppress(ValueError):
        if len(digits) == 8 and digits.isdecimal():
            return date.fromisoformat(digits).isoformat()
    return ""


def _stored_pixels(file: DicomFile, header: Elements) -> StoredPixels | str:
    name = f"The DICOM file '{file}'"
    allocated, bits = header.integer("BitsAllocated"), header.integer("BitsStored")
    high, signed = header.integer("HighBit"), header.integer("PixelRepresentation")
    if allocated not in (8, 16, 32) or bits is None or not 1 <= bits <= allocated or signed not in (0, 1):
        return f"{name} does not say how its numbers are stored; export the series again."
    if header.has("HighBit") and high != bits - 1:
        return (
            f"{name} says that its {bits} bits end at bit {high}, where {bits - 1} is right; export the series again."
        )
    if header.text("PhotometricInterpretation") == "MONOCHROME1":
        return f"{name} holds inverted values (MONOCHROME1); export the series again as MONOCHROME2."
    if header.has("ModalityLUTSequence"):
        return f"{name} gives its Hounsfield units by a table (Modality LUT), which is not read; export it rescaled."
    if header.text("RescaleType").upper() not in _HOUNSFIELD_TYPES:
        return f"{name} holds {header.text('RescaleType')[:16]} and no Hounsfield units; give the CT itself."
    slope = _rescale(header, "RescaleSlope", 1.0)
    intercept = _rescale(header, "RescaleIntercept", 0.0)
    if slope is None or intercept is None or slope == 0:
        return f"{name} has a rescale slope or intercept that is no usable number; export the series again."
    order = "<" if header.is_little_endian else ">"
    return StoredPixels(
        syntax=header.syntax or IMPLICIT,
        offset=header.pixel_offset,
        length=header.pixel_length,
        dtype=np.dtype(f"{order}{'i' if signed else 'u'}{allocated // 8}"),
        bits=bits,
        has_overlay=header.integer("OverlayBitPosition") not in (None, 0),
        slope=slope,
        intercept=intercept,
        padding=_padding(header, bits, slope, intercept),
    )


def _padding(header: Elements, bits: int, slope: float, intercept: float) -> int | None:
    padding = header.integer("PixelPaddingValue")
    if padding is None:
        return None
    is_negative = header.integer("PixelRepresentation") == 1 and padding >= 1 << 15
    number = padding - (1 << 16 if is_negative else 0)
    fits = -(1 << bits - 1) <= number < 0 if is_negative else number < 1 << bits
    return None if fits and slope * number + intercept <= _BRIGHTEST else padding


def _rescale(header: Elements, name: str, default: float) -> float | None:
    return header.number(name) if header.text(name) else default
