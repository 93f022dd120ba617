"""How each type is kept in a vtkMRMLScriptedModuleNode."""

from __future__ import annotations

import collections.abc
import enum
import pathlib
import types
import typing
from typing import Any

import slicer

from Testing.desktop.parameter_node.annotations import IsInstance, NotNone, Validator, splitAnnotations

_serializers: list[type[Serializer]] = []
PATHS = (
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
)


class Serializer:
    """Writes values of some types into a parameter node and reads them back. By default, one string."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return False

    @classmethod
    def create(cls, kind: Any) -> Any:
        return cls(kind)

    def __init__(self, kind: Any = None) -> None:
        self.kind = kind

    def default(self) -> Any:
        raise NotImplementedError

    def isIn(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, str(value))

    def read(self, node: Any, name: str) -> Any:
        return self.kind(node.GetParameter(name))

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)


class ValidatedSerializer(Serializer):
    """A serializer behind validators."""

    def __init__(self, serializer: Any, validators: list[Any]) -> None:
        is_validated = isinstance(serializer, ValidatedSerializer)
        self.serializer = serializer.serializer if is_validated else serializer
        self.validators = (serializer.validators if is_validated else []) + list(validators)

    def validate(self, value: Any) -> None:
        for validator in self.validators:
            validator.validate(value)

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        self.serializer.write(node, name, value)

    def default(self) -> Any:
        return self.serializer.default()

    def isIn(self, node: Any, name: str) -> bool:
        return self.serializer.isIn(node, name)

    def read(self, node: Any, name: str) -> Any:
        return self.serializer.read(node, name)

    def remove(self, node: Any, name: str) -> None:
        self.serializer.remove(node, name)


def parameterNodeSerializer(cls: type | None = None) -> Any:
    """Decorate a serializer so that it is used."""

    def register(kind: type) -> type:
        _serializers.append(kind)
        return kind

    return register if cls is None else register(cls)


def createSerializer(kind: Any, annotations: list[Any]) -> tuple[ValidatedSerializer, list[Any]]:
    """Return a type's serializer, and the annotations that are neither validators nor serializers.

    Raises:
        TypeError: no serializer knows the type.
    """
    validators = [a() if isinstance(a, type) else a for a in annotations if _is(a, Validator)]
    given = [a for a in annotations if _is(a, Serializer)]
    rest = [a for a in annotations if not _is(a, Validator) and not _is(a, Serializer)]
    if given:
        return ValidatedSerializer(given[0], validators), rest
    for serializer in _serializers:
        if serializer.canSerialize(kind):
            return ValidatedSerializer(serializer.create(kind), validators), rest
    raise TypeError(f"Unable to create serializer for type: {kind}")


def _is(annotation: Any, kind: type) -> bool:
    return isinstance(annotation, kind) or (isinstance(annotation, type) and issubclass(annotation, kind))


def _of(kind: Any) -> ValidatedSerializer:
    return createSerializer(*splitAnnotations(kind))[0]


@parameterNodeSerializer
class NumberSerializer(Serializer):
    """int and float."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return kind in (int, float)

    @classmethod
    def create(cls, kind: Any) -> Any:
        return ValidatedSerializer(cls(kind), [NotNone(), IsInstance((int, float) if kind is float else int)])

    def default(self) -> Any:
        return 0


@parameterNodeSerializer
class StringSerializer(Serializer):
    """str."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return kind is str

    @classmethod
    def create(cls, kind: Any) -> Any:
        return ValidatedSerializer(cls(kind), [NotNone(), IsInstance(str)])

    def default(self) -> str:
        return ""


@parameterNodeSerializer
class PathSerializer(Serializer):
    """The classes of pathlib."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return kind in PATHS

    @classmethod
    def create(cls, kind: Any) -> Any:
        return ValidatedSerializer(cls(kind), [NotNone(), IsInstance(kind)])

    def default(self) -> Any:
        return self.kind()


@parameterNodeSerializer
class BoolSerializer(Serializer):
    """bool."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return kind is bool

    @classmethod
    def create(cls, kind: Any) -> Any:
        return ValidatedSerializer(cls(kind), [NotNone(), IsInstance(bool)])

    def default(self) -> bool:
        return False

    def read(self, node: Any, name: str) -> bool:
        return node.GetParameter(name) == "True"


@parameterNodeSerializer
class EnumSerializer(Serializer):
    """Enum members, by name."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, enum.Enum)

    @classmethod
    def create(cls, kind: Any) -> Any:
        return ValidatedSerializer(cls(kind), [IsInstance(kind)])

    def default(self) -> Any:
        return next(iter(self.kind))

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, value.name)

    def read(self, node: Any, name: str) -> Any:
        key = node.GetParameter(name)
        if key not in self.kind.__members__:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self.kind!r}")
        return self.kind[key]


@parameterNodeSerializer
class NodeSerializer(Serializer):
    """A MRML node, by reference; None is a value."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)

    @classmethod
    def create(cls, kind: Any) -> Any:
        return ValidatedSerializer(cls(kind), [IsInstance(kind)])

    def default(self) -> None:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


@parameterNodeSerializer
class NoneSerializer(Serializer):
    """None, in a union."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return kind is type(None)

    def default(self) -> None:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        if value is not None:
            raise ValueError("Value must be None")
        node.SetParameter(name, "True")

    def read(self, node: Any, name: str) -> None:
        return None


