"""The cases of a cohort: CT files in a folder and the folders in it, and folders and zips that hold DICOM files.

Nothing is passed over in silence: what looks like a case and is none is listed with its reason. Pipes, devices and
links to nowhere are never opened.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from seru.cohort.summary import SUMMARY
from seru.cohort.verdict_list import ListedVerdict
from seru.errors import BadInputError
from seru.io.dicom import holds_dicom, looks_like_dicom
from seru.io.dicom_zip import ZIP_ENDING
from seru.io.images import INPUT_ENDINGS, ending_of
from seru.places import folded

# KiTS19 calls every CT so; the folder is the case.
_CT_OF_FOLDER = "imaging"
_LABELS = re.compile(
    r"(^|[-_. ])(aggregated|annotations?|gt|labels?|masks?|rois?|segs?|segmentations?|truth)([-_. ]|$)", re.IGNORECASE
)
# The study instance UID, explicit or implicit, as little-endian files have it.
_STUDY = re.compile(rb"\x20\x00\x0d\x00(?:UI..|.{4})([0-9.]{1,64})", re.DOTALL)
# Bytes of a case's name; a file's may have 255, with its ending and a number.
LONGEST_STEM = 200
# Names in one sentence.
_MOST_TOLD = 3
_DICOM_HEADER = 1 << 16


@dataclass(frozen=True)
class Case:
    """One CT of a cohort.

    Attributes:
        name: of its results.
        path: of the file, the zip or the DICOM folder.
        verdicts: of a person, on its findings.
    """

    name: str
    path: Path
    verdicts: tuple[ListedVerdict, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """Something that is no case.

    Attributes:
        name: path in the folder of the cohort.
        path: of the file or the folder.
        reason: one sentence.
        is_fault: it may have been meant as a case and cannot be read.
    """

    name: str
    path: Path
    reason: str
    is_fault: bool


@dataclass(frozen=True)
class Cohort:
    """What a folder holds.

    Attributes:
        cases: by name.
        left_out: what is no case, and why.
    """

    cases: list[Case]
    left_out: list[LeftOut]

    def repeated(self) -> list[str]:
        """Return a sentence for each file or folder that is several cases, through links or in a list."""
        found: dict[tuple[int, int], list[Case]] = {}
        for case in self.cases:
            with suppress(OSError):
                facts = case.path.stat()
                found.setdefault((facts.st_dev, facts.st_ino), []).append(case)
        return [_told_of_copies(cases) for cases in found.values() if len(cases) > 1]


def _told_of_copies(cases: list[Case]) -> str:
    names = [case.name for case in cases[:_MOST_TOLD]] + (["..."] if len(cases) > _MOST_TOLD else [])
    return f"'{cases[0].path}' is {len(cases)} cases ({', '.join(names)}), and is run for each."


def find_cases(folder: Path, skipped: Iterable[Path] = ()) -> Cohort:
    """Find the CT files in a folder and the folders in it, and the folders in it that hold DICOM files.

    A file in a folder is named with it: ``a/b/ct.nii.gz`` is the case ``a_b_ct``, and ``case_00000/imaging.nii.gz``,
    as KiTS19 has it, ``case_00000``. A zip with DICOM files is a case as a file is. The DICOM files of a folder and all
    below are one case, unless they are of several studies.

    Args:
        folder: to look in.
        skipped: folders that are not looked into: the results'.

    Returns:
        The cases, and what was left out.

    Raises:
        BadInputError: the folder is missing, or holds neither.
    """
    if not folder.is_dir():
        raise BadInputError(f"'{folder}' is no folder; give a folder of CT files or DICOM folders.")
    search = _Search(folder, skipped)
    search.look_in(folder)
    if search.found and search.loose is not None:
        search.leave_out(search.loose, "It is a DICOM file outside any folder; put each series into one of its own.")
    cohort = Cohort(_named_apart(search.found), search.left_out)
    if not cohort.cases and not any(item.is_fault for item in cohort.left_out):
        but = f" ({len(cohort.left_out)} left out, '{cohort.left_out[0].name}' for one)" if cohort.left_out else ""
        raise BadInputError(
            f"'{folder}' holds no CT file and no folder with DICOM files{but}; for a single series run 'seru segment'."
        )
    return cohort


@dataclass
class _Search:
    """A walk through a folder.

    Attributes:
        root: the cohort's folder.
        skipped: not looked into.
        found: stem, kind and path of each case.
        left_out: what is no case.
        dicom: folders that hold DICOM files themselves, with the study of the first one.
        loose: a DICOM file in the root itself.
    """

    root: Path
    skipped: Iterable[Path]
    found: list[tuple[str, str, Path]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    dicom: dict[Path, bytes] = field(default_factory=dict)
    loose: Path | None = None
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def look_in(self, folder: Path) -> None:
        """Take the entries of a folder in, and those of the folders in it."""
        facts = folder.stat()
        if (facts.st_dev, facts.st_ino) in self._seen:
            self.leave_out(folder, "The folder was looked into under another name.", is_fault=False)
            return
        self._seen.add((facts.st_dev, facts.st_ino))
        before = len(self.found) + len(self.left_out)
        for path in sorted(folder.iterdir()):
            if not path.name.startswith("."):
                try:
                    self._take(path)
                except OSError as error:
                    self.leave_out(path, _reason(path, error))
        if folder.parent == self.root:
            self._take_dicom(folder)
            # Of a patient whose images were not copied, say.
            if len(self.found) + len(self.left_out) == before:
                self.leave_out(folder, "The folder holds no CT.", is_fault=False)

    def _take(self, path: Path) -> None:
        path.stat()  # raises for a link to nowhere, and where nobody may look
        if path.is_dir():
            if not any(path.samefile(place) for place in self.skipped if place.exists()):
                self.look_in(path)
        elif not path.is_file():
            self.leave_out(path, "It is a device or a pipe, not a file.")
        elif (ending := ending_of(path, INPUT_ENDINGS)) is not None:
            self._take_file(path, ending)
        elif not self._is_known(path.parent) and looks_like_dicom(path):
            self._take_slice(path)

    def _is_known(self, folder: Path) -> bool:
        return self.loose is not None if folder == self.root else folder in self.dicom

    def _take_slice(self, path: Path) -> None:
        if path.parent == self.root:
            self.loose = path
            return
        with open(path, "rb") as file:
            study = _STUDY.search(file.read(_DICOM_HEADER))
        self.dicom[path.parent] = study[1] if study else b""

    def _take_file(self, path: Path, ending: str) -> None:
        *folders, name = path.relative_to(self.root).parts
        stem = name[: -len(ending)]
        if any(map(_LABELS.search, (*folders, stem))):
            self.leave_out(path, "It is called as labels are; give it another name if it is a CT.", is_fault=False)
            return
        if ending == ZIP_ENDING and not holds_dicom(path):
            self.leave_out(path, "It is a zip without a DICOM file.", is_fault=False)
            return
        parts = folders if folders and stem.casefold() == _CT_OF_FOLDER else [*folders, stem]
        self.found.append(("_".join(parts), ending.strip("."), path))

    def _take_dicom(self, top: Path) -> None:
        """Make cases of the DICOM folders in a folder of the root; what else is wrong in them is for their reader."""
        places = dict(self.dicom)
        self.dicom.clear()
        for place in _one_a_study(top, places):
            self.found.append(("_".join(place.relative_to(self.root).parts), "dicom", place))
            self.left_out = [item for item in self.left_out if not (item.is_fault and place in item.path.parents)]

    def leave_out(self, path: Path, reason: str, is_fault: bool = True) -> None:
        """List something that is no case."""
        self.left_out.append(LeftOut(str(path.relative_to(self.root)), path, reason, is_fault))


def _one_a_study(top: Path, studies: dict[Path, bytes]) -> Iterator[Path]:
    """Yield the folders to read as a case each: ``top`` for one study, else the folder that holds all of each."""
    if len(set(studies.values())) < 2:
        yield from [top] if studies else []
        return
    of_study: dict[bytes, list[Path]] = {}
    for place, study in studies.items():
        of_study.setdefault(study, []).append(place)
    whole = [Path(os.path.commonpath(places)) for places in of_study.values()]
    is_apart = not any(one == other or one in other.parents for one, other in itertools.permutations(whole, 2))
    yield from whole if is_apart else studies


def _named_apart(found: list[tuple[str, str, Path]]) -> list[Case]:
    """Name the cases so that no result takes the place of another one or of the summary, in any file system."""
    found = [(_shortened(stem), kind, path) for stem, kind, path in found]
    stems = Counter(folded(stem) for stem, _, _ in found) + Counter([SUMMARY])
    taken = {stem for stem, count in stems.items() if count == 1} | {SUMMARY}
    cases = []
    for stem, kind, path in found:
        name = stem
        if stems[folded(stem)] > 1:
            names = (f"{stem}-{kind}" + (f"-{number}" if number > 1 else "") for number in itertools.count(1))
            name = next(name for name in names if folded(name) not in taken)
            taken.add(folded(name))
        cases.append(Case(name, path))
    return cases


def _shortened(stem: str) -> str:
    """Return a name that leaves room for endings where names of files end; the same for the same one."""
    name = os.fsencode(stem)
    if len(name) <= LONGEST_STEM:
        return stem
    digest = hashlib.sha256(name).hexdigest()[:12]
    # What tells cases apart is most often at the end.
    return f"{digest}_{name[-LONGEST_STEM + len(digest) + 1 :].decode(errors='ignore')}"


def _reason(path: Path, error: OSError) -> str:
    if path.is_symlink():
        return f"It is a link to '{os.readlink(path)}', which cannot be read ({error.strerror})."
    return f"It cannot be read ({error.strerror})."
