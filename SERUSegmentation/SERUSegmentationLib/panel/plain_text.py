"""Names, titles and messages come from files and networks: they are shown as text, never as markup.

Qt takes a text with a tag in it for HTML, and an image's address in that is opened.
"""

from __future__ import annotations

import html
from typing import Any

import qt
import slicer

from SERUSegmentationLib.texts import _


def toolTipOf(text: str) -> str:
    """Return a tooltip that shows a text as it is.

    Args:
        text: from anywhere.

    Returns:
        The text, its markup escaped where it has any: a tooltip has no property that turns HTML off.
    """
    if "<" not in text:
        return text
    return "<qt>{}</qt>".format(html.escape(text).replace("\n", "<br>"))


def setFramed(label: qt.QLabel, isFramed: bool = True) -> None:
    """Draw a frame around a text that must not be overlooked.

    Args:
        label: holds the text.
        isFramed: draw it, or none.
    """
    # No style sheet: it would keep the text's color when the user goes from the light to the dark style.
    label.setFrameShape(qt.QFrame.Box if isFramed else qt.QFrame.NoFrame)
    label.setLineWidth(2)
    label.setMargin(4 if isFramed else 0)


def confirmYesNo(question: str, windowTitle: str | None = None, details: str = "") -> bool:
    """Ask a question that is answered with yes or no.

    Args:
        question: shown as text.
        windowTitle: None takes the module's.
        details: unfolded on demand; empty for none.

    Returns:
        Whether the answer is yes.
    """
    more = {"detailedText": details} if details else {}
    return slicer.util.confirmYesNoDisplay(
        question, windowTitle=windowTitle or _title(), textFormat=qt.Qt.PlainText, **more
    )


def confirmOkCancel(question: str) -> bool:
    """Ask whether to go on.

    Args:
        question: shown as text.

    Returns:
        Whether the answer is OK.
    """
    return slicer.util.confirmOkCancelDisplay(question, windowTitle=_title(), textFormat=qt.Qt.PlainText)


def displayError(text: str, detailedText: str) -> None:
    """Tell an error in a box.

    Args:
        text: one sentence, shown as text.
        detailedText: unfolded on demand.
    """
    slicer.util.errorDisplay(text, windowTitle=_title(), detailedText=detailedText, textFormat=qt.Qt.PlainText)


def _title() -> str:
    return _("SERU Segmentation")


def answerOf(answer: Any) -> str:
    """Return what a file dialog was answered; a newer Qt answers with the filter as well.

    Args:
        answer: of ``qt.QFileDialog``.

    Returns:
        The path; empty where the dialog was closed.
    """
    return (answer[0] if isinstance(answer, tuple) else answer) or ""
