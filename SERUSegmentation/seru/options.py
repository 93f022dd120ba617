"""The one place that knows what may be chosen for a run; arguments, panel, recipe and report are made from it.

A new switch is a field of :class:`SegmentOptions` with its help, and a widget of the panel's form that names it.
"""

from __future__ import annotations

import functools
import math
import operator
import re
import types
import typing
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from seru.errors import BadInputError
from seru.findings import SIDES, Index, Side, Thresholds
from seru.records import read_record, to_plain

EngineName = Literal["auto", "torch", "openvino", "openvino-int8"]
CropRule = Literal["grow", "paper"]
SegType = Literal["binary", "labelmap", "fractional"]

# SERU's own weight of the coarse stage.
PAPER_ALPHA = 0.4
CLEAN_UP = "clean-up of the result (all off by default)"
_CLEAN_UP_KEY = "postprocessing"
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_BOX = re.compile(r"(\w+)=(\d{1,9}):(\d{1,9}),(\d{1,9}):(\d{1,9}),(\d{1,9}):(\d{1,9})(?:@(\d{1,9}))?", re.ASCII)


def _switch(text: str, **facts: Any) -> dict[str, Any]:
    """The metadata of a field: its help, and what :class:`Switch` says of it otherwise."""
    return {"help": text, **facts}


@dataclass(frozen=True)
class SideBox:
    """Where a side is to be refined, in voxels of the input, as ``ijk_min`` and ``ijk_max`` of the report's crop box.

    Attributes:
        side: the patient's.
        ijk_min: first voxel.
        ijk_max: last voxel, inside the box.
        key_slice: index of the side's key slice along the axis of the slices, as ``index`` of the report's; None takes
            the slice that was found.

    Raises:
        BadInputError: the side is unknown, the box begins before the first voxel or after its own end, or the key
            slice is no index.
    """

    side: Side
    ijk_min: Index
    ijk_max: Index
    key_slice: int | None = None

    def __post_init__(self) -> None:
        for name in ("ijk_min", "ijk_max"):
            object.__setattr__(self, name, tuple(map(_own_index, getattr(self, name))))
        object.__setattr__(self, "key_slice", _own_index(self.key_slice))
        if self.key_slice is not None and not (type(self.key_slice) is int and self.key_slice >= 0):
            raise BadInputError(f"The key slice '{self.key_slice}' of a box is none; give its index, counted from 0.")
        if self.side not in SIDES:
            raise BadInputError(f"The side '{self.side}' of a box is unknown; give one of {', '.join(SIDES)}.")
        is_whole = len(self.ijk_min) == len(self.ijk_max) == 3
        is_whole &= all(type(number) is int for number in (*self.ijk_min, *self.ijk_max))
        if not is_whole or not all(0 <= low <= high for low, high in zip(self.ijk_min, self.ijk_max, strict=True)):
            raise BadInputError(
                f"The box {self} is none; give its first and its last voxel along i, j and k, counted from 0."
            )

    @classmethod
    def parse(cls, text: str) -> SideBox:
        """Read a box as it is given to the command.

        Args:
            text: ``SIDE=i0:i1,j0:j1,k0:k1``, the last voxels inside the box; ``@N`` behind it gives the key slice.

        Returns:
            The box.

        Raises:
            BadInputError: the text is none, or as the class.
        """
        found = _BOX.fullmatch(text)
        if found is None:
            raise BadInputError(
                f"The box '{text}' cannot be read; give SIDE=i0:i1,j0:j1,k0:k1 in whole voxels of the CT, and @N "
                "behind it for its key slice."
            )
        i0, i1, j0, j1, k0, k1 = (int(number) for number in found.groups()[1:7])
        key = None if found[8] is None else int(found[8])
        return cls(typing.cast(Side, found[1]), (i0, j0, k0), (i1, j1, k1), key)

    def __str__(self) -> str:
        ranges = (f"{low}:{high}" for low, high in zip(self.ijk_min, self.ijk_max, strict=False))
        return f"{self.side}={','.join(ranges)}" + ("" if self.key_slice is None else f"@{self.key_slice}")


