"""The page of a cohort: whole, safe, sortable, and a review queue that starts with what is doubtful."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seru.cohort.histogram import draw_histogram
from seru.cohort.page import PAGE, check_page, render_cohort, write_cohort_page
from seru.cohort.slicer_command import slicer_command
from seru.errors import BadInputError
from Testing.seru.browser import CHROMIUM, running_browser, wait_for_file
from Testing.seru.cohorts_by_hand import a_case, failed_case, many_cases
from Testing.seru.test_page import Page, luminance
from Testing.seru.test_summary_lines import KIDNEY, a_finding

MARKUP = "<script>alert(1)</script>&lt;'\""
SURE = a_finding(confidence=0.934)
DOUBTFUL = a_finding(number=2, confidence=0.51, volume_ml=2.04, centre_ras=(1.26, -2.0, 3.0))
CANDIDATE = a_finding(number=3, status="candidate", confidence=0.2, volume_ml=0.5, centre_ras=(9.0, 9.0, 9.0))


def text_of(folder: Path, *cases: dict[str, Any]) -> str:
    return render_cohort(folder, cases, ".nii.gz")


def data_of(text: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    values: dict[str, Any] = json.loads(found)
    return values


def test_a_case_is_a_row_and_what_failed_says_why(tmp_path: Path) -> None:
    told = a_case("anna", [KIDNEY, SURE, DOUBTFUL, CANDIDATE], warnings=["Look twice."], remarks=["Look."])

    page = Page(text_of(tmp_path, told, failed_case("bert", "The file is cut.")))

    assert page.texts_of("h1") == ["Kidneys and kidney tumors in 2 cases"]
    assert page.texts_of("td") == [
        "Done", "180.2", "65.1", "0.0", "0.0", "2", "1", "51", "12.3", "Failed: The file is cut.",
    ]  # fmt: skip
    assert page.texts_of("summary", "li") == ["2", "Look.", "Look twice."]
    assert "done: 1, failed: 1" in page.texts_of("p")


def test_the_queue_begins_with_the_least_sure_and_has_the_candidates_too(tmp_path: Path) -> None:
    unknown = a_finding(number=4, confidence=None)

    findings = data_of(text_of(tmp_path, a_case("anna", [unknown, SURE, DOUBTFUL, CANDIDATE])))["findings"]

    assert [finding["name"] for finding in findings] == [f"right tumor {number}" for number in (3, 2, 1, 4)]
    assert findings[1] == {
        "case": 0, "name": "right tumor 2", "side": "right", "status": "believed", "confidence": 0.51,
        "place": [1.3, -2.0, 3.0], "volume": 2.04, "size": "52 x 40 mm", "slice": 12, "hu": "40 ± 10", "cut": False,
    }  # fmt: skip


def test_names_and_sentences_with_markup_are_text(tmp_path: Path) -> None:
    case = a_case(MARKUP, [SURE], warnings=[MARKUP])

    text = text_of(tmp_path, case, failed_case("b", f"{MARKUP}--></script>"))

    page = Page(text)
    assert [attributes.get("type") for attributes in page.of("script")] == ["application/json", None]
    assert MARKUP in page.texts_of("bdi")
    assert MARKUP in page.texts_of("li")
    assert data_of(text)["cases"][0]["name"] == MARKUP


def test_the_policy_lets_nothing_run_but_the_package_s_own_script(tmp_path: Path) -> None:
    text = text_of(tmp_path, a_case("anna", [SURE]))

    page = Page(text)
    policy = page.of("meta")[2]["content"]
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    style = text.partition("<style>")[2].partition("</style>")[0]
    digests = [b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (script, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not any(name.startswith("on") or name == "style" for _, found in page.elements for name in found)
    assert "innerHTML" not in script


def test_pictures_and_pages_are_shown_where_they_lie_beside(tmp_path: Path) -> None:
    odd = tmp_path / "pictures" / "a:b #1"
    odd.mkdir(parents=True)
    (odd / "key_slice_left.png").touch()
    (tmp_path / "anna.html").touch()
    beside = a_case("anna", pictures="pictures/a:b #1", page="anna.html")

    page = Page(text_of(tmp_path, beside, a_case("bert", pictures="pictures/none", page="/elsewhere/bert.html")))
    without = Page(text_of(tmp_path, a_case("bert")))

    (image,) = page.of("img")
    assert image["src"] == "pictures/a%3Ab%20%231/key_slice_left.png"
    assert (image["alt"], image["loading"]) == ("Left key slice of anna", "lazy")
    assert [link["href"] for link in page.of("a")] == ["#review", "#volumes", "#cases", "anna.html"]
    assert "Key slices" in page.texts_of("th")
    assert without.of("img") == []
    assert "Key slices" not in without.texts_of("th")


def test_a_screen_reader_finds_headings_headers_and_a_place_where_verdicts_are_told(tmp_path: Path) -> None:
    page = Page(text_of(tmp_path, a_case("anna", [KIDNEY])))

    assert page.of("html") == [{"lang": "en"}]
    headings = [tag for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert headings == ["h1", "h2", "h3", "h3", "h3", "h2", "h2"]
    assert {attributes.get("scope") for attributes in page.of("th")} == {"row", "col"}
    assert [attributes["id"] for _, attributes in page.elements if attributes.get("role") == "status"] == [
        "told",
        "found",
    ]
    assert page.of("svg")[0]["aria-label"] == (
        "Kidneys that were found, in bins of 10 ml. 1, median 180.2 ml, from 180.2 to 180.2 ml."
    )


def test_a_histogram_counts_each_volume_once_in_bins_of_a_round_width() -> None:
    histogram = draw_histogram("Tumors", [0.0, 9.9, 10.0, 49.9, 12.0, 11.0])

    assert histogram.bin_text == "2 ml"
    assert [bar.text for bar in histogram.bars] == [
        "0 to 2 ml: 1", "8 to 10 ml: 1", "10 to 12 ml: 2", "12 to 14 ml: 1", "48 to 50 ml: 1",
    ]  # fmt: skip
    assert [(bar.x, bar.y, bar.height) for bar in histogram.bars][:3] == [
        (0.0, 73.0, 57.0), (76.8, 73.0, 57.0), (96.0, 16.0, 114.0),
    ]  # fmt: skip
    assert histogram.words == "6, median 10.5 ml, from 0.0 to 49.9 ml."
    assert draw_histogram("Tumors", []).words == "none."


@pytest.mark.parametrize("name", ["a b", "it's", "$(touch x)`touch y`", 'q"q', "-x", "ü\n\x1b[201~"])
def test_the_command_for_slicer_is_one_line_that_no_shell_runs_parts_of(tmp_path: Path, name: str) -> None:
    ct, labels = tmp_path / f"{name}.nii.gz", tmp_path / "out" / f"{name}.nrrd"

    line = slicer_command(ct, labels, is_windows=False)

    program, option, code = shlex.split(line)
    assert (program, option) == ("Slicer", "--python-code")
    assert line.isascii()
    assert line.isprintable()
    assert not set(line) & set("$`%!")
    called: list[str] = []
    loads = {"loadVolume": called.append, "loadSegmentation": called.append}
    exec(code, {"slicer": type("slicer", (), {"util": type("util", (), loads)})})
    assert called == [str(ct), str(labels)]


def test_the_command_for_a_dicom_folder_is_python_and_a_zip_is_not_opened(tmp_path: Path) -> None:
    folder = slicer_command(tmp_path, tmp_path / "a.nrrd", is_windows=False)
    archive = slicer_command(tmp_path / "a.zip", tmp_path / "a.nrrd", is_windows=False)

    code = shlex.split(folder)[2]
    compile(code, "command", "exec")
    assert "importDicom" in code
    assert shlex.split(archive)[2] == f"slicer.util.loadSegmentation('{tmp_path / 'a.nrrd'}')"
    mha = slicer_command(tmp_path / "a.zip", tmp_path / "a.mha", is_windows=False)
    assert shlex.split(mha)[2] == f"slicer.util.loadLabelVolume('{tmp_path / 'a.mha'}')"


def test_a_page_takes_no_other_file_s_place(tmp_path: Path) -> None:
    write_cohort_page(tmp_path, {"cases": [a_case("anna")]}, ".nii.gz")
    check_page(tmp_path)
    (tmp_path / PAGE).write_text("<html>Someone's own.</html>", encoding="utf-8")

    with pytest.raises(BadInputError, match="in the place of the cohort's page"):
        check_page(tmp_path)


def test_texts_have_a_contrast_of_4_5_in_light_and_dark(tmp_path: Path) -> None:
    # Light and dark of all pages, then what the cohort's adds to both.
    blocks = [
        re.findall(r"--(\w+): (#\w{6})", b)
        for b in re.findall(r":root \{([^}]*--[^}]*)\}", text_of(tmp_path, a_case("anna")))
    ]

    assert len(blocks) == 4
    for theme in (dict(blocks[which] + blocks[which + 2]) for which in (0, 1)):
        for name, paper in (("ink", "paper"), ("quiet", "paper"), ("warn", "paper"), ("ink", "chosen")):
            least, most = sorted((luminance(theme[paper]), luminance(theme[name])))
            assert (most + 0.05) / (least + 0.05) >= 4.5, (name, theme)


def test_a_case_keeps_its_verdicts_whatever_was_said_of_its_findings_and_whoever_is_beside_it(tmp_path: Path) -> None:
    findings = [SURE], [replace(SURE, status="dismissed")], [replace(SURE, volume_ml=60.0)], [SURE, DOUBTFUL]
    texts = [text_of(tmp_path, a_case("bert", [KIDNEY]), a_case("anna", found)) for found in findings]
    texts += [text_of(tmp_path, a_case("anna", [SURE])), text_of(tmp_path, a_case("cleo", [SURE]))]

    first, decided, larger, more, alone, other = (data_of(text)["cases"][-1]["digest"] for text in texts)

    assert first == decided == alone
    assert len({first, larger, more, other}) == 4


def test_no_case_at_all_is_a_page_too(tmp_path: Path) -> None:
    assert Page(text_of(tmp_path)).texts_of("h1") == ["Kidneys and kidney tumors in 0 cases"]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_reviews_2000_cases_by_keyboard_and_exports_what_is_read_back(tmp_path: Path) -> None:
    from seru.cohort.verdict_list import read_verdicts

    cases = many_cases(2000)
    cases[0] = {**cases[0], "name": f"={MARKUP}, 1"}
    path = write_cohort_page(tmp_path, {"cases": cases}, ".nii.gz")
    queue = [f for f in data_of(path.read_text(encoding="utf-8"))["findings"] if f["status"] == "believed"]

    with running_browser(tmp_path / "profile") as browser:
        browser.open(path)
        assert browser.value("document.querySelectorAll('#table tbody tr').length") == 2000
        assert text_at(browser, "finding") == "Right tumor 1 in"
        for key in "adwadwadw":
            browser.press(key)
        browser.press("u", "k", "j", "n")
        browser.write('He said "look", twice')
        browser.press("Enter", "a")
        assert text_at(browser, "count") == "10 of 4667; 9 with a verdict"
        assert f"Now {queue[9]['name']} of" in text_at(browser, "told")
        browser.value("document.querySelector('#beside button').click()")
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "got"))
        browser.value("document.getElementById('export').click()")
        wait_for_file(tmp_path / "got" / "verdicts.csv")
        browser.open(path)
        kept = text_at(browser, "count")
        assert sorted_column(browser, 2) == ("ascending", sorted(case["right"]["kidney_ml"] for case in cases)[:3])
        assert sorted_column(browser, 2)[0] == "descending"
        shown = [text_at(browser, "found")]
        for action in ("find.value = '_0199'; find.dispatchEvent(new Event('input'))", "find.value = ''; all.click()"):
            browser.value(
                f"{{ const [find, all] = ['find', 'all'].map((id) => document.getElementById(id)); {action} }}"
            )
            shown.append(text_at(browser, "found"))
        complaints = browser.complaints

    assert complaints == []
    assert shown == ["200 of 2000 shown", "10 of 10 shown", "2000 of 2000 shown"]
    assert kept == "10 of 4667; 10 with a verdict"
    read = read_verdicts(tmp_path / "got" / "verdicts.csv")
    said = {case["name"]: read.get(case["name"], ()) for case in (cases[finding["case"]] for finding in queue[:9])}
    assert [said[cases[finding["case"]]["name"]][0].verdict for finding in queue[:9]] == [
        *("accept", "dismiss", "needs_work") * 2, "accept", "dismiss", "accept",
    ]  # fmt: skip
    (ninth,) = said[cases[queue[8]["case"]]["name"]]
    assert (ninth.note, ninth.volume_ml, list(ninth.centre_ras)) == (
        'He said "look", twice', queue[8]["volume"], queue[8]["place"],
    )  # fmt: skip
    assert len(read) == 10


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_copies_the_command_that_opens_a_case_at_the_finding_and_prints_what_is_to_be_checked(
    tmp_path: Path,
) -> None:
    (tmp_path / "it's.nii.gz").touch()
    (tmp_path / "key_slice_left.png").touch()
    finding = replace(SURE, centre_ras=(72.34, -31.0, 0.0))
    case = a_case("it's", [finding], warnings=["Look twice."], pictures=".")
    path = write_cohort_page(tmp_path, {"cases": [case]}, ".nii.gz")
    clipboard = (
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { copied = text; }}});"
    )

    with running_browser(tmp_path / "profile") as browser:
        browser.open(path, before=f"var copied; {clipboard}")
        codes = []
        for button in ("#open", "#table button[data-case]"):
            browser.value(f"document.querySelector('{button}').click()")
            codes.append(shlex.split(browser.value("copied"))[2])
        browser.call("Emulation.setEmulatedMedia", media="print")
        shown = [browser.value(f"document.querySelector('{one}').checkVisibility()") for one in ("td li", "td img")]
        heading = browser.value("getComputedStyle(document.querySelector('thead button')).display")

    assert shown == [True, False]
    # Chromium repeats no button on the second side of paper.
    assert heading == "contents"
    assert codes[1] == slicer_code("/scans/it's.nii.gz", str(tmp_path / "it's.nii.gz"))
    assert codes[0] == f"{codes[1]}; slicer.modules.markups.logic().JumpSlicesToLocation(72.3, -31, 0, True)"


def slicer_code(ct: str, labels: str) -> str:
    return f"slicer.util.loadVolume({ct!r}); slicer.util.loadSegmentation({labels!r})"


def roles(browser: Any) -> set[str]:
    """What a screen reader finds on the page."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    return {node["role"]["value"] for node in nodes if not node.get("ignored")}


