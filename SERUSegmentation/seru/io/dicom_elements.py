"""The elements of a DICOM header, out of their bytes.

pydicom takes a header apart; what its elements say is read here from their bytes, so that no value of a damaged or
unusual header is guessed at on the way, and nothing takes more memory than the file has bytes.

Source: DICOM PS3.5, 7 (data set), A (transfer syntaxes); PS3.10, 7.1 (file meta information).
"""

from __future__ import annotations

import io
import logging
import warnings
import zlib
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from seru.errors import BadInputError
from seru.volume import SliceFile

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
UNDEFINED = 0xFFFFFFFF

_PIXEL_DATA = 0x7FE00010
# Where the encoding is not the one that the file says, pydicom asks for the first element twice: when it has seen tag
# and type only, and when it has read its head of 8 bytes or 12.
_PEEKED = 6
# No CT slice is larger once inflated: 4096 x 4096 pixels of 16 bits and its header.
_LARGEST_INFLATED = 1 << 26

_TAGS = {
    "TransferSyntaxUID": 0x00020010,
    "ImageType": 0x00080008,
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "Modality": 0x00080060,
    "AcquisitionDate": 0x00080022,
    "AcquisitionDateTime": 0x0008002A,
    "AcquisitionTime": 0x00080032,
    "ContentTime": 0x00080033,
    "SeriesDescription": 0x0008103E,
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "ContrastBolusAgent": 0x00180010,
    "SliceThickness": 0x00180050,
    "KVP": 0x00180060,
    "EchoNumbers": 0x00180086,
    "SpacingBetweenSlices": 0x00180088,
    "ReconstructionDiameter": 0x00181100,
    "TriggerTime": 0x00181060,
    "GantryDetectorTilt": 0x00181120,
    "ConvolutionKernel": 0x00181210,
    "StudyDate": 0x00080020,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "AcquisitionNumber": 0x00200012,
    "InstanceNumber": 0x00200013,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "FrameOfReferenceUID": 0x00200052,
    "TemporalPositionIdentifier": 0x00200100,
    "NominalPercentageOfCardiacPhase": 0x00209241,
    "SamplesPerPixel": 0x00280002,
    "PhotometricInterpretation": 0x00280004,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "PixelPaddingValue": 0x00280120,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "RescaleIntercept": 0x00281052,
    "RescaleSlope": 0x00281053,
    "RescaleType": 0x00281054,
    "ModalityLUTSequence": 0x00283000,
    "OverlayBitPosition": 0x60000102,
}
# pydicom's words about odd headers are for programmers; ours are in what the header leads to.
logging.getLogger("pydicom").addHandler(logging.NullHandler())


class DamagedError(Exception):
    """The file is no whole DICOM file."""


class Elements:
    """The elements of a header, by the names that DICOM gives them.

    Attributes:
        syntax: UID of the transfer syntax, empty where none is given.
        is_little_endian: False for big-endian numbers.
        pixel_offset: where the value of the pixel element begins.
        pixel_length: of that value in bytes, ``UNDEFINED`` for fragments, -1 where there are no pixels.
    """

    def __init__(self, dataset: Dataset, syntax: str, stop: _Stop) -> None:
        self._dataset = dataset
        self.syntax = syntax
        self.is_little_endian = syntax != BIG_ENDIAN
        self.pixel_offset, self.pixel_length = stop.offset, stop.length

    def has(self, name: str) -> bool:
        """Tell whether there is such an element, empty or not."""
        return _TAGS[name] in self._dataset

    def text(self, name: str) -> str:
        """Return a text without what surrounds it, empty where it is not given."""
        return _text(self._value(name) or b"")

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Return decimal numbers, None unless there are ``count`` and all are finite."""
        try:
            values = tuple(float(text) for text in self.text(name).split("\\"))
        except ValueError:
            return None
        return values if len(values) == count and np.isfinite(values).all() else None

    def number(self, name: str) -> float | None:
        """Return a decimal number, None unless there is exactly one."""
        values = self.numbers(name, 1)
        return values[0] if values else None

    def integer(self, name: str) -> int | None:
        """Return an integer of 16 bits without its sign, None unless there is exactly one."""
        value = self._value(name)
        if value is None or len(value) != 2:
            return None
        return int.from_bytes(value, "little" if self.is_little_endian else "big")

    def _value(self, name: str) -> bytes | None:
        # Empty elements too stay bytes: pydicom would convert one, and fail where it does not know what it is.
        element = self._dataset.get_item(_TAGS[name], keep_deferred=True) if self.has(name) else None
        value = getattr(element, "value", None)
        return value if isinstance(value, bytes) else None


class _Stop:
    """Ends the reading at the pixels and keeps where they are; refuses what no whole file holds."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = stream.tell()
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(self._start)
        self._seen: set[int] = set()
        self.offset = 0
        self.length = -1

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        offset = self._stream.tell()
        if offset == self._start + _PEEKED:
            return False
        if tag in self._seen:
            raise DamagedError(f"element {tag:08x} comes twice")
        self._seen.add(tag)
        if tag == _PIXEL_DATA:
            self.offset, self.length = offset, length
            return True
        if length != UNDEFINED and offset + length > self._size:
            raise DamagedError(f"element {tag:08x} ends beyond the file")
        return False


def read_elements(file: BinaryIO) -> Elements:
    """Read the header of a file that looks like DICOM.

    Args:
        file: the file, which never takes memory for more bytes than it has.

    Returns:
        What stands before the pixels.

    Raises:
        BadInputError: pydicom is not installed.
        DamagedError: the file is cut or damaged.
        OSError: it cannot be read.
    """
    try:
        from pydicom.filereader import read_dataset
    except ImportError as error:
        raise BadInputError(
            "Reading DICOM needs pydicom, which is not installed; install it with 'pip install pydicom'."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            syntax = _skip_meta(file)
            stream: BinaryIO = _inflated(file) if syntax == DEFLATED else file
            stop = _Stop(stream)
            dataset = read_dataset(
                stream, syntax in ("", IMPLICIT), syntax != BIG_ENDIAN, stop_when=stop, specific_tags=[*_TAGS.values()]
            )
        except (MemoryError, DamagedError):
            raise
        except Exception as error:  # whatever a parser meets in bytes that are no header
            # What the system says has a number; what pydicom says of bytes has none.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedError(str(error)) from error
    return Elements(dataset, syntax, stop)


def open_pixels(source: SliceFile, syntax: str, offset: int) -> BinaryIO:
    """Open a file where its pixels begin.

    Args:
        source: the file.
        syntax: UID of its transfer syntax.
        offset: of the value of the pixel element.

    Returns:
        A stream at the first byte of that value.

    Raises:
        BadInputError: it lies in a damaged zip.
        DamagedError: a deflated file is damaged.
        OSError: it cannot be read.
    """
    file = source.open()
    if syntax == DEFLATED:
        with file:
            _skip_meta(file)
            file = _inflated(file)
    file.seek(offset)
    return file


def _skip_meta(file: BinaryIO) -> str:
    """Return the transfer syntax, empty where none is given; the file is left at the data set."""
    from pydicom.filereader import read_dataset

    file.seek(0)
    file.seek(132 if file.read(132)[128:] == b"DICM" else 0)
    tag = _TAGS["TransferSyntaxUID"]
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2, specific_tags=[tag])
    return _text(meta.get_item(tag, keep_deferred=True).value or b"") if tag in meta else ""


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
