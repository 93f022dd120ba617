"""The summary of a cohort: one JSON for programs and pages, tables for spreadsheets and statistics."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from seru.cohort.outputs import Outputs
from seru.cohort.summary import Summary
from seru.cohort.tables import FINDINGS
from seru.errors import BadInputError
from seru.findings import Diameter, Finding, Measures, Report
from Testing.reports import NOTHING, make_report

AT = (1.0, -2.0, 3.5)
TUMOR = Finding(
    kind="tumor", side="left", number=1, status="believed", confidence=0.9, volume_ml=12.5,
    volume_range_ml=(11.0, 14.0), longest=Diameter(31.0, AT, AT), across=Diameter(22.0, AT, AT),
    longest_range_mm=(30.0, 33.0), longest_3d_mm=34.0, slice_index=17, centre_ras=AT, hu_mean=40.0, hu_deviation=12.0,
    contact_mm2=80.0, cut_by_edge=False,
)  # fmt: skip
CANDIDATE = replace(
    TUMOR, number=2, status="candidate", confidence=0.3, volume_range_ml=None, longest_range_mm=None, hu_mean=None
)


def report() -> Report:
    side = NOTHING.at(Measures(150.0, 12.5, 31.0))
    told = {"warnings": ("Noisy.",), "remarks": ("Look.",)}
    return make_report(left=side, findings=(TUMOR, CANDIDATE), seconds={"load": 1.0, "a": 2.5}, **told)


def summary_of(folder: Path, name: str = "anna") -> Summary:
    summary = Summary(folder, {"seru": "0.1.0"})
    outputs = Outputs(folder / f"{name}.nii.gz", folder / f"{name}.json", page=folder.parent / "pages" / f"{name}.html")
    summary.add(name, Path("/cts/anna.nii.gz"), "done", report(), outputs=outputs, place=2)
    summary.add("bert", Path("/cts/bert.nii.gz"), "failed", error="It is cut.", place=1)
    summary.write()
    return summary


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_json_holds_each_case_with_findings_candidates_and_relative_paths(tmp_path: Path) -> None:
    summary_of(tmp_path)

    values = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))

    bert, anna = values["cases"]
    assert values["versions"] == {"seru": "0.1.0"}
    assert (anna["name"], anna["path"], anna["status"], anna["seconds"]) == ("anna", "/cts/anna.nii.gz", "done", 3.5)
    assert (anna["report"], anna["pictures"], anna["page"]) == ("anna.json", None, "../pages/anna.html")
    assert [finding["number"] for finding in anna["findings"]] == [1]
    assert [finding["status"] for finding in anna["candidates"]] == ["candidate"]
    assert anna["left"] == {"kidney_ml": 150.0, "tumor_ml": 12.5, "tumor_longest_mm": 31.0}
    assert (anna["warnings"], anna["remarks"]) == (["Noisy."], ["Look."])
    assert (bert["status"], bert["error"]) == ("failed", "It is cut.")
    assert bert.keys() == anna.keys()
    absent = {"name", "path", "status", "error", "warnings", "remarks", "findings", "candidates"}
    assert {value for key, value in bert.items() if key not in absent} == {None}


def test_the_tables_have_a_row_a_case_and_a_row_a_finding(tmp_path: Path) -> None:
    summary_of(tmp_path)

    bert, anna = rows(tmp_path / "summary.csv")
    tumor, candidate = rows(tmp_path / "findings.csv")

    assert (bert["case"], bert["error"], bert["findings"], bert["seconds"]) == ("bert", "It is cut.", "", "")
    assert (anna["findings"], anna["candidates"], anna["seconds"]) == ("1", "1", "3.5")
    assert (anna["warnings"], anna["seru"], anna["model"]) == ("Noisy. Look.", "0.1.0", "truth")
    assert tumor == {
        "case": "anna", "side": "left", "kind": "tumor", "number": "1", "status": "believed", "confidence": "0.9",
        "volume_ml": "12.5", "volume_least_ml": "11.0", "volume_most_ml": "14.0", "longest_mm": "31.0",
        "longest_least_mm": "30.0", "longest_most_mm": "33.0", "across_mm": "22.0", "longest_3d_mm": "34.0",
        "slice_index": "17", "centre_r_mm": "1.0", "centre_a_mm": "-2.0", "centre_s_mm": "3.5", "hu_mean": "40.0",
        "hu_deviation": "12.0", "contact_mm2": "80.0", "cut_by_edge": "False",
    }  # fmt: skip
    assert (candidate["status"], candidate["volume_least_ml"], candidate["hu_mean"]) == ("candidate", "", "")


def test_parquet_holds_the_same_with_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    summary_of(tmp_path, "=anna")

    cases, findings = (parquet.read_table(tmp_path / f"{name}.parquet") for name in ("summary", "findings"))

    assert cases["case"].to_pylist() == ["bert", "=anna"]
    assert cases["left_tumor_ml"].to_pylist() == [None, 12.5]
    assert findings["number"].to_pylist() == [1, 2]
    assert findings["cut_by_edge"].to_pylist() == [False, False]
    assert findings["hu_mean"].to_pylist() == [40.0, None]
    assert rows(tmp_path / "findings.csv")[0]["case"] == "'=anna"


def test_without_pyarrow_there_is_no_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seru.cohort.tables.find_spec", lambda name: None)

    summary_of(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"summary.csv", "summary.json", "findings.csv"}


@pytest.mark.parametrize("name", ["summary.csv", "findings.csv", "findings.parquet", "summary.parquet"])
def test_a_table_that_someone_else_made_is_kept(tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"case": ["mine"]}), tmp_path / name)
    else:
        (tmp_path / name).write_text("patient,age\n")

    with pytest.raises(BadInputError, match=f"{name}' is in the place of the summary and is none"):
        Summary(tmp_path).check()


def test_tables_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    summary_of(tmp_path)

    summary = summary_of(tmp_path)

    summary.check()
    assert len(rows(tmp_path / "findings.csv")) == 2
    assert list(rows(tmp_path / "findings.csv")[0]) == list(FINDINGS.columns)


def test_thousands_of_cases_are_not_written_each_time(tmp_path: Path) -> None:
    summary = Summary(tmp_path)
    for number in range(300):
        summary.add(f"case {number}", Path("ct"), "done", report(), place=number)

    written_before_the_end = len(json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["cases"])
    summary.write()

    assert 1 <= written_before_the_end < 300
    assert len(json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["cases"]) == 300
