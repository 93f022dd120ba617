"""The main window: module selector, module panel, views."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QFrame,
    QLabel,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QTextBrowser,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from Testing.desktop.ctk_collapsible_button import ctkCollapsibleButton
from Testing.desktop.modules import qSlicerScriptedLoadableModule
from Testing.desktop.qproperty import accessors

PANEL_WIDTH = 430


class qSlicerModuleSelectorToolBar(QToolBar):  # noqa: N801
    """Chooses the module whose panel is shown. Left out: menus by category, search, history, favourites."""

    moduleSelected = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Module Selection", parent)
        self.setObjectName("ModuleSelectorToolBar")
        self.setMovable(False)
        self._combo = QComboBox(self)
        self._combo.setMinimumWidth(220)
        self._combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.addWidget(QLabel(" Modules:  "))
        self.addWidget(self._combo)
        self._combo.currentIndexChanged.connect(lambda *_: self.moduleSelected.emit(self._selected()))

    def _selected(self) -> str:
        return self._combo.currentData or ""

    def add_module(self, module: Any) -> None:
        """Offer a module."""
        blocker = QSignalBlocker(self._combo)
        if self._combo.findData(module.name) < 0:
            self._combo.addItem(module.icon, module.title or module.name, module.name)
            self._combo.setCurrentIndex(-1)
        blocker.unblock()

    def remove_module(self, name: str) -> None:
        """Offer a module no more."""
        blocker = QSignalBlocker(self._combo)
        self._combo.removeItem(self._combo.findData(name))
        self._combo.setCurrentIndex(-1)
        blocker.unblock()

    def selectModule(self, name: str) -> None:
        index = self._combo.findData(name)
        if index < 0:
            raise RuntimeError(f"the desktop has no panel for the module '{name}'")
        self._combo.setCurrentIndex(index)

    selectedModule = accessors(str, _selected)


class ModulePanel(QWidget):
    """The panel at the left, in Slicer qSlicerModulePanel: help, then the module's widget in a scroll area."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("ModulePanel")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 0)
        column.setSpacing(2)
        self._help = ctkCollapsibleButton("Help && Acknowledgement", self)
        self._help_text = QTextBrowser(self._help)
        self._help_text.setOpenExternalLinks(True)
        help_column = QVBoxLayout(self._help)
        help_column.setContentsMargins(6, 6, 6, 6)
        help_column.addWidget(self._help_text)
        self._help.setCollapsed(True)
        self._help.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._help)
        column.addWidget(self._scroll, 1)
        self._module: Any = None

    def show_module(self, module: Any) -> None:
        """Show a module's panel: the old one is left, the new one entered."""
        if self._module is module:
            return
        if self._module is not None:
            self._module.widgetRepresentation().exit()
            self._module.widgetRepresentation().removeEventFilter(self)
            self._scroll.takeWidget()
        self._module = module
        if module is None:
            return
        widget = module.widgetRepresentation()
        self._scroll.setWidget(widget)
        widget.layout().setContentsMargins(0, 0, 0, 0)
        widget.installEventFilter(self)
        widget.show()
        self._help_text.setHtml(f"{module.helpText}<p>{module.acknowledgementText}</p>")
        widget.enter()

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Keep the panel wide enough for its module, as Slicer's does."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize) and watched is self._scroll.widget():
            bar = self._scroll.verticalScrollBar()
            wanted = watched.minimumSizeHint.width() + (bar.sizeHint.width() if bar.isVisible() else 0)
            self._scroll.setMinimumWidth(min(wanted, 900))
        return False

    def shown_module(self) -> Any:
        """Return the module whose panel is shown, or None."""
        return self._module


class qSlicerMainWindow(QMainWindow):  # noqa: N801
    """The window. Its menus, data probe and Python console are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("Headless desktop (slicer-core)")
        self._selector = qSlicerModuleSelectorToolBar(self)
        self.addToolBar(self._selector)
        self._dock = QDockWidget(self)
        self._dock.setObjectName("PanelDockWidget")
        self._dock.setTitleBarWidget(QWidget(self._dock))
        self._dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self._panel = ModulePanel(self)
        self._dock.setWidget(self._panel)
        self._dock.setMinimumWidth(PANEL_WIDTH)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._dock)
        self._viewport = QFrame(self)
        self._viewport.setObjectName("CentralWidgetLayoutFrame")
        self._viewport.setStyleSheet("#CentralWidgetLayoutFrame { background: #222; }")
        self.setCentralWidget(self._viewport)
        self.statusBar().showMessage("")
        self._selector.moduleSelected.connect(self._on_module)

    def _on_module(self, name: str) -> None:
        module = slicer.app.moduleManager().module(name)
        if isinstance(module, qSlicerScriptedLoadableModule):
            self._panel.show_module(module)

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector

    def panel(self) -> ModulePanel:
        """Return the module panel."""
        return self._panel

    def viewport(self) -> QWidget:
        """Return the widget the views are laid out in."""
        return self._viewport


def apply_style(app: Any) -> None:
    """Give the application Slicer's light look."""
    app.setStyle("Fusion")
    font = QFont(app.font())
    font.setPointSizeF(9.0)
    app.setFont(font)
    palette = QPalette()
    colors = {
        QPalette.ColorRole.Window: "#efefef",
        QPalette.ColorRole.Base: "#ffffff",
        QPalette.ColorRole.AlternateBase: "#f5f5f5",
        QPalette.ColorRole.Button: "#efefef",
        QPalette.ColorRole.Text: "#000000",
        QPalette.ColorRole.WindowText: "#000000",
        QPalette.ColorRole.ButtonText: "#000000",
        QPalette.ColorRole.Mid: "#b0b0b0",
        QPalette.ColorRole.Highlight: "#308cc6",
        QPalette.ColorRole.HighlightedText: "#ffffff",
        QPalette.ColorRole.PlaceholderText: "#808080",
        QPalette.ColorRole.ToolTipBase: "#ffffdc",
        QPalette.ColorRole.ToolTipText: "#000000",
    }
    for role, color in colors.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#a0a0a0"))
    app.setPalette(palette)
