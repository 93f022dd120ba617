"""Which engine runs stands in Advanced, and Setup offers the fast one where the networks run on the CPU."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from seru.model import engines
from seru.model.store import Model
from Testing import REPOSITORY
from Testing.desktop import Desktop, choose, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.module_tools import open_module

__all__ = ["slicer_desktop"]

GPU = {"name": "cuda:0", "title": "NVIDIA RTX", "memory": "24.0 GiB"}
VERSIONS = {"torch": "2.9.1+cpu", "openvino": "2026.4.1"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The versions of both engines; what is taken out is not installed."""
    versions = dict(VERSIONS)
    version = importlib.metadata.version

    def found(name: str) -> str:
        if name not in VERSIONS:
            return version(name)
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", found)
    monkeypatch.setattr(engines, "_has_openvino", lambda: "openvino" in versions)
    monkeypatch.setattr(engines, "prefers_integers", lambda: False)
    return versions


def panel_with(desktop: Desktop, *devices: dict[str, str]) -> Any:
    """Open the module on a computer whose devices were looked at, with Setup unfolded."""
    panel = open_module(desktop)
    panel.parts.inputs.keepDevices([{"name": "cpu"}, *devices])
    panel.ui.setupCollapsibleButton.collapsed = False
    panel.updatePanel()
    return panel


def test_advanced_shows_openvino_on_a_cpu_and_nothing_is_offered(
    slicer_desktop: Desktop, installed: dict[str, str]
) -> None:
    panel = panel_with(slicer_desktop)

    assert panel.ui.engineValueLabel.text == "OpenVINO 2026.4.1, CPU"
    assert panel.ui.engineOfferWidget.isHidden()
    assert "Engine: OpenVINO 2026.4.1, CPU" in panel.parts.setup.facts()


def test_advanced_says_where_a_run_takes_integers(
    slicer_desktop: Desktop, installed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "prefers_integers", lambda: True)
    monkeypatch.setattr(Model, "has_ranges", True)

    panel = panel_with(slicer_desktop)

    assert panel.ui.engineValueLabel.text == "OpenVINO 2026.4.1 in 8-bit integers, CPU"


def test_with_a_gpu_torch_runs_and_nothing_is_offered_until_the_cpu_is_chosen(
    slicer_desktop: Desktop, installed: dict[str, str]
) -> None:
    del installed["openvino"]
    panel = panel_with(slicer_desktop, GPU)
    assert panel.ui.engineValueLabel.text == "PyTorch 2.9.1+cpu, NVIDIA RTX (cuda:0, 24.0 GiB)"
    assert panel.ui.engineOfferWidget.isHidden()

    choose(panel.ui.deviceComboBox, "CPU")

    assert panel.ui.engineValueLabel.text == "PyTorch 2.9.1+cpu, CPU; Setup offers a faster one"
    assert not panel.ui.engineOfferWidget.isHidden()


@pytest.mark.parametrize("may_have_gpu", [True, False])
def test_before_the_devices_are_known_only_torch_s_build_rules_a_gpu_out(
    slicer_desktop: Desktop, installed: dict[str, str], monkeypatch: pytest.MonkeyPatch, may_have_gpu: bool
) -> None:
    del installed["openvino"]
    panel = open_module(slicer_desktop)
    from SERUSegmentationLib.panel import input_panel

    monkeypatch.setattr(input_panel, "may_have_gpu", lambda: may_have_gpu)
    panel.updatePanel()

    assert panel.ui.engineOfferWidget.isHidden() == may_have_gpu
    assert ("known after the first run" in panel.ui.engineValueLabel.text) == may_have_gpu


def test_without_torch_no_engine_is_named_and_none_is_offered(
    slicer_desktop: Desktop, installed: dict[str, str]
) -> None:
    installed.clear()
    panel = panel_with(slicer_desktop)

    assert panel.ui.engineValueLabel.text == "none is installed yet"
    assert panel.ui.engineOfferWidget.isHidden()


def test_openvino_is_installed_alone_after_a_question_and_the_next_run_takes_it(
    slicer_desktop: Desktop, installed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    del installed["openvino"]
    panel = panel_with(slicer_desktop)
    asked, freed = [], []

    def pip_install(packages: list[str], constraints: str, requester: str) -> None:
        asked.append((packages, "numpy==" in Path(constraints).read_text(), requester))
        installed["openvino"] = "2026.4.1"

    monkeypatch.setattr(slicer.packaging, "pip_install", pip_install, raising=False)
    monkeypatch.setattr(panel.logic.worker, "release", lambda: freed.append(True))
    slicer_desktop.dialogs.answer("Cancel")
    click(panel.ui.engineButton)
    assert asked == []
    slicer_desktop.dialogs.answer("OK")
    click(panel.ui.engineButton)

    assert "33 to 85 MB" in slicer_desktop.dialogs.shown[0].text
    assert "openvino-telemetry, is not installed" in slicer_desktop.dialogs.shown[0].text
    assert asked == [(["--no-deps", "openvino>=2025.0,<2027"], True, "SERU")]
    assert panel.ui.setupAnswerLabel.text == "OpenVINO is installed; the next run takes it."
    assert panel.ui.engineValueLabel.text == "OpenVINO 2026.4.1, CPU"
    assert panel.ui.engineOfferWidget.isHidden()
    assert freed == [True]


def test_an_installation_that_fails_says_why_and_the_offer_stands(
    slicer_desktop: Desktop, installed: dict[str, str]
) -> None:
    del installed["openvino"]
    panel = panel_with(slicer_desktop)
    slicer_desktop.dialogs.answer("OK")

    click(panel.ui.engineButton)

    assert panel.ui.setupAnswerLabel.text.startswith("The packages could not be installed (the headless desktop")
    assert not panel.ui.engineOfferWidget.isHidden()


def test_what_setup_promises_of_the_fast_engine_was_measured(slicer_desktop: Desktop) -> None:
    panel = open_module(slicer_desktop)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")

    def measured(way: str) -> float:
        (figure,) = re.findall(rf"^\| {way} \| ([\d.]+)", readme, re.MULTILINE)
        return float(figure)

    text = panel.ui.engineOfferLabel.text
    with_bf16 = measured("what runs by itself: OpenVINO in 8-bit integers") / measured("torch, bf16")
    without = measured("SERU, torch") / measured("SERU, OpenVINO in float32")
    assert f"{with_bf16:.1f} times as fast as PyTorch for a whole run on two cores with bf16" in text
    assert f"{without:.1f} times as fast in float32 on two without" in text


def test_setup_installs_the_openvino_that_the_package_asks_for(slicer_desktop: Desktop) -> None:
    open_module(slicer_desktop)
    from SERUSegmentationLib.panel.installation import OPENVINO_REQUIREMENT

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["optional-dependencies"]["openvino"] == [OPENVINO_REQUIREMENT]


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_openvino_needs_only_what_slicer_has_beside_its_telemetry() -> None:
    needed = {re.split(r"[<>=!~ ;]", text)[0] for text in importlib.metadata.requires("openvino") or ()}

    assert needed == {"numpy", "openvino-telemetry"}
