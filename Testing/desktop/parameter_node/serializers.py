"""How each type is kept in a vtkMRMLScriptedModuleNode: as Slicer keeps it, so that scenes can be exchanged."""

from __future__ import annotations

import enum
from typing import Any

import slicer

from Testing.desktop.parameter_node.annotations import IsInstance, Validator


class Serializer:
    """Writes values of one type into a parameter node and reads them back; here as one string.

    Args:
        kind: the type, without annotations.
        validators: asked before a value is written.
    """

    def __init__(self, kind: Any, validators: list[Validator]) -> None:
        self.kind, self._validators = kind, [*self.own_validators(kind), *validators]

    @staticmethod
    def fits(kind: Any) -> bool:
        """Return whether this serializer is the type's."""
        return kind in (int, float, str)

    @staticmethod
    def own_validators(kind: Any) -> list[Validator]:
        """Return the validators that the type itself brings."""
        return [IsInstance((int, float) if kind is float else kind)]

    def validate(self, value: Any) -> None:
        """Raise ValueError or TypeError where the value is refused."""
        for validator in self._validators:
            validator.validate(value)

    def default(self) -> Any:
        """Return the value of a parameter for which none is given."""
        return self.kind()

    def is_in(self, node: Any, name: str) -> bool:
        """Return whether the node has a value of that name."""
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        """Write a value that was validated."""
        node.SetParameter(name, str(value))

    def read(self, node: Any, name: str) -> Any:
        """Return the node's value."""
        return self.kind(node.GetParameter(name))


class BoolSerializer(Serializer):
    """bool."""

    @staticmethod
    def fits(kind: Any) -> bool:
        return kind is bool

    def read(self, node: Any, name: str) -> bool:
        return node.GetParameter(name) == "True"


class EnumSerializer(Serializer):
    """Enum members, by name."""

    @staticmethod
    def fits(kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, enum.Enum)

    def default(self) -> enum.Enum:
        return next(iter(self.kind))

    def write(self, node: Any, name: str, value: enum.Enum) -> None:
        node.SetParameter(name, value.name)

    def read(self, node: Any, name: str) -> enum.Enum:
        key = node.GetParameter(name)
        if key not in self.kind.__members__:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self.kind!r}")
        return self.kind[key]


class NodeSerializer(Serializer):
    """A MRML node, by reference; None is a value."""

    @staticmethod
    def fits(kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)

    @staticmethod
    def own_validators(kind: Any) -> list[Validator]:
        return [IsInstance((kind, type(None)))]

    def default(self) -> None:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)