def _own_index(number: Any) -> Any:
    """A whole number as Python's own, NumPy's too; what is none as it is, to be refused."""
    try:
        return number if isinstance(number, bool) else operator.index(number)
    except TypeError:
        return number


@dataclass(frozen=True)
class SegmentOptions:
    """How the cascade runs and how its result is fused and cleaned up, validated when built.

    Attributes:
        alpha: weight of the coarse stage in the fusion, 0..1; None takes the model's default.
        device: ``auto``, ``cpu``, ``cuda:N`` or ``mps``.
        engine: ``auto``, ``torch``, ``openvino``, or ``openvino-int8``.
        threads: CPU threads of the run; None takes all (one per core).
        all_slices: run every slice through both stages, without the sparse pass.
        mirror: run both networks on each slice and on its mirror image, and take the mean; twice the time.
        min_confidence: least confidence of what is believed, 0..1, and 0 believes everything; None takes the model's.
        crop: ``grow`` lets a crop box grow to hold its side's coarse mask; ``paper`` keeps its size.
        largest_component_per_side: keep only the largest kidney+tumor component of each side.
        tumor_touches_kidney: remove tumor components that touch no kidney voxel.
        minimum_volume_ml: remove kidney+tumor components smaller than this, in ml.
        boxes: where sides are refined, one a side at most; a side without one is refined where its kidney was found.
        seg_type: how a DICOM segmentation holds its segments: a bit each, one map of labels, or probabilities.
        seg_findings: give it a segment for each finding, not one for each kind.

    Raises:
        BadInputError: a value is out of its range.
    """

    alpha: float | None = field(
        default=None,
        metadata=_switch(
            "weight of the coarse stage, 0 (refined) to 1 (coarse); the model's own by default",
            metavar="A",
            limits=(0.0, 1.0),
            paper=PAPER_ALPHA,
            is_of_result=True,
        ),
    )
    device: str = field(default="auto", metadata=_switch("auto, cpu, cuda:N or mps", metavar="DEVICE"))
    engine: EngineName = field(
        default="auto",
        metadata=_switch(
            "back end of the networks; openvino-int8 rounds to 8-bit integers, as auto does where the model has ranges "
            "for them, on x86-64 without AMX"
        ),
    )
    threads: int | None = field(default=None, metadata=_switch("CPU threads; all by default", metavar="N"))
    all_slices: bool = field(
        default=False,
        metadata=_switch("run every slice through both stages; else the sparse pass leaves some out", paper=True),
    )
    mirror: bool = field(
        default=False,
        metadata=_switch("run mirror images too and take the mean: fewer false alarms, twice the time", paper=False),
    )
    crop: CropRule = field(
        default="grow", metadata=_switch("grow a crop that would cut a kidney, or keep the paper's", paper="paper")
    )
    min_confidence: float | None = field(
        default=None,
        metadata=_switch(
            "leave out what is found with less confidence, 0 (nothing) to 1; the model's own by default",
            metavar="C",
            paper=0.0,
            is_of_result=True,
        ),
    )
    largest_component_per_side: bool = field(
        default=False,
        metadata=_switch(
            "keep the largest component of each side",
            flag="--largest-component",
            group=CLEAN_UP,
            paper=False,
            is_of_result=True,
        ),
    )
    tumor_touches_kidney: bool = field(
        default=False,
        metadata=_switch("remove tumors that touch no kidney", group=CLEAN_UP, paper=False, is_of_result=True),
    )
    minimum_volume_ml: float = field(
        default=0.0,
        metadata=_switch(
            "remove smaller components",
            flag="--minimum-volume",
            metavar="ML",
            limits=(0.0, 100.0),
            group=CLEAN_UP,
            paper=0.0,
            is_of_result=True,
        ),
    )
    boxes: tuple[SideBox, ...] = field(
        default=(),
        metadata=_switch(
            "refine a side (right or left) in this box of voxels of the CT, ends included, once for each side; in the "
            "plane it grows about its centre to the model's crop, or to the next multiple of 32 network pixels, and is "
            "moved into the image: the report's crop box tells what was run; @N behind it gives the side's key slice",
            flag="--box",
            metavar="SIDE=i0:i1,j0:j1,k0:k1[@N]",
            is_of_one_ct=True,
        ),
    )
    seg_type: SegType = field(
        default="binary",
        metadata=_switch(
            "how .seg.dcm holds its segments; labelmap is new to many readers, fractional holds the fused "
            "probabilities before anything is left out",
            is_of_output=True,
        ),
    )
    seg_findings: bool = field(
        default=False,
        metadata=_switch(
            "give .seg.dcm a segment for each finding, with its side; with .sr.dcm it always has them",
            is_of_output=True,
        ),
    )

    def __post_init__(self) -> None:
        if self.alpha is not None:
            check_alpha(self.alpha)
        if self.min_confidence is not None:
            Thresholds.of_all(self.min_confidence)
        if not _DEVICE.fullmatch(self.device):
            raise BadInputError(f"The device '{self.device}' is unknown; give auto, cpu, mps, cuda or cuda:N.")
        for switch in switches():
            value = getattr(self, switch.name)
            if switch.choices and value not in switch.choices:
                name = switch.name.replace("_", " ")
                raise BadInputError(f"The {name} '{value}' is unknown; give one of {', '.join(switch.choices)}.")
        if self.threads is not None and self.threads < 1:
            raise BadInputError(f"The number of threads is {self.threads}; give 1 or more.")
        if not (math.isfinite(self.minimum_volume_ml) and self.minimum_volume_ml >= 0):
            raise BadInputError(
                f"The minimum volume is {self.minimum_volume_ml} ml; give a number of millilitres that is 0 or more."
            )
        # Whichever was given first, the options are the same.
        object.__setattr__(self, "boxes", tuple(sorted(self.boxes, key=lambda box: SIDES.index(box.side))))
        for side in SIDES:
            if sum(box.side == side for box in self.boxes) > 1:
                raise BadInputError(f"Several boxes are given for the {side} side; give one a side.")

    @classmethod
    def of_paper(cls, **given: Any) -> SegmentOptions:
        """Return the paper's way in every switch.

        Args:
            given: options that win over the paper's.

        Returns:
            The options.

        Raises:
            BadInputError: as the class.
        """
        return cls(**{s.name: s.paper for s in switches() if s.paper is not None} | given)

    @property
    def cleans_up(self) -> bool:
        """Whether the fused labels are changed afterwards."""
        return self.largest_component_per_side or self.tumor_touches_kidney or self.minimum_volume_ml > 0

    def of_result(self) -> dict[str, Any]:
        """Return, by name, the options that can be changed after the networks have run."""
        return {s.name: getattr(self, s.name) for s in switches() if s.is_of_result}

    def for_result(self, **changes: Any) -> SegmentOptions:
        """Return the options that can be changed after the networks have run; the others at their defaults.

        Args:
            changes: options that win over these.

        Returns:
            The options.

        Raises:
            BadInputError: as the class.
        """
        return SegmentOptions(**{**self.of_result(), **changes})

    def are_seen_alike(self, other: SegmentOptions) -> bool:
        """Tell whether the coarse stage and what is found on it are the same with other options.

        Args:
            other: of a run on the same CT.

        Returns:
            True where they differ in boxes and in what is done with the probabilities alone.
        """
        # The least confidence is of the result too, but key slices follow it.
        names = [s.name for s in switches() if not (s.is_of_result or s.is_of_one_ct or s.is_of_output)]
        return all(getattr(self, name) == getattr(other, name) for name in (*names, "min_confidence"))

    def deciding(self) -> dict[str, Any]:
        """Return what decides a result, as the report keeps it: neither where it ran, nor alpha, which stands apart."""
        method = [s for s in switches() if (s.paper is not None or s.is_of_one_ct) and s.name != "alpha"]
        values = {s.name: to_plain(getattr(self, s.name)) for s in method if s.group is None}
        return {**values, _CLEAN_UP_KEY: {s.name: getattr(self, s.name) for s in method if s.group == CLEAN_UP}}

    @classmethod
    def from_deciding(cls, decided: dict[str, Any], **given: Any) -> SegmentOptions:
        """Return the options that a report was made with.

        Args:
            decided: what :meth:`deciding` gave.
            given: other options.

        Returns:
            The options.

        Raises:
            BadInputError: an option is unknown or out of its range.
        """
        clean_up = decided.get(_CLEAN_UP_KEY, {})
        if not isinstance(clean_up, dict):
            raise BadInputError("The report's options hold no clean-up; run the segmentation again.")
        values = {name: value for name, value in decided.items() if name != _CLEAN_UP_KEY}
        return read_record(cls, {**values, **clean_up, **given}, "The report")


