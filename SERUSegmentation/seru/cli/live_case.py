"""CTs from file to results, one after the other; where that is wanted the last one stays and can be refined again.

``seru segment`` is this done once, ``seru worker`` the same kept.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import seru
from seru.cohort.case import read_case
from seru.cohort.dicom_outputs import DicomChoice
from seru.cohort.outputs import Outputs, write_results
from seru.errors import BadInputError
from seru.findings import Index, Report, Side
from seru.io.images import check_input
from seru.memory import LIBRARIES, require_room, require_threads
from seru.options import SegmentOptions, SideBox
from seru.progress import Progress, RunRecord
from seru.volume import Volume

if TYPE_CHECKING:
    from seru.cascade.cascade import Segmenter
    from seru.cascade.live_scan import LiveScan, PartMaker


@dataclass(frozen=True)
class Order:
    """What is to be segmented, how, and where the results go.

    Attributes:
        source: file or folder of the CT.
        outputs: of the run.
        options: of the run.
        series: of a DICOM folder or zip, or None.
        model: id or folder; None takes the default.
    """

    source: Path
    outputs: Outputs
    options: SegmentOptions
    series: str | None = None
    model: str | None = None

    @property
    def dicom(self) -> DicomChoice:
        """How DICOM outputs are written."""
        return DicomChoice(seru.__version__, self.options.seg_type, self.options.seg_findings)

    def with_box(self, side: Side, box: tuple[Index, Index] | None, key_slice: int | None = None) -> Order:
        """Return the order with another box for a side.

        Args:
            side: the patient's.
            box: first and last voxel; None refines the side where its kidney is found.
            key_slice: of the box; None takes the one that was found.

        Returns:
            A new order.

        Raises:
            BadInputError: the box is none, or there is a key slice without one.
        """
        others = tuple(other for other in self.options.boxes if other.side != side)
        if box is None and key_slice is not None:
            raise BadInputError("A key slice is given with its box; give both.")
        boxes = others if box is None else (*others, SideBox(side, *box, key_slice))
        return replace(self, options=replace(self.options, boxes=boxes))


class LiveCase:
    """Segments CTs.

    Args:
        stays: keep the networks and what the stages gave of the last CT.

    Attributes:
        order: of the last result, with the boxes that it was made with; None before the first one.
    """

    def __init__(self, stays: bool) -> None:
        self._stays = stays
        self.order: Order | None = None
        self._content: str | None = None
        self._segmenter: Segmenter | None = None
        self._scan: LiveScan | None = None

    @property
    def holds_anything(self) -> bool:
        """Whether there is something to free."""
        return self._segmenter is not None

    @property
    def holds_ct(self) -> bool:
        """Whether the last CT can be refined again without reading it anew."""
        return self._scan is not None

    def segment(self, order: Order, progress: Progress, on_part: Callable[[PartMaker], None] | None = None) -> Report:
        """Read a CT, segment it, and write the results.

        Args:
            order: of the run; of a CT with the same content, run the same way, only other boxes are refined.
            progress: of the run.
            on_part: told of what the refine stage gives, as it arrives.

        Returns:
            What was found.

        Raises:
            SeruError: of any kind; then nothing is at the outputs, and the last result can still be refined.
        """
        check_input(order.source)
        order.outputs.check(order.source)
        segmenter = self._segmenter_for(order)
        record = RunRecord(progress)
        volume = read_case(order.source, order.series, record)
        order.outputs.check_fit(volume, order.dicom)
        return self._finish(order, segmenter, self._scan_of(volume, segmenter, record), record, on_part)

    def refine(
        self,
        side: Side,
        box: tuple[Index, Index] | None,
        key_slice: int | None,
        progress: Progress,
        on_part: Callable[[PartMaker], None] | None = None,
    ) -> Report:
        """Refine a side of the last CT in another box, and write the results anew.

        Args:
            side: the patient's.
            box: first and last voxel; None refines the side where its kidney is found.
            key_slice: of the box; None takes the one that was found.
            progress: of the run.
            on_part: told of what the refine stage gives, as it arrives.

        Returns:
            What was found.

        Raises:
            BadInputError: there is no last CT, its file holds another one by now, or the box is none.
            SeruError: of any kind; the last result stays.
        """
        if self.order is None:
            raise BadInputError("There is no CT to refine; segment one first.")
        order = self.order.with_box(side, box, key_slice)
        order.outputs.check(order.source)
        segmenter, record = self._segmenter_for(order), RunRecord(progress)
        scan = self._scan
        if scan is None:
            volume = read_case(order.source, order.series, record)
            if volume.source["sha256"] != self._content:
                raise BadInputError(f"'{order.source}' holds another CT than before; segment it anew.")
            order.outputs.check_fit(volume, order.dicom)
            scan = segmenter.look(volume, record)
        return self._finish(order, segmenter, scan, record, on_part)

    def release(self) -> None:
        """Free everything; the next run loads the networks again, and reads the CT."""
        self._scan = None
        if self._segmenter is not None:
            self._segmenter.release()
            self._segmenter = None
            gc.collect()

    def _scan_of(self, volume: Volume, segmenter: Segmenter, record: RunRecord) -> LiveScan:
        """The last scan where it is of the same content, seen the same way; else a new one."""
        scan = self._scan
        is_same = scan is not None and scan.volume.source["sha256"] == volume.source["sha256"]
        if scan is not None and is_same and scan.options.are_seen_alike(segmenter.options):
            # The report names, and DICOM results refer to, the files that were read now.
            return scan.read_from(volume)
        self._scan = scan = None
        return segmenter.look(volume, record)

    def _finish(
        self,
        order: Order,
        segmenter: Segmenter,
        scan: LiveScan,
        record: RunRecord,
        on_part: Callable[[PartMaker], None] | None,
    ) -> Report:
        record.warn_of(order.outputs.doubts(scan.volume))
        for maker in segmenter.refine(scan, record):
            if on_part is not None:
                on_part(maker)
        if not self._stays:
            scan.close()
        result = segmenter.result(scan, record)
        write_results(order.outputs, scan.volume, result, record, order.dicom)
        self.order, self._content, self._scan = order, scan.volume.source["sha256"], scan
        return result.report

    def _segmenter_for(self, order: Order) -> Segmenter:
        """The cascade for an order, with the networks that are there where they run alike."""
        if self._segmenter is None:
            # What cannot be run loads no network.
            require_room(LIBRARIES)
            require_threads(order.options.threads)
        from seru.cascade.cascade import Segmenter
        from seru.model.store import find_model

        model = find_model(order.model)
        order.outputs.check_keeps(model.folder.iterdir())
        if self._segmenter is not None and self._segmenter.model == model:
            segmenter = self._segmenter.with_options(order.options)
        else:
            self.release()
            segmenter = Segmenter(model, order.options, is_for_one=not self._stays)
            model.verify()
        segmenter.ready()
        self._segmenter = segmenter
        return segmenter
