"""A model's archive: one zip file that holds its folder, unpacked within what the list of models says of it."""

from __future__ import annotations

import errno
import hashlib
import zipfile
import zlib
from pathlib import Path

from seru.errors import ModelError
from seru.model.registry import ListedFile, RegistryEntry

_BLOCK = 1 << 20
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises on what is damaged, encrypted, cut, or packed in a way that it does not know.
_DAMAGE = (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, EOFError, zlib.error, OverflowError)


def member_name(model_id: str, name: str) -> str:
    """Return what a file of a model is called in the model's archive."""
    return f"{model_id}/{name}"


def unpack(archive: Path, entry: RegistryEntry, folder: Path) -> None:
    """Unpack the files that an entry lists; whatever else the archive holds stays there.

    Names and sizes come from the entry alone, so nothing lands elsewhere, is a link, or grows beyond what is listed.

    Args:
        archive: zip file, its own checksum verified.
        entry: of the model.
        folder: empty; the model's own.

    Raises:
        ModelError: the archive is damaged, or a file is not the one that is listed.
        OSError: a file cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            for name, expected in entry.files.items():
                _unpack_file(content, member_name(entry.id, name), expected, folder / name)
    except _DAMAGE as error:
        raise _is_damaged(entry, error) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the archive's beginning
            raise
        raise _is_damaged(entry, error) from error


def _unpack_file(content: zipfile.ZipFile, name: str, expected: ListedFile, place: Path) -> None:
    info = content.getinfo(name)
    if info.file_size != expected.size:
        raise ValueError(f"{name} has {info.file_size} bytes, {expected.size} are listed")
    if info.compress_type not in _KNOWN:
        raise ValueError(f"{name} is packed in an unknown way")
    digest = hashlib.sha256()
    # What is unpacked ends at the size that the archive gives, which is the listed one.
    with content.open(info) as source, open(place, "xb") as target:
        while block := source.read(_BLOCK):
            digest.update(block)
            target.write(block)
    if digest.hexdigest() != expected.sha256:
        raise ValueError(f"the checksum of {name} differs from the listed one")


def _is_damaged(entry: RegistryEntry, error: Exception) -> ModelError:
    reason = " ".join(str(error.args[0] if isinstance(error, KeyError) else error).split()).rstrip(".")
    return ModelError(
        f"The archive of the model '{entry.id}' from {entry.url} cannot be used ({reason or type(error).__name__}); "
        "nothing was stored: report this to the authors."
    )
