"""slicer.app: the QApplication with what Slicer adds to it, and the managers it hands out."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any, ClassVar

import slicer
from PySide6.QtCore import QObject, QProcessEnvironment, QSettings, Signal
from PySide6.QtWidgets import QApplication

from Testing.desktop.io_manager import qSlicerCoreIOManager
from Testing.desktop.qproperty import accessors
from Testing.desktop.scene import SceneParts

VERSION = (5, 13, 0)


class qSlicerModuleManager(QObject):  # noqa: N801
    """Knows the modules."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)
    moduleUnloaded = Signal(str)
    SIGNATURES: ClassVar = {f"{n}(QString)": n for n in ("moduleLoaded", "moduleAboutToBeUnloaded", "moduleUnloaded")}

    def module(self, name: str) -> Any:
        return getattr(slicer.modules, name.lower(), None) if name in self.modulesNames() else None

    def modulesNames(self) -> tuple[str, ...]:
        return tuple(vars(slicer.moduleNames).get("_names", {}))

    def factoryManager(self) -> Any:
        return self

    def loadedModuleNames(self) -> tuple[str, ...]:
        return self.modulesNames()

    def isLoaded(self, name: str) -> bool:
        return name in self.modulesNames()


class qSlicerExtensionsManagerModel(QObject):  # noqa: N801
    """No extension is installed here, and none can be."""

    def isExtensionInstalled(self, _name: str) -> bool:
        return False

    def _installed(self) -> list[str]:
        return []

    installedExtensions = accessors("QStringList", _installed)


class qSlicerCommandOptions(QObject):  # noqa: N801
    """The command line: nothing was given on it but the testing mode."""

    def _is_off(self) -> bool:
        return False

    noMainWindow = accessors(bool, _is_off)
    disablePython = accessors(bool, _is_off)
    testingEnabled = accessors(bool, lambda self: slicer.app.testingEnabled())


class qSlicerApplication(QApplication):  # noqa: N801
    """The application object. What is not here raises AttributeError."""

    startupCompleted = Signal()
    mrmlSceneChanged = Signal(object)
    renderPaused = Signal(bool)
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
        self._extensions = qSlicerExtensionsManagerModel(self)
        self._options = qSlicerCommandOptions(self)
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

    def mrmlScene(self) -> Any:
        return self._parts.scene

    def applicationLogic(self) -> Any:
        return self._parts.application_logic

    def moduleLogic(self, name: str) -> Any:
        return self._parts.logics.get(name)

    def layoutManager(self) -> Any:
        return self._layout_manager

    def mainWindow(self) -> Any:
        return self._main_window

    def moduleManager(self) -> qSlicerModuleManager:
        return self._module_manager

    def extensionsManagerModel(self) -> qSlicerExtensionsManagerModel:
        return self._extensions

    def coreIOManager(self) -> qSlicerCoreIOManager:
        return self._io_manager

    ioManager = coreIOManager

    def commandOptions(self) -> qSlicerCommandOptions:
        return self._options

    def testingEnabled(self) -> bool:
        return self._is_testing

    # Settings, paths, environment

    def userSettings(self) -> QSettings:
        return self._settings

    settings = revisionUserSettings = userSettings

    def startupEnvironment(self) -> QProcessEnvironment:
        return self._environment

    def environment(self) -> QProcessEnvironment:
        return QProcessEnvironment.systemEnvironment()

    def setEnvironmentVariable(self, name: str, value: str) -> None:
        os.environ[name] = value

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"{self.documentationBaseUrl}user_guide/modules/{name.lower()}.html"

    # The rest

    def translate(self, _context: str, text: str, *_rest: Any) -> str:
        return text

    def pauseRender(self) -> None:
        self._layout_manager.pauseRender()
        self.renderPaused.emit(True)

    def resumeRender(self) -> None:
        self._layout_manager.resumeRender()
        self.renderPaused.emit(False)

    def setRenderPaused(self, is_paused: bool) -> None:
        (self.pauseRender if is_paused else self.resumeRender)()

    def showConsoleMessage(self, message: str, is_error: bool = True) -> None:
        print(message, file=sys.stderr if is_error else sys.stdout)

    def _set_temporary(self, folder: str) -> None:
        self._temporary = Path(folder)

    temporaryPath = accessors(str, lambda self: str(self._temporary), _set_temporary)
    cachePath = accessors(str, lambda self: str(self._temporary / "RemoteIO"))
    slicerHome = accessors(str, lambda self: str(Path(slicer.__file__).parent))
    extensionsInstallPath = accessors(str, lambda self: str(self._temporary / "Extensions"))
    slicerUserSettingsFilePath = accessors(str, lambda self: self._settings.fileName())
    startupWorkingPath = accessors(str, lambda self: str(Path.cwd()))
    launcherExecutableFilePath = accessors(str, lambda self: "")
    documentationBaseUrl = accessors(str, lambda self: "https://slicer.readthedocs.io/en/latest/")
    majorVersion = accessors(int, lambda self: VERSION[0])
    minorVersion = accessors(int, lambda self: VERSION[1])
    mainApplicationMajorVersion = accessors(int, lambda self: VERSION[0])
    mainApplicationMinorVersion = accessors(int, lambda self: VERSION[1])
    revision = accessors(str, lambda self: "0")
    repositoryRevision = accessors(str, lambda self: "0")
    isInstalled = accessors(bool, lambda self: True)
    os = accessors(str, lambda self: {"Linux": "linux", "Darwin": "macosx"}.get(platform.system(), "win"))
    arch = accessors(str, lambda self: "amd64" if platform.machine() in ("x86_64", "AMD64") else platform.machine())