@dataclass(frozen=True)
class Switch:
    """One option, as the command, the panel and the child process see it.

    Attributes:
        name: of the field.
        kind: ``bool``, ``int``, ``float``, ``str`` or ``SideBox``; of optional values what they are when given.
        default: of the field.
        help: for people, in lower case and without a full stop.
        flag: of the command.
        choices: the values there are; empty where any is allowed.
        metavar: how the command's help calls the value.
        group: heading in the command's help, or None.
        limits: of the panel's widget, where it has any.
        paper: the paper's way; None where the paper has none.
        is_of_result: can be changed after the networks have run.
        is_of_one_ct: means nothing for another CT.
        is_of_output: says how an output of ``seru segment`` is written.
        is_repeated: may be given several times; the value is a tuple.
    """

    name: str
    kind: type
    default: Any
    help: str
    flag: str
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    group: str | None = None
    limits: tuple[float, float] | None = None
    paper: Any = None
    is_of_result: bool = False
    is_of_one_ct: bool = False
    is_of_output: bool = False
    is_repeated: bool = False

    @property
    def camel_case(self) -> str:
        """The name in Slicer's spelling: of the panel's parameter."""
        first, *others = self.name.split("_")
        return first + "".join(word.capitalize() for word in others)

    @property
    def sentence(self) -> str:
        """The help as a sentence: the panel's tooltip."""
        return f"{self.help[:1].upper()}{self.help[1:]}."

    def arguments(self, value: Any) -> list[str]:
        """Return the command's arguments that choose a value; none for the default."""
        if value == self.default:
            return []
        if self.is_repeated:
            return [text for one in value for text in (self.flag, str(one))]
        return [self.flag] if self.kind is bool else [self.flag, str(value)]


@functools.cache
def switches() -> tuple[Switch, ...]:
    """Return every option in the order of the fields."""
    hints = typing.get_type_hints(SegmentOptions)
    return tuple(_as_switch(option.name, option.default, hints[option.name], **option.metadata)
                 for option in fields(SegmentOptions))  # fmt: skip


def _as_switch(name: str, default: Any, hint: Any, **facts: Any) -> Switch:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not types.NoneType)
    choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
    is_repeated = typing.get_origin(hint) is tuple
    return Switch(
        name=name,
        kind=str if choices else typing.get_args(hint)[0] if is_repeated else hint,
        default=default,
        choices=choices,
        is_repeated=is_repeated,
        **{"flag": f"--{name.replace('_', '-')}", **facts},
    )


def check_alpha(alpha: float) -> float:
    """Return alpha if it is a fusion weight.

    Args:
        alpha: weight of the coarse stage, 0..1.

    Returns:
        The same number.

    Raises:
        BadInputError: alpha is not between 0 and 1.
    """
    if not 0.0 <= alpha <= 1.0:  # nor NaN; an integer may be too large for a float
        raise BadInputError(f"Alpha is {alpha}; give a number from 0 (refined) to 1 (coarse).")
    return alpha
