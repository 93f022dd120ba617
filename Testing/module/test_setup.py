"""Setup, licence, sample data, and what opening the module must not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seru.phantom import Phantom, PhantomOptions, make_phantom
from Testing import REPOSITORY
from Testing.desktop import Desktop, choose, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import MODULE_FILE, open_module
from Testing.module.scene_tools import tiny_phantom

__all__ = ["slicer_desktop"]

HEAVY = {"torch", "cv2", "SimpleITK", "scipy", "skimage", "openvino", "pip"}


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return tiny_phantom()


def test_opening_the_module_imports_neither_torch_nor_opencv() -> None:
    program = (
        "import sys\n"
        "from Testing.desktop import desktop\n"
        "here = desktop()\n"
        f"here.load_module({str(MODULE_FILE)!r})\n"
        "here.process_events(0.5)\n"
        f"print('heavy:', sorted({HEAVY!r} & set(sys.modules)))\n"
        "print('errors:', here.errors)\n"
    )
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "SERUSegmentation")])
    environment = {**os.environ, "PYTHONPATH": path, "QT_QPA_PLATFORM": "offscreen"}

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=environment, check=True, timeout=300
    )

    assert "heavy: []" in ended.stdout
    assert "errors: []" in ended.stdout


def test_the_module_opens_without_a_main_window(slicer_desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(slicer_desktop.app), "layoutManager", lambda self: None)

    panel = open_module(slicer_desktop)

    assert not panel.ui.inspectButton.enabled
    assert not panel.ui.segmentButton.enabled
    slicer_desktop.unload("SERUSegmentation")


def test_segment_says_everything_that_is_missing(slicer_desktop: Desktop) -> None:
    panel = open_module(slicer_desktop)

    assert not panel.ui.segmentButton.enabled
    tip = panel.ui.segmentButton.toolTip
    assert "No CT volume is selected; load a CT and select it." in tip
    if panel.parts.inputs.model is None:
        assert "No model is selected; choose a model folder." in tip
    # A disabled button is where nobody rests the mouse.
    assert "No CT volume is selected; load a CT and select it." in panel.ui.statusLabel.text
    assert panel.ui.statusLabel.visible


def test_the_first_volume_is_chosen_and_the_button_comes_alive(
    slicer_desktop: Desktop, tiny_model: Path, phantom: Phantom
) -> None:
    panel = open_module(slicer_desktop, tiny_model, phantom)

    assert panel.ui.inputSelector.currentNode().GetName() == "CT"
    assert panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Segment kidneys and tumors of the selected CT."


@pytest.mark.parametrize("answer", ["No", "close"])
def test_a_licence_that_is_not_agreed_to_starts_nothing(
    slicer_desktop: Desktop, tiny_model: Path, phantom: Phantom, answer: str
) -> None:
    panel = open_module(slicer_desktop, phantom=phantom)
    panel.parts.inputs.addFolder(str(tiny_model))
    slicer_desktop.dialogs.answer(answer)

    click(panel.ui.segmentButton)

    shown = slicer_desktop.dialogs.shown[-1]
    assert "Licence of the weights: Apache-2.0" in shown.text
    assert "For research only" in shown.text
    assert len(list(filter(None, shown.text.splitlines()))) == 4
    assert shown.details.startswith(panel.parts.inputs.model.notes)
    assert not panel.logic.isRunning
    assert panel.ui.segmentButton.text == "Segment"


def test_a_licence_is_agreed_to_once(slicer_desktop: Desktop, tiny_model: Path, phantom: Phantom) -> None:
    from SERUSegmentationLib.panel.choices import askLicence

    panel = open_module(slicer_desktop, phantom=phantom)
    panel.parts.inputs.addFolder(str(tiny_model))
    slicer_desktop.dialogs.answer("Yes")

    assert askLicence(panel.parts.inputs.model)
    assert askLicence(panel.parts.inputs.model)

    assert len(slicer_desktop.dialogs.shown) == 1


def test_the_licence_is_told_in_four_lines_with_its_text_on_demand(slicer_desktop: Desktop) -> None:
    from SERUSegmentationLib.panel.choices import askLicence

    panel = open_module(slicer_desktop)
    slicer_desktop.dialogs.answer("No")

    assert not askLicence(panel.parts.inputs.model)

    shown = slicer_desktop.dialogs.shown[-1]
    title, licence, question = shown.text.split("\n\n")
    assert licence.splitlines() == [
        "Licence of the weights: CC-BY-NC-SA-4.0",
        "Not for commercial use.",
        "Name the source when you share them, and share what you make of them under the same licence.",
        "For research only: not a medical device, not for diagnosis or treatment.",
    ]
    assert question == "Do you agree?"
    assert title.startswith("SERU")
    assert "Research use only" in shown.details
    assert "Section 3 \u2013 License Conditions." in shown.details


def test_a_folder_that_is_no_model_is_told(slicer_desktop: Desktop, tmp_path: Path) -> None:
    panel = open_module(slicer_desktop)
    slicer_desktop.dialogs.answer(str(tmp_path))

    click(panel.ui.modelFolderButton)

    assert panel.ui.statusLabel.text == f"'{tmp_path}' is no model folder: it has no model.json."


def test_a_chosen_model_folder_is_remembered(slicer_desktop: Desktop, tiny_model: Path) -> None:
    panel = open_module(slicer_desktop)
    slicer_desktop.dialogs.answer(str(tiny_model))
    click(panel.ui.modelFolderButton)

    slicer_desktop.unload("SERUSegmentation")
    panel = open_module(slicer_desktop)

    assert panel.parts.inputs.model.key == str(tiny_model)


def lacking(panel: Any, tmp_path: Path) -> None:
    """Let the setup section miss a package that does not exist."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# comment\nseru-no-such-package>=1.0\nnumpy>=1.0\n", encoding="utf-8")
    panel.parts.setup._requirements = requirements


