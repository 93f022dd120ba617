"""What a run writes: checked before any work, and put in place together once it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seru.cohort.dicom_outputs import DicomChoice, DicomContent, check_dicom, doubts_of_dicom, write_dicom
from seru.errors import BadInputError
from seru.files import FileGroup, Opener, write_text
from seru.findings import PICTURES, SIDES, Report
from seru.io.images import (
    ALL_ENDINGS,
    DICOM_ENDINGS,
    DICOM_SEG_ENDING,
    DICOM_SR_ENDING,
    SEGMENTATION_ENDING,
    check_output,
    ending_of,
    write_labels,
)
from seru.io.inputs import Inputs, is_read_from
from seru.places import check_writable, is_same_place
from seru.progress import Progress
from seru.result.maps import MAPS_FILE
from seru.result.sheets import check_page
from seru.volume import Volume

if TYPE_CHECKING:
    from seru.cascade.cascade import SegmentResult


@dataclass(frozen=True)
class Outputs:
    """Where the results of one case go.

    Attributes:
        output: label map or segmentation, or None where the maps are all that is wanted.
        report: JSON, or None.
        maps: folder of the probability maps, or None.
        pictures: folder of the key slices' pictures, or None.
        further: other label maps and segmentations of the same labels.
        page: HTML, or None.
    """

    output: Path | None
    report: Path | None = None
    maps: Path | None = None
    pictures: Path | None = None
    further: tuple[Path, ...] = ()
    page: Path | None = None

    @classmethod
    def of_several(
        cls,
        outputs: Sequence[Path],
        report: Path | None,
        maps: Path | None,
        pictures: Path | None,
        page: Path | None = None,
    ) -> Outputs:
        """Return where results go that are wanted in several formats, of each one at most.

        Args:
            outputs: label maps and segmentations; may be empty.
            report: as the class.
            maps: as the class.
            pictures: as the class.
            page: as the class.

        Returns:
            The outputs.

        Raises:
            BadInputError: two outputs have the same ending.
        """
        for one, other in combinations(outputs, 2):
            ending = ending_of(one, ALL_ENDINGS)
            if ending is not None and ending == ending_of(other, ALL_ENDINGS):
                raise BadInputError(f"'{one}' and '{other}' are the same format; give one output of each ending.")
        return cls(outputs[0] if outputs else None, report, maps, pictures, tuple(outputs[1:]), page)

    def labels(self) -> list[Path]:
        """Return where the labels go, in every format."""
        return [path for path in (self.output, *self.further) if path is not None]

    def files(self) -> list[tuple[str, Path]]:
        """Return every file that a run may write, with what it is, for messages."""
        places = [
            *(("output", path) for path in self.labels()),
            ("report", self.report),
            ("page", self.page),
            ("maps", self.maps and self.maps / MAPS_FILE),
            *(("picture", self.pictures and self.pictures / name) for name in PICTURES.values()),
        ]
        return [(what, path) for what, path in places if path is not None]

    def places(self) -> list[Path]:
        """Return what is there once a run has ended well; of pictures, which may be none, the folder."""
        files = [path for what, path in self.files() if what != "picture"]
        return [*files, *([self.pictures] if self.pictures else [])]

    def check(self, source: Path, others: Inputs | None = None) -> None:
        """Check, before any work, that everything can be written, and that nothing is written over.

        Args:
            source: the input.
            others: of the other cases of a cohort.

        Raises:
            BadInputError: a place cannot be written to, is read from, or two of them are the same file.
        """
        if self.output is None and self.maps is None:
            raise BadInputError("Nothing would be written; give an output with -o, or a folder with --maps.")
        self.check_places(source, others)

    def check_places(self, source: Path, others: Inputs | None = None) -> None:
        """Check as :meth:`check`, where a run may write nothing at all."""
        self.check_not_read(source)
        for what, path in self.files():
            if others is not None and (other := others.reader_of(path)):
                raise BadInputError(f"The {what} '{path}' is part of the input '{other}'; choose another folder.")
        check_apart(self.files())
        for folder in (self.maps, self.pictures):
            if folder is not None and any(is_same_place(folder, path) for _, path in self.files()):
                raise BadInputError(f"'{folder}' is to be a folder and a file; choose another name.")
        for path in self.labels():
            check_output(path)
        by_ending = {ending_of(path, DICOM_ENDINGS): path for path in self.labels()}
        if DICOM_SR_ENDING in by_ending and DICOM_SEG_ENDING not in by_ending:
            name = by_ending[DICOM_SR_ENDING].name
            raise BadInputError(f"'{name}' refers to segments of a DICOM segmentation; give that too: -o x.seg.dcm.")
        if self.report is not None:
            check_writable(self.report)
        if self.page is not None:
            check_page(self.page)
        for folder, name in ((self.maps, MAPS_FILE), (self.pictures, PICTURES[SIDES[0]])):
            if folder is not None:
                _check_folder(folder, name)

    def check_not_read(self, source: Path) -> None:
        """Check that nothing is written over what the reading of a CT opens.

        Args:
            source: of the CT.

        Raises:
            BadInputError: something would be.
        """
        for what, path in self.files():
            if is_same_place(path, source):
                raise BadInputError(f"The {what} '{path}' is the input itself; choose another name.")
            if is_read_from(source, path):
                raise BadInputError(f"The {what} '{path}' is part of the input '{source}'; choose another name.")

    def check_fit(self, volume: Volume, dicom: DicomChoice | None = None) -> None:
        """Check, once a CT is read and before any other work, that its labels can be written in every format.

        Args:
            volume: the CT.
            dicom: how DICOM outputs are written.

        Raises:
            BadInputError: a DICOM output is wanted and cannot refer to the CT.
        """
        check_dicom(self.labels(), volume, dicom)

    def doubts(self, volume: Volume) -> tuple[str, ...]:
        """Tell what programs that read the outputs of a CT may take otherwise than they are, one sentence each."""
        return doubts_of_dicom(self.labels(), volume)

    def check_keeps(self, kept: Iterable[Path]) -> None:
        """Check that nothing is written over files that a run reads besides the CT.

        Args:
            kept: the files of the model, say.

        Raises:
            BadInputError: something would be.
        """
        for other in kept:
            for what, path in self.files():
                if is_same_place(path, other):
                    raise BadInputError(f"The {what} '{path}' is a file that the run reads; choose another name.")


def check_apart(files: Iterable[tuple[str, Path]]) -> None:
    """Check that no two files to be written are the same, in any file system.

    Args:
        files: what each is, and its path.

    Raises:
        BadInputError: two are.
    """
    for (what, path), (other, there) in combinations(files, 2):
        if is_same_place(path, there):
            raise BadInputError(f"The {what} and the {other} have the same name '{there}'; choose another one.")


def write_results(
    outputs: Outputs, volume: Volume, result: SegmentResult, progress: Progress, dicom: DicomChoice | None = None
) -> None:
    """Write the results of a run; they take their places together, the report last, as the mark of a finished case.

    Args:
        outputs: where to.
        volume: the input.
        result: of the cascade.
        progress: told of the stage ``write``, and asked whether to stop.
        dicom: how DICOM outputs are written; None writes none.

    Raises:
        BadInputError: the disk is full, or a place cannot be written to.
        CancelledError: the run was cancelled before the results were in place; then none of them is.
    """
    progress.stage("write", 0, volume.grid.shape_kji[0])
    report = result.report
    if outputs.output is not None:
        report = replace(report, labels_sha256=hash_labels(volume.on_slices(result.labels_kji)))
    if outputs.report is not None or outputs.page is not None:
        report = _scored(report, result)
    with FileGroup() as group:
        if outputs.maps is not None:
            from seru.result.maps import save_maps

            group.make_folder(outputs.maps)
            save_maps(result.maps, report, outputs.maps, group.open)
            progress.check_cancelled()
        if outputs.pictures is not None:
            from seru.result.pictures import draw_key_slices

            group.make_folder(outputs.pictures)
            draw_key_slices(volume, result.maps, report, result.labels_kji, outputs.pictures, group.open)
            for side in SIDES:
                if report.side(side).key_slice is None:
                    group.remove(outputs.pictures / PICTURES[side])  # of an earlier run
            progress.check_cancelled()
        if outputs.page is not None:
            from seru.result.page import write_page
            from seru.result.pictures import picture_key_slices

            pictures = picture_key_slices(volume, result.maps, report, result.labels_kji)
            write_page(outputs.page, report, pictures, group.open)
            progress.check_cancelled()
        for path in outputs.labels():
            if not ending_of(path, DICOM_ENDINGS):
                write_output(result.labels_kji, volume, path, progress, group.open)
                progress.check_cancelled()
        if dicom is not None and any(ending_of(path, DICOM_ENDINGS) for path in outputs.labels()):
            content = DicomContent.of_run(result, dicom)
            write_dicom(outputs.labels(), volume, content, dicom, progress, group.open)
        if outputs.report is not None:
            # No report of an earlier run beside the labels of this one, not even for a moment.
            group.remove(outputs.report)
            write_text(outputs.report, report.to_json(), group.open)
        progress.stage("write", 1, 1)
        progress.check_cancelled()


def _scored(report: Report, result: SegmentResult) -> Report:
    from seru.result.nephrometry import scored

    maps = result.maps
    return scored(report, result.labels_kji[maps.box_slices], maps.sides_box, maps.grid, maps.lower_kji)


def hash_labels(labels_kji: np.ndarray) -> str:
    """Return the SHA-256 of labels, in hexadecimal, by which edits are known.

    Args:
        labels_kji: uint8, shape (K, J, I), on the input's slices, as made or as read back from any format.
    """
    content = hashlib.sha256()
    for part in labels_kji:
        content.update(np.ascontiguousarray(part).data)
    return content.hexdigest()


def write_output(labels_kji: np.ndarray, volume: Volume, path: Path, progress: Progress, opener: Opener) -> None:
    """Write labels as the output's ending asks: a label map, or a segmentation for Slicer.

    Args:
        labels_kji: uint8, shape (K, J, I).
        volume: gives the grid.
        path: of the output.
        progress: told of the stage ``write``, and asked whether to stop.
        opener: of the group of files that it takes its place with.

    Raises:
        BadInputError: it cannot be written.
        CancelledError: the run was cancelled.
    """
    if ending_of(path, (SEGMENTATION_ENDING,)):
        from seru.io.segmentation import write_segmentation

        write_segmentation(labels_kji, volume, path, progress, opener)
    else:
        write_labels(labels_kji, volume, path, progress, opener)


def _check_folder(folder: Path, name: str) -> None:
    """Check a folder that is made where it is missing, and a file in it."""
    if folder.is_dir():
        check_writable(folder / name)
        return
    try:
        if folder.exists() or folder.is_symlink():
            raise BadInputError(f"'{folder}' is a file; give the name of a folder.")
    except OSError as error:
        raise BadInputError(f"The folder '{folder}' cannot be made ({error.strerror}).") from error
    check_writable(_first_missing(folder))


def _first_missing(folder: Path) -> Path:
    """Return the highest of the folders that would have to be made."""
    missing = folder
    while not missing.parent.is_dir() and missing.parent != missing:
        missing = missing.parent
    return missing
