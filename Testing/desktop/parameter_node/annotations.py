"""What may stand in Annotated[...]: a default, and validators."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Default:
    """A parameter's default; Slicer's ``generator`` is left out."""

    value: Any


class Validator:
    """Refuses values."""

    def validate(self, value: Any) -> None:
        """Raise ValueError or TypeError where the value is refused."""
        raise NotImplementedError


@dataclass(frozen=True)
class IsInstance(Validator):
    """Refuses other types."""

    classtype: type | tuple[type, ...]

    def validate(self, value: Any) -> None:
        if not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'")


@dataclass(frozen=True)
class WithinRange(Validator):
    """Refuses what lies outside, the ends belong to it."""

    minimum: float
    maximum: float

    def validate(self, value: float) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclass(frozen=True)
class Choice(Validator):
    """Refuses what is not among the choices."""

    choices: typing.Sequence[Any]

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be one of {self.choices}")


def split_annotations(kind: Any) -> tuple[Any, list[Any]]:
    """Return a type without its annotations, and the annotations."""
    if typing.get_origin(kind) is Annotated:
        actual, *annotations = typing.get_args(kind)
        return actual, annotations
    return kind, []


def first_annotation(annotations: list[Any], kind: type) -> Any:
    """Return the first annotation of a type, or None."""
    return next((a for a in annotations if isinstance(a, kind)), None)
