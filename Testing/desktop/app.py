"""slicer.app: the QApplication with what Slicer adds to it, and the managers it hands out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import slicer
from PySide6.QtCore import QCoreApplication, QObject, QProcessEnvironment, QSettings, Signal
from PySide6.QtWidgets import QApplication

from Testing.desktop.io_manager import qSlicerCoreIOManager
from Testing.desktop.qproperty import accessors
from Testing.desktop.scene import SceneParts


class qSlicerModuleManager(QObject):  # noqa: N801
    """Knows the modules. Left out: their factory, the modules that are ignored or failed to load."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)
    moduleUnloaded = Signal(str)
    SIGNATURES: ClassVar = {f"{n}(QString)": n for n in ("moduleLoaded", "moduleAboutToBeUnloaded", "moduleUnloaded")}

    def module(self, name: str) -> Any:
        module = getattr(slicer.modules, name.lower(), None)
        return module if module is not None and module.name == name else None


class qSlicerApplication(QApplication):  # noqa: N801
    """The application object.

    Left out: versions and folders but the temporary one, extensions, the command line's options, the Python console,
    error log, restart, and what :mod:`slicer.util` does not need either.
    """

    startupCompleted = Signal()
    mrmlSceneChanged = Signal(object)
    SIGNATURES: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}

    def __init__(self, arguments: list[str], temporary_folder: Path) -> None:
        super().__init__(arguments)
        self._temporary = temporary_folder
        self._parts: SceneParts | None = None
        self._layout_manager: Any = None
        self._main_window: Any = None
        self._is_testing = False
        self._environment = QProcessEnvironment.systemEnvironment()
        self._module_manager = qSlicerModuleManager(self)
        self._io_manager = qSlicerCoreIOManager()
        self._settings = QSettings(self)  # the same file as qt.QSettings(), as in Slicer

    def attach(self, parts: SceneParts) -> None:
        """Give the application its scene (the desktop's own)."""
        self._parts = parts
        self.mrmlSceneChanged.emit(parts.scene)

    def set_windows(self, main_window: Any, layout_manager: Any) -> None:
        """Give the application its window and views (the desktop's own)."""
        self._main_window, self._layout_manager = main_window, layout_manager

    def set_testing(self, is_testing: bool) -> None:
        """Switch Slicer's --testing mode (the desktop's own)."""
        self._is_testing = is_testing

    # Scene and logics

    def applicationLogic(self) -> Any:
        return self._parts.application_logic

    def moduleLogic(self, name: str) -> Any:
        return self._parts.logics.get(name)

    def layoutManager(self) -> Any:
        return self._layout_manager

    def moduleManager(self) -> qSlicerModuleManager:
        return self._module_manager

    def coreIOManager(self) -> qSlicerCoreIOManager:
        return self._io_manager

    def testingEnabled(self) -> bool:
        return self._is_testing

    # Settings, paths, environment

    def userSettings(self) -> QSettings:
        return self._settings

    settings = revisionUserSettings = userSettings

    def startupEnvironment(self) -> QProcessEnvironment:
        return self._environment

    # The rest

    def translate(self, context: str, text: str, *rest: Any) -> str:
        return QCoreApplication.translate(context, text, *rest)

    def pauseRender(self) -> None:
        if self._layout_manager is not None:
            self._layout_manager.pauseRender()

    def resumeRender(self) -> None:
        if self._layout_manager is not None:
            self._layout_manager.resumeRender()

    temporaryPath = accessors(str, lambda self: str(self._temporary))
