"""The measurements as rows for the panel, a table node, and CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vtk

from seru.errors import BadInputError
from SERUSegmentationLib.scene.owned_nodes import TABLE, companion, ensureCompanion, placeInFolder

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
        formats = ("{:.1f}", "{:.1f}", "{:.1f}", "{:.1f}")
        values = [getattr(self, name) for name in _NUMBERS]
        return ["–" if value is None else form.format(value) for form, value in zip(formats, values, strict=True)]


def rowsOf(measured: dict[str, dict[str, float]], titles: dict[str, str]) -> list[MeasurementRow]:
    """Return the rows of right, left and both.

    Args:
        measured: of :func:`seru.result.measurements.measure`, or volumes alone.
        titles: of ``right``, ``left`` and ``total``.

    Returns:
        Three rows.
    """
    sides = [
        MeasurementRow.of(titles[side], values["kidney_ml"], values["tumor_ml"], values.get("tumor_longest_mm"))
        for side, values in ((side, measured[side]) for side in ("right", "left"))
    ]
    longest = [row.tumorLongestMm for row in sides]
    both = None if None in longest else max(longest)
    total = (sum(row.kidneyMl for row in sides), sum(row.tumorMl for row in sides))
    return [*sides, MeasurementRow.of(titles["total"], *total, both)]


def writeTable(segmentationNode: Any, rows: list[MeasurementRow], name: str, headers: list[str]) -> Any:
    """Write the rows into the result's table node.

    Args:
        segmentationNode: the result.
        rows: what to write.
        name: of a new node.
        headers: five column titles: the row's title and the four numbers.

    Returns:
        The table node.
    """
    node = ensureCompanion(segmentationNode, TABLE, "vtkMRMLTableNode", name)
    placeInFolder(node, segmentationNode)
    # A table built beside the node and put in at once: one event instead of one per cell.
    table = vtk.vtkTable()
    titles = vtk.vtkStringArray()
    titles.SetName(headers[0])
    for row in rows:
        titles.InsertNextValue(row.title)
    table.AddColumn(titles)
    for header, attribute in zip(headers[1:], _NUMBERS, strict=True):
        column = vtk.vtkDoubleArray()
        column.SetName(header)
        for row in rows:
            value = getattr(row, attribute)
            column.InsertNextValue(float("nan") if value is None else round(value, 3))
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    return node


def exportCsv(segmentationNode: Any, path: Path) -> None:
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


def _cell(column: Any, row: int) -> str:
    value = column.GetValue(row)
    if isinstance(value, str):
        return value
    return "" if value != value else f"{value:g}"
