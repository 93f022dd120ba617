"""A package that is missing or broken is named, with how to get it, and the others that are missing too."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from seru.cli import main
from seru.errors import MissingPackageError
from seru.packages import PACKAGES, package_error
from Testing import REPOSITORY


def test_the_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}

    assert set(PACKAGES.values()) == names - {"numpy"}


def test_every_package_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seru.packages.find_spec", lambda name: None if name in ("cv2", "tqdm") else object())

    error = package_error(ModuleNotFoundError("No module named 'cv2'", name="cv2"))

    assert str(error) == (
        "What the segmentation needs is not installed, the packages are missing: opencv-python-headless, tqdm; in 3D "
        "Slicer open Setup in the module and click Install, elsewhere run 'pip install opencv-python-headless tqdm'."
    )


def test_a_package_that_cannot_be_loaded_is_named_with_the_reason() -> None:
    error = package_error(ImportError("libGL.so.1: cannot open shared object file\n", name="cv2.abi3"))

    assert isinstance(error, MissingPackageError)
    assert "opencv-python-headless is installed but cannot be loaded (libGL.so.1: cannot open" in str(error)


@pytest.mark.parametrize("name", [None, "seru.nothing", "json"])
def test_other_imports_that_fail_are_not_explained_away(name: str | None) -> None:
    assert package_error(ImportError("No module", name=name)) is None


def test_the_command_ends_with_the_code_of_a_missing_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)

    code = main(["models", "where"])

    assert code == 3
    assert capsys.readouterr().err.startswith("seru: What the segmentation needs is not installed, the package is")
