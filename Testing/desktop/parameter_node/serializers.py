"""How each type is kept in a vtkMRMLScriptedModuleNode."""

from __future__ import annotations

import enum
import pathlib
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


def serializer_of(kind: Any) -> ValidatedSerializer:
    """Return the serializer of a type with its annotations."""
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
