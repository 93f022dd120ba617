"""What is read through ITK: MetaImage, and NRRD files that are not plain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seru.errors import BadInputError
from seru.grid import Grid
from seru.hounsfield import HounsfieldArray
from seru.progress import Advance

if TYPE_CHECKING:
    import SimpleITK as sitk


def read_with_itk(path: Path, advance: Advance) -> tuple[np.ndarray, Grid]:
    """Read a 3D image of numbers.

    Args:
        path: of a file whose format ITK tells by its ending.
        advance: told of slices read and slices in all.

    Returns:
        Hounsfield units, int16 or float32, shape (K, J, I), and their grid.

    Raises:
        BadInputError: the file is damaged, no 3D image of numbers, or its grid is not usable.
    """
    import SimpleITK as sitk

    reader = itk_reader(path)
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
        advance(min(first + array.slices_a_slab, len(view)), len(view))
    return array.finish(), _grid(image)


def itk_reader(path: Path) -> sitk.ImageFileReader:
    """Return a reader of a file; ITK prints what it finds wrong, and is told not to: the exception says the same."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(_itk_path(path))
    return reader


def _check_information(path: Path, reader: sitk.ImageFileReader) -> None:
    size, spacing = reader.GetSize(), reader.GetSpacing()
    if reader.GetNumberOfComponents() != 1:
        raise BadInputError(f"'{path}' holds colors or vectors ({reader.GetNumberOfComponents()} numbers a voxel).")
    if len(size) < 3:
        raise BadInputError(f"'{path}' is a {len(size)}D image; give a whole CT volume.")
    if len(size) > 3 and max(size[3:]) > 1:
        raise BadInputError(f"'{path}' is a {len(size)}D image; give one 3D volume, without time or channels.")
    # ITK's own: a grid shows no negative spacing.
    if not all(np.isfinite(s) and s > 0 for s in spacing[:3]):
        sizes = " x ".join(f"{s:g}" for s in spacing[:3])
        raise BadInputError(
            f"'{path}' has a voxel size of {sizes} mm; all three must be more than 0: correct the header."
        )


def _grid(image: sitk.Image) -> Grid:
    columns, rows, slices = image.GetSize()
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return Grid.from_lps((slices, rows, columns), matrix)


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].split("ERROR:")[-1].strip().rstrip(".") if lines else "no reason given"


def _itk_path(path: Path) -> str:
    """Return a path that ITK can open.

    On Windows ITK takes paths in the system's code page and of 260 characters at most; the short (8.3) name of the
    same file is within both. Elsewhere the path serves as it is.
    """
    text = str(path)
    if sys.platform != "win32" or (text.isascii() and len(text) < 250):
        return text
    import ctypes

    long_name = text if text.startswith("\\\\") else f"\\\\?\\{path.resolve()}"
    buffer = ctypes.create_unicode_buffer(1024)
    length = ctypes.windll.kernel32.GetShortPathNameW(long_name, buffer, len(buffer))
    return buffer.value.removeprefix("\\\\?\\") if 0 < length < len(buffer) else text
