"""A small Slicer desktop of real parts: slicer-core's scene and views, PySide6's widgets. See README.md."""

from Testing.desktop.desktop import Desktop, desktop, has_screen
from Testing.desktop.gestures import choose, click, drag, drag_slider, type_text, wheel

__all__ = ["Desktop", "choose", "click", "desktop", "drag", "drag_slider", "has_screen", "type_text", "wheel"]
