"""One volume out of the slices of a folder: its series, without copies, in order, on a grid; or why that is not clear.

Source: DICOM PS3.3, C.7.6.2 (Image Plane); what is refused is our rule.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from seru.errors import BadInputError
from seru.grid import SHEAR_TOLERANCE, Grid, Lattice
from seru.io.dicom_header import LABELS, Slice
from seru.io.dicom_pixels import content_of
from seru.tilt import Tilt

# Distances between slices may differ by a tenth, or by 0.1 mm: scanners and writers round.
_RELATIVE_TOLERANCE = 0.1
_TOLERANCE_MM = 0.1
# A slice may lie this far beside the line through the others; more is another acquisition.
_SIDEWAYS_MM = 0.5
# Volumes that a series may hold by the order of its numbers, and slices of one.
_MOST_VOLUMES, _FEWEST_SLICES = 4, 3
_IMAGE_TYPE = LABELS.index("ImageType")
# Words of Image Type for what shows the brightest, darkest or foremost of a slab.
_PROJECTIONS = {"MAX_IP", "MIN_IP", "MIP", "MINIP", "PROJECTION IMAGE", "VRT", "VOLUME_RENDER"}
# What counts on while a scanner works.
_TIMES = ("AcquisitionDateTime", "AcquisitionTime", "ContentTime")
# Slices nearer than this are at the same place.
_SAME_PLACE_MM = 0.01
# Directions are written with a few digits; beyond this their length is told of, and beyond that they are none.
_ROUNDED, _LONGEST_ERROR = 2e-3, 0.1
# Angles of a gantry are written in whole or half degrees.
_TILT_DEGREES = 1.0


def choose_series(slices: list[Slice], source: Path, series_uid: str | None, notes: list[str]) -> list[Slice]:
    """Choose the slices of a series.

    Args:
        slices: of a folder or a zip, at least one.
        source: they come from.
        series_uid: which; None takes the series with most slices.
        notes: gets what the user should know.

    Returns:
        The slices of the series.

    Raises:
        BadInputError: there is no such series, or each image has a series of its own.
    """
    counts = Counter(item.series for item in slices)
    if series_uid is not None and series_uid not in counts:
        known = ", ".join(f"{uid} ({count} slices)" for uid, count in counts.most_common(5))
        raise BadInputError(f"'{source}' has no CT series {series_uid}; it has {known}.")
    if series_uid is None and len(counts) == len(slices) > 1:
        raise BadInputError(
            f"Each of the {len(slices)} CT images in '{source}' has a series UID of its own, so none is a volume; "
            "give them one series UID, or choose an image with --series (in a batch: a folder of its own)."
        )
    # Of equally long series the one with the lowest UID, so that every run takes the same.
    uid = series_uid or min(counts, key=lambda key: (-counts[key], key))
    if series_uid is None and len(counts) > 1:
        patients = len(_patients(slices))
        notes.append(
            f"There are {len(counts)} CT series{f' of {patients} patients' if patients > 1 else ''}; "
            f"the one with most slices ({counts[uid]}) was taken: {uid}; choose another with --series, or give it a "
            "folder of its own."
        )
    return [item for item in slices if item.series == uid]


def _patients(slices: list[Slice]) -> set[str]:
    """Return the patients' IDs, or their names where there is no ID."""
    ids, names = ({item.owner[n] for item in slices} - {""} for n in range(2))
    # Of one patient the name is often written in several ways.
    return ids or names


def ordered_slices(slices: list[Slice], notes: list[str]) -> list[Slice]:
    """Order the slices of a series along their normal, without copies.

    Args:
        slices: of one series.
        notes: gets what the user should know.

    Returns:
        The slices of one volume.

    Raises:
        BadInputError: they are not one evenly spaced stack of one patient.
    """
    _check_owners(slices, notes)
    _tell_of_projections(slices, notes)
    _check_plane(slices, notes)
    slices = _without_copies(slices, notes)
    places = np.array([np.dot(item.position, slices[0].normal) for item in slices])
    order = np.argsort(places, kind="stable")
    slices, places = [slices[n] for n in order], places[order]
    _check_one_volume(slices, places)
    _check_distances(slices, places, notes)
    return slices


