"""What others wrote, names, titles, messages, is shown as text; what the command prints is not trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seru.errors import SeruError
from seru.phantom import Phantom
from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module
from Testing.module.scene_tools import tiny_phantom

__all__ = ["slicer_desktop"]

PICTURE = "<img src='picture.png'>"


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return tiny_phantom()


@pytest.fixture
def marked_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A model whose card holds markup wherever it holds text."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    card |= {name: f"{PICTURE} {card[name]}" for name in ("title", "licence")} | {"notes": [f"<b>{PICTURE}</b>"]}
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def assert_nothing_is_markup(panel: Any) -> list[str]:
    """Look at every label and tooltip of the panel.

    Returns:
        The texts with a tag in them.
    """
    import qt

    marked = []
    for label in panel.parent.findChildren(qt.QLabel):
        if "<" in label.text:
            marked.append(label.text)
            assert label.textFormat == qt.Qt.PlainText, label.text
    for widget in panel.parent.findChildren(qt.QWidget):
        assert "<img" not in widget.toolTip
    return marked


def test_a_models_texts_are_shown_as_they_are(slicer_desktop: Desktop, marked_model: Path, phantom: Phantom) -> None:
    import qt

    panel = open_module(slicer_desktop, phantom=phantom)
    panel.parts.inputs.addFolder(str(marked_model))
    panel.ui.setupCollapsibleButton.collapsed = False
    formats = []

    def decline(box: Any) -> None:
        formats.append(box.textFormat)
        box.reject()

    slicer_desktop.dialogs.answer(decline)
    click(panel.ui.segmentButton)

    assert formats == [qt.Qt.PlainText]
    assert PICTURE in slicer_desktop.dialogs.shown[-1].text
    assert any(PICTURE in text for text in assert_nothing_is_markup(panel))
    tip = panel.ui.modelComboBox.itemData(panel.ui.modelComboBox.currentIndex, qt.Qt.ToolTipRole)
    assert "&lt;img" in tip


def test_a_volumes_name_is_shown_as_it_is(slicer_desktop: Desktop, tiny_model: Path, phantom: Phantom) -> None:
    import qt
    import slicer

    panel = open_module(slicer_desktop, tiny_model, phantom)
    volume = slicer.util.getNode("CT")
    volume.SetName(f"{PICTURE} CT")
    volume.SetAndObserveImageData(None)
    formats = []

    def dismiss(box: Any) -> None:
        formats.append(box.textFormat)
        box.reject()

    slicer_desktop.dialogs.answer(dismiss)
    panel.parts.refresh(volume)
    tip = panel.ui.segmentButton.toolTip
    panel.parts.run.alarm(SeruError(f"The volume '{volume.GetName()}' has no voxels."))

    # The views have nothing to show of a volume without voxels, and VTK says so.
    slicer_desktop.log.errors.clear()

    assert "&lt;img" in tip
    assert formats == [qt.Qt.PlainText]
    assert any(PICTURE in text for text in assert_nothing_is_markup(panel))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"devices": 3}',
        '{"devices": [3]}',
        '{"devices": [{"title": "no name"}]}',
        '{"devices": [{"name": ["cpu"]}]}',
        '{"devices": [{"name": "cpu", "memory": 1e999}]}',
    ],
)
def test_devices_of_another_shape_are_an_error_in_one_sentence(slicer_desktop: Desktop, text: str) -> None:
    open_module(slicer_desktop)
    from SERUSegmentationLib.panel.input_panel import devicesOf

    with pytest.raises(SeruError, match="devices could not be read"):
        devicesOf(text)
