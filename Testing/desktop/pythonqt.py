"""PythonQt's manners on PySide6: properties are attributes, signals connect by signature string.

Slicer's Python reaches Qt through PythonQt, not PySide. What differs and a module can feel is reproduced here on the
PySide classes themselves, so that every object Qt hands out behaves so:

* a Qt property is an attribute (``button.enabled = True``); a getter that is also a property cannot be called;
* ``connect("clicked(bool)", f)``, ``className()``, ``delete()``, ``.name``, children by their object name;
* a slot gets as many arguments as it takes; the connection keeps it alive;
* an attribute that does not exist raises AttributeError, and none can be added to a C++ object.

One thing is stricter than PythonQt: connecting to a signal that does not exist raises instead of printing.

Source: PythonQtInstanceWrapper.cpp, PythonQtStdDecorators.cpp, PythonQtSignalReceiver.cpp of commontk/PythonQt.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets
from PySide6.QtCore import QMetaObject, QObject, SignalInstance

from Testing.desktop.class_tables import table_of

PLAIN, PROPERTY, SIGNAL, MISSING, MANNER = "plain", "property", "signal", "missing", "manner"

_getattributes: dict[type, Callable] = {}
_kinds: dict[tuple[type, str], str] = {}
_reading: set[tuple[int, str]] = set()
_installed = False


def _own_getattribute(self: QObject, name: str) -> Any:
    cls = type(self)
    if cls not in _getattributes:
        _getattributes[cls] = next(_getattributes[base] for base in cls.__mro__ if base in _getattributes)
    return _getattributes[cls](self, name)


class BoundSignal:
    """A signal of one object, with the few methods PythonQt gives it."""

    def __init__(self, sender: QObject, signal: SignalInstance, shortest: SignalInstance | None = None) -> None:
        self._sender = sender
        self._signal = signal
        self._shortest = shortest or signal

    def connect(self, slot: Callable | BoundSignal, *_options: Any) -> bool:
        """Connect the signal to a callable or to another signal."""
        return _connect(self._sender, self._signal, slot, None)

    def disconnect(self, slot: Callable | BoundSignal | None = None) -> bool:
        """Take one connection, or all of them, away."""
        return _disconnect(self._sender, self._signal, slot)

    def emit(self, *arguments: Any) -> None:
        """Emit the signal."""
        (self._signal if arguments else self._shortest).emit(*arguments)

    __call__ = emit


def is_native(cls: type) -> bool:
    """Return whether a class is C++ in Slicer: PySide's own, or a stand-in of this package."""
    return cls.__module__.startswith(("PySide6.", "Shiboken", "Testing.desktop."))


def kind_of(cls: type, name: str) -> str:
    """Return what an attribute of a Qt class is: plain, property, signal or missing."""
    key = (cls, name)
    if key not in _kinds:
        _kinds[key] = _find_kind(cls, name)
    return _kinds[key]


def _find_kind(cls: type, name: str) -> str:
    for base in cls.__mro__:
        if base.__module__.startswith("PySide6.") and name in _MANNERS:
            return MANNER
        if name in base.__dict__:
            if isinstance(base.__dict__[name], QtCore.Signal):
                return SIGNAL
            if base.__module__.startswith("PySide6.") and name in table_of(cls).properties:
                return PROPERTY
            return PLAIN
    return PROPERTY if name in table_of(cls).properties else MISSING


def _getattribute(self: QObject, name: str) -> Any:
    cls = type(self)
    # Most of all that a window does: straight to what was found before; C++ has no names that begin so.
    kind = PLAIN if name.startswith("_") else _kinds.get((cls, name)) or kind_of(cls, name)
    if kind == PLAIN:
        own = _getattributes.get(cls)
        return own(self, name) if own is not None else _own_getattribute(self, name)
    if kind == MANNER:
        return _MANNERS[name](self) if name == "name" else MethodType(_MANNERS[name], self)
    if kind == SIGNAL:
        return BoundSignal(self, _fullest(self, name), _own_getattribute(self, name))
    if kind == PROPERTY:
        return _read_property(self, name)
    return _read_missing(self, name)


def _read_property(self: QObject, name: str) -> Any:
    key = (id(self), name)
    if key in _reading:  # C++ asks for a Python override of a virtual getter, such as sizeHint
        return _own_getattribute(self, name)
    _reading.add(key)
    try:
        for getter in (name, "is" + name[0].upper() + name[1:]):
            method = getattr(type(self), getter, None)
            if callable(method) and not isinstance(method, QtCore.Signal):
                try:
                    return method(self)
                except TypeError:  # a static method of the same name, such as QTimer.singleShot
                    continue
        return QObject.property(self, name)
    finally:
        _reading.discard(key)


