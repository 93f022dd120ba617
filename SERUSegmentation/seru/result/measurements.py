"""Volumes, diameters and densities of components: the findings.

Source: our rule; diameters as :mod:`seru.result.diameters` says, contact as the area of voxel faces that two labels
share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from seru.findings import (
    KIDNEY,
    LABEL_OF,
    SIDE_CODES,
    SIDES,
    TUMOR,
    Diameter,
    Finding,
    Kind,
    Measures,
    Side,
    Volumes,
)
from seru.grid import Grid
from seru.orientation import Orientation, find_orientation
from seru.result.components import Box, bounding_box
from seru.result.diameters import Point, axial_diameters, longest_diameter_mm
from seru.result.gated import Component
from seru.threads import in_threads
from seru.tilt import Tilt

Range = tuple[float, float]
FindRanges = Callable[[Component, np.ndarray], tuple[Range, Range]]
"""Gives the ranges of volume (ml) and longest diameter (mm) of a component, measured in the given voxels of its box."""


@dataclass(frozen=True, eq=False)
class Field:
    """The box of a scan that findings are measured in.

    Attributes:
        grid: of the whole scan.
        lower_kji: first voxel of the box.
        labels: uint8, shape of the box (K, J, I): 0 background, 1 kidney, 2 tumor, as they are shown.
        hu: int16, same shape; None where the CT is not known.
        tilt: of slices that were set straight.
    """

    grid: Grid
    lower_kji: tuple[int, int, int]
    labels: np.ndarray
    hu: np.ndarray | None = None
    tilt: Tilt | None = None


@dataclass(frozen=True)
class Measured:
    """A finding with its voxels."""

    finding: Finding
    component: Component


def measure(
    components: Iterable[Component], field: Field, find_ranges: FindRanges | None = None
) -> tuple[Measured, ...]:
    """Measure components.

    Args:
        components: of the field's box; what clean-up has taken out of those in the labels is not measured.
        field: where they lie.
        find_ranges: for components in the labels; None leaves the ranges out.

    Returns:
        Kidneys before tumors, the largest first, numbered by kind and side in that order.
    """
    orientation, given = find_orientation(field.grid), list(components)
    findings: list[Finding | None] = [None] * len(given)

    def find(number: int) -> None:
        findings[number] = _measure(given[number], field, orientation, find_ranges)

    in_threads(find, range(len(given)))
    found = [(finding, component) for finding, component in zip(findings, given, strict=True) if finding is not None]
    found.sort(key=lambda pair: (pair[0].kind != "kidney", -pair[0].volume_ml))
    counts: dict[tuple[Kind, Side], int] = {}
    measured = []
    for finding, component in found:
        key = finding.kind, finding.side
        counts[key] = counts.get(key, 0) + 1
        measured.append(Measured(replace(finding, number=counts[key]), component))
    return tuple(measured)


def measures_of(labels: np.ndarray, sides: np.ndarray, grid: Grid, findings: Iterable[Finding]) -> dict[Side, Measures]:
    """Return the sums of both sides.

    Args:
        labels: uint8, any shape: 0 background, 1 kidney, 2 tumor.
        sides: uint8, same shape: 0 none, 1 the patient's right, 2 the patient's left.
        grid: of the scan; only its voxel size is looked at.
        findings: of the same labels.

    Returns:
        The measures of ``right`` and ``left``.
    """
    # The largest tumor comes first.
    longest = {f.side: f.longest.mm for f in reversed(list(findings)) if f.kind == "tumor" and f.is_counted}
    volumes = volumes_of(count_voxels(labels, sides), grid.voxel_ml)
    return {side: Measures(of.kidney_ml, of.tumor_ml, longest.get(side, 0.0)) for side, of in volumes.items()}


def count_voxels(labels: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Count voxels by side and label in one pass.

    Args:
        labels: uint8, any shape: 0 background, 1 kidney, 2 tumor.
        sides: uint8, same shape: 0 none, 1 the patient's right, 2 the patient's left.

    Returns:
        int64, shape (3, 3): ``[side code, label]``.
    """
    counts = np.zeros(9, np.int64)
    # Part by part: bincount makes eight bytes of each voxel.
    for some_sides, some_labels in zip(np.atleast_2d(sides), np.atleast_2d(labels), strict=True):
        counts += np.bincount((some_sides * np.uint8(3) + some_labels).ravel(), minlength=9)
    return counts.reshape(3, 3)


