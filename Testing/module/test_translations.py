"""The panel's texts in other languages: Qt's .ts files hold them all, and German arrives in the panel."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seru.result import page_scores
from seru.result.page_scores import sources_text
from seru.scores import Nephrometry
from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module
from Testing.seru.nephrometry_by_hand import Sphere, labels_of, scores_of
from tools import translations
from tools.translations import FOLDER, context_of, files, placeholders, read_translations, texts_in_sources, updated

__all__ = ["slicer_desktop"]

GERMAN = FOLDER / "SERUSegmentation_de.ts"
_PAGE = Path(page_scores.__file__)
# Where the texts of nephrometry are.
SOURCES = [_PAGE, *(_PAGE.parent / "nephrometry").glob("*.py")]


def test_contexts_are_those_that_slicer_looks_texts_up_in(slicer_desktop: Desktop) -> None:
    from slicer.i18n import getContext

    for _, holders in texts_in_sources().items():
        for path in holders:
            if path.suffix == ".py":
                assert context_of(path) == getContext(str(path))
    assert ("panel.run_panel", "Cancel") in texts_in_sources()
    assert ("SERUSegmentation", "Inputs") in texts_in_sources()


def test_the_help_of_an_option_is_translated_where_the_panel_shows_it() -> None:
    assert ("panel.parameters", "Remove tumors that touch no kidney.") in texts_in_sources()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_file_holds_every_text_of_the_sources_and_no_other(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == updated(path), "run: python -m tools.translations"


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_translations_hold_the_same_names_in_braces_line_ends_and_tags(path: Path) -> None:
    wrong = [
        text
        for (_, text), translation in read_translations(path).items()
        if translation and _frame_of(text) != _frame_of(translation)
    ]

    assert wrong == []


def test_headers_of_the_measurement_table_differ_in_german_too() -> None:
    titles = [text for (name, _), text in read_translations(GERMAN).items() if name == "scene.measurement_table"]

    assert len(set(titles)) == len(titles)


def test_what_is_translated_stays_where_texts_come_go_and_move(tmp_path: Path) -> None:
    path = tmp_path / "SERUSegmentation_xx.ts"
    path.write_text(
        '<TS version="2.1"><context><name>panel.elsewhere</name>'
        "<message><source>Cancel</source><translation>Avbryt &amp; g\u00e5</translation></message>"
        "<message><source>Gone</source><translation>Borta</translation></message></context></TS>",
        encoding="utf-8",
    )

    path.write_text(updated(path), encoding="utf-8")

    found = read_translations(path)
    assert set(found) == set(texts_in_sources())
    assert found["panel.run_panel", "Cancel"] == "Avbryt & g\u00e5"
    assert found["panel.run_panel", "Starting"] == ""


@pytest.mark.parametrize("argument", ["--help", "../de", "Deutsch", "de.ts"])
def test_what_is_no_language_begins_no_file(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(translations, "FOLDER", tmp_path)

    with pytest.raises(SystemExit):
        translations.main([argument])

    assert list(tmp_path.iterdir()) == []
    assert "usage:" in "".join(capsys.readouterr())


@pytest.fixture
def german(slicer_desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Qt's own translator, with the file that its own compiler made of ours."""
    import PySide6
    from PySide6.QtCore import QTranslator

    compiler = Path(PySide6.__file__).parent / "lrelease"
    if not compiler.is_file():
        pytest.skip(f"no {compiler}")
    compiled = tmp_path / "german.qm"
    subprocess.run([compiler, "-silent", GERMAN, "-qm", compiled], check=True)
    translator = QTranslator()
    assert translator.load(str(compiled))
    slicer_desktop.app.installTranslator(translator)
    _translate_loaded_modules(monkeypatch)
    yield
    slicer_desktop.app.removeTranslator(translator)


def test_a_german_panel_is_german_in_form_code_and_tooltips(slicer_desktop: Desktop, german: None) -> None:
    ui = open_module(slicer_desktop).ui

    assert ui.segmentButton.text == "Segmentieren"
    assert ui.resultReasonLabel.text == "Noch kein Ergebnis: Wählen Sie ein CT und klicken Sie auf „Segmentieren“."
    assert "Es ist kein CT-Volumen ausgewählt" in ui.segmentButton.toolTip
    assert ui.tumorTouchesKidneyCheckBox.toolTip == "Tumoren entfernen, die keine Niere berühren."


