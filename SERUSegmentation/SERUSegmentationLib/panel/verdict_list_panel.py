"""Verdicts of a list: what a person said on a cohort's page holds for the result here too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import qt

from seru.cohort.verdict_list import ListedVerdict, name_in_list, read_verdicts
from seru.errors import BadInputError, SeruError
from SERUSegmentationLib.panel.plain_text import answerOf
from SERUSegmentationLib.scene.nodes import inputVolume
from SERUSegmentationLib.scene.result_controller import ResultController
from SERUSegmentationLib.texts import _


class VerdictListPanel:
    """Reads a list and applies what it says of this CT.

    Args:
        ui: widgets of the panel.
        controller: of the result.
        onDecided: called when verdicts were applied.
        say: called with what was done, and with whether it is an error.
    """

    def __init__(
        self,
        ui: Any,
        controller: ResultController,
        onDecided: Callable[[], None],
        say: Callable[[str, bool], None],
    ) -> None:
        self._ui, self._controller, self._onDecided, self._say = ui, controller, onDecided, say
        ui.verdictListButton.connect("clicked(bool)", self._onClicked)

    def refresh(self) -> None:
        """Enable the button where there are findings to decide on."""
        self._ui.verdictListButton.enabled = bool(self._controller.measured)

    def _onClicked(self, checked: bool = False) -> None:
        button = self._ui.verdictListButton
        path = answerOf(qt.QFileDialog.getOpenFileName(button, _("Read verdicts"), "", "CSV (*.csv)"))
        if not path:
            return
        try:
            listed = self._chosen(read_verdicts(Path(path)))
        except SeruError as error:
            self._say(str(error), True)
            return
        if listed is None:
            return
        sentences = self._controller.decideListed(listed)
        self._onDecided()
        self._say(" ".join([_("Verdicts that were read: {count}.").format(count=len(listed)), *sentences]), False)

    def _chosen(self, verdicts: dict[str, tuple[ListedVerdict, ...]]) -> tuple[ListedVerdict, ...] | None:
        """What the list says of this CT; None where the user chose no case."""
        if not verdicts:
            raise BadInputError(_("The list holds no verdict."))
        case = _caseCalled(self._names(), verdicts) or self._asked(sorted(verdicts))
        return verdicts.get(case)

    def _names(self) -> list[str]:
        """What a cohort may have called this CT: by its node, its file, or the file's folder."""
        volume = inputVolume(self._controller.segmentationNode)
        if volume is None:
            return []
        storage = volume.GetStorageNode()
        file = Path(storage.GetFileName()) if storage is not None and storage.GetFileName() else None
        return [volume.GetName(), *([file.name.split(".")[0], file.parent.name] if file else [])]

    def _asked(self, cases: list[str]) -> str:
        # Slicer's Qt answers a box that was closed with what it showed first.
        nothing = _("Choose a case")
        answer = qt.QInputDialog.getItem(
            self._ui.verdictListButton,
            _("Read verdicts"),
            _("Which case of the list is this CT?"),
            [nothing, *cases],
            0,
            False,
        )
        text, isOk = answer if isinstance(answer, tuple) else (answer, True)
        return text if isOk and text != nothing else ""


def _caseCalled(names: Iterable[str], cases: Collection[str]) -> str:
    """The one case that is called so; empty where none or several are."""
    wanted = {name_in_list(name).casefold() for name in names if name}
    found = [case for case in cases if case.casefold() in wanted]
    return found[0] if len(found) == 1 else ""
