"""Label maps that anyone made: which of their numbers are kidney and which are tumor.

Source: KiTS19's numbers (1 kidney, 2 tumor); names and terminology of segments in ``.seg.nrrd`` and DICOM.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from seru.errors import BadInputError
from seru.findings import KIDNEY, LABEL_OF, TUMOR, InputFacts, Kind, MeasuredLabels
from seru.grid import Grid, Lattice
from seru.io.dicom_folder import looks_like_dicom
from seru.io.dicom_seg_input import read_dicom_seg
from seru.io.images import FILE_ENDINGS, PAIR_ENDINGS, check_input, ending_of, missing, read_file
from seru.io.reading import quoted
from seru.io.segmentation import StoredSegment, read_segments
from seru.orientation import turned_to
from seru.progress import Progress
from seru.terminology import SEGMENTS
from seru.tilt import Tilt
from seru.volume import Volume

# More different numbers are an image: whole-body label maps have about a hundred.
_MOST_NUMBERS = 500
_MOST_NAMED = 5
# Larger ones are read as the next one, and are not told apart.
_LARGEST_NUMBER = np.iinfo(np.int16).max - 1
_NRRD_ENDINGS = (".nrrd", ".nhdr")
_KINDS: dict[str, Kind] = {
    "^".join(term.kind[:2]): kind for term in SEGMENTS for kind, label in LABEL_OF.items() if term.label == label
}
_KIDNEY_WORDS = {"kidney", "kidneys", "renal"}
_TUMOR_WORDS = {"tumor", "tumors", "tumour", "tumours", "neoplasm", "neoplasms", "mass", "cancer", "carcinoma"}
_SIDE_WORDS = {"right", "left", "r", "l"}


@dataclass(frozen=True)
class Numbers:
    """Which numbers of a label map mean what.

    Attributes:
        kidney: those of kidney.
        tumor: those of tumor.

    Raises:
        BadInputError: there is none, one is not from 1 to 32766, or one is both.
    """

    kidney: tuple[int, ...] = ()
    tumor: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        numbers = (*self.kidney, *self.tumor)
        if not numbers:
            raise BadInputError("No number is kidney or tumor; give --labels kidney=1 tumor=2, say.")
        for number in numbers:
            if not 0 < number <= _LARGEST_NUMBER:
                raise BadInputError(f"The label {number} is out of range; give numbers from 1 to {_LARGEST_NUMBER}.")
        if len(set(numbers)) < len(numbers):
            raise BadInputError("A label is given twice; each number is kidney or tumor.")

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Numbers:
        """Read the numbers as they are given to the command.

        Args:
            texts: ``kidney=1,3`` and ``tumor=2``.

        Returns:
            The numbers.

        Raises:
            BadInputError: a text is none, or as the class.
        """
        given: dict[str, tuple[int, ...]] = {}
        for text in texts:
            found = re.fullmatch(r"(kidney|tumor)=([0-9]{1,9}(?:,[0-9]{1,9})*)", text)
            if found is None or found[1] in given:
                raise BadInputError(f"The labels '{text}' cannot be read; give kidney=1,3 tumor=2, say, each once.")
            given[found[1]] = tuple(int(number) for number in found[2].split(","))
        return cls(**given)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A label map in our numbers.

    Attributes:
        labels_kji: uint8, shape (K, J, I): 0 background, 1 kidney, 2 tumor; not all of it background.
        grid: of that shape.
        tilt: of slices that were set straight, where they lie.
        study: of a DICOM segmentation, when its study was and whose; it is known without the CT.
        facts: what it was.
        warnings: what the user should know of it, one sentence each.
    """

    labels_kji: np.ndarray
    grid: Grid
    facts: MeasuredLabels
    warnings: tuple[str, ...]
    tilt: Tilt | None = None
    study: InputFacts = field(default_factory=InputFacts)

    def volume(self) -> Volume:
        """Return the labels as what is written."""
        return Volume(self.labels_kji, self.grid, tilt=self.tilt)


def check_labels(path: Path) -> None:
    """Check, before any work, that there is something that may be a label map.

    Args:
        path: of a file.

    Raises:
        BadInputError: missing, empty, no regular file, or of an unknown format.
    """
    if looks_like_dicom(path):
        return
    if not path.exists():
        raise missing(path, "labels of kidneys or tumors")
    if path.is_dir() or (path.is_file() and ending_of(path, (*FILE_ENDINGS, *PAIR_ENDINGS)) is None):
        what = "is a folder" if path.is_dir() else "has an unknown ending"
        raise BadInputError(f"'{path}' {what}; give labels: {', '.join(FILE_ENDINGS)} or a DICOM segmentation.")
    check_input(path)