# Every component can be told of the first; a kidney without a hilum, and a kidney and a tumor that the edge cuts.
SCORED: list[dict[str, Any]] = [
    {"tumors": [Sphere(up=8, back=4, medial=24, radius=9)]},
    {"tumors": [Sphere(up=30, back=22, medial=-4, radius=14)], "has_notch": False},
    {"tumors": [Sphere(up=30, back=22, medial=-4, radius=14)], "lower_edge_mm": -30},
    {"tumors": [Sphere(up=-45, back=0, medial=0, radius=20)], "lower_edge_mm": -50},
]


def scores_of_the_right(case: dict[str, Any]) -> Nephrometry:
    found = scores_of(*labels_of(**case))["right"]
    assert found is not None
    return found


def test_every_text_of_nephrometry_is_a_translator_s() -> None:
    from SERUSegmentationLib.panel.nephrometry_texts import TEXTS, said

    told: list[str] = []

    def keep(text: str) -> str:
        told.append(text)
        return text

    for scores in map(scores_of_the_right, SCORED):
        measures = scores.sinus, scores.centrality, scores.contact, scores.split
        for aspect in (*scores.renal.aspects, *scores.padua.aspects, *measures):
            told += [aspect.name, aspect.value or "", aspect.how, aspect.reason or ""]
            sources_text(aspect, keep)

    assert len(set(told)) > 60
    known = re.compile("|".join(re.escape(text).replace(re.escape("{}"), r"[\d.]+") for text in TEXTS))
    # What is only a number and its unit is the same everywhere.
    assert [text for text in told if not (known.fullmatch(text) or re.fullmatch(r"[\d.]*( ml| cm²)?", text))] == []
    assert (said("at least 7 ml"), said("0.8"), said("7 cm or more")) == ("at least 7 ml", "0.8", "7 cm or more")


def test_no_text_of_nephrometry_is_left_over() -> None:
    from SERUSegmentationLib.panel.nephrometry_texts import TEXTS

    nodes = [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    constants = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    # Numbers are called as their names say, without the unit.
    names = {node.arg.rpartition("_")[0] for node in nodes if isinstance(node, ast.keyword) and node.arg}

    left = [text for text in TEXTS if text not in constants and text.replace(" ", "_") not in constants | names]
    assert left == ["at least {} ml", "right {} %, left {} %"]


def test_the_components_of_nephrometry_are_german_in_a_german_panel(slicer_desktop: Desktop, german: None) -> None:
    import qt

    from SERUSegmentationLib.panel.nephrometry_table import NephrometryTable

    table = qt.QTableWidget()
    NephrometryTable(table, lambda place: None).show(scores_of_the_right(SCORED[1]))

    rows = {table.item(row, 0).text(): table.item(row, 1) for row in range(table.rowCount)}
    assert rows["R.E.N.A.L. Radius"].text() == "4 cm oder weniger\nDurchmesser 27.9 mm"
    assert rows["R.E.N.A.L. Hilus"].text().splitlines()[1].startswith("Die Segmente zeigen keinen Hilus")
    assert re.match(r"rechts \d+ %, links \d+ %\n", rows["Seitenvolumen"].text())
    assert rows["Kontaktfläche"].toolTip().startswith("Gemessen: der Teil der Tumoroberfläche")


def test_no_german_button_is_cut_and_the_views_keep_their_room(slicer_desktop: Desktop, german: None) -> None:
    ui = open_module(slicer_desktop).ui
    for section in [one for name, one in vars(ui).items() if name.endswith("CollapsibleButton")]:
        section.collapsed = False
    ui.engineOfferWidget.visible = True
    slicer_desktop.process_events()

    buttons = [one for name, one in vars(ui).items() if re.search("(?<!Collapsible)Button$|CheckBox$", name)]
    cut = [button.text for button in buttons if button.width < button.minimumSizeHint.width()]
    assert len(buttons) > 20
    assert cut == []
    widest = slicer_desktop.window.panel().minimumSizeHint.width()
    assert widest < 560, "the views need more than half of 1280 pixels"


def _translate_loaded_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another test loaded before there was a desktop took its texts as they are."""
    from slicer.i18n import tr

    for name, module in list(sys.modules.items()):
        if name.startswith("SERUSegmentationLib") and hasattr(module, "_"):
            monkeypatch.setattr(module, "_", tr)


def _frame_of(text: str) -> tuple[set[str], int, list[str]]:
    tags = [part.split(">")[0] for part in text.split("<")[1:]]
    return placeholders(text), text.count("\n"), sorted(tags)
