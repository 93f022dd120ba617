"""A list of verdicts: read, found again in a result, and applied by a batch without the network where maps are kept."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.cascade.cascade import Segmenter
from seru.cli import main
from seru.cohort.decided import decide, is_decided
from seru.cohort.verdict_list import COLUMNS, ListedVerdict, name_in_list, read_verdicts
from seru.errors import BadInputError
from seru.findings import Report
from seru.io.images import read_volume, write_volume
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import Progress, RunRecord
from seru.records import parse_json
from seru.result import finish
from seru.result.maps import Maps, load_maps
from Testing.maps_by_hand import make_maps, probabilities
from Testing.reports import make_report
from Testing.seru.command_by_hand import run_command
from Testing.seru.test_summary_lines import a_finding

HEADER = ",".join(COLUMNS)
TUMOR = ListedVerdict("tumor", "right", 1, (10.0, 20.0, 30.0), 63.0, "dismiss")


def write_list(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *lines, "")), encoding="utf-8")
    return path


def line_of(case: str, listed: ListedVerdict) -> str:
    numbers = ",".join(f"{number:g}" for number in (*listed.centre_ras, listed.volume_ml))
    return f"{case},{listed.side} {listed.kind} {listed.number},{numbers},{listed.verdict},{listed.note}"


def test_a_list_is_read_by_case_whatever_the_order_of_its_columns(tmp_path: Path) -> None:
    header = "verdict,note,other,volume_ml,s_mm,a_mm,r_mm,finding,case"
    path = write_list(
        tmp_path / "v.csv",
        'dismiss,"a, ""b""",,63,30,20,10,right tumor 1,anna',
        "needs_work,,,1.5,-3,-2,-1.5,left kidney 2,anna",
        "",
        "accept,'=1+1,,1,0,0,0,left kidney,'-bert",
        header=f"\ufeff{header}",
    )

    read = read_verdicts(path)

    assert read == {
        "anna": (
            replace(TUMOR, note='a, "b"'),
            ListedVerdict("kidney", "left", 2, (-1.5, -2.0, -3.0), 1.5, "needs_work"),
        ),
        "-bert": (ListedVerdict("kidney", "left", 1, (0.0, 0.0, 0.0), 1.0, "accept", "=1+1"),),
    }


def test_a_list_that_a_german_spreadsheet_has_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    lines = (HEADER.replace(",", ";"), 'anna;right tumor 1;10;20;30,0;"63,0";dismiss;"a; b"', "")
    path.write_bytes("\r\n".join(lines).encode("utf-8-sig"))

    assert read_verdicts(path) == {"anna": (replace(TUMOR, note="a; b"),)}


def test_another_column_s_name_may_hold_a_separator(tmp_path: Path) -> None:
    path = write_list(tmp_path / "v.csv", "anna,right tumor 1,10,20,30,63,dismiss,,,2", header=f'{HEADER},"reader; 1"')

    assert read_verdicts(path) == {"anna": (TUMOR,)}


def test_names_of_cases_are_read_as_they_are(tmp_path: Path) -> None:
    lines = [f"{name},left tumor 1,1,2,3,4,accept," for name in ("' quoted'", "' a '", "''=b", "'c", " d ", "\\udce9")]

    read = read_verdicts(write_list(tmp_path / "v.csv", *lines))

    assert list(read) == ["' quoted'", "' a '", "'=b", "'c", " d ", "\\udce9"]
    assert name_in_list(os.fsdecode(b"\xe9")) == "\\udce9"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a,left tumor 1,1,2,3,4,maybe,"], "Line 2 of .* has the verdict 'maybe'; known: accept, dismiss, needs_work"),
        (["a,left tumor 1,1,2,x,4,accept,"], "Line 2 of .* has 'x' for a number"),
        (["a,left tumor 1,1,2,nan,4,accept,"], "has 'nan' for a number"),
        (["a,left tumor 1,1,2,3,,accept,"], "has '' for a number"),
        (["a,left cyst 1,1,2,3,4,accept,"], "Line 2 of .* names no finding of a case"),
        ([",left tumor 1,1,2,3,4,accept,"], "names no finding of a case"),
        (["a,left tumor 1,1,2,3,4"], "has the verdict ''"),
        (['a,"left tumor 1'], "is no list of verdicts"),
        (
            ["a,left tumor 1,1,2,3,4,accept,", "a,left tumor 1,1,2,3,4,dismiss,"],
            "Lines 2 and 3 of .* contradict each other",
        ),
    ],
)
def test_a_line_that_is_no_verdict_is_told_by_its_number(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_verdicts(write_list(tmp_path / "v.csv", *lines))


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\nJos\xe9,left tumor,1,2,3,4,accept,\n")
    write_list(tmp_path / "other.csv", "1,2", header="case,status")
    (tmp_path / "empty.csv").touch()

    for name, words in (("latin", "not in UTF-8"), ("other", "lacks finding, r_mm"), ("empty", "lacks case")):
        with pytest.raises(BadInputError, match=words):
            read_verdicts(tmp_path / f"{name}.csv")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_verdicts(tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"number": 4, "status": "candidate", "centre_ras": (10.0, 20.0, 59.0)}, True),
        ({"centre_ras": (10.0, 20.0, 61.0)}, False),
        ({"volume_ml": 22.0}, True),
        ({"volume_ml": 20.0}, False),
        ({"volume_ml": 190.0}, False),
        ({"side": "left"}, False),
        ({"kind": "kidney"}, False),
    ],
)
def test_a_verdict_is_on_the_finding_that_lies_where_it_was_given_and_is_as_large(
    changes: dict[str, Any], is_found: bool
) -> None:
    # Its longest distance is 60 mm: half of it is the reach.
    finding = a_finding(**{"centre_ras": (10.0, 20.0, 30.0), **changes})

    assert (TUMOR.find_in([finding]) == finding) is is_found


