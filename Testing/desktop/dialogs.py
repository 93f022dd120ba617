"""Modal dialogs: in a test they are recorded and answered, on a screen they are left to the user.

A dialog is really shown, in its own event loop; its answer is a real click. A dialog with one button is dismissed when
nobody answered; a question nobody answered is closed and UnansweredDialogError is raised where it was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import shiboken6
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QColorDialog, QDialog, QFileDialog, QInputDialog, QMessageBox

PATIENCE_MS = 8000  # how long a dialog that is no message box may stay open to close by itself


class UnansweredDialogError(AssertionError):
    """A question was asked and the test had prepared no answer.

    It is raised where the dialog was asked for and, as a module may catch it there, also kept in
    ``Dialogs.unanswered``.
    """


@dataclass(frozen=True)
class ShownDialog:
    """One dialog as the user would have seen it."""

    title: str
    text: str
    details: str
    buttons: tuple[str, ...]


class Dialogs:
    """Records the modal dialogs of this process and answers them."""

    def __init__(self) -> None:
        self.shown: list[ShownDialog] = []
        self.unanswered: list[str] = []
        self.is_automatic = True
        self._answers: list[Any] = []
        self._own_exec = QMessageBox.exec
        self._own_dialog_exec = QDialog.exec
        self._own_delete_later = QDialog.deleteLater
        self._to_delete: list[QDialog] = []

    def answer(self, *answers: Any) -> None:
        """Prepare the answers of the next dialogs.

        Args:
            answers: for each dialog a button's text, a QMessageBox button, "close" for the window's X, the value a
                file, text or color dialog returns, or a function that gets the dialog.
        """
        self._answers.extend(answers)

    def clear(self) -> None:
        """Forget what was shown and prepared."""
        self.shown.clear()
        self.unanswered.clear()
        self._answers.clear()

    @property
    def unused_answers(self) -> list[Any]:
        """Return the prepared answers that no dialog asked for."""
        return list(self._answers)

    def install(self) -> None:
        """Take over the modal dialogs of this process."""
        dialogs = self

        def exec_message_box(box: QMessageBox) -> Any:
            return dialogs._exec(box, dialogs._own_exec, dialogs._click_answer)

        def exec_dialog(dialog: QDialog) -> Any:
            return dialogs._exec(dialog, dialogs._own_dialog_exec, dialogs._run_answer)

        if self.is_automatic:
            QDialog.deleteLater = lambda dialog: self._to_delete.append(dialog)
        QMessageBox.exec = QMessageBox.exec_ = exec_message_box
        QDialog.exec = QDialog.exec_ = exec_dialog
        for name in ("information", "question", "warning", "critical"):
            setattr(QMessageBox, name, staticmethod(self._static_box(name)))
        for kind, names in (
            (QFileDialog, ("getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory")),
            (QInputDialog, ("getText", "getItem", "getInt", "getDouble")),
            (QColorDialog, ("getColor",)),
        ):
            for name in names:
                setattr(kind, name, staticmethod(self._static_value(kind, name)))

    def delete_finished(self) -> None:
        """Delete the dialogs that were told ``deleteLater()``.

        Slicer's code says so before ``exec()``, which is correct inside a running event loop; without one Qt would
        delete the dialog as soon as its own loop starts.
        """
        waiting = [dialog for dialog in self._to_delete if shiboken6.isValid(dialog) and not dialog.isVisible()]
        self._to_delete.clear()
        for dialog in waiting:
            self._own_delete_later(dialog)

    def _record(self, dialog: QDialog) -> None:
        if isinstance(dialog, QMessageBox):
            buttons = tuple(b.text.replace("&", "") for b in dialog.buttons())
            shown = ShownDialog(dialog.windowTitle, dialog.text, dialog.detailedText, buttons)
        else:
            shown = ShownDialog(dialog.windowTitle, type(dialog).__name__, "", ())
        self.shown.append(shown)

    def _exec(self, dialog: QDialog, own_exec: Callable, act: Callable) -> Any:
        self._record(dialog)
        if not self.is_automatic:
            return own_exec(dialog)
        problems: list[Exception] = []

        def act_once() -> None:
            if not shiboken6.isValid(dialog) or not dialog.isVisible():
                return  # it closed by itself, as slicer.util.delayDisplay's does
            try:
                act(dialog)
            except Exception as problem:
                problems.append(problem)
                dialog.done(0)

        QTimer.singleShot(0 if self._answers or isinstance(dialog, QMessageBox) else PATIENCE_MS, act_once)
        result = own_exec(dialog)
        if problems:
            raise problems[0]
        return result

    def _unanswered(self, text: str) -> UnansweredDialogError:
        self.unanswered.append(text)
        return UnansweredDialogError(text)

    def _click_answer(self, box: QMessageBox) -> None:
        deciding = [b for b in box.buttons() if box.buttonRole(b) != QMessageBox.ButtonRole.ActionRole]  # not "Details"
        if not self._answers and len(deciding) <= 1:
            answer: Any = deciding[0] if deciding else "close"
        elif not self._answers:
            raise self._unanswered(f"nobody answered the question: {box.text}")
        else:
            answer = self._answers.pop(0)
        if isinstance(answer, FunctionType | MethodType):
            answer(box)
        elif answer == "close":
            box.close()
        else:
            QTest.mouseClick(self._button(box, answer), Qt.MouseButton.LeftButton)

    def _button(self, box: QMessageBox, answer: Any) -> Any:
        if isinstance(answer, str):
            found = [b for b in box.buttons() if b.text.replace("&", "").lower() == answer.lower()]
        elif isinstance(answer, QMessageBox.StandardButton):
            found = [box.button(answer)]
        else:
            found = [answer]
        if not found or found[0] is None:
            raise UnansweredDialogError(f"'{box.text}' has no button {answer}")
        return found[0]

    def _run_answer(self, dialog: QDialog) -> None:
        if not self._answers:
            raise self._unanswered(f"nobody answered the dialog: {dialog.windowTitle}")
        answer = self._answers.pop(0)
        if answer == "close":
            dialog.close()
        elif isinstance(answer, FunctionType | MethodType):
            answer(dialog)
        else:
            raise UnansweredDialogError(f"'{dialog.windowTitle}' needs a function as its answer, got {answer!r}")

    def _static_box(self, name: str) -> Callable:
        icon = getattr(QMessageBox.Icon, name.capitalize())
        usual = QMessageBox.StandardButton.Ok
        if name == "question":
            usual = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No

        def ask(parent: Any, title: str, text: str, buttons: Any = usual, *_default: Any) -> Any:
            box = QMessageBox(icon, title, text, buttons, parent)
            return QMessageBox.StandardButton(box.exec())

        return ask

    def _static_value(self, kind: type, name: str) -> Callable:
        own = getattr(kind, name)

        def ask(*arguments: Any, **options: Any) -> Any:
            texts = [a for a in arguments if isinstance(a, str)]
            self.shown.append(ShownDialog(texts[0] if texts else name, " ".join(texts[1:2]), "", ()))
            if not self.is_automatic:
                return own(*arguments, **options)
            if not self._answers:
                raise self._unanswered(f"nobody answered {kind.__name__}.{name}")
            return self._answers.pop(0)

        return ask
