"""What may stand in Annotated[...]: defaults, validators, hints for the widget."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any


class Default:
    """A parameter's default, a value or a function that makes one."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value, self._generator = value, generator

    @property
    def value(self) -> Any:
        return self._generator() if self._generator else self._value


@dataclass
class Decimals:
    """Decimals a spin box or slider shows."""

    value: int


@dataclass
class SingleStep:
    """Step of a spin box or slider."""

    value: float


class Validator:
    """Refuses values by raising."""

    def validate(self, value: Any) -> None:
        raise NotImplementedError


class NotNone(Validator):
    """Refuses None."""

    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


@dataclass
class IsInstance(Validator):
    """Refuses other types; None passes."""

    classtype: Any

    def validate(self, value: Any) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'")


@dataclass
class WithinRange(Validator):
    """Refuses what lies outside, the ends belong to it."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclass
class Minimum(Validator):
    """Refuses smaller values."""

    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


@dataclass
class Maximum(Validator):
    """Refuses larger values."""

    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


@dataclass
class Choice(Validator):
    """Refuses what is not among the choices."""

    choices: Any

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be one of {self.choices}")


@dataclass
class Exclude(Validator):
    """Refuses what is among the excluded values."""

    excludedValues: Any

    def validate(self, value: Any) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value is {value}, but must not be one of {self.excludedValues}")


def splitAnnotations(kind: Any) -> tuple[Any, list[Any]]:
    """Return a type without its annotations, and the annotations."""
    if typing.get_origin(kind) is Annotated:
        actual, *annotations = typing.get_args(kind)
        return actual, annotations
    return kind, []


def unannotatedType(kind: Any) -> Any:
    """Return a type without its annotations."""
    return splitAnnotations(kind)[0]


def findFirstAnnotation(annotations: Any, kind: type) -> Any:
    """Return the first annotation of a type, or None."""
    return next((a for a in annotations if isinstance(a, kind)), None)


def splitDottedName(name: str) -> tuple[str, str | None]:
    """Return a parameter's name and what follows its first dot, if anything."""
    top, _dot, rest = name.partition(".")
    return top, rest or None
