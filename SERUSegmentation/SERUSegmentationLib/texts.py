"""Translation of what people read."""

from __future__ import annotations

try:
    from slicer.i18n import tr as _
except ImportError:  # slicer-core without Slicer's Python layer

    def _(text: str) -> str:
        return text


__all__ = ["_"]
