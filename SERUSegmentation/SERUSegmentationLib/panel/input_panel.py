"""Model and device: what the user prefers on this computer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import qt

from seru.errors import ModelError, SeruError
from seru.findings import ModelFacts
from seru.model.engines.devices import may_have_gpu
from seru.model.store import open_model
from seru.records import parse_json
from SERUSegmentationLib.panel.choices import ModelChoice, listChoices, readSetting, writeSetting
from SERUSegmentationLib.panel.plain_text import toolTipOf
from SERUSegmentationLib.texts import _

_MODEL, _FOLDERS, _DEVICE, _DEVICES, _IDLE = "Model", "ModelFolders", "Device", "Devices", "IdleMinutes"
_IDLE_MINUTES = 10


class InputPanel:
    """Chooses model and device.

    Args:
        ui: widgets of the panel.
        onChanged: called when another one is chosen.
        onError: called with what is wrong with a chosen folder.
    """

    def __init__(self, ui: Any, onChanged: Callable[[], None], onError: Callable[[Exception], None]) -> None:
        self._ui, self._onChanged, self._onError = ui, onChanged, onError
        self.choices: list[ModelChoice] = []
        self.problems: list[str] = []
        self.refreshModels()
        self.refreshDevices()
        ui.modelComboBox.connect("currentIndexChanged(int)", self._onModel)
        ui.deviceComboBox.connect("currentIndexChanged(int)", self._onDevice)
        ui.modelFolderButton.connect("clicked(bool)", self._onFolder)
        kept = readSetting(_IDLE, _IDLE_MINUTES)
        ui.idleSpinBox.value = kept if isinstance(kept, int) else _IDLE_MINUTES
        ui.idleSpinBox.connect("valueChanged(int)", lambda minutes: writeSetting(_IDLE, minutes))

    @property
    def model(self) -> ModelChoice | None:
        """The chosen model, or None where there is none."""
        index = self._ui.modelComboBox.currentIndex
        return self.choices[index] if 0 <= index < len(self.choices) else None

    def modelOf(self, facts: ModelFacts) -> ModelChoice:
        """Return the model that made a result.

        Args:
            facts: of the report.

        Returns:
            The model whose weights are the same.

        Raises:
            ModelError: it is not here.
        """
        for choice in self.choices:
            if choice.folder is not None and open_model(choice.folder).card.checksums == facts.sha256:
                return choice
        text = _("The model '{title}' that made this result is not on this computer; choose it, or click Segment.")
        raise ModelError(text.format(title=facts.title))

    @property
    def devices(self) -> list[dict[str, Any]]:
        """What the last look at the devices of this computer found; empty before the first one."""
        return readSetting(_DEVICES, [])

    @property
    def knowsDevices(self) -> bool:
        """Whether the devices of this computer were looked at once."""
        return bool(self.devices)

    @property
    def device(self) -> str:
        """What the command's ``--device`` takes."""
        combo = self._ui.deviceComboBox
        return combo.itemData(combo.currentIndex) or "auto"

    def deviceOfRun(self) -> str | None:
        """Return the device that a run takes, ``auto`` resolved without loading anything; None where it is unknown."""
        if self.device != "auto":
            return self.device
        if self.knowsDevices:
            return next((each["name"] for each in self.devices if each["name"] != "cpu"), "cpu")
        return None if may_have_gpu() else "cpu"

    @property
    def idleMinutes(self) -> int:
        """How long networks and CT are kept ready after a run; 0 ends the process with the run."""
        return self._ui.idleSpinBox.value

    def refreshModels(self) -> None:
        """List the models anew; the chosen one stays."""
        self.choices, self.problems = listChoices(readSetting(_FOLDERS, []))
        combo = self._ui.modelComboBox
        wasBlocked = combo.blockSignals(True)
        combo.clear()
        for number, choice in enumerate(self.choices):
            combo.addItem(choice.title, choice.key)
            combo.setItemData(number, toolTipOf(f"{choice.key}\n{choice.licence}"), qt.Qt.ToolTipRole)
        if not self.choices:
            combo.addItem(_("No model: choose a model folder"), "")
        keys = [choice.key for choice in self.choices]
        wanted = readSetting(_MODEL, None)
        combo.setCurrentIndex(keys.index(wanted) if wanted in keys else 0)
        combo.blockSignals(wasBlocked)

    def refreshDevices(self) -> None:
        """List the devices that the last check found."""
        combo = self._ui.deviceComboBox
        wasBlocked = combo.blockSignals(True)
        combo.clear()
        combo.addItem(_("Automatic"), "auto")
        for device in self.devices or [{"name": "cpu"}]:
            combo.addItem(deviceTitle(device), device["name"])
        index = combo.findData(readSetting(_DEVICE, "auto"))
        combo.setCurrentIndex(max(index, 0))
        combo.blockSignals(wasBlocked)

    def keepDevices(self, devices: list[dict[str, Any]]) -> None:
        """Remember the devices of this computer.

        Args:
            devices: as ``seru info --json`` lists them.
        """
        # Where PyTorch cannot be used the command says so in the place of a device.
        writeSetting(_DEVICES, [device for device in devices if device.get("name") != "torch"])
        self.refreshDevices()

    def addFolder(self, folder: str) -> None:
        """Choose a model folder of the user's.

        Args:
            folder: holds ``model.json``.

        Raises:
            ModelError: it is no model folder.
        """
        open_model(Path(folder))
        folders = [folder, *(other for other in readSetting(_FOLDERS, []) if other != folder)]
        writeSetting(_FOLDERS, folders[:10])
        writeSetting(_MODEL, folder)
        self.refreshModels()
        self._onChanged()

    def _onModel(self, index: int) -> None:
        if self.model is not None:
            writeSetting(_MODEL, self.model.key)
        self._onChanged()

    def _onDevice(self, index: int) -> None:
        writeSetting(_DEVICE, self.device)
        self._onChanged()

    def _onFolder(self, checked: bool = False) -> None:
        folder = qt.QFileDialog.getExistingDirectory(self._ui.modelFolderButton, _("Choose a model folder"))
        if not folder:
            return
        try:
            self.addFolder(folder)
        except ModelError as error:
            self._onError(error)


def devicesOf(text: str) -> list[dict[str, Any]]:
    """Return the devices that the command lists; what it prints is not trusted.

    Args:
        text: of ``seru info --json``.

    Returns:
        Each device's name, with title and memory where they are known.

    Raises:
        SeruError: the text is no such list.
    """
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        listed = parse_json(text)["devices"]
        devices = [{key: device[key] for key in ("name", "title", "memory") if device.get(key)} for device in listed]
        if all("name" in device and all(isinstance(fact, str) for fact in device.values()) for device in devices):
            return devices
    raise SeruError(_("The devices could not be read from what 'seru info' printed; see the log."))


def deviceTitle(device: dict[str, Any]) -> str:
    """Return a device as people know it, with its memory."""
    name, memory = device["name"], device.get("memory")
    if name == "cpu":
        return _("CPU")
    title = device.get("title") or name
    return f"{title} ({name}, {memory})" if memory else title
