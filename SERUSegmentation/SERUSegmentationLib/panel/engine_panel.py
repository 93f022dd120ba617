"""Which engine runs the networks, and the offer of the faster one where they run on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seru.errors import SeruError
from seru.model.engines import resolve_engine
from SERUSegmentationLib.panel.input_panel import InputPanel, deviceTitle
from SERUSegmentationLib.panel.installation import (
    OPENVINO_REQUIREMENT,
    installedVersion,
    installOpenVino,
    isSatisfied,
)
from SERUSegmentationLib.panel.plain_text import confirmOkCancel
from SERUSegmentationLib.texts import _


class EnginePanel:
    """Shows the engine in *Advanced*, and offers OpenVINO in *Setup*.

    Args:
        ui: widgets of the panel.
        inputs: where the device is chosen.
        answer: shows a sentence in *Setup*, as an error or not.
        onInstalled: called when another engine was installed.
    """

    def __init__(
        self, ui: Any, inputs: InputPanel, answer: Callable[[str, bool], None], onInstalled: Callable[[], None]
    ) -> None:
        self._ui, self._inputs, self._answer, self._onInstalled = ui, inputs, answer, onInstalled
        ui.engineButton.connect("clicked(bool)", lambda checked: self._install())

    def refresh(self) -> None:
        """Show which engine a run takes, and the offer where there is one."""
        isOffered = self._isOffered()
        self._ui.engineOfferWidget.visible = isOffered
        text = engineText(self._inputs)
        if isOffered:
            text = _("{engine}; Setup offers a faster one").format(engine=text)
        self._ui.engineValueLabel.text = text

    def _isOffered(self) -> bool:
        # OpenVINO takes the networks from PyTorch.
        hasTorch = installedVersion("torch") is not None
        return hasTorch and self._inputs.deviceOfRun() == "cpu" and not isSatisfied(OPENVINO_REQUIREMENT)

    def _install(self) -> None:
        question = _(
            "OpenVINO runs the networks on the CPU and needs no other package (33 to 85 MB to download).\n\n"
            "Its telemetry, the package openvino-telemetry, is not installed.\n\n"
            "Download and install it into Slicer's Python now?"
        )
        if not confirmOkCancel(question):
            return
        self._answer(_("Installing packages"), False)
        try:
            installOpenVino()
        except SeruError as error:
            self._answer(str(error), True)
            return
        self._answer(_("OpenVINO is installed; the next run takes it."), False)
        self._onInstalled()


def engineText(inputs: InputPanel) -> str:
    """Return which engine a run takes, and where.

    Args:
        inputs: where the device is chosen.
    """
    if installedVersion("torch") is None:
        return _("none is installed yet")
    device = inputs.deviceOfRun()
    if device is None:
        return _("PyTorch where there is a GPU; known after the first run, or 'Check devices' in Setup")
    hasRanges = inputs.model is not None and inputs.model.hasRanges
    name = "torch" if device != "cpu" else resolve_engine("auto", device, hasRanges)[0]
    package = name.partition("-")[0]
    title = {"torch": "PyTorch", "openvino": "OpenVINO"}[package]
    known = next((each for each in inputs.devices if each["name"] == device), {"name": device})
    inIntegers = name != package
    text = _("{engine} {version} in 8-bit integers, {device}") if inIntegers else _("{engine} {version}, {device}")
    return text.format(engine=title, version=installedVersion(package), device=deviceTitle(known))
