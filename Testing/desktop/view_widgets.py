"""A view with its colored bar: qMRMLSliceWidget and qMRMLThreeDWidget, and the table view of a layout."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from Testing.desktop.ctk_slider import ctkDoubleSlider
from Testing.desktop.qmrml_table_view import qMRMLTableView
from Testing.desktop.views import qMRMLSliceView, qMRMLThreeDView

THREE_D_COLOR = "#7583BE"


def _color_of(node: Any) -> QColor:
    return QColor.fromRgbF(*node.GetLayoutColor()) if node.GetLayoutColor() else QColor(THREE_D_COLOR)


def _symbol(kind: str) -> QIcon:
    """Draw the symbol of a bar's button: four corners, or a cross hair."""
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setPen(QPen(Qt.GlobalColor.black, 3))
    if kind == "fit":
        for x, y, dx, dy in ((5, 5, 8, 8), (27, 5, -8, 8), (5, 27, 8, -8), (27, 27, -8, -8)):
            painter.drawLine(x, y, x + dx, y)
            painter.drawLine(x, y, x, y + dy)
    else:
        painter.drawEllipse(8, 8, 16, 16)
        painter.drawLine(16, 2, 16, 30)
        painter.drawLine(2, 16, 30, 16)
    painter.end()
    return QIcon(pixmap)


class _Bar(QWidget):
    """The strip above a view: its letter on its color."""

    def __init__(self, node: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setFixedHeight(22)
        palette = self.palette
        color = _color_of(node)
        palette.setColor(self.backgroundRole(), color)
        self.setPalette(palette)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(4, 0, 4, 0)
        self._row.setSpacing(4)
        letter = QLabel(node.GetLayoutLabel() or node.GetLayoutName(), self)
        letter.setStyleSheet("font-weight: bold; color: black;")
        self._row.addWidget(letter)


class qMRMLSliceControllerWidget(_Bar):  # noqa: N801
    """Slice offset slider, its value and the fit button; the other controls are left out."""

    def __init__(self, slice_logic: Any, parent: QWidget) -> None:
        super().__init__(slice_logic.GetSliceNode(), parent)
        self._slice_logic = slice_logic
        self._fit = QToolButton(self)
        self._fit.setIcon(_symbol("fit"))
        self._fit.setAutoRaise(True)
        self._fit.setToolTip("Adjust the slice viewer's field of view to match the extent of the lowest non-null layer")
        self._fit.clicked.connect(lambda *_: slice_logic.FitSliceToBackground())
        self._offset = ctkDoubleSlider(self)
        self._text = QLabel(self)
        self._text.setStyleSheet("color: black;")
        self._text.setMinimumWidth(90)
        self._text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for widget, stretch in ((self._fit, 0), (self._offset, 1), (self._text, 0)):
            self._row.addWidget(widget, stretch)
        self._offset.valueChanged.connect(self.setSliceOffsetValue)
        self._place: tuple[Any, ...] | None = None
        self._tag = slice_logic.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update())
        self._update()

    def _update(self) -> None:
        node = self._slice_logic.GetSliceNode()
        if node is None:
            return
        ranges, step = [0.0, 0.0], vtk.reference(1.0)
        has_range = self._slice_logic.GetSliceOffsetRangeResolution(ranges, step)
        place = (has_range, *ranges, float(step), self._slice_logic.GetSliceOffset(), node.GetOrientation())
        # The logic tells of every change of a node that it shows, seldom of another place.
        if place != self._place:
            self._place = place
            self._show(*place)

    def _show(self, has_range: bool, low: float, high: float, step: float, offset: float, orientation: str) -> None:
        blocker = QSignalBlocker(self._offset)
        if has_range:
            self._offset.setRange(low, high)
            self._offset.setSingleStep(max(step, 1e-3))
        self._offset.setValue(offset)
        blocker.unblock()
        prefix = {"Axial": "S", "Coronal": "A", "Sagittal": "R"}.get(orientation, "")
        self._text.setText(f"{prefix}: {offset:.3f}mm".lstrip(": "))

    def setSliceOffsetValue(self, offset: float) -> None:
        self._slice_logic.StartSliceOffsetInteraction()
        self._slice_logic.SetSliceOffset(offset)
        self._slice_logic.EndSliceOffsetInteraction()

    def sliceOffsetSlider(self) -> ctkDoubleSlider:
        return self._offset

    def close_bar(self) -> None:
        """Stop observing the slice logic."""
        self._slice_logic.RemoveObserver(self._tag)


