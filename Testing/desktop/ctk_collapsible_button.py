"""Stand-in for ctkCollapsibleButton.

Source: ctkCollapsibleButton.cpp of commontk/CTK.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QStyle, QStyleOption, QStyleOptionButton, QWidget

from Testing.desktop.qproperty import accessors

COLLAPSED_HEIGHT = 10  # pixels that stay open under the header, CTK's default
UNBOUNDED_HEIGHT = 16777215  # QWIDGETSIZE_MAX


class ctkCollapsibleButton(QAbstractButton):  # noqa: N801
    """A header that opens and closes what lies under it.

    Left out: the properties of the frame and its collapsed height.
    """

    contentsCollapsed = Signal(bool)

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        if isinstance(text, QWidget):  # C++ has both orders
            text, parent = "", text
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self._header_height(), 0, 0)
        self.toggled.connect(self._on_toggled)

    def _header_height(self) -> int:
        return max(self.fontMetrics().height() + 8, 22)

    def _on_toggled(self, is_checked: bool) -> None:
        for child in self.children():
            if isinstance(child, QWidget) and not child.isWindow():
                self._apply_to_child(child)
        self.setMaximumHeight(UNBOUNDED_HEIGHT if is_checked else self._header_height() + COLLAPSED_HEIGHT)
        self.updateGeometry()
        self.contentsCollapsed.emit(not is_checked)

    def _apply_to_child(self, child: QWidget) -> None:
        """Hide a child of a collapsed button; show it again, if it was visible, when the button opens."""
        if self.collapsed:
            if child.property("visibilityToParent") is None:
                child.setProperty("visibilityToParent", not child.isHidden())
            child.setVisible(False)
        elif child.property("visibilityToParent") is not None:
            child.setVisible(bool(child.property("visibilityToParent")))
            child.setProperty("visibilityToParent", None)

    def setCollapsed(self, is_collapsed: bool) -> None:
        self.setChecked(not is_collapsed)

    def childEvent(self, event: QEvent) -> None:
        child = event.child() if event.type() == QEvent.Type.ChildPolished else None
        if isinstance(child, QWidget) and not child.isWindow() and self.collapsed:
            self._apply_to_child(child)

    def sizeHint(self) -> QSize:
        return self._size(self.layout().totalSizeHint() if self.layout() else QSize())

    def minimumSizeHint(self) -> QSize:
        return self._size(self.layout().totalMinimumSize() if self.layout() else QSize())

    def _size(self, contents: QSize) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text) + 40, self._header_height())
        return header + QSize(0, COLLAPSED_HEIGHT) if self.collapsed else contents.expandedTo(header)

    def hitButton(self, position: QPoint) -> bool:
        return QRect(0, 0, self.width, self._header_height()).contains(position)

    def paintEvent(self, _event: QEvent) -> None:
        painter = QPainter(self)
        header = QRect(0, 0, self.width, self._header_height())
        if not self.collapsed:
            painter.setPen(self.palette.color(QPalette.ColorRole.Mid))
            frame = QRect(0, header.height() // 2, self.width - 1, self.height - header.height() // 2 - 1)
            painter.drawRect(frame)
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect = header
        option.state |= QStyle.StateFlag.State_Sunken if self.down else QStyle.StateFlag.State_Raised
        style = self.style()
        style.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        arrow = QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QRect(6, (header.height() - 10) // 2, 10, 10)
        shape = QStyle.PrimitiveElement.PE_IndicatorArrowRight
        if not self.collapsed:
            shape = QStyle.PrimitiveElement.PE_IndicatorArrowDown
        style.drawPrimitive(shape, arrow, painter, self)
        painter.setPen(self.palette.color(QPalette.ColorRole.ButtonText))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic
        painter.drawText(header.adjusted(24, 0, -6, 0), int(left), self.text)
        painter.end()

    collapsed = accessors(bool, lambda self: not self.checked, setCollapsed)
