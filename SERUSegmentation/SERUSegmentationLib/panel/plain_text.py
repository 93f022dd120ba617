"""Names, titles and messages come from files and networks: they are shown as text, never as markup.

Qt takes a text with a tag in it for HTML, and an image's address in that is opened.
"""

from __future__ import annotations

import html

import qt
import slicer

from SERUSegmentationLib.texts import _

# Of a label that tells an error.
ERROR_STYLE = "QLabel { color: #c0392b; }"


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


def confirmYesNo(question: str, windowTitle: str | None = None, detailedText: str = "") -> bool:
    """Ask a question that is answered with yes or no.

    Args:
        question: shown as text.
        windowTitle: None takes the module's.
        detailedText: unfolded on demand, if there is any.

    Returns:
        Whether the answer is yes.
    """
    details = {"detailedText": detailedText} if detailedText else {}
    return slicer.util.confirmYesNoDisplay(
        question, windowTitle=windowTitle or _title(), textFormat=qt.Qt.PlainText, **details
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
