"""What Qt's meta objects say of the classes, read once."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QMetaObject

_tables: dict[type, ClassTable] = {}


@dataclass(frozen=True)
class ClassTable:
    """What Qt's meta object says of a class, read once.

    PySide lends out one Python object per meta object and takes it back with the first widget that asked for it, so no
    instance is ever asked.
    """

    properties: dict[str, tuple[str, bool]]  # type name, writable
    signatures: frozenset[str]
    fullest_types: dict[str, str]  # of a signal with default arguments, its longest list of types


def table_of(cls: type) -> ClassTable:
    """Return a Qt class's properties and signals, inherited ones included."""
    if cls not in _tables:
        _tables[cls] = _read_table(cls.staticMetaObject)
    return _tables[cls]


def _read_table(meta: QMetaObject) -> ClassTable:
    properties = [meta.property(i) for i in range(meta.propertyCount())]
    methods = [meta.method(i) for i in range(meta.methodCount())]
    signals = [m for m in methods if m.methodType() == m.MethodType.Signal]
    signatures = [bytes(m.methodSignature().data()).decode() for m in signals]
    types: dict[str, list[str]] = {}
    for signature in signatures:
        name, _bracket, arguments = signature.rstrip(")").partition("(")
        types.setdefault(name, []).append(arguments)
    fullest = {n: max(t, key=lambda x: x.count(",") + bool(x)) for n, t in types.items() if len(t) > 1}
    return ClassTable({p.name(): (p.typeName(), p.isWritable()) for p in properties}, frozenset(signatures), fullest)