def read_label_map(
    path: Path, numbers: Numbers | None = None, progress: Progress | None = None, ct: Volume | None = None
) -> LabelMap:
    """Read a label map: NIfTI, NRRD, MetaImage, or a segmentation of Slicer's or DICOM's by the names of its segments.

    Args:
        path: of the file.
        numbers: which mean what; None takes the segments' names where the file has them, else 1 and 2.
        progress: told of the stage ``load``, and asked whether to stop.
        ct: that the labels must lie on; None asks for none.

    Returns:
        The label map; on the axes of the CT, where there is one.

    Raises:
        BadInputError: the file cannot be read, is an image and no label map, shows neither kidney nor tumor, or holds
            numbers that were not said to mean anything; or the labels do not lie on the CT.
        CancelledError: ``progress`` was cancelled.
    """
    if looks_like_dicom(path):
        return _read_dicom(path, numbers, ct)
    volume = read_file(path, progress)
    if ct is not None:
        if ct.tilt is None and volume.tilt is None:
            volume = turned_to(volume, ct.grid)
        check_same_grid(volume.lattice, ct)
        volume = _set_as(volume, ct)
    counts = _count_numbers(path, volume.array_kji)
    segments = read_segments(path) if path.name.lower().endswith(_NRRD_ENDINGS) else []
    warnings = [*volume.notes, *_set_straight(volume, ct)]
    if numbers is None:
        numbers = _named(path, segments) if segments else _usual(path, counts)
    chosen = {*numbers.kidney, *numbers.tumor}
    if not chosen & counts.keys():
        raise BadInputError(f"'{path}' shows neither kidney nor tumor (its labels: {_listed(counts)}); {_SAY}.")
    if left := {number: count for number, count in counts.items() if number not in chosen}:
        names = {segment.label: quoted(segment.name) for segment in segments}
        ml = sum(left.values()) * volume.grid.voxel_ml
        warnings.append(f"Labels that are no kidney or tumor were left out: {_listed(left, names)} ({ml:.1f} ml).")
    table = np.zeros(max(*counts, *chosen) + 1, np.uint8)
    table[list(numbers.kidney)], table[list(numbers.tumor)] = KIDNEY, TUMOR
    facts = MeasuredLabels(str(path), volume.source["format"], volume.sha256(), numbers.kidney, numbers.tumor)
    return LabelMap(table[volume.array_kji], volume.grid, facts, tuple(warnings), volume.tilt)


def _set_straight(labels: Volume, ct: Volume | None) -> list[str]:
    """What is to be known of labels on tilted slices; a CT tells it itself."""
    if labels.tilt is None or ct is not None:
        return []
    return [
        f"The slices of the labels lie obliquely on each other, by {labels.tilt.degrees:.1f} degrees, as a tilted "
        "gantry's do; they were set straight by whole pixels to measure."
    ]


def _set_as(labels: Volume, ct: Volume) -> Volume:
    """Labels on the slices of a CT, set straight as it is."""
    if ct.tilt is None:
        return labels
    slices = labels.on_slices(labels.array_kji)
    return Volume.of_slices(slices, ct.lattice, labels.source, labels.notes)


def _read_dicom(path: Path, numbers: Numbers | None, ct: Volume | None) -> LabelMap:
    """A DICOM segmentation on the CT's grid, or on its own; numbers are those of its segments."""
    found = read_dicom_seg(path)
    if not found.segments:
        raise BadInputError(f"'{path}' has no segments; give labels of kidneys or tumors.")
    numbers = numbers or _named(path, found.segments)
    names = {segment.label: quoted(segment.name) for segment in found.segments}
    notes: list[str] = []
    lattice = found.own_lattice(notes) if ct is None else ct.lattice
    slices, both = found.labels_on(lattice, numbers.kidney, numbers.tumor)
    if not slices.any():
        raise BadInputError(f"'{path}' shows neither kidney nor tumor (its segments: {_listed(names, names)}); {_SAY}.")
    volume = Volume.of_slices(slices, lattice, {})
    notes += _set_straight(volume, ct)
    if left := names.keys() - {*numbers.kidney, *numbers.tumor}:
        notes.append(f"Segments that are no kidney or tumor were left out: {_listed(left, names)}.")
    if both:
        notes.append(f"Where kidney and tumor overlap ({both * volume.grid.voxel_ml:.1f} ml), it was taken for tumor.")
    if ct is not None:
        found.tell_of_gaps(lattice, notes)
    if ct is not None and found.series and ct.source.get("series_uid", "") not in {"", *found.series}:
        notes.append("The segmentation refers to another series than the CT's: check that they belong together.")
    facts = MeasuredLabels(str(path), "dicom", volume.sha256(), numbers.kidney, numbers.tumor)
    return LabelMap(volume.array_kji, volume.grid, facts, tuple(notes), volume.tilt, InputFacts(**found.study))


