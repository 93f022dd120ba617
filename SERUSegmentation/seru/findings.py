"""What a run found, as records: key slices, crop boxes, measures, and the report that holds them.

The report is made once, at the end of a run, and never changed: another alpha makes another one. Its JSON follows
``report.schema.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from seru.errors import BadInputError
from seru.records import read_record, to_plain

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")
RIGHT, LEFT = 1, 2
SIDE_CODES: dict[Side, int] = {"right": RIGHT, "left": LEFT}
# Values of our label maps.
BACKGROUND, KIDNEY, TUMOR = 0, 1, 2
# Names of the key slices' pictures.
PICTURES: dict[Side, str] = {side: f"key_slice_{side}.png" for side in SIDES}

VERSION = 1
_DIGITS = 4

Index = tuple[int, int, int]
Position = tuple[float, float, float]


@dataclass(frozen=True)
class KeySlice:
    """The slice of a side whose contour of kidney and tumor has the largest area.

    Attributes:
        index: in the input's own order along its stack axis.
        position_ras: centre of the contour in mm.
        area_mm2: that the contour encloses.
    """

    index: int
    position_ras: Position
    area_mm2: float


@dataclass(frozen=True)
class CropBox:
    """Where the refine stage ran on a side.

    Attributes:
        ijk_min: first voxel of the input.
        ijk_max: last voxel, inside the box.
        centre_ras: in mm.
        grown: larger than the model's crop, or moved, to hold the coarse mask.
    """

    ijk_min: Index
    ijk_max: Index
    centre_ras: Position
    grown: bool


@dataclass(frozen=True)
class Volumes:
    """Volumes of one side: kidney without tumor, and tumor, in ml."""

    kidney_ml: float
    tumor_ml: float


@dataclass(frozen=True)
class Measures(Volumes):
    """Volumes and diameters of one side.

    Attributes:
        tumor_longest_mm: longest 3D diameter of the largest tumor in mm; 0 without one.
    """

    tumor_longest_mm: float


@dataclass(frozen=True)
class SideFindings(Measures):
    """What was found on one side.

    Attributes:
        present: whether the coarse stage found a kidney or tumor there.
        key_slice: None where it is not present.
        crop: None where it is not present.
    """

    present: bool
    key_slice: KeySlice | None
    crop: CropBox | None

    def at(self, measures: Measures) -> SideFindings:
        """Return the findings with the measures of another alpha."""
        return SideFindings(**rounded(measures), present=self.present, key_slice=self.key_slice, crop=self.crop)


@dataclass(frozen=True)
class InputFacts:
    """What was read: path, format, the series instance UID of DICOM, and the SHA-256 of :meth:`Volume.sha256`."""

    path: str | None = None
    format: str | None = None
    series_uid: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class GeometryFacts:
    """The input's grid.

    Attributes:
        shape_ijk: voxels along i, j and k.
        spacing_ijk_mm: voxel size.
        ijk_to_ras: four rows of four numbers, voxel index to RAS millimetres.
        stack_axis: voxel axis nearest to superior-inferior: 0 = i, 1 = j, 2 = k.
    """

    shape_ijk: Index
    spacing_ijk_mm: Position
    ijk_to_ras: tuple[tuple[float, ...], ...]
    stack_axis: int


@dataclass(frozen=True)
class ModelFacts:
    """The model: id, title, licence, and the SHA-256 of each weight file."""

    id: str
    title: str
    licence: str
    sha256: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SliceCounts:
    """Slices in the stack, looked at by the coarse stage, and crops looked at by the refine stage."""

    total: int
    coarse: int
    refined: int


@dataclass(frozen=True)
class Report:
    """What was found where, on which grid, with which model and options.

    Attributes:
        input: what was read.
        geometry: its grid.
        model: which one ran.
        device: ``cpu``, ``cuda:N`` or ``mps``.
        engine: ``torch`` or ``openvino``.
        alpha: weight of the coarse stage.
        options: those that decide the result.
        seconds: of each stage.
        slices: how many the networks saw.
        warnings: what the user should know, one sentence each.
        right: the patient's right.
        left: the patient's left.
    """

    input: InputFacts
    geometry: GeometryFacts
    model: ModelFacts
    device: str
    engine: str
    alpha: float
    options: dict[str, Any]
    seconds: dict[str, float]
    slices: SliceCounts
    warnings: tuple[str, ...]
    right: SideFindings
    left: SideFindings

    def side(self, side: Side) -> SideFindings:
        """Return what was found on a side."""
        return self.right if side == "right" else self.left

    @property
    def total(self) -> dict[str, float]:
        """Volumes of both sides together: ``kidney_ml`` and ``tumor_ml``."""
        names = ("kidney_ml", "tumor_ml")
        return {name: round(getattr(self.right, name) + getattr(self.left, name), _DIGITS) for name in names}

    def at(self, alpha: float, measures: Mapping[Side, Measures]) -> Report:
        """Return the report of the same run at another alpha.

        Args:
            alpha: weight of the coarse stage.
            measures: of both sides at that alpha.

        Returns:
            A new report.
        """
        return replace(
            self,
            alpha=alpha,
            right=self.right.at(measures["right"]),
            left=self.left.at(measures["left"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready values."""
        return {"version": VERSION, **to_plain(self), "total": self.total}

    def to_json(self) -> str:
        """Return the report as the text of its file."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, values: Any) -> Report:
        """Read a report.

        Args:
            values: what :meth:`to_dict` gave.

        Returns:
            The report.

        Raises:
            BadInputError: it is no report, or of another version.
        """
        version = values.get("version") if isinstance(values, dict) else None
        if type(version) is not int or version != VERSION:
            raise BadInputError(f"The report is of another version than {VERSION}; run the segmentation again.")
        return read_record(cls, {key: v for key, v in values.items() if key not in ("version", "total")}, "The report")


def rounded(measures: Measures) -> dict[str, float]:
    """Return measures by name, with the digits that a report keeps."""
    names = ("kidney_ml", "tumor_ml", "tumor_longest_mm")
    return {name: round(getattr(measures, name), _DIGITS) for name in names}
