"""Which widget shows which type, and how it is read and written."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable
from typing import Any

import slicer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTextEdit,
)

from Testing.desktop.ctk_containers import ctkCheckablePushButton
from Testing.desktop.ctk_inputs import ctkCheckBox, ctkComboBox, ctkDirectoryButton, ctkPathLineEdit
from Testing.desktop.ctk_slider import ctkDoubleSlider, ctkDoubleSpinBox, ctkSliderWidget
from Testing.desktop.parameter_node.annotations import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    findFirstAnnotation,
    splitAnnotations,
    unannotatedType,
)
from Testing.desktop.parameter_node.serializers import PATHS
from Testing.desktop.qmrml_widgets import qMRMLNodeComboBox

_connectors: list[type[GuiConnector]] = []


class GuiConnector:
    """Between one widget and one parameter."""

    SIGNAL = ""
    WIDGETS: tuple[type, ...] = ()

    @classmethod
    def canRepresent(cls, widget: Any, datatype: Any) -> bool:
        return type(widget) in cls.WIDGETS and cls.fits(unannotatedType(datatype))

    @classmethod
    def fits(cls, kind: Any) -> bool:
        raise NotImplementedError

    @classmethod
    def create(cls, widget: Any, datatype: Any) -> Any:
        return cls(widget, datatype) if cls.canRepresent(widget, datatype) else None

    def __init__(self, widget: Any = None, datatype: Any = None) -> None:
        self._widget, self._callback = widget, None
        self._kind, self._annotations = splitAnnotations(datatype)

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        self._callback = callback
        (self._disconnect if callback is None else self._connect)()

    def changed(self) -> None:
        if self._callback:
            self._callback()

    def _connect(self) -> None:
        getattr(self._widget, self.SIGNAL).connect(self.changed)

    def _disconnect(self) -> None:
        getattr(self._widget, self.SIGNAL).disconnect(self.changed)

    def widget(self) -> Any:
        return self._widget

    def read(self) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> None:
        raise NotImplementedError


def parameterNodeGuiConnector(cls: type | None = None) -> Any:
    """Decorate a connector so that it is used."""

    def register(kind: type) -> type:
        _connectors.append(kind)
        return kind

    return register if cls is None else register(cls)


def createGuiConnector(widget: Any, datatype: Any) -> GuiConnector:
    """Return the connector between a widget and a type.

    Raises:
        RuntimeError: there is none.
    """
    for connector in _connectors:
        if connector.canRepresent(widget, datatype):
            return connector.create(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type '{type(widget)}'.")


@parameterNodeGuiConnector
class CheckBoxConnector(GuiConnector):
    """bool in a check box."""

    SIGNAL, WIDGETS = "stateChanged", (QCheckBox, ctkCheckBox)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is bool

    def read(self) -> bool:
        return self._widget.checked

    def write(self, value: bool) -> None:
        self._widget.checked = value


@parameterNodeGuiConnector
class PushButtonConnector(CheckBoxConnector):
    """bool in a checkable push button."""

    SIGNAL, WIDGETS = "toggled", (QPushButton, ctkCheckablePushButton)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.checkable = True


class _NumberConnector(GuiConnector):
    SIGNAL = "valueChanged"

    def _limits(self) -> tuple[float | None, float | None]:
        within = findFirstAnnotation(self._annotations, WithinRange)
        if within is not None:
            return within.minimum, within.maximum
        low = findFirstAnnotation(self._annotations, Minimum)
        high = findFirstAnnotation(self._annotations, Maximum)
        return (low.minimum if low else None), (high.maximum if high else None)

    def _set_step(self) -> None:
        step = findFirstAnnotation(self._annotations, SingleStep)
        if step is not None:
            self._widget.singleStep = step.value


@parameterNodeGuiConnector
class IntConnector(_NumberConnector):
    """int in a slider or a spin box."""

    WIDGETS = (QSlider, QSpinBox)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is int

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._set_step()
        low, high = self._limits()
        if isinstance(widget, QSlider) and None in (low, high):
            raise RuntimeError("Cannot have a connection to QSlider where the int type is unbounded.")
        widget.setRange(-(2**31) if low is None else low, 2**31 - 1 if high is None else high)

    def read(self) -> int:
        return self._widget.value

    def write(self, value: int) -> None:
        self._widget.value = value


@parameterNodeGuiConnector
class FloatConnector(_NumberConnector):
    """float, or int, in a double spin box or a CTK slider."""

    WIDGETS = (QDoubleSpinBox, ctkSliderWidget, ctkDoubleSlider, ctkDoubleSpinBox)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in (int, float)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        decimals = findFirstAnnotation(self._annotations, Decimals)
        if not isinstance(widget, ctkDoubleSlider):
            if self._kind is int:
                widget.decimals = 0
            elif decimals is not None:
                widget.decimals = decimals.value
        self._set_step()
        low, high = self._limits()
        if type(widget) is ctkSliderWidget and None in (low, high):
            raise RuntimeError("Cannot have a connection to ctkSliderWidget where the float types is unbounded.")
        widget.minimum = float("-inf") if low is None else float(low)
        widget.maximum = float("inf") if high is None else float(high)

    def read(self) -> float:
        return int(self._widget.value) if self._kind is int else self._widget.value

    def write(self, value: float) -> None:
        self._widget.value = float(value)


class _ComboBoxConnector(GuiConnector):
    SIGNAL, WIDGETS = "currentIndexChanged", (QComboBox, ctkComboBox)
    _values: list[Any]

    def _fill(self, labels: list[str]) -> None:
        self._widget.clear()
        self._widget.addItems(labels)

    def read(self) -> Any:
        return self._values[self._widget.currentIndex]

    def write(self, value: Any) -> None:
        if value not in self._values:
            raise ValueError(f"Unable to find value {value} in choices {self._values}")
        self._widget.currentIndex = self._values.index(value)


@parameterNodeGuiConnector
class ChoiceConnector(_ComboBoxConnector):
    """One of Choice(...) in a combo box; its entries are made from the choices."""

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in (int, float, str, bool)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        choice = findFirstAnnotation(self._annotations, Choice)
        if choice is None:
            raise RuntimeError("A combo box needs the Choice annotation.")
        self._values = list(choice.choices)
        self._fill([str(value) for value in self._values])


@parameterNodeGuiConnector
class EnumConnector(_ComboBoxConnector):
    """An Enum in a combo box, by ``label()`` or name."""

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, enum.Enum)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._values = list(self._kind)
        label = getattr(self._kind, "label", lambda member: member.name)
        saved = self.read()
        self._fill([label(member) for member in self._values])
        self.write(saved)


@parameterNodeGuiConnector
class LineEditConnector(GuiConnector):
    """str in a line edit."""

    SIGNAL, WIDGETS = "textChanged", (QLineEdit,)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is str

    def read(self) -> str:
        return self._widget.text

    def write(self, value: str) -> None:
        if value != self._widget.text:
            self._widget.text = value


@parameterNodeGuiConnector
class LabelConnector(LineEditConnector):
    """str in a label; it only shows."""

    WIDGETS = (QLabel,)

    def _connect(self) -> None:
        """A label never changes by itself."""

    _disconnect = _connect


@parameterNodeGuiConnector
class TextEditConnector(LineEditConnector):
    """str in a text edit."""

    WIDGETS = (QTextEdit, QPlainTextEdit)

    def read(self) -> str:
        return self._widget.toPlainText()

    def write(self, value: str) -> None:
        if value != self._widget.toPlainText():
            self._widget.setPlainText(value)


@parameterNodeGuiConnector
class PathConnector(GuiConnector):
    """A path in CTK's path line edit."""

    SIGNAL, WIDGETS = "currentPathChanged", (ctkPathLineEdit,)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in PATHS

    def read(self) -> Any:
        return self._kind(self._widget.currentPath)

    def write(self, value: Any) -> None:
        self._widget.currentPath = str(value)


@parameterNodeGuiConnector
class DirectoryConnector(PathConnector):
    """A path in CTK's directory button."""

    SIGNAL, WIDGETS = "directoryChanged", (ctkDirectoryButton,)

    def read(self) -> Any:
        return self._kind(self._widget.directory)

    def write(self, value: Any) -> None:
        self._widget.directory = str(value)


def node_classes(kind: Any) -> list[type]:
    """Return the MRML node classes of a type, empty where something else is in it."""
    is_union = typing.get_origin(kind) is typing.Union or isinstance(kind, types.UnionType)
    members = [unannotatedType(a) for a in typing.get_args(kind)] if is_union else [kind]
    classes = [m for m in members if m is not type(None)]
    if not all(isinstance(m, type) and issubclass(m, slicer.vtkMRMLNode) for m in classes):
        return []
    return classes


@parameterNodeGuiConnector
class NodeConnector(GuiConnector):
    """A node in a node combo box, which then offers the types of the annotation."""

    SIGNAL, WIDGETS = "currentNodeChanged", (qMRMLNodeComboBox,)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return bool(node_classes(kind))

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.nodeTypes = [node_class.__name__ for node_class in node_classes(self._kind)]

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)
