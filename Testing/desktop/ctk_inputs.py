"""Stand-ins for CTK's inputs: combo and check box, paths, text, colours, message box.

Source: ctkPathLineEdit.cpp, ctkMessageBox.cpp, ctkFittedTextBrowser.cpp, ctkComboBox.cpp of commontk/CTK.
"""

from __future__ import annotations

import os
from typing import Any

from PySide6.QtCore import QSettings, QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QTextBrowser,
    QToolButton,
    QWidget,
)

from Testing.desktop.qproperty import accessors, field, setters


class ctkCheckBox(QCheckBox):  # noqa: N801
    """CTK's check box without its own icons."""


@setters("defaultText", "elideMode")
class ctkComboBox(QComboBox):  # noqa: N801
    """A combo box with a text for when nothing is chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._default_text, self._elide_mode = "", Qt.TextElideMode.ElideNone

    def _update_text(self) -> None:
        self.setPlaceholderText(self._default_text)

    def _data_text(self) -> str:
        return str(self.currentData or "")

    def setCurrentUserDataAsString(self, text: str) -> None:
        self.setCurrentIndex(next((i for i in range(self.count) if str(self.itemData(i)) == text), -1))

    defaultText = field(str, "default_text", "_update_text")
    elideMode = field(Qt.TextElideMode, "elide_mode")
    currentUserDataAsString = accessors(str, _data_text, setCurrentUserDataAsString)


@setters("label", "filters", "nameFilters", "settingKey", "showBrowseButton", "showHistoryButton")
class ctkPathLineEdit(QWidget):  # noqa: N801
    """A path in an editable combo box with its history, and a browse button."""

    Dirs, Files, Drives, NoSymLinks, AllEntries = 0x001, 0x002, 0x004, 0x008, 0x007
    Readable, Writable, Executable, Modified, Hidden, System = 0x010, 0x020, 0x040, 0x080, 0x100, 0x200
    AllDirs, CaseSensitive, NoDot, NoDotDot, NoDotAndDotDot = 0x400, 0x800, 0x2000, 0x4000, 0x1000

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._setting_key, self._name_filters, self._last_path = "", "", [], ""
        self._filters = self.Dirs | self.Files | self.Drives
        self._show_browse, self._show_history = True, True
        self._combo = QComboBox(self)
        self._combo.setEditable(True)
        self._combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.setMinimumContentsLength(6)
        self._combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._browse = QToolButton(self)
        self._browse.setText("...")
        self._browse.clicked.connect(lambda *_: self.browse())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        layout.addWidget(self._browse)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._combo.editTextChanged.connect(self._on_text)

    def _on_text(self, text: str) -> None:
        if text != self._last_path:
            self._last_path = text
            self.currentPathChanged.emit(text)
            self.validInputChanged.emit(os.path.exists(text))

    def setCurrentPath(self, path: str) -> None:
        self._combo.setEditText(str(path))

    def browse(self) -> None:
        if self._filters & self.Files:
            path = QFileDialog.getOpenFileName(self, self._label, self.currentPath, ";;".join(self._name_filters))
            path = path[0] if isinstance(path, tuple) else path
        else:
            path = QFileDialog.getExistingDirectory(self, self._label, self.currentPath)
        if path:
            self.setCurrentPath(path)

    def comboBox(self) -> QComboBox:
        return self._combo

    def addCurrentPathToHistory(self) -> None:
        path = self.currentPath
        if not path or (self._combo.findText(path) >= 0):
            return
        self._combo.insertItem(0, path)
        self._combo.setEditText(path)
        if self._setting_key:
            QSettings().setValue(self._setting_key, [self._combo.itemText(i) for i in range(self._combo.count)])

    def retrieveHistory(self) -> None:
        saved = QSettings().value(self._setting_key) or []
        self._combo.clear()
        self._combo.addItems([saved] if isinstance(saved, str) else list(saved))

    def _update_buttons(self) -> None:
        self._browse.setVisible(self._show_browse)

    currentPath = accessors(str, lambda self: self._combo.currentText, setCurrentPath)
    label = field(str, "label")
    filters = field(int, "filters")
    nameFilters = field("QStringList", "name_filters")
    settingKey = field(str, "setting_key")
    showBrowseButton = field(bool, "show_browse", "_update_buttons")
    showHistoryButton = field(bool, "show_history")


class ctkDirectoryButton(QPushButton):  # noqa: N801
    """A button that shows a folder and lets another be chosen."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(next((a for a in arguments if isinstance(a, QWidget)), None))
        self._directory, self._caption = "", ""
        self.clicked.connect(lambda *_: self.browse())
        self.setDirectory(next((a for a in arguments if isinstance(a, str)), "."))

    def setDirectory(self, folder: str) -> None:
        folder = os.path.abspath(folder)
        if folder != self._directory:
            self._directory = folder
            self.setText(folder)
            self.directoryChanged.emit(folder)

    def browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self._caption, self._directory)
        if folder:
            self.setDirectory(folder)
            self.directorySelected.emit(folder)

    directory = accessors(str, lambda self: self._directory, setDirectory)
    caption = field(str, "caption")


