"""Stand-ins for CTK's numeric widgets: ctkSliderWidget, ctkDoubleSpinBox, ctkDoubleSlider, ctkRangeWidget.

Source: ctkSliderWidget.cpp, ctkDoubleSlider.cpp, ctkDoubleSpinBox.cpp of commontk/CTK.
"""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from Testing.desktop.qproperty import accessors, field, setters


class ctkDoubleSpinBox(QDoubleSpinBox):  # noqa: N801
    """A spin box; unlike CTK's it is a QDoubleSpinBox itself."""

    FixedDecimals, DecimalsByKey, DecimalsByShortcuts = 0x00, 0x10, 0x01
    DecimalsByValue, DecimalsAsMin, InsertDecimals, ReplaceDecimals = 0x08, 0x40, 0x20, 0x04

    def spinBox(self) -> QDoubleSpinBox:
        return self


class ctkDoubleSlider(QWidget):  # noqa: N801
    """A slider over floats: an integer QSlider of ``singleStep`` wide positions plus an exact value."""

    valueChanged = Signal(float)
    sliderMoved = Signal(float)
    sliderPressed = Signal()
    sliderReleased = Signal()

    def __init__(self, orientation: Any = Qt.Orientation.Horizontal, parent: QWidget | None = None) -> None:
        if isinstance(orientation, QWidget):
            orientation, parent = Qt.Orientation.Horizontal, orientation
        super().__init__(parent)
        self._minimum, self._maximum, self._value = 0.0, 99.0, 0.0
        self._single_step, self._page_step = 1.0, 10.0
        self._slider = QSlider(orientation, self)
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
        if self._slider.isSliderDown():
            self.sliderMoved.emit(value)
        self._change_value(value)

    def _change_value(self, value: float) -> None:
        if value != self._value:
            self._value = value
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

    def setTickInterval(self, interval: float) -> None:
        self._slider.setTickInterval(round(interval / self._single_step))

    def qslider(self) -> QSlider:
        """Return the slider inside, for a test's mouse (the desktop's own)."""
        return self._slider

    def isSliderDown(self) -> bool:
        return self._slider.isSliderDown()

    value = accessors(float, lambda self: self._value, setValue)
    minimum = accessors(float, lambda self: self._minimum, setMinimum)
    maximum = accessors(float, lambda self: self._maximum, setMaximum)
    singleStep = accessors(float, lambda self: self._single_step, setSingleStep)
    pageStep = accessors(float, lambda self: self._page_step, setPageStep)


