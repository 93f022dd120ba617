"""The measurements in the panel, as a table node, and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt
import slicer

from seru.errors import SeruError
from seru.findings import SIDES, Side
from seru.result.nephrometry import Study
from SERUSegmentationLib.panel.nephrometry_table import scoreLine
from SERUSegmentationLib.panel.plain_text import answerOf
from SERUSegmentationLib.scene.drawn_segments import DrawnSegments, measureDrawn
from SERUSegmentationLib.scene.measurement_rows import rowTitles
from SERUSegmentationLib.scene.measurement_table import exportCsv, latestTable, writeDrawnMeasurements
from SERUSegmentationLib.scene.nodes import DRAWN_TABLE, companion, inputVolume
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _


class MeasurementPanel:
    """Shows the measurements of what is shown.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onError: called with what went wrong.
        log: called with what was done, one sentence.
    """

    def __init__(
        self,
        ui: Any,
        controller: ResultController,
        onError: Callable[[Exception], None],
        log: Callable[[str], None],
    ) -> None:
        self._ui, self._controller, self._onError, self._log = ui, controller, onError, log
        # The segmentation that the sentence under the buttons is about.
        self._saidOf: Any = None
        self._makeTable()
        ui.measuredLabel.visible = False
        ui.measureSegmentsButton.connect("clicked(bool)", self._onMeasure)
        ui.showTableButton.connect("clicked(bool)", self._onShowTable)
        ui.exportCsvButton.connect("clicked(bool)", self._onExport)

    def refresh(self) -> None:
        """Show the numbers; while alpha moves the diameters wait."""
        rows = self._controller.rows
        for number in range(3):
            texts = rows[number].texts() if rows else ["\u2013"] * 4
            for column, text in enumerate(texts):
                self._items[number][column].setText(text)
        node = self._controller.segmentationNode
        latest = latestTable(node)
        hasTable = latest is not None
        if node is not self._saidOf or latest is not companion(node, DRAWN_TABLE):
            self._ui.measuredLabel.visible = False
        self._ui.measureSegmentsButton.enabled = node is not None
        self._ui.showTableButton.enabled = hasTable and slicer.app.layoutManager() is not None
        self._ui.exportCsvButton.enabled = hasTable

    def _makeTable(self) -> None:
        table = self._ui.measurementsTable
        table.setRowCount(3)
        table.setColumnCount(4)
        titles = [_("Kidneys,\nsum, ml"), _("Tumors,\nsum, ml"), _("Longest\ntumor, mm"), _("Tumor\nshare, %")]
        table.setHorizontalHeaderLabels(titles)
        table.setVerticalHeaderLabels(list(rowTitles().values()))
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.NoSelection)
        # Its cells are only read: Tab goes on to the buttons.
        table.setTabKeyNavigation(False)
        table.setVerticalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        table.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        self._items = []
        for row in range(3):
            self._items.append([qt.QTableWidgetItem("\u2013") for _column in range(4)])
            for column, item in enumerate(self._items[row]):
                item.setTextAlignment(qt.Qt.AlignCenter)
                table.setItem(row, column, item)
        line = table.fontMetrics().height()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.Fixed)
        table.verticalHeader().setDefaultSectionSize(line + 6)
        table.horizontalHeader().setFixedHeight(2 * line + 6)
        table.setFixedHeight(2 * line + 6 + 3 * (line + 6) + 2)

    def _onShowTable(self, checked: bool = False) -> None:
        node = latestTable(self._controller.segmentationNode)
        manager = slicer.app.layoutManager()
        if node is None or manager is None:
            return
        layoutNode = manager.layoutLogic().GetLayoutNode()
        layoutNode.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveTableID(node.GetID())
        slicer.app.applicationLogic().PropagateTableSelection()

    def _onMeasure(self, checked: bool = False) -> None:
        """Measure the segments as they are now, and show them in their table."""
        node = self._controller.segmentationNode
        if node is None:
            return
        volume = inputVolume(node) or self._ui.inputSelector.currentNode()
        try:
            slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
            try:
                drawn = measureDrawn(node, volume)
                summary = _summaryOf(drawn, drawn.studies())
            finally:
                slicer.app.restoreOverrideCursor()
        except SeruError as error:
            self._onError(error)
            return
        writeDrawnMeasurements(node, drawn.found)
        self._saidOf = node
        self._ui.measuredLabel.text = summary
        self._ui.measuredLabel.visible = True
        self._log(_("The segments of '{name}' were measured as they are.").format(name=node.GetName()))
        self.refresh()
        self._onShowTable()

    def _onExport(self, checked: bool = False) -> None:
        node = self._controller.segmentationNode
        if node is None:
            return
        path = answerOf(
            qt.QFileDialog.getSaveFileName(
                self._ui.exportCsvButton, _("Export measurements"), f"{node.GetName()}.csv", "CSV (*.csv)"
            )
        )
        if not path:
            return
        try:
            exportCsv(node, Path(path))
        except SeruError as error:
            self._onError(error)


def _summaryOf(drawn: DrawnSegments, studies: Mapping[Side, Study | None]) -> str:
    """What the segments show, one line a side and one a tumor that is scored, and what is to be known of it."""
    lines = []
    for side in SIDES:
        measures = drawn.found.measures[side]
        text = _("{side}: kidney {kidney} ml, tumor {tumor} ml")
        volumes = {"kidney": f"{measures.kidney_ml:.1f}", "tumor": f"{measures.tumor_ml:.1f}"}
        lines.append(text.format(side=rowTitles()[side], **volumes))
    lines += [scoreLine(study) for study in studies.values() if study is not None]
    lines += [*drawn.doubts, *drawn.found.warnings, *drawn.found.remarks]
    if drawn.leftOut:
        lines.append(_("Neither kidney nor tumor: {names}").format(names=", ".join(drawn.leftOut)))
    return "\n".join(lines)
