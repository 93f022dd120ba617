"""DICOM series made element by element with pydicom, correct or wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from Testing.seru.image_files_by_hand import RAS_OF_LPS, small_ct

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
MATRIX = np.diag([-0.8, -0.9, 2.5, 1.0])
Edit = Callable[[Any, int], None]


def ct_slice(array_kji: np.ndarray, k: int, matrix: np.ndarray = MATRIX, acquisition: int = 1) -> Dataset:
    """The k-th slice of a CT, 16 bits unsigned, intercept -1024."""
    lps = RAS_OF_LPS @ matrix
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    axes = lps[:3, :3] / spacing
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = UID(CT_STORAGE)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.826.1.{acquisition}.{k + 1}")
    data.Modality, data.ImageType, data.PatientID = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "7"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.826", "1.2.826.1", "1.2.826.9"
    data.AcquisitionNumber, data.InstanceNumber = acquisition, k + 1
    data.ImageOrientationPatient = [f"{n:.9f}" for n in [*axes[:, 0], *axes[:, 1]]]
    data.ImagePositionPatient = [f"{n:.4f}" for n in (lps @ [0, 0, k, 1])[:3]]
    data.PixelSpacing = [f"{n:.6f}" for n in spacing[1::-1]]
    data.SliceThickness = f"{spacing[2]:.6f}"
    data.Rows, data.Columns = array_kji.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.RescaleIntercept, data.RescaleSlope = -1024, 1
    store(data, array_kji[k].astype(int) + 1024)
    return data


def store(data: Any, numbers: np.ndarray, dtype: str = "<u2", bits: int | None = None) -> None:
    """Store numbers as the pixels of a slice."""
    kind = np.dtype(dtype)
    data.BitsAllocated = 8 * kind.itemsize
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(kind.kind == "i")
    data.PixelData = numbers.astype(kind).tobytes()
    data["PixelData"].VR = "OW"


def write_slices(
    folder: Path,
    edit: Edit | None = None,
    array_kji: np.ndarray | None = None,
    matrix: np.ndarray = MATRIX,
    acquisition: int = 1,
) -> list[Path]:
    """Write a series; ``edit`` changes each data set before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    array_kji = small_ct() if array_kji is None else array_kji
    paths = []
    for k in range(len(array_kji)):
        data = ct_slice(array_kji, k, matrix, acquisition)
        if edit is not None:
            edit(data, k)
        paths.append(folder / f"a{acquisition}-{999 - k}.dcm")
        data.save_as(paths[-1], enforce_file_format=True)
    return paths


def rewrite(path: Path, edit: Edit) -> None:
    """Change a file that was written."""
    import pydicom

    data = pydicom.dcmread(path)
    edit(data, 0)
    data.save_as(path, enforce_file_format=True)
