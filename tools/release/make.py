"""The steps of a release, one after the other."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seru.errors import BadInputError
from seru.files import write_text
from seru.model.registry import RegistryEntry
from tools.release.models import bundled_models, pack_model
from tools.release.source import commit, export, extension_field, is_tag, without_weights
from tools.release.wheel import build_wheel

EXTENSION = "SERUSegmentation"
REPOSITORY_NAME = f"Slicer{EXTENSION}"
BRANCH = "main"
SUMS = "SHA256SUMS"
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)


@dataclass(frozen=True)
class Release:
    """What was made.

    Attributes:
        tag: it was made from.
        folder: holds everything that is to be published.
        tree: repository of one commit, without weights.
        entries: of the list of models, one for each archive.
        wheel: with the weights.
        catalogue: the Index's description of the extension.
    """

    tag: str
    folder: Path
    tree: Path
    entries: tuple[RegistryEntry, ...]
    wheel: Path
    catalogue: Path

    def archive(self, entry: RegistryEntry) -> Path:
        """Return where a model's archive lies."""
        return self.folder / str(entry.url).rpartition("/")[2]


def make_release(repository: Path, tag: str, output: Path, url: str | None = None, is_trial: bool = False) -> Release:
    """Make everything that is published.

    Args:
        repository: git repository of the project.
        tag: of it.
        output: folder, missing or empty.
        url: folder on a server where the archives will lie; None takes the release of the tag on GitHub.
        is_trial: nothing of it will be published: ``tag`` may be any revision.

    Returns:
        The release; it has not been checked yet.

    Raises:
        SeruError: there is no such tag, the folder is not empty, or a model is damaged.
    """
    if not is_trial and not is_tag(repository, tag):
        raise BadInputError(f"'{tag}' is no tag of '{repository}'; tag what is released, or make a trial (--trial).")
    output = output.resolve()
    if output.exists() and any(output.iterdir()):
        raise BadInputError(f"'{output}' is not empty; choose another folder for the release.")
    output.mkdir(parents=True, exist_ok=True)
    tree = output / REPOSITORY_NAME
    with tempfile.TemporaryDirectory(prefix="seru-release-") as temporary:
        whole = Path(temporary) / REPOSITORY_NAME
        export(repository, tag, whole)
        export(repository, tag, tree)
        base = url or f"{extension_field(tree, 'HOMEPAGE')}/releases/download/{tag}"
        entries = tuple(pack_model(model, tag, base, output) for model in bundled_models(whole))
        wheel = build_wheel(whole, output)
    without_weights(tree, entries)
    commit(repository, tag, tree, BRANCH)
    catalogue = output / f"{EXTENSION}.json"
    write_text(catalogue, json.dumps(catalogue_entry(tree), indent=2) + "\n")
    _write_sums(output)
    return Release(tag, output, tree, entries, wheel, catalogue)


def catalogue_entry(tree: Path) -> dict[str, Any]:
    """Return what the Index is to say of the extension in a tree."""
    return {
        "$schema": SCHEMA,
        "build_dependencies": extension_field(tree, "DEPENDS").split(),
        "build_subdirectory": ".",
        "category": "Segmentation",
        "scm_revision": BRANCH,
        "scm_url": f"{extension_field(tree, 'HOMEPAGE')}.git",
        "tier": 1,
    }


def _write_sums(folder: Path) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    write_text(folder / SUMS, "".join(lines))
