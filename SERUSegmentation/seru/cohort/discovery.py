"""The cases of a cohort: CT files in a folder, and the folders in it that hold DICOM files."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from seru.cohort.summary import SUMMARY
from seru.errors import BadInputError
from seru.io.images import INPUT_ENDINGS, ending_of


@dataclass(frozen=True)
class Case:
    """One CT of a cohort.

    Attributes:
        name: of its results.
        path: of the file or the DICOM folder.
    """

    name: str
    path: Path


def find_cases(folder: Path, skipped: Path) -> list[Case]:
    """Find the CT files in a folder, and the folders in it that hold DICOM files.

    Args:
        folder: to look in.
        skipped: a folder that is not looked into: the results'.

    Returns:
        The cases by name.

    Raises:
        BadInputError: the folder is missing, or holds no case.
    """
    if not folder.is_dir():
        raise BadInputError(f"'{folder}' is no folder; give a folder of CT files or DICOM folders.")
    found: list[tuple[str, str, Path]] = []
    for path in sorted(folder.iterdir()):
        ending = ending_of(path, INPUT_ENDINGS)
        if path.name.startswith(".") or path.absolute() == skipped.absolute():
            continue
        if path.is_dir() and _holds_dicom(path):
            found.append((path.name, "dicom", path))
        elif path.is_file() and ending is not None:
            found.append((path.name[: -len(ending)], ending.strip("."), path))
    cases = _named_apart(found)
    if not cases:
        raise BadInputError(
            f"'{folder}' holds no CT file and no folder with DICOM files; for a single series run 'seru segment'."
        )
    return cases


def _named_apart(found: list[tuple[str, str, Path]]) -> list[Case]:
    """Name the cases so that no result takes the place of another one or of the summary, in any file system."""
    stems = Counter(stem.casefold() for stem, _, _ in found) + Counter([SUMMARY])
    taken = {stem for stem, count in stems.items() if count == 1} | {SUMMARY}
    cases = []
    for stem, kind, path in found:
        name = stem
        if stems[stem.casefold()] > 1:
            names = (f"{stem}-{kind}" + (f"-{number}" if number > 1 else "") for number in itertools.count(1))
            name = next(name for name in names if name.casefold() not in taken)
            taken.add(name.casefold())
        cases.append(Case(name, path))
    return cases


def _holds_dicom(folder: Path) -> bool:
    from seru.io.dicom import looks_like_dicom

    return any(looks_like_dicom(Path(place, name)) for place, _, names in os.walk(folder) for name in sorted(names))
