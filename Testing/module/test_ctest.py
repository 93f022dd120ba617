"""The tests that ctest runs inside Slicer, run in the headless desktop too."""

from __future__ import annotations

import importlib.util
import unittest

import pytest

from Testing import REPOSITORY
from Testing.desktop import Desktop
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import MODULE_FILE

__all__ = ["slicer_desktop"]

FOLDER = REPOSITORY / "Testing" / "Python"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*Test.py")))
def test_slicer_s_own_tests_pass_in_the_desktop(slicer_desktop: Desktop, name: str) -> None:
    slicer_desktop.load_module(MODULE_FILE)
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(outcome)

    assert outcome.testsRun >= 2
    assert outcome.errors == []
    assert outcome.failures == []


def test_cmake_registers_every_one_of_them() -> None:
    listed = (FOLDER / "CMakeLists.txt").read_text(encoding="utf-8")

    assert all(f"SCRIPT {path.name})" in listed for path in FOLDER.glob("*Test.py"))


def test_the_self_test_runs_and_holds_something(slicer_desktop: Desktop) -> None:
    import slicer

    slicer_desktop.load_module(MODULE_FILE)
    slicer_desktop.app.set_testing(True)

    slicer.selfTests["SERUSegmentation"]()

    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") != []
