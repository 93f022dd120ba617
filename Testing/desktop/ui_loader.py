"""Loads Qt Designer files with the stand-ins for CTK's and Slicer's widgets.

PySide's loader cannot know signals with MRML types, so the connections are taken out of the file before it is loaded
and made in Python afterwards.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from typing import Any, ClassVar

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtUiTools import QUiLoader as PySideLoader
from PySide6.QtWidgets import QWidget

from Testing.desktop.pythonqt import signal_by_signature


class QUiLoader(PySideLoader):
    """Qt's form loader, for forms with CTK and qMRML widgets."""

    stand_ins: ClassVar[dict[str, type]] = {}

    def createWidget(self, class_name: str, parent: QWidget | None = None, name: str = "") -> QWidget:
        kind = self.stand_ins.get(class_name)
        if kind is None:
            return PySideLoader.createWidget(self, class_name, parent, name)
        widget = kind(parent)
        widget.setObjectName(name)
        return widget

    def load(self, device: Any, parent: QWidget | None = None) -> QWidget | None:
        """Load a form from an open device or a path."""
        form, classes, connections = _parse(_read(device))
        _check_classes(classes, self.stand_ins)
        buffer = QBuffer()
        buffer.setData(QByteArray(form))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        widget = PySideLoader.load(self, buffer, parent)
        if widget is None:
            return None
        for sender, signal, receiver, slot in connections:
            _connect(_named(widget, sender), signal, _named(widget, receiver), slot)
        return widget


def _read(device: Any) -> bytes:
    if isinstance(device, str):
        with open(device, "rb") as file:
            return file.read()
    return bytes(device.readAll().data())


@lru_cache(8)
def _parse(text: bytes) -> tuple[bytes, frozenset[str], list[tuple[str, ...]]]:
    """A form without its connections, its widgets' classes, and the connections."""
    tree = ElementTree.fromstring(text)
    connections = _take_connections(tree)
    classes = frozenset(widget.get("class", "") for widget in tree.iter("widget"))
    return ElementTree.tostring(tree), classes, connections


def _check_classes(classes: frozenset[str], stand_ins: dict[str, type]) -> None:
    unknown = sorted(c for c in classes - set(stand_ins) if c.startswith(("qMRML", "qSlicer", "ctk")))
    if unknown:
        raise AttributeError(f"the desktop has no stand-in for {', '.join(unknown)}")


def _take_connections(tree: Any) -> list[tuple[str, ...]]:
    section = tree.find("connections")
    if section is None:
        return []
    found = [tuple(c.findtext(k) for k in ("sender", "signal", "receiver", "slot")) for c in section]
    tree.remove(section)
    return found


def _named(widget: QWidget, name: str) -> Any:
    return widget if widget.objectName == name else widget.findChild(QWidget, name)


def _connect(sender: Any, signal: str, receiver: Any, slot: str) -> None:
    signal_by_signature(sender, signal)
    sender.connect(signal, getattr(receiver, slot.split("(")[0]))
