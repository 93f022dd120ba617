"""What ``seru worker`` is asked: one JSON object a line, checked before anything is done. See docs/worker.md."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from seru.cli.arguments import existing_path, model_name
from seru.cli.live_case import Order
from seru.cohort.outputs import Outputs
from seru.errors import BadInputError
from seru.findings import Index, Side
from seru.options import SegmentOptions
from seru.records import parse_json, read_record, shown

# Paths and options take some kilobytes.
LONGEST_LINE = 1 << 16
# Whoever reads numbers as floats, as JavaScript does, knows those up to this one apart.
_LARGEST_ID = 2**53
_WHAT = "The request"
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """Any request.

    Attributes:
        id: chosen by whoever asks; every event of the request repeats it.
    """

    id: int


@dataclass(frozen=True)
class SegmentRequest(Request):
    """Segment a CT: paths as the command's arguments, options as fields of :class:`SegmentOptions`."""

    input: str
    output: str | None = None
    report: str | None = None
    maps: str | None = None
    pictures: str | None = None
    series: str | None = None
    model: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def order(self) -> Order:
        """Return what is asked for.

        Raises:
            BadInputError: no file can have such a name, or an option is unknown or out of its range.
        """
        output, report, maps, pictures = (self._path(name) for name in ("output", "report", "maps", "pictures"))
        outputs = Outputs(output, report, maps, pictures)
        options = read_record(SegmentOptions, self.options, _WHAT, "options")
        source = _checked(existing_path, self.input, "input")
        model = None if self.model is None else _checked(model_name, self.model, "model")
        return Order(source, outputs, options, self.series, model)

    def _path(self, name: str) -> Path | None:
        text = getattr(self, name)
        return None if text is None else _checked(existing_path, text, name)


@dataclass(frozen=True)
class RefineRequest(Request):
    """Refine a side of the last CT in a box: first and last voxel of the input; None where its kidney is found.

    Its key slice may be given, as the report's index of it.
    """

    side: Side
    box: tuple[Index, Index] | None
    key_slice: int | None = None


@dataclass(frozen=True)
class CancelRequest(Request):
    """Cancel another request, running or waiting: the one of the number ``of``."""

    of: int


@dataclass(frozen=True)
class PlainRequest(Request):
    """A request without facts of its own."""

    do: Literal["status", "release", "quit"]


AnyRequest = SegmentRequest | RefineRequest | CancelRequest | PlainRequest
_KINDS: dict[str, type[AnyRequest]] = {
    "segment": SegmentRequest,
    "refine": RefineRequest,
    "cancel": CancelRequest,
    "status": PlainRequest,
    "release": PlainRequest,
    "quit": PlainRequest,
}


class RequestError(BadInputError):
    """A line that is no request.

    Attributes:
        id: of the request, where it has one.
    """

    def __init__(self, message: str, id: int | None = None) -> None:
        super().__init__(message)
        self.id = id


def read_request(line: bytes) -> AnyRequest:
    """Read a request.

    Args:
        line: without its end, of :data:`LONGEST_LINE` bytes at most.

    Returns:
        The request, of the right types.

    Raises:
        RequestError: it is none.
    """
    try:
        values = parse_json(line)
    except ValueError as error:
        raise RequestError("A line is no JSON; send one object a line, with each key once.") from error
    number = values.get("id") if isinstance(values, dict) else None
    if type(number) is not int or abs(number) > _LARGEST_ID:
        raise RequestError(
            f"A request has no number ({shown(number)}); give a whole number of at most {_LARGEST_ID} as its id."
        )
    kind = values.get("do")
    record: type[AnyRequest] | None = _KINDS.get(kind) if isinstance(kind, str) else None
    if record is None:
        raise RequestError(f"The request asks for {shown(kind)}; give one of {', '.join(_KINDS)}.", number)
    facts = {name: value for name, value in values.items() if name != "do" or record is PlainRequest}
    needed = {option.name for option in fields(record)} & {"input", "side", "box", "of"} - set(facts)
    if needed:
        raise RequestError(f"The request lacks {' and '.join(sorted(needed))}; see docs/worker.md.", number)
    try:
        return read_record(record, facts, _WHAT)
    except BadInputError as error:
        raise RequestError(str(error), number) from error


def _checked(check: Callable[[str], T], text: str, name: str) -> T:
    try:
        return check(text)
    except argparse.ArgumentTypeError as error:
        raise BadInputError(f"The request's {name} cannot be used: {error}.") from error
