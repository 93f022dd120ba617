"""DICOM segmentations that anyone wrote, read by pydicom: binary and label map, frames in any order.

Source: DICOM PS3.3, C.8.20 (Segmentation), C.7.6.16 (Multi-frame Functional Groups).
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seru.errors import BadInputError, SeruError
from seru.io.dicom_header import facts_of_study, iso_date
from seru.io.dicom_seg_planes import MOST_VOXELS, SAME_PLANE_MM, DicomSeg, Frame
from seru.io.dicom_source import quiet
from seru.io.reading import quoted
from seru.io.segmentation import StoredSegment
from seru.packages import require_optional
from seru.terminology import KIDNEY, NEOPLASM

if TYPE_CHECKING:
    from pydicom import Dataset

_STORAGES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
# SNOMED CT: either kidney, the right and the left one; neoplasm, primary one, mass, and neoplasm of the kidney.
_KIDNEYS = (KIDNEY[1], "9846003", "18639004")
_TUMORS = (NEOPLASM[1], "86049000", "4147007", "126880001")
_TURNED = 1e-3
# Of a deflated file, and where its first group ends without what the group's length counts.
_MOST_BYTES = 1 << 30
_BEFORE_META = 144
_RLE, _BIG_ENDIAN = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.2"


def read_dicom_seg(path: Path) -> DicomSeg:
    """Read a DICOM segmentation.

    Args:
        path: of the file.

    Returns:
        Its segments and frames.

    Raises:
        BadInputError: pydicom is missing, the file cannot be read, is damaged or none, or its segments are fractions.
    """
    require_optional("pydicom", "pydicom", "Reading a DICOM segmentation")
    with quiet(), _one_sentence(path):
        data = _dataset(path)
        frames = tuple(_frames(path, data))
        step_i, step_j = _steps(path, data)
        return DicomSeg(
            path=path,
            segments=tuple(_segment(item) for item in data.SegmentSequence if int(item.SegmentNumber) > 0),
            series=frozenset(str(item.SeriesInstanceUID) for item in data.get("ReferencedSeriesSequence") or ()),
            study=facts_of_study(iso_date(str(data.get("StudyDate") or "")), str(data.get("PatientID") or "")),
            frames=frames,
            step_i_lps=step_i,
            step_j_lps=step_j,
            said_step_mm=_said_step_mm(data),
            pixels=_pixels(path, data, len(frames)),
        )


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except (SeruError, MemoryError):
        raise
    except Exception as error:  # pydicom raises whatever comes of what it reads
        if isinstance(error, OSError) and error.errno is not None:
            raise BadInputError(f"'{path}' cannot be read ({error.strerror}).") from error
        reason = " ".join(str(error).split())[:80].rstrip(".")
        raise BadInputError(f"'{path}' is a damaged DICOM segmentation ({reason}); export it again.") from error


def _dataset(path: Path) -> Dataset:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError
    from pydicom.filereader import read_file_meta_info

    try:
        meta = read_file_meta_info(path)
        data = _inflated(path, meta) if meta.TransferSyntaxUID.is_deflated else dcmread(path)
    except InvalidDicomError as error:
        raise BadInputError(f"'{path}' is no DICOM file; give the segmentation.") from error
    if data.get("SOPClassUID") not in _STORAGES:
        what = quoted(str(data.get("Modality") or "of unknown kind"))
        raise BadInputError(f"'{path}' is a DICOM file ({what}) and no segmentation; give labels of kidneys or tumors.")
    if data.SegmentationType not in ("BINARY", "LABELMAP"):
        kind = quoted(str(data.SegmentationType))
        raise BadInputError(f"'{path}' holds fractions ({kind}) and no labels; save it as binary or as a label map.")
    return data


def _inflated(path: Path, meta: Any) -> Any:
    """A deflated file, in bounds: pydicom would inflate whatever there is."""
    from pydicom.filereader import read_dataset

    begin = _BEFORE_META + meta.FileMetaInformationGroupLength
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(path.read_bytes()[begin:], _MOST_BYTES)
    if not inflater.eof:
        raise BadInputError(f"'{path}' is cut, or inflates to more than {_MOST_BYTES >> 20} MB; copy it again.")
    data = read_dataset(BytesIO(content), is_implicit_VR=False, is_little_endian=True)
    data.file_meta = meta
    return data


def _segment(item: Dataset) -> StoredSegment:
    """A segment, of what its code says it is; a tumor of another organ is called by that too, for it is not ours."""
    from pydicom.sr.coding import Code

    def is_any(sequence: Any, values: Collection[str]) -> bool:
        code = sequence[0]
        found = Code(str(code.get("CodeValue")), str(code.get("CodingSchemeDesignator")), "")
        return any(found == Code(value, "SCT", "") for value in values)

    name, kinds = str(item.get("SegmentLabel") or ""), item.get("SegmentedPropertyTypeCodeSequence")
    regions = item.get("AnatomicRegionSequence")
    if regions and not is_any(regions, _KIDNEYS):
        where = str(regions[0].get("CodeMeaning") or "elsewhere")
        return StoredSegment(int(item.SegmentNumber), f"{name} ({where})", "")
    kind = ""
    if kinds and is_any(kinds, _KIDNEYS):
        kind = "^".join(KIDNEY[:2])
    elif kinds and is_any(kinds, _TUMORS):
        kind = "^".join(NEOPLASM[:2])
    return StoredSegment(int(item.SegmentNumber), name, kind)


def _groups(data: Dataset, name: str) -> list[Dataset]:
    """A functional group of each frame, where it is shared of all of them."""
    shared = data.get("SharedFunctionalGroupsSequence")
    if shared and name in shared[0]:
        return [shared[0][name][0]] * len(data.PerFrameFunctionalGroupsSequence)
    return [frame[name][0] for frame in data.PerFrameFunctionalGroupsSequence]


def _frames(path: Path, data: Dataset) -> Iterator[Frame]:
    is_label_map = data.SegmentationType == "LABELMAP"
    if len(data.PerFrameFunctionalGroupsSequence) != int(data.NumberOfFrames):
        raise BadInputError(f"'{path}' does not say where each of its frames lies; export it again.")
    positions = _groups(data, "PlanePositionSequence")
    identities = itertools.repeat(None) if is_label_map else _groups(data, "SegmentIdentificationSequence")
    known = {int(item.SegmentNumber) for item in data.SegmentSequence}
    seen = set()
    for position, identity in zip(positions, identities, strict=False):
        number = None if identity is None else int(identity.ReferencedSegmentNumber)
        x, y, z = (float(value) for value in position.ImagePositionPatient)
        if not np.isfinite((x, y, z)).all():
            raise BadInputError(f"A frame of '{path}' has a position that is no number; export it again.")
        if number is not None and number not in known:
            raise BadInputError(f"A frame of '{path}' is of segment {number}, which it does not have; export it again.")
        place = (number, *(round(value / SAME_PLANE_MM) for value in (x, y, z)))
        if place in seen:
            raise BadInputError(f"'{path}' has two frames of one segment at one place; export it again.")
        seen.add(place)
        yield Frame(number, (x, y, z))


def _steps(path: Path, data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """From a pixel to the next one in its row, and from a row to the next; the same in all frames."""
    axes = np.array([item.ImageOrientationPatient for item in _groups(data, "PlaneOrientationSequence")], np.float64)
    spacing = np.array([item.PixelSpacing for item in _groups(data, "PixelMeasuresSequence")], np.float64)
    if np.abs(axes - axes[0]).max() > _TURNED or np.abs(spacing - spacing[0]).max() > _TURNED:
        raise BadInputError(f"The frames of '{path}' differ in direction or in pixel size; give one volume.")
    steps = axes[0].reshape(2, 3)
    if np.abs(steps @ steps.T - np.eye(2)).max() > 1e-2 or not spacing[0].min() > 0:
        raise BadInputError(f"The frames of '{path}' have directions or a pixel size that are none; export it again.")
    between_rows, between_columns = spacing[0]
    along_row, along_column = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return along_row * between_columns, along_column * between_rows


def _said_step_mm(data: Dataset) -> float:
    measures = _groups(data, "PixelMeasuresSequence")[0]
    return abs(float(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 0.0))


def _pixels(path: Path, data: Dataset, count: int) -> np.ndarray:
    shape = count, int(data.Rows), int(data.Columns)
    size, bits = int(np.prod(shape)), int(data.BitsAllocated)
    if min(shape) < 1 or size > MOST_VOXELS:
        raise BadInputError(f"'{path}' would hold {' x '.join(map(str, shape))} pixels; export it again.")
    syntax = data.file_meta.TransferSyntaxUID
    if syntax == _RLE and bits > 1:
        from pydicom.pixels import pixel_array

        return np.reshape(pixel_array(data, decoding_plugin="pydicom"), shape)
    if syntax.is_encapsulated:
        raise BadInputError(f"'{path}' is compressed ({syntax.name}); save it without compression.")
    if bits not in (1, 8, 16):
        raise BadInputError(f"'{path}' has {bits} bits a pixel, where 1, 8 or 16 are usual; export it again.")
    stored = np.frombuffer(data.PixelData, np.uint8)
    if len(stored) < -(-size * bits // 8):
        raise BadInputError(f"'{path}' ends before its pixels do; copy it again.")
    if bits == 1:
        return np.unpackbits(stored, count=size, bitorder="little").reshape(shape)
    order = ">" if syntax == _BIG_ENDIAN else "<"
    return stored[: size * bits // 8].view(f"{order}u{bits // 8}").reshape(shape)
