"""The summary of a cohort as tables: a row a case and a row a finding, as CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from seru.errors import BadInputError
from seru.files import Opener, write_text
from seru.findings import SIDES, Finding

Row = dict[str, Any]
Kind = Literal["text", "integer", "number", "truth"]

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_MEASURES = ("kidney_ml", "tumor_ml", "tumor_longest_mm")
_PARQUET = b"PAR1"
_MADE_BY = b"seru_table"
_AXES = "ras"


@dataclass(frozen=True)
class Table:
    """A table of the summary.

    Attributes:
        name: of its files, without ending.
        columns: in order, with what each holds; every value may be missing.
    """

    name: str
    columns: Mapping[str, Kind]

    def csv(self, folder: Path) -> Path:
        """Return the place of the table as CSV."""
        return folder / f"{self.name}.csv"

    def parquet(self, folder: Path) -> Path:
        """Return the place of the table as Parquet."""
        return folder / f"{self.name}.parquet"

    def check(self, folder: Path) -> None:
        """Check, before any work, that what is at the table's places was not made by someone else.

        Args:
            folder: of the results.

        Raises:
            BadInputError: it was.
        """
        begin = ",".join(list(self.columns)[:2]).encode()
        is_ours = {
            self.csv(folder): lambda path: _start(path, len(begin) + 1) in (b"", begin + b","),
            self.parquet(folder): _is_our_parquet,
        }
        for path, test in is_ours.items():
            if path.exists() and not test(path):
                raise BadInputError(f"'{path}' is in the place of the summary and is none; choose another folder.")

    def write(self, folder: Path, rows: Sequence[Row], opener: Opener) -> None:
        """Write the table as CSV, and as Parquet where pyarrow is installed.

        Args:
            folder: of the results.
            rows: with the table's columns.
            opener: of a group of files that take their places together.

        Raises:
            BadInputError: it cannot be written.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _as_cell(value) for key, value in row.items()} for row in rows)
        write_text(self.csv(folder), text.getvalue(), opener)
        if has_parquet():
            _write_parquet(self.parquet(folder), self.columns, rows, opener)


CASES = Table(
    "summary",
    {
        "case": "text",
        "status": "text",
        **{f"{side}_{measure}": "number" for side in SIDES for measure in _MEASURES},
        "findings": "integer",
        "candidates": "integer",
        "warnings": "text",
        "error": "text",
        "input": "text",
        "seconds": "number",
        "model": "text",
        "device": "text",
        "engine": "text",
        "alpha": "number",
        "seru": "text",
        "report": "text",
        "pictures": "text",
        "page": "text",
    },
)
FINDINGS = Table(
    "findings",
    {
        "case": "text",
        "side": "text",
        "kind": "text",
        "number": "integer",
        "status": "text",
        "confidence": "number",
        "volume_ml": "number",
        "volume_least_ml": "number",
        "volume_most_ml": "number",
        "longest_mm": "number",
        "longest_least_mm": "number",
        "longest_most_mm": "number",
        "across_mm": "number",
        "longest_3d_mm": "number",
        "slice_index": "integer",
        **{f"centre_{axis}_mm": "number" for axis in _AXES},
        "hu_mean": "number",
        "hu_deviation": "number",
        "contact_mm2": "number",
        "cut_by_edge": "truth",
    },
)
# Columns that a finding of the report has by the same name.
_SAME = frozenset(field.name for field in fields(Finding)) & frozenset(FINDINGS.columns)


def has_parquet() -> bool:
    """Tell whether tables are written as Parquet too: whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


def case_rows(cases: Iterable[Mapping[str, Any]], version: str) -> Iterator[Row]:
    """Yield a row for each case.

    Args:
        cases: of :meth:`seru.cohort.summary.Summary.to_dict`.
        version: of the program.

    Yields:
        The columns of :data:`CASES`.
    """
    for case in cases:
        sides = {f"{side}_{name}": (case[side] or {}).get(name) for side in SIDES for name in _MEASURES}
        is_run = case["status"] in ("done", "skipped")
        yield {
            "case": case["name"],
            "status": case["status"],
            **sides,
            "findings": len(case["findings"]) if is_run else None,
            "candidates": len(case["candidates"]) if is_run else None,
            "warnings": " ".join([*case["warnings"], *case["remarks"]]),
            "error": case["error"],
            "input": case["path"],
            **{key: case[key] for key in ("seconds", "model", "device", "engine", "alpha")},
            "seru": version,
            **{key: case[key] for key in ("report", "pictures", "page")},
        }


def finding_rows(cases: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield a row for each finding, candidates after those that are counted.

    Args:
        cases: of :meth:`seru.cohort.summary.Summary.to_dict`.

    Yields:
        The columns of :data:`FINDINGS`.
    """
    for case in cases:
        for finding in (*case["findings"], *case["candidates"]):
            volume, longest = (finding[key] or (None, None) for key in ("volume_range_ml", "longest_range_mm"))
            row = {
                "case": case["name"],
                **{key: finding[key] for key in _SAME},
                **dict(zip(("volume_least_ml", "volume_most_ml"), volume, strict=True)),
                **dict(zip(("longest_least_mm", "longest_most_mm"), longest, strict=True)),
                "longest_mm": finding["longest"]["mm"],
                "across_mm": finding["across"]["mm"],
                **{f"centre_{axis}_mm": at for axis, at in zip(_AXES, finding["centre_ras"], strict=True)},
            }
            yield {column: row[column] for column in FINDINGS.columns}


def _as_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet runs; JSON and Parquet keep it as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_parquet(path: Path, columns: Mapping[str, Kind], rows: Sequence[Row], opener: Opener) -> None:
    import pyarrow
    from pyarrow import parquet

    kinds = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "truth": pyarrow.bool_(),
    }
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()], metadata={_MADE_BY: b"1"})
    plain = [{key: _as_unicode(value) for key, value in row.items()} for row in rows]
    with opener(path) as file:
        parquet.write_table(pyarrow.Table.from_pylist(plain, schema=schema), file)


def _as_unicode(value: Any) -> Any:
    """Return a text as UTF-8 has it: the names of files may hold other bytes."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _is_our_parquet(path: Path) -> bool:
    if _start(path, len(_PARQUET)) in (b"", _PARQUET) and not has_parquet():
        return True  # it stays as it is
    try:
        from pyarrow import ArrowException, parquet

        return _MADE_BY in (parquet.read_schema(path).metadata or {})
    except (ArrowException, OSError):
        return False


def _start(path: Path, length: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(length)
    except OSError:
        return b""