class ObservedList(collections.abc.MutableSequence):
    """A list that writes itself into the parameter node when it changes."""

    def __init__(self, node: Any, serializer: Any, name: str, values: list[Any]) -> None:
        self._node, self._serializer, self._name, self._list = node, serializer, name, values

    def _save(self) -> None:
        try:
            self._serializer.write(self._node, self._name, self._list)
        finally:
            self._list = self._serializer.read(self._node, self._name)._list

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, index: Any) -> Any:
        return self._list[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._list[index] = value
        self._save()

    def __delitem__(self, index: Any) -> None:
        del self._list[index]
        self._save()

    def insert(self, index: int, value: Any) -> None:
        self._list.insert(index, value)
        self._save()

    def __eq__(self, other: Any) -> bool:
        return self._list == (other._list if isinstance(other, ObservedList) else other)

    __hash__ = None

    def __repr__(self) -> str:
        return f"ObservedList({self._list})"


@parameterNodeSerializer
class ListSerializer(Serializer):
    """list[X]: its length and its elements."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return typing.get_origin(kind) is list

    def __init__(self, kind: Any) -> None:
        super().__init__(kind)
        self._element = _of(typing.get_args(kind)[0])

    def default(self) -> list[Any]:
        return []

    def isIn(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(f"{name}.len"))

    def _length(self, node: Any, name: str) -> int:
        return int(node.GetParameter(f"{name}.len")) if self.isIn(node, name) else 0

    def write(self, node: Any, name: str, value: Any) -> None:
        values = list(value)
        if isinstance(self._element, ValidatedSerializer):
            for element in values:
                self._element.validate(element)
        with slicer.util.NodeModify(node):
            old = self._length(node, name)
            for index, element in enumerate(values):
                self._element.write(node, f"{name}.{index}", element)
            node.SetParameter(f"{name}.len", str(len(values)))
            for index in range(len(values), old):
                self._element.remove(node, f"{name}.{index}")

    def read(self, node: Any, name: str) -> ObservedList:
        values = [self._element.read(node, f"{name}.{index}") for index in range(self._length(node, name))]
        return ObservedList(node, self, name, values)

    def remove(self, node: Any, name: str) -> None:
        for index in range(self._length(node, name)):
            self._element.remove(node, f"{name}.{index}")
        node.UnsetParameter(f"{name}.len")


@parameterNodeSerializer
class TupleSerializer(Serializer):
    """tuple[X, Y]."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return typing.get_origin(kind) is tuple

    def __init__(self, kind: Any) -> None:
        super().__init__(kind)
        self._elements = [_of(argument) for argument in typing.get_args(kind)]

    def default(self) -> tuple:
        return tuple(element.default() for element in self._elements)

    def isIn(self, node: Any, name: str) -> bool:
        return self._elements[0].isIn(node, f"{name}.0")

    def write(self, node: Any, name: str, value: Any) -> None:
        with slicer.util.NodeModify(node):
            for index, (element, serializer) in enumerate(zip(tuple(value), self._elements, strict=True)):
                serializer.write(node, f"{name}.{index}", element)

    def read(self, node: Any, name: str) -> tuple:
        return tuple(element.read(node, f"{name}.{index}") for index, element in enumerate(self._elements))

    def remove(self, node: Any, name: str) -> None:
        for index, element in enumerate(self._elements):
            element.remove(node, f"{name}.{index}")


@parameterNodeSerializer
class UnionSerializer(Serializer):
    """X | Y | None: the number of the type that fits is part of the name."""

    @staticmethod
    def canSerialize(kind: Any) -> bool:
        return typing.get_origin(kind) is typing.Union or isinstance(kind, types.UnionType)

    def __init__(self, kind: Any) -> None:
        super().__init__(kind)
        self._members = [_of(argument) for argument in typing.get_args(kind)]

    def default(self) -> Any:
        is_optional = len(self._members) == 2 and isinstance(self._members[1].serializer, NoneSerializer)
        return None if is_optional else self._members[0].default()

    def isIn(self, node: Any, name: str) -> bool:
        return any(member.isIn(node, f"{name}.{index}") for index, member in enumerate(self._members))

    def _index_for(self, value: Any) -> int:
        problem: Exception = TypeError(f"Unable to write value '{value}' of type '{type(value)}'")
        for index, member in enumerate(self._members):
            if type(member.serializer).canSerialize(type(value)):
                try:
                    member.validate(value)
                    return index
                except (TypeError, ValueError) as refusal:
                    problem = refusal
        raise problem

    def write(self, node: Any, name: str, value: Any) -> None:
        index = self._index_for(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            self._members[index].write(node, f"{name}.{index}", value)

    def read(self, node: Any, name: str) -> Any:
        for index, member in enumerate(self._members):
            if member.isIn(node, f"{name}.{index}"):
                return member.read(node, f"{name}.{index}")
        raise KeyError(f"Unable to find value for name: {name}")

    def remove(self, node: Any, name: str) -> None:
        for index, member in enumerate(self._members):
            member.remove(node, f"{name}.{index}")
