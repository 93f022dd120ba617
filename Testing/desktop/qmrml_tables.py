"""Stand-ins for Slicer's tables: qMRMLTableView, qMRMLSegmentsTableView, qMRMLSegmentSelectorWidget, Show 3D."""

from __future__ import annotations

from typing import Any, ClassVar

import slicer
import vtk
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from Testing.desktop.qmrml_widgets import SceneObserver, qMRMLNodeComboBox
from Testing.desktop.qproperty import accessors, field, setters


class qMRMLTableView(QTableWidget):  # noqa: N801
    """Shows a table node; cells edited here are written to it."""

    SIGNATURES: ClassVar = {"mrmlTableNodeChanged(vtkMRMLTableNode*)": "mrmlTableNodeChanged"}
    mrmlTableNodeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._scene, self._observer = None, None, SceneObserver(self)
        self.cellChanged.connect(self._on_cell)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        if scene is None:
            self.setMRMLTableNode(None)

    def setMRMLTableNode(self, node: Any) -> None:
        if node is self._node:
            return
        self._observer.clear()
        self._node = node
        if node is not None:
            self._observer.add(node, vtk.vtkCommand.ModifiedEvent, lambda *_: self._fill())
            if node.GetScene() is not None:
                scene = node.GetScene()
                self._observer.add(scene, scene.EndCloseEvent, lambda *_: self.setMRMLTableNode(None))
        self._fill()
        self.mrmlTableNodeChanged.emit(node)

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

    def setFirstRowLocked(self, _is_locked: bool) -> None:
        """As in Slicer, only tables with their header in the first row feel it; there are none here."""


