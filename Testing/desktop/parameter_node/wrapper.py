"""parameterNodeWrapper: a vtkMRMLScriptedModuleNode with typed members, and widgets connected to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import shiboken6
import slicer
import vtk
from PySide6.QtWidgets import QWidget

from Testing.desktop.parameter_node.annotations import split_annotations
from Testing.desktop.parameter_node.gui import GuiConnector, createGuiConnector
from Testing.desktop.parameter_node.pack import Member, Pack, describe_members

SlicerParameterNamePropertyName = "SlicerParameterName"


class ParameterNodeWrapper:
    """The methods every wrapped class gets.

    Args:
        parameterNode: gets the defaults of the members it lacks.
    """

    allParameters: dict[str, Member]

    def __init__(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        self._guis: dict[int, tuple[dict[str, GuiConnector], int]] = {}
        self._next_tag, self._is_updating_gui = 0, False
        for name in self.allParameters:
            self._read(name)

    def _read(self, name: str) -> Any:
        member = self.allParameters[name]
        if not member.serializer.is_in(self.parameterNode, name):
            self._write(name, member.default)
        return member.serializer.read(self.parameterNode, name)

    def _write(self, name: str, value: Any) -> None:
        serializer = self.allParameters[name].serializer
        serializer.validate(value)
        with slicer.util.NodeModify(self.parameterNode):
            serializer.write(self.parameterNode, name, value)

    def getValue(self, name: str) -> Any:
        """Return a parameter, or one of a pack's: ``pack.member``."""
        top, rest, _member = self._find(name)
        return getattr(self._read(top), rest) if rest else self._read(top)

    def setValue(self, name: str, value: Any) -> None:
        """Set a parameter, or one of a pack's: ``pack.member``."""
        top, rest, _member = self._find(name)
        if rest:
            setattr(self._read(top), rest, value)
        else:
            self._write(top, value)

    @classmethod
    def dataType(cls, name: str) -> Any:
        """Return the type of a parameter, with annotations."""
        return cls._find(name)[2].datatype

    @classmethod
    def _find(cls, name: str) -> tuple[str, str, Member]:
        """Return a dotted name's two parts, the second may be empty, and the member it names."""
        top, _dot, rest = name.partition(".")
        members = cls.allParameters
        if rest and top in members:
            kind = split_annotations(members[top].datatype)[0]
            if not issubclass(kind, Pack):
                raise ValueError(f"{kind} is not a parameter pack but expects to have '{rest}'")
            members = kind.allParameters
        member = members.get(rest or top)
        if member is None:
            raise ValueError(f"Cannot find a param with the given name: {name}. Found: {', '.join(members)}")
        return top, rest, member

    # Widgets

    def connectGui(self, gui: Any) -> int:
        """Connect the widgets that name a parameter in their property ``SlicerParameterName``.

        Args:
            gui: a widget, or the object of slicer.util.childWidgetVariables.

        Returns:
            The tag for :meth:`disconnectGui`.
        """
        widgets = gui.findChildren(QWidget) if isinstance(gui, QWidget) else list(vars(gui).values())
        named = [(w.property(SlicerParameterNamePropertyName), w) for w in widgets]
        return self.connectParametersToGui({name: widget for name, widget in named if name})

    def connectParametersToGui(self, mapping: dict[str, QWidget]) -> int:
        """Connect widgets by the names of their parameters; returns the tag for :meth:`disconnectGui`."""
        connectors = {name: createGuiConnector(widget, self.dataType(name)) for name, widget in mapping.items()}
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._on_gui(name, connector))
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update_gui())
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._guis[tag] = (connectors, observer)
        return tag

    def disconnectGui(self, tag: int | None) -> None:
        """Let widgets and parameters go their own ways; an unknown tag is ignored."""
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

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, was_modifying: int) -> int:
        return self.parameterNode.EndModify(was_modifying)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)


def _node_property(name: str) -> property:
    return property(lambda self: self._read(name), lambda self, value: self._write(name, value))


def parameterNodeWrapper(cls: type) -> type:
    """Decorate a class so that its annotated members live in a parameter node.

    Raises:
        ValueError: a member has the name of a method.
    """
    members = describe_members(cls)
    for name in members:
        if hasattr(ParameterNodeWrapper, name):
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
    names = {"allParameters": members, "__module__": cls.__module__}
    names |= {name: _node_property(name) for name in members}
    return type(cls.__name__, (ParameterNodeWrapper, cls), names)
