"""DICOM segmentations that anyone wrote, as labels on a grid: binary and label map, frames in any order.

Where a voxel lies comes from each frame's own position and orientation. Planes that show nothing are often left out, so
the distance of planes is that of the frames, or the CT's where it is given.

Source: DICOM PS3.3, C.8.20 (Segmentation), C.7.6.16.2 (Pixel Measures, Plane Position and Orientation).
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seru.errors import BadInputError, SeruError
from seru.findings import KIDNEY, TUMOR
from seru.grid import Grid
from seru.io.dicom_source import quiet
from seru.io.reading import quoted
from seru.io.segmentation import StoredSegment
from seru.packages import require_optional
from seru.terminology import KIDNEY as KIDNEY_CODE
from seru.terminology import NEOPLASM

if TYPE_CHECKING:
    from pydicom import Dataset

_STORAGES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
# SNOMED CT: either kidney, the right and the left one; neoplasm, primary one, mass, and neoplasm of the kidney.
_KIDNEYS = (KIDNEY_CODE[1], "9846003", "18639004")
_TUMORS = (NEOPLASM[1], "86049000", "4147007", "126880001")
_SAME_PLANE_MM = 0.02
_TURNED = 1e-3
# Of a voxel: how far from one of the grid's a labelled one may lie.
_OFF_VOXEL = 0.1
_MOST_VOXELS = 1 << 31
_MOST_PLANES = 4096
# Of a deflated file, and where its first group ends without what the group's length counts.
_MOST_BYTES = 1 << 30
_BEFORE_META = 144
_RLE, _BIG_ENDIAN = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.2"


@dataclass(frozen=True)
class Frame:
    """A frame of a segmentation.

    Attributes:
        segment: number of the segment that it shows; None where its pixels are segments' numbers.
        origin_lps: of its first pixel, in mm.
    """

    segment: int | None
    origin_lps: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class DicomSeg:
    """A DICOM segmentation.

    Attributes:
        path: of the file.
        segments: in it; the background of a label map is none.
        series: instance UIDs of the series that it refers to.
        frames: in their order.
        step_i_lps: from a pixel to the next one in its row, LPS mm.
        step_j_lps: from a row to the next one, likewise.
        said_step_mm: distance of planes by the header; 0 where it gives none.
        pixels: of each frame, shape (frames, rows, columns).
    """

    path: Path
    segments: tuple[StoredSegment, ...]
    series: frozenset[str]
    frames: tuple[Frame, ...]
    step_i_lps: np.ndarray
    step_j_lps: np.ndarray
    said_step_mm: float
    pixels: np.ndarray

    def own_grid(self, notes: list[str]) -> Grid:
        """Return the grid of the frames, with an empty plane before the first and one after the last.

        Args:
            notes: told what the user should know of it.

        Raises:
            BadInputError: the frames lie on no grid.
        """
        heights, first = self._heights_mm()
        step_mm = self._step_mm(np.diff(heights), notes)
        step = step_mm * self._normal
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([self.step_i_lps, self.step_j_lps, step, first - step])
        count = round((heights[-1] - heights[0]) / step_mm) + 3
        rows, columns = self.pixels.shape[1:]
        if count > _MOST_PLANES or count * rows * columns > _MOST_VOXELS:
            raise BadInputError(
                f"The planes of '{self.path}' lie up to {heights[-1] - heights[0]:.0f} mm apart; export it again."
            )
        notes.append(
            "A DICOM segmentation leaves out planes that show nothing, so whether the scan's edge cuts what it shows "
            "is known only with the CT (--ct)."
        )
        return Grid.from_lps((count, rows, columns), matrix)

    def tell_of_gaps(self, grid: Grid, notes: list[str]) -> None:
        """Tell where the frames are farther apart than the CT's slices, so that nothing is labelled between them.

        Args:
            grid: of the CT.
            notes: told of it.
        """
        heights, _ = self._heights_mm()
        # Along the frames' normal, whichever of the CT's axes that is.
        steps_mm = np.abs(self._normal @ grid.ijk_to_lps[:3, :3])
        gaps_mm = np.diff(heights)
        if len(gaps_mm) and gaps_mm.min() > 1.5 * steps_mm.max():
            notes.append(
                f"The planes of the segmentation are {gaps_mm.min():g} mm apart and the CT's {steps_mm.max():g} mm: "
                "nothing is labelled between them, and volumes are too small."
            )

    @property
    def _normal(self) -> np.ndarray:
        normal = np.cross(self.step_i_lps, self.step_j_lps)
        return normal / np.linalg.norm(normal)

    def _heights_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the planes lie along their normal, each once; and where the first pixel of the lowest one lies."""
        origins = np.array([frame.origin_lps for frame in self.frames])
        heights = origins @ self._normal
        planes = np.sort(heights)
        return planes[np.diff(planes, prepend=-np.inf) > _SAME_PLANE_MM], origins[heights.argmin()]

    def labels_on(self, grid: Grid, kidney: Collection[int], tumor: Collection[int]) -> tuple[np.ndarray, int]:
        """Put segments on a grid; where kidney and tumor overlap it is tumor.

        Args:
            grid: of the CT, or the segmentation's own.
            kidney: numbers of segments.
            tumor: likewise.

        Returns:
            uint8, shape (K, J, I) of the grid: 0 background, 1 kidney, 2 tumor; and how many voxels both show.

        Raises:
            BadInputError: a labelled voxel is none of the grid's.
        """
        to_ijk = np.linalg.inv(grid.ijk_to_lps)
        steps = np.stack([self.step_i_lps, self.step_j_lps]) @ to_ijk[:3, :3].T
        labels, both = np.zeros(grid.shape_kji, np.uint8), 0
        for numbers, label in ((kidney, KIDNEY), (tumor, TUMOR)):
            for frame, pixels in zip(self.frames, self.pixels, strict=True):
                if frame.segment is not None and frame.segment not in numbers:
                    continue
                shown = np.isin(pixels, list(numbers)) if frame.segment is None else pixels != 0
                rows, columns = np.nonzero(shown)
                start = to_ijk @ np.array([*frame.origin_lps, 1.0])
                i, j, k = self._voxels(start[:3] + np.outer(columns, steps[0]) + np.outer(rows, steps[1]), steps, grid)
                both += int(np.count_nonzero(labels[k, j, i] == KIDNEY)) if label == TUMOR else 0
                labels[k, j, i] = label
        return labels, both

    def _voxels(self, places_ijk: np.ndarray, steps: np.ndarray, grid: Grid) -> np.ndarray:
        voxels = np.rint(places_ijk).astype(np.int64)
        is_off = len(voxels) and (
            np.abs(places_ijk - voxels).max() > _OFF_VOXEL
            or np.abs(np.abs(steps).sum(axis=1) - 1).max() > _OFF_VOXEL / max(self.pixels.shape[1:])
            or (voxels < 0).any()
            or (voxels >= grid.shape_ijk).any()
        )
        if is_off:
            raise BadInputError(
                f"The segments of '{self.path}' do not lie on the voxels of the CT, or of one volume; give the CT that "
                "they were made on with --ct."
            )
        return voxels.T

    def _step_mm(self, gaps_mm: np.ndarray, notes: list[str]) -> float:
        """The least distance of two planes, of which the others are multiples; of one plane what the header says."""
        if not len(gaps_mm):
            if self.said_step_mm > 0:
                return self.said_step_mm
            raise BadInputError(f"'{self.path}' has one plane and no thickness; give the CT with --ct.")
        step_mm = float(gaps_mm.min())
        if np.abs(gaps_mm / step_mm - np.rint(gaps_mm / step_mm)).max() * step_mm > max(0.05 * step_mm, 0.05):
            raise BadInputError(f"The planes of '{self.path}' are unevenly spaced; give the CT with --ct.")
        # All gaps together are more exact than the least one.
        step_mm = float(gaps_mm.sum() / np.rint(gaps_mm / step_mm).sum())
        if self.said_step_mm > 0 and abs(step_mm - self.said_step_mm) > max(0.05 * step_mm, 0.05):
            notes.append(
                f"The planes are {step_mm:.2f} mm apart by their positions and {self.said_step_mm:.2f} mm by the "
                "header; the positions were taken: give the CT with --ct to be sure."
            )
        return step_mm


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
        kind = "^".join(KIDNEY_CODE[:2])
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
        place = (number, *(round(value / _SAME_PLANE_MM) for value in (x, y, z)))
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
    if min(shape) < 1 or size > _MOST_VOXELS:
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
