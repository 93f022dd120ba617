"""Stand-ins for ctkSliderWidget and ctkDoubleSlider.

Source: ctkSliderWidget.cpp, ctkDoubleSlider.cpp of commontk/CTK.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from Testing.desktop.qproperty import accessors, field, setters


class ctkDoubleSlider(QWidget):  # noqa: N801
    """A slider over floats: an integer QSlider of ``singleStep`` wide positions plus an exact value.

    Left out: the vertical slider, tracking, ticks, an inverted slider, the value on the handle.
    """

    valueChanged = Signal(float)
    sliderPressed = Signal()
    sliderReleased = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._minimum, self._maximum, self._value = 0.0, 99.0, 0.0
        self._single_step, self._page_step = 1.0, 10.0
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setTracking(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        self._update_range()
        self._slider.valueChanged.connect(self._on_position)
        self._slider.sliderPressed.connect(self.sliderPressed.emit)
        self._slider.sliderReleased.connect(self.sliderReleased.emit)

    def _update_range(self) -> None:
        blocker = QSignalBlocker(self._slider)
        steps = max(0, math.ceil((self._maximum - self._minimum) / self._single_step - 1e-9))
        self._slider.setRange(0, min(steps, 2**30))
        self._slider.setSingleStep(1)
        self._slider.setPageStep(max(1, round(self._page_step / self._single_step)))
        self._slider.setValue(round((self._value - self._minimum) / self._single_step))
        blocker.unblock()

    def _on_position(self, position: int) -> None:
        value = min(self._maximum, self._minimum + position * self._single_step)
        self._change_value(value)

    def _change_value(self, value: float) -> None:
        before, self._value = self._value, value
        if abs(value - before) > self._single_step * 1e-9:
            self.valueChanged.emit(value)

    def setValue(self, value: float) -> None:
        value = min(max(value, self._minimum), self._maximum)
        blocker = QSignalBlocker(self._slider)
        self._slider.setValue(round((value - self._minimum) / self._single_step))
        blocker.unblock()
        self._change_value(value)

    def setMinimum(self, minimum: float) -> None:
        self.setRange(minimum, max(minimum, self._maximum))

    def setMaximum(self, maximum: float) -> None:
        self.setRange(min(maximum, self._minimum), maximum)

    def setRange(self, minimum: float, maximum: float) -> None:
        self._minimum, self._maximum = minimum, maximum
        self._update_range()
        self.setValue(self._value)

    def setSingleStep(self, step: float) -> None:
        self._single_step = step
        self._update_range()

    def setPageStep(self, step: float) -> None:
        self._page_step = step
        self._update_range()

    def qslider(self) -> QSlider:
        """Return the slider inside, for a test's mouse (the desktop's own)."""
        return self._slider

    value = accessors(float, lambda self: self._value, setValue)
    minimum = accessors(float, lambda self: self._minimum, setMinimum)
    maximum = accessors(float, lambda self: self._maximum, setMaximum)
    singleStep = accessors(float, lambda self: self._single_step, setSingleStep)
    pageStep = accessors(float, lambda self: self._page_step, setPageStep)


@setters("tracking")
class ctkSliderWidget(QWidget):  # noqa: N801
    """A slider and a spin box that share one value; the spin box shows it rounded to ``decimals``.

    Only without tracking it tells that its value is changing, and each time before it tells that it changed.

    Left out: the popup slider, sliders that follow each other, a hidden spin box, value proxies. The spin box is a
    QDoubleSpinBox, not a ctkDoubleSpinBox, and cannot be asked for.
    """

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tracking, self._is_changing, self._value_before = True, False, 0.0
        self._slider, self._spin = ctkDoubleSlider(self), QDoubleSpinBox(self)
        self._spin.setRange(0.0, 99.0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spin)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._slider.valueChanged.connect(self.setSpinBoxValue)
        self._spin.valueChanged.connect(self.setSliderValue)
        self._slider.sliderPressed.connect(self.startChanging)
        self._slider.sliderReleased.connect(self.stopChanging)

    def setSpinBoxValue(self, value: float) -> None:
        self._show(value)
        if not self._tracking:
            self.valueIsChanging.emit(value)
        if not self._is_changing:
            self.valueChanged.emit(value)

    def setSliderValue(self, value: float) -> None:
        self._slider.setValue(value)

    def _show(self, value: float) -> None:
        """Let the spin box show a value that is not its own."""
        blocker = QSignalBlocker(self._spin)
        self._spin.setValue(value)
        blocker.unblock()

    def startChanging(self) -> None:
        if not self._tracking:
            self._value_before, self._is_changing = self._value(), True

    def stopChanging(self) -> None:
        if self._tracking:
            return
        self._is_changing = False
        if abs(self._value() - self._value_before) > self.singleStep * 1e-9:
            self.valueChanged.emit(self._value())

    def setValue(self, value: float) -> None:
        was_changing, self._is_changing = self._is_changing, False
        value = min(max(float(value), self._spin.minimum), self._spin.maximum)
        self._show(value)
        # What the spin box rounds the slider keeps.
        self._slider.setValue(value)
        self._is_changing = was_changing

    def _value(self) -> float:
        return self._value_before if self._is_changing else self._slider.value

    def setMinimum(self, minimum: float) -> None:
        self.setRange(minimum, max(minimum, self._spin.maximum))

    def setMaximum(self, maximum: float) -> None:
        self.setRange(min(maximum, self._spin.minimum), maximum)

    def setRange(self, minimum: float, maximum: float) -> None:
        blocker = QSignalBlocker(self._spin)
        self._spin.setRange(minimum, maximum)
        blocker.unblock()
        self._slider.setRange(minimum, maximum)

    def setSingleStep(self, step: float) -> None:
        self._spin.setSingleStep(step)
        self._slider.setSingleStep(step)

    def setPageStep(self, step: float) -> None:
        self._slider.setPageStep(step)

    def setDecimals(self, decimals: int) -> None:
        self._spin.setDecimals(decimals)

    def setSuffix(self, suffix: str) -> None:
        self._spin.setSuffix(suffix)

    def slider(self) -> ctkDoubleSlider:
        return self._slider

    value = accessors(float, _value, setValue)
    minimum = accessors(float, lambda self: self._spin.minimum, setMinimum)
    maximum = accessors(float, lambda self: self._spin.maximum, setMaximum)
    singleStep = accessors(float, lambda self: self._spin.singleStep, setSingleStep)
    pageStep = accessors(float, lambda self: self._slider.pageStep, setPageStep)
    decimals = accessors(int, lambda self: self._spin.decimals, setDecimals)
    suffix = accessors(str, lambda self: self._spin.suffix, setSuffix)
    tracking = field(bool, "tracking")
