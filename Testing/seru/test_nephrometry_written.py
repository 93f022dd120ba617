"""Nephrometry where it is written: the report of each command, and the page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from seru.cascade.cascade import SegmentResult
from seru.cli import main
from seru.cli.session import summary_lines
from seru.cohort.outputs import Outputs, write_results
from seru.findings import Report
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.result import finish
from seru.result.page import render_page
from seru.scores import Nephrometry
from seru.volume import Volume
from Testing.maps_by_hand import make_maps
from Testing.reports import NOTHING, make_report
from Testing.seru.image_files_by_hand import write_nifti
from Testing.seru.nephrometry_by_hand import Sphere, labels_of, scores_of, sides_of
from Testing.seru.test_measure import SCHEMA
from Testing.seru.test_page import Page
from Testing.seru.test_summary_lines import a_finding

AT_THE_HILUM, AT_THE_POLE = Sphere(up=0, back=4, medial=24, radius=9), Sphere(up=50, back=0, medial=-6, radius=12)
SPACING_MM = (4.0, 2.0, 2.0)


def read(path: Path) -> Report:
    values = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(values, SCHEMA)
    return Report.from_dict(values)


@pytest.fixture(scope="module")
def expected() -> Nephrometry:
    score = scores_of(*labels_of([AT_THE_HILUM], SPACING_MM))["right"]
    assert score is not None
    return score


@pytest.fixture(scope="module")
def run() -> tuple[Volume, SegmentResult]:
    """A run whose networks gave the truth."""
    labels, grid = labels_of([AT_THE_HILUM], SPACING_MM)
    coarse = np.stack([np.where(labels == kind, 255, 0) for kind in (1, 2)], axis=-1).astype(np.uint8)
    maps = make_maps(coarse, sides=sides_of(labels, grid), ijk_to_ras=grid.ijk_to_ras)
    finished = finish(maps, SegmentOptions())
    report = finished.report_of(make_report(maps.grid))
    result = SegmentResult(maps.whole(finished.labels_box), maps, report, finished.measured)
    return Volume(np.zeros(labels.shape, np.int16), maps.grid), result


def test_measure_writes_it_for_the_side_with_a_tumor(tmp_path: Path, expected: Nephrometry) -> None:
    labels, grid = labels_of([AT_THE_HILUM], SPACING_MM)
    path = write_nifti(tmp_path / "x.nii", labels, grid.ijk_to_ras)

    places = ["--report", str(tmp_path / "r.json"), "--page", str(tmp_path / "p.html")]
    assert main(["measure", str(path), *places, "--progress", "none"]) == 0

    report = read(tmp_path / "r.json")
    assert report.right.nephrometry == expected
    assert report.left.nephrometry is None
    assert expected.renal.text in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_a_run_and_fusing_again_write_it(
    tmp_path: Path, run: tuple[Volume, SegmentResult], expected: Nephrometry
) -> None:
    write_results(Outputs(tmp_path / "o.nii.gz", tmp_path / "r.json", tmp_path / "maps"), *run, Progress())
    again = ["-o", str(tmp_path / "a.nii.gz"), "--report", str(tmp_path / "a.json"), "--alpha", "0.9"]
    assert main(["fuse", str(tmp_path / "maps"), *again, "--progress", "none"]) == 0

    for name in ("r.json", "a.json"):
        assert read(tmp_path / name).right.nephrometry == expected


def test_another_alpha_leaves_none_of_the_old_one(run: tuple[Volume, SegmentResult], expected: Nephrometry) -> None:
    _, result = run
    report = replace(result.report, right=replace(result.report.right, nephrometry=expected))

    assert finish(result.maps, SegmentOptions()).report_of(report).right.nephrometry is None


def test_a_report_without_it_is_read() -> None:
    values = make_report().to_dict()
    del values["right"]["nephrometry"], values["left"]["nephrometry"]

    jsonschema.validate(values, SCHEMA)
    assert Report.from_dict(values) == make_report()


def page_with(score: Nephrometry, **changes: Any) -> Page:
    report = make_report(right=replace(NOTHING, nephrometry=score), findings=(a_finding(),), **changes)
    return Page(render_page(report, ()))


def test_the_page_shows_each_component_and_what_it_comes_from(expected: Nephrometry) -> None:
    page = page_with(expected)

    cells = page.texts_of("td", "th")
    assert cells[cells.index("Nearness") :][:4] == ["Nearness", "4 mm or less", "3", "distance 0.0 mm"]
    assert cells[cells.index("Collecting system") :][:2] == ["Collecting system", "not known"]
    assert f"Nephrometry, right: R.E.N.A.L. {expected.renal.text}, PADUA {expected.padua.text}" in page.texts_of("h2")
    assert (
        "Check each component: a network found this tumor, and no label shows sinus, vessels or collecting system."
        in page.texts_of("p")
    )


def test_the_page_says_why_a_score_is_a_range() -> None:
    score = scores_of(*labels_of([AT_THE_POLE], SPACING_MM, has_notch=False))["right"]
    assert score is not None

    page = page_with(score)

    assert "Nephrometry, right: R.E.N.A.L. 4-8, PADUA 6-10" in page.texts_of("h2")
    assert "The labels show no hilum: none, or sinus and hilum are labelled as kidney." in page.texts_of("p")


def test_a_tumor_apart_from_the_kidney_is_doubted_wherever_its_scores_are(expected: Nephrometry) -> None:
    apart = scores_of(*labels_of([Sphere(up=0, back=50, medial=0, radius=8)], SPACING_MM))["right"]
    assert apart is not None
    doubt = "The tumor does not touch the kidney, so it may not belong to it."

    told = [
        (page_with(score).texts_of("p"), list(summary_lines(make_report(right=replace(NOTHING, nephrometry=score)))))
        for score in (apart, expected)
    ]

    for is_apart, texts in zip((True, False), told, strict=True):
        assert [any(doubt in text for text in of_one) for of_one in texts] == [is_apart, is_apart]


def test_shares_and_areas_are_written_as_everything_else_on_the_page_is(expected: Nephrometry) -> None:
    text = " ".join(page_with(expected).texts_of("p", "td"))

    assert re.search(r"in front \d+ %", text)
    assert re.search(r"Contact surface area: \d+\.\d cm²", text)
    assert re.search(r"Split renal volume: right \d+ %, left \d+ %", text)


def test_a_full_sheet_keeps_the_sums_and_says_where_the_components_are(expected: Nephrometry) -> None:
    page = page_with(expected, warnings=tuple(f"Warning {n}." for n in range(9)))

    assert "Its components: see this page on a screen, or the report." in page.texts_of("p")
