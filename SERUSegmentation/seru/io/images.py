"""CT volumes and label maps as files: reader and writer by the ending, and what is checked before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from seru.ct_check import PADDING_BELOW, UNSIGNED_OFFSET, is_unsigned_ct
from seru.errors import BadInputError
from seru.files import Opener, replacing
from seru.grid import Grid, Lattice
from seru.hounsfield import HounsfieldArray
from seru.io.dicom import read_dicom
from seru.io.dicom_zip import ZIP_ENDING
from seru.io.metaimage import read_metaimage, write_metaimage
from seru.io.nifti import read_nifti, write_nifti
from seru.io.nrrd import read_nrrd, write_nrrd
from seru.io.reading import check_regular, explained
from seru.places import check_writable
from seru.progress import Advance, Progress
from seru.volume import Volume

_READERS: dict[str, Callable[[Path, Advance], Volume]] = {
    ".nii.gz": read_nifti,
    ".nii": read_nifti,
    ".nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}
PAIR_ENDINGS = (".hdr", ".img", ".hdr.gz", ".img.gz")
_WRITERS = {".nii.gz": write_nifti, ".nrrd": write_nrrd, ".mha": write_metaimage}

FILE_ENDINGS = tuple(_READERS)
INPUT_ENDINGS = (*FILE_ENDINGS, ZIP_ENDING)
LABEL_ENDINGS = tuple(_WRITERS)
SEGMENTATION_ENDING = ".seg.nrrd"
DICOM_SEG_ENDING, DICOM_SR_ENDING = ".seg.dcm", ".sr.dcm"
# Those that hold labels without the CT beside them, and all there are.
OUTPUT_ENDINGS = (SEGMENTATION_ENDING, *LABEL_ENDINGS)
DICOM_ENDINGS = (DICOM_SEG_ENDING, DICOM_SR_ENDING)
ALL_ENDINGS = (*OUTPUT_ENDINGS, *DICOM_ENDINGS)


def read_volume(path: str | Path, series_uid: str | None = None, progress: Progress | None = None) -> Volume:
    """Read a CT: NIfTI, NRRD, MetaImage, a DICOM folder, or a zip of one.

    Args:
        path: of a file, or of a folder or a zip with a DICOM series.
        series_uid: which series of the folder or zip; None takes the CT series with most slices.
        progress: told of the stage ``load``, and asked whether to stop.

    Returns:
        The CT in Hounsfield units, on its own grid; its ``notes`` are what the user should know of it.

    Raises:
        BadInputError: the file or series cannot be used, with the reason.
        CancelledError: ``progress`` was cancelled.
    """
    path = Path(path)
    with _told_of_failure(path):
        if check_input(path) in ("", ZIP_ENDING):
            return _signed(read_dicom(path, series_uid, (progress or Progress()).advancing("load")))
        if series_uid is not None:
            raise BadInputError(f"A series is chosen in DICOM only, and '{path}' is none; leave --series out.")
        return _signed(_untilted(read_file(path, progress)))


def read_file(path: Path, progress: Progress | None = None) -> Volume:
    """Read a NIfTI, NRRD or MetaImage file, its numbers as they are.

    Args:
        path: of the file.
        progress: told of the stage ``load``, and asked whether to stop.

    Returns:
        int16, or float32 where there are fractions, on the file's own grid; oblique slices are set straight.

    Raises:
        BadInputError: the file cannot be used, with the reason, or is of another format.
        CancelledError: ``progress`` was cancelled.
    """
    with _told_of_failure(path):
        ending = check_input(path)
        if ending not in _READERS:
            raise BadInputError(f"'{path}' is a folder or a zip; give one of {', '.join(FILE_ENDINGS)}.")
        return _READERS[ending](path, (progress or Progress()).advancing("load"))


def write_labels(
    labels_kji: np.ndarray,
    volume: Volume,
    path: str | Path,
    progress: Progress | None = None,
    opener: Opener = replacing,
) -> None:
    """Write a label map on the slices of the volume's input; the file appears whole or not at all.

    Args:
        labels_kji: uint8, shape of the volume (K, J, I): 0 background, 1 kidney, 2 tumor.
        volume: the CT that the labels belong to.
        path: ends in ``.nii.gz``, ``.nrrd`` or ``.mha``.
        progress: told of the stage ``write``, and asked whether to stop.
        opener: of a group of files that take their places together.

    Raises:
        BadInputError: the labels are none or not of that shape, the ending is unknown, or the file cannot be written.
        CancelledError: ``progress`` was cancelled.
    """
    labels = volume.on_slices(_labels(labels_kji, volume.grid.shape_kji))
    _write(labels, volume.lattice, Path(path), progress, opener)


def write_volume(
    volume: Volume, path: str | Path, progress: Progress | None = None, opener: Opener = replacing
) -> None:
    """Write a CT as int16, its fractions rounded; the file appears whole or not at all.

    Args:
        volume: finite numbers; what lies beyond 16 bits is cut off there, as readers do.
        path: ends in ``.nii.gz``, ``.nrrd`` or ``.mha``.
        progress: told of the stage ``write``, and asked whether to stop.
        opener: of a group of files that take their places together.

    Raises:
        BadInputError: a voxel is no finite number, the ending is unknown, or the file cannot be written.
        CancelledError: ``progress`` was cancelled.
    """
    _write(_int16(volume.on_slices(volume.array_kji)), volume.lattice, Path(path), progress, opener)


def check_input(path: str | Path) -> str:
    """Check, before any work, that there is something that may be a CT.

    Args:
        path: of a file or a folder.

    Returns:
        The file's ending in lower case, empty for a folder.

    Raises:
        BadInputError: missing, empty, no regular file, or of an unknown ending.
    """
    path = Path(path)
    if path.is_dir():
        return ""
    if not path.exists():
        raise missing(path, "a CT file or a DICOM folder")
    ending = ending_of(path, INPUT_ENDINGS)
    if path.name.lower().endswith(PAIR_ENDINGS):
        raise BadInputError(f"'{path.name}' is half of an Analyze or NIfTI pair; convert the pair to one .nii.gz file.")
    if ending is None:
        raise BadInputError(
            f"'{path.name}' has an unknown ending; give {', '.join(INPUT_ENDINGS)} or a folder with a DICOM series."
        )
    with explained(path):
        check_regular(path)
    if path.stat().st_size == 0:
        raise BadInputError(f"'{path}' is empty (0 bytes); copy it again.")
    return ending


def missing(path: Path, wanted: str) -> BadInputError:
    """Return the error of an input that is not there.

    Args:
        path: of it.
        wanted: what is to be given instead.
    """
    what = "is a link to what is not there" if path.is_symlink() else "does not exist"
    return BadInputError(f"'{path}' {what}; give {wanted}.")


def check_output(path: str | Path) -> None:
    """Check, before any work, that a result can be written.

    Args:
        path: of the output file.

    Raises:
        BadInputError: unknown ending, or a place that cannot be written to.
    """
    path = Path(path)
    if ending_of(path, ALL_ENDINGS) is None:
        raise BadInputError(f"The output '{path.name}' has an unknown ending; give one of {', '.join(ALL_ENDINGS)}.")
    check_writable(path)


def ending_of(path: Path, endings: tuple[str, ...]) -> str | None:
    """Return which of the endings a file has, in lower case, or None; longer endings come first."""
    name = path.name.lower()
    return next((ending for ending in endings if name.endswith(ending) and name != ending), None)


@contextmanager
def _told_of_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInputError(f"'{path}' cannot be read ({error.strerror or error}).") from error


def _untilted(volume: Volume) -> Volume:
    """Refuse a CT whose slices were set straight: only DICOM tells that a gantry was tilted."""
    Grid(volume.lattice.shape_kji, volume.lattice.ijk_to_ras)
    return volume


def _signed(volume: Volume) -> Volume:
    if not is_unsigned_ct(volume.array_kji):
        return volume
    for plane in volume.array_kji:
        # Padding is no matter, and stays what it is.
        np.subtract(plane, UNSIGNED_OFFSET, out=plane, where=plane > PADDING_BELOW)
    shifted = f"The values are a CT's plus {UNSIGNED_OFFSET} (air near 0); {UNSIGNED_OFFSET} was subtracted."
    return replace(volume, notes=(*volume.notes, shifted))


def _labels(labels_kji: np.ndarray, shape_kji: tuple[int, int, int]) -> np.ndarray:
    labels = np.asarray(labels_kji)
    if labels.shape != shape_kji:
        raise BadInputError(f"The labels have shape {labels.shape} and the CT {shape_kji}; they must be equal.")
    with np.errstate(invalid="ignore"):
        exact = labels.astype(np.uint8, copy=False)
    if labels.dtype != np.uint8 and not np.array_equal(labels, exact):
        raise BadInputError("The labels are not whole numbers from 0 to 255; give 0, 1 and 2.")
    return exact


def _int16(array_kji: np.ndarray) -> np.ndarray:
    if array_kji.dtype == np.int16:
        return array_kji
    array = HounsfieldArray(array_kji.shape)
    for k in range(len(array_kji)):
        slab = array_kji[k : k + 1]
        array.put(k, np.rint(slab) if slab.dtype.kind == "f" else slab)
    return array.finish()


def _write(array_kji: np.ndarray, lattice: Lattice, path: Path, progress: Progress | None, opener: Opener) -> None:
    ending = ending_of(path, LABEL_ENDINGS)
    if ending is None:
        raise BadInputError(f"'{path.name}' has an unknown ending; give one of {', '.join(LABEL_ENDINGS)}.")
    with opener(path) as file:
        _WRITERS[ending](file, array_kji, lattice, (progress or Progress()).advancing("write"))
