"""A result in other crop boxes: the side whose box was moved is refined, and takes its place in the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seru.errors import CancelledError
from seru.findings import SIDES
from seru.options import SideBox
from seru.result.npz import DAMAGES
from SERUSegmentationLib.run.handing import isInScene
from SERUSegmentationLib.run.process import Stream
from SERUSegmentationLib.run.segmentation import RunSettings, WorkerRun
from SERUSegmentationLib.run.worker import Worker, eventOf
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.refined_part import RefinedPart
from SERUSegmentationLib.scene.rendering import onlySlicesRendered
from SERUSegmentationLib.scene.scene_writer import SceneWriter
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode


class RefineRun(WorkerRun):
    """Refines a result in other boxes.

    A worker that holds the CT runs the changed side alone; another one reads the CT anew, with the same result.

    Args:
        volumeNode: the CT.
        current: returns the result that slices are shown on as they arrive; None shows none.
        last: returns the result as the scene holds it; asked when the new one has come, and None gives it up.
        settings: of the result, with the boxes that are wanted.
        worker: as of :class:`WorkerRun`.
        onLine: called with each line for the log.

    Raises:
        BadInputError: the volume cannot be used.
    """

    def __init__(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        current: Callable[[], LiveResult | None],
        last: Callable[[], LiveResult | None],
        settings: RunSettings,
        worker: Worker | None = None,
        onLine: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(volumeNode, settings, worker, onLine)
        self._current, self._last = current, last

    def _request(self) -> dict[str, Any]:
        held = self.worker.held
        if held is not None and held.isSeenLike(self._wanted):
            changed = [side for side in SIDES if _boxOf(side, held.boxes) != _boxOf(side, self.settings.boxes)]
            if len(changed) == 1:
                box = _boxOf(changed[0], self.settings.boxes)
                request: dict[str, Any] = {"do": "refine", "side": changed[0], "box": None}
                if box is not None:
                    request |= {"box": [box.ijk_min, box.ijk_max], "key_slice": box.key_slice}
                return request
        return self._segmentRequest()

    def _read(self, stream: Stream, line: str) -> None:
        """Show slices as they arrive; everything else is as of any run."""
        event = eventOf(line) if stream == "out" else {}
        if event.get("event") != "slices":
            super()._read(stream, line)
            return
        result = self._current()
        if result is None or self._reason is not None or not isInScene(result.segmentationNode):
            return
        try:
            part = RefinedPart.read(event, self.worker.folder)
        except (KeyError, TypeError, *DAMAGES) as error:
            # The maps hold it at the end.
            self._onLine(f"Slices were not shown: {error}")
            return
        with onlySlicesRendered(result.segmentationNode):
            result.showPart(part)

    def _write(self, mapsFile: Path) -> LiveResult:
        result = self._last()
        if result is None or not isInScene(result.segmentationNode):
            self.worker.forget()
            raise CancelledError(_("The result was deleted while a side was refined; nothing was written."))
        return SceneWriter(self.volumeNode, result.segmentationNode).replace(mapsFile, result)


def _boxOf(side: str, boxes: tuple[SideBox, ...]) -> SideBox | None:
    return next((box for box in boxes if box.side == side), None)