def test_what_is_missing_is_asked_for_in_one_question_and_declining_runs_nothing(
    slicer_desktop: Desktop, tiny_model: Path, phantom: Phantom, tmp_path: Path
) -> None:
    panel = open_module(slicer_desktop, tiny_model, phantom)
    lacking(panel, tmp_path)
    slicer_desktop.dialogs.answer("Cancel")

    click(panel.ui.segmentButton)

    assert len(slicer_desktop.dialogs.shown) == 1
    assert "seru-no-such-package>=1.0 (about 5 MB)" in slicer_desktop.dialogs.shown[0].text
    assert "numpy" not in slicer_desktop.dialogs.shown[0].text
    assert not panel.logic.isRunning
    assert "Nothing was installed" in panel.ui.statusLabel.text


def test_installing_keeps_what_comes_with_slicer(
    slicer_desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    panel = open_module(slicer_desktop)
    lacking(panel, tmp_path)
    calls = []

    def pip_install(packages: list[str], constraints: str, requester: str) -> None:
        calls.append((packages, Path(constraints).read_text(), requester))
        raise RuntimeError("no network")

    monkeypatch.setattr(slicer.packaging, "pip_install", pip_install, raising=False)
    slicer_desktop.dialogs.answer("OK")
    click(panel.ui.setupCollapsibleButton)
    click(panel.ui.installButton)

    import numpy

    assert calls[0][0] == ["seru-no-such-package>=1.0"]
    assert f"numpy=={numpy.__version__}" in calls[0][1]
    assert calls[0][2] == "SERU"
    assert "could not be installed (no network)" in panel.ui.setupAnswerLabel.text


def test_without_the_pytorch_extension_the_way_out_is_named(slicer_desktop: Desktop) -> None:
    open_module(slicer_desktop)
    from SERUSegmentationLib.panel.installation import InstallError, Missing, installMissing

    with pytest.raises(InstallError, match="install 'PyTorch' in the Extensions Manager") as caught:
        installMissing(Missing(torch=True, packages=()))

    assert caught.value.restartRequired
    assert "PyTorch (200 MB for the CPU" in Missing(torch=True, packages=()).question()


def test_versions_with_a_local_part_satisfy_a_requirement(
    slicer_desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_module(slicer_desktop)
    from SERUSegmentationLib.panel import installation

    monkeypatch.setattr(installation.importlib.metadata, "version", lambda name: "2.4.1+cu121")

    assert installation.isSatisfied("torch>=2.2")
    assert not installation.isSatisfied("torch>=2.5")


def test_devices_are_found_by_a_child_and_remembered(slicer_desktop: Desktop) -> None:
    panel = open_module(slicer_desktop)
    click(panel.ui.setupCollapsibleButton)

    click(panel.ui.checkButton)
    slicer_desktop.wait_until(lambda: panel.parts.setup._command is None, 300)

    assert panel.ui.setupAnswerLabel.text.startswith("Devices: CPU")
    choose(panel.ui.deviceComboBox, "CPU")
    slicer_desktop.unload("SERUSegmentation")
    assert open_module(slicer_desktop).parts.inputs.device == "cpu"


def test_verifying_a_damaged_model_tells_so(slicer_desktop: Desktop, tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    panel = open_module(slicer_desktop, folder)
    click(panel.ui.setupCollapsibleButton)

    click(panel.ui.verifyButton)
    assert panel.ui.setupAnswerLabel.text == "The model's files are OK."
    (folder / "coarse.safetensors").write_bytes(b"short")
    click(panel.ui.verifyButton)

    assert "coarse.safetensors is damaged" in panel.ui.setupAnswerLabel.text


def test_clearing_models_asks_first(slicer_desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *arguments, **options: str(tmp_path))
    cached = tmp_path / "models" / "some-model"
    cached.mkdir(parents=True)
    panel = open_module(slicer_desktop)
    click(panel.ui.setupCollapsibleButton)

    slicer_desktop.dialogs.answer("Cancel")
    click(panel.ui.clearModelsButton)
    assert cached.is_dir()
    slicer_desktop.dialogs.answer("OK")
    click(panel.ui.clearModelsButton)

    assert not cached.exists()
    assert panel.ui.setupAnswerLabel.text == "Deleted: some-model"


def test_a_user_and_a_script_get_the_phantom_from_sample_data(slicer_desktop: Desktop) -> None:
    import SampleData
    import slicer

    panel = open_module(slicer_desktop)
    source = slicer.modules.sampleDataSources["SERU"][0]

    source.customDownloader(source)
    panel.initializeParameterNode()
    users, scripts = panel.ui.inputSelector.currentNode(), SampleData.downloadSample("SERUPhantom")

    assert Path(source.thumbnailFileName).is_file()
    expected = make_phantom(PhantomOptions()).volume
    for node in (users, scripts):
        assert node.GetName() == "SERU phantom CT"
        assert node.GetImageData().GetDimensions() == (256, 256, 96)
        assert np.array_equal(slicer.util.arrayFromVolume(node), expected.array_kji)
        assert ijk_to_ras_of(node) == pytest.approx(expected.grid.ijk_to_ras)


def ijk_to_ras_of(node: Any) -> np.ndarray:
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def test_a_copied_log_holds_versions(slicer_desktop: Desktop) -> None:
    import qt

    panel = open_module(slicer_desktop)
    panel.parts.run.log.add("something happened")
    click(panel.ui.logCollapsibleButton)
    click(panel.ui.copyLogButton)

    text = qt.QApplication.clipboard().text()
    assert "SERU 0." in text
    assert "torch" in text
    assert text.splitlines()[-1].endswith("something happened")


def place_of(panel: Any) -> int:
    """Where Setup is among the sections; the stretch below them counts too."""
    section = panel.ui.setupCollapsibleButton
    return section.parentWidget().layout().indexOf(section)


def test_setup_comes_first_until_the_packages_are_there(
    slicer_desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    panel = open_module(slicer_desktop)
    last = place_of(panel)
    assert last == panel.ui.setupCollapsibleButton.parentWidget().layout().count() - 2
    assert panel.ui.setupCollapsibleButton.collapsed
    lacking(panel, tmp_path)
    panel.parts.setup._place()
    assert place_of(panel) == 0
    assert not panel.ui.setupCollapsibleButton.collapsed

    def install(packages: list[str], **options: Any) -> None:
        panel.parts.setup._requirements.write_text("numpy>=1.0\n")

    monkeypatch.setattr(slicer.packaging, "pip_install", install, raising=False)
    slicer_desktop.dialogs.answer("OK")
    click(panel.ui.installButton)

    assert panel.ui.setupAnswerLabel.text == "The packages are installed."
    assert place_of(panel) == last
