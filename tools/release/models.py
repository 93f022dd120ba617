"""The weights: each bundled model as one archive, and what the list of models says of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from seru.errors import ModelError
from seru.model.archive import member_name
from seru.model.registry import ListedFile, RegistryEntry
from seru.model.store import CARD, Model, open_model, sha256_of
from tools.release.source import RESOURCES

LICENCE, PAGE = "LICENSE.txt", "README.md"
# The earliest date that a zip file can hold: the same files make the same archive.
_DATE = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def bundled_models(tree: Path) -> list[Model]:
    """Return the models in a tree, verified.

    Args:
        tree: of the sources, with weights.

    Raises:
        ModelError: one is damaged, or lacks its page or its licence.
    """
    models = [open_model(path.parent) for path in sorted((tree / RESOURCES / "Models").glob(f"*/{CARD}"))]
    for model in models:
        model.verify()
        missing = [name for name in (LICENCE, PAGE) if not (model.folder / name).is_file()]
        if missing:
            raise ModelError(f"The model '{model.card.id}' lacks {' and '.join(missing)}; add what is missing.")
    return models


def pack_model(model: Model, tag: str, url: str, output: Path) -> RegistryEntry:
    """Write a model's archive: card, page, licence and weights, under the model's name.

    Args:
        model: verified.
        tag: of the release, part of the archive's name.
        url: folder on the server where it will lie.
        output: folder for the archive.

    Returns:
        What the list of models says of it.
    """
    card = model.card
    names = [CARD, PAGE, LICENCE, *sorted(card.files)]
    archive = output / f"{card.id}-{tag.replace('/', '-')}.zip"
    with zipfile.ZipFile(archive, "x") as content:
        for name in names:
            info = zipfile.ZipInfo(member_name(card.id, name), _DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _READABLE
            content.writestr(info, (model.folder / name).read_bytes())
    files = {name: _listed(model.folder / name) for name in names}
    address = f"{url.rstrip('/')}/{archive.name}"
    return RegistryEntry(card.id, card.title, card.licence, address, _listed(archive), files)


def _listed(path: Path) -> ListedFile:
    return ListedFile(sha256_of(path), path.stat().st_size)
