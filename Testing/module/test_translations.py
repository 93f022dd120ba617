"""The panel's texts in other languages: Qt's .ts files hold them all, and German arrives in the panel."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module
from tools.translations import FOLDER, context_of, files, placeholders, read_translations, texts_in_sources, updated

__all__ = ["slicer_desktop"]

GERMAN = FOLDER / "SERUSegmentation_de.ts"


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
