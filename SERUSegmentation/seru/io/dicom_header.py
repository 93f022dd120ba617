"""The header of one DICOM image: where it lies, what it belongs to, and how its pixels are stored.

pydicom takes the elements apart; what they say is read here from their bytes, so that no value of a damaged or
unusual header is guessed at on the way.

Source: DICOM PS3.3, C.7.6.2 (Image Plane), C.7.6.3 (Image Pixel), C.8.2.1 (CT Image); PS3.5 (encoding).
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from seru.errors import BadInputError
from seru.io.dicom_folder import BoundedFile

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
UNDEFINED = 0xFFFFFFFF

_CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_SCOUTS = ("LOCALIZER", "SCOUT", "TOPOGRAM")
_GRAY = ("", "MONOCHROME1", "MONOCHROME2")
# Values of other types are densities, atomic numbers or shares.
_HOUNSFIELD_TYPES = ("", "HU", "US", "HU_MOD")
# Hounsfield units of 12 bits end here.
_BRIGHTEST = 3071
# No CT slice is larger once inflated: 4096 x 4096 pixels of 16 bits and its header.
_LARGEST_INFLATED = 1 << 26

_TAGS = {
    "TransferSyntax": 0x00020010,
    "ImageType": 0x00080008,
    "SOPClass": 0x00080016,
    "SOPInstance": 0x00080018,
    "Modality": 0x00080060,
    "AcquisitionDate": 0x00080022,
    "AcquisitionDateTime": 0x0008002A,
    "AcquisitionTime": 0x00080032,
    "ContentTime": 0x00080033,
    "SeriesDescription": 0x0008103E,
    "PatientID": 0x00100020,
    "ContrastBolusAgent": 0x00180010,
    "SliceThickness": 0x00180050,
    "KVP": 0x00180060,
    "EchoNumbers": 0x00180086,
    "SpacingBetweenSlices": 0x00180088,
    "ReconstructionDiameter": 0x00181100,
    "TriggerTime": 0x00181060,
    "ConvolutionKernel": 0x00181210,
    "Study": 0x0020000D,
    "Series": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "AcquisitionNumber": 0x00200012,
    "InstanceNumber": 0x00200013,
    "Position": 0x00200032,
    "Orientation": 0x00200037,
    "FrameOfReference": 0x00200052,
    "TemporalPositionIdentifier": 0x00200100,
    "CardiacPhase": 0x00209241,
    "Samples": 0x00280002,
    "Photometric": 0x00280004,
    "Frames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "PixelPadding": 0x00280120,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "Intercept": 0x00281052,
    "Slope": 0x00281053,
    "RescaleType": 0x00281054,
    "ModalityLUT": 0x00283000,
}
# What tells acquisitions and reconstructions apart that share a series.
LABELS = (
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "CardiacPhase",
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
_OVERLAY_BIT = 0x60000102

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
        path: of its file.
        instance: SOP instance UID.
        series: series instance UID.
        owner: patient ID, study UID and frame of reference UID.
        position: of the first pixel, LPS mm.
        orientation: unit directions of rows, then of columns, LPS.
        orientation_error: how far their lengths were from 1.
        shape: rows and columns.
        spacing: distance of rows and of columns in mm.
        thickness: distance of slices by the header, in mm, 0 where it is not given.
        number: instance number, None where it is not given.
        labels: texts of ``LABELS``.
        rescaling: whether the header gives an intercept, and a slope.
        pixels: how they are stored, or in a sentence why they cannot be used.
    """

    path: Path
    instance: str
    series: str
    owner: tuple[str, str, str]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    orientation_error: float
    shape: tuple[int, int]
    spacing: tuple[float, ...]
    thickness: float
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
        path: of its file.
        what: it is, in words.
        series: series instance UID, empty where it is not known.
    """

    path: Path
    what: str
    series: str = ""


class DamagedError(Exception):
    """The file is no whole DICOM file."""


def damaged(path: Path) -> str:
    """Say that a file is cut or damaged."""
    return f"The DICOM file '{path}' is cut or damaged; copy the series again."


def read_header(path: Path) -> Slice | Other:
    """Read the header of a DICOM file.

    Args:
        path: of a file that looks like DICOM.

    Returns:
        A CT slice, or what else the file is.

    Raises:
        BadInputError: it is a CT slice whose header is cut or damaged.
        OSError: it cannot be read.
    """
    with BoundedFile(path) as file:
        try:
            header = _parse(file)
            return _content(path, header)
        except DamagedError as error:
            file.seek(0)
            if _CT_STORAGE.encode() + b"\x00" in file.read(4096):
                raise BadInputError(damaged(path)) from error
            return Other(path, DAMAGED)


def open_pixels(path: Path, pixels: StoredPixels) -> BinaryIO:
    """Open a file where its pixels begin.

    Args:
        path: of the file.
        pixels: how they are stored.

    Returns:
        A stream at the first byte of the pixel element's value.

    Raises:
        DamagedError: a deflated file is damaged.
        OSError: it cannot be read.
    """
    file: BinaryIO = BoundedFile(path)
    if pixels.syntax == DEFLATED:
        with file:
            _skip_meta(file)
            file = _inflated(file)
    file.seek(pixels.offset)
    return file


class _Header:
    """The elements of a header, by the names of ``_TAGS``, out of their bytes."""

    def __init__(self, dataset: Dataset, syntax: str, stop: _Stop) -> None:
        self._dataset = dataset
        self.syntax = syntax
        self.stop = stop

    def value(self, tag: int) -> bytes | None:
        element = self._dataset.get_item(tag) if tag in self._dataset else None
        value = getattr(element, "value", None)
        return value if isinstance(value, bytes) else None

    def text(self, name: str) -> str:
        return _text(self.value(_TAGS[name]) or b"")

    def has(self, name: str) -> bool:
        return _TAGS[name] in self._dataset

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        try:
            values = tuple(float(text) for text in self.text(name).split("\\"))
        except ValueError:
            return None
        return values if len(values) == count and np.isfinite(values).all() else None

    def integer(self, name: str) -> int | None:
        value = self.value(_TAGS[name])
        if value is None or len(value) != 2:
            return None
        return int.from_bytes(value, "little" if self.stop.is_little_endian else "big")


class _Stop:
    """Ends the reading at the pixels and keeps where they are; refuses what no whole file holds."""

    def __init__(self, stream: BinaryIO, is_little_endian: bool) -> None:
        self._stream = stream
        start = stream.tell()
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(start)
        self._seen: set[int] = set()
        self.is_little_endian = is_little_endian
        self.offset = 0
        self.length = -1

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        offset = self._stream.tell()
        if tag in self._seen:
            raise DamagedError(f"element {tag:08x} comes twice")
        self._seen.add(tag)
        if tag == 0x7FE00010:
            self.offset, self.length = offset, length
            return True
        if length != UNDEFINED and offset + length > self._size:
            raise DamagedError(f"element {tag:08x} ends beyond the file")
        return False


def _parse(file: BoundedFile) -> _Header:
    try:
        from pydicom.filereader import read_dataset
    except ImportError as error:
        raise BadInputError(
            "Reading DICOM needs pydicom, which is not installed; install it with 'pip install pydicom'."
        ) from error
    # pydicom's words about odd headers are for programmers; ours are in what the header leads to.
    logging.getLogger("pydicom").addHandler(logging.NullHandler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            syntax = _skip_meta(file)
            stream: BinaryIO = _inflated(file) if syntax == DEFLATED else file
            little = syntax != BIG_ENDIAN
            stop = _Stop(stream, little)
            dataset = read_dataset(
                stream, syntax in ("", IMPLICIT), little, stop_when=stop, specific_tags=[*_TAGS.values(), _OVERLAY_BIT]
            )
        except (OSError, MemoryError, DamagedError):
            raise
        except Exception as error:  # whatever a parser meets in bytes that are no header
            raise DamagedError(str(error)) from error
    return _Header(dataset, syntax, stop)


def _skip_meta(file: BinaryIO) -> str:
    """Return the transfer syntax, empty where none is given; the file is left at the data set."""
    from pydicom.filereader import read_dataset

    file.seek(0)
    file.seek(132 if file.read(132)[128:] == b"DICM" else 0)
    meta = read_dataset(
        file,
        False,
        True,
        stop_when=lambda tag, vr, length: tag >> 16 != 2,
        specific_tags=[_TAGS["TransferSyntax"]],
    )
    value = meta.get_item(_TAGS["TransferSyntax"]).value if _TAGS["TransferSyntax"] in meta else b""
    return _text(value or b"")


def _text(value: bytes) -> str:
    # What is shown to a person, or sent to a terminal, holds no control characters.
    text = value.decode("latin-1").strip(" \0")
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _inflated(file: BinaryIO) -> io.BytesIO:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflate.decompress(file.read(_LARGEST_INFLATED), _LARGEST_INFLATED)
    except zlib.error as error:
        raise DamagedError(str(error)) from error
    if not inflate.eof:
        raise DamagedError("the deflated data do not end")
    return io.BytesIO(data)


def _content(path: Path, header: _Header) -> Slice | Other:
    modality = header.text("Modality")[:16] or ("CT" if header.text("SOPClass") == _CT_STORAGE else UNKNOWN)
    if modality == UNKNOWN and header.stop.length < 0:
        raise DamagedError("it ends before it says what it is")
    if modality != "CT":
        return Other(path, modality, header.text("Series"))
    if any(word in header.text("ImageType").upper() for word in _SCOUTS):
        return Other(path, LOCALIZER, header.text("Series"))
    if header.stop.length < 0:
        raise DamagedError("it ends before its pixels")
    missing = _missing(header)
    return Other(path, missing, header.text("Series")) if missing else _slice(path, header)


def _missing(header: _Header) -> str:
    """Say why a CT image is no slice, empty if it is one."""
    if (header.numbers("Frames", 1) or (1.0,))[0] > 1:
        return MULTI_FRAME
    if header.integer("Samples") not in (None, 1) or header.text("Photometric") not in _GRAY:
        return "CT color picture"
    orientation = header.numbers("Orientation", 6)
    if header.numbers("Position", 3) is None or orientation is None or header.numbers("PixelSpacing", 2) is None:
        return "CT image without a position"
    if np.linalg.norm(np.reshape(orientation, (2, 3)), axis=1).min() < 0.5:
        return "CT image without a direction"
    return ""


def _slice(path: Path, header: _Header) -> Slice:
    rows, columns = header.integer("Rows"), header.integer("Columns")
    if not rows or not columns:
        raise DamagedError("it has no rows or columns")
    axes = np.reshape(header.numbers("Orientation", 6) or (), (2, 3))
    lengths = np.linalg.norm(axes, axis=1)
    return Slice(
        path=path,
        instance=header.text("SOPInstance"),
        series=header.text("Series"),
        owner=(header.text("PatientID"), header.text("Study"), header.text("FrameOfReference")),
        position=header.numbers("Position", 3) or (),
        orientation=tuple((axes / lengths[:, None]).ravel().tolist()),
        orientation_error=float(np.abs(lengths - 1).max()),
        shape=(rows, columns),
        spacing=header.numbers("PixelSpacing", 2) or (),
        thickness=_thickness(header),
        number=(header.numbers("InstanceNumber", 1) or (None,))[0],
        labels=tuple(header.text(name) for name in LABELS),
        rescaling=(bool(header.text("Intercept")), bool(header.text("Slope"))),
        pixels=_stored_pixels(path, header),
    )


def _thickness(header: _Header) -> float:
    distances = (header.numbers(name, 1) or (0.0,) for name in ("SpacingBetweenSlices", "SliceThickness"))
    return next((abs(distance) for (distance,) in distances if distance), 0.0)


def _stored_pixels(path: Path, header: _Header) -> StoredPixels | str:
    name = f"The DICOM file '{path}'"
    allocated, bits = header.integer("BitsAllocated"), header.integer("BitsStored")
    high, signed = header.integer("HighBit"), header.integer("PixelRepresentation")
    if allocated not in (8, 16, 32) or bits is None or not 1 <= bits <= allocated or signed not in (0, 1):
        return f"{name} does not say how its numbers are stored; export the series again."
    if header.has("HighBit") and high != bits - 1:
        return (
            f"{name} says that its {bits} bits end at bit {high}, where {bits - 1} is right; export the series again."
        )
    if header.text("Photometric") == "MONOCHROME1":
        return f"{name} holds inverted values (MONOCHROME1); export the series again as MONOCHROME2."
    if header.has("ModalityLUT"):
        return f"{name} gives its Hounsfield units by a table (Modality LUT), which is not read; export it rescaled."
    if header.text("RescaleType").upper() not in _HOUNSFIELD_TYPES:
        return f"{name} holds {header.text('RescaleType')[:16]} and no Hounsfield units; give the CT itself."
    slope = _rescale(header, "Slope", 1.0)
    intercept = _rescale(header, "Intercept", 0.0)
    if slope is None or intercept is None or slope == 0:
        return f"{name} has a rescale slope or intercept that is no usable number; export the series again."
    order = "<" if header.stop.is_little_endian else ">"
    return StoredPixels(
        syntax=header.syntax or IMPLICIT,
        offset=header.stop.offset,
        length=header.stop.length,
        dtype=np.dtype(f"{order}{'i' if signed else 'u'}{allocated // 8}"),
        bits=bits,
        has_overlay=header.value(_OVERLAY_BIT) not in (None, struct.pack("<H", 0)),
        slope=slope,
        intercept=intercept,
        padding=_padding(header, bits, slope, intercept),
    )


def _padding(header: _Header, bits: int, slope: float, intercept: float) -> int | None:
    padding = header.integer("PixelPadding")
    if padding is None:
        return None
    is_negative = header.integer("PixelRepresentation") == 1 and padding >= 1 << 15
    number = padding - (1 << 16 if is_negative else 0)
    fits = -(1 << bits - 1) <= number < 0 if is_negative else number < 1 << bits
    return None if fits and slope * number + intercept <= _BRIGHTEST else padding


def _rescale(header: _Header, name: str, default: float) -> float | None:
    if not header.text(name):
        return default
    return (header.numbers(name, 1) or (None,))[0]
