"""ITK's readers, told to be silent and given paths that they can open: DICOM is read with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import SimpleITK as sitk


def itk_reader(path: Path) -> sitk.ImageFileReader:
    """Return a reader of a file; ITK prints what it finds wrong, and is told not to: the exception says the same."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(_itk_path(path))
    return reader


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
