"""The page of a case: whole, safe, readable, one sheet, and of the run that it lies beside."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from seru.cascade.cascade import SegmentResult
from seru.cli import main
from seru.cohort.outputs import Outputs, write_results
from seru.findings import CropBox, InputFacts, Islands, KeySlice, MeasuredLabels, Report
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.records import parse_json
from seru.result import finish
from seru.result.page import is_page_of, render_page
from seru.result.pictures import KeySlicePicture, picture_key_slices
from seru.terminology import COLORS
from seru.volume import Volume
from Testing.maps_by_hand import make_maps, probabilities
from Testing.reports import make_report
from Testing.seru.command_by_hand import files_of, run_command
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti
from Testing.seru.nephrometry_by_hand import Sphere, score_of
from Testing.seru.test_summary_lines import KIDNEY, a_finding, a_side

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Elements that have no end.
_VOID = {"meta", "img", "input"}


class Page(HTMLParser):
    """The elements of a page, and the text of each; fails where one is not closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1] if self._open else "", " ".join(data.split())))

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def texts_of(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]


def page_of(report: Report, *pictures: KeySlicePicture) -> Page:
    return Page(render_page(report, pictures))


def a_report(**changes: Any) -> Report:
    values = {"right": a_side(180.2, 63.04), "findings": (KIDNEY, a_finding()), "alpha": 0.6, **changes}
    return make_report(**values)


def full_report() -> Report:
    """More than a sheet holds, each as long as it may be."""
    findings = [a_finding(number=n, cut_by_edge=True, longest_range_mm=(50.0, 60.0)) for n in range(1, 13)]
    findings += [a_finding(number=n, status="candidate") for n in range(1, 13)]
    return a_report(
        findings=tuple(findings),
        remarks=tuple(f"A remark, number {n}, with <b>markup</b>. " * 9 for n in range(4)),
        warnings=tuple(f"A warning, number {n}. " * 12 for n in range(4)),
        input=InputFacts("/secret/" + "long" * 60, "dicom", "1.2.840." * 8),
        islands=Islands(3, 0.2, 5, 0.3),
    )


PICTURE = KeySlicePicture("right", cv2.imencode(".webp", np.zeros((900, 900, 3), np.uint8))[1].tobytes(), ("a line",))


def test_a_finding_has_the_words_of_the_panel_and_the_command() -> None:
    candidate = a_finding(number=2, status="candidate", confidence=0.2, volume_ml=2.04, volume_range_ml=None)

    cells = page_of(a_report(findings=(replace(KIDNEY, cut_by_edge=True), a_finding(), candidate))).texts_of("td", "th")

    row = cells.index("Right kidney")
    assert cells[row : row + 7] == [
        "Right kidney", "at least 180 ml (172 to 190)", "52 x 40 mm", "40 ± 10", "93 %", "12", "Found",
    ]  # fmt: skip
    row = cells.index("Right tumor 2")
    assert cells[row : row + 7] == ["Right tumor 2", "2.0 ml", "52 x 40 mm", "40 ± 10", "20 %", "12", "Candidate"]
    assert cells[cells.index("Both") :][:3] == ["Both", "180.2 ml", "63.0 ml"]


def test_model_licence_alpha_and_research_use_are_told_and_the_folder_is_not() -> None:
    page = page_of(a_report(input=InputFacts("/scans/someone/ct.nii.gz", "nifti")))

    everything = " ".join(text for _, text in page.texts)
    assert "Research use only: not a medical device, and not to be used for diagnosis or treatment." in everything
    assert "Truth (truth)" in everything
    assert page.texts_of("bdi")[:3] == [
        "ct.nii.gz",
        "ct.nii.gz, 6 x 5 x 4 voxels of 1 x 1 x 1 mm",
        "0.6 (0 refined, 1 coarse)",
    ]
    assert "someone" not in everything


def test_a_result_that_no_network_made_has_no_alpha_and_no_model() -> None:
    finding = a_finding(confidence=None, hu_mean=None, hu_deviation=None, volume_range_ml=None)

    labels = MeasuredLabels("in/hand.nii.gz", "NIfTI", "0" * 64, (1,), (2,))
    nobody = {"model": None, "device": None, "engine": None, "alpha": None, "measured": labels}

    page = page_of(a_report(**nobody, findings=(finding,)))

    assert page.texts_of("dt") == ["CT", "Labels"]
    assert page.texts_of("td").count("not known") == 2


