"""What a run writes, in an order that never leaves half a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seru.errors import BadInputError
from seru.files import write_text
from seru.io.images import SEGMENTATION_ENDING, check_output, check_writable, ending_of, write_labels
from seru.progress import Progress
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
        report_last: write the report after the output, as the mark of a finished case.
    """

    output: Path | None
    report: Path | None = None
    maps: Path | None = None
    pictures: Path | None = None
    report_last: bool = False

    def check(self, source: Path) -> None:
        """Check, before any work, that everything can be written.

        Args:
            source: the input.

        Raises:
            BadInputError: a place cannot be written to, or two of them are the same file.
        """
        if self.output is not None:
            check_output(self.output, source)
        elif self.maps is None:
            raise BadInputError("Nothing would be written; give an output with -o, or a folder with --maps.")
        if self.report is not None:
            if self.output is not None and self.report.absolute() == self.output.absolute():
                raise BadInputError(
                    f"The report and the output have the same name '{self.output}'; choose another one."
                )
            check_writable(self.report, source)
        for folder in _given(self.maps, self.pictures):
            if folder.exists() and not folder.is_dir():
                raise BadInputError(f"'{folder}' is a file; give the name of a folder.")
            check_writable(_nearest_folder(folder) / "seru")


def write_results(outputs: Outputs, volume: Volume, result: SegmentResult, progress: Progress) -> None:
    """Write the results of a run; the output comes last, whole, and there is no report without it.

    Args:
        outputs: where to.
        volume: the input.
        result: of the cascade.
        progress: told of the stage ``write``, and asked whether to stop.

    Raises:
        BadInputError: the disk is full, or a place cannot be written to.
        CancelledError: the run was cancelled before the output was in place.
    """
    progress.stage("write", 0, volume.grid.shape_kji[0])
    if outputs.maps is not None:
        from seru.result.maps import save_maps

        save_maps(result.maps, result.report, outputs.maps)
        progress.check_cancelled()
    if outputs.pictures is not None:
        from seru.result.pictures import draw_key_slices

        draw_key_slices(volume, result.maps, result.report, result.labels_kji, outputs.pictures)
        progress.check_cancelled()

    def report() -> None:
        if outputs.report is not None:
            write_text(outputs.report, result.report.to_json())

    def last_step() -> None:
        progress.check_cancelled()
        if not outputs.report_last:
            report()

    if outputs.output is None:
        report()
        progress.stage("write", 1, 1)
        return
    write_output(result.labels_kji, volume, outputs.output, progress, last_step)
    if outputs.report_last:
        report()


def write_output(
    labels_kji: np.ndarray, volume: Volume, path: Path, progress: Progress, last_step: Callable[[], None]
) -> None:
    """Write labels as the output's ending asks: a label map, or a segmentation for Slicer.

    Args:
        labels_kji: uint8, shape (K, J, I).
        volume: gives the grid.
        path: of the output.
        progress: told of the stage ``write``, and asked whether to stop.
        last_step: called once the output is whole, just before it takes its place.

    Raises:
        BadInputError: it cannot be written.
        CancelledError: the run was cancelled.
    """
    if ending_of(path, (SEGMENTATION_ENDING,)):
        from seru.io.segmentation import write_segmentation

        write_segmentation(labels_kji, volume, path, progress, last_step)
    else:
        write_labels(labels_kji, volume, path, progress, last_step)


def _given(*folders: Path | None) -> list[Path]:
    return [folder for folder in folders if folder is not None]


def _nearest_folder(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
