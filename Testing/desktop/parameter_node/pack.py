"""Annotated members of a class, and parameter packs: several values under one parameter."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any

import slicer

from Testing.desktop.parameter_node.annotations import Default, Validator, first_annotation, split_annotations
from Testing.desktop.parameter_node.serializers import BoolSerializer, EnumSerializer, NodeSerializer, Serializer


@dataclass(frozen=True)
class Member:
    """One annotated member of a pack or a wrapper; ``datatype`` is its type with annotations."""

    serializer: Serializer
    default: Any
    datatype: Any


def describe_members(cls: type) -> dict[str, Member]:
    """Return a class's annotated members by name.

    Raises:
        TypeError: a member's type is none that the desktop keeps in a node.
        ValueError: a default is refused by the member's validators, or there is no member.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    if not hints:
        raise ValueError(f"{cls} has no annotated members")
    return {name: _describe(cls, name, datatype) for name, datatype in hints.items()}


def _describe(cls: type, name: str, datatype: Any) -> Member:
    kind, annotations = split_annotations(datatype)
    serializer = _serializer_of(kind, [a for a in annotations if isinstance(a, Validator)])
    given = first_annotation(annotations, Default)
    default = getattr(cls, name, given.value if given else serializer.default())
    serializer.validate(default)
    return Member(serializer, default, datatype)


def _serializer_of(kind: Any, validators: list[Validator]) -> Serializer:
    for serializer in (Serializer, BoolSerializer, EnumSerializer, NodeSerializer, PackSerializer):
        if serializer.fits(kind):
            return serializer(kind, validators)
    raise TypeError(f"Unable to create serializer for type: {kind}")


class Pack:
    """What every parameter pack can; one read from a node writes itself back when a member is set."""

    allParameters: dict[str, Member]

    def __init__(self, **values: Any) -> None:
        self._write_back = None
        unknown = set(values) - set(self.allParameters)
        if unknown:
            raise TypeError(f"__init__() got an unexpected keyword argument '{min(unknown)}'")
        for name, member in self.allParameters.items():
            setattr(self, name, values.get(name, member.default))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, n) == getattr(other, n) for n in self.allParameters)

    __hash__ = None

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.allParameters)
        return f"{type(self).__name__}({values})"


def _pack_property(name: str) -> property:
    key = f"_{name}_value"

    def write(self: Pack, value: Any) -> None:
        self.allParameters[name].serializer.validate(value)
        setattr(self, key, value)
        if self._write_back is not None:
            self._write_back(self)

    return property(lambda self: getattr(self, key), write)


def parameterPack(cls: type) -> type:
    """Decorate a class so that its annotated members are one parameter."""
    members = describe_members(cls)
    properties = {name: _pack_property(name) for name in members}
    return type(cls.__name__, (Pack, cls), {**properties, "allParameters": members, "__module__": cls.__module__})


class PackSerializer(Serializer):
    """A pack: each member under ``name.member``."""

    @staticmethod
    def fits(kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, Pack)

    def is_in(self, node: Any, name: str) -> bool:
        member, info = next(iter(self.kind.allParameters.items()))
        return info.serializer.is_in(node, f"{name}.{member}")

    def write(self, node: Any, name: str, value: Pack) -> None:
        with slicer.util.NodeModify(node):
            for member, info in self.kind.allParameters.items():
                info.serializer.write(node, f"{name}.{member}", getattr(value, member))

    def read(self, node: Any, name: str) -> Pack:
        members = self.kind.allParameters.items()
        pack = self.kind(**{member: info.serializer.read(node, f"{name}.{member}") for member, info in members})
        pack._write_back = lambda changed: self.write(node, name, changed)
        return pack
