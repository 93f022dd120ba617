"""The result that the panel works on: loaded from the scene, moved by alpha, cleaned up, split."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seru.errors import BadInputError
from seru.findings import Report
from seru.result.finish import alpha_of
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.measurement_table import MeasurementRow, rowsOf, writeMeasurements
from SERUSegmentationLib.scene.segments import Shown, showStage
from SERUSegmentationLib.scene.stored_result import ResultState, mapsTime, readMaps, storedState, storeState
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode


class ResultController:
    """Follows the segmentation that is chosen in the panel."""

    def __init__(self) -> None:
        self.segmentationNode: vtkMRMLSegmentationNode | None = None
        self.result: LiveResult | None = None
        self.reason = ""
        self.rows: list[MeasurementRow] = []
        self._loaded: tuple | str | None = "nothing yet"
        self._state: ResultState | None = None
        self._shown: tuple | None = None
        self._fresh: LiveResult | None = None
        # The scene shows an alpha that is not the state's.
        self._isMoved = False

    def follow(self, segmentationNode: vtkMRMLSegmentationNode | None) -> bool:
        """Take the result of a segmentation, read from the maps it carries.

        Args:
            segmentationNode: what is chosen, or None.

        Returns:
            Whether another result is followed now.
        """
        key = (segmentationNode.GetID(), mapsTime(segmentationNode)) if segmentationNode else None
        if key == self._loaded and segmentationNode is self.segmentationNode:
            return False
        self.segmentationNode, self._loaded, self.result, self.rows, self._state = segmentationNode, key, None, [], None
        self._isMoved = False
        if segmentationNode is None:
            self.reason = _("There is no result yet: select a CT and click Segment.")
            return True
        try:
            self.result, self._state = self._take(segmentationNode)
        except BadInputError as error:
            self.reason = str(error)
            return True
        self.reason = ""
        self.rows = rowsOf(self.result.measures)
        return True

    def offer(self, result: LiveResult) -> None:
        """Have the result of a run at hand for when its segmentation is followed: its maps need not be read again."""
        self._fresh = result

    def _take(self, segmentationNode: vtkMRMLSegmentationNode) -> tuple[LiveResult, ResultState]:
        fresh, self._fresh = self._fresh, None
        if fresh is not None and fresh.segmentationNode is segmentationNode:
            return fresh, storedState(segmentationNode, fresh.maps.alpha)
        maps, report = readMaps(segmentationNode)
        state = storedState(segmentationNode, maps.alpha)
        result = LiveResult(segmentationNode, maps, report, state.splitSides)
        result.assume(state.options)
        return result, state

    @property
    def state(self) -> ResultState | None:
        """What is shown; None without a result."""
        return self._state

    @property
    def report(self) -> Report | None:
        """Report of the run; None without a result."""
        return self.result.report if self.result else None

    def preview(self, alpha: float) -> None:
        """Move alpha, live, see :meth:`LiveResult.preview`; back where it was, what was there is shown for good again.

        A slider that is set to what it shows, and one that is dragged away and back, tell of no change afterwards.
        """
        if self.result is None or self._state is None:
            return
        if not math.isclose(alpha, alpha_of(self.result.maps, self._state.options), abs_tol=1e-6):
            self._isMoved = True
            self.rows = rowsOf(self.result.preview(alpha))
        elif self._isMoved:
            self._isMoved = False
            self.result.commit(self._state.options)
            self.rows = rowsOf(self.result.measures)

    def apply(self, state: ResultState) -> bool:
        """Show a state for good: clean-up, surfaces, diameters, table.

        Args:
            state: wanted.

        Returns:
            Whether anything changed.
        """
        if self.result is None or state == self._state:
            return False
        self._isMoved = False
        create = False
        if state.splitSides != self.result.splitSides:
            self.result = LiveResult(self.segmentationNode, self.result.maps, self.result.report, state.splitSides)
            self.result.layer.removeOthersOfOurs()
            create = True
        self.result.commit(state.options, create)
        self._state = state
        storeState(self.segmentationNode, state)
        self.rows = rowsOf(self.result.measures)
        writeMeasurements(self.segmentationNode, self.rows)
        return True

    def show(self, shown: Shown, coarseOutline: bool) -> None:
        """Show the fused segments or the stages; what the user hides by hand stays hidden until another choice."""
        wanted = (self._loaded, shown, coarseOutline)
        if self.segmentationNode is not None and wanted != self._shown:
            self._shown = wanted
            showStage(self.segmentationNode, shown, self.result.fusion if self.result else None, coarseOutline)
