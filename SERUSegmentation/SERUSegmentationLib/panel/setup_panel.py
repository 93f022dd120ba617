"""Setup: packages, devices, models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer

import seru
from seru.errors import ModelError, SeruError
from seru.model.store import cache_folder, clear_cache, find_model
from SERUSegmentationLib.panel.choices import askLicence
from SERUSegmentationLib.panel.engine_panel import engineText
from SERUSegmentationLib.panel.input_panel import InputPanel, devicesOf, deviceTitle
from SERUSegmentationLib.panel.installation import findMissing, installedVersion, installMissing, readRequirements
from SERUSegmentationLib.panel.plain_text import confirmOkCancel, setFramed
from SERUSegmentationLib.run.background import BackgroundCommand
from SERUSegmentationLib.texts import _


class SetupPanel:
    """Installs, checks devices, fetches and clears models.

    Args:
        ui: widgets of the panel.
        inputs: where model and device are chosen.
        requirements: ``Resources/requirements.txt``.
        onChanged: called when something was installed or fetched.
        say: shows a sentence at the Segment button, as an error or not.
    """

    def __init__(
        self,
        ui: Any,
        inputs: InputPanel,
        requirements: Path,
        onChanged: Callable[[], None],
        say: Callable[[str, bool], None],
    ) -> None:
        self._ui, self._inputs, self._requirements = ui, inputs, requirements
        self._onChanged, self._sayAtRun = onChanged, say
        self._isFirst: bool | None = None
        self._command: BackgroundCommand | None = None
        self._isFetching = False
        self._devices: list[dict[str, Any]] = []
        for name, action in (
            ("install", self._install),
            ("check", self._check),
            ("fetch", self._fetch),
            ("verify", self._verify),
            ("openFolder", self._openFolder),
            ("clearModels", self._clear),
        ):
            getattr(ui, f"{name}Button").connect("clicked(bool)", lambda checked, action=action: self._guarded(action))
        ui.setupCollapsibleButton.connect("contentsCollapsed(bool)", lambda collapsed: self.refresh())
        ui.setupAnswerLabel.visible = False
        self._place()

    def refresh(self) -> None:
        """Show what is installed; a closed section is not looked at."""
        ui = self._ui
        choice = self._inputs.model
        ui.modelInfoLabel.text = self._modelText()
        ui.fetchButton.enabled = choice is not None and choice.folder is None and self._command is None
        ui.verifyButton.enabled = choice is not None and choice.folder is not None
        ui.checkButton.enabled = self._command is None
        if ui.setupCollapsibleButton.collapsed:
            return
        missing = findMissing(self._requirements)
        ui.installButton.enabled = bool(missing)
        tips = (_("Everything the segmentation needs is installed"), _("Install what is missing, after asking"))
        ui.installButton.toolTip = tips[bool(missing)]
        ui.setupStatusLabel.text = "\n".join(self.facts(withMissing=True))

    def ensureInstalled(self) -> bool:
        """Install what is missing, after one question.

        Returns:
            Whether everything is there now; False where the user declined.

        Raises:
            SeruError: the installation failed.
        """
        missing = findMissing(self._requirements)
        if not missing:
            return True
        if slicer.app.testingEnabled():
            # As Slicer's own pip_ensure: tests change no environment. The run then says what it misses.
            return True
        if not confirmOkCancel(missing.question()):
            self._sayAtRun(_("Nothing was installed; the segmentation cannot run without these packages."), False)
            self.answer(_("Nothing was installed; the segmentation cannot run without these packages."))
            return False
        self.answer(_("Installing packages"))
        installMissing(missing)
        self.answer(_("The packages are installed."))
        self._place()
        self.refresh()
        self._onChanged()
        return True

    @property
    def isFetching(self) -> bool:
        """Whether a model is on its way."""
        return self._isFetching

    def ensureFetched(self, onFetched: Callable[[], None]) -> bool:
        """Fetch the chosen model where it is not here, after one question.

        Args:
            onFetched: called when it has come.

        Returns:
            Whether it is here now.

        Raises:
            ModelError: it is not here, and tests fetch nothing.
        """
        choice = self._inputs.model
        if choice is None or choice.folder is not None:
            return choice is not None
        if slicer.app.testingEnabled():
            raise ModelError(_("The selected model is not on this computer; open Setup and click Fetch."))
        if not self._fetch(onFetched):
            self._sayAtRun(_("The model was not fetched; click Segment to be asked again."), False)
        return False

    def checkOnce(self) -> None:
        """Look at the devices, if nobody did yet; after a run, when everything is installed."""
        if not self._inputs.knowsDevices and self._command is None:
            self._guarded(lambda: self._start(["info", "--json"], self._keepDevices, ""))

    def facts(self, withMissing: bool = False) -> list[str]:
        """Return lines on versions, device and models."""
        names = ["torch", *(line.split(">")[0].split("=")[0].strip() for line in readRequirements(self._requirements))]
        versions = [f"{name} {installedVersion(name) or _('missing')}" for name in names]
        found = ", ".join(map(deviceTitle, self._devices)) if self._devices else _("not checked yet")
        return [
            f"SERU {seru.__version__}" + (f", Slicer {slicer.app.applicationVersion}" if not withMissing else ""),
            _("Packages: {list}").format(list=", ".join(versions)),
            _("Devices: {list}").format(list=found),
            _("Engine: {engine}").format(engine=engineText(self._inputs)),
        ]

    def answer(self, text: str, isError: bool = False) -> None:
        """Answer beside the buttons.

        Args:
            text: a sentence; empty hides it.
            isError: it gets a frame.
        """
        label = self._ui.setupAnswerLabel
        label.text = text
        label.visible = bool(text)
        setFramed(label, isError)

    def cleanup(self) -> None:
        """End what still runs."""
        if self._command is not None:
            self._command.abort()
            self._command = None

    def _place(self) -> None:
        """Put the section first and open until everything is installed, and last afterwards."""
        isFirst = bool(findMissing(self._requirements))
        if isFirst == self._isFirst:
            return
        section = self._ui.setupCollapsibleButton
        layout = section.parentWidget().layout()
        layout.removeWidget(section)
        # The stretch below it stays the last.
        layout.insertWidget(0 if isFirst else layout.count() - 1, section)
        if isFirst:
            section.collapsed = False
        self._isFirst = isFirst

    def _onError(self, error: Exception) -> None:
        self.answer(str(error) or type(error).__name__, isError=True)

    def _modelText(self) -> str:
        choice = self._inputs.model
        if choice is None:
            return "\n".join([_("No model is selected."), *self._inputs.problems])
        place = str(choice.folder) if choice.folder else _("not on this computer yet")
        parts = [choice.title, _("Licence: {licence}").format(licence=choice.licence), choice.notes, place]
        return "\n".join(part for part in [*parts, *self._inputs.problems] if part)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (SeruError, OSError, ImportError) as error:
            self._onError(error)

    def _install(self) -> None:
        self.ensureInstalled()

    def _check(self) -> None:
        self._start(["info", "--json"], self._onChecked, _("Checking devices"))

    def _keepDevices(self, lines: list[str]) -> None:
        self._devices = devicesOf("\n".join(lines))
        self._inputs.keepDevices(self._devices)

    def _onChecked(self, lines: list[str]) -> None:
        self._keepDevices(lines)
        self.answer(_("Devices: {list}").format(list=", ".join(map(deviceTitle, self._devices))))

    def _fetch(self, onFetched: Callable[[], None] | None = None) -> bool:
        """Begin to fetch the chosen model; False where the user declined."""
        choice = self._inputs.model
        if choice is None or self._command is not None or not askLicence(choice, mustAsk=True):
            return False

        def onEnded(lines: list[str]) -> None:
            self._inputs.refreshModels()
            self.answer(_("The model was fetched and its checksums agree."))
            if onFetched is not None:
                self._sayAtRun("", False)
                # Once the panel shows that the model is here.
                qt.QTimer.singleShot(0, onFetched)

        text = _("Fetching {title}").format(title=choice.title)
        self._isFetching = True
        if onFetched is not None:
            self._sayAtRun(_("{text}; the run starts afterwards.").format(text=text), False)
        self._start(["models", "fetch", choice.key, "--accept-licence"], onEnded, text)
        self._onChanged()
        return True

    def _start(self, arguments: list[str], onDone: Callable[[list[str]], None], text: str) -> None:
        def onEnded(code: int, out: list[str], error: list[str]) -> None:
            self._command = None
            wasFetching, self._isFetching = self._isFetching, False
            if code == 0:
                self._guarded(lambda: onDone(out))
            else:
                told = [line.removeprefix("seru: ") for line in error if line.startswith("seru: ")]
                failed = SeruError(told[-1] if told else "\n".join(error[-3:]) or f"exit code {code}")
                self._onError(failed)
                if wasFetching:
                    self._sayAtRun(str(failed), True)
            self.refresh()
            self._onChanged()

        self._command = BackgroundCommand(arguments, onEnded)
        self._command.start()
        if text:
            self.answer(text)
        self.refresh()

    def _verify(self) -> None:
        choice = self._inputs.model
        if choice is not None:
            find_model(choice.key).verify()
            self.answer(_("The model's files are OK."))

    def _openFolder(self) -> None:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def _clear(self) -> None:
        question = _("Delete every model in {folder}?").format(folder=cache_folder())
        if not confirmOkCancel(question):
            return
        names = clear_cache()
        self._inputs.refreshModels()
        self.refresh()
        self._onChanged()
        self.answer(
            _("Deleted: {names}").format(names=", ".join(names)) if names else _("There was nothing to delete.")
        )