class qMRMLSliceWidget(QWidget):  # noqa: N801
    """A slice view with its controller. Left out: orientation by name, blending, light boxes, the corner's texts."""

    def __init__(self, node: Any, application_logic: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slice_logic = slicer.vtkMRMLSliceLogic()
        self._slice_logic.SetMRMLApplicationLogic(application_logic)
        self._slice_logic.SetMRMLScene(slicer.mrmlScene)
        self._slice_logic.SetSliceNode(node)
        application_logic.GetSliceLogics().AddItem(self._slice_logic)
        self._application_logic = application_logic
        self._controller = qMRMLSliceControllerWidget(self._slice_logic, self)
        self._view = qMRMLSliceView(self._slice_logic, application_logic, self)
        _stack(self, self._controller, self._view)

    def sliceLogic(self) -> Any:
        return self._slice_logic

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    viewWidget = sliceView

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def mrmlSliceNode(self) -> Any:
        return self._slice_logic.GetSliceNode()

    mrmlAbstractViewNode = mrmlSliceNode

    def mrmlSliceCompositeNode(self) -> Any:
        return self._slice_logic.GetSliceCompositeNode()

    def close_view(self) -> None:
        """Let go of the scene."""
        self._controller.close_bar()
        self._view.close_view()
        self._application_logic.GetSliceLogics().RemoveItem(self._slice_logic)
        self._slice_logic.SetMRMLScene(None)


class qMRMLThreeDWidget(QWidget):  # noqa: N801
    """A 3D view with its controller bar. Left out: the bar's controls but the one that centres the view."""

    def __init__(self, node: Any, application_logic: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_logic = slicer.vtkMRMLViewLogic()
        self._view_logic.SetMRMLApplicationLogic(application_logic)
        self._view_logic.SetMRMLScene(slicer.mrmlScene)
        self._view_logic.AddViewNode(node.GetLayoutName())
        application_logic.GetViewLogics().AddItem(self._view_logic)
        self._application_logic = application_logic
        self._controller = _ThreeDController(node, self)
        self._view = qMRMLThreeDView(node, application_logic, self)
        self._controller.centre_button().clicked.connect(lambda *_: self._view.resetFocalPoint())
        _stack(self, self._controller, self._view)

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    viewWidget = threeDView

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()

    mrmlAbstractViewNode = mrmlViewNode

    def close_view(self) -> None:
        """Let go of the scene."""
        self._view.close_view()
        self._application_logic.GetViewLogics().RemoveItem(self._view_logic)
        self._view_logic.SetMRMLScene(None)


class _ThreeDController(_Bar):
    """Stands for qMRMLThreeDViewControllerWidget."""

    def __init__(self, node: Any, parent: QWidget) -> None:
        super().__init__(node, parent)
        self._centre = QToolButton(self)
        self._centre.setIcon(_symbol("centre"))
        self._centre.setAutoRaise(True)
        self._centre.setToolTip("Center the 3D view on the scene.")
        self._row.addWidget(self._centre)
        self._row.addStretch(1)

    def centre_button(self) -> QToolButton:
        """Return the button that centres the view."""
        return self._centre


class qMRMLTableWidget(QWidget):  # noqa: N801
    """A table view of a layout; it shows the table of its view node. Left out: its controls, choosing another table."""

    def __init__(self, node: Any, _application_logic: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node = node
        self._view = qMRMLTableView(self)
        self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update())
        _stack(self, _Bar(node, self), self._view)
        self._update()

    def _update(self) -> None:
        self._view.setMRMLTableNode(self._node.GetTableNode())

    def tableView(self) -> qMRMLTableView:
        return self._view

    viewWidget = tableView

    def mrmlAbstractViewNode(self) -> Any:
        return self._node

    def close_view(self) -> None:
        """Let go of the scene."""
        self._node.RemoveObserver(self._tag)
        self._view.setMRMLTableNode(None)


def _stack(parent: QWidget, bar: QWidget, view: QWidget) -> None:
    column = QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(bar)
    column.addWidget(view, 1)
