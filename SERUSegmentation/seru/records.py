"""Typed records out of plain values (JSON, YAML): every key known, every value of its field's type.

Source: our rule: what comes from a file is checked once, where it is read.
"""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
import types
import typing
from contextlib import suppress
from typing import Any, Literal, TypeVar

from seru.errors import BadInputError

T = TypeVar("T")

# No count of ours comes near; what is above fits no array's shape.
_LARGEST_INTEGER = 2**53
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 2, 80, 80


def parse_json(text: str | bytes) -> Any:
    """Read JSON that anyone may have written.

    Args:
        text: UTF-8 where it is bytes; the caller bounds its length.

    Returns:
        The plain values; every number is finite.

    Raises:
        ValueError: it is no JSON, an object has a key twice, a number is not finite, or it is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands in it twice")
    return values


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is no finite number")
    return number


def read_record(kind: type[T], values: Any, what: str, where: str = "") -> T:
    """Build a dataclass from plain values.

    Args:
        kind: the dataclass; its fields are numbers, texts, ``Literal``, tuples, dicts, optional ones, or dataclasses.
        values: its fields by name; nested dataclasses as dicts, tuples as lists.
        what: is read, for messages: "The config".
        where: name of the section, for messages; empty at the top.

    Returns:
        The dataclass.

    Raises:
        BadInputError: a key is unknown or missing, or a value has the wrong type or is out of its range.
    """
    if not isinstance(values, dict):
        raise BadInputError(f"{what}'s section '{where}' must hold options, got {shown(values)}.")
    hints = typing.get_type_hints(kind)
    known = {option.name for option in dataclasses.fields(typing.cast(Any, kind)) if option.init}
    for key in values:
        if key not in known:
            place = f"in '{where}'" if where else "at the top"
            raise BadInputError(
                f"{what} has an unknown option {shown(key)} {place}; known: {', '.join(sorted(known))}."
            )
    prefix = f"{where}." if where else ""
    converted = {key: _convert(hints[key], value, what, prefix + key) for key, value in values.items()}
    try:
        return kind(**converted)
    except TypeError as error:
        raise BadInputError(f"{what} is incomplete ({error}).") from error


def shown(value: Any) -> str:
    """Return any value as one short line, for a message."""
    return _REPR.repr(value)


def to_plain(value: Any) -> Any:
    """Return a record as JSON-ready values; the inverse of :func:`read_record`."""
    if dataclasses.is_dataclass(value):
        return {option.name: to_plain(getattr(value, option.name)) for option in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return [to_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _convert(hint: Any, value: Any, what: str, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return read_record(typing.cast(Any, hint), value, what, where)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _convert(arguments[0], value, what, where)
    if origin is Literal:
        if value in arguments:
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple) and (arguments[-1] is ... or len(value) == len(arguments)):
            kinds = [arguments[0]] * len(value) if arguments[-1] is ... else arguments
            return tuple(_convert(kind, item, what, where) for kind, item in zip(kinds, value, strict=True))
    elif origin is dict:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {key: _convert(arguments[1], item, what, f"{where}.{key}") for key, item in value.items()}
    elif hint is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        # YAML 1.1 reads 1e-4 as a text.
        with suppress(ValueError, OverflowError):
            if math.isfinite(number := float(value)):
                return number
    elif isinstance(value, hint) and _is_plain(hint, value):
        return value
    wanted = f"one of {', '.join(map(str, arguments))}" if origin is Literal else getattr(hint, "__name__", str(hint))
    raise BadInputError(f"{what}'s option '{where}' is {shown(value)}; expected {wanted}.")


def _is_plain(hint: type, value: Any) -> bool:
    """Whether a value of the right type can be used: True is no number, and no path holds a zero byte."""
    if hint is int:
        return not isinstance(value, bool) and abs(value) <= _LARGEST_INTEGER
    return not (hint is str and "\0" in value)