def test_the_nearest_of_two_is_meant() -> None:
    far, near = (a_finding(number=n, centre_ras=(10.0, 20.0, 30.0 + mm)) for n, mm in ((1, 12.0), (2, 5.0)))

    assert TUMOR.find_in([far, near]) == near


def test_a_kidney_is_known_with_its_tumors_and_without_them() -> None:
    kidney = a_finding(kind="kidney", volume_ml=20.0, centre_ras=(0.0, 0.0, 0.0), longest_3d_mm=20.0)
    tumor = a_finding(volume_ml=100.0, centre_ras=(0.0, 0.0, 36.0), longest_3d_mm=70.0)
    whole = a_finding(
        kind="kidney", status="dismissed", volume_ml=120.0, centre_ras=(0.0, 0.0, 30.0), longest_3d_mm=90.0
    )
    alone, together = (
        ListedVerdict("kidney", "right", 1, one.centre_ras, one.volume_ml, "dismiss") for one in (kidney, whole)
    )

    assert alone.find_in([tumor, kidney]) == together.find_in([tumor, kidney]) == kidney
    assert alone.find_in([whole]) == together.find_in([whole]) == whole
    # What lies there and is so much larger is not what someone accepted, or dismissed before.
    assert replace(alone, verdict="accept").find_in([whole]) is None
    assert alone.find_in([replace(whole, status="candidate")]) is None
    accepted = replace(kidney, status="accepted")
    kept = ListedVerdict.kept(accepted, [accepted, tumor])
    assert kept == replace(together, verdict="accept")


# A kidney of 60 voxels of 1 ml, a tumor of 12 in it, and a doubtful one apart.
_KIDNEY, _TUMOR, _DOUBTFUL = (
    (slice(1, 4), slice(1, 5), slice(1, 7)),
    (2, slice(1, 4), slice(1, 5)),
    (2, 9, slice(8, 11)),
)
SHAPE = (5, 12, 12)


def case_by_hand() -> tuple[Maps, Report]:
    maps = make_maps(probabilities(SHAPE, (_KIDNEY, 0.9, 0.05), (_TUMOR, 0.05, 0.9), (_DOUBTFUL, 0.55, 0.0)))
    maps = replace(maps, thresholds=replace(maps.thresholds, kidney=0.5, tumor=0.5))
    return maps, finish(maps, SegmentOptions()).report_of(make_report(maps.grid, warnings=("Of the run.",)))


def listed_on(report: Report, at: int, verdict: Any, note: str = "") -> ListedVerdict:
    f = report.findings[at]
    place = round(f.centre_ras[0], 1), round(f.centre_ras[1], 1), round(f.centre_ras[2], 1)
    return ListedVerdict(f.kind, f.side, f.number, place, round(f.volume_ml, 2), verdict, note)


def statuses(report: Report) -> list[tuple[str, str]]:
    return [(finding.kind, finding.status) for finding in report.findings]


