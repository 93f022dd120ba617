"""How lists, tuples and unions are kept in a vtkMRMLScriptedModuleNode."""

from __future__ import annotations

import collections.abc
import types
import typing
from typing import Any

import slicer

from Testing.desktop.parameter_node.serializers import (
    NoneSerializer,
    Serializer,
    ValidatedSerializer,
    parameterNodeSerializer,
    serializer_of,
)


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
        self._element = serializer_of(typing.get_args(kind)[0])

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
        self._elements = [serializer_of(argument) for argument in typing.get_args(kind)]

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
        self._members = [serializer_of(argument) for argument in typing.get_args(kind)]

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
