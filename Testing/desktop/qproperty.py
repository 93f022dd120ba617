"""A short way to give a stand-in its Qt properties."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property


def field(kind: Any, name: str, changed: str | None = None) -> Property:
    """Return a Qt property kept in ``self._name``.

    Args:
        kind: the Qt type, a Python type or a Qt type's name.
        name: the attribute that keeps the value, without its underscore.
        changed: a method called after the value changed.

    Returns:
        The property; PythonQt's setter ``setName`` is given by :func:`setters`.
    """

    def read(self: Any) -> Any:
        return object.__getattribute__(self, "_" + name)

    def write(self: Any, value: Any) -> None:
        if object.__getattribute__(self, "_" + name) == value:
            return
        setattr(self, "_" + name, value)
        if changed:
            getattr(self, changed)()

    return Property(kind, read, write)


def accessors(kind: Any, read: Any, write: Any = None) -> Property:
    """Return a Qt property over a getter and a setter."""
    return Property(kind, read, write) if write else Property(kind, read)


def setters(*names: str) -> Any:
    """Decorate a class with ``setName(value)`` for each property."""

    def decorate(cls: type) -> type:
        for name in names:
            setter = "set" + name[0].upper() + name[1:]
            if setter not in cls.__dict__:
                setattr(cls, setter, _setter(name))
        return cls

    return decorate


def _setter(name: str) -> Any:
    def set_value(self: Any, value: Any) -> None:
        setattr(self, name, value)

    return set_value
