"""Stand-in for slicer.i18n: texts are looked up in the translators that Qt has, under Slicer's contexts."""

from __future__ import annotations

import functools
import inspect
import sys
from pathlib import Path

import slicer


def tr(text: str) -> str:
    """Return the text in the application's language; its context is the calling file's."""
    return translate(getContext(inspect.currentframe().f_back.f_code.co_filename), text)


def translate(context: str, text: str) -> str:
    """Return the text in the application's language."""
    return slicer.app.translate(context, text)


@functools.cache
def getContext(sourceFile: str) -> str:
    """Return the context of a file's texts: its package, where it lies in one, and its name."""
    path = Path(sourceFile)
    is_package = (path.parent / "__init__.py").is_file()
    return f"{path.parent.name}.{path.stem}" if is_package else path.stem


def install() -> None:
    """Make this module ``slicer.i18n``."""
    sys.modules["slicer.i18n"] = slicer.i18n = sys.modules[__name__]