def _read_missing(self: QObject, name: str) -> Any:
    own = object.__getattribute__(self, "__dict__")
    if name in own:
        return own[name]
    for owner in (lambda: _own_getattribute(self, name), lambda: getattr(type(self), name)):  # the latter: enum values
        try:
            return owner()
        except AttributeError:
            pass
    if not shiboken6.isValid(self):
        raise ValueError(f"Trying to read '{name}' from a destroyed {type(self).__name__} object")
    if name.encode() in [bytes(n.data()) for n in QObject.dynamicPropertyNames(self)]:
        return QObject.property(self, name)
    for child in QObject.children(self):
        if QObject.objectName(child) == name:
            return child
    raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")


def _setattr(self: QObject, name: str, value: Any) -> None:
    kind = kind_of(type(self), name)
    if isinstance(value, SignalInstance):  # PySide keeps the signals of an object in its dictionary
        object.__getattribute__(self, "__dict__")[name] = value
    elif name == "name":
        QObject.setObjectName(self, str(value))
    elif kind == PROPERTY:
        _write_property(self, name, value)
    elif kind == MISSING and isinstance(value, QObject) and QObject.objectName(value) == name:
        return  # PySide's form loader puts children on their form; here they are found by their name anyway
    elif kind == MISSING and is_native(type(self)) and not name.startswith("_"):
        if QObject.property(self, name) is None:
            raise AttributeError(
                f"'{name}' does not exist on {type(self).__name__} and creating new attributes on C++ objects is not"
                " allowed"
            )
        QObject.setProperty(self, name, value)
    elif kind in (PLAIN, SIGNAL) and is_native(type(self)) and not _is_python_property(type(self), name):
        if not name.startswith("_"):
            raise AttributeError(f"Slot '{name}' can not be overwritten on {type(self).__name__} object")
        _plain_setattr(self, name, value)
    else:
        _plain_setattr(self, name, value)


def _is_python_property(cls: type, name: str) -> bool:
    return isinstance(_of_class(cls, name), property | QtCore.Property)


@functools.cache
def _of_class(cls: type, name: str) -> Any:
    return inspect.getattr_static(cls, name, None)


def _plain_setattr(self: QObject, name: str, value: Any) -> None:
    descriptor = _of_class(type(self), name)
    if isinstance(descriptor, QtCore.Property):
        if descriptor.fset is None:
            raise AttributeError(f"Property '{name}' of {type(self).__name__} object is not writable")
        descriptor.fset(self, value)
    elif hasattr(type(descriptor), "__set__"):
        type(descriptor).__set__(descriptor, self, value)
    else:  # PySide's own __setattr__ refuses to be called once replaced
        object.__getattribute__(self, "__dict__")[name] = value


def _write_property(self: QObject, name: str, value: Any) -> None:
    type_name, is_writable = table_of(type(self)).properties[name]
    if not is_writable:
        raise AttributeError(f"Property '{name}' of {type(self).__name__} object is not writable")
    refused = f"Property '{name}' of type '{type_name}' does not accept an object of type"
    if value is None and type_name in ("QString", "int", "double", "bool"):
        raise AttributeError(f"{refused} NoneType")
    if type_name == "QString":
        value = str(value)
    elif type_name == "int" and isinstance(value, float):
        value = int(value)
    setter = getattr(type(self), "set" + name[0].upper() + name[1:], None)
    if setter is not None:
        setter(self, value)
    elif not QObject.setProperty(self, name, value):
        raise AttributeError(f"{refused} {type(value).__name__}")


def accepted_arguments(slot: Callable) -> int | None:
    """Return how many positional arguments PythonQt passes to a slot; None is all of them."""
    if not (inspect.isfunction(slot) or (inspect.ismethod(slot) and inspect.isfunction(slot.__func__))):
        return None
    code = (slot.__func__ if inspect.ismethod(slot) else slot).__code__
    if code.co_flags & inspect.CO_VARARGS:
        return None
    return code.co_argcount - (1 if inspect.ismethod(slot) else 0)


def _connections(sender: QObject) -> list[tuple[str, Any, Any]]:
    try:
        return object.__getattribute__(sender, "_pythonqt_connections")
    except AttributeError:
        connections: list[tuple[str, Any, Any]] = []
        _plain_setattr(sender, "_pythonqt_connections", connections)
        return connections


def _connect(sender: QObject, signal: SignalInstance, slot: Any, count: int | None) -> bool:
    if isinstance(slot, BoundSignal):
        signal.connect(slot._signal)
        return True
    if not callable(slot):
        raise TypeError(f"connect() needs a callable, got {slot!r}")
    accepted = accepted_arguments(slot)
    limits = [n for n in (accepted, count) if n is not None]
    limit = min(limits) if limits else None

    def call(*arguments: Any) -> None:
        try:
            slot(*arguments[:limit])
        except Exception:
            sys.excepthook(*sys.exc_info())

    signal.connect(call)
    _connections(sender).append((str(signal), slot, call))
    return True


