"""Which files the reading of a CT opens, so that none of them is written over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from seru.errors import BadInputError
from seru.io.dicom import looks_like_dicom
from seru.io.images import OUTPUT_ENDINGS, ending_of
from seru.io.metaimage import metaimage_voxel_files
from seru.io.nrrd import nrrd_voxel_files
from seru.places import is_same_place

# What may keep its voxels in other files.
_VOXEL_FILES: dict[str, Callable[[Path], list[Path]]] = {
    ".nhdr": nrrd_voxel_files,
    ".nrrd": nrrd_voxel_files,
    ".mhd": metaimage_voxel_files,
    ".mha": metaimage_voxel_files,
}
# What may lie in a DICOM folder from an earlier run.
_RESULT_ENDINGS = (*OUTPUT_ENDINGS, ".json", ".png", ".npz", ".csv")


def is_read_from(source: Path, target: Path) -> bool:
    """Tell whether the reading of a CT opens a file.

    Args:
        source: of the CT: a file, or a DICOM folder.
        target: the file in question, which may not exist.

    Returns:
        True for the CT's own file under any name, the files that hold its voxels, and every file of a DICOM folder but
        results of earlier runs.
    """
    if is_same_place(source, target):
        return True
    if not target.is_file():
        return False
    if source.is_dir():
        is_result = ending_of(target, _RESULT_ENDINGS) is not None and not looks_like_dicom(target)
        return not is_result and any(map(target.samefile, _files_below(source)))
    return any(is_same_place(path, target) for path in _voxel_files(source))


class Inputs:
    """What the reading of many CTs opens, without looking into each for each question.

    Args:
        sources: of the CTs: files and DICOM folders.
    """

    def __init__(self, sources: Iterable[Path]) -> None:
        self._files: dict[tuple[int, int], Path] = {}
        self._folders: dict[str, Path] = {}
        for source in sources:
            with suppress(OSError):
                facts = source.stat()
                if source.is_dir():
                    self._folders[os.path.realpath(source)] = source
                else:
                    self._files[facts.st_dev, facts.st_ino] = source

    def reader_of(self, target: Path) -> Path | None:
        """Return the CT whose reading opens a file.

        Args:
            target: the file in question, which may not exist.

        Returns:
            The source; None where none does.
        """
        with suppress(OSError, ValueError):
            facts = target.stat()
            source = self._files.get((facts.st_dev, facts.st_ino))
            if source is not None:
                return source
            above = (self._folders.get(str(place)) for place in target.resolve().parents)
            return next((folder for folder in above if folder and is_read_from(folder, target)), None)
        return None


def _files_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (path for name in names if os.path.exists(path := Path(place, name)))


def _voxel_files(source: Path) -> list[Path]:
    """Return the files that hold a CT's voxels; none where its header cannot be read, which refuses the run anyway."""
    find = _VOXEL_FILES.get(ending_of(source, tuple(_VOXEL_FILES)) or "")
    with suppress(BadInputError, OSError):
        return find(source) if find else []
    return []
