"""Model cards, the registry, the cache and fetching, against a real local server."""

from __future__ import annotations

import hashlib
import http.server
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from seru.errors import ModelError
from seru.model.architecture import Architecture
from seru.model.card import ModelCard
from seru.model.download import DownloadError, download
from seru.model.network import SERU
from seru.model.registry import ListedFile, Registry, RegistryEntry, read_registry
from seru.model.store import (
    clear_cache,
    fetch_model,
    find_model,
    list_models,
    open_model,
    sha256_of,
)
from seru.model.weights import load_network, write_model_folder

SMALL = Architecture(blocks=(1, 1, 1, 1), base_channels=16, cardinality=4, decoder_channels=(8, 8, 8, 8, 8))
CARD = ModelCard("test-model", "Test model", "Apache-2.0", "nothing", architecture=SMALL, coarse_size=64)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache" / "models"
    monkeypatch.setattr("seru.model.store.cache_folder", lambda: cache)
    return cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    state = SERU(SMALL).state_dict()
    return write_model_folder(tmp_path / "served" / "test-model", CARD, state, state).folder


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/test-model.zip"
    server.shutdown()
    server.server_close()


def entry_of(folder: Path, url: str, **changed: bytes) -> RegistryEntry:
    """Serve an archive of the folder, some of its files with another content; the entry lists the folder's own."""
    files = {path.name: ListedFile(sha256_of(path), path.stat().st_size) for path in sorted(folder.iterdir())}
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        for name in files:
            content.writestr(f"{folder.name}/{name}", changed.get(name.partition(".")[0], (folder / name).read_bytes()))
    return RegistryEntry("test-model", "Test model", "Apache-2.0", url, listed(archive), files)


