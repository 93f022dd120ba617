"""Stand-in for qMRMLTableView, over a real table node.

Source: qMRMLTableView.cxx of Slicer/Slicer.
"""

from __future__ import annotations

from typing import Any

import vtk
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QTableWidget, QTableWidgetItem, QWidget

from Testing.desktop.qmrml_widgets import SceneObserver


class qMRMLTableView(QTableWidget):  # noqa: N801
    """Shows a table node; cells edited here are written to it.

    Left out: headers in the first row or column, transposed tables, colors and booleans, copy and paste, signals.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._observer = None, SceneObserver(self)
        self.cellChanged.connect(self._on_cell)

    def setMRMLTableNode(self, node: Any) -> None:
        if node is self._node:
            return
        self._observer.clear()
        self._node = node
        if node is not None:
            scene = node.GetScene()
            self._observer.add(node, vtk.vtkCommand.ModifiedEvent, self._fill)
            self._observer.add(scene, scene.EndCloseEvent, lambda: self.setMRMLTableNode(None))
        self._fill()

    def mrmlTableNode(self) -> Any:
        return self._node

    def _fill(self) -> None:
        blocker = QSignalBlocker(self)
        self.clear()
        table = self._node.GetTable() if self._node is not None else None
        self.setRowCount(table.GetNumberOfRows() if table else 0)
        self.setColumnCount(table.GetNumberOfColumns() if table else 0)
        for column in range(self.columnCount):
            self.setHorizontalHeaderItem(column, QTableWidgetItem(table.GetColumnName(column)))
            for row in range(self.rowCount):
                item = QTableWidgetItem(self._node.GetCellText(row, column))
                if self._node.GetLocked():
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                self.setItem(row, column, item)
        self.resizeColumnsToContents()
        blocker.unblock()

    def _on_cell(self, row: int, column: int) -> None:
        self._node.SetCellText(row, column, self.item(row, column).text())
