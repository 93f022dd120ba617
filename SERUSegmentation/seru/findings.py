"""What a run found, as records: findings, key slices, crop boxes, measures, and the report that holds them.

The report is made once, at the end of a run, and never changed: another alpha makes another one. Its JSON follows
``report.schema.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from seru.errors import BadInputError
from seru.grid import Position
from seru.records import read_record, to_plain
from seru.scores import Nephrometry

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")
RIGHT, LEFT = 1, 2
SIDE_CODES: dict[Side, int] = {"right": RIGHT, "left": LEFT}
# Values of our label maps.
BACKGROUND, KIDNEY, TUMOR = 0, 1, 2
# Names of the key slices' pictures.
PICTURES: dict[Side, str] = {side: f"key_slice_{side}.png" for side in SIDES}

Kind = Literal["kidney", "tumor"]
Status = Literal["believed", "accepted", "candidate", "dismissed"]
LABEL_OF: dict[Kind, int] = {"kidney": KIDNEY, "tumor": TUMOR}

# A report of version 2 is one of version 3 of a run of the networks.
VERSION = 3
_READ_VERSIONS = (2, VERSION)
_DIGITS = 4

Index = tuple[int, int, int]


@dataclass(frozen=True)
class Thresholds:
    """The least confidence of what is believed, 0..1; 0 believes everything.

    Attributes:
        kidney_coarse: of a component of the coarse stage, to count for key slices and crops.
        kidney: of a component of the fused labels that holds kidney.
        tumor: of a tumor in what is believed.

    Raises:
        BadInputError: one is not between 0 and 1.
    """

    kidney_coarse: float = 0.0
    kidney: float = 0.0
    tumor: float = 0.0

    def __post_init__(self) -> None:
        for value in (self.kidney_coarse, self.kidney, self.tumor):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise BadInputError(f"A confidence is {value}; give a number from 0 (believe everything) to 1.")

    @classmethod
    def of_all(cls, confidence: float) -> Thresholds:
        """Return one confidence for all three."""
        return cls(confidence, confidence, confidence)


@dataclass(frozen=True)
class Diameter:
    """A distance between the centres of two voxels: in mm, and both ends in RAS mm."""

    mm: float
    start_ras: Position
    end_ras: Position


@dataclass(frozen=True)
class Finding:
    """One kidney or one tumor: a 3D component of the fused labels on one side.

    Attributes:
        kind: a kidney is measured without its tumors; one that is not believed with them, for they go with it.
        side: the patient's.
        number: 1 for the largest of its kind and side.
        status: ``believed`` and ``accepted`` (by a person) are in the labels and volumes; ``candidate`` (its confidence
            is too low) and ``dismissed`` (by a person) are not.
        confidence: 0..1, the mean of |2p - 1| over its voxels, p being the fused probability of the tumor, or of
            kidney and tumor together for a kidney; None where there are no probabilities.
        volume_ml: at the report's alpha.
        volume_range_ml: least and most volume over alpha 0..1 and where its probability is above 0.3 or 0.7; None
            where it is not worked out (candidates).
        longest: the longest diameter in an axial slice.
        across: the longest one at right angles to it, in the same slice.
        longest_range_mm: as ``volume_range_ml``, of the longest diameter.
        longest_3d_mm: the longest distance of two of its voxels.
        slice_index: of the longest diameter, in the input's own order along its stack axis.
        centre_ras: centre of mass in mm.
        hu_mean: Hounsfield units; None where the CT is not known.
        hu_deviation: likewise, the standard deviation.
        contact_mm2: area in which a tumor touches kidney, or a kidney touches tumor.
        cut_by_edge: whether it reaches the first or last voxel of the scan along any axis; then it is "at least".
    """

    kind: Kind
    side: Side
    number: int
    status: Status
    confidence: float | None
    volume_ml: float
    volume_range_ml: tuple[float, float] | None
    longest: Diameter
    across: Diameter
    longest_range_mm: tuple[float, float] | None
    longest_3d_mm: float
    slice_index: int
    centre_ras: Position
    hu_mean: float | None
    hu_deviation: float | None
    contact_mm2: float
    cut_by_edge: bool

    @property
    def is_counted(self) -> bool:
        """Whether it is part of the labels and volumes."""
        return self.status in ("believed", "accepted")


@dataclass(frozen=True)
class Islands:
    """What is too small to be listed.

    Attributes:
        counted: number of small components in the labels.
        counted_ml: their volume, which is part of the volumes.
        left_out: number of small components that are not believed.
        left_out_ml: their volume.
    """

    counted: int = 0
    counted_ml: float = 0.0
    left_out: int = 0
    left_out_ml: float = 0.0


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
        tumor_longest_mm: longest diameter of the side's largest tumor in an axial slice, in mm; 0 without one.
    """

    tumor_longest_mm: float


