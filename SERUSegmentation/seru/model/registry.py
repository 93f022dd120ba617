"""The list of models that can be had: ``models.json``, checked as what came from outside."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seru.errors import BadInputError, ModelError, is_memory_error
from seru.records import parse_json, read_record, shown

_LARGEST_JSON = 1 << 20
# Of a name or title, which fits a line.
LONGEST_LINE = 200
LARGEST_FILE = 1 << 32
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class ListedFile:
    """A file of a model that can be fetched.

    Attributes:
        sha256: of its content, 64 hexadecimal digits.
        size: in bytes.

    Raises:
        BadInputError: a value is out of its range.
    """

    sha256: str
    size: int

    def __post_init__(self) -> None:
        if SHA256.fullmatch(self.sha256) is None or not 0 <= self.size <= LARGEST_FILE:
            raise BadInputError(f"A file of {shown(self.size)} bytes has the checksum {shown(self.sha256)}.")


@dataclass(frozen=True)
class RegistryEntry:
    """A model that can be had, as ``models.json`` lists it.

    Attributes:
        id: short name, also its folder's.
        title: name shown to people.
        licence: of the weights; users agree to it before a download.
        url: of the archive that holds the files; None for a bundled model.
        archive: its checksum and size; None for a bundled model.
        files: what is unpacked of it, by name: ``model.json``, both weight files, page and licence.

    Raises:
        BadInputError: a value is out of its range.
    """

    id: str
    title: str
    licence: str
    url: str | None = None
    archive: ListedFile | None = None
    files: dict[str, ListedFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.id, *self.files):
            if _NAME.fullmatch(name) is None:
                raise BadInputError(f"{shown(name)} is no name of a model or of its files.")
        for text in (self.title, self.licence):
            if not (text.isprintable() and len(text) <= LONGEST_LINE):
                raise BadInputError(f"{shown(text)} is no title or licence of one line.")
        if self.url is not None and not (self.url.isprintable() and self.url.startswith(("https://", "http://"))):
            raise BadInputError(f"{shown(self.url)} is no address of a web server.")
        if len({self.url is None, self.archive is None, not self.files}) > 1:
            raise BadInputError(f"Of the model '{self.id}' it gives only some of address, archive and files.")

    @property
    def size(self) -> int:
        """Bytes to download."""
        return 0 if self.archive is None else self.archive.size


@dataclass(frozen=True)
class Registry:
    """The models that can be had, and which one is the default.

    Attributes:
        models: each with an id of its own.
        default: id of one of them.
        version: of the list's format.

    Raises:
        BadInputError: the parts do not fit each other.
    """

    models: tuple[RegistryEntry, ...] = ()
    default: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        ids = [entry.id for entry in self.models]
        if len(set(ids)) < len(ids):
            raise BadInputError("It lists a model twice.")
        if self.default not in (None, *ids):
            raise BadInputError(f"Its default {shown(self.default)} is none of its models.")
        if self.version != 1:
            raise BadInputError(f"It is of version {self.version}, this program reads 1.")

    def entry(self, model_id: str) -> RegistryEntry:
        """Return the entry of a model.

        Args:
            model_id: its short name.

        Returns:
            The entry.

        Raises:
            ModelError: there is no such model.
        """
        for entry in self.models:
            if entry.id == model_id:
                return entry
        known = ", ".join(entry.id for entry in self.models) or "none"
        raise ModelError(f"The model '{model_id}' is unknown (known: {known}); give one of them or a model folder.")


def resources_folder() -> Path:
    """Return the folder with ``models.json`` and the bundled models."""
    here = Path(__file__).resolve().parents[1]
    beside = here.parent / "Resources"
    return beside if (beside / "models.json").is_file() else here / "_resources"


def read_registry(path: Path | None = None) -> Registry:
    """Read the list of models that can be had.

    Args:
        path: another ``models.json``; None takes the project's.

    Returns:
        The registry.

    Raises:
        ModelError: the file is missing or cannot be read.
    """
    path = path or resources_folder() / "models.json"
    try:
        return read_record(Registry, read_small_json(path), "The list")
    except (OSError, ValueError, BadInputError) as error:
        if is_memory_error(error):
            raise
        reason = str(error).partition(";")[0].rstrip(".")
        raise ModelError(f"The list of models {path} cannot be read ({reason}); install SERU again.") from error


def read_small_json(path: Path) -> Any:
    """Read a small JSON file.

    Args:
        path: of the file.

    Returns:
        Its plain values.

    Raises:
        ValueError: a pipe, a device, too large, or no JSON.
        OSError: it cannot be opened.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    with open(path, "rb") as file:
        text = file.read(_LARGEST_JSON + 1)
    if len(text) > _LARGEST_JSON:
        raise ValueError(f"it is larger than {_LARGEST_JSON} bytes")
    return parse_json(text)
