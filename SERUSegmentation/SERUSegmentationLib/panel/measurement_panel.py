"""The measurements in the panel, as a table node, and as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer

from seru.errors import SeruError
from SERUSegmentationLib.scene.measurement_rows import rowTitles
from SERUSegmentationLib.scene.measurement_table import exportCsv
from SERUSegmentationLib.scene.nodes import TABLE, companion
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _


class MeasurementPanel:
    """Shows the measurements of what is shown.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onError: called with what went wrong.
    """

    def __init__(self, ui: Any, controller: ResultController, onError: Callable[[Exception], None]) -> None:
        self._ui, self._controller, self._onError = ui, controller, onError
        self._makeTable()
        ui.showTableButton.connect("clicked(bool)", self._onShowTable)
        ui.exportCsvButton.connect("clicked(bool)", self._onExport)

    def refresh(self) -> None:
        """Show the numbers; while alpha moves the diameters wait."""
        rows = self._controller.rows
        for number in range(3):
            texts = rows[number].texts() if rows else ["\u2013"] * 4
            for column, text in enumerate(texts):
                self._items[number][column].setText(text)
        hasTable = companion(self._controller.segmentationNode, TABLE) is not None
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
        node = companion(self._controller.segmentationNode, TABLE)
        if node is None:
            return
        layoutNode = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
        layoutNode.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        selection.SetActiveTableID(node.GetID())
        slicer.app.applicationLogic().PropagateTableSelection()

    def _onExport(self, checked: bool = False) -> None:
        node = self._controller.segmentationNode
        if node is None:
            return
        path = qt.QFileDialog.getSaveFileName(
            self._ui.exportCsvButton, _("Export measurements"), f"{node.GetName()}.csv", "CSV (*.csv)"
        )
        # A newer Qt answers with the filter as well.
        path = path[0] if isinstance(path, tuple) else path
        if not path:
            return
        try:
            exportCsv(node, Path(path))
        except SeruError as error:
            self._onError(error)
