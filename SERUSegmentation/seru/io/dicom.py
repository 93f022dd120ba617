"""DICOM folders and zips: one CT series, its geometry from its slices' own positions, numbers in Hounsfield units."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from seru.errors import BadInputError
from seru.hounsfield import HounsfieldArray
from seru.io.dicom_codecs import Decoder
from seru.io.dicom_files import DicomFile, Unread
from seru.io.dicom_folder import find_dicom_files, holds_dicom, looks_like_dicom
from seru.io.dicom_header import DAMAGED, LOCALIZER, MULTI_FRAME, UNKNOWN, Other, Slice, facts_of_study, read_header
from seru.io.dicom_pixels import read_pixels, stored_pixels
from seru.io.dicom_series import choose_series, lattice_of, ordered_slices
from seru.progress import Advance
from seru.volume import Volume

# No compression makes a CT smaller by more than this; a tiny one may be empty.
_LARGEST_RATIO = 1000
_SMALL_VOLUME = 1 << 26
# Integers up to here are added to 16-bit numbers within 32 bits.
_EXACT = 1 << 30

__all__ = ["holds_dicom", "looks_like_dicom", "read_dicom"]


def read_dicom(place: Path, series_uid: str | None, advance: Advance) -> Volume:
    """Read a CT series from a folder and the folders in it, or from a zip.

    Args:
        place: the folder or the zip that holds the DICOM files, in any order and under any names.
        series_uid: which series; None takes the CT series with most slices.
        advance: told of slices read and slices in all.

    Returns:
        The CT in Hounsfield units; k runs along the slice normal. Slices of a tilted gantry are set straight.

    Raises:
        BadInputError: no CT, mixed series, missing slices, uneven spacing, a damaged file or zip, or pixels that
            cannot be read.
        DeviceError: compressed slices cannot be decoded for want of memory.
    """
    found, unread = find_dicom_files(place, advance)
    slices, others = _read_headers(found, unread, advance)
    if not slices:
        raise _no_ct(place, others, unread)
    notes = unread.sentences()
    slices = choose_series(slices, place, series_uid, notes)
    _tell_of_others(others, slices[0].series, notes)
    _check_pixels(slices, notes)
    slices = ordered_slices(slices, notes)
    lattice = lattice_of(slices, notes)
    _check_size(slices)
    study = facts_of_study(slices[0].study_date, slices[0].owner[0])
    source = {"path": str(place), "format": "dicom", "series_uid": slices[0].series, **study}
    files = tuple(item.file for item in slices)
    return Volume.of_slices(_read_volume(slices, advance), lattice, source, tuple(notes), files)


def _read_headers(files: list[DicomFile], unread: Unread, advance: Advance) -> tuple[list[Slice], list[Other]]:
    slices: list[Slice] = []
    others: list[Other] = []
    for file in files:
        advance(0, len(files))
        try:
            found = read_header(file)
        except OSError as error:
            unread.add_error(error, file)
            continue
        if isinstance(found, Slice):
            slices.append(found)
        else:
            others.append(found)
    return slices, others


def _no_ct(place: Path, others: list[Other], unread: Unread) -> BadInputError:
    counts = Counter(item.what for item in others)
    seen = ", ".join(f"{count} {what}" for what, count in counts.most_common(3)) or "no DICOM images"
    left = f"; not read: {unread.summary()}" if unread.places else ""
    return BadInputError(f"'{place}' holds no CT series (found: {seen}{left}); give the folder of a CT.")


def _tell_of_others(others: list[Other], series: str, notes: list[str]) -> None:
    """Tell of what else the series holds, and of files that may have been of it; a localizer belongs to most."""
    left = Unread()
    for item in others:
        is_of_series = item.series in ("", series) and item.what != LOCALIZER
        if is_of_series or item.what in (DAMAGED, UNKNOWN, MULTI_FRAME):
            left.add(item.what, item.file)
    notes += left.sentences()


def _check_pixels(slices: list[Slice], notes: list[str]) -> None:
    for item in slices:
        stored_pixels(item)
    odd = next((item for item in slices if item.rescaling != slices[0].rescaling), None)
    if odd is not None:
        raise BadInputError(
            f"The DICOM files '{slices[0].file}' and '{odd.file}' do not both give rescale slope and intercept; "
            "export the series again."
        )
    if not slices[0].rescaling[0]:
        notes.append("The headers give no rescale intercept; the stored numbers were taken as Hounsfield units.")


def _check_size(slices: list[Slice]) -> None:
    """Refuse files that are far too small for the volume that they claim, before it takes memory."""
    volume = 2 * len(slices) * math.prod(slices[0].shape)
    files = sum(item.file.stored_size for item in slices)
    if volume > _SMALL_VOLUME and volume > _LARGEST_RATIO * files:
        raise BadInputError(
            f"The {len(slices)} files of the series claim a volume of {volume >> 20} MB and have {files} bytes, "
            "as no CT has; export the series again."
        )


def _read_volume(slices: list[Slice], advance: Advance) -> np.ndarray:
    array = HounsfieldArray((len(slices), *slices[0].shape))
    with Decoder() as decoder:
        for number, item in enumerate(slices):
            slab = read_pixels(item, decoder, partial(advance, number, len(slices)))
            slope, intercept = stored_pixels(item).slope, stored_pixels(item).intercept
            if slope == 1.0 and intercept.is_integer() and abs(intercept) < _EXACT:
                # The usual case, without a detour through floating point.
                array.put(number, slab.astype(np.int64 if slab.dtype.itemsize > 2 else np.int32) + int(intercept))
            else:
                array.put(number, slab, slope, intercept)
            advance(number + 1, len(slices))
    return array.finish()
