"""Stand-in for ctkMessageBox, which slicer.util asks with.

Source: ctkMessageBox.cpp of commontk/CTK.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QCheckBox, QMessageBox, QWidget

from Testing.desktop.qproperty import field, setters


@setters("dontShowAgainSettingsKey")
class ctkMessageBox(QMessageBox):  # noqa: N801
    """A message box that can be told not to come again; it then answers as it was answered last.

    Left out: the check box without a settings key, own texts for it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings_key = ""

    def _offer_check_box(self) -> None:
        self.setCheckBox(QCheckBox("Don't show this message again", self))
        self.checkBox().setChecked(QSettings().contains(self._settings_key))

    def _is_checked(self) -> bool:
        return bool(self._settings_key) and self.checkBox().checked

    def exec(self) -> Any:
        if self._is_checked() and QSettings().contains(self._settings_key):
            return QMessageBox.StandardButton(int(QSettings().value(self._settings_key)))
        result = QMessageBox.exec(self)
        if self._is_checked():
            QSettings().setValue(self._settings_key, int(QMessageBox.StandardButton(result).value))
        return result

    exec_ = exec
    dontShowAgainSettingsKey = field(str, "settings_key", "_offer_check_box")
