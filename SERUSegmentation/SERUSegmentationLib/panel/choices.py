"""What a user can choose and has chosen on this computer: models, their licences, preferences in Slicer's settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from seru.errors import MissingPackageError, ModelError
from seru.model.store import Model, RegistryEntry, list_models, open_model, read_registry, resources_folder
from SERUSegmentationLib.panel.plain_text import confirmYesNo
from SERUSegmentationLib.texts import _

_GROUP = "SERUSegmentation"
_ACCEPTED = "AcceptedLicences"
# Of a licence that is shown.
_LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be chosen.

    Attributes:
        key: what the command's ``--model`` takes.
        title: shown to people.
        licence: of the weights.
        alpha: the model's default; None where it has yet to be fetched.
        notes: what a user must know.
        folder: where it is; None where it has yet to be fetched.
        entry: of the registry, where it can be fetched.
        hasRanges: CPUs can run it in 8-bit integers.
    """

    key: str
    title: str
    licence: str
    alpha: float | None = None
    notes: str = ""
    folder: Path | None = None
    entry: RegistryEntry | None = None
    hasRanges: bool = False


def listChoices(ownFolders: list[str]) -> tuple[list[ModelChoice], list[str]]:
    """Return every model that can be chosen, the default first.

    Args:
        ownFolders: model folders that the user chose.

    Returns:
        The choices, and one sentence for each folder that is no model.
    """
    problems: list[str] = []
    try:
        registry = read_registry()
    except ModelError as error:
        return [], [str(error)]
    entries = {entry.id: entry for entry in registry.models}
    choices = [_ofFolder(model.folder, model.card.id, entries, problems) for model in _here(problems)]
    known = {choice.key for choice in choices if choice}
    for entry in registry.models:
        if entry.id not in known and entry.url is not None:
            title = _("{title} (to fetch, {size} MB)").format(title=entry.title, size=round(entry.size / 1e6))
            choices.append(ModelChoice(entry.id, title, entry.licence, entry=entry))
    choices += [_ofFolder(Path(folder), folder, {}, problems) for folder in ownFolders]
    found = [choice for choice in choices if choice]
    return sorted(found, key=lambda choice: choice.key != registry.default), problems


def askLicence(choice: ModelChoice, mustAsk: bool = False) -> bool:
    """Show a model's licence, once per model and licence.

    Args:
        choice: the model.
        mustAsk: ask again although it was agreed to.

    Returns:
        Whether the user agrees.
    """
    agreed = readSetting(_ACCEPTED, [])
    mark = f"{choice.key}: {choice.licence}"
    if mark in agreed and not mustAsk:
        return True
    if slicer.app.testingEnabled():
        return True
    question = _("Do you agree?") if choice.folder else _("Do you agree, and shall it be downloaded now?")
    text = "\n\n".join([choice.title, "\n".join(_licenceLines(choice.licence)), question])
    details = "\n\n".join(filter(None, (choice.notes, _licenceText(choice))))
    if not confirmYesNo(text, _("Licence of the model"), details):
        return False
    writeSetting(_ACCEPTED, [*(other for other in agreed if other != mark), mark])
    return True


def _licenceLines(licence: str) -> list[str]:
    """The licence in a few lines, and what nobody may take the results for."""
    lines = [_("Licence of the weights: {licence}").format(licence=licence)]
    if licence == "CC-BY-NC-SA-4.0":
        lines += [
            _("Not for commercial use."),
            _("Name the source when you share them, and share what you make of them under the same licence."),
        ]
    return [*lines, _("For research only: not a medical device, not for diagnosis or treatment.")]


def _licenceText(choice: ModelChoice) -> str:
    """The full text, which lies beside a model's weights or where they are fetched to; empty where it has none."""
    folder = choice.folder or resources_folder() / "Models" / choice.key
    try:
        return (folder / "LICENSE.txt").read_text(encoding="utf-8")[:_LONGEST_TEXT]
    except (OSError, ValueError):
        return ""


def readSetting(name: str, default: Any) -> Any:
    """Return a preference.

    Args:
        name: of the preference.
        default: where there is none, or it cannot be read.

    Returns:
        A JSON value.
    """
    try:
        return json.loads(slicer.app.userSettings().value(f"{_GROUP}/{name}"))
    except (TypeError, ValueError):
        return default


def writeSetting(name: str, value: Any) -> None:
    """Keep a preference.

    Args:
        name: of the preference.
        value: JSON-ready. As text it reads back alike on every system and Qt.
    """
    slicer.app.userSettings().setValue(f"{_GROUP}/{name}", json.dumps(value))


def _here(problems: list[str]) -> list[Model]:
    try:
        models, errors = list_models()
        problems += map(str, errors)
        return models
    except MissingPackageError:
        # Without platformdirs nothing can have been fetched yet.
        folders = sorted((resources_folder() / "Models").glob("*/model.json"))
        return [open_model(path.parent) for path in folders]


def _ofFolder(folder: Path, key: str, entries: dict[str, RegistryEntry], problems: list[str]) -> ModelChoice | None:
    try:
        model = open_model(folder)
    except ModelError as error:
        problems.append(str(error))
        return None
    card, entry = model.card, entries.get(key)
    notes = " ".join(card.notes)
    return ModelChoice(key, card.title, card.licence, card.alpha, notes, folder, entry, model.has_ranges)
