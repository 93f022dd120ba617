"""Model folders: bundled, of the user, or fetched into the per-user cache."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from seru.errors import ModelError, is_memory_error
from seru.model.card import NETWORK_STAGES, ModelCard, NetworkStage
from seru.model.registry import ListedFile, Registry, RegistryEntry, read_registry, read_small_json, resources_folder
from seru.packages import package_error
from seru.records import shown

CARD = "model.json"
RANGES = "ranges.json"
# Where there is no home folder: nothing is found there, and nothing can be kept.
_NOWHERE = Path(os.devnull) / "SERU"

__all__ = [
    "Model",
    "Registry",
    "RegistryEntry",
    "cache_folder",
    "clear_cache",
    "fetch_model",
    "find_model",
    "list_models",
    "open_model",
    "read_registry",
    "resources_folder",
    "sha256_of",
]

Meter = Callable[[int, int], None]


@dataclass(frozen=True)
class Model:
    """A model folder: a card and the weights of both stages."""

    card: ModelCard
    folder: Path

    def weight_path(self, stage: NetworkStage) -> Path:
        """Return where the weights of a stage lie, be they there or not."""
        return self.folder / f"{stage}.safetensors"

    def weight_file(self, stage: NetworkStage) -> Path:
        """Return the verified weight file of a stage.

        Args:
            stage: ``coarse`` or ``refine``.

        Returns:
            Path of the safetensors file.

        Raises:
            ModelError: the file is missing or differs from its checksum.
        """
        path = self.weight_path(stage)
        self._check(path)
        return path

    def read_weights(self, stage: NetworkStage, most_bytes: int) -> bytes:
        """Read the weight file of a stage, and verify what was read.

        Args:
            stage: ``coarse`` or ``refine``.
            most_bytes: that its network can need.

        Returns:
            The content of the safetensors file.

        Raises:
            ModelError: the file is missing, differs from its checksum, or is larger than that.
        """
        path = self.weight_path(stage)
        expected = self._expected(path)
        if expected["size"] > most_bytes:
            raise ModelError(f"The weights {path} do not fit the model card (too large); fetch the model again.")
        with open(path, "rb") as file:
            content = file.read(expected["size"])
        if hashlib.sha256(content).hexdigest() != expected["sha256"]:
            raise _is_damaged(path)
        return content

    @property
    def has_ranges(self) -> bool:
        """Whether the ranges of what goes into its convolutions were measured."""
        return RANGES in self.card.files

    def read_ranges(self, stage: NetworkStage) -> dict[str, tuple[float, float]]:
        """Read the least and the largest value that goes into each convolution of a stage, by its name.

        Args:
            stage: ``coarse`` or ``refine``.

        Raises:
            ModelError: the file is missing, differs from its checksum, or holds something else.
        """
        path = self.folder / RANGES
        self._check(path)
        try:
            found = read_small_json(path)[stage]
            ranges = {str(name): (float(least), float(most)) for name, (least, most) in found.items()}
            if not all(-math.inf < least <= most < math.inf for least, most in ranges.values()):
                raise ValueError("a range is none")
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The file {path} holds no ranges of the {stage} stage; fetch the model again.") from error
        return ranges

    def _check(self, path: Path) -> None:
        expected = self._expected(path)
        if sha256_of(path) != expected["sha256"]:
            raise _is_damaged(path)

    def _expected(self, path: Path) -> dict[str, Any]:
        """What the card says of a weight file, which is there and of that size."""
        entry = self.card.files.get(path.name)
        if entry is None or not path.is_file():
            raise ModelError(f"The model '{self.card.id}' lacks {path.name} in {self.folder}; fetch it again.")
        if path.stat().st_size != entry["size"]:
            raise _is_damaged(path)
        return entry

    def verify(self) -> None:
        """Check every weight file, and the ranges where there are any, against the card.

        Raises:
            ModelError: a file is missing or damaged.
        """
        for stage in NETWORK_STAGES:
            self.weight_file(stage)
        if self.has_ranges:
            self._check(self.folder / RANGES)


def cache_folder() -> Path:
    """Return the per-user folder of fetched models; it may not exist yet, and cannot where nobody is at home.

    Raises:
        MissingPackageError: platformdirs is not installed, as in a fresh Slicer.
    """
    try:
        import platformdirs
    except ImportError as error:
        raise package_error(error) or error from error
    try:
        folder = Path(platformdirs.user_cache_dir("SERU", appauthor=False))
    except RuntimeError:  # how platformdirs says that there is no home folder; older ones make up a relative one
        folder = _NOWHERE
    return (folder if folder.is_absolute() else _NOWHERE) / "models"


def find_model(id_or_folder: str | Path | None = None) -> Model:
    """Find a model among the bundled and fetched ones, or in a folder.

    Args:
        id_or_folder: a short name, a folder, or None for the default model.

    Returns:
        The model; its weights are verified when they are loaded.

    Raises:
        ModelError: there is none, or its card cannot be read.
    """
    if id_or_folder is None:
        id_or_folder = read_registry().default
        if id_or_folder is None:
            raise ModelError("This version has no default model; give a model folder with --model.")
    try:
        found = _folder_of(str(id_or_folder))
    except OSError as error:  # too long, or where nobody may look
        raise ModelError(
            f"No model can be looked for as {shown(str(id_or_folder))} ({error.strerror}); give an id or a folder."
        ) from error
    if found is not None:
        return open_model(found)
    entry = read_registry().entry(str(id_or_folder))
    raise ModelError(f"The model '{entry.id}' is not on this computer; run 'seru models fetch {entry.id}'.")


def _folder_of(id_or_folder: str) -> Path | None:
    """Return the folder of a bundled or fetched model, or what must be a folder; None for an id that is not here."""
    path = Path(id_or_folder)
    if path.name == id_or_folder:
        for place in (resources_folder() / "Models", cache_folder()):
            if (place / path / CARD).is_file():
                return place / path
    return path if path.exists() or len(path.parts) > 1 else None


def open_model(folder: Path) -> Model:
    """Open a model folder.

    Args:
        folder: holds ``model.json`` and the weight files.

    Returns:
        The model.

    Raises:
        ModelError: the folder is no model folder.
    """
    if folder.exists() and not folder.is_dir():
        raise ModelError(
            f"'{folder}' is no folder; give a model folder with {CARD} and safetensors files "
            "(pickled weights are never loaded)."
        )
    try:
        values = read_small_json(folder / CARD)
    except FileNotFoundError as error:
        raise ModelError(f"'{folder}' is no model folder: it has no {CARD}.") from error
    except (OSError, ValueError) as error:
        if is_memory_error(error):
            raise
        raise ModelError(f"The model card {folder / CARD} cannot be read ({error}); fetch the model again.") from error
    if not isinstance(values, dict):
        raise ModelError(f"The model card {folder / CARD} is not a JSON object; fetch the model again.")
    return Model(ModelCard.from_dict(values), folder)


def list_models() -> tuple[list[Model], list[ModelError]]:
    """Return the models on this computer, bundled first, then fetched, and what is wrong with the others."""
    models: list[Model] = []
    errors: list[ModelError] = []
    for place in (resources_folder() / "Models", cache_folder()):
        for path in sorted(place.glob(f"*/{CARD}")):
            try:
                models.append(open_model(path.parent))
            except ModelError as error:
                errors.append(error)
    return models, errors


def models_to_fetch() -> list[RegistryEntry]:
    """Return what the list of models names and this computer lacks.

    Raises:
        ModelError: the list is damaged.
    """
    here = {model.card.id for model in list_models()[0]}
    return [entry for entry in read_registry().models if entry.url is not None and entry.id not in here]


def fetch_model(entry: RegistryEntry, on_progress: Meter | None = None) -> Model:
    """Download a model into the cache; what is there already and intact is kept.

    Args:
        entry: from the registry.
        on_progress: called with bytes done and bytes in all.

    Returns:
        The verified model.

    Raises:
        ModelError: no network, a wrong checksum, or no room on the disk.
    """
    folder = cache_folder() / entry.id
    if entry.url is None or entry.archive is None:
        return find_model(entry.id)
    if folder.is_relative_to(_NOWHERE):
        raise ModelError("There is no home folder to keep models in; set HOME or XDG_CACHE_HOME.")
    if (folder / CARD).is_file() and _matches(folder, entry):
        return open_model(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{entry.id}-", dir=folder.parent) as temporary:
            fresh = Path(temporary) / entry.id
            fresh.mkdir()
            _fetch_into(fresh, entry, entry.url, entry.archive, on_progress)
            # The old folder goes only once the new one is whole and intact.
            if folder.exists():
                folder.rename(Path(temporary) / "old")
            fresh.rename(folder)
    except OSError as error:
        raise ModelError(f"The model '{entry.id}' cannot be stored in {folder.parent} ({error}).") from error
    return open_model(folder)


def clear_cache() -> list[str]:
    """Delete every fetched model, and what engines keep of converted ones.

    Returns:
        The names of the deleted models.

    Raises:
        ModelError: a folder cannot be deleted.
    """
    names = []
    for path in [*sorted(cache_folder().glob("*")), cache_folder().parent / "openvino"]:
        is_folder = path.is_dir() and not path.is_symlink()
        try:
            if is_folder:
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ModelError(f"'{path}' cannot be deleted ({error}).") from error
        if is_folder and path.parent == cache_folder():
            names.append(path.name)
    return names


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.
    """
    stat = path.stat()
    return _sha256(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: str, _size: int, _modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_damaged(path: Path) -> ModelError:
    return ModelError(
        f"The file {path} is damaged (its checksum differs from the model card's); fetch the model again."
    )


def _matches(folder: Path, entry: RegistryEntry) -> bool:
    paths = {folder / name: expected.sha256 for name, expected in entry.files.items()}
    return all(path.is_file() and sha256_of(path) == expected for path, expected in paths.items())


def _fetch_into(folder: Path, entry: RegistryEntry, url: str, expected: ListedFile, on_progress: Meter | None) -> None:
    """Download a model's archive beside a folder, unpack it there and verify what came."""
    # Looking for a model needs neither a network library nor one for archives.
    from seru.model.archive import unpack
    from seru.model.download import DownloadError, download

    archive = folder.with_suffix(".zip")
    try:
        download(url, archive, sha256=expected.sha256, size=expected.size, on_progress=on_progress)
    except DownloadError as error:
        raise ModelError(str(error)) from error
    unpack(archive, entry, folder)
    model = open_model(folder)
    if model.card.id != entry.id:
        raise ModelError(f"The archive {url} holds the model '{model.card.id}', not '{entry.id}'; report this.")
    model.verify()