def volumes_of(counts: np.ndarray, voxel_ml: float) -> dict[Side, Volumes]:
    """Return the volumes of both sides.

    Args:
        counts: of :func:`count_voxels`.
        voxel_ml: volume of a voxel in ml.

    Returns:
        The volumes of ``right`` and ``left``.
    """
    by_side = {side: counts[SIDE_CODES[side]] * voxel_ml for side in SIDES}
    return {side: Volumes(float(ml[KIDNEY]), float(ml[TUMOR])) for side, ml in by_side.items()}


def _measure(
    component: Component, field: Field, orientation: Orientation, find_ranges: FindRanges | None
) -> Finding | None:
    is_counted = component.status in ("believed", "accepted")
    voxels = component.voxels
    if is_counted:
        # As it is shown: a tumor in it that is not believed is kidney.
        voxels = voxels & (field.labels[component.box] == LABEL_OF[component.kind])
    tight = bounding_box(voxels)
    if tight is None:
        return None
    volume_range, longest_range = find_ranges(component, voxels) if find_ranges and is_counted else (None, None)
    mask = voxels[tight]
    box = _inside(component.box, tight)
    k, j, i = (low + part.start for low, part in zip(field.lower_kji, box, strict=True))
    lower_kji = k, j, i
    stack = orientation.to_stack(mask)
    axial = axial_diameters(stack, orientation.spacing_mm(field.grid)[1:])
    assert axial is not None  # the mask is not empty

    def index_of(place: Point) -> np.ndarray:
        ijk = orientation.ijk_of_stack((axial.slice, *place), stack.shape)
        return np.add(ijk, lower_kji[::-1])

    def diameter(mm: float, ends: tuple[Point, Point]) -> Diameter:
        start, end = (_rounded(field.grid.ras_of_ijk(index_of(end))) for end in ends)
        return Diameter(round(mm, 4), start, end)

    centre_kji = np.argwhere(mask).mean(axis=0) + lower_kji
    values = None if field.hu is None else field.hu[box][mask]
    return Finding(
        kind=component.kind,
        side=component.side,
        number=0,
        status=component.status,
        confidence=round(component.confidence, 4),
        volume_ml=round(float(np.count_nonzero(mask)) * field.grid.voxel_ml, 4),
        volume_range_ml=volume_range,
        longest=diameter(axial.longest_mm, axial.longest),
        across=diameter(axial.across_mm, axial.across),
        longest_range_mm=longest_range,
        longest_3d_mm=round(longest_diameter_mm(mask, field.grid.spacing_kji_mm), 4),
        slice_index=round(float(index_of(axial.longest[0])[orientation.stack_axis_ijk])),
        centre_ras=_rounded(field.grid.ras_of_ijk(centre_kji[::-1])),
        hu_mean=None if values is None else round(float(values.mean()), 2),
        hu_deviation=None if values is None else round(float(values.std()), 2),
        contact_mm2=round(_contact_mm2(mask, box, component.kind, field), 4),
        cut_by_edge=_reaches_edge(mask, lower_kji, field),
    )


def _contact_mm2(mask: np.ndarray, box: Box, kind: Kind, field: Field) -> float:
    """The area of the faces that a mask shares with the other label."""
    other = TUMOR if kind == "kidney" else KIDNEY
    before = [min(part.start, 1) for part in box]
    after = [min(size - part.stop, 1) for part, size in zip(box, field.labels.shape, strict=True)]
    wider = tuple(slice(p.start - b, p.stop + a) for p, b, a in zip(box, before, after, strict=True))
    padded = np.pad(mask, list(zip(before, after, strict=True)))
    is_other = field.labels[wider] == other
    area = 0.0
    for axis in range(3):
        ours, theirs = np.moveaxis(padded, axis, 0), np.moveaxis(is_other, axis, 0)
        faces = np.count_nonzero(ours[1:] & theirs[:-1]) + np.count_nonzero(ours[:-1] & theirs[1:])
        area += faces * field.grid.voxel_ml * 1000 / field.grid.spacing_kji_mm[axis]
    return float(area)


def _reaches_edge(mask: np.ndarray, lower_kji: tuple[int, int, int], field: Field) -> bool:
    ends = zip(lower_kji, mask.shape, field.grid.shape_kji, strict=True)
    if any(low == 0 or low + size == limit for low, size, limit in ends):
        return True
    return field.tilt is not None and field.tilt.reaches_edge(mask, lower_kji)


def _inside(box: Box, part: Box) -> Box:
    """The box of a part of a box."""
    k, j, i = (slice(b.start + p.start, b.start + p.stop) for b, p in zip(box, part, strict=True))
    return k, j, i


def _rounded(position: tuple[float, float, float]) -> tuple[float, float, float]:
    r, a, s = position
    return round(r, 3), round(a, 3), round(s, 3)