# `compare` reads labels too, and has no such option.
_SAY = "say with --labels of 'seru measure' which are, for example --labels kidney=1,3 tumor=2"


def _count_numbers(path: Path, array_kji: np.ndarray) -> dict[int, int]:
    """The voxels of each number but 0."""
    if array_kji.dtype.kind == "f":
        raise BadInputError(f"'{path}' holds fractions, so it is an image and no label map; give the labels.")
    counts = np.zeros(_LARGEST_NUMBER + 2, np.int64)
    for plane in array_kji:
        shown = plane[plane != 0]
        if shown.size and shown.min() < 0:
            raise BadInputError(f"'{path}' holds numbers below 0, so it is an image and no label map; give the labels.")
        found = np.bincount(shown)
        counts[: len(found)] += found
    numbers = np.flatnonzero(counts).tolist()
    if not numbers:
        raise BadInputError(f"'{path}' is empty: every voxel is 0; give labels of kidneys or tumors.")
    if len(numbers) > _MOST_NUMBERS:
        raise BadInputError(
            f"'{path}' holds {len(numbers)} different numbers, so it is an image and no label map; give the labels."
        )
    return {number: int(counts[number]) for number in numbers}


def _usual(path: Path, counts: Mapping[int, int]) -> Numbers:
    """KiTS19's numbers; with others beside them 1 and 2 may be anything, a spleen and a kidney, say."""
    numbers = Numbers((KIDNEY,), (TUMOR,))
    if counts.keys() - {KIDNEY, TUMOR}:
        found = _listed(counts)
        raise BadInputError(f"'{path}' holds the labels {found}, not 1 (kidney) and 2 (tumor) alone; {_SAY}.")
    return numbers


def _named(path: Path, segments: Collection[StoredSegment]) -> Numbers:
    """The numbers of the segments whose codes or names say that they are kidneys or tumors."""
    kinds: dict[int, Kind] = {}
    for segment in segments:
        kind = kind_of_segment(segment.kind, segment.name)
        if kind is not None:
            kinds[segment.label] = kind
    if not kinds:
        names = ", ".join(quoted(segment.name) for segment in list(segments)[:_MOST_NAMED])
        raise BadInputError(f"No segment of '{path}' is called kidney or tumor (but {names}); {_SAY}.")
    kidney, tumor = (tuple(sorted(n for n, kind in kinds.items() if kind == wanted)) for wanted in ("kidney", "tumor"))
    return Numbers(kidney, tumor)


def kind_of_segment(code: str, name: str) -> Kind | None:
    """Return what a segment shows, by its code, else by its name.

    Args:
        code: scheme and value of what it is, ``SCT^64033007``; empty where there is none.
        name: shown to people.

    Returns:
        The kind; None where it is neither kidney nor tumor.
    """
    return _KINDS.get(code) or _kind_of_name(name)


def _kind_of_name(name: str) -> Kind | None:
    """``Right kidney``, ``tumor_2`` and ``Renal mass`` are; ``kidney cyst`` and ``liver tumor`` are neither."""
    words = set(re.findall(r"[a-z]+", name.lower())) - _SIDE_WORDS
    if words and words <= _KIDNEY_WORDS:
        return "kidney"
    return "tumor" if words & _TUMOR_WORDS and words <= _KIDNEY_WORDS | _TUMOR_WORDS else None


def _listed(numbers: Iterable[int], names: Mapping[int, str] | None = None) -> str:
    shown = {
        number: f"above {_LARGEST_NUMBER}" if number > _LARGEST_NUMBER else str(number) for number in sorted(numbers)
    }
    texts = [f"{number} {names[number]}" if names and number in names else text for number, text in shown.items()]
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return ", ".join(texts[:_MOST_NAMED]) + more


def check_same_grid(labels: Lattice, ct: Volume) -> None:
    """Check that labels lie on a CT's own voxels.

    Args:
        labels: their lattice.
        ct: the CT.

    Raises:
        BadInputError: they do not, with how the grids differ.
    """
    difference = labels.difference(ct.lattice)
    if difference is not None:
        raise BadInputError(
            f"The labels do not lie on the CT's grid (they have {difference}); give the CT that they were made on, or "
            "resample them onto it."
        )
