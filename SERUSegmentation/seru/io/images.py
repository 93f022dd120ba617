"""CT volumes and label maps as files: the one room that reads and writes images."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seru.ct_check import NOTE, check_is_ct, is_unsigned_ct
from seru.errors import BadInputError
from seru.files import PART, write_failure
from seru.hounsfield import HounsfieldArray
from seru.io.image_files import LABEL_ENDINGS, write_labels, write_volume
from seru.io.nifti import read_nifti
from seru.io.nrrd import read_nrrd
from seru.orientation import check_grid
from seru.progress import Progress
from seru.volume import Volume

__all__ = [
    "INPUT_ENDINGS",
    "OUTPUT_ENDINGS",
    "check_input",
    "check_is_ct",
    "check_output",
    "ending_of",
    "read_volume",
    "write_labels",
    "write_volume",
]

SEGMENTATION_ENDING = ".seg.nrrd"
OUTPUT_ENDINGS = (SEGMENTATION_ENDING, *LABEL_ENDINGS)
INPUT_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_FORMATS = {".nii.gz": "nifti", ".nii": "nifti", ".nrrd": "nrrd", ".nhdr": "nrrd", ".mha": "metaimage"}

Step = Callable[[int, int], None]


def read_volume(path: str | Path, series_uid: str | None = None, progress: Progress | None = None) -> Volume:
    """Read a CT: NIfTI, NRRD, MetaImage, or a DICOM folder.

    Args:
        path: of a file or of a folder with a DICOM series.
        series_uid: which series of the folder; None takes the CT series with most slices.
        progress: told of the stage ``load``, and asked whether to stop.

    Returns:
        The CT in Hounsfield units, on its own grid. ``source["note"]`` holds what the user should know of it.

    Raises:
        BadInputError: the file or series cannot be used, with the reason.
        CancelledError: ``progress`` was cancelled.
    """
    path = Path(path)
    step = _step(progress)
    try:
        if path.is_dir():
            from seru.io.dicom import read_dicom_folder

            return read_dicom_folder(path, series_uid, step)
        if series_uid is not None:
            raise BadInputError(f"A series is chosen in a DICOM folder only, and '{path}' is none; leave --series out.")
        return _read_file(path, check_input(path), step)
    except OSError as error:
        raise BadInputError(f"'{path}' cannot be read ({error.strerror or error}).") from error


def check_input(path: str | Path) -> str:
    """Check, before any work, that there is something that may be a CT.

    Args:
        path: of a file or a folder.

    Returns:
        The file's ending in lower case, empty for a folder.

    Raises:
        BadInputError: missing, empty, or of an unknown ending.
    """
    path = Path(path)
    if path.is_dir():
        return ""
    if not path.exists():
        raise BadInputError(f"'{path}' does not exist; give a CT file or a DICOM folder.")
    ending = ending_of(path, INPUT_ENDINGS)
    if ending is None:
        raise BadInputError(
            f"'{path.name}' has an unknown ending; give {', '.join(INPUT_ENDINGS)} or a folder with a DICOM series."
        )
    if path.stat().st_size == 0:
        raise BadInputError(f"'{path}' is empty (0 bytes); copy it again.")
    return ending


def check_output(path: str | Path, source: str | Path | None = None) -> None:
    """Check, before any work, that a result can be written.

    Args:
        path: of the output file.
        source: the input, which must not be overwritten.

    Raises:
        BadInputError: unknown ending, missing or unwritable folder, or the input itself.
    """
    path = Path(path)
    if ending_of(path, OUTPUT_ENDINGS) is None:
        raise BadInputError(f"The output '{path.name}' has an unknown ending; give one of {', '.join(OUTPUT_ENDINGS)}.")
    check_writable(path, source)


def check_writable(path: str | Path, source: str | Path | None = None) -> None:
    """Check that a file can be made, by making one beside it.

    Args:
        path: of the file.
        source: the input, which must not be overwritten.

    Raises:
        BadInputError: missing or unwritable folder, a folder of that name, or the input itself.
    """
    path = Path(path)
    if source is not None and _is_same(path, Path(source)):
        raise BadInputError(f"The output '{path}' is the input itself; choose another name.")
    try:
        if path.is_dir():
            raise BadInputError(f"'{path}' is a folder; give the name of a file.")
        # Asking for permission is not enough: shares and read-only disks answer only to a real file.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".seru-", suffix=PART):
            pass
        # Too long a name shows here and not after the work.
        os.stat(path)
    except FileNotFoundError as error:
        if not path.parent.is_dir():
            raise BadInputError(write_failure(path, error)) from error
    except OSError as error:
        raise BadInputError(write_failure(path, error)) from error


def ending_of(path: Path, endings: tuple[str, ...]) -> str | None:
    """Return which of the endings a file has, in lower case, or None; longer endings come first."""
    name = path.name.lower()
    return next((ending for ending in endings if name.endswith(ending) and name != ending), None)


def _read_file(path: Path, ending: str, step: Step) -> Volume:
    kind = _FORMATS.get(ending, "metaimage")
    notes: list[str] = []
    if kind == "nifti":
        array, header = read_nifti(path, step)
        matrix = header.ijk_to_ras
        if not header.has_orientation:
            notes.append("The NIfTI header gives no orientation, so left and right are a guess; check them.")
    else:
        plain = read_nrrd(path, step) if kind == "nrrd" else None
        array, matrix = plain or _read_with_itk(path, step)
    check_grid(matrix)
    if is_unsigned_ct(array):
        array -= array.dtype.type(1024)
        notes.append("The values are a CT's plus 1024 (air near 0); 1024 was subtracted.")
    return Volume(array, matrix, {"path": str(path), "format": kind, NOTE: " ".join(notes)})


def _read_with_itk(path: Path, step: Step) -> tuple[np.ndarray, np.ndarray]:
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(itk_path(path))
    # ITK prints what it finds wrong; the exception says the same.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        reader.ReadImageInformation()
        _check_information(path, reader)
        if reader.GetDimension() > 3:
            reader.SetExtractSize([*reader.GetSize()[:3], *[0] * (reader.GetDimension() - 3)])
        image = reader.Execute()
    except RuntimeError as error:
        raise BadInputError(f"'{path}' is cut, damaged or no image ({_reason(error)}).") from error
    view = sitk.GetArrayViewFromImage(image)
    array = HounsfieldArray(view.shape)
    for first in range(0, len(view), array.slices_a_slab):
        array.put(first, view[first : first + array.slices_a_slab])
        step(min(first + array.slices_a_slab, len(view)), len(view))
    return array.finish(), _ijk_to_ras(image)


def _check_information(path: Path, reader: object) -> None:
    size, spacing = reader.GetSize(), reader.GetSpacing()
    if reader.GetNumberOfComponents() != 1:
        raise BadInputError(f"'{path}' holds colours or vectors ({reader.GetNumberOfComponents()} numbers a voxel).")
    if len(size) < 3:
        raise BadInputError(f"'{path}' is a {len(size)}D image; give a whole CT volume.")
    if len(size) > 3 and max(size[3:]) > 1:
        raise BadInputError(f"'{path}' is a {len(size)}D image; give one 3D volume, without time or channels.")
    if not all(np.isfinite(s) and s > 0 for s in spacing[:3]):
        sizes = " x ".join(f"{s:g}" for s in spacing[:3])
        raise BadInputError(
            f"'{path}' has a voxel size of {sizes} mm; all three must be more than 0: correct the header."
        )


def _ijk_to_ras(image: object) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].split("ERROR:")[-1].strip().rstrip(".") if lines else "no reason given"


def itk_path(path: Path) -> str:
    """Return a path that ITK can open.

    On Windows ITK takes paths in the system's code page and of 260 characters at most; the short (8.3) name of the
    same file is within both. Elsewhere the path is right as it is.

    Args:
        path: of an existing file.

    Returns:
        The path as text.
    """
    text = str(path)
    if sys.platform != "win32" or (text.isascii() and len(text) < 250):
        return text
    import ctypes

    long_name = text if text.startswith("\\\\") else f"\\\\?\\{path.resolve()}"
    buffer = ctypes.create_unicode_buffer(1024)
    length = ctypes.windll.kernel32.GetShortPathNameW(long_name, buffer, len(buffer))
    return buffer.value.removeprefix("\\\\?\\") if 0 < length < len(buffer) else text


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path.absolute() == other.absolute()


def _step(progress: Progress | None) -> Step:
    def step(done: int, total: int) -> None:
        if progress is not None:
            progress.stage("load", done, total)
            progress.check_cancelled()

    return step
