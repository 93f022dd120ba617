"""JPEG, JPEG-LS and JPEG 2000 images out of DICOM files, decoded by GDCM in a process that may die.

A damaged code stream can make a decoder end the process, print, take any memory or never return. The child gets the
code stream in a small DICOM file of our own, so that no other part of a foreign file ever reaches GDCM.
"""

from __future__ import annotations

import math
import os
import queue
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seru.errors import DeviceError
from seru.io.dicom_elements import DamagedError
from seru.io.dicom_header import StoredPixels

_LONGEST_S = 60.0
_WAIT_S = 0.1
# Begin and end of an image.
_SHORTEST = 4
# What Python, NumPy and SimpleITK map, and what the largest slice takes while it is decoded.
_CHILD_BYTES = 3 << 29
_READY = b"r"
_SHAPE = struct.Struct("<2q")
_NAME = "slice.dcm"

# Reads the one file in its folder each time it is told to, and answers with shape and numbers.
_CHILD = f"""
import os, struct, sys
sys.path[:] = sys.argv[1:]
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({_CHILD_BYTES}, {_CHILD_BYTES}))
except (ImportError, ValueError, OSError):
    pass
import SimpleITK as sitk
sitk.ProcessObject.SetGlobalWarningDisplay(False)
reader = sitk.ImageFileReader()
reader.SetImageIO("GDCMImageIO")
reader.SetFileName("{_NAME}")
out = sys.stdout.buffer
out.write({_READY!r})
out.flush()
while sys.stdin.buffer.read(1):
    try:
        array = sitk.GetArrayFromImage(reader.Execute()).astype("<i4")
    except RuntimeError:
        out.write(struct.pack("<2q", 0, 0))
    else:
        out.write(struct.pack("<2q", *array.shape[-2:]) + array.tobytes())
    out.flush()
# The parent has gone without a word.
os.remove("{_NAME}")
os.rmdir(os.getcwd())
"""


class Decoder:
    """Decodes code streams one by one; the process starts with the first."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()
        if self._folder is not None:
            self._folder.cleanup()

    def decode(
        self, stream: bytes, pixels: StoredPixels, shape: tuple[int, int], check: Callable[[], None]
    ) -> np.ndarray:
        """Decode a code stream.

        Args:
            stream: JPEG, JPEG-LS or JPEG 2000.
            pixels: what the header says of its numbers.
            shape: rows and columns by the header.
            check: called while waiting; may raise to stop.

        Returns:
            int32, shape (rows, columns), not rescaled.

        Raises:
            DeviceError: the process cannot be started.
            DamagedError: the code stream is damaged, or holds another image than the header says.
        """
        if len(stream) < _SHORTEST:
            raise DamagedError("its code stream is missing")
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="seru-", ignore_cleanup_errors=True)
        if self._child is None:
            self._child = self._started(self._folder.name, check)
        _write_slice(Path(self._folder.name, _NAME), stream, pixels, shape)
        answer = _answer(self._child, b"\n", _SHAPE.pack(*shape), 4 * math.prod(shape), check)
        if answer is None:
            # Dead, stuck, or in the middle of another answer.
            self._end()
            check()
            raise DamagedError("its code stream is damaged or of another size")
        return np.frombuffer(answer, "<i4").reshape(shape)

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _started(self, folder: str, check: Callable[[], None]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-c", _CHILD, *(os.path.abspath(place) for place in sys.path if place)]
        # One thread: each would map memory of its own.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        try:
            self._child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent, which ends the child
            )
            ready = _answer(self._child, b"", _READY, 0, check)
        except OSError:
            ready = None
        if self._child is None or ready is None:
            raise DeviceError(
                "The process that decodes compressed DICOM images could not be started; free memory and run again, "
                "or export the series uncompressed."
            )
        return self._child


def _answer(
    child: subprocess.Popen[bytes], request: bytes, head: bytes, size: int, check: Callable[[], None]
) -> bytes | None:
    """Send a request; return the ``size`` bytes after the head that is expected, None where another came, or none."""
    answers: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_exchange, args=(child, request, head, size, answers), daemon=True).start()
    end = time.monotonic() + _LONGEST_S
    while time.monotonic() < end:
        check()
        try:
            return answers.get(timeout=_WAIT_S)
        except queue.Empty:
            continue
    return None


def _exchange(
    child: subprocess.Popen[bytes], request: bytes, head: bytes, size: int, answers: queue.Queue[bytes | None]
) -> None:
    answer = None
    try:
        if child.stdin is not None and child.stdout is not None:
            child.stdin.write(request)
            child.stdin.flush()
            if child.stdout.read(len(head)) == head:
                answer = child.stdout.read(size)
    except (OSError, ValueError):  # the child died, or was ended and its pipes closed
        pass
    answers.put(answer if answer is not None and len(answer) == size else None)


def _write_slice(path: Path, stream: bytes, pixels: StoredPixels, shape: tuple[int, int]) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, CTImageStorage

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(pixels.syntax)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = pixels.bits, pixels.bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)