class ctkColorPickerButton(QPushButton):  # noqa: N801
    """A button that shows and picks a colour."""

    colorChanged = Signal(QColor)

    def __init__(self, *_arguments: Any) -> None:
        super().__init__()
        self._color, self._display_name = QColor(Qt.GlobalColor.black), True
        self.clicked.connect(lambda *_: self.changeColor())

    def setColor(self, color: Any) -> None:
        if color != self._color:
            self._color = QColor(color)
            self.setText(self._color.name() if self._display_name else "")
            self.setStyleSheet(f"background-color: {self._color.name()}")
            self.colorChanged.emit(self._color)

    def changeColor(self) -> None:
        color = QColorDialog.getColor(self._color, self)
        if color.isValid():
            self.setColor(color)

    color = accessors(QColor, lambda self: self._color, setColor)
    displayColorName = field(bool, "display_name")


@setters("collapsed", "disableMouseScroll", "showDetailsText", "hideDetailsText")
class ctkFittedTextBrowser(QTextBrowser):  # noqa: N801
    """A text browser as high as its text, with a part behind "Show details"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed, self._mouse_scroll_off, self._collapsible = True, True, None
        self._show_details, self._hide_details = "Show details...", "Hide details..."
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._on_anchor)
        self.textChanged.connect(self.updateGeometry)

    def _on_anchor(self, url: Any) -> None:
        if url.toString() == "#details":
            self.setCollapsed(not self._collapsed)

    def setCollapsibleText(self, text: str) -> None:
        self._collapsible = text
        self._update_text()

    setCollapsibleHtml = setCollapsibleText
    setCollapsiblePlainText = setCollapsibleText

    def collapsibleText(self) -> str:
        return self._collapsible or ""

    def _update_text(self) -> None:
        if self._collapsible is None:
            return
        first, _sep, rest = self._collapsible.partition("<br>")
        link = self._show_details if self._collapsed else self._hide_details
        shown = "" if self._collapsed else f"<br>{rest}"
        self.setHtml(f'{first} <a href="#details">{link}</a>{shown}' if rest else first)

    def wheelEvent(self, event: Any) -> None:
        if self._mouse_scroll_off:
            event.ignore()
        else:
            QTextBrowser.wheelEvent(self, event)

    def resizeEvent(self, event: Any) -> None:
        QTextBrowser.resizeEvent(self, event)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        copy = self.document.clone()
        copy.setTextWidth(max(60, self.viewport().width))
        return QSize(200, round(copy.size.height()) + 2 * self.frameWidth)

    minimumSizeHint = sizeHint
    collapsed = field(bool, "collapsed", "_update_text")
    disableMouseScroll = field(bool, "mouse_scroll_off")
    showDetailsText = field(str, "show_details", "_update_text")
    hideDetailsText = field(str, "hide_details", "_update_text")


@setters("dontShowAgainVisible", "dontShowAgainSettingsKey")
class ctkMessageBox(QMessageBox):  # noqa: N801
    """A message box that can be told not to come again; it then answers as it was answered last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings_key, self._is_offered = "", False

    def _saved(self) -> Any:
        return QSettings().value(self._settings_key) if self._settings_key else None

    def _update_box(self) -> None:
        is_offered = self._is_offered or bool(self._settings_key)
        if is_offered and self.checkBox() is None:
            self.setCheckBox(QCheckBox("Don't show this message again", self))
            self.checkBox().setChecked(self._saved() is not None)

    def _is_checked(self) -> bool:
        return self.checkBox() is not None and self.checkBox().checked

    def setDontShowAgain(self, is_hidden: bool) -> None:
        self._is_offered = True
        self._update_box()
        self.checkBox().setChecked(is_hidden)

    def exec(self) -> Any:
        if self._is_checked() and self._saved() is not None:
            return QMessageBox.StandardButton(int(self._saved()))
        result = QMessageBox.exec(self)
        if self._settings_key and self._is_checked():
            QSettings().setValue(self._settings_key, int(QMessageBox.StandardButton(result).value))
        return result

    exec_ = exec
    dontShowAgain = accessors(bool, _is_checked, setDontShowAgain)
    dontShowAgainVisible = field(bool, "is_offered", "_update_box")
    dontShowAgainSettingsKey = field(str, "settings_key", "_update_box")
