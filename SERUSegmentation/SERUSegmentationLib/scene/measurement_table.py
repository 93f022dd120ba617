"""The measurements as rows for the panel, a table node, and CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import vtk

from seru.errors import BadInputError
from seru.findings import SIDES, Side, Volumes
from SERUSegmentationLib.scene.nodes import TABLE, companion, ensureCompanion, placeInFolder
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLSegmentationNode, vtkMRMLTableNode

_NUMBERS = ("kidneyMl", "tumorMl", "tumorLongestMm", "tumorShare")


@dataclass(frozen=True)
class MeasurementRow:
    """What one side shows, or both together.

    Attributes:
        title: of the row.
        kidneyMl: kidney without tumor, in ml.
        tumorMl: in ml.
        tumorLongestMm: longest 3D diameter of the largest tumor in mm; None while alpha moves, and for both sides.
        tumorShare: tumor's part of kidney and tumor, in percent; None where there is neither.
    """

    title: str
    kidneyMl: float
    tumorMl: float
    tumorLongestMm: float | None
    tumorShare: float | None

    @classmethod
    def of(cls, title: str, kidneyMl: float, tumorMl: float, longestMm: float | None) -> MeasurementRow:
        """Return a row with the share worked out."""
        whole = kidneyMl + tumorMl
        return cls(title, kidneyMl, tumorMl, longestMm, 100.0 * tumorMl / whole if whole > 0 else None)

    def texts(self) -> list[str]:
        """Return the numbers as people read them; a dash for none."""
        values = [getattr(self, name) for name in _NUMBERS]
        return ["\u2013" if value is None else f"{value:.1f}" for value in values]


def rowsOf(measured: Mapping[Side, Volumes]) -> list[MeasurementRow]:
    """Return the rows of right, left and both.

    Args:
        measured: measures of both sides, or volumes alone.

    Returns:
        Three rows.
    """
    titles = rowTitles()
    sides = [
        MeasurementRow.of(titles[side], of.kidney_ml, of.tumor_ml, getattr(of, "tumor_longest_mm", None))
        for side, of in ((side, measured[side]) for side in SIDES)
    ]
    longest = [row.tumorLongestMm for row in sides if row.tumorLongestMm is not None]
    both = max(longest) if len(longest) == len(sides) else None
    total = (sum(row.kidneyMl for row in sides), sum(row.tumorMl for row in sides))
    return [*sides, MeasurementRow.of(titles["total"], *total, both)]


def rowTitles() -> dict[str, str]:
    """Return the titles of the rows."""
    return {"right": _("Right"), "left": _("Left"), "total": _("Both")}


def writeMeasurements(segmentationNode: vtkMRMLSegmentationNode, rows: list[MeasurementRow]) -> vtkMRMLTableNode:
    """Write the measurements of a result into its table node.

    Args:
        segmentationNode: the result.
        rows: of :func:`rowsOf`.

    Returns:
        The table node.
    """
    name = _("{name} measurements").format(name=segmentationNode.GetName())
    node = ensureCompanion(segmentationNode, TABLE, "vtkMRMLTableNode", name)
    placeInFolder(node, segmentationNode)
    # A table built beside the node and put in at once: one event instead of one per cell.
    table = vtk.vtkTable()
    titles = vtk.vtkStringArray()
    titles.SetName(_("Side"))
    for row in rows:
        titles.InsertNextValue(row.title)
    table.AddColumn(titles)
    headers = [_("Kidney (ml)"), _("Tumor (ml)"), _("Tumor longest diameter (mm)"), _("Tumor share (%)")]
    for header, attribute in zip(headers, _NUMBERS, strict=True):
        column = vtk.vtkDoubleArray()
        column.SetName(header)
        for row in rows:
            value = getattr(row, attribute)
            column.InsertNextValue(float("nan") if value is None else round(value, 3))
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    return node


def exportCsv(segmentationNode: vtkMRMLSegmentationNode | None, path: Path) -> None:
    """Write the table as CSV.

    Args:
        segmentationNode: the result.
        path: of the file.

    Raises:
        BadInputError: there is no table, or the file cannot be written.
    """
    node = companion(segmentationNode, TABLE)
    if node is None:
        raise BadInputError("There are no measurements yet; click Segment first.")
    table = node.GetTable()
    columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([column.GetName() for column in columns])
            for row in range(table.GetNumberOfRows()):
                writer.writerow([_cell(column, row) for column in columns])
    except OSError as error:
        raise BadInputError(f"The file '{path}' cannot be written ({error.strerror}); choose another.") from error


def _cell(column: vtk.vtkStringArray | vtk.vtkDoubleArray, row: int) -> str:
    value = column.GetValue(row)
    if isinstance(value, str):
        return value
    return "" if value != value else f"{value:g}"