def listed(path: Path) -> ListedFile:
    return ListedFile(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def test_a_card_survives_json(folder: Path) -> None:
    card = open_model(folder).card

    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    assert set(card.files) == {"coarse.safetensors", "refine.safetensors"}


def test_a_written_model_loads(folder: Path) -> None:
    network = load_network(open_model(folder), "refine")

    assert not network.training
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_a_fetched_model_is_found_offline(folder: Path, url: str, own_cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    entry = entry_of(folder, url)

    model = fetch_model(entry, lambda done, total: seen.append((done, total)))

    assert model.folder == own_cache / "test-model"
    assert seen[-1] == (entry.size, entry.size)
    assert find_model("test-model").card == open_model(folder).card
    assert [model.card.id for model in list_models()[0] if model.folder.parent == own_cache] == ["test-model"]
    assert [path.name for path in own_cache.iterdir()] == ["test-model"]


def test_a_model_that_is_there_is_not_downloaded_again(folder: Path, url: str) -> None:
    entry = entry_of(folder, url)
    fetch_model(entry)
    seen: list[int] = []

    fetch_model(entry, lambda done, total: seen.append(done))

    assert seen == []


def test_a_wrong_checksum_keeps_the_old_model(folder: Path, url: str, own_cache: Path) -> None:
    fetch_model(entry_of(folder, url))
    old = (own_cache / "test-model" / "model.json").read_bytes()
    newer = replace(entry_of(folder, url), archive=ListedFile("0" * 64, folder.with_suffix(".zip").stat().st_size))
    newer.files["coarse.safetensors"] = ListedFile("1" * 64, 5)

    with pytest.raises(ModelError, match="wrong file"):
        fetch_model(newer)

    assert (own_cache / "test-model" / "model.json").read_bytes() == old
    assert [path.name for path in own_cache.iterdir()] == ["test-model"]


def test_a_damaged_model_is_fetched_again(folder: Path, url: str, own_cache: Path) -> None:
    entry = entry_of(folder, url)
    fetch_model(entry)
    damaged = own_cache / "test-model" / "refine.safetensors"
    damaged.write_bytes(b"damaged")

    fetch_model(entry)

    assert damaged.read_bytes() == (folder / "refine.safetensors").read_bytes()


def test_a_file_is_no_longer_than_it_should_be(tmp_path: Path) -> None:
    source, path = tmp_path / "served", tmp_path / "here"
    source.write_bytes(bytes(3 << 20))
    seen: list[int] = []

    with pytest.raises(DownloadError, match="wrong file"):
        download(source.as_uri(), path, size=10, on_progress=lambda done, total: seen.append(done))

    assert seen == [11]  # one byte too many tells it
    assert list(tmp_path.glob("here*")) == []


def test_a_server_that_is_away_is_named(folder: Path) -> None:
    entry = entry_of(folder, "http://127.0.0.1:9/test-model")

    with pytest.raises(ModelError, match="cannot be reached"):
        fetch_model(entry)


def test_clearing_the_cache_deletes_the_fetched_models(folder: Path, url: str, own_cache: Path) -> None:
    fetch_model(entry_of(folder, url))

    assert clear_cache() == ["test-model"]
    assert list(own_cache.iterdir()) == []
    assert clear_cache() == []


def test_a_stray_file_does_not_stop_the_clearing(folder: Path, url: str, own_cache: Path) -> None:
    fetch_model(entry_of(folder, url))
    (own_cache / ".DS_Store").write_bytes(b"x")

    assert clear_cache() == ["test-model"]
    assert list(own_cache.iterdir()) == []


def test_a_damaged_card_hides_no_other_model(folder: Path, url: str, own_cache: Path) -> None:
    fetch_model(entry_of(folder, url))
    (own_cache / "a-damaged-one").mkdir()
    (own_cache / "a-damaged-one" / "model.json").write_text("{")

    models, errors = list_models()

    assert "test-model" in {model.card.id for model in models}
    assert len(errors) == 1
    assert "a-damaged-one" in str(errors[0])


@pytest.mark.parametrize("damage", ["missing", "short", "changed"])
def test_damaged_weights_are_refused_before_they_are_read(folder: Path, damage: str) -> None:
    path = folder / "coarse.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "short":
        path.write_bytes(content[:-10])
    else:
        content[-5] ^= 0xFF
        path.write_bytes(content)

    with pytest.raises(ModelError, match=r"fetch (it|the model) again"):
        open_model(folder).weight_file("coarse")


def test_a_pickle_is_never_loaded(folder: Path, tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / "model.pth")
    with pytest.raises(ModelError, match="never loaded"):
        find_model(tmp_path / "model.pth")

    shutil.copy(tmp_path / "model.pth", folder / "coarse.safetensors")
    values = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    path = folder / "coarse.safetensors"
    values["files"]["coarse.safetensors"] = {"sha256": sha256_of(path), "size": path.stat().st_size}
    (folder / "model.json").write_text(json.dumps(values))

    with pytest.raises(ModelError, match="cannot be read"):
        load_network(open_model(folder), "coarse")


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    values = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    values["architecture"]["decoder_channels"] = [16, 8, 8, 8, 8]
    (folder / "model.json").write_text(json.dumps(values))

    with pytest.raises(ModelError, match="do not fit the model card"):
        load_network(open_model(folder), "coarse")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read"),
        ("[]", "not a JSON object"),
        ('{"id": "x"}', "cannot be read"),
        ('{"color": 1}', "unknown entries"),
        ('{"id": "../x", "title": "", "licence": "", "training_data": ""}', "wrong value for id"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "alpha": 2}', "wrong value for alpha"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "version": 2}', "wrong value for version"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "files": []}', "wrong value for files"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "files": {"a": 1}}', "wrong value for files"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "mean": "abc"}', "wrong value for mean"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "window": "ab"}', "wrong value for window"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "crop_size": 64.0}', "for crop_size"),
        ('{"id": "x", "title": "", "licence": "", "training_data": "", "alpha": true}', "wrong value for alpha"),
        ('{"id": 3, "title": "", "licence": "", "training_data": ""}', "wrong value for id"),
    ],
)
def test_a_wrong_card_is_refused(folder: Path, content: str, message: str) -> None:
    (folder / "model.json").write_text(content)

    with pytest.raises(ModelError, match=message):
        open_model(folder)