@dataclass(frozen=True)
class SideFindings(Measures):
    """What was found on one side.

    Attributes:
        present: whether the coarse stage found a kidney or tumor there, or a box was given; of labels that were
            measured, whether they show any there.
        key_slice: None where it is not present, and of labels that were measured without their CT.
        crop: None where it is not present, and of labels that were measured.
        nephrometry: of its largest tumor; None where there is none, or where it was not worked out.
    """

    present: bool
    key_slice: KeySlice | None
    crop: CropBox | None
    nephrometry: Nephrometry | None = None

    def at(self, measures: Measures) -> SideFindings:
        """Return the findings with the measures of another alpha, at which its nephrometry is not worked out yet."""
        return SideFindings(
            **rounded(measures), present=self.present, key_slice=self.key_slice, crop=self.crop, nephrometry=None
        )


@dataclass(frozen=True)
class InputFacts:
    """What was read.

    Attributes:
        path: of the file or folder.
        format: of it.
        series_uid: the series instance UID of DICOM.
        sha256: of :meth:`Volume.sha256`.
        study_date: of DICOM, as ``2019-12-31``.
        patient: the first 16 digits of the SHA-256 of DICOM's patient ID.
    """

    path: str | None = None
    format: str | None = None
    series_uid: str | None = None
    sha256: str | None = None
    study_date: str | None = None
    patient: str | None = None


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
class MeasuredLabels:
    """A label map that someone else made.

    Attributes:
        path: of the file.
        format: of the file.
        sha256: of :meth:`Volume.sha256`.
        kidney: its numbers that were taken for kidney.
        tumor: those that were taken for tumor.
    """

    path: str
    format: str
    sha256: str
    kidney: tuple[int, ...]
    tumor: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """What was found where, on which grid, with which model and options; or what someone's labels show.

    Model, device, engine and alpha are None, and options empty, where no network ran.

    Attributes:
        input: the CT; empty where labels were measured without one.
        geometry: its grid.
        model: which one ran.
        device: ``cpu``, ``cuda:N`` or ``mps``.
        engine: ``torch``, ``openvino`` or ``openvino-int8``.
        alpha: weight of the coarse stage.
        options: those that decide the result.
        seconds: of each stage.
        slices: how many the networks saw.
        thresholds: of what was believed.
        warnings: what the user should know of the run, one sentence each.
        remarks: what the user should know of the findings, one sentence each.
        right: the patient's right.
        left: the patient's left.
        findings: kidneys, then tumors, the largest first; those that are not believed too.
        islands: what is too small to be listed.
        labels_sha256: of the labels that were written beside the report, as the run made them; None where none were.
        measured: the label map that was measured; None where networks ran.

    Raises:
        BadInputError: it is neither of networks nor of labels.
    """

    input: InputFacts
    geometry: GeometryFacts
    model: ModelFacts | None
    device: str | None
    engine: str | None
    alpha: float | None
    options: dict[str, Any]
    seconds: dict[str, float]
    slices: SliceCounts
    thresholds: Thresholds
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]
    right: SideFindings
    left: SideFindings
    findings: tuple[Finding, ...]
    islands: Islands
    labels_sha256: str | None = None
    measured: MeasuredLabels | None = None

    def __post_init__(self) -> None:
        of_networks = [self.model, self.device, self.engine, self.alpha]
        if any((fact is None) == (self.measured is None) for fact in of_networks):
            raise BadInputError("The report is neither of a run of the networks nor of labels; make it again.")

    def side(self, side: Side) -> SideFindings:
        """Return what was found on a side."""
        return self.right if side == "right" else self.left

    @property
    def total(self) -> dict[str, float]:
        """Volumes of both sides together: ``kidney_ml`` and ``tumor_ml``."""
        names = ("kidney_ml", "tumor_ml")
        return {name: round(getattr(self.right, name) + getattr(self.left, name), _DIGITS) for name in names}

    def of_kind(self, kind: Kind, is_counted: bool = True) -> list[Finding]:
        """Return the findings of a kind that are in the labels, or those that are not."""
        return [finding for finding in self.findings if finding.kind == kind and finding.is_counted == is_counted]

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
        # A comparison has a version too.
        if not isinstance(values, dict) or not {"version", "input"} <= values.keys():
            raise BadInputError("It is no report of a scan; give the one that --report wrote.")
        version = values["version"]
        if type(version) is not int or version not in _READ_VERSIONS:
            raise BadInputError(f"The report is of another version than {VERSION}; run the segmentation again.")
        return read_record(cls, {key: v for key, v in values.items() if key not in ("version", "total")}, "The report")


def rounded(measures: Measures) -> dict[str, float]:
    """Return measures by name, with the digits that a report keeps."""
    names = ("kidney_ml", "tumor_ml", "tumor_longest_mm")
    return {name: round(getattr(measures, name), _DIGITS) for name in names}