def test_names_and_warnings_with_markup_are_text() -> None:
    name, warning = "<img src=x onerror=alert(1)>&lt;.nii.gz", "'a' \"b\" <script>alert(1)"
    report = a_report(input=InputFacts(f"in/{name}"), warnings=(warning,))

    page = page_of(report)

    assert page.texts_of("bdi")[0] == name
    assert page.texts_of("title") == [f"Kidneys and kidney tumors in {name}"]
    assert page.texts_of("li") == [warning]
    assert page.of("img") == page.of("script") == []


def test_a_page_holds_everything_and_runs_nothing() -> None:
    page = page_of(full_report(), PICTURE)

    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "base"} == set()
    sources = [
        value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert [source.partition(",")[0] for source in sources] == ["data:image/webp;base64"]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.of("meta")[2]["content"].startswith("default-src 'none'")


def test_a_screen_reader_finds_language_headings_headers_and_pictures_in_words() -> None:
    page = page_of(a_report(), PICTURE)

    assert page.of("html") == [{"lang": "en"}]
    assert [tag for tag, _ in page.elements if tag in ("h1", "h2", "h3")] == ["h1", "h2", "h2", "h2", "h2"]
    assert {attributes.get("scope") for attributes in page.of("th")} == {"row", "col"}
    assert [image["alt"] for image in page.of("img")] == [
        "Axial CT slice 7, the right key slice, with the patient's right on the left of the picture and the front at "
        "its top. Drawn: a line."
    ]


def test_lists_that_do_not_fit_on_a_sheet_are_cut_there_and_say_so() -> None:
    page = page_of(full_report())

    rows, items = ([a.get("class") for a in page.of(tag)] for tag in ("tr", "li"))
    assert rows[1:13] == [None] * 8 + ["screen"] * 4
    assert rows[14:26] == [None] * 4 + ["screen"] * 8
    assert items == [None] * 5 + ["screen"] * 3
    further = [text for text in page.texts_of("p") if "more" in text]
    assert further == [f"And {n} more: see this page on a screen, or the report." for n in (3, 4, 8)]


def test_hundreds_of_candidates_are_cut_on_the_screen_too() -> None:
    candidates = tuple(a_finding(number=n, status="candidate") for n in range(1, 501))

    text = render_page(a_report(findings=candidates), ())

    assert text.count("<tr") == 1 + 200 + 4
    assert "No kidney and no tumor was found." in text
    assert "And 300 more, which the report lists." in text


def test_what_is_too_small_to_be_listed_is_not_denied() -> None:
    text = render_page(a_report(findings=(), islands=Islands(counted=1, counted_ml=0.03)), ())

    assert "<p>No kidney and no tumor large enough to be listed was found.</p>" in text
    assert "1 too small to be listed are in the sums (0.03 ml)" in text


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def themes() -> Iterator[dict[str, str]]:
    text = render_page(a_report(), ())
    for block in re.findall(r":root \{[^}]*--ink[^}]*\}", text):
        yield dict(re.findall(r"--(\w+): (#\w{6})", block))


def test_texts_have_a_contrast_of_4_5_in_light_and_dark() -> None:
    light, dark = themes()

    for theme in (light, dark):
        paper = luminance(theme["paper"])
        for name in ("ink", "quiet", "warn"):
            least, most = sorted((paper, luminance(theme[name])))
            assert (most + 0.05) / (least + 0.05) >= 4.5, (name, theme)


# Columns run to the patient's left in one CT, to the right in the other.
TO_LEFT, TO_RIGHT = np.diag([-4.0, -4.0, 9.0, 1.0]), np.diag([4.0, -4.0, 9.0, 1.0])
_RIGHT, _LEFT = (slice(1, 5), slice(40, 60), slice(15, 30)), (slice(2, 6), slice(40, 60), slice(65, 80))
_TUMOR = (slice(2, 6), slice(45, 55), slice(70, 75))


def make_run(ijk_to_ras: np.ndarray) -> tuple[Volume, SegmentResult]:
    """A CT of 384 mm with a kidney on the patient's right, and a larger one with a tumor on the left."""
    coarse = probabilities((8, 96, 96), (_RIGHT, 0.9, 0.05), (_LEFT, 0.9, 0.05), (_TUMOR, 0.05, 0.9))
    hu, sides = small_ct((8, 96, 96)), np.where(np.arange(96) < 48, 1, 2) + np.zeros((8, 96, 1))
    if ijk_to_ras[0, 0] > 0:
        coarse, hu, sides = (np.ascontiguousarray(array[:, :, ::-1]) for array in (coarse, hu, sides))
    maps = make_maps(coarse, hu=hu, sides=sides, ijk_to_ras=ijk_to_ras)
    finished = finish(maps, SegmentOptions())
    labels = maps.whole(finished.labels_box)
    crop = CropBox((10, 30, 1), (85, 70, 5), (0.0, 0.0, 0.0), grown=False)
    report = replace(
        finished.report_of(make_report(maps.grid)),
        right=replace(a_side(100.0), key_slice=KeySlice(1, (0.0, 0.0, 0.0), 4800.0), crop=crop),
        left=replace(a_side(100.0), key_slice=KeySlice(5, (0.0, 0.0, 0.0), 4800.0)),
    )
    return Volume(hu, maps.grid), SegmentResult(labels, maps, report, finished.measured)


@pytest.fixture(scope="module")
def run() -> tuple[Volume, SegmentResult]:
    """A CT, and what was found in it."""
    return make_run(TO_LEFT)


@pytest.fixture(scope="module")
def written(run: tuple[Volume, SegmentResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of that."""
    folder = tmp_path_factory.mktemp("page")
    outputs = Outputs(folder / "o.nii.gz", folder / "r.json", folder / "maps", page=folder / "p.html")
    write_results(outputs, *run, Progress())
    return folder


@pytest.fixture(scope="module")
def pictures(run: tuple[Volume, SegmentResult]) -> list[KeySlicePicture]:
    """Those of it: the right, then the left."""
    return pictures_of(run)


def pictures_of(run: tuple[Volume, SegmentResult]) -> list[KeySlicePicture]:
    volume, result = run
    return picture_key_slices(volume, result.maps, result.report, result.labels_kji)


def pixels_of(picture: KeySlicePicture) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(picture.webp, np.uint8), cv2.IMREAD_COLOR))


def report_in(path: Path) -> Report:
    return Report.from_dict(parse_json(path.read_bytes()))


def test_the_pictures_are_those_of_the_run_without_loss(written: Path, pictures: list[KeySlicePicture]) -> None:
    page = Page((written / "p.html").read_text(encoding="utf-8"))

    shown = [b64decode(image["src"].partition(",")[2]) for image in page.of("img")]

    assert shown == [picture.webp for picture in pictures]
    assert (written / "p.html").stat().st_size < 3_000_000


def test_what_is_drawn_is_told_and_nothing_else(pictures: list[KeySlicePicture]) -> None:
    right, left = pictures

    assert right.shown == (
        "outline of kidney and tumor", "outline of the coarse stage", "right crop", "scale bar of 100 mm",
    )  # fmt: skip
    assert left.shown == (
        "outline of kidney and tumor", "outline of tumor", "outline of the coarse stage", "right crop",
        "scale bar of 100 mm",
    )  # fmt: skip


def test_the_patient_s_right_is_on_the_picture_s_left(pictures: list[KeySlicePicture]) -> None:
    mirrored = pictures_of(make_run(TO_RIGHT))

    # On its key slice the right kidney is alone; so is the left one.
    for image, columns in zip(map(pixels_of, (*pictures, *mirrored)), 2 * ((15, 30), (65, 80)), strict=True):
        red, green, blue = (round(255 * part) for part in COLORS["coarse kidney"])
        found = np.flatnonzero((image == (blue, green, red)).all(axis=2).any(axis=0)) * 96 / 900
        assert (found[0], found[-1]) == pytest.approx(columns, abs=1)


def test_the_scale_bar_has_the_length_that_it_says(pictures: list[KeySlicePicture]) -> None:
    image = pixels_of(pictures[0])

    assert image.shape == (900, 900, 3)
    white = np.flatnonzero((image[900 - 18, 600:] == 255).all(axis=1))
    assert (white[-1] - white[0]) * 384 / 900 == pytest.approx(100, abs=2)


def test_a_page_of_another_run_or_a_cut_one_is_not_the_page_of_a_report(written: Path, tmp_path: Path) -> None:
    report, cut = report_in(written / "r.json"), tmp_path / "cut.html"
    cut.write_bytes((written / "p.html").read_bytes()[:-20])

    assert is_page_of(report, written / "p.html")
    assert is_page_of(replace(report, seconds={"load": 9.0}), written / "p.html")
    assert not is_page_of(replace(report, alpha=0.9), written / "p.html")
    assert not is_page_of(report, cut)


def test_fusing_again_writes_a_page_without_pictures(written: Path, tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("o.nii.gz", "p.html", "r.json")]
    given = ["fuse", written / "maps", "-o", places[0], "--page", places[1], "--report", places[2], "--alpha", "0.9"]

    code = main([*map(str, given), "--progress", "none"])

    assert code == 0
    assert is_page_of(report_in(places[2]), places[1])
    assert "the CT was not at hand" in places[1].read_text(encoding="utf-8")


def test_a_batch_writes_a_page_a_case_and_runs_a_case_again_whose_page_is_gone(
    tmp_path: Path, tiny_model: Path
) -> None:
    (tmp_path / "in").mkdir()
    write_nifti(tmp_path / "in" / "a.nii.gz", small_ct(), oblique())
    pages = tmp_path / "new" / "pages"
    given = ["batch", tmp_path / "in", "-o", tmp_path / "out", "--page", pages, "--model", tiny_model, "--threads", "1"]
    arguments = [*map(str, given), "--progress", "none"]

    def status() -> str:
        assert main(arguments) == 0
        return "skipped" if ",skipped," in (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8") else "done"

    assert status() == "done"
    assert status() == "skipped"
    (pages / "a.html").unlink()
    assert status() == "done"
    assert is_page_of(report_in(tmp_path / "out" / "a.json"), pages / "a.html")


def test_a_page_takes_no_other_file_s_place_and_needs_its_ending(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    given = ["segment", ct, "-o", tmp_path / "o.nii.gz"]
    (tmp_path / "to_ct.html").symlink_to(ct)

    refused = [
        run_command(capsys, *given, "--page", tmp_path / "p.html", "--report", tmp_path / "p.html"),
        run_command(capsys, *given, "--page", tmp_path / "to_ct.html"),
        run_command(capsys, *given, "--page", tmp_path / "p.json"),
    ]

    assert [code for code, _ in refused] == [2, 2, 2]
    for (_, line), words in zip(refused, ("same name", "is the input itself", "endings .html and .htm"), strict=True):
        assert words in line
    assert files_of(tmp_path) == {ct, tmp_path / "to_ct.html"}


def test_a_missing_jinja2_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    monkeypatch.setitem(sys.modules, "jinja2", None)

    code, line = run_command(
        capsys, "segment", tmp_path / "ct.nii.gz", "-o", tmp_path / "o.nii.gz", "--page", tmp_path / "p.html"
    )

    assert code == 2
    assert line == "seru: Writing a page needs Jinja2, which is not installed; install it with 'pip install Jinja2'."
    assert files_of(tmp_path) == {tmp_path / "ct.nii.gz"}


def test_a_browser_prints_one_sheet_and_has_nothing_to_complain_of(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    right = replace(a_side(180.2, 63.04), nephrometry=score_of(Sphere(up=0, back=4, medial=24, radius=9)))
    report = replace(full_report(), right=right, left=right)
    (tmp_path / "p.html").write_text(render_page(report, [PICTURE, replace(PICTURE, side="left")]), "utf-8")
    arguments = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--no-pdf-header-footer",
        f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'p.pdf'}", str(tmp_path / "p.html"),
    ]  # fmt: skip

    ended = subprocess.run([CHROMIUM, *arguments], capture_output=True, encoding="utf-8", timeout=120, check=True)

    assert "CONSOLE" not in ended.stderr
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "p.pdf").read_bytes())) == 1
