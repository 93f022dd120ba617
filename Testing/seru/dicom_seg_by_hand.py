"""DICOM segmentations of small series, and where they and the CT's own headers have each voxel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from seru.files import replacing
from seru.findings import KIDNEY, TUMOR
from seru.io.dicom_seg import Algorithm, write_dicom_seg
from seru.io.dicom_source import SourceHeaders
from seru.io.images import read_volume
from seru.options import SegType
from seru.volume import Volume
from Testing.seru.dicom_by_hand import MATRIX, Edit, write_slices
from Testing.seru.image_files_by_hand import small_ct

SHAPE = (4, 5, 6)
ALGORITHM = Algorithm("1.2.3", "seru-tiny", 0.4)
Places = dict[str, set[tuple[float, ...]]]


def some_labels() -> np.ndarray:
    """A kidney of three voxels and a tumor of two, on two of four slices, alike in no mirror."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 0, :2], labels[2, 3, 4] = KIDNEY, KIDNEY
    labels[2, 3, 5], labels[2, 4, 5] = TUMOR, TUMOR
    return labels


def read_series(folder: Path, matrix: np.ndarray = MATRIX, edit: Edit | None = None) -> Volume:
    """A small CT, written and read."""
    write_slices(folder, edit, small_ct(SHAPE), matrix)
    return read_volume(folder)


def written(volume: Volume, labels: np.ndarray, path: Path, seg_type: SegType = "binary", **given: Any) -> Any:
    """A segmentation of a CT, written and read by pydicom."""
    headers = SourceHeaders.read(volume.slice_files)
    write_dicom_seg(labels, volume.lattice, headers, ALGORITHM, seg_type, path, replacing, **given)
    return pydicom.dcmread(path)


def frames_of(made: Any) -> np.ndarray:
    """The frames of a segmentation, uint8, shape (n, rows, columns)."""
    shape = made.NumberOfFrames, made.Rows, made.Columns
    if made.BitsAllocated == 1:
        bits = np.frombuffer(made.PixelData, np.uint8)
        return np.unpackbits(bits, bitorder="little")[: np.prod(shape)].reshape(shape)
    return np.frombuffer(made.PixelData, np.uint8)[: np.prod(shape)].reshape(shape)


def places_in(pixels: np.ndarray, orientation: Any, spacing: Any, position: Any) -> set[tuple[float, ...]]:
    """LPS of the pixels that are not 0, PS3.3 C.7.6.2.1.1."""
    along_row, along_column = np.reshape(np.array(orientation, float), (2, 3))
    rows, columns = np.nonzero(pixels)
    between_rows, between_columns = map(float, spacing)
    start = np.array(position, float)
    found = start + np.outer(columns * between_columns, along_row) + np.outer(rows * between_rows, along_column)
    return {tuple(np.round(place, 2) + 0.0) for place in found}


def places_of(made: Any) -> Places:
    """LPS of each segment's voxels, by what the segmentation itself says."""
    shared = made.SharedFunctionalGroupsSequence[0]
    orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    found: Places = {"Kidney": set(), "Tumor": set()}
    for frame, facts in zip(frames_of(made), made.PerFrameFunctionalGroupsSequence, strict=True):
        position = facts.PlanePositionSequence[0].ImagePositionPatient
        for segment in made.SegmentSequence:
            if segment.SegmentNumber == 0:
                continue
            if "SegmentIdentificationSequence" in facts:
                number = facts.SegmentIdentificationSequence[0].ReferencedSegmentNumber
                pixels = frame if number == segment.SegmentNumber else np.zeros_like(frame)
            else:
                pixels = frame == segment.SegmentNumber
            found[segment.SegmentLabel] |= places_in(pixels, orientation, spacing, position)
    return found


def places_by_the_ct(volume: Volume, labels: np.ndarray) -> Places:
    """LPS of the labels' voxels, by the header of each plane's own file."""
    found: Places = {"Kidney": set(), "Tumor": set()}
    for file, plane in zip(volume.slice_files, labels, strict=True):
        image = pydicom.dcmread(file.open())
        for name, label in (("Kidney", KIDNEY), ("Tumor", TUMOR)):
            found[name] |= places_in(
                plane == label, image.ImageOrientationPatient, image.PixelSpacing, image.ImagePositionPatient
            )
    return found
