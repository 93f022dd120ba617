"""The findings that are in the labels, and the sums of their volumes, as a table node and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import vtk

from seru.errors import BadInputError
from seru.findings import SIDES, Finding, Measures, Side
from seru.result.labelled import LabelFindings
from SERUSegmentationLib.scene.content import markWritten
from SERUSegmentationLib.scene.finding_names import findingTitle
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import DRAWN_TABLE, TABLE, companion, ensureCompanion, placeInFolder
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLTableNode

Value = str | float | None
Row = list[Value]
_DIGITS = 4
# What a spreadsheet would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def writeMeasurements(result: LiveResult) -> vtkMRMLTableNode:
    """Write the findings of a result and their sums into its table node.

    Args:
        result: written or assumed.

    Returns:
        The table node.
    """
    findings = [one for one in result.finished.findings if one.is_counted] if result.finished else []
    name = _("{name} measurements").format(name=result.segmentationNode.GetName())
    return _write(result.segmentationNode, TABLE, name, findings, result.measures)


def writeDrawnMeasurements(segmentationNode: vtkMRMLSegmentationNode, found: LabelFindings) -> vtkMRMLTableNode:
    """Write what the segments show as they are, into a table node of its own.

    Args:
        segmentationNode: any.
        found: in its segments.

    Returns:
        The table node.
    """
    name = _("{name} as drawn").format(name=segmentationNode.GetName())
    return _write(segmentationNode, DRAWN_TABLE, name, found.findings, found.measures)


def latestTable(segmentationNode: vtkMRMLSegmentationNode | None) -> vtkMRMLTableNode | None:
    """Return the table that was written last, of the result or of the segments as drawn; None where there is none."""
    tables = [table for role in (TABLE, DRAWN_TABLE) if (table := companion(segmentationNode, role)) is not None]
    return max(tables, key=lambda table: table.GetTable().GetMTime() if table.GetTable() else 0, default=None)


def _write(
    segmentationNode: vtkMRMLSegmentationNode,
    role: str,
    name: str,
    findings: Sequence[Finding],
    measures: Mapping[Side, Measures],
) -> vtkMRMLTableNode:
    node = ensureCompanion(segmentationNode, role, "vtkMRMLTableNode", name)
    placeInFolder(node, segmentationNode)
    rows = [*_findingRows(findings), *_sumRows(measures)]
    # A table built beside the node and put in at once: one event instead of one per cell.
    table = vtk.vtkTable()
    for number, (header, isText, _valueOf) in enumerate(_columns()):
        table.AddColumn(_column(header, isText, [row[number] for row in rows]))
    node.SetAndObserveTable(table)
    markWritten(node)
    return node


def exportCsv(segmentationNode: vtkMRMLSegmentationNode | None, path: Path) -> None:
    """Write the latest table of a segmentation as CSV.

    Args:
        segmentationNode: the result, or one whose segments were measured.
        path: of the file.

    Raises:
        BadInputError: there is no table, or the file cannot be written.
    """
    node = latestTable(segmentationNode)
    if node is None:
        raise BadInputError(_("There are no measurements yet; click Segment first."))
    table = node.GetTable()
    columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([_safe(column.GetName()) for column in columns])
            for row in range(table.GetNumberOfRows()):
                writer.writerow([_cell(column, row) for column in columns])
    except OSError as error:
        text = _("The file '{path}' cannot be written ({reason}); choose another.")
        raise BadInputError(text.format(path=path, reason=error.strerror)) from error


def _columns() -> list[tuple[str, bool, Callable[[Finding], Value]]]:
    """Header, whether it holds text, and value of each column."""
    columns: list[tuple[str, bool, Callable[[Finding], Value]]] = [
        (_("Finding"), True, findingTitle),
        (_("Kind"), True, lambda f: f.kind),
        (_("Side"), True, lambda f: f.side),
        (_("Number"), False, lambda f: f.number),
        (_("Status"), True, lambda f: f.status),
        (_("Confidence"), False, lambda f: f.confidence),
        (_("Volume (ml)"), False, lambda f: f.volume_ml),
        (_("Volume, least (ml)"), False, lambda f: f.volume_range_ml[0] if f.volume_range_ml else None),
        (_("Volume, most (ml)"), False, lambda f: f.volume_range_ml[1] if f.volume_range_ml else None),
        (_("Longest axial diameter (mm)"), False, lambda f: f.longest.mm),
        (_("Longest, least (mm)"), False, lambda f: f.longest_range_mm[0] if f.longest_range_mm else None),
        (_("Longest, most (mm)"), False, lambda f: f.longest_range_mm[1] if f.longest_range_mm else None),
        (_("Across (mm)"), False, lambda f: f.across.mm),
        (_("Longest 3D diameter (mm)"), False, lambda f: f.longest_3d_mm),
        (_("HU, mean"), False, lambda f: f.hu_mean),
        (_("HU, deviation"), False, lambda f: f.hu_deviation),
        (_("Contact with the other label (mm\u00b2)"), False, lambda f: f.contact_mm2),
        (_("Cut by the scan's edge"), True, lambda f: _("yes") if f.cut_by_edge else _("no")),
        (_("Slice"), False, lambda f: f.slice_index),
    ]
    places: list[tuple[str, Callable[[Finding], Sequence[float]]]] = [
        (_("Centre"), lambda f: f.centre_ras),
        (_("Longest, start"), lambda f: f.longest.start_ras),
        (_("Longest, end"), lambda f: f.longest.end_ras),
        (_("Across, start"), lambda f: f.across.start_ras),
        (_("Across, end"), lambda f: f.across.end_ras),
    ]
    for title, placeOf in places:
        columns += [(f"{title} {axis} (mm)", False, _coordinate(placeOf, n)) for n, axis in enumerate("RAS")]
    return columns


def _coordinate(placeOf: Callable[[Finding], Sequence[float]], number: int) -> Callable[[Finding], Value]:
    return lambda finding: placeOf(finding)[number]


def _findingRows(findings: Sequence[Finding]) -> list[Row]:
    return [[valueOf(one) for _header, _isText, valueOf in _columns()] for one in findings]


def _sumRows(measures: Mapping[Side, Measures]) -> list[Row]:
    """The volumes of both kinds on each side and together."""
    titles = {"kidney": _("Sum of kidneys"), "tumor": _("Sum of tumors")}
    rows = []
    for kind, title in titles.items():
        volumes: dict[str, float] = {side: getattr(measures[side], f"{kind}_ml") for side in SIDES if side in measures}
        volumes["both"] = sum(volumes.values())
        for side, volume in volumes.items():
            known: dict[str, Value] = {_("Kind"): kind, _("Side"): side, _("Status"): "sum", _("Volume (ml)"): volume}
            rows.append([title, *(known.get(header) for header, *_others in _columns()[1:])])
    return rows


def _column(header: str, isText: bool, values: Sequence[Value]) -> vtk.vtkStringArray | vtk.vtkDoubleArray:
    column = vtk.vtkStringArray() if isText else vtk.vtkDoubleArray()
    column.SetName(header)
    for value in values:
        if isText:
            column.InsertNextValue(str(value or ""))
        else:
            column.InsertNextValue(float("nan") if value is None else round(float(value), _DIGITS))
    return column


def _cell(column: vtk.vtkStringArray | vtk.vtkDoubleArray, row: int) -> str:
    value = column.GetValue(row)
    if isinstance(value, str):
        return _safe(value)
    return "" if value != value else f"{value:.10g}"


def _safe(text: str) -> str:
    """A text that no spreadsheet runs: anyone may have written it into the table."""
    return f"'{text}" if text.startswith(_FORMULA) else text
