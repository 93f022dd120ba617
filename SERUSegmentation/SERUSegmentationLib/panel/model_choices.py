"""Which models can be chosen: bundled, fetched, fetchable, and the user's own folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seru.errors import ModelError
from seru.model.store import RegistryEntry, list_models, open_model, read_registry, resources_folder
from SERUSegmentationLib.texts import _


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be chosen.

    Attributes:
        key: what the command's ``--model`` takes.
        title: shown to people.
        licence: of the weights.
        notes: what a user must know.
        folder: where it is; None where it has yet to be fetched.
        entry: of the registry, where it can be fetched.
    """

    key: str
    title: str
    licence: str
    notes: str = ""
    folder: Path | None = None
    entry: RegistryEntry | None = None


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


def _here(problems: list[str]) -> list:
    try:
        models, errors = list_models()
        problems += map(str, errors)
        return models
    except ModuleNotFoundError:
        # Without platformdirs nothing can have been fetched yet.
        folders = sorted((resources_folder() / "Models").glob("*/model.json"))
        return [open_model(path.parent) for path in folders]


def _ofFolder(folder: Path, key: str, entries: dict[str, RegistryEntry], problems: list[str]) -> ModelChoice | None:
    try:
        card = open_model(folder).card
    except ModelError as error:
        problems.append(str(error))
        return None
    return ModelChoice(key, card.title, card.licence, " ".join(card.notes), folder, entries.get(key))
