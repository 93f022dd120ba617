"""slicer.modules, and a scripted module in it, loaded the way Slicer loads one.

Source: qSlicerScriptedLoadableModule.cxx, qSlicerScriptedLoadableModuleWidget.cxx of Slicer/Slicer.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import slicer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QVBoxLayout, QWidget

from Testing.desktop.qmrml_widgets import qMRMLWidget
from Testing.desktop.qproperty import accessors


class LogicModule:
    """A C++ module, in Slicer a qSlicerLoadableModule: its name and its real logic. Its widget is left out."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self.title, self._logic = name, name, logic

    def logic(self) -> Any:
        """Return the module's logic."""
        return self._logic


class qSlicerScriptedLoadableModule:  # noqa: N801
    """The C++ side of a scripted module; what its Python class calls ``parent``.

    Left out: a second widget, a logic of its own, what the module says to Slicer's module selector.
    """

    def __init__(self, path: Path) -> None:
        self.name, self.path = path.stem, str(path)
        self.title, self.helpText, self.acknowledgementText = path.stem, "", ""
        self.icon = QIcon()
        self._widget: qSlicerScriptedLoadableModuleWidget | None = None

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        """Return the module's one widget, made on the first call."""
        if self._widget is None:
            self._widget = qSlicerScriptedLoadableModuleWidget(self)
            self._widget.make()
        return self._widget

    def made_widget(self) -> qSlicerScriptedLoadableModuleWidget | None:
        """Return the module's widget where it was made (the desktop's own)."""
        return self._widget

    def forget_widget(self) -> None:
        """Let the next call make a new widget (the desktop's own)."""
        self._widget = None

    def resourcePath(self, name: str) -> str:
        """Return the path of a file in the module's Resources."""
        return str(Path(self.path).parent / "Resources" / name)


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):  # noqa: N801
    """The container a module's Python widget gets as its ``parent``. Left out: nodes handed over for editing."""

    def __init__(self, module: qSlicerScriptedLoadableModule) -> None:
        super().__init__()
        self._module, self._python, self._is_entered = module, None, False
        self.setObjectName(f"{module.name}ModuleWidget")
        self.setLayout(QVBoxLayout())
        self.setMRMLScene(slicer.mrmlScene)

    def make(self) -> None:
        """Make the module's Python widget and set it up."""
        class_name = f"{self._module.name}Widget"
        self._python = getattr(sys.modules[self._module.name], class_name)(self)
        setattr(slicer.modules, class_name, self._python)
        self._python.setup()

    def reload(self) -> None:
        """Make the Python widget again from the reloaded source; as in Slicer, ``enter`` is not called."""
        self.make()

    def self(self) -> Any:
        return self._python

    def enter(self) -> None:
        self._is_entered = True
        if hasattr(self._python, "enter"):
            self._python.enter()

    def exit(self) -> None:
        if self._is_entered:
            self._is_entered = False
            if hasattr(self._python, "exit"):
                self._python.exit()

    def resourcePath(self, name: str) -> str:
        return self._module.resourcePath(name)

    isEntered = accessors(bool, lambda self: self._is_entered)
    moduleName = accessors(str, lambda self: self._module.name)


def make_modules(logics: dict[str, Any]) -> None:
    """Make ``slicer.modules`` with the C++ modules' logics."""
    sys.modules["slicer.modules"] = slicer.modules = ModuleType("slicer.modules")
    for name, logic in logics.items():
        setattr(slicer.modules, name.lower(), LogicModule(name, logic))


def load_scripted_module(path: Path) -> qSlicerScriptedLoadableModule:
    """Import a module's file and make its module object, as Slicer's factory does.

    Args:
        path: the module's .py file; its folder goes on ``sys.path``.

    Returns:
        The module, registered in ``slicer.modules``.
    """
    path = path.resolve()
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    source = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = source
    spec.loader.exec_module(source)
    module = qSlicerScriptedLoadableModule(path)
    instance = getattr(source, path.stem)(module)
    setattr(slicer.modules, f"{path.stem}Instance", instance)
    setattr(slicer.modules, path.stem.lower(), module)
    slicer.app.moduleManager().moduleLoaded.emit(path.stem)
    return module


def unload_scripted_module(module: qSlicerScriptedLoadableModule) -> None:
    """Tell a module that it goes (its widget's ``cleanup`` runs) and forget it; its widget is deleted apart."""
    name = module.name
    if module.made_widget() is not None:
        module.made_widget().exit()
    slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(name)
    for attribute in (name.lower(), f"{name}Instance", f"{name}Widget"):
        if hasattr(slicer.modules, attribute):
            delattr(slicer.modules, attribute)
    slicer.app.moduleManager().moduleUnloaded.emit(name)


def delete_widget(module: qSlicerScriptedLoadableModule) -> None:
    """Delete the panel of an unloaded module."""
    widget: QWidget | None = module.made_widget()
    if widget is not None:
        module.forget_widget()
        widget.setParent(None)
        widget.deleteLater()