@setters("selectionMode", "headerVisible", "visibilityColumnVisible", "colorColumnVisible", "opacityColumnVisible")
@setters("statusColumnVisible", "readOnly")
class qMRMLSegmentsTableView(QWidget):  # noqa: N801
    """The segments of a segmentation: visibility, colour, name. Status, opacity and the context menu are left out."""

    VISIBILITY, COLOR, NAME = range(3)
    selectionChanged = Signal(object, object)
    segmentsAboutToBeModified = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node, self._scene, self._observer, self._is_filling = None, None, SceneObserver(self), False
        self._header_visible, self._show_visibility, self._show_color = True, True, True
        self._show_opacity, self._show_status, self._read_only = False, False, False
        self._table = QTableWidget(0, 3, self)
        self._table.setHorizontalHeaderLabels(["", "Color", "Name"])
        self._table.verticalHeader().hide()
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(self.NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in ((self.VISIBILITY, 34), (self.COLOR, 44)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self._table.setColumnWidth(column, width)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.itemChanged.connect(self._on_item)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        if scene is None:
            self.setSegmentationNode(None)

    def setSegmentationNode(self, node: Any) -> None:
        if node is self._node:
            return
        self._observer.clear()
        self._node = node
        if node is not None:
            for event in ("SegmentationChangedEvent",):
                if hasattr(node, event):
                    self._observer.add(node, getattr(node, event), lambda *_: self._fill())
            self._observer.add(node, slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent, lambda *_: self._fill())
            for event in ("SegmentAdded", "SegmentRemoved", "SegmentModified"):
                self._observer.add(node.GetSegmentation(), getattr(slicer.vtkSegmentation, event), self._on_segments)
            scene = node.GetScene()
            self._observer.add(scene, scene.EndCloseEvent, lambda *_: self.setSegmentationNode(None))
        self._fill()

    def segmentationNode(self) -> Any:
        return self._node

    def _on_segments(self, *_arguments: Any) -> None:
        self._fill()

    def _segment_ids(self) -> list[str]:
        return list(self._node.GetSegmentation().GetSegmentIDs()) if self._node is not None else []

    def _fill(self) -> None:
        if self._is_filling:
            return
        self._is_filling = True
        blocker = QSignalBlocker(self._table)
        ids = self._segment_ids()
        self._table.setRowCount(len(ids))
        for row, segment_id in enumerate(ids):
            self._fill_row(row, segment_id)
        blocker.unblock()
        self._is_filling = False

    def _fill_row(self, row: int, segment_id: str) -> None:
        segment = self._node.GetSegmentation().GetSegment(segment_id)
        display = self._node.GetDisplayNode()
        is_visible = display is not None and display.GetSegmentVisibility(segment_id)
        visible = QTableWidgetItem()
        visible.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        visible.setCheckState(Qt.CheckState.Checked if is_visible else Qt.CheckState.Unchecked)
        pixmap = QPixmap(QSize(24, 14))
        pixmap.fill(QColor.fromRgbF(*segment.GetColor()))
        color = QTableWidgetItem()
        color.setData(Qt.ItemDataRole.DecorationRole, pixmap)
        color.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        name = QTableWidgetItem(segment.GetName())
        name.setData(Qt.ItemDataRole.UserRole, segment_id)
        if self._read_only:
            name.setFlags(name.flags() & ~Qt.ItemFlag.ItemIsEditable)
        for column, item in enumerate((visible, color, name)):
            self._table.setItem(row, column, item)

    def _on_item(self, item: QTableWidgetItem) -> None:
        segment_id = self._table.item(item.row(), self.NAME).data(Qt.ItemDataRole.UserRole)
        if item.column() == self.VISIBILITY:
            is_visible = item.checkState() == Qt.CheckState.Checked
            self._node.GetDisplayNode().SetSegmentVisibility(segment_id, is_visible)
        elif item.column() == self.NAME:
            self._node.GetSegmentation().GetSegment(segment_id).SetName(item.text())

    def selectedSegmentIDs(self) -> tuple[str, ...]:
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return tuple(self._table.item(row, self.NAME).data(Qt.ItemDataRole.UserRole) for row in rows)

    def setSelectedSegmentIDs(self, ids: Any) -> None:
        self._table.clearSelection()
        for row, segment_id in enumerate(self._segment_ids()):
            if segment_id in ids:
                self._table.selectRow(row)

    def segmentCount(self) -> int:
        return self._table.rowCount

    def tableWidget(self) -> QTableWidget:
        return self._table

    def _update_columns(self) -> None:
        self._table.horizontalHeader().setVisible(self._header_visible)
        self._table.setColumnHidden(self.VISIBILITY, not self._show_visibility)
        self._table.setColumnHidden(self.COLOR, not self._show_color)
        self._fill()

    headerVisible = field(bool, "header_visible", "_update_columns")
    visibilityColumnVisible = field(bool, "show_visibility", "_update_columns")
    colorColumnVisible = field(bool, "show_color", "_update_columns")
    opacityColumnVisible = field(bool, "show_opacity")
    statusColumnVisible = field(bool, "show_status")
    readOnly = field(bool, "read_only", "_update_columns")
    selectionMode = accessors(
        int, lambda self: self._table.selectionMode, lambda self, mode: self._table.setSelectionMode(mode)
    )


class qMRMLSegmentationShow3DButton(QPushButton):  # noqa: N801
    """Makes and shows, or removes, the closed surfaces of a segmentation. Its smoothing menu is left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Show 3D", parent)
        self._node, self._observer = None, SceneObserver(self)
        self.setCheckable(True)
        self.setEnabled(False)
        self.clicked.connect(self._on_clicked)

    def setSegmentationNode(self, node: Any) -> None:
        if node is self._node:
            return
        self._observer.clear()
        self._node = node
        if node is not None:
            for event in ("ContainedRepresentationNamesModified", "RepresentationModified"):
                if hasattr(slicer.vtkSegmentation, event):
                    self._observer.add(
                        node.GetSegmentation(), getattr(slicer.vtkSegmentation, event), lambda *_: self._update()
                    )
            self._observer.add(node, slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent, lambda *_: self._update())
        self._update()

    def segmentationNode(self) -> Any:
        return self._node

    def _closed_surface(self) -> str:
        return slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()

    def _update(self) -> None:
        self.setEnabled(self._node is not None)
        has_surface = self._node is not None and self._node.GetSegmentation().ContainsRepresentation(
            self._closed_surface()
        )
        blocker = QSignalBlocker(self)
        self.setChecked(has_surface)
        blocker.unblock()

    def _on_clicked(self, is_checked: bool) -> None:
        if is_checked:
            self._node.CreateClosedSurfaceRepresentation()
            self._node.GetDisplayNode().SetPreferredDisplayRepresentationName3D(self._closed_surface())
            self._node.GetDisplayNode().SetVisibility3D(True)
        else:
            self._node.RemoveClosedSurfaceRepresentation()


class qMRMLSegmentSelectorWidget(QWidget):  # noqa: N801
    """A segmentation and one of its segments."""

    SIGNATURES: ClassVar = {"currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged"}
    currentNodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._observer = SceneObserver(self)
        self._nodes, self._segments = qMRMLNodeComboBox(self), QComboBox(self)
        self._nodes.setNodeTypes(["vtkMRMLSegmentationNode"])
        for action in ("addEnabled", "removeEnabled"):
            setattr(self._nodes, action, False)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addRow("Segmentation:", self._nodes)
        layout.addRow("Segment:", self._segments)
        self._nodes.currentNodeChanged.connect(self._on_node)
        self._segments.currentIndexChanged.connect(lambda *_: self.currentSegmentChanged.emit(self.currentSegmentID()))

    def setMRMLScene(self, scene: Any) -> None:
        self._nodes.setMRMLScene(scene)

    def _on_node(self, node: Any) -> None:
        self._observer.clear()
        if node is not None:
            for event in ("SegmentAdded", "SegmentRemoved", "SegmentModified"):
                self._observer.add(
                    node.GetSegmentation(), getattr(slicer.vtkSegmentation, event), lambda *_: self._fill()
                )
        self._fill()
        self.currentNodeChanged.emit(node)

    def _fill(self) -> None:
        node, keep = self.currentNode(), self.currentSegmentID()
        self._segments.clear()
        for segment_id in node.GetSegmentation().GetSegmentIDs() if node is not None else ():
            self._segments.addItem(node.GetSegmentation().GetSegment(segment_id).GetName(), segment_id)
        self.setCurrentSegmentID(keep)

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def currentSegmentID(self) -> str:
        return self._segments.currentData or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._segments.setCurrentIndex(self._segments.findData(segment_id))
