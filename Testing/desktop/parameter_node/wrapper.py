"""parameterNodeWrapper: a vtkMRMLScriptedModuleNode with typed members, and widgets connected to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import shiboken6
import slicer
import vtk
from PySide6.QtWidgets import QWidget

from Testing.desktop.parameter_node.annotations import splitDottedName, unannotatedType
from Testing.desktop.parameter_node.gui import GuiConnector, createGuiConnector
from Testing.desktop.parameter_node.pack import check_name, describe_members, isParameterPack

SlicerParameterNamePropertyName = "SlicerParameterName"


class _Wrapper:
    """The methods every wrapped class gets."""

    allParameters: dict[str, Any]

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._prefix = prefix or ""
        self._guis: dict[int, tuple[dict[str, GuiConnector], int]] = {}
        self._next_tag, self._is_updating_gui = 0, False
        for name, info in self.allParameters.items():
            if not info.serializer.isIn(parameterNode, self._prefix + name):
                info.serializer.write(parameterNode, self._prefix + name, info.default.value)

    def _read(self, name: str) -> Any:
        info = self.allParameters[name]
        if not info.serializer.isIn(self.parameterNode, self._prefix + name):
            self._write(name, info.default.value)
        return info.serializer.read(self.parameterNode, self._prefix + name)

    def _write(self, name: str, value: Any) -> None:
        with slicer.util.NodeModify(self.parameterNode):
            self.allParameters[name].serializer.write(self.parameterNode, self._prefix + name, value)

    def default(self, name: str) -> Any:
        _check(type(self), name)
        return self.allParameters[name].default

    def getValue(self, name: str) -> Any:
        _check(type(self), name)
        top, rest = splitDottedName(name)
        value = self._read(top)
        return value if rest is None else value.getValue(rest)

    def setValue(self, name: str, value: Any) -> None:
        _check(type(self), name)
        top, rest = splitDottedName(name)
        if rest is None:
            self._write(top, value)
        else:
            self._read(top).setValue(rest, value)

    @classmethod
    def dataType(cls, name: str) -> Any:
        _check(cls, name)
        top, rest = splitDottedName(name)
        kind = cls.allParameters[top].unalteredType
        return kind if rest is None else unannotatedType(kind).dataType(rest)

    # Widgets

    def connectGui(self, gui: Any) -> int:
        if getattr(gui, "isWidgetType", lambda: False)():
            widgets = gui.findChildren(QWidget)
        else:
            widgets = list(gui.__dict__.values())
        named = [(w.property(SlicerParameterNamePropertyName), w) for w in widgets]
        return self.connectParametersToGui({name: widget for name, widget in named if name})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            _check(type(self), name)
        connectors = {
            name: target if isinstance(target, GuiConnector) else createGuiConnector(target, self.dataType(name))
            for name, target in mapping.items()
        }
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._on_gui(name, connector))
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update_gui())
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._guis[tag] = (connectors, observer)
        return tag

    def disconnectGui(self, tag: int) -> None:
        if tag in self._guis:
            connectors, observer = self._guis.pop(tag)
            for connector in connectors.values():
                connector.onChanged(None)
            self.RemoveObserver(observer)

    def _on_gui(self, name: str, connector: GuiConnector) -> Callable[[], None]:
        def callback() -> None:
            with slicer.util.NodeModify(self):
                if not self._is_updating_gui:
                    self.setValue(name, connector.read())

        return callback

    def _update_gui(self) -> None:
        if self._is_updating_gui:
            return
        self._is_updating_gui = True
        try:
            with slicer.util.NodeModify(self):
                for tag, (connectors, observer) in list(self._guis.items()):
                    # A module that is gone may have left its connection: the scene's singletons outlive it.
                    if not all(shiboken6.isValid(connector.widget()) for connector in connectors.values()):
                        del self._guis[tag]
                        self.RemoveObserver(observer)
                        continue
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._is_updating_gui = False

    # The node

    def StartModify(self) -> Any:
        return self.parameterNode.StartModify()

    def EndModify(self, was_modifying: Any) -> Any:
        return self.parameterNode.EndModify(was_modifying)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def _check(cls: Any, name: str) -> None:
    top, rest = splitDottedName(name)
    if top not in cls.allParameters:
        known = ", ".join(cls.allParameters)
        raise ValueError(f"Cannot find a param with the given name: {top}. Found parameters: {known}")
    if rest is not None:
        kind = unannotatedType(cls.allParameters[top].unalteredType)
        if not isParameterPack(kind):
            raise ValueError(f"{kind} is not a parameter pack but expects to have '{rest}'")
        check_name(kind, rest)


def _make_property(name: str) -> property:
    return property(lambda self: self._read(name), lambda self, value: self._write(name, value))


def isParameterNodeWrapper(kind: Any) -> bool:
    """Return whether a class or an object is a parameter node wrapper."""
    return getattr(kind, "_is_parameter_node_wrapper", False)


def parameterNodeWrapper(cls: type | None = None) -> Any:
    """Decorate a class so that its annotated members live in a parameter node."""

    def decorate(kind: type) -> type:
        members = describe_members(kind)
        methods = {k: v for k, v in vars(_Wrapper).items() if not k.startswith("__") or k == "__init__"}
        for name in members:
            if name in methods:
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
            setattr(kind, name, _make_property(name))
        for name, method in methods.items():
            if name in kind.__dict__ and name != "__init__":
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
            setattr(kind, name, method)
        kind.allParameters, kind._is_parameter_node_wrapper = members, True
        return kind

    return decorate if cls is None else decorate(cls)


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """Return the child that shows a parameter, or None."""
    for child in widget.findChildren(QWidget):
        if child.property(SlicerParameterNamePropertyName) == parameter:
            return child
    return None
