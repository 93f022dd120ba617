"""DICOM folders: one CT series, its geometry from each slice's own position, its pixels through GDCM.

Source: DICOM PS3.3, Image Plane Module (C.7.6.2); what is refused is our rule.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid
from seru.hounsfield import HounsfieldArray
from seru.io.itk import itk_reader
from seru.progress import Advance
from seru.volume import Volume

if TYPE_CHECKING:
    import SimpleITK as sitk

_CT_STORAGE = b"1.2.840.10008.5.1.4.1.1.2"
_SCOUTS = ("LOCALIZER", "SCOUT", "TOPOGRAM")

# Distances between slices may differ by a tenth, or by 0.1 mm: scanners and writers round.
_RELATIVE_TOLERANCE = 0.1
_TOLERANCE_MM = 0.1
# A slice may lie this far beside the line through the others; more is another acquisition.
_SIDEWAYS_MM = 0.5


@dataclass(frozen=True)
class Slice:
    """What the header of one image says.

    Attributes:
        path: of its file.
        instance: SOP instance UID.
        series: series instance UID.
        position: of the first pixel, LPS mm.
        orientation: direction of rows, then of columns, LPS.
        shape: rows and columns.
        spacing: distance of rows and of columns in mm.
        thickness: in mm, 0 where it is not given.
    """

    path: Path
    instance: str
    series: str
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    shape: tuple[int, int]
    spacing: tuple[float, ...]
    thickness: float

    @property
    def normal(self) -> np.ndarray:
        """Direction of the slice axis, LPS, float64, shape (3,)."""
        return np.cross(self.orientation[:3], self.orientation[3:])


def read_dicom_folder(folder: Path, series_uid: str | None, advance: Advance) -> Volume:
    """Read a CT series from a folder and the folders in it.

    Args:
        folder: holds the DICOM files, in any order and under any names.
        series_uid: which series; None takes the CT series with most slices.
        advance: told of slices read and slices in all.

    Returns:
        The CT in Hounsfield units; k runs along the slice normal.

    Raises:
        BadInputError: no CT, mixed series, missing slices, uneven spacing, gantry tilt, or a damaged file.
    """
    slices, notes = _choose_series(_find_ct_slices(folder, advance), folder, series_uid)
    slices = _sorted_slices(slices, notes)
    grid = _grid(slices)
    source = {"path": str(folder), "format": "dicom", "series_uid": slices[0].series}
    return Volume(_read_pixels(slices, advance), grid, source, tuple(notes))


def _find_ct_slices(folder: Path, advance: Advance) -> list[Slice]:
    """Find the CT slices, at least one and in the order of their paths, without localizers."""
    paths = sorted(Path(place, name) for place, _, names in os.walk(folder) for name in names)
    slices: list[Slice] = []
    others: Counter[str] = Counter()
    for path in paths:
        advance(0, len(paths))
        if looks_like_dicom(path):
            found = _read_header(path)
            if isinstance(found, Slice):
                slices.append(found)
            elif found:
                others[found] += 1
    if not slices:
        seen = ", ".join(f"{count} {what}" for what, count in others.most_common(3)) or "no DICOM images"
        raise BadInputError(f"'{folder}' holds no CT series (found: {seen}); give the folder of a CT.")
    return slices


def looks_like_dicom(path: Path) -> bool:
    """Tell by its first bytes whether a file is DICOM.

    Args:
        path: of the file.

    Returns:
        True for DICOM files other than an index of a folder.
    """
    if path.name.upper() == "DICOMDIR":
        return False
    with open(path, "rb") as file:
        start = file.read(132)
    # Very old files lack the preamble: they begin with an element of group 2 or 8.
    return start[128:] == b"DICM" or (len(start) == 132 and start[:2] in (b"\x02\x00", b"\x08\x00"))


def _read_header(path: Path) -> Slice | str | None:
    """Return a CT slice, or in words what else the file is, or None for what is no image."""
    reader = _dicom_reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        with open(path, "rb") as file:
            is_ct = _CT_STORAGE + b"\x00" in file.read(4096)
        if is_ct:
            raise BadInputError(f"The DICOM file '{path}' is cut or damaged; copy the series again.") from error
        return None
    tags = _Tags(reader)
    modality = tags.text("0008|0060") or "image without modality"
    if modality != "CT":
        return modality
    if any(word in tags.text("0008|0008").upper() for word in _SCOUTS):
        return "CT localizer"
    if int(tags.numbers("0028|0008", 1, (1.0,))[0]) > 1:
        return "multi-frame CT (save it from Slicer as NRRD first)"
    if not (tags.has("0020|0032", 3) and tags.has("0020|0037", 6) and tags.has("0028|0030", 2)):
        return "CT image without a position"
    if reader.GetNumberOfComponents() != 1:
        return "CT color picture"
    return _slice(path, tags, reader)


def _slice(path: Path, tags: _Tags, reader: sitk.ImageFileReader) -> Slice:
    columns, rows = reader.GetSize()[:2]
    between = abs(tags.numbers("0018|0088", 1, (0.0,))[0]) or abs(tags.numbers("0018|0050", 1, (0.0,))[0])
    return Slice(
        path=path,
        instance=tags.text("0008|0018"),
        series=tags.text("0020|000e"),
        position=tags.numbers("0020|0032", 3),
        orientation=tags.numbers("0020|0037", 6),
        shape=(rows, columns),
        spacing=tags.numbers("0028|0030", 2),
        thickness=between,
    )


class _Tags:
    """Elements of a header by tag."""

    def __init__(self, reader: sitk.ImageFileReader) -> None:
        self._reader = reader

    def text(self, tag: str) -> str:
        return self._reader.GetMetaData(tag).strip(" \0") if self._reader.HasMetaDataKey(tag) else ""

    def has(self, tag: str, count: int) -> bool:
        return len(self.numbers(tag, count, ())) == count

    def numbers(self, tag: str, count: int, default: tuple[float, ...] = ()) -> tuple[float, ...]:
        try:
            values = tuple(float(text) for text in self.text(tag).split("\\"))
        except ValueError:
            return default
        return values if len(values) == count and np.isfinite(values).all() else default


def _dicom_reader(path: Path) -> sitk.ImageFileReader:
    reader = itk_reader(path)
    reader.SetImageIO("GDCMImageIO")
    return reader


def _choose_series(slices: list[Slice], folder: Path, series_uid: str | None) -> tuple[list[Slice], list[str]]:
    counts = Counter(item.series for item in slices)
    if series_uid is not None and series_uid not in counts:
        known = ", ".join(f"{uid} ({count} slices)" for uid, count in counts.most_common(5))
        raise BadInputError(f"'{folder}' has no CT series {series_uid}; it has {known}.")
    # Of equally long series the one with the lowest UID, so that every run takes the same.
    uid = series_uid or min(counts, key=lambda key: (-counts[key], key))
    notes = []
    if series_uid is None and len(counts) > 1:
        notes.append(
            f"The folder has {len(counts)} CT series; the one with most slices ({counts[uid]}) was taken: {uid}; "
            "choose another with --series."
        )
    return [item for item in slices if item.series == uid], notes


def _sorted_slices(slices: list[Slice], notes: list[str]) -> list[Slice]:
    unique = list({item.instance or str(item.path): item for item in slices}.values())
    if len(unique) < len(slices):
        notes.append(f"{len(slices) - len(unique)} files of the series are copies of others; they were left out.")
    _check_same_grid(unique)
    places = np.array([np.dot(item.position, unique[0].normal) for item in unique])
    order = np.argsort(places, kind="stable")
    _check_distances(places[order], [unique[n] for n in order])
    return [unique[n] for n in order]


def _check_same_grid(slices: list[Slice]) -> None:
    sizes = sorted({item.shape for item in slices})
    if len(sizes) > 1:
        text = " and ".join(f"{columns} x {rows}" for rows, columns in sizes[:2])
        raise BadInputError(f"The series mixes images of {text} pixels; choose one series, or split it.")
    for name in ("orientation", "spacing"):
        values = np.array([getattr(item, name) for item in slices])
        if np.abs(values - values[0]).max() > 1e-3:
            what = "pixel sizes" if name == "spacing" else "directions"
            raise BadInputError(f"The series mixes images of different {what}; choose one series, or split it.")
    if min(slices[0].spacing) <= 0:
        raise BadInputError("The series has a pixel size of 0 mm or less; correct its headers.")


def _check_distances(places: np.ndarray, slices: list[Slice]) -> None:
    if len(places) == 1:
        return
    gaps = np.diff(places)
    usual = float(np.median(gaps))
    if gaps.min() < 0.01:
        n = int(np.argmin(gaps))
        raise BadInputError(
            f"The series has two different images at the same position ({slices[n].path.name} and "
            f"{slices[n + 1].path.name}), as several acquisitions have; give one acquisition."
        )
    wrong = np.abs(gaps - usual) > max(_TOLERANCE_MM, _RELATIVE_TOLERANCE * usual)
    if wrong.any():
        n = int(np.argmax(wrong))
        count = int(wrong.sum())
        what = "slices are missing" if gaps[n] > 1.5 * usual else "the slices are unevenly spaced"
        raise BadInputError(
            f"In the series {what}: {gaps[n]:.2f} mm between slices {n + 1} and {n + 2} of {len(places)}, where "
            f"{usual:.2f} mm is usual ({count} such gap{'s' if count > 1 else ''}); export the series again."
        )


def _grid(slices: list[Slice]) -> Grid:
    first = slices[0]
    positions = np.array([item.position for item in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1) if len(slices) > 1 else first.normal * first.thickness
    grid = _grid_along(step, first, len(slices))  # a tilted gantry is refused here
    sideways = np.abs(positions - positions[0] - np.outer(np.arange(len(slices)), step)).max()
    if sideways > max(_SIDEWAYS_MM, 2 * _RELATIVE_TOLERANCE * grid.spacing_ijk_mm[2]):
        raise BadInputError(
            f"The series has slices that lie {sideways:.1f} mm beside the others; give one acquisition, or resample it."
        )
    # Along the normal itself: what positions deviate from it is rounding.
    normal = first.normal / np.linalg.norm(first.normal)
    return _grid_along(normal * grid.spacing_ijk_mm[2], first, len(slices))


def _grid_along(step: np.ndarray, first: Slice, count: int) -> Grid:
    """Return the grid of slices that are a step apart, LPS mm."""
    matrix = np.eye(4)
    matrix[:3, 0] = np.array(first.orientation[:3]) * first.spacing[1]
    matrix[:3, 1] = np.array(first.orientation[3:]) * first.spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = first.position
    return Grid.from_lps((count, *first.shape), matrix)


def _read_pixels(slices: list[Slice], advance: Advance) -> np.ndarray:
    import SimpleITK as sitk

    array = HounsfieldArray((len(slices), *slices[0].shape))
    for number, item in enumerate(slices):
        try:
            image = _dicom_reader(item.path).Execute()
        except RuntimeError as error:
            raise BadInputError(f"The DICOM file '{item.path}' is cut or damaged; copy the series again.") from error
        array.put(number, sitk.GetArrayViewFromImage(image).reshape(1, *item.shape))
        advance(number + 1, len(slices))
    return array.finish()