def test_an_unknown_model_is_named_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="unknown"):
        find_model("no-such-model")


def test_a_name_that_no_folder_can_have_is_one_sentence() -> None:
    with pytest.raises(ModelError, match=r"No model can be looked for as .*; give an id or a folder\.$"):
        find_model("a" * 300)


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model\.json"):
        find_model(tmp_path)


def test_the_projects_registry_can_be_read_and_its_bundled_models_are_whole() -> None:
    registry = read_registry()

    assert isinstance(registry, Registry)
    for entry in registry.models:
        if entry.url is None:
            find_model(entry.id).verify()
    assert registry.default is None or registry.entry(registry.default)


FILE: dict[str, Any] = {"sha256": "0" * 64, "size": 5}
LISTED: dict[str, Any] = {
    "id": "far",
    "title": "Far",
    "licence": "none",
    "url": "https://example.org/far.zip",
    "archive": FILE | {"size": 7},
    "files": {"model.json": FILE},
}
WRONG_LISTS: dict[str, Any] = {
    "no object": [LISTED],
    "models that are none": {"models": "far"},
    "an id that is a number": {"models": [LISTED | {"id": 5}]},
    "an id outside the cache": {"models": [LISTED | {"id": "../../far"}]},
    "an id that is hidden": {"models": [LISTED | {"id": ".far"}]},
    "a title of two lines": {"models": [LISTED | {"title": "Far\n\x1b[31m"}]},
    "an address that is a number": {"models": [LISTED | {"url": 5}]},
    "an address of this computer's files": {"models": [LISTED | {"url": "file:///etc"}]},
    "files without names": {"models": [LISTED | {"files": [1]}]},
    "an archive without an address": {"models": [LISTED | {"url": None}]},
    "an address without an archive": {"models": [LISTED | {"archive": None}]},
    "an archive without files": {"models": [LISTED | {"files": {}}]},
    "an archive without a checksum": {"models": [LISTED | {"archive": {"size": 5}}]},
    "an archive of 16 GB": {"models": [LISTED | {"archive": FILE | {"size": 1 << 34}}]},
    "a file without a size": {"models": [LISTED | {"files": {"a": {"sha256": "0" * 64}}}]},
    "a size in letters": {"models": [LISTED | {"files": {"a": {"sha256": "0" * 64, "size": "5"}}}]},
    "a size below 0": {"models": [LISTED | {"files": {"a": {"sha256": "0" * 64, "size": -5}}}]},
    "a checksum that is none": {"models": [LISTED | {"files": {"a": {"sha256": "0", "size": 5}}}]},
    "a file outside its folder": {"models": [LISTED | {"files": {"../a": {"sha256": "0" * 64, "size": 5}}}]},
    "an entry that is not known": {"models": [LISTED | {"pickle": "a"}]},
    "a model without a licence": {"models": [{"id": "far", "title": "Far"}]},
    "a model twice": {"models": [LISTED, LISTED]},
    "a default that is not listed": {"models": [LISTED], "default": "near"},
    "another version": {"models": [LISTED], "version": 2},
}


@pytest.mark.parametrize("wrong", WRONG_LISTS)
def test_a_damaged_list_of_models_is_one_sentence(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps(WRONG_LISTS[wrong]))

    with pytest.raises(ModelError, match=r"The list of models .* cannot be read \(.*\); install SERU again\.$"):
        read_registry(path)


def test_a_list_of_models_is_read_with_its_sizes_and_checksums(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    files = dict.fromkeys(("model.json", "coarse.safetensors"), FILE)
    path.write_text(json.dumps({"models": [LISTED | {"files": files}], "default": "far", "version": 1}))

    entry = read_registry(path).entry("far")

    assert (entry.url, entry.archive, entry.size) == ("https://example.org/far.zip", ListedFile("0" * 64, 7), 7)
    assert entry.files == dict.fromkeys(files, ListedFile("0" * 64, 5))