def _disconnect(sender: QObject, signal: SignalInstance, slot: Any) -> bool:
    if isinstance(slot, BoundSignal):
        return bool(signal.disconnect(slot._signal))
    connections = _connections(sender)
    found = [c for c in connections if c[0] == str(signal) and (slot is None or c[1] == slot)]
    for connection in found[:1] if slot is not None else found:
        signal.disconnect(connection[2])
        connections.remove(connection)
    return bool(found)


def signal_by_signature(sender: QObject, signature: str) -> tuple[SignalInstance, int]:
    """Return the signal a signature string names and the number of its arguments.

    Raises:
        AttributeError: the object has no such signal.
    """
    text = signature.lstrip("0123456789")
    match = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", text)
    if not match:
        raise AttributeError(f"'{signature}' is not a signal's signature")
    name = match.group(1)
    normal = bytes(QMetaObject.normalizedSignature(text).data()).decode()
    declared = getattr(type(sender), "SIGNATURES", {})
    if normal in declared:  # a stand-in's signal with types PySide does not know
        name = declared[normal]
    elif normal not in table_of(type(sender)).signatures:
        raise AttributeError(f"signal '{normal}' does not exist on {type(sender).__name__}")
    instance = _own_getattribute(sender, name)
    types = match.group(2).strip()
    overload = normal[normal.index("(") + 1 : -1]
    if normal not in declared and types:
        instance = _overload(instance, overload)
    return instance, len(overload.split(",")) if types else 0


def _fullest(sender: QObject, name: str) -> SignalInstance:
    """Return the signal in its form with the most arguments, where a default argument gives it several."""
    types = table_of(type(sender)).fullest_types.get(name, "")
    instance = _own_getattribute(sender, name)
    return _overload(instance, types) if types else instance


def _overload(instance: SignalInstance, types: str) -> SignalInstance:
    try:
        return instance[types]
    except (IndexError, KeyError, TypeError):
        return instance


def _connect_by_signature(self: QObject, signature: Any, *target: Any) -> Any:
    if isinstance(signature, QObject):  # the static form: sender, signal, slot
        return _connect_by_signature(signature, *target)
    instance, count = signal_by_signature(self, signature)
    if len(target) >= 2:  # receiver, slot signature
        return _connect(self, instance, getattr(target[0], target[1].lstrip("0123456789").split("(")[0]), count)
    return _connect(self, instance, target[0], count)


def _disconnect_by_signature(self: QObject, signature: str, *target: Any) -> bool:
    instance, _count = signal_by_signature(self, signature)
    return _disconnect(self, instance, target[0] if target else None)


def _class_name(self: QObject) -> str:
    return next(base.__name__ for base in type(self).__mro__ if is_native(base))


def _meta_object(self: QObject) -> QMetaObject:
    return type(self).staticMetaObject


def _find_children(self: QObject, kind: Any = QObject, name: Any = None) -> list[QObject]:
    wanted = QObject if isinstance(kind, str) else kind
    found = _own_find_children(self, wanted) if name in (None, "") else _own_find_children(self, wanted, name)
    return [child for child in found if not isinstance(kind, str) or QObject.inherits(child, kind)]


def _find_child(self: QObject, kind: Any, name: Any = None) -> QObject | None:
    found = _find_children(self, kind, name)
    return found[0] if found else None


def _delete(self: QObject) -> None:
    shiboken6.delete(self)


_own_find_children = QObject.findChildren
_MANNERS: dict[str, Callable] = {
    "className": _class_name,
    "connect": _connect_by_signature,
    "delete": _delete,
    "disconnect": _disconnect_by_signature,
    "findChild": _find_child,
    "findChildren": _find_children,
    "metaObject": _meta_object,
    "name": QObject.objectName,
}


def install() -> None:
    """Give every PySide class of this process PythonQt's manners; calling it again does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    classes = {QObject}
    for module in (QtCore, QtGui, QtWidgets, QtNetwork):
        members = [getattr(module, name) for name in dir(module)]  # vars() misses what PySide loads on demand
        classes |= {c for c in members if isinstance(c, type) and issubclass(c, QObject)}
    for cls in classes:
        if cls is QObject or "__getattribute__" in cls.__dict__:  # PySide gives some classes their own
            _getattributes[cls] = cls.__getattribute__
    for cls in classes:
        cls.__setattr__ = _setattr
        if cls in _getattributes:
            cls.__getattribute__ = _getattribute
    for cls in (QtWidgets.QDialog, QtWidgets.QMenu, QtCore.QEventLoop, QtWidgets.QApplication):
        if not hasattr(cls, "exec_"):
            cls.exec_ = lambda self, *arguments: self.exec(*arguments)