def text_at(browser: Any, name: str) -> str:
    text: str = browser.value(f"document.getElementById('{name}').textContent")
    return text


def sorted_column(browser: Any, column: int) -> tuple[str, list[float]]:
    """Click a column's heading; return its direction and the first values."""
    found = browser.value(
        f"(() => {{ const heading = document.querySelectorAll('#table thead th')[{column}];"
        "heading.firstElementChild.click();"
        "const rows = [...document.querySelectorAll('#table tbody tr')].slice(0, 3);"
        f"return [heading.getAttribute('aria-sort'), rows.map((row) => Number(row.cells[{column}].textContent))]; }})()"
    )
    return found[0], found[1]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_that_keeps_nothing_says_so_and_the_page_takes_an_exported_list(tmp_path: Path) -> None:
    path = write_cohort_page(tmp_path, {"cases": many_cases(3)}, ".nii.gz")
    refused = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }});"
    (tmp_path / "list.csv").write_text(
        "case,finding,r_mm,a_mm,s_mm,volume_ml,verdict,note\n"
        'case_00000,right tumor 1,72.3,-31.1,0.4,2,dismiss,"a, b"\n'
        "case_00009,right tumor 1,72.3,-31.1,0.4,2,dismiss,\n",
        encoding="utf-8",
    )

    with running_browser(tmp_path / "profile") as browser:
        browser.open(path, before=refused)
        told = text_at(browser, "told")
        read_out = roles(browser)
        browser.press("j", "d")
        decided = text_at(browser, "count")
        loaded = load(browser, tmp_path / "list.csv")
        after = text_at(browser, "count")
        complaints = browser.complaints

    assert told == "This browser keeps no verdicts for this page: export them before you close it."
    assert {"table", "columnheader", "rowheader", "status", "checkbox"} <= read_out
    assert decided == "3 of 7; 1 with a verdict, not kept in this browser"
    assert loaded == "1 of 2 verdicts of the file are on findings of this page."
    assert after.endswith("2 with a verdict, not kept in this browser")
    assert complaints == []


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_keeps_what_was_said_of_a_case_when_the_batch_has_gone_on(tmp_path: Path) -> None:
    told = replace(CANDIDATE, confidence=DOUBTFUL.confidence)  # their order in the queue is that of the report
    anna, accepted = (a_case("anna", [SURE, DOUBTFUL, replace(told, status=s)]) for s in ("candidate", "accepted"))
    (tmp_path / "list.csv").write_text(
        "\ufeffcase;finding;r_mm;a_mm;s_mm;volume_ml;verdict;note\r\n"
        'bert;right tumor 2;1,3;-2,0;3,0;2,04; needs_work ;"\'-5 HU; again"\r\n',
        encoding="utf-8",
    )

    with running_browser(tmp_path / "profile") as browser:
        browser.open(write_cohort_page(tmp_path, {"cases": [anna]}, ".nii.gz"))
        browser.press("d")
        browser.open(write_cohort_page(tmp_path, {"cases": [a_case("bert", [DOUBTFUL]), accepted]}, ".nii.gz"))
        kept = text_at(browser, "count")
        load(browser, tmp_path / "list.csv")
        said = browser.value("asCsv()")
        complaints = browser.complaints

    assert kept == "1 of 4; 1 with a verdict"
    assert said.splitlines()[1:] == [
        "bert,right tumor 2,1.3,-2,3,2.04,needs_work,'-5 HU; again,ct-0123456789ab",
        "anna,right tumor 2,1.3,-2,3,2.04,dismiss,,ct-0123456789ab",
    ]
    assert complaints == []


def load(browser: Any, path: Path) -> str:
    """Load a list into the page; return what it tells then."""
    node = browser.call("DOM.getDocument")["root"]["nodeId"]
    field = browser.call("DOM.querySelector", nodeId=node, selector="#load")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=field, files=[str(path)])
    told: str = browser.value(
        "new Promise((done) => { const look = () => { const text = document.getElementById('told').textContent;"
        "if (text.includes('of the file')) done(text); else setTimeout(look, 10); }; look(); })"
    )
    return told