def test_what_is_dismissed_leaves_the_labels_and_what_is_accepted_enters_them() -> None:
    maps, report = case_by_hand()
    before = [("kidney", "believed"), ("kidney", "candidate"), ("tumor", "believed")]
    assert statuses(report) == before

    decided = decide(maps, report, [listed_on(report, 2, "dismiss"), listed_on(report, 1, "accept")], Progress())

    assert sorted(statuses(decided.report)) == [("kidney", "accepted"), ("kidney", "believed"), ("tumor", "dismissed")]
    assert np.unique(decided.labels_kji[_TUMOR]).tolist() == [1]
    assert np.unique(decided.labels_kji[_DOUBTFUL]).tolist() == [1]
    assert [verdict.decision for verdict in decided.maps.verdicts] == ["dismissed", "accepted"]
    assert decided.report.warnings == ("Of the run.",)


def test_a_list_that_was_applied_changes_nothing_when_it_is_applied_again() -> None:
    maps, report = case_by_hand()
    listed = [listed_on(report, 0, "dismiss"), listed_on(report, 1, "accept")]

    once = decide(maps, report, listed, Progress())
    twice = decide(once.maps, once.report, listed, Progress())

    assert not is_decided(report, listed)
    assert is_decided(once.report, listed)
    np.testing.assert_array_equal(twice.labels_kji, once.labels_kji)
    assert twice.report == once.report
    assert len(twice.maps.verdicts) == 2


def test_a_later_verdict_takes_the_place_of_an_earlier_one() -> None:
    maps, report = case_by_hand()
    dismissed = decide(maps, report, [listed_on(report, 2, "dismiss")], Progress())

    again = decide(dismissed.maps, dismissed.report, [listed_on(report, 2, "accept")], Progress())

    assert ("tumor", "accepted") in statuses(again.report)
    assert [verdict.decision for verdict in again.maps.verdicts] == ["accepted"]


def test_what_needs_work_or_is_not_found_is_told_once_and_changes_no_label() -> None:
    maps, report = case_by_hand()
    lost = replace(listed_on(report, 2, "dismiss"), centre_ras=(500.0, 0.0, 0.0))
    listed = [listed_on(report, 2, "needs_work", "leaks into the vein"), lost]
    record = RunRecord(Progress())

    decided = decide(maps, report, listed, record)
    again = decide(decided.maps, decided.report, listed, Progress())

    place = ", ".join(f"{mm:.0f}" for mm in report.findings[2].centre_ras)
    assert record.warnings == [
        f"A person says that this needs work: the right tumor 1 (12.0 ml at {place} mm): leaks into the vein.",
        "The right tumor 1 (12.0 ml at 500, 0, 0 mm) was not found, so its verdict was not applied.",
    ]
    assert again.report.warnings == decided.report.warnings == ("Of the run.", *record.warnings)
    assert statuses(decided.report) == statuses(report)
    assert is_decided(decided.report, listed)


