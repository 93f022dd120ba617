"""A Slicer without the packages, and what runs inside Slicer: nothing is unexpected, and nothing wants PySide6."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

import pytest

from seru.errors import ModelError
from Testing import REPOSITORY
from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import MODULE_FILE, open_module
from Testing.module.scene_tools import add_volume, small_phantom
from Testing.module.without_packages import NEVER_IN_SLICER, NOT_IN_SLICER, environment_without, run_without

__all__ = ["slicer_desktop"]

PIP_NAMES = {"cv2": "opencv-python-headless", "skimage": "scikit-image"}
FRESH = {
    "no package": NOT_IN_SLICER,
    "all but torch": ("torch",),
    "torch alone": tuple(name for name in NOT_IN_SLICER if name != "torch"),
    "all but OpenCV": ("cv2",),
    "all but platformdirs": ("platformdirs",),
}


@pytest.fixture(params=FRESH)
def blocked(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    names = FRESH[request.param]
    for key, value in environment_without(names, tmp_path).items():
        monkeypatch.setenv(key, value)
    return names


def test_process_says_what_is_missing_and_how_to_get_it(slicer_desktop: Desktop, blocked: tuple[str, ...]) -> None:
    slicer_desktop.load_module(MODULE_FILE)
    from SERUSegmentation import SERUSegmentationLogic

    with pytest.raises(ModelError) as raised:
        SERUSegmentationLogic().process(add_volume(small_phantom()))

    sentence = str(raised.value)
    needed = [name for name in blocked if name not in ("openvino", "pydicom")]
    assert all(PIP_NAMES.get(name, name) in sentence for name in needed)
    assert "open Setup in the module and click Install" in sentence
    assert "unexpected" not in sentence
    assert sentence.count(". ") == 0


@pytest.mark.parametrize("blocked", ["no package", "all but torch"], indirect=True)
def test_the_self_test_is_skipped_with_the_reason_and_checks_the_scene(
    slicer_desktop: Desktop, blocked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    slicer_desktop.load_module(MODULE_FILE)
    import SERUSegmentation as module

    told: list[str] = []
    monkeypatch.setattr(module.SERUSegmentationTest, "delayDisplay", lambda self, text: told.append(text))
    slicer.selfTests["SERUSegmentation"]()

    assert told[:2] == ["Handing a CT to a run", "Segmenting the phantom"]
    assert told[2].startswith("Skipped: What the segmentation needs is not installed")
    assert len(told) == 3


def test_buttons_of_setup_say_it_too(slicer_desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    panel = open_module(slicer_desktop)
    assert panel.parts.inputs.model is not None
    panel.ui.setupCollapsibleButton.collapsed = False

    click(panel.ui.openFolderButton)

    assert "the package is missing: platformdirs; in 3D Slicer open Setup" in panel.ui.setupAnswerLabel.text


def test_ctest_counts_it_as_skipped(slicer_desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in environment_without(("torch",), tmp_path).items():
        monkeypatch.setenv(key, value)
    slicer_desktop.load_module(MODULE_FILE)
    from SERUSegmentation import SERUSegmentationTest

    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(SERUSegmentationTest).run(outcome)

    assert (outcome.testsRun, outcome.errors, outcome.failures) == (2, [], [])
    assert [reason.partition(":")[0] for _, reason in outcome.skipped] == [
        "What the segmentation needs is not installed, the package is missing"
    ]


def test_the_self_test_fails_where_a_run_would_read_another_volume(
    slicer_desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    slicer_desktop.load_module(MODULE_FILE)
    from SERUSegmentationLib import self_test

    def exportShifted(volume: Any, path: Path) -> None:
        slicer.util.arrayFromVolume(volume)[:] += 1
        run_export(volume, path)
        slicer.util.arrayFromVolume(volume)[:] -= 1

    run_export = self_test.exportVolume
    monkeypatch.setattr(self_test, "exportVolume", exportShifted)

    with pytest.raises(AssertionError):
        slicer.selfTests["SERUSegmentation"]()


def test_a_run_says_it_in_a_slicer_that_has_none_of_them_itself(tmp_path: Path) -> None:
    program = """
from seru.errors import ModelError
with bare_scene():
    from SERUSegmentationLib.run.segmentation import SegmentationRun
    from Testing.module.scene_tools import add_volume, small_phantom
    run = SegmentationRun(add_volume(small_phantom()))
    run.start()
    run.wait()
    try:
        run.finish()
    except ModelError as error:
        print(error)
"""

    said = run_without((*NOT_IN_SLICER, *NEVER_IN_SLICER), program, tmp_path)

    assert "the packages are missing: torch, opencv-python-headless, platformdirs, safetensors" in said


def test_slicer_s_own_tests_run_where_nothing_is_there_that_slicer_has_not(tmp_path: Path) -> None:
    """Those of the scene run, with MRML's own saving and loading; those of the panel are imported."""
    program = """
import unittest
import slicer
folder = Path(sys.argv[1]) / "Testing" / "Python"
sys.path.insert(0, str(folder))
with bare_scene() as scene:
    slicer.util.saveScene = lambda path: scene.WriteToMRB(path)
    slicer.util.loadScene = lambda path: scene.ReadFromMRB(path, True)
    import SERUSegmentationPanelTest
    suite = unittest.defaultTestLoader.loadTestsFromName("SERUSegmentationSceneTest")
    outcome = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    problems = outcome.errors + outcome.failures
    print(outcome.testsRun, len(problems), *[text for _, text in problems])
"""
    # A result's measurements want scikit-image, which Setup brings.
    blocked = {*NOT_IN_SLICER, *NEVER_IN_SLICER} - {"skimage"}

    assert run_without(blocked, program, tmp_path).splitlines()[-1] == "3 0"


def test_what_runs_in_slicer_imports_no_test_tool_that_needs_qt() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "Testing" / "Python").glob("*.py")]

    assert not any(word in text for text in texts for word in ("module_tools", "Testing.desktop", "pytest"))