def lattice_of(slices: list[Slice], notes: list[str]) -> Lattice:
    """Return where the voxels of ordered slices lie.

    Args:
        slices: as :func:`ordered_slices` returns them.
        notes: gets what the user should know.

    Returns:
        A grid whose k runs along the slice normal; of a tilted gantry the lattice of its slices.

    Raises:
        BadInputError: a slice beside the others, or no distance.
    """
    first = slices[0]
    positions = np.array([item.position for item in slices])
    step = (
        (positions[-1] - positions[0]) / (len(slices) - 1)
        if len(slices) > 1
        else first.normal * (first.step or first.thickness)
    )
    lattice = _lattice_along(step, first, len(slices)).simplest()
    sideways = np.abs(positions - positions[0] - np.outer(np.arange(len(slices)), step)).max()
    if sideways > max(_SIDEWAYS_MM, 2 * _RELATIVE_TOLERANCE * lattice.spacing_ijk_mm[2]):
        raise BadInputError(
            f"The series has slices that lie {sideways:.1f} mm beside the others; give one acquisition, or resample it."
        )
    if isinstance(lattice, Grid):
        # Along the normal itself: what positions deviate from it is rounding.
        normal = first.normal / np.linalg.norm(first.normal)
        lattice = _lattice_along(normal * lattice.spacing_ijk_mm[2], first, len(slices)).simplest()
    _tell_of_tilt(slices, lattice, notes)
    return lattice


def _lattice_along(step: np.ndarray, first: Slice, count: int) -> Lattice:
    """Return the lattice of slices that are a step apart, LPS mm."""
    matrix = np.eye(4)
    matrix[:3, 0] = np.array(first.orientation[:3]) * first.spacing[1]
    matrix[:3, 1] = np.array(first.orientation[3:]) * first.spacing[0]
    matrix[:3, 2] = step
    matrix[:3, 3] = first.position
    return Lattice.from_lps((count, *first.shape), matrix)


def _tell_of_tilt(slices: list[Slice], lattice: Lattice, notes: list[str]) -> None:
    """Tell of a tilted gantry, and of a header that gives another angle than the positions do."""
    tilt = 0.0 if isinstance(lattice, Grid) else Tilt.of(lattice).degrees
    if tilt:
        notes.append(
            f"The gantry was tilted by {tilt:.1f} degrees, so the slices lie obliquely on each other; they were set "
            "straight by whole pixels to find and measure, and labels are written on the slices as they are."
        )
    said = max(item.gantry_tilt for item in slices)
    if len(slices) > 1 and said > 0 and abs(said - tilt) > _TILT_DEGREES:
        notes.append(
            f"The headers tell of a gantry tilt of {said:.1f} degrees and the positions of the slices of {tilt:.1f}; "
            "the positions were taken: check that the body is straight in a sagittal view."
        )


def _check_owners(slices: list[Slice], notes: list[str]) -> None:
    patients = _patients(slices)
    studies, frames = ({item.owner[n] for item in slices} - {""} for n in (2, 3))
    if len(patients) > 1:
        raise BadInputError(
            f"The series mixes images of {len(patients)} patients; put each patient into a folder of its own."
        )
    if len(frames) > 1:
        raise BadInputError(
            f"The series has {len(frames)} frames of reference, so its positions cannot be compared; "
            "export the series again."
        )
    if len(studies) > 1:
        notes.append(f"The images of the series name {len(studies)} studies; they were taken as one.")


def _tell_of_projections(slices: list[Slice], notes: list[str]) -> None:
    types = {word for item in slices for word in item.labels[_IMAGE_TYPE].upper().split("\\")}
    found = sorted(types & _PROJECTIONS)
    if found:
        notes.append(
            f"The images of the series are projections through several slices ({', '.join(found)}), so volumes are "
            "wrong; give the slices themselves."
        )


def _check_plane(slices: list[Slice], notes: list[str]) -> None:
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
    _check_directions(slices, notes)


def _check_directions(slices: list[Slice], notes: list[str]) -> None:
    first = slices[0]
    angle = np.dot(first.orientation[:3], first.orientation[3:])
    error = max(item.orientation_error for item in slices)
    if abs(angle) > SHEAR_TOLERANCE or error > _LONGEST_ERROR:
        what = "not perpendicular" if abs(angle) > SHEAR_TOLERANCE else "no unit vectors"
        raise BadInputError(f"The directions of rows and columns in the series are {what}; correct its headers.")
    if error > _ROUNDED:
        notes.append(
            f"The directions of rows and columns are not of length 1 (off by {error:.3f}); "
            "the pixel size was taken from Pixel Spacing."
        )


def _without_copies(slices: list[Slice], notes: list[str]) -> list[Slice]:
    """Leave out what is at the same place and shows the same; equal names alone make no copy."""
    places: dict[tuple[float, ...], list[Slice]] = defaultdict(list)
    for item in slices:
        places[item.position].append(item)
    kept: list[Slice] = []
    for items in places.values():
        kept += items if len(items) == 1 else {content_of(item): item for item in reversed(items)}.values()
    if len(kept) < len(slices):
        count = len(slices) - len(kept)
        copies = (
            "1 file of the series is a copy of another; it was"
            if count == 1
            else (f"{count} files of the series are copies of others; they were")
        )
        notes.append(f"{copies} left out.")
    names = Counter(item.instance for item in kept if item.instance)
    shared = sum(count for count in names.values() if count > 1)
    if shared:
        notes.append(
            f"{shared} images of the series share their SOP instance UID with a different one; all of them were used."
        )
    return kept


