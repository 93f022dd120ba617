"""What separates the cells of a CSV that a person may have saved from a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Collection

# Semicolons where a comma is the decimal point.
_SEPARATORS = ",;\t"


def separator_of(text: str, columns: Collection[str]) -> str:
    """Return the separator by which the first line names the columns that are wanted.

    Args:
        text: of the whole file.
        columns: in small letters; the first line may have others beside them.

    Returns:
        A comma, a semicolon or a tab; a comma where none of them does.
    """
    header = text.lstrip("\ufeff").partition("\n")[0]
    for separator in _SEPARATORS:
        for cells in csv.reader([header], delimiter=separator):
            if set(columns) <= {cell.strip().casefold() for cell in cells}:
                return separator
    return _SEPARATORS[0]
