"""The findings: a table of kidneys, tumors and candidates, what to doubt of them, and a person's verdicts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import qt
import slicer

from seru.findings import Finding
from seru.result.measurements import Measured
from seru.result.verdicts import Decision
from SERUSegmentationLib.panel.findings_table import FindingsTable
from SERUSegmentationLib.panel.plain_text import setFramed, toolTipOf
from SERUSegmentationLib.scene.geometry import toWorld
from SERUSegmentationLib.scene.key_patch_layout import jumpTo
from SERUSegmentationLib.scene.rendering import renderedOnce
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _

# More would not be read.
_MOST_REMARKS = 5


class FindingsPanel:
    """Shows findings, goes to them, and passes verdicts on.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onDecided: called when a verdict was applied.
        onChosen: called when another finding was chosen.
    """

    def __init__(
        self, ui: Any, controller: ResultController, onDecided: Callable[[], None], onChosen: Callable[[], None]
    ) -> None:
        self._ui, self._controller, self._onDecided, self._tellChosen = ui, controller, onDecided, onChosen
        self._shown: tuple[Measured, ...] | None = None
        self.table = FindingsTable(ui.findingsTable, self._onChosen)
        decisions: list[tuple[Any, str, Decision | None]] = [
            (ui.acceptFindingButton, "A", "accepted"),
            (ui.dismissFindingButton, "D", "dismissed"),
            (ui.undoFindingButton, "U", None),
        ]
        self._shortcuts = []
        for button, key, decision in decisions:
            button.connect("clicked(bool)", lambda checked, decision=decision: self._decide(decision))
            shortcut = qt.QShortcut(qt.QKeySequence(key), ui.findingsTable)
            shortcut.setContext(qt.Qt.WidgetShortcut)
            shortcut.connect("activated()", button.click)
            self._shortcuts.append(shortcut)
        setFramed(ui.remarksLabel)
        self._remarksTip = ui.remarksLabel.toolTip

    def refresh(self) -> None:
        """Show the result's findings and remarks; the chosen finding stays chosen."""
        measured = self._controller.measured
        if measured is not self._shown:
            chosen = self.table.chosen()
            self._shown = measured
            self.table.show(measured)
            if chosen is not None and (same := _sameFinding(chosen.finding, measured)) is not None:
                self.table.choose(same)
        self._controller.choose(self.table.chosen())
        self._showRemarks(self._controller.remarks)
        self._enable()

    def goToLargest(self) -> None:
        """Choose the largest tumor, or the largest kidney where there is none, and go there; what is doubted waits."""
        counted = [one for one in self._shown or () if one.finding.is_counted]
        largest = max(counted, key=lambda one: (one.finding.kind == "tumor", one.finding.volume_ml), default=None)
        if largest is not None:
            self.table.choose(largest)
            self._onChosen(largest)

    def follow(self) -> None:
        """Gray the findings while alpha moves: they settle when it is released."""
        self._ui.findingsTable.enabled = bool(self._shown) and not self._controller.isMoving

    def _showRemarks(self, remarks: list[str]) -> None:
        label = self._ui.remarksLabel
        lines = [_("Please check:"), *(f"\u2022 {remark}" for remark in remarks[:_MOST_REMARKS])]
        if len(remarks) > _MOST_REMARKS:
            lines.append(_("and {count} more, under the mouse pointer").format(count=len(remarks) - _MOST_REMARKS))
        label.text = "\n".join(lines) if remarks else ""
        label.toolTip = toolTipOf("\n".join(remarks)) or self._remarksTip
        label.visible = bool(remarks)

    def _enable(self) -> None:
        ui, chosen = self._ui, self.table.chosen()
        status = chosen.finding.status if chosen else None
        self.follow()
        ui.acceptFindingButton.enabled = status not in (None, "accepted")
        ui.dismissFindingButton.enabled = status not in (None, "dismissed")
        ui.undoFindingButton.enabled = chosen is not None and self._controller.isDecided(chosen)
        ui.showCandidatesCheckBox.enabled = any(not one.finding.is_counted for one in self._shown or ())

    def _onChosen(self, measured: Measured) -> None:
        node = self._controller.segmentationNode
        if node is None:
            return
        longest = measured.finding.longest
        middle = [(start + end) / 2 for start, end in zip(longest.start_ras, longest.end_ras, strict=True)]
        with renderedOnce():
            self._controller.choose(measured)
            self._tellChosen()
            jumpTo(slicer.app.layoutManager(), toWorld(node, middle))
        self._enable()

    def _decide(self, decision: Decision | None) -> None:
        chosen = self.table.chosen()
        if chosen is not None:
            self._controller.decide(chosen, decision)
            self._onDecided()


def _sameFinding(finding: Finding, measured: tuple[Measured, ...]) -> Measured | None:
    """The finding that lies where another one of its kind did: verdicts and alpha change number, status and volume."""
    alike = [one for one in measured if (one.finding.kind, one.finding.side) == (finding.kind, finding.side)]
    nearest = min(alike, key=lambda one: math.dist(one.finding.centre_ras, finding.centre_ras), default=None)
    if nearest is None or math.dist(nearest.finding.centre_ras, finding.centre_ras) > finding.longest_3d_mm / 2:
        return None
    return nearest
