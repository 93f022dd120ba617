"""``seru compare``: what has changed between two reports of a patient."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from seru.cli import main
from seru.errors import BadInputError
from seru.findings import Diameter, Finding, InputFacts, Islands, Report
from seru.io.images import read_volume
from seru.result.comparing import compare, doubling_days
from seru.result.facts import geometry_facts, input_facts
from seru.result.growth import Change, Growth
from seru.result.growth_page import render_growth_page
from seru.result.growth_texts import growth_lines
from seru.result.maps import save_maps
from Testing import REPOSITORY
from Testing.maps_by_hand import make_maps, probabilities
from Testing.reports import NOTHING, make_report
from Testing.seru.command_by_hand import files_of, run_command
from Testing.seru.dicom_by_hand import write_slices
from Testing.seru.image_files_by_hand import small_ct, write_nifti
from Testing.seru.test_measure import MATRIX, some_labels
from Testing.seru.test_page import CHROMIUM, Page
from Testing.seru.test_summary_lines import PLACE, a_finding

SCHEMA = json.loads((REPOSITORY / "SERUSegmentation/seru/comparison.schema.json").read_text(encoding="utf-8"))
FIRST, SECOND = "2020-01-01", "2020-12-31"


def kidney(centre_ras: tuple[float, float, float] = (50.0, 0.0, 0.0), **changes: Any) -> Finding:
    values = {"kind": "kidney", "volume_ml": 180.0, "volume_range_ml": None, "centre_ras": centre_ras, **changes}
    return a_finding(**values)


def tumor(number: int, place: tuple[float, float, float], ml: float = 10.0, **changes: Any) -> Finding:
    """A tumor whose place is seen from a kidney at (50, 0, 0)."""
    values = {"volume_ml": ml, "volume_range_ml": None, "longest": Diameter(20.0, PLACE, PLACE), **changes}
    return a_finding(number=number, centre_ras=(50.0 + place[0], *place[1:]), **values)


def report_with(*findings: Finding, date: str | None = None, patient: str | None = None, **changes: Any) -> Report:
    of_right = [finding for finding in findings if finding.side == "right" and finding.is_counted]
    kidney_ml, tumor_ml = (sum((f.volume_ml for f in of_right if f.kind == kind), 0.0) for kind in ("kidney", "tumor"))
    right = replace(NOTHING, kidney_ml=kidney_ml, tumor_ml=tumor_ml)
    facts = InputFacts("in/ct", "dicom", None, None, date, patient)
    return make_report(**{"input": facts, "right": right, "findings": findings, **changes})


def grown(before: Report, after: Report, **options: Any) -> Growth:
    growth = compare(before, after, ("a.json", "b.json"), **options)
    jsonschema.validate(json.loads(growth.to_json()), SCHEMA)
    return growth


def pairs_of(growth: Growth) -> list[tuple[int | None, int | None]]:
    return [
        (one.before.number if one.before else None, one.after.number if one.after else None)
        for one in growth.right.tumors
    ]


def test_a_tumor_that_doubled_in_a_year_has_that_doubling_time() -> None:
    larger = tumor(1, (0, 0, 20), 20.0, longest=Diameter(25.0, PLACE, PLACE))

    growth = grown(report_with(kidney(), tumor(1, (0, 0, 20)), date=FIRST), report_with(kidney(), larger, date=SECOND))

    (only,) = growth.right.tumors
    assert growth.days == 365
    assert only.volume_ml == Change(10.0, 20.0, 10.0, 100.0)
    assert only.longest_mm == Change(20.0, 25.0, 5.0, 25.0)
    assert only.doubling_days == 365.0
    assert only.mm_per_year == pytest.approx(5.0, abs=0.01)
    assert growth.right.kidney_ml == Change(180.0, 180.0, 0.0, 0.0)
    assert growth.left.tumor_ml == Change(0.0, 0.0, 0.0, None)


@pytest.mark.parametrize(
    ("after", "days", "expected"), [(80.0, 300, 100.0), (15.0, 100, 171.0), (10.0, 100, None), (5.0, 100, None)]
)
def test_doubling_is_exponential_and_of_growth_alone(after: float, days: int, expected: float | None) -> None:
    assert doubling_days(Change.of(10.0, after), days) == expected


def test_without_dates_there_is_no_doubling_time_and_that_is_said() -> None:
    reports = report_with(kidney(), tumor(1, PLACE)), report_with(kidney(), tumor(1, PLACE, 20.0))

    growth = grown(*reports)

    assert (growth.days, growth.right.tumors[0].doubling_days, growth.right.tumors[0].mm_per_year) == (None, None, None)
    assert growth.remarks[0] == (
        "The reports do not say when both CTs were made, so there is no doubling time: give --days or --dates."
    )
    assert grown(*reports, days=50).right.tumors[0].doubling_days == 50.0


def test_tumors_are_matched_by_their_places_from_the_kidney_and_not_by_size_or_table() -> None:
    before = report_with(kidney(), tumor(1, (0, 0, 40), 12.0), tumor(2, (0, 0, -40), 10.0))
    # The patient lies 300 mm higher, and the second tumor has become the larger one.
    moved = [tumor(1, (5, 0, 262), 30.0), tumor(2, (0, 5, 338), 13.0)]
    after = report_with(kidney((50.0, 0.0, 300.0)), *moved)

    growth = grown(before, after)

    assert pairs_of(growth) == [(1, 2), (2, 1)]
    assert [one.apart_mm for one in growth.right.tumors] == [5.4, 5.4]
    assert [one.remarks for one in growth.right.tumors] == [(), ()]


def test_tumors_that_lie_near_each_other_are_doubted() -> None:
    before = report_with(kidney(), tumor(1, (0, 0, 40)), tumor(2, (0, 10, 40)))
    after = report_with(kidney(), tumor(1, (0, 1, 40)), tumor(2, (0, 12, 40)))

    growth = grown(before, after)

    assert pairs_of(growth) == [(1, 1), (2, 2)]
    assert {one.remarks for one in growth.right.tumors} == {
        ("Another tumor lies nearly as near, so this match may be wrong.",)
    }


def test_tumors_far_apart_are_two() -> None:
    growth = grown(report_with(kidney(), tumor(1, (0, 0, 45))), report_with(kidney(), tumor(1, (0, 0, -40), 3.0)))

    assert pairs_of(growth) == [(1, None), (None, 1)]
    lines = list(growth_lines(growth))
    assert lines[1:3] == [
        "right tumor 1: only in the first scan: 10.0 ml, 20 x 40 mm, slice 12",
        "right tumor 1: only in the second scan: 3.0 ml, 20 x 40 mm, slice 12",
    ]


def test_one_near_match_goes_before_two_far_ones() -> None:
    before = report_with(kidney(), tumor(1, (0, 0, 0)), tumor(2, (0, 0, 30)))
    after = report_with(kidney(), tumor(1, (0, 0, 28)), tumor(2, (0, 0, 58)))

    assert pairs_of(grown(before, after)) == [(1, None), (2, 1), (None, 2)]


def test_without_a_kidney_in_a_scan_size_decides_and_that_is_said() -> None:
    growth = grown(report_with(kidney(), tumor(1, PLACE)), report_with(tumor(1, (0, 0, 500), 12.0)))

    assert pairs_of(growth) == [(1, 1)]
    assert growth.right.tumors[0].apart_mm is None
    assert "matched by their size alone" in growth.right.tumors[0].remarks[0]


def test_the_other_side_s_tumor_is_another_one() -> None:
    growth = grown(report_with(kidney(), tumor(1, PLACE)), report_with(kidney(), tumor(1, PLACE, side="left")))

    assert pairs_of(growth) == [(1, None)]
    assert growth.left.tumors[0].before is None


def test_a_tumor_cut_by_the_edge_has_no_rate() -> None:
    growth = grown(
        report_with(kidney(), tumor(1, PLACE)), report_with(kidney(), tumor(1, PLACE, 20.0, cut_by_edge=True)), days=9
    )

    (only,) = growth.right.tumors
    assert (only.doubling_days, only.mm_per_year) == (None, None)
    assert only.remarks == ("It reaches the edge of a scan, so its change is not known.",)


def test_a_kidney_cut_by_the_edge_has_a_change_that_tells_nothing() -> None:
    growth = grown(report_with(kidney()), report_with(kidney(cut_by_edge=True)), days=9)

    assert growth.remarks[0] == (
        "The right kidney reaches the edge of a scan, so the change of its volume is not known."
    )


@pytest.mark.parametrize("is_cut", [(True, False), (False, True)])
def test_places_seen_from_a_kidney_cut_by_the_edge_are_doubted(is_cut: tuple[bool, bool]) -> None:
    reports = [report_with(kidney(cut_by_edge=cut), tumor(1, PLACE)) for cut in is_cut]
    doubt = "The centre of the right kidney is not known either, so its tumors may be matched wrongly."

    assert grown(*reports, days=9).remarks[1] == doubt
    # Without a tumor nothing is matched.
    assert doubt not in grown(*(report_with(kidney(cut_by_edge=cut)) for cut in is_cut), days=9).remarks


@pytest.mark.parametrize("missing", ["first", "second"])
def test_a_kidney_that_one_scan_alone_shows_did_not_shrink_to_nothing(missing: str) -> None:
    both, right = report_with(kidney(), kidney(side="left")), report_with(kidney())
    both = replace(both, left=replace(NOTHING, kidney_ml=180.0))

    growth = grown(*((right, both) if missing == "first" else (both, right)), days=9)

    there = {"first": "second", "second": "first"}[missing]
    assert f"left kidney: only in the {there} scan: 180.0 ml" in list(growth_lines(growth))
    assert f"Only in the {there} scan: 180.0 ml" in render_growth_page(growth)
    assert growth.remarks[0] == f"The {missing} report shows no kidney on the left: look there yourself."


def test_a_change_within_the_ranges_of_both_volumes_may_be_none() -> None:
    growth = grown(
        report_with(kidney(), tumor(1, PLACE, volume_range_ml=(8.0, 12.0))),
        report_with(kidney(), tumor(1, PLACE, 12.0, volume_range_ml=(11.0, 14.0))),
        days=100,
    )

    assert growth.right.tumors[0].remarks == ("The ranges of both volumes overlap, so the change may be none.",)


def test_what_was_made_otherwise_is_told() -> None:
    candidate = tumor(2, (0, 0, 9), status="candidate")
    geometry = replace(make_report().geometry, spacing_ijk_mm=(1.0, 1.0, 5.0))
    before = report_with(kidney(), tumor(1, PLACE), candidate)

    growth = grown(before, report_with(kidney(), tumor(1, PLACE), alpha=0.9, geometry=geometry), days=5)

    assert len(growth.right.tumors) == 1
    assert growth.remarks[1:] == (
        "Candidates are not compared: 1 in the first report and 0 in the second.",
        "The results were not made in the same way (model or alpha), which alone may change a volume.",
        "The slices are 1 and 5 mm apart, which alone may change a volume.",
    )


def test_two_results_of_one_ct_are_no_growth() -> None:
    same = InputFacts("ct", "nifti", None, "0" * 64)

    growth = grown(report_with(kidney(), input=same), report_with(kidney(), input=same), days=1)

    assert growth.remarks == (
        "Both reports are of the same CT: what differs are the results, not the patient.",
        "Neither report shows a tumor: only kidneys are compared.",
    )


def test_the_same_labels_under_two_names_are_no_growth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (write_nifti(tmp_path / f"{name}.nii", some_labels(), MATRIX) for name in "ab")

    assert main(["compare", str(a), str(b), "--days", "9", "--progress", "none"]) == 0

    assert "note: Both reports are of the same labels, so nothing can have changed" in capsys.readouterr().out


def test_a_change_that_is_rounded_to_nothing_has_no_minus() -> None:
    growth = grown(report_with(kidney(), tumor(1, PLACE)), report_with(kidney(), tumor(1, PLACE, 9.98)), days=9)

    assert "right tumor 1: 10.0 to 10.0 ml (+0.0 ml, +0 %), longest" in "\n".join(growth_lines(growth))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"patient": "a" * 16}, {"patient": "b" * 16}, "are of patients with different IDs"),
        ({"date": SECOND}, {"date": FIRST}, "The first CT is of 2020-12-31, after the second one"),
    ],
)
def test_what_cannot_be_compared_is_refused(before: dict[str, str], after: dict[str, str], words: str) -> None:
    reports = [report_with(kidney(), **facts) for facts in (before, after)]

    with pytest.raises(BadInputError, match=words):
        grown(*reports)


def test_other_ids_of_one_patient_are_taken_where_a_person_says_so() -> None:
    reports = [report_with(kidney(), patient=digit * 16) for digit in "ab"]

    assert grown(*reports, same_patient=True).right.kidney_ml.percent == 0


def test_a_report_without_findings_is_refused_and_its_candidates_are_named() -> None:
    with pytest.raises(BadInputError, match=r"'b.json' shows no kidney and no tumor, but 1 that are too doubtful"):
        grown(report_with(kidney()), report_with(tumor(1, PLACE, status="candidate")))
    with pytest.raises(BadInputError, match=r"'b.json' shows no kidney and no tumor large enough to be listed; give"):
        grown(report_with(kidney()), report_with(islands=Islands(counted=1, counted_ml=0.01)))


def test_the_date_of_a_study_and_whose_it_is_come_from_dicom(tmp_path: Path) -> None:
    def dated(data: Any, k: int) -> None:
        data.StudyDate, data.PatientID = "20200229", "12345"

    write_slices(tmp_path / "ct", dated)
    write_slices(tmp_path / "odd", lambda data, k: data.__setattr__("StudyDate", ""))

    facts, odd = (input_facts(read_volume(tmp_path / name)) for name in ("ct", "odd"))

    assert (facts.study_date, facts.patient) == ("2020-02-29", "5994471abb01112a")
    assert odd.study_date is None


def write_report(path: Path, report: Report) -> Path:
    path.write_text(report.to_json(), encoding="utf-8")
    return path


def test_the_command_compares_a_report_and_labels(tmp_path: Path) -> None:
    grown_labels = some_labels()
    grown_labels[4:8, 12:16, 8:13] = 2
    paths = [
        write_nifti(tmp_path / f"{name}.nii", labels, MATRIX)
        for name, labels in (("a", some_labels()), ("b", grown_labels))
    ]
    report, places = tmp_path / "a.json", (tmp_path / "c.json", tmp_path / "c.html")
    assert main(["measure", str(paths[0]), "--report", str(report), "--progress", "none"]) == 0

    given = ["compare", report, paths[1], "-o", places[0], "--page", places[1], "--dates", "2020-01-01", "2020-04-10"]
    assert main([*map(str, given), "--progress", "none"]) == 0

    values = json.loads(places[0].read_text(encoding="utf-8"))
    jsonschema.validate(values, SCHEMA)
    (only,) = values["right"]["tumors"]
    assert values["days"] == 100
    assert only["volume_ml"] == {"before": 0.256, "after": 0.32, "difference": 0.064, "percent": 25.0}
    assert only["doubling_days"] == pytest.approx(100 * np.log(2) / np.log(1.25), abs=0.1)
    assert "Change from" in places[1].read_text(encoding="utf-8")


def test_dicom_segmentations_tell_their_dates_and_patients_without_a_ct(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("highdicom", reason="highdicom is not installed")
    from Testing.seru.dicom_seg_by_hand import written

    for name, date, patient in (("a", "20200101", "7"), ("b", "20200410", "7"), ("other", "20200410", "8")):

        def dated(data: Any, k: int, date: str = date, patient: str = patient) -> None:
            data.StudyDate, data.PatientID = date, patient

        write_slices(tmp_path / name, dated, small_ct(some_labels().shape), MATRIX)
        written(read_volume(tmp_path / name), some_labels(), tmp_path / f"{name}.seg.dcm")
    a, b, other = (str(tmp_path / f"{name}.seg.dcm") for name in ("a", "b", "other"))

    assert main(["compare", a, b, "-o", str(tmp_path / "c.json"), "--progress", "none"]) == 0
    assert main(["compare", a, other, "--progress", "none"]) == 2

    values = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert values["days"] == 100
    assert [values[scan]["study_date"] for scan in ("before", "after")] == ["2020-01-01", "2020-04-10"]
    assert "patients with different IDs" in capsys.readouterr().err


def test_maps_are_compared_by_the_report_that_they_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps = make_maps(probabilities((6, 12, 24), (np.s_[1:5, 2:10, 2:10], 0.9, 0.0)))
    first = report_with(kidney(), tumor(1, PLACE), geometry=geometry_facts(maps.grid))
    save_maps(maps, first, tmp_path / "maps")
    other = write_report(tmp_path / "b.json", report_with(kidney(), tumor(1, PLACE, 20.0)))

    assert main(["compare", str(tmp_path / "maps"), str(other), "--days", "100", "--progress", "none"]) == 0

    assert "doubles its volume in 100 days" in capsys.readouterr().out


def test_what_the_command_cannot_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (write_report(tmp_path / f"{name}.json", report_with(kidney())) for name in "ab")
    old = tmp_path / "old.json"
    old.write_text(a.read_text(encoding="utf-8").replace('"version": 3', '"version": 1'), encoding="utf-8")
    (tmp_path / "no.json").write_text("{", encoding="utf-8")
    write_nifti(tmp_path / "cyst.nii", 3 * some_labels(), MATRIX)
    comparison = tmp_path / "comparison.json"
    assert main(["compare", str(a), str(b), "--days", "30", "-o", str(comparison), "--progress", "none"]) == 0
    before = files_of(tmp_path)

    refused = {
        "is given twice": [a, a],
        "'" + str(old) + "' cannot be used: The report is of another version than 3": [a, old],
        "is no report": [a, tmp_path / "no.json"],
        "'" + str(comparison) + "' cannot be used: It is no report of a scan": [a, comparison],
        "cannot be read": [a, tmp_path / "missing.json"],
        "There are no maps at": [a, tmp_path / "x.json"],
        "is one of the reports": [a, b, "-o", b],
        "alone; say with --labels of 'seru measure' which are": [a, tmp_path / "cyst.nii"],
        "is JSON; give a name that ends in .json": [a, b, "-o", tmp_path / "c.txt"],
        "have the same name": [a, b, "-o", tmp_path / "c.json", "--page", tmp_path / "c.json"],
        "'1.1.2020' is no date": [a, b, "--dates", "1.1.2020", "2020-02-01"],
        "would be -3 days after": [a, b, "--days", "-3"],
        "not allowed with": [a, b, "--days", "3", "--dates", "2020-01-01", "2020-02-01"],
    }
    (tmp_path / "x.json").mkdir()
    for words, given in refused.items():
        code, line = run_command(capsys, "compare", *given)
        assert code == 2
        assert words in line
    assert files_of(tmp_path) - {tmp_path / "x.json"} == before


def a_growth(count: int = 2) -> Growth:
    before = [tumor(n, (0, 0, 50 * n), volume_range_ml=(1.0, 30.0)) for n in range(1, count + 1)]
    after = [replace(one, volume_ml=20.0) for one in before]
    facts = InputFacts("in/<b>a&lt;", "dicom", None, None, FIRST)
    later = replace(facts, study_date=SECOND)
    return grown(
        report_with(kidney(), *before, input=facts),
        report_with(kidney(), *after, input=later),
    )


def test_the_page_holds_every_change_as_text() -> None:
    page = Page(render_growth_page(a_growth()))

    cells = page.texts_of("td", "th")
    assert cells[cells.index("Right tumor 1") :][:7] == [
        "Right tumor 1", "10.0 to 20.0 ml (+10.0 ml, +100 %)", "20.0 to 20.0 mm (+0.0 mm, +0 %)",
        "40.4 to 40.4 mm (+0.0 mm, +0 %)", "365 days", "+0.0 mm", "12, 12",
    ]  # fmt: skip
    # Both CTs are called alike, so the reports tell them apart; a name is text, whatever it holds.
    assert page.texts_of("bdi")[:2] == ["a.json", "b.json"]
    assert "<b>a&lt;" in " ".join(page.texts_of("dd", "td", "th", "bdi"))
    assert "Right tumor 1: The ranges of both volumes overlap, so the change may be none." in page.texts_of("li")
    assert page.of("script") == []


def test_a_browser_prints_one_sheet_of_it(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    (tmp_path / "p.html").write_text(render_growth_page(a_growth(40)), "utf-8")
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--no-pdf-header-footer"]
    places = [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'p.pdf'}", tmp_path / "p.html"]

    ended = subprocess.run([CHROMIUM, *arguments, *places], capture_output=True, text=True, timeout=120, check=True)

    assert "CONSOLE" not in ended.stderr
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "p.pdf").read_bytes())) == 1
