"""Stand-ins for CTK's containers and buttons.

Source: ctkCollapsibleButton.cpp, ctkCollapsibleGroupBox.cpp, ctkMenuButton.h, ctkExpandButton.h of commontk/CTK.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QGroupBox,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOption,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)

from Testing.desktop.qproperty import accessors, field, setters


class _HidesChildren:
    """Hides the children of a collapsed container and shows again those that were visible."""

    def _apply_to_children(self, is_collapsed: bool) -> None:
        for child in self.children():
            if isinstance(child, QWidget) and not child.isWindow():
                self._apply_to_child(child, is_collapsed)
        self.setMaximumHeight(self._header_height() + self._collapsed_height if is_collapsed else 16777215)
        self.updateGeometry()

    def _apply_to_child(self, child: QWidget, is_collapsed: bool) -> None:
        if is_collapsed:
            if child.property("visibilityToParent") is None:
                child.setProperty("visibilityToParent", not child.isHidden())
            child.setVisible(False)
        elif child.property("visibilityToParent") is not None:
            child.setVisible(bool(child.property("visibilityToParent")))
            child.setProperty("visibilityToParent", None)

    def _on_child_event(self, event: Any) -> None:
        child = event.child() if event.type() == QEvent.Type.ChildPolished else None
        if isinstance(child, QWidget) and not child.isWindow() and self.collapsed:
            self._apply_to_child(child, True)


@setters("collapsedHeight", "flat", "contentsLineWidth", "contentsFrameShape")
class ctkCollapsibleButton(QAbstractButton, _HidesChildren):  # noqa: N801
    """A header that opens and closes what lies under it."""

    contentsCollapsed = Signal(bool)

    def __init__(self, *arguments: Any) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        parent = next((a for a in arguments if isinstance(a, QWidget)), None)
        super().__init__(parent)
        self._collapsed_height, self._flat, self._contents_line_width, self._frame_shape = 10, False, 1, 0
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self._header_height(), 0, 0)
        self.toggled.connect(self._on_toggled)

    def _header_height(self) -> int:
        return max(self.fontMetrics().height() + 8, 22)

    def _on_toggled(self, is_checked: bool) -> None:
        self._apply_to_children(not is_checked)
        self.contentsCollapsed.emit(not is_checked)

    def _is_collapsed(self) -> bool:
        return not self.checked

    def setCollapsed(self, is_collapsed: bool) -> None:
        self.setChecked(not is_collapsed)

    def childEvent(self, event: Any) -> None:
        self._on_child_event(event)

    def sizeHint(self) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text) + 40, self._header_height())
        if self.collapsed:
            return header + QSize(0, self._collapsed_height)
        inside = self.layout().totalSizeHint() if self.layout() else header
        return inside.expandedTo(header)

    def minimumSizeHint(self) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text) + 40, self._header_height())
        if self.collapsed:
            return header + QSize(0, self._collapsed_height)
        inside = self.layout().totalMinimumSize() if self.layout() else header
        return inside.expandedTo(header)

    def hitButton(self, position: QPoint) -> bool:
        return QRect(0, 0, self.width, self._header_height()).contains(position)

    def paintEvent(self, _event: Any) -> None:
        painter = QPainter(self)
        header = QRect(0, 0, self.width, self._header_height())
        if not self.collapsed and not self._flat:
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

    collapsed = accessors(bool, _is_collapsed, setCollapsed)
    collapsedHeight = field(int, "collapsed_height")
    flat = field(bool, "flat", "update")
    contentsLineWidth = field(int, "contents_line_width", "update")
    contentsFrameShape = field(int, "frame_shape", "update")


@setters("collapsedHeight")
class ctkCollapsibleGroupBox(QGroupBox, _HidesChildren):  # noqa: N801
    """A group box whose title opens and closes it."""

    def __init__(self, *arguments: Any) -> None:
        title = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        super().__init__(next((a for a in arguments if isinstance(a, QWidget)), None))
        self._collapsed_height = 14
        self.setTitle(title)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(lambda is_on: self._apply_to_children(not is_on))

    def _header_height(self) -> int:
        return self.fontMetrics().height() + 4

    def setCollapsed(self, is_collapsed: bool) -> None:
        self.setChecked(not is_collapsed)

    def childEvent(self, event: Any) -> None:
        self._on_child_event(event)

    def paintEvent(self, event: Any) -> None:
        QGroupBox.paintEvent(self, event)

    collapsed = accessors(bool, lambda self: not self.checked, setCollapsed)
    collapsedHeight = field(int, "collapsed_height")


class ctkMenuButton(QPushButton):  # noqa: N801
    """A push button with a menu; CTK's separate arrow area is left out."""


class ctkPushButton(QPushButton):  # noqa: N801
    """CTK's push button without its icon alignment."""


@setters("mirrorOnExpand", "orientation")
class ctkExpandButton(QToolButton):  # noqa: N801
    """A checkable arrow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mirror_on_expand, self._orientation = False, Qt.Orientation.Horizontal
        self.setCheckable(True)
        self.setAutoRaise(True)
        self.toggled.connect(lambda *_: self._update_arrow())
        self._update_arrow()

    def _update_arrow(self) -> None:
        mirrored = self.checked and self._mirror_on_expand
        if self._orientation == Qt.Orientation.Horizontal:
            arrow = Qt.ArrowType.LeftArrow if mirrored else Qt.ArrowType.RightArrow
        else:
            arrow = Qt.ArrowType.UpArrow if mirrored else Qt.ArrowType.DownArrow
        self.setArrowType(arrow)

    mirrorOnExpand = field(bool, "mirror_on_expand", "_update_arrow")
    orientation = field(Qt.Orientation, "orientation", "_update_arrow")


@setters("checkBoxControlsButton", "checkBoxControlsButtonToggleState", "checkBoxUserCheckable")
class ctkCheckablePushButton(QPushButton):  # noqa: N801
    """A push button with a check state; the check box is not drawn inside it here."""

    checkBoxToggled = Signal(bool)
    checkStateChanged = Signal(Qt.CheckState)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._check_state = Qt.CheckState.Unchecked
        self._controls_button, self._controls_toggle, self._user_checkable = True, True, True

    def setCheckState(self, state: Any) -> None:
        if state != self._check_state:
            self._check_state = state
            if self._controls_toggle:
                self.setCheckable(state == Qt.CheckState.Checked)
            self.checkStateChanged.emit(state)
            self.checkBoxToggled.emit(state == Qt.CheckState.Checked)

    checkState = accessors(Qt.CheckState, lambda self: self._check_state, setCheckState)
    checkBoxControlsButton = field(bool, "controls_button")
    checkBoxControlsButtonToggleState = field(bool, "controls_toggle")
    checkBoxUserCheckable = field(bool, "user_checkable")
