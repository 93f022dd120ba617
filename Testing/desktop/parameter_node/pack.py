"""Parameter packs: several typed values under one parameter."""

from __future__ import annotations

import copy
import typing
from dataclasses import dataclass
from typing import Any

import slicer

from Testing.desktop.parameter_node.annotations import Default, splitAnnotations, splitDottedName, unannotatedType
from Testing.desktop.parameter_node.serializers import (
    Serializer,
    ValidatedSerializer,
    createSerializer,
    parameterNodeSerializer,
)


@dataclass
class ParameterInfo:
    """One member of a pack or a wrapper."""

    basename: str
    serializer: ValidatedSerializer
    default: Default
    unalteredType: Any


def describe_members(cls: type) -> dict[str, ParameterInfo]:
    """Return a class's annotated members with their serializers and defaults."""
    members = {}
    for name, kind in typing.get_type_hints(cls, include_extras=True).items():
        actual, annotations = splitAnnotations(kind)
        serializer, rest = createSerializer(actual, annotations)
        given = next((a for a in rest if isinstance(a, Default)), None)
        default = Default(getattr(cls, name)) if hasattr(cls, name) else given
        default = default or Default(generator=serializer.default)
        members[name] = ParameterInfo(name, serializer, default, kind)
    return members


def isParameterPack(kind: Any) -> bool:
    """Return whether a class or an object is a parameter pack."""
    return getattr(kind, "_is_parameterPack", False)


def nestedParameterNames(pack: Any) -> list[str]:
    """Return the dotted names of all values of a pack."""
    names = []
    for name, info in unannotatedType(pack).allParameters.items():
        kind = unannotatedType(info.unalteredType)
        names += [f"{name}.{sub}" for sub in nestedParameterNames(kind)] if isParameterPack(kind) else [name]
    return names


def check_name(pack: Any, name: str) -> None:
    """Raise ValueError where a pack has no member of that dotted name."""
    top, rest = splitDottedName(name)
    if top not in pack.allParameters:
        raise ValueError(f"{pack} has no member '{top}'")
    if rest is None:
        return
    kind = unannotatedType(pack.allParameters[top].unalteredType)
    if not isParameterPack(kind):
        raise ValueError(f"{kind} is not a parameter pack but expects to have '{rest}'")
    check_name(kind, rest)


def _make_property(name: str) -> property:
    key = f"_{name}_value"

    def write(self: Any, value: Any) -> None:
        self.allParameters[name].serializer.validate(value)
        self.__dict__[key] = value
        self._changed()

    return property(lambda self: self.__dict__[key], write)


def _init(self: Any, *arguments: Any, **keywords: Any) -> None:
    names = list(self.allParameters)
    given = dict(zip(names, arguments, strict=False))
    for name, value in keywords.items():
        if name not in names:
            raise TypeError(f"__init__() got an unexpected keyword argument '{name}'")
        if name in given:
            raise TypeError(f"__init__() got multiple values for argument '{name}'")
        given[name] = value
    for name, info in self.allParameters.items():
        setattr(self, name, given[name] if name in given else copy.deepcopy(info.default.value))


def _changed(self: Any) -> None:
    """Write an observed pack back into its node."""
    observed = self.__dict__.get("_observed")
    if observed is not None:
        node, serializer, name = observed
        serializer.write(node, name, self)


def _observe(pack: Any, node: Any, serializer: Any, name: str) -> Any:
    pack.__dict__["_observed"] = (node, serializer, name)
    return pack


def _get_value(self: Any, name: str) -> Any:
    check_name(self, name)
    top, rest = splitDottedName(name)
    value = getattr(self, top)
    return value if rest is None else value.getValue(rest)


def _set_value(self: Any, name: str, value: Any) -> None:
    check_name(self, name)
    top, rest = splitDottedName(name)
    if rest is None:
        setattr(self, top, value)
    else:
        getattr(self, top).setValue(rest, value)
        self._changed()


def _data_type(cls: type, name: str) -> Any:
    check_name(cls, name)
    top, rest = splitDottedName(name)
    kind = cls.allParameters[top].unalteredType
    return kind if rest is None else unannotatedType(kind).dataType(rest)


def _equals(self: Any, other: Any) -> bool:
    if type(self) is not type(other):
        return False
    return all(getattr(self, name) == getattr(other, name) for name in self.allParameters)


def _text(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.allParameters)
    return f"{type(self).__name__}({values})"


def parameterPack(cls: type | None = None) -> Any:
    """Decorate a class so that its annotated members are one parameter."""

    def decorate(kind: type) -> type:
        members = describe_members(kind)
        if not members:
            raise ValueError("Unable to find any members in parameterPack")
        for name, info in members.items():
            info.serializer.validate(info.default.value)
            setattr(kind, name, _make_property(name))
        kind.allParameters, kind._is_parameterPack, kind._changed = members, True, _changed
        if "__init__" in kind.__dict__:
            own_init = kind.__init__

            def init(self: Any, *arguments: Any, **keywords: Any) -> None:
                _init(self)
                own_init(self, *arguments, **keywords)

            kind.__init__ = init
        else:
            kind.__init__ = _init
        for name, function in (("__eq__", _equals), ("__str__", _text), ("__repr__", _text)):
            if name not in kind.__dict__:
                setattr(kind, name, function)
        kind.getValue, kind.setValue, kind.dataType = _get_value, _set_value, classmethod(_data_type)
        return kind

    return decorate if cls is None else decorate(cls)


@parameterNodeSerializer
class ParameterPackSerializer(Serializer):
    """A pack: each member under ``name.member``."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return isParameterPack(kind)

    def default(self) -> Any:
        return self.kind()

    def isIn(self, node: Any, name: str) -> bool:
        member = next(iter(self.kind.allParameters.values()))
        return member.serializer.isIn(node, f"{name}.{member.basename}")

    def write(self, node: Any, name: str, value: Any) -> None:
        if not isinstance(value, self.kind):
            raise ValueError(f"Value must be of type '{self.kind}', is type '{type(value)}'")
        with slicer.util.NodeModify(node):
            for member in self.kind.allParameters.values():
                member.serializer.write(node, f"{name}.{member.basename}", getattr(value, member.basename))

    def read(self, node: Any, name: str) -> Any:
        pack = self.kind.__new__(self.kind)
        members = self.kind.allParameters.values()
        values = {m.basename: m.serializer.read(node, f"{name}.{m.basename}") for m in members}
        _init(pack, **values)
        return _observe(pack, node, self, name)

    def remove(self, node: Any, name: str) -> None:
        for member in self.kind.allParameters.values():
            member.serializer.remove(node, f"{name}.{member.basename}")
