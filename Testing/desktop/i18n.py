"""Stand-in for slicer.i18n: texts stay as they are written."""

from __future__ import annotations

import sys

import slicer


def tr(text: str) -> str:
    """Return the text."""
    return slicer.app.translate("", text)


def translate(context: str, text: str) -> str:
    """Return the text."""
    return slicer.app.translate(context, text)


def install() -> None:
    """Make this module ``slicer.i18n``."""
    sys.modules["slicer.i18n"] = slicer.i18n = sys.modules[__name__]
