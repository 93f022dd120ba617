"""Archives of models that are damaged or lie: each is one sentence, and the cache stays as it was."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from seru.errors import ModelError
from seru.model.archive import unpack
from seru.model.registry import ListedFile, RegistryEntry

CARD, WEIGHTS = b'{"id": "far"}', bytes(range(256)) * 64
FILES = {"model.json": CARD, "coarse.safetensors": WEIGHTS}


def listed(content: bytes) -> ListedFile:
    return ListedFile(hashlib.sha256(content).hexdigest(), len(content))


def entry_for(archive: Path) -> RegistryEntry:
    files = {name: listed(content) for name, content in FILES.items()}
    url = "https://example.org/far.zip"
    return RegistryEntry("far", "Far", "none", url, listed(archive.read_bytes()), files)


def write(archive: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(archive, "w", method) as content:
        for name, values in files.items():
            content.writestr(name, values)


def members(**changed: bytes) -> dict[str, bytes]:
    return {f"far/{name}": changed.get(name.partition(".")[0], content) for name, content in FILES.items()}


def test_what_is_listed_is_unpacked_and_nothing_else(tmp_path: Path) -> None:
    archive, folder = tmp_path / "far.zip", tmp_path / "far"
    folder.mkdir()
    write(archive, {"../outside": b"x", "/absolute": b"x", "far/setup.py": b"x", **members()})

    unpack(archive, entry_for(archive), folder)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far", "far.zip"]


def as_a_link(archive: Path) -> None:
    info = zipfile.ZipInfo("far/model.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr(info, "/etc/hostname")
        content.writestr("far/coarse.safetensors", WEIGHTS)


def cut(archive: Path) -> None:
    write(archive, members())
    archive.write_bytes(archive.read_bytes()[:-30])


def cut_in_the_middle(archive: Path) -> None:
    write(archive, members(), zipfile.ZIP_STORED)
    content = archive.read_bytes()
    archive.write_bytes(content[:200] + content[5000:])


def with_a_flipped_bit(archive: Path) -> None:
    write(archive, members(), zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[300] ^= 1
    archive.write_bytes(content)


def with_a_flipped_bit_in_the_stream(archive: Path) -> None:
    write(archive, {"far/model.json": CARD, "far/coarse.safetensors": hashlib.shake_128(b"x").digest(len(WEIGHTS))})
    content = bytearray(archive.read_bytes())
    content[200:220] = bytes(20)
    archive.write_bytes(content)


def that_says_it_is_encrypted(archive: Path) -> None:
    write(archive, members(), zipfile.ZIP_STORED)
    content = archive.read_bytes()
    # The flags of both headers: bit 0 is encryption.
    content = content.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00")
    archive.write_bytes(content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"))


def that_says_less_than_it_holds(archive: Path) -> None:
    """A bomb: its directory gives the listed size, its stream holds a hundred times that."""
    bomb = bytes(100 * len(WEIGHTS))
    write(archive, {"far/model.json": CARD, "far/coarse.safetensors": bomb})
    sizes = (len(bomb).to_bytes(4, "little"), len(WEIGHTS).to_bytes(4, "little"))
    archive.write_bytes(archive.read_bytes().replace(*sizes))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no zip file": lambda archive: archive.write_bytes(b"<html>Not Found</html>"),
    "empty": lambda archive: archive.write_bytes(b""),
    "cut": cut,
    "cut in the middle": cut_in_the_middle,
    "with a flipped bit": with_a_flipped_bit,
    "with a flipped bit in the stream": with_a_flipped_bit_in_the_stream,
    "without the weights": lambda archive: write(archive, {"far/model.json": CARD}),
    "without the folder": lambda archive: write(archive, FILES),
    "of another model": lambda archive: write(archive, {f"near/{name}": part for name, part in FILES.items()}),
    "with other weights": lambda archive: write(archive, members(coarse=WEIGHTS[::-1])),
    "with longer weights": lambda archive: write(archive, members(coarse=WEIGHTS + b"x")),
    "with a link": as_a_link,
    "encrypted": that_says_it_is_encrypted,
    "packed in another way": lambda archive: write(archive, members(), zipfile.ZIP_LZMA),
    "a bomb": that_says_less_than_it_holds,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_is_one_sentence(damage: str, tmp_path: Path) -> None:
    archive, folder = tmp_path / "far.zip", tmp_path / "far"
    folder.mkdir()
    DAMAGE[damage](archive)

    with pytest.raises(ModelError, match=r"^The archive of the model 'far' .* \(.+\); nothing was stored") as raised:
        unpack(archive, entry_for(archive), folder)

    assert "\n" not in str(raised.value)
    assert all(path.stat().st_size <= len(WEIGHTS) and not path.is_symlink() for path in folder.iterdir())