class Cohort:
    """A phantom's folder, and a batch over it."""

    def __init__(self, folder: Path, model: Path, *kept: str) -> None:
        self.folder, self.model = folder, model
        self.more = [f"--{what}={folder / 'out' / what}" for what in kept]

    def run(self, *more: str) -> int:
        given = ["batch", self.folder / "in", "-o", self.folder / "out", "--model", self.model, "--threads", "1"]
        return main([*map(str, given), *self.more, *more, "--progress", "none"])

    def report(self) -> Report:
        return Report.from_dict(parse_json((self.folder / "out" / "anna.json").read_bytes()))

    def labels(self) -> np.ndarray:
        return read_volume(self.folder / "out" / "anna.nii.gz").array_kji

    def status(self) -> str:
        summary = json.loads((self.folder / "out" / "summary.json").read_text(encoding="utf-8"))
        return str(summary["cases"][0]["status"])


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network runs."""

    def fail(*_: Any) -> None:
        raise AssertionError("a network was run")

    monkeypatch.setattr(Segmenter, "segment", fail)


KEPT = ("maps", "page", "pictures")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The folder of a cohort that was run with maps, pages and pictures."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "in").mkdir()
    options = PhantomOptions(seed=3, shape_kji=(24, 96, 96), spacing_kji_mm=(9.0, 4.0, 4.0))
    write_volume(make_phantom(options).volume, folder / "in" / "anna.nii.gz")
    assert Cohort(folder, tiny_model, *KEPT).run() == 0
    return folder


@pytest.fixture
def copied(tmp_path: Path, finished: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "copied"))


@pytest.mark.usefixtures("forbidden")
def test_a_batch_applies_a_list_to_saved_maps_without_the_network(
    copied: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = Cohort(copied, tiny_model, *KEPT)
    before = cohort.report()
    at = next(at for at, finding in enumerate(before.findings) if finding.kind == "tumor" and finding.is_counted)
    verdict = listed_on(before, at, "dismiss")
    path = write_list(copied / "v.csv", line_of("anna", verdict), line_of("nobody", verdict))

    code = cohort.run("--verdicts", str(path))

    assert code == 0
    assert cohort.status() == "done"
    warned = capsys.readouterr().err
    assert "Warning: The verdicts name the case nobody, which is not in this cohort." in warned
    after = cohort.report()
    assert statuses(after).count(("tumor", "dismissed")) == 1
    assert after.total["tumor_ml"] == pytest.approx(before.total["tumor_ml"] - verdict.volume_ml, abs=0.1)
    voxel_ml = read_volume(copied / "in" / "anna.nii.gz").grid.voxel_ml
    assert np.count_nonzero(cohort.labels() == 2) * voxel_ml == pytest.approx(after.total["tumor_ml"], abs=0.01)
    assert [one.decision for one in load_maps(copied / "out" / "maps" / "anna")[0].verdicts] == ["dismissed"]
    assert "Dismissed" in (copied / "out" / "page" / "anna.html").read_text(encoding="utf-8")
    assert '"status":"dismissed"' in (copied / "out" / "summary.html").read_text(encoding="utf-8")

    # With the list, and without it: the case is finished, and its verdicts stay.
    for more in (["--verdicts", str(path)], []):
        assert cohort.run(*more) == 0
        assert cohort.status() == "skipped"
    assert cohort.report() == after


@pytest.mark.usefixtures("forbidden")
def test_verdicts_on_another_ct_of_the_same_name_are_told_and_not_applied(
    copied: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = Cohort(copied, tiny_model, *KEPT)
    report = cohort.report()
    assert report.input.sha256 is not None
    line = line_of("anna", listed_on(report, 0, "dismiss"))

    path = write_list(copied / "v.csv", f"{line},ct-0123456789ab")
    assert cohort.run("--verdicts", str(path)) == 0
    assert (cohort.status(), cohort.report()) == ("skipped", report)
    assert "1 of its verdicts are on another CT of this name and were not applied." in capsys.readouterr().err

    write_list(path, f"{line},ct-{report.input.sha256[:12]}")
    assert cohort.run("--verdicts", str(path)) == 0
    assert cohort.status() == "done"


def test_a_case_without_maps_is_run_again_and_keeps_earlier_verdicts(copied: Path, tiny_model: Path) -> None:
    first = Cohort(copied, tiny_model).report()
    listed = [listed_on(first, at, "accept") for at in range(2)]

    for one, kept in zip(listed, (["maps"], []), strict=True):
        cohort = Cohort(copied, tiny_model, *kept)
        path = write_list(copied / "v.csv", line_of("anna", one))
        assert cohort.run("--verdicts", str(path)) == 0
        assert cohort.status() == "done"

    assert is_decided(cohort.report(), listed)
    assert not is_decided(first, listed)


@pytest.mark.usefixtures("forbidden")
def test_labels_that_a_person_edited_are_kept_and_the_case_fails(
    copied: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = Cohort(copied, tiny_model, *KEPT)
    path = write_list(copied / "v.csv", line_of("anna", listed_on(cohort.report(), 0, "dismiss")))
    edited = cohort.labels().copy()
    edited[0, 0, 0] = 2
    write_volume(replace(read_volume(copied / "out" / "anna.nii.gz"), array_kji=edited), copied / "out" / "anna.nii.gz")

    code = cohort.run("--verdicts", str(path))

    assert code == 1
    assert "are no longer as they were written, so no verdict was applied" in capsys.readouterr().err
    assert cohort.labels()[0, 0, 0] == 2


@pytest.mark.usefixtures("forbidden")
def test_a_list_that_cannot_be_read_stops_a_batch_before_any_work(
    tmp_path: Path, tiny_model: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_list(tmp_path / "v.csv", "a", header="name")
    given = ["batch", finished / "in", "-o", tmp_path / "out", "--model", tiny_model, "--verdicts", path]

    code, line = run_command(capsys, *given)

    assert code == 2
    assert line.endswith(
        "is no list of verdicts: its first line lacks case, finding, r_mm, a_mm, s_mm, volume_ml, verdict."
    )
    assert list((tmp_path / "out").iterdir()) == []
