"""The headless desktop: one per process."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import logging
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from Testing.desktop.error_log import RAISED, ErrorLog

FOUR_UP = 3
NO_PYSIDE_FROM = (6, 12)
_current: Desktop | None = None


def check_pyside() -> None:
    """Refuse the PySide that corrupts Python 3.11.

    Raises:
        RuntimeError: PySide 6.12 drops a reference to None with every void call before Python 3.12, which ends in a
            crash.
    """
    import PySide6

    if sys.version_info < (3, 12) and PySide6.__version_info__[:2] >= NO_PYSIDE_FROM:
        raise RuntimeError(f"PySide {PySide6.__version__} crashes Python 3.11: install PySide6-Essentials<6.12")


def has_screen() -> bool:
    """Return whether a window can be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


class Desktop:
    """Scene, application, window and views in this process; make it through :func:`desktop`.

    Args:
        is_interactive: open a real window and leave dialogs to the user.
        scale: device pixels per pixel, 2 for pictures of high resolution.
        size: width and height of the window.

    Attributes:
        is_fresh: it is as :meth:`reset` left it; whoever uses it says that it no longer is.
    """

    def __init__(self, is_interactive: bool = False, scale: float = 1.0, size: tuple[int, int] = (1280, 800)) -> None:
        if _current is not None:
            raise RuntimeError("there is one desktop in a process; use Testing.desktop.desktop()")
        check_pyside()
        self.is_interactive = is_interactive
        self.is_fresh = False
        self.errors: list[BaseException] = []
        self.log = ErrorLog()
        self._modules: dict[str, Any] = {}
        self.temporary_folder = Path(tempfile.mkdtemp(prefix="SlicerDesktop-"))
        self._set_environment(scale)
        self._own_excepthook = sys.excepthook
        sys.excepthook = self._on_exception
        self._start(size)

    def _set_environment(self, scale: float) -> None:
        if not self.is_interactive:
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")
        if scale != 1.0:
            os.environ["QT_SCALE_FACTOR"] = str(scale)
        if sys.platform.startswith("linux"):  # the views are rendered off screen anyway
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

    def _start(self, size: tuple[int, int]) -> None:
        import slicer
        from PySide6.QtCore import QCoreApplication, QSettings, qInstallMessageHandler

        from Testing.desktop import app, dialogs, modules, namespaces, pythonqt, scene, window
        from Testing.desktop.layout_manager import qSlicerLayoutManager
        from Testing.desktop.subject_hierarchy import SubjectHierarchyPlugins

        if not self.is_interactive:
            qInstallMessageHandler(self._on_qt_message)
        pythonqt.install()
        scene.alias_python_modules()
        QCoreApplication.setOrganizationName("NA-MIC")
        QCoreApplication.setApplicationName("Slicer")
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(self.temporary_folder))
        self.app = app.qSlicerApplication(["Slicer"], self.temporary_folder)
        slicer.app = self.app
        self.dialogs = dialogs.Dialogs()
        self.dialogs.is_automatic = not self.is_interactive
        self.dialogs.install()
        window.apply_style(self.app)
        parts = scene.make_scene(self.temporary_folder)
        modules.make_modules(parts.logics)
        namespaces.install()
        self.app.attach(parts)
        self.scene, self.logics, self.application_logic = parts.scene, parts.logics, parts.application_logic
        self._parts = parts
        self._plugins = SubjectHierarchyPlugins(parts.scene, self.log.add)
        self.window = window.qSlicerMainWindow()
        self.layout_manager = qSlicerLayoutManager(parts.application_logic, self.window.viewport())
        self.app.set_windows(self.window, self.layout_manager)
        self.layout_manager.setLayout(FOUR_UP)
        self.window.resize(*size)
        self.window.show()
        self.process_events()

    def _on_exception(self, kind: type, error: BaseException, trace: TracebackType | None) -> None:
        """Keep what a slot raised, as Slicer's Python console would show it."""
        if issubclass(kind, KeyboardInterrupt):
            self._own_excepthook(kind, error, trace)
            return
        self.errors.append(error)
        logging.getLogger(RAISED).error("%s", "".join(traceback.format_exception(kind, error, trace)))

    def _on_qt_message(self, kind: Any, _context: Any, text: str) -> None:
        if text.startswith("This plugin does not support"):  # the off-screen platform says it for every window
            return
        print(text, file=sys.stderr)
        if kind.name in ("QtCriticalMsg", "QtFatalMsg"):
            self.log.add(text)

    # Modules

    def load_module(self, path: str | Path) -> Any:
        """Load a scripted module unmodified and show its panel.

        Args:
            path: the module's .py file.

        Returns:
            The module's Python widget, set up and entered.
        """
        from Testing.desktop import modules

        path = Path(path)
        if path.stem in self._modules:
            self.unload(path.stem)
        module = modules.load_scripted_module(path)
        self._modules[module.name] = module
        module.widgetRepresentation()  # here and not in a slot, so that what setup() raises is raised
        self.window.moduleSelector().add_module(module)
        self.app.startupCompleted.emit()
        self.app.disconnect("startupCompleted()")  # it comes once, and each module gets it
        return self.select_module(module.name)

    def select_module(self, name: str) -> Any:
        """Show the panel of a loaded module and return its Python widget."""
        selector = self.window.moduleSelector()
        selector.selectModule(name)
        self.window.panel().show_module(self._modules[name])
        self.process_events()
        return self._modules[name].widgetRepresentation().self()

    def leave_module(self) -> None:
        """Show no module's panel, as when the user goes to another module."""
        from PySide6.QtCore import QSignalBlocker

        blocker = QSignalBlocker(self.window.moduleSelector())
        self.window.moduleSelector()._combo.setCurrentIndex(-1)
        blocker.unblock()
        self.window.panel().show_module(None)
        self.process_events()

    def unload(self, name: str) -> None:
        """Unload a module: exit, cleanup, gone."""
        from Testing.desktop import modules

        modules.delete_widget(self._unload(name))
        self.process_events()

    def _unload(self, name: str) -> Any:
        from Testing.desktop import modules

        module = self._modules.pop(name)
        if self.window.panel().shown_module() is module:
            self.leave_module()
        modules.unload_scripted_module(module)
        self.window.moduleSelector().remove_module(name)
        sys.modules.pop(name, None)
        return module

    # Scene and data

    def load_volume(self, path: str | Path) -> Any:
        """Load a volume from a file through slicer.util, shown in the slice views."""
        import slicer

        return slicer.util.loadVolume(str(path))

    def add_volume(self, array_kji: np.ndarray, ijk_to_ras: np.ndarray | None = None, name: str = "Volume") -> Any:
        """Add a scalar volume from an array and show it.

        Args:
            array_kji: shape (K, J, I), Slicer's array order.
            ijk_to_ras: float64 (4, 4), mm; None is the identity.
            name: the node's name.

        Returns:
            The vtkMRMLScalarVolumeNode.
        """
        import slicer

        node = slicer.util.addVolumeFromArray(array_kji, ijkToRAS=ijk_to_ras, name=name)
        slicer.util.setSliceViewerLayers(background=node, fit=True)
        self.layout_manager.resetThreeDViews()
        return node

    def close_scene(self) -> None:
        """Close the scene as File > Close Scene does."""
        self.scene.Clear(0)
        self.process_events()

    def open_scene(self, path: str | Path) -> bool:
        """Replace the scene by a bundle or a MRML file."""
        import slicer

        is_read = slicer.app.coreIOManager().loadNodes("SceneFile", {"fileName": str(path), "clear": True})
        self.process_events()
        return is_read

    def save_scene(self, path: str | Path) -> bool:
        """Save the scene as a bundle (.mrb) or a MRML file."""
        import slicer

        return slicer.util.saveScene(str(path))

    # Time

    def process_events(self, seconds: float = 0.0) -> None:
        """Let Qt work off its events, for some seconds or once."""
        end = time.monotonic() + seconds
        while True:
            self.app.processEvents()
            self.dialogs.delete_finished()
            self.app.sendPostedEvents(None, 52)  # DeferredDelete comes only to a running event loop otherwise
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.005, left))

    def wait_until(self, is_done: Callable[[], bool], timeout: float = 10.0) -> None:
        """Let Qt work until something is so.

        Raises:
            TimeoutError: it did not become so in ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        while not is_done():
            if time.monotonic() > end:
                raise TimeoutError(f"not so after {timeout} s")
            self.process_events(0.005)

    # Pictures

    def set_drawn(self, is_drawn: bool) -> None:
        """Have the views rendered each time, as they are unless told otherwise, or only where they are looked at."""
        from Testing.desktop.views import MRMLView

        MRMLView.is_drawn = is_drawn

    def slice_view(self, name: str) -> Any:
        """Return a slice view's widget, for wheel and drag."""
        return self.layout_manager.sliceWidget(name).sliceView()

    def three_d_view(self, index: int | str = 0) -> Any:
        """Return a 3D view's widget."""
        return self.layout_manager.threeDWidget(index).threeDView()

    def grab(self, path: str | Path | None = None) -> Any:
        """Return a picture of the whole window as a QImage, and save it where a path is given."""
        from Testing.desktop.views import MRMLView

        self.process_events(0.02)
        for view in self.window.findChildren(MRMLView):
            if view.isVisible():
                view.image()  # as it is now, also where views are not drawn each time
        return _save(self.window.grab().toImage(), path)

    def grab_panel(self, path: str | Path | None = None) -> Any:
        """Return a picture of the module's panel in its full height."""
        self.process_events(0.02)
        widget = self.window.panel().shown_module().widgetRepresentation()
        return _save(widget.grab().toImage(), path)

    def grab_view(self, name: str, path: str | Path | None = None) -> Any:
        """Return a picture of one view: a slice view's name, or "3D" or a 3D view's name."""
        self.process_events(0.02)
        widget = self.layout_manager.sliceWidget(name)
        view = widget.sliceView() if widget is not None else self.three_d_view(0 if name == "3D" else name)
        return _save(view.image(), path)

    # Between tests, and the end

    def reset(self) -> list[str]:
        """Go back to the start: no module, an empty scene, four views, nothing recorded.

        Returns:
            The errors that the log held once the scene was closed, with the modules still there.
        """
        self.app.set_testing(False)
        self.close_scene()
        logged = list(self.log.errors)
        for name in list(self._modules):
            self.unload(name)
        self.layout_manager.setLayout(FOUR_UP)
        self.dialogs.clear()
        self.errors.clear()
        self.log.errors.clear()
        self.app.settings().clear()
        self.process_events()
        self.is_fresh = True
        return logged

    def close(self) -> None:
        """Unload the modules and let go of the scene."""
        global _current
        if _current is None:
            return
        from Testing.desktop import modules

        gone = []
        for name in list(self._modules):
            try:
                gone.append(self._unload(name))
            except Exception as error:  # a module that fails to leave must not keep the desktop open
                logging.exception("cannot unload %s: %s", name, error)
        self.app.aboutToQuit.emit()
        self.layout_manager.close_views()
        self.scene.Clear(1)
        for module in gone:
            modules.delete_widget(module)
        self.window.close()
        gc.collect()
        self.process_events()
        sys.excepthook = self._own_excepthook
        shutil.rmtree(self.temporary_folder, ignore_errors=True)
        _current = None

    def __enter__(self) -> Desktop:
        return self

    def __exit__(self, *_arguments: object) -> None:
        self.close()


def _save(image: Any, path: str | Path | None) -> Any:
    if path is not None and not image.save(str(path)):
        raise OSError(f"cannot write the picture '{path}'")
    return image


def desktop(**options: Any) -> Desktop:
    """Return this process's desktop, started on the first call.

    Args:
        options: as for :class:`Desktop`, on the first call only.

    Returns:
        The desktop.
    """
    global _current
    if _current is None:
        faulthandler.enable()
        _current = Desktop(**options)
        atexit.register(_current.close)
    return _current