@setters("tracking", "spinBoxVisible", "popupSlider", "synchronizeSiblings")
class ctkSliderWidget(QWidget):  # noqa: N801
    """A slider and a spin box that share one value, rounded to ``decimals``."""

    NoSynchronize, SynchronizeWidth, SynchronizeDecimals = 0x0, 0x1, 0x2

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tracking, self._is_changing, self._value_before = True, False, 0.0
        self._spin_box_visible, self._popup_slider, self._synchronize_siblings = True, False, 0
        self._slider = ctkDoubleSlider(Qt.Orientation.Horizontal, self)
        self._spin = ctkDoubleSpinBox(self)
        self._spin.setRange(0.0, 99.0)
        self._spin.setDecimals(2)
        self._spin.setKeyboardTracking(True)
        self._slider.setObjectName("Slider")
        self._spin.setObjectName("SpinBox")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spin)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._slider.valueChanged.connect(self._on_slider)
        self._spin.valueChanged.connect(self._on_spin)
        self._slider.sliderPressed.connect(self._start_changing)
        self._slider.sliderReleased.connect(self._stop_changing)

    def _on_slider(self, value: float) -> None:
        self._spin.setValue(value)
        if self._spin.value != value:  # the spin box rounds
            blocker = QSignalBlocker(self._slider)
            self._slider.setValue(self._spin.value)
            blocker.unblock()

    def _on_spin(self, value: float) -> None:
        blocker = QSignalBlocker(self._slider)
        self._slider.setValue(value)
        blocker.unblock()
        self.valueIsChanging.emit(value)
        if not self._is_changing:
            self.valueChanged.emit(value)

    def _start_changing(self) -> None:
        if not self._tracking:
            self._is_changing = True
            self._value_before = self._spin.value

    def _stop_changing(self) -> None:
        if self._is_changing:
            self._is_changing = False
            if self._spin.value != self._value_before:
                self.valueChanged.emit(self._spin.value)

    def setValue(self, value: float) -> None:
        was_changing, self._is_changing = self._is_changing, False
        self._spin.setValue(float(value))
        self._is_changing = was_changing

    def _value(self) -> float:
        return self._value_before if self._is_changing else self._spin.value

    def setMinimum(self, minimum: float) -> None:
        self.setRange(minimum, max(minimum, self._spin.maximum))

    def setMaximum(self, maximum: float) -> None:
        self.setRange(min(maximum, self._spin.minimum), maximum)

    def setRange(self, minimum: float, maximum: float) -> None:
        blocker = QSignalBlocker(self._slider)
        self._slider.setRange(minimum, maximum)
        blocker.unblock()
        self._spin.setRange(minimum, maximum)

    def setSingleStep(self, step: float) -> None:
        self._spin.setSingleStep(step)
        self._slider.setSingleStep(step)

    def setPageStep(self, step: float) -> None:
        self._slider.setPageStep(step)

    def setDecimals(self, decimals: int) -> None:
        self._spin.setDecimals(decimals)
        self.decimalsChanged.emit(decimals)

    def setPrefix(self, prefix: str) -> None:
        self._spin.setPrefix(prefix)

    def setSuffix(self, suffix: str) -> None:
        self._spin.setSuffix(suffix)

    def setTickInterval(self, interval: float) -> None:
        self._slider.setTickInterval(interval)

    def reset(self) -> None:
        self.setValue(0.0)

    def _update_spin(self) -> None:
        self._spin.setVisible(self._spin_box_visible)

    def slider(self) -> ctkDoubleSlider:
        return self._slider

    def spinBox(self) -> ctkDoubleSpinBox:
        return self._spin

    value = accessors(float, _value, setValue)
    minimum = accessors(float, lambda self: self._spin.minimum, setMinimum)
    maximum = accessors(float, lambda self: self._spin.maximum, setMaximum)
    singleStep = accessors(float, lambda self: self._spin.singleStep, setSingleStep)
    pageStep = accessors(float, lambda self: self._slider.pageStep, setPageStep)
    decimals = accessors(int, lambda self: self._spin.decimals, setDecimals)
    prefix = accessors(str, lambda self: self._spin.prefix, setPrefix)
    suffix = accessors(str, lambda self: self._spin.suffix, setSuffix)
    tracking = field(bool, "tracking")
    spinBoxVisible = field(bool, "spin_box_visible", "_update_spin")
    popupSlider = field(bool, "popup_slider")
    synchronizeSiblings = field(int, "synchronize_siblings")


class ctkRangeWidget(QWidget):  # noqa: N801
    """Two spin boxes for a range; CTK's slider with two handles is left out."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._low, self._high = ctkDoubleSpinBox(self), ctkDoubleSpinBox(self)
        for spin in (self._low, self._high):
            spin.setRange(0.0, 99.0)
            layout.addWidget(spin)
        self._high.setValue(99.0)
        self._low.valueChanged.connect(self._on_low)
        self._high.valueChanged.connect(self._on_high)

    def _on_low(self, value: float) -> None:
        self._high.setValue(max(self._high.value, value))
        self.minimumValueChanged.emit(value)
        self.valuesChanged.emit(value, self._high.value)

    def _on_high(self, value: float) -> None:
        self._low.setValue(min(self._low.value, value))
        self.maximumValueChanged.emit(value)
        self.valuesChanged.emit(self._low.value, value)

    def setRange(self, minimum: float, maximum: float) -> None:
        self._low.setRange(minimum, maximum)
        self._high.setRange(minimum, maximum)

    def setValues(self, low: float, high: float) -> None:
        self._high.setValue(high)
        self._low.setValue(low)

    def setDecimals(self, decimals: int) -> None:
        self._low.setDecimals(decimals)
        self._high.setDecimals(decimals)

    def setSingleStep(self, step: float) -> None:
        self._low.setSingleStep(step)
        self._high.setSingleStep(step)

    minimumValue = accessors(float, lambda self: self._low.value, lambda self, v: self._low.setValue(v))
    maximumValue = accessors(float, lambda self: self._high.value, lambda self, v: self._high.setValue(v))
    minimum = accessors(float, lambda self: self._low.minimum, lambda self, v: self.setRange(v, self._low.maximum))
    maximum = accessors(float, lambda self: self._low.maximum, lambda self, v: self.setRange(self._low.minimum, v))
    singleStep = accessors(float, lambda self: self._low.singleStep, setSingleStep)
    decimals = accessors(int, lambda self: self._low.decimals, setDecimals)


class ctkDoubleRangeSlider(ctkRangeWidget):  # noqa: N801
    """As ctkRangeWidget here."""
