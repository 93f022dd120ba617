"""Which widget shows which type, and how it is read and written."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, ClassVar

import slicer
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from Testing.desktop.ctk_slider import ctkSliderWidget
from Testing.desktop.parameter_node.annotations import Choice, WithinRange, first_annotation, split_annotations
from Testing.desktop.qmrml_widgets import qMRMLNodeComboBox


class GuiConnector:
    """Between one widget and one parameter; here the parameter is a property of the widget.

    Args:
        widget: of one of ``WIDGETS``.
        datatype: the parameter's type, with annotations.
    """

    WIDGETS: ClassVar[tuple[type, ...]]
    KINDS: ClassVar[tuple[type, ...]] = ()
    PROPERTY: ClassVar[str]
    SIGNAL: ClassVar[str]

    def __init__(self, widget: Any, datatype: Any) -> None:
        self._widget, self._callback = widget, None
        self._kind, self._annotations = split_annotations(datatype)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        """Return whether widgets of this connector can show the type."""
        return kind in cls.KINDS

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        """Call back when the user changes the widget; None ends that."""
        self._callback = callback
        signal = getattr(self._widget, self.SIGNAL)
        (signal.disconnect if callback is None else signal.connect)(self._changed)

    def _changed(self) -> None:
        if self._callback:
            self._callback()

    def widget(self) -> QWidget:
        """Return the widget."""
        return self._widget

    def read(self) -> Any:
        """Return the widget's value."""
        return getattr(self._widget, self.PROPERTY)

    def write(self, value: Any) -> None:
        """Show a value."""
        setattr(self._widget, self.PROPERTY, value)


class CheckBoxConnector(GuiConnector):
    """bool in a check box."""

    WIDGETS, KINDS, PROPERTY, SIGNAL = (QCheckBox,), (bool,), "checked", "stateChanged"


class LineEditConnector(GuiConnector):
    """str in a line edit."""

    WIDGETS, KINDS, PROPERTY, SIGNAL = (QLineEdit,), (str,), "text", "textChanged"

    def write(self, value: str) -> None:
        if value != self._widget.text:  # else the cursor would go to the end
            self._widget.text = value


class _NumberConnector(GuiConnector):
    PROPERTY, SIGNAL = "value", "valueChanged"
    UNBOUNDED: ClassVar[tuple[float, float]]

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        within = first_annotation(self._annotations, WithinRange)
        if within is None and isinstance(widget, ctkSliderWidget):
            raise RuntimeError("Cannot have a connection to ctkSliderWidget where the float types is unbounded.")
        widget.setRange(*((within.minimum, within.maximum) if within else self.UNBOUNDED))


class IntConnector(_NumberConnector):
    """int in a spin box."""

    WIDGETS, KINDS, UNBOUNDED = (QSpinBox,), (int,), (-(2**31), 2**31 - 1)


class FloatConnector(_NumberConnector):
    """float in a double spin box or a CTK slider."""

    WIDGETS, KINDS, UNBOUNDED = (QDoubleSpinBox, ctkSliderWidget), (float,), (float("-inf"), float("inf"))


class ChoiceConnector(GuiConnector):
    """One of Choice(...) in a combo box; its entries are made anew from the choices."""

    WIDGETS, KINDS, SIGNAL = (QComboBox,), (int, float, str, bool), "currentIndexChanged"

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._values, labels = self._entries()
        widget.clear()
        widget.addItems(labels)

    def _entries(self) -> tuple[list[Any], list[str]]:
        """Return the values on offer and their texts."""
        choice = first_annotation(self._annotations, Choice)
        if choice is None:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        return list(choice.choices), [str(value) for value in choice.choices]

    def read(self) -> Any:
        return self._values[self._widget.currentIndex]

    def write(self, value: Any) -> None:
        self._widget.currentIndex = self._values.index(value)


class EnumConnector(ChoiceConnector):
    """An Enum in a combo box, by ``label()`` or name."""

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, enum.Enum)

    def _entries(self) -> tuple[list[Any], list[str]]:
        label = getattr(self._kind, "label", lambda member: member.name)
        return list(self._kind), [label(member) for member in self._kind]


class NodeConnector(GuiConnector):
    """A node in a node combo box, which then offers the type of the annotation."""

    WIDGETS, SIGNAL = (qMRMLNodeComboBox,), "currentNodeChanged"

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.nodeTypes = [self._kind.__name__]

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)


CONNECTORS = (
    CheckBoxConnector,
    LineEditConnector,
    IntConnector,
    FloatConnector,
    ChoiceConnector,
    EnumConnector,
    NodeConnector,
)


def createGuiConnector(widget: Any, datatype: Any) -> GuiConnector:
    """Return the connector between a widget and a type.

    Raises:
        RuntimeError: there is none.
    """
    kind, _annotations = split_annotations(datatype)
    for connector in CONNECTORS:
        # The very type, as in Slicer: a widget derived from one of these is refused.
        if type(widget) in connector.WIDGETS and connector.fits(kind):
            return connector(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type '{type(widget)}'.")