def _check_one_volume(slices: list[Slice], places: np.ndarray) -> None:
    """Refuse slices that are several volumes of the same range, whether they lie evenly together or not."""
    for name, groups in _groupings(slices, places):
        if _overlap(groups, places):
            counts = " and ".join(str(len(group)) for group in groups[:4])
            raise BadInputError(
                f"The series holds {len(groups)} volumes of the same range ({counts} slices, told apart by {name}); "
                "put the files of one of them into a folder of its own."
            )


def _groupings(slices: list[Slice], places: np.ndarray) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield each way to tell the slices apart that makes few groups: its name, and indices of the groups."""
    for n, name in enumerate(LABELS):
        yield name, _groups([item.labels[n] for item in slices])
    orders = {"InstanceNumber": [item.number for item in slices]}
    yield "InstanceNumber", _groups(_turns(orders["InstanceNumber"]))
    for name in _TIMES:
        orders[name] = [_number(item.labels[LABELS.index(name)]) for item in slices]
    for name, given in orders.items():
        numbers = [number for number in given if number is not None]
        if len(numbers) == len(slices):
            yield name, _groups(_passes(numbers, places))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _turns(numbers: list[float | None]) -> list[int]:
    """Return how often each number came before: 0 and 1 where two volumes count in the same way."""
    seen: Counter[float | None] = Counter()
    turns = []
    for number in numbers:
        turns.append(seen[number])
        seen[number] += 1
    return turns


def _passes(numbers: list[float], places: np.ndarray) -> list[int]:
    """Return in which run through the range each slice comes, where the numbers go on from volume to volume."""
    order = np.argsort(numbers, kind="stable")
    steps = np.sign(np.diff(places[order]))
    usual = 1.0 if (steps > 0).sum() * 2 >= len(steps) else -1.0
    runs = np.concatenate([[0], np.cumsum(steps != usual)])
    passes = np.zeros(len(order), int)
    # Fewer slices in a run, or more runs, are numbers in no order.
    if runs[-1] < _MOST_VOLUMES and np.bincount(runs).min() >= _FEWEST_SLICES:
        passes[order] = runs
    return passes.tolist()


def _groups(labels: Sequence[object]) -> list[np.ndarray]:
    groups: dict[object, list[int]] = defaultdict(list)
    for n, label in enumerate(labels):
        groups[label].append(n)
    return [np.array(group) for group in groups.values()]


def _overlap(groups: list[np.ndarray], places: np.ndarray) -> bool:
    """Tell whether each group is an evenly spaced volume by itself, and one reaches into another.

    Slices of a step-and-shoot scan, or of one reconstructed in parts, differ in these ways too: block after block, or
    without any order.
    """
    if len(groups) < 2 or min(len(group) for group in groups) < 2:
        return False
    if not all(_is_even(np.diff(places[group])) for group in groups):
        return False
    ends = sorted((places[group[0]], places[group[-1]]) for group in groups)
    return any(before[1] > after[0] + _SAME_PLACE_MM for before, after in itertools.pairwise(ends))


def _is_even(gaps: np.ndarray) -> bool:
    usual = float(np.median(gaps))
    return usual > _SAME_PLACE_MM and bool((np.abs(gaps - usual) <= _tolerance(usual)).all())


def _tolerance(usual: float) -> float:
    return max(_TOLERANCE_MM, _RELATIVE_TOLERANCE * usual)


def _check_distances(slices: list[Slice], places: np.ndarray, notes: list[str]) -> None:
    if len(places) == 1:
        return
    gaps = np.diff(places)
    usual = float(np.median(gaps))
    if gaps.min() < _SAME_PLACE_MM:
        n = int(np.argmin(gaps))
        raise BadInputError(
            f"The series has two different images at the same position ({slices[n].file.name} and "
            f"{slices[n + 1].file.name}), as several acquisitions have; give one acquisition."
        )
    wrong = np.abs(gaps - usual) > _tolerance(usual)
    if wrong.any():
        n = int(np.argmax(wrong))
        count = int(wrong.sum())
        what = "slices are missing" if gaps[n] > 1.5 * usual else "the slices are unevenly spaced"
        raise BadInputError(
            f"In the series {what}: {gaps[n]:.2f} mm between slices {n + 1} and {n + 2} of {len(places)}, where "
            f"{usual:.2f} mm is usual ({count} such gap{'s' if count > 1 else ''}); export the series again."
        )
    said = max(item.step for item in slices)
    # Of a tilted gantry some writers give the way of the table.
    way = float(np.linalg.norm(np.subtract(slices[-1].position, slices[0].position))) / len(gaps)
    if said > 0 and min(abs(said - usual), abs(said - way)) > _tolerance(usual):
        notes.append(
            f"The positions of the slices are {usual:.2f} mm apart and the headers say {said:.2f} mm; the positions "
            "were taken: check that no slices are missing."
        )
