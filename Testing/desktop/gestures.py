"""What a user's hand does: real Qt events, through the widgets and into VTK's interactor styles."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider, QStyle, QStyleOptionSlider, QWidget

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def click(widget: QWidget, button: Any = LEFT) -> None:
    """Click a widget; a check box or a collapsible header on its sensitive place.

    Raises:
        AssertionError: the widget cannot be seen or is disabled, so that no user could click it.
    """
    QApplication.processEvents()
    name = widget.objectName or type(widget).__name__
    assert widget.isVisible(), f"{name} cannot be clicked: it is not visible"
    assert widget.isEnabled(), f"{name} cannot be clicked: it is disabled"
    place = QPoint(widget.width // 2, widget.height // 2)
    if isinstance(widget, QAbstractButton) and not widget.hitButton(place):
        place = QPoint(12, 10)
    QTest.mouseClick(widget, button, NO_MODIFIER, place)
    QApplication.processEvents()


def _handle_center(slider: QSlider, value: int) -> QPoint:
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    option.sliderPosition = value
    style, control = slider.style(), QStyle.ComplexControl.CC_Slider
    return style.subControlRect(control, option, QStyle.SubControl.SC_SliderHandle, slider).center()


def drag_slider(slider: Any, value: float, steps: int = 8) -> None:
    """Drag a slider's handle with the mouse until it stands at a value.

    Args:
        slider: a QSlider, ctkDoubleSlider or ctkSliderWidget.
        value: the value to reach, in the slider's own unit; the handle ends on the nearest position the pixels allow,
            then arrow keys go the rest of the way.
        steps: mouse moves on the way.
    """
    QApplication.processEvents()
    inner, position = _inner_slider(slider, value)
    assert inner.isVisible(), "the slider cannot be dragged: it is not visible"
    assert inner.isEnabled(), "the slider cannot be dragged: it is disabled"
    start, end = _handle_center(inner, inner.value), _handle_center(inner, position)
    _mouse(inner, QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for step in range(1, steps + 1):
        place = start + (end - start) * (step / steps)
        _mouse(inner, QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, LEFT)
        QApplication.processEvents()
    _mouse(inner, QEvent.Type.MouseButtonRelease, end, LEFT, Qt.MouseButton.NoButton)
    while inner.value != position:
        key = Qt.Key.Key_Right if inner.value < position else Qt.Key.Key_Left
        QTest.keyClick(inner, key)
    QApplication.processEvents()


def _inner_slider(slider: Any, value: float) -> tuple[QSlider, int]:
    if isinstance(slider, QSlider):
        return slider, int(value)
    if hasattr(slider, "slider"):
        slider = slider.slider()
    return slider.qslider(), round((value - slider.minimum) / slider.singleStep)


def choose(combo: Any, text: str) -> None:
    """Open a combo box and choose an entry by its text.

    Raises:
        AssertionError: there is no such entry, or the box cannot be used.
    """
    box = combo if isinstance(combo, QComboBox) else combo.comboBox()
    assert box.isVisible(), "the combo box cannot be used: it is not visible"
    assert box.isEnabled(), "the combo box cannot be used: it is disabled"
    index = box.findText(text)
    assert index >= 0, f"no entry '{text}' among {[box.itemText(i) for i in range(box.count)]}"
    box.showPopup()
    QApplication.processEvents()
    box.view().setCurrentIndex(box.model().index(index, box.modelColumn))
    QTest.keyClick(box.view(), Qt.Key.Key_Return)
    QApplication.processEvents()


def type_text(widget: QWidget, text: str) -> None:
    """Replace the text of a line edit or spin box by typing, and press Return."""
    QApplication.processEvents()
    widget.setFocus()
    widget.selectAll()
    QTest.keyClicks(widget, text)
    QTest.keyClick(widget, Qt.Key.Key_Return)


def wheel(view: QWidget, steps: int = 1, place: tuple[int, int] | None = None) -> None:
    """Turn the mouse wheel over a widget; positive steps turn away from the user."""
    x, y = place or (view.width // 2, view.height // 2)
    local = QPointF(x, y)
    turn = QPoint(0, 120 if steps > 0 else -120)
    _mouse(view, QEvent.Type.MouseMove, QPoint(x, y), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)
    for _ in range(abs(steps)):
        phase = Qt.ScrollPhase.NoScrollPhase
        buttons = Qt.MouseButton.NoButton
        event = QWheelEvent(local, view.mapToGlobal(local), QPoint(), turn, buttons, NO_MODIFIER, phase, False)
        QApplication.sendEvent(view, event)
    QApplication.processEvents()


def drag(
    view: QWidget,
    start: tuple[int, int],
    end: tuple[int, int],
    button: Any = LEFT,
    modifiers: Any = NO_MODIFIER,
) -> None:
    """Drag the mouse over a widget from one place to another, in the widget's pixels from its top left."""
    first, last, no_button = QPoint(*start), QPoint(*end), Qt.MouseButton.NoButton
    _mouse(view, QEvent.Type.MouseMove, first, no_button, no_button, modifiers)
    _mouse(view, QEvent.Type.MouseButtonPress, first, button, button, modifiers)
    for step in range(1, 11):
        place = first + (last - first) * (step / 10)
        _mouse(view, QEvent.Type.MouseMove, place, no_button, button, modifiers)
        QApplication.processEvents()
    _mouse(view, QEvent.Type.MouseButtonRelease, last, button, no_button, modifiers)
    QApplication.processEvents()


def _mouse(widget: QWidget, kind: Any, place: QPoint, button: Any, buttons: Any, modifiers: Any = NO_MODIFIER) -> None:
    local = QPointF(place)
    event = QMouseEvent(kind, local, widget.mapToGlobal(local), button, buttons, modifiers)
    QApplication.sendEvent(widget, event)
