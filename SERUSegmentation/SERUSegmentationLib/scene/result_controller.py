"""The result that the panel works on: loaded from the scene, moved by alpha, cleaned up, split, decided on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import slicer

from seru.cohort.decided import sentences_on, verdicts_with
from seru.cohort.verdict_list import ListedVerdict
from seru.errors import BadInputError
from seru.findings import Report
from seru.result.finish import alpha_of, finish
from seru.result.measurements import Measured
from seru.result.verdicts import Decision, Verdict
from SERUSegmentationLib.scene.content import isEdited
from SERUSegmentationLib.scene.finding_outlines import boxOf, outlineFinding, showOutlines, writeOutlines
from SERUSegmentationLib.scene.geometry import sentencesOnTransform
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.markups import drawMarkupsLast, keepOffFinding
from SERUSegmentationLib.scene.measurement_rows import MeasurementRow, rowsOf
from SERUSegmentationLib.scene.measurement_table import writeMeasurements
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.rendering import onlySlicesRendered, renderedOnce
from SERUSegmentationLib.scene.segments import Shown, showStage
from SERUSegmentationLib.scene.stored_result import ResultState, mapsTime, readMaps, storedState, storeState
from SERUSegmentationLib.scene.stored_verdicts import storeVerdicts, verdictsFor
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode


class ResultController:
    """Follows the segmentation that is chosen in the panel.

    Attributes:
        segmentationNode: that is followed, or None.
        result: None where there is none, for the ``reason``.
        rows: sums of both sides, live while alpha moves.
        problems: what could not be taken over from the scene, one sentence each.
        chosen: the finding that is outlined, or None.
    """

    def __init__(self) -> None:
        self.segmentationNode: vtkMRMLSegmentationNode | None = None
        self.result: LiveResult | None = None
        self.reason = ""
        self.rows: list[MeasurementRow] = []
        self.problems: list[str] = []
        self.chosen: Measured | None = None
        self._areCandidatesShown = True
        self._loaded: tuple | str | None = "nothing yet"
        self._state: ResultState | None = None
        self._shown: tuple | None = None
        self._shownCandidates: tuple | None = None
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
        self.showAgain()
        if self.result is not None:
            self.result.renewSurfaces()
        self.segmentationNode, self._loaded, self.result, self.rows, self._state = segmentationNode, key, None, [], None
        self._isMoved, self.problems, self.chosen = False, [], None
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
        # What was chosen when the scene was saved is not chosen here.
        outlineFinding(self.result, None)
        return True

    def offer(self, result: LiveResult) -> None:
        """Have the result of a run at hand for when its segmentation is followed: its maps need not be read again."""
        self._fresh = result

    def _take(self, segmentationNode: vtkMRMLSegmentationNode) -> tuple[LiveResult, ResultState]:
        fresh, self._fresh = self._fresh, None
        if fresh is not None and fresh.segmentationNode is segmentationNode:
            return fresh, storedState(segmentationNode, fresh.maps.alpha)
        result, state, problem = _stored(segmentationNode)
        self.problems += [problem] if problem else []
        return result, state

    def resultOf(self, segmentationNode: vtkMRMLSegmentationNode) -> LiveResult | None:
        """Return the result of a segmentation in the scene, followed or not; None where there is none."""
        if segmentationNode is self.segmentationNode:
            return self.result
        try:
            return _stored(segmentationNode)[0]
        except BadInputError:
            return None

    @property
    def state(self) -> ResultState | None:
        """What is shown; None without a result."""
        return self._state

    @property
    def report(self) -> Report | None:
        """Report of the run; None without a result."""
        return self.result.report if self.result else None

    @property
    def measured(self) -> tuple[Measured, ...]:
        """The findings with their voxels, at what was last shown for good; empty without a result."""
        finished = self.result.finished if self.result else None
        return finished.measured if finished else ()

    @property
    def isMoving(self) -> bool:
        """Whether the scene shows an alpha that the findings do not belong to."""
        return self._isMoved

    @property
    def remarks(self) -> list[str]:
        """What the user should know before believing the result, one sentence each."""
        if self.result is None or self.result.finished is None:
            return self.problems
        bent = sentencesOnTransform(inputVolume(self.result.segmentationNode))
        return [*self.problems, *bent, *self.result.finished.remarks, *self.result.report.warnings]

    def renewSurfaces(self) -> None:
        """Make 3D surfaces that are older than the voxels anew; not while alpha moves."""
        if self.result is not None and self.result.areSurfacesOld and not self._isMoved:
            with renderedOnce():
                self.result.renewSurfaces()

    def isEdited(self) -> bool:
        """Return whether someone changed our segments by hand, whether or not the maps can still be read."""
        if self.result is not None:
            return self.result.isEdited()
        return self.segmentationNode is not None and isEdited(self.segmentationNode)

    def preview(self, alpha: float) -> None:
        """Move alpha, live, see :meth:`LiveResult.preview`; back where it was, what was there is shown for good again.

        A slider that is set to what it shows, and one that is dragged away and back, tell of no change afterwards.
        """
        if self.result is None or self._state is None:
            return
        if not math.isclose(alpha, alpha_of(self.result.maps, self._state.options), abs_tol=1e-6):
            self._isMoved = True
            with onlySlicesRendered(self.result.segmentationNode):
                volumes = self.result.preview(alpha)
            self.rows = rowsOf(volumes)
        elif self._isMoved:
            self._isMoved = False
            with renderedOnce():
                self.result.commit(self._state.options, surfacesLater=True)
            self.rows = rowsOf(self.result.measures)

    def showAgain(self) -> None:
        """Show the result for good where parts of another one are shown meanwhile."""
        result, state = self.result, self._state
        if result is None or state is None or not result.showsParts:
            return
        if slicer.mrmlScene.IsNodePresent(result.segmentationNode) and not slicer.mrmlScene.IsClosing():
            with renderedOnce():
                result.commit(state.options)

    def apply(self, state: ResultState) -> bool:
        """Show a state for good: clean-up, surfaces, diameters, table.

        Args:
            state: wanted.

        Returns:
            Whether anything changed.
        """
        if self.result is None or state == self._state:
            return False
        create = False
        if state.splitSides != self.result.splitSides:
            old = self.result
            self.result = LiveResult(old.segmentationNode, old.maps, old.report, state.splitSides, old.verdicts)
            self.result.areSurfacesOld = old.areSurfacesOld
            create = True
        with renderedOnce():
            self._commit(self.result, state, create)
            if create:
                drawMarkupsLast(self.result.segmentationNode)
        return True

    def decide(self, measured: Measured, decision: Decision | None) -> None:
        """Apply a person's verdict on a finding at once, and keep it with the result.

        Args:
            measured: one of :attr:`measured`.
            decision: None takes back what was said.
        """
        result, state = self.result, self._state
        if result is None or state is None or result.finished is None:
            return
        finding, finished = measured.finding, result.finished
        verdicts = finished.without_verdict_on(finding, result.verdicts)
        if decision is not None:
            verdicts = (*verdicts, finished.verdict_on(finding, decision))
        self._putVerdicts(result, state, verdicts)

    def decideListed(self, listed: Sequence[ListedVerdict]) -> list[str]:
        """Apply the verdicts of a list at once, and keep them with the result.

        Args:
            listed: on this result's CT; those on nothing that was found change nothing.

        Returns:
            What the user should know of them, one sentence each.
        """
        result, state = self.result, self._state
        if result is None or state is None or result.finished is None:
            return []
        found = [result.finished]
        if result.verdicts:
            # A list made before those verdicts names what they have changed.
            found.append(finish(result.maps, state.options, verdicts=(), has_ranges=False))
        sentences = list(sentences_on(listed, [finding for one in found for finding in one.findings]))
        self._putVerdicts(result, state, verdicts_with(result.verdicts, found, listed))
        return sentences

    def _putVerdicts(self, result: LiveResult, state: ResultState, verdicts: tuple[Verdict, ...]) -> None:
        result.verdicts = verdicts
        storeVerdicts(result.segmentationNode, verdicts, result.maps.grid)
        self.problems = []
        with renderedOnce():
            self._commit(result, state)

    def isDecided(self, measured: Measured) -> bool:
        """Return whether a person said something of a finding that can be taken back."""
        result = self.result
        if result is None or result.finished is None:
            return False
        return len(result.finished.without_verdict_on(measured.finding, result.verdicts)) < len(result.verdicts)

    def choose(self, measured: Measured | None) -> None:
        """Outline a finding instead of the one before.

        Args:
            measured: one of :attr:`measured`; None outlines none.
        """
        if self.result is not None and measured is not self.chosen:
            self.chosen = measured
            with renderedOnce():
                outlineFinding(self.result, measured)
                showOutlines(self.result.segmentationNode, self._areCandidatesShown)
                box = boxOf(self.result, measured) if measured else None
                keepOffFinding(self.result.segmentationNode, self.result.report, box)

    def _commit(self, result: LiveResult, state: ResultState, create: bool = False) -> None:
        """Write a result with all that hangs on it."""
        self._isMoved = False
        result.commit(state.options, create, surfacesLater=not create)
        self._state, self.chosen = state, None
        storeState(result.segmentationNode, state)
        self.rows = rowsOf(result.measures)
        writeMeasurements(result)
        writeOutlines(result, self._areCandidatesShown)

    def show(self, shown: Shown, coarseOutline: bool) -> None:
        """Show the fused segments or the stages; what the user hides by hand stays hidden until another choice."""
        wanted = (self._loaded, shown, coarseOutline)
        if self.segmentationNode is not None and wanted != self._shown:
            self._shown = wanted
            with renderedOnce():
                showStage(self.segmentationNode, shown, self.result.fusion if self.result else None, coarseOutline)

    def showCandidates(self, areShown: bool) -> None:
        """Show or hide the outlines of what is not believed."""
        self._areCandidatesShown = areShown
        wanted = (self._loaded, areShown)
        if self.segmentationNode is not None and wanted != self._shownCandidates:
            self._shownCandidates = wanted
            with renderedOnce():
                showOutlines(self.segmentationNode, areShown)


def _stored(segmentationNode: vtkMRMLSegmentationNode) -> tuple[LiveResult, ResultState, str]:
    """The result that a segmentation carries, what it shows, and what could not be taken over, one sentence."""
    maps, report = readMaps(segmentationNode)
    state = storedState(segmentationNode, maps.alpha)
    verdicts, problem = verdictsFor(segmentationNode, inputVolume(segmentationNode), maps.grid)
    # Verdicts that do not hold: the result goes without.
    result = LiveResult(segmentationNode, maps, report, state.splitSides, () if problem else verdicts)
    result.assume(state.options)
    return result, state, problem
