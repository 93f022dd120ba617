"""PythonQt's manners, and that nothing is swallowed: what is not there raises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from Testing import REPOSITORY
from Testing.desktop import Desktop
from Testing.desktop.desktop import check_pyside
from Testing.desktop.pytest_fixtures import slicer_desktop

__all__ = ["slicer_desktop"]

pytestmark = pytest.mark.drawn

EXAMPLE = REPOSITORY / "Testing" / "desktop" / "example" / "DesktopExample.py"
ROOT = REPOSITORY


def test_properties_are_attributes(slicer_desktop: Desktop) -> None:
    import qt

    button = qt.QPushButton("Run")
    button.enabled = False
    button.toolTip = "now"
    button.name = "runButton"

    assert (button.text, button.enabled, button.toolTip, button.objectName) == ("Run", False, "now", "runButton")
    assert button.className() == "QPushButton"


def test_getter_that_is_a_property_cannot_be_called(slicer_desktop: Desktop) -> None:
    import qt

    combo = qt.QComboBox()
    combo.addItem("one")

    assert combo.currentText == "one"
    with pytest.raises(TypeError, match="not callable"):
        combo.currentText()


def test_unknown_attributes_raise(slicer_desktop: Desktop) -> None:
    import ctk
    import qt
    import slicer

    with pytest.raises(AttributeError):
        qt.QPushButton().color  # noqa: B018
    with pytest.raises(AttributeError, match="does not exist"):
        qt.QPushButton().color = "red"
    with pytest.raises(AttributeError):
        slicer.app.aMethodThatIsNotThere()
    with pytest.raises(AttributeError):
        slicer.app.layoutManager().aMethodThatIsNotThere()
    with pytest.raises(AttributeError):
        slicer.modules.amodulethatisnotthere  # noqa: B018
    with pytest.raises(AttributeError):
        ctk.ctkWidgetThatIsNotThere()
    with pytest.raises(AttributeError):
        slicer.qMRMLNodeComboBox().aMethodThatIsNotThere()


def test_python_subclass_takes_attributes_and_overrides(slicer_desktop: Desktop) -> None:
    import qt

    class Box(qt.QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.count = 3

        def sizeHint(self) -> Any:
            return qt.QSize(321, 123)

    parent, box = qt.QWidget(), Box()
    layout = qt.QVBoxLayout(parent)
    layout.addWidget(box)

    assert box.count == 3
    assert layout.sizeHint().width() >= 321


def test_signal_that_is_not_there_raises(slicer_desktop: Desktop) -> None:
    import qt

    with pytest.raises(AttributeError, match="does not exist"):
        qt.QPushButton().connect("pressedTwice()", print)


def test_slot_gets_as_many_arguments_as_it_takes(slicer_desktop: Desktop) -> None:
    import qt

    button, got = qt.QPushButton(), []
    button.connect("clicked(bool)", lambda is_checked: got.append(is_checked))
    button.connect("clicked()", lambda: got.append("none"))
    button.clicked.connect(lambda *arguments: got.append(arguments))

    button.click()

    assert got == [False, "none", (False,)]


def test_disconnected_slot_is_not_called(slicer_desktop: Desktop) -> None:
    import qt

    button, got = qt.QPushButton(), []
    button.connect("clicked()", got.append)
    assert button.disconnect("clicked()", got.append)

    button.click()

    assert got == []


def test_exception_in_a_slot_is_kept(slicer_desktop: Desktop) -> None:
    import qt

    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)

    button.click()

    assert [type(error) for error in slicer_desktop.errors] == [ZeroDivisionError]
    slicer_desktop.errors.clear()


def test_child_is_found_by_its_name_and_children_by_class(slicer_desktop: Desktop) -> None:
    import qt

    widget = qt.QWidget()
    button = qt.QPushButton(widget)
    button.name = "go"

    assert widget.go is button
    assert widget.findChildren("QPushButton") == [button]
    assert widget.findChild(qt.QPushButton, "go") is button


def test_form_with_an_unknown_widget_is_refused(slicer_desktop: Desktop, tmp_path: Path) -> None:
    import slicer

    form = tmp_path / "form.ui"
    form.write_text('<ui version="4.0"><widget class="qMRMLMagicWidget" name="magic"/></ui>')

    with pytest.raises(AttributeError, match="qMRMLMagicWidget"):
        slicer.util.loadUI(str(form))


def test_process_tells_its_output_and_end(slicer_desktop: Desktop) -> None:
    import qt

    process, got = qt.QProcess(), []
    process.connect("readyReadStandardOutput()", lambda: got.append(process.readAllStandardOutput().data()))
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: got.append(code))

    process.start(sys.executable, ["-c", "print('hello'); raise SystemExit(3)"])
    slicer_desktop.wait_until(lambda: 3 in got)

    assert b"".join(g for g in got if isinstance(g, bytes)).strip() == b"hello"


def test_settings_live_in_the_temporary_folder(slicer_desktop: Desktop) -> None:
    import qt
    import slicer

    slicer.app.userSettings().setValue("Example/key", 3)

    assert qt.QSettings().value("Example/key") in (3, "3")
    assert qt.QSettings().fileName() == slicer.app.userSettings().fileName()
    assert str(slicer_desktop.temporary_folder) in qt.QSettings().fileName()


def test_message_box_told_not_to_come_again_answers_as_before(slicer_desktop: Desktop) -> None:
    import qt
    import slicer

    def ask() -> Any:
        buttons = qt.QMessageBox.Ok | qt.QMessageBox.Cancel
        return slicer.util.messageBox("Sure?", standardButtons=buttons, dontShowAgainSettingsKey="Example/sure")

    def tick_and_accept(box: Any) -> None:
        box.checkBox().checked = True
        box.button(qt.QMessageBox.Ok).click()

    slicer_desktop.dialogs.answer(tick_and_accept)

    assert ask() == qt.QMessageBox.Ok
    assert ask() == qt.QMessageBox.Ok
    assert len(slicer_desktop.dialogs.shown) == 1


def test_sample_data_source_makes_its_node(slicer_desktop: Desktop) -> None:
    import SampleData

    slicer_desktop.load_module(EXAMPLE)

    node = SampleData.downloadSample("DesktopExampleCube")

    assert node.GetName() == "cube"
    with pytest.raises(KeyError):
        SampleData.downloadSample("nothing of that name")


def test_scene_in_the_panel_uses_the_same_strings_as_slicer(slicer_desktop: Desktop) -> None:
    panel = slicer_desktop.load_module(EXAMPLE)
    panel._parameterNode.options.isSmooth = True
    node = panel._parameterNode.parameterNode

    written = {name: node.GetParameter(name) for name in node.GetParameterNamesAsCommaSeparatedList().split(",")}

    assert written["isInverted"] == "False"
    assert written["color"] == "GREEN"
    assert written["method"] == "fast"
    assert written["options.isSmooth"] == "True"
    assert written["options.iterations"] == "5"
    assert written["alpha"] == "0.4"
    assert written["outputSegmentation"] == ""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="every PySide is sound there")
def test_unsound_pyside_is_refused_and_the_one_in_use_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    import PySide6

    check_pyside()
    monkeypatch.setattr(PySide6, "__version_info__", (6, 12, 0))

    with pytest.raises(RuntimeError, match="crashes Python"):
        check_pyside()


def test_command_writes_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    command = [sys.executable, "-m", "Testing.desktop", str(EXAMPLE), "--screenshot", str(picture)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 10_000


def test_command_without_a_screen_says_so(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if sys.platform != "linux":
        pytest.skip("only Linux can be without a screen")

    command = [sys.executable, "-m", "Testing.desktop"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, env=environment, check=False
    )

    assert done.returncode == 1
    assert "no screen" in done.stderr


SLICERS_OWN = """
import json, sys
from pathlib import Path
from Testing.desktop import click, desktop, drag_slider
import numpy as np
here = desktop()
here.add_volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6), None, "CT")
panel = here.load_module(sys.argv[1])
drag_slider(panel.ui.alphaSlider, 0.73)
click(panel.ui.applyButton)
import slicer.parameterNodeWrapper, slicer.ScriptedLoadableModule
print(json.dumps({
    "alpha": panel._parameterNode.alpha,
    "output": panel._parameterNode.outputSegmentation.GetName(),
    "files": [slicer.parameterNodeWrapper.__file__, slicer.ScriptedLoadableModule.__file__],
    "errors": [str(e) for e in here.errors],
}))
"""


def test_module_runs_on_slicers_own_sources() -> None:
    folder = os.environ.get("SLICER_PYTHON")
    if not folder:
        pytest.skip("SLICER_PYTHON=<Slicer source>/Base/Python is not set")

    command = [sys.executable, "-c", SLICERS_OWN, str(EXAMPLE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["alpha"] == pytest.approx(0.73)
    assert told["output"] == "Output"
    assert told["errors"] == []
    assert all(Path(file).is_relative_to(folder) for file in told["files"])


def test_a_layout_that_nobody_knows_shows_no_view(slicer_desktop: Desktop) -> None:
    manager = slicer_desktop.layout_manager

    manager.setLayout(98765)

    assert manager.shownWidgets() == []
    manager.setLayout(3)
    assert len(manager.shownWidgets()) == 4


def test_a_hidden_segmentation_without_an_item_is_an_error_in_the_log(slicer_desktop: Desktop) -> None:
    import slicer

    node = slicer.vtkMRMLSegmentationNode()
    node.SetHideFromEditors(True)
    node = slicer_desktop.scene.AddNode(node)

    node.GetSegmentation().AddEmptySegment("a", "a")

    assert len(slicer_desktop.log.errors) == 1
    assert "Unable to find subject hierarchy item" in slicer_desktop.log.errors[0]
    slicer_desktop.log.errors.clear()


def test_what_vtk_and_python_report_as_errors_is_in_the_log(slicer_desktop: Desktop) -> None:
    import logging

    import vtk

    vtk.vtkImageThreshold().Update()
    logging.error("something of Python's")

    assert "something of Python's" in slicer_desktop.log.errors
    assert any("vtkImageThreshold" in error for error in slicer_desktop.log.errors)
    slicer_desktop.log.errors.clear()
