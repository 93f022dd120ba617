"""Model folders that anyone may have written: every number finite and bounded, every tensor the network's own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from seru.errors import ModelError
from seru.model.registry import ListedFile, RegistryEntry
from seru.model.store import Model, cache_folder, fetch_model, find_model, list_models, open_model, read_registry
from seru.model.weights import load_network, write_model_folder
from Testing.seru.command_by_hand import make_random_model

HEAD, SCALED = "head.weight", "encoder.layer1.0.conv1.weight"
SCALE = SCALED + ".int8_scale"
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_random_model(tmp_path_factory.mktemp("made") / "model")


@pytest.fixture(scope="module")
def made_of_int8(made: Path) -> Path:
    model = open_model(made)
    state = load_network(model, "coarse").state_dict()
    return write_model_folder(made.with_name("int8"), model.card, state, state, quantise=True).folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "model")


@pytest.fixture
def int8_folder(made_of_int8: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made_of_int8, tmp_path / "model")


def with_card(folder: Path, **changes: Any) -> Path:
    path = folder / "model.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["architecture"].update(changes.pop("architecture", {}))
    path.write_text(json.dumps({**card, **changes}))
    return folder


def with_content(folder: Path, content: bytes) -> Model:
    """A model whose coarse weights are these bytes, and whose card says so."""
    (folder / "coarse.safetensors").write_bytes(content)
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    files = json.loads((folder / "model.json").read_text(encoding="utf-8"))["files"]
    return open_model(with_card(folder, files={**files, "coarse.safetensors": entry}))


def with_weights(folder: Path, change: Callable[[State], object]) -> Model:
    state = load_file(folder / "coarse.safetensors")
    change(state)
    return with_content(folder, save(state))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mean", "[NaN, 0.5, 0.5]"),
        ("mean", "[1e999, 0.5, 0.5]"),
        ("mean", "[1e30, 0.5, 0.5]"),
        ("mean", "[true, 0.5, 0.5]"),
        ("mean", "[0.5, 0.5]"),
        ("std", "[1e-30, 1, 1]"),
        ("std", "[Infinity, 1, 1]"),
        ("std", "[0, 1, 1]"),
        ("window", "[-Infinity, 304]"),
        ("window", "[-79, 1e300]"),
        ("window", "[-79, -79]"),
        ("window", "[304, -79]"),
        ("window", f"[-79, {'9' * 400}]"),
        ("window", f"[-79, {'9' * 5000}]"),
        ("clahe_clip_limit", "NaN"),
        ("clahe_clip_limit", "1e9"),
        ("clahe_clip_limit", "-1"),
        ("clahe_grid", "[100000, 100000]"),
        ("clahe_grid", "[8, 8.0]"),
        ("coarse_size", "1000000"),
        ("coarse_size", "31"),
        ("coarse_size", "true"),
        ("crop_size", "1000000"),
        ("crop_size", "320000000000000000000000000000000"),
        ("crop_size", "33"),
        ("alpha", "NaN"),
        ("alpha", "1e999"),
        ("in_plane_spacing_mm", "NaN"),
        ("in_plane_spacing_mm", "1e-9"),
        ("in_plane_spacing_mm", "false"),
        ("input_slices", "2"),
        ("input_slices", "true"),
        ("version", "true"),
        ("version", "1.0"),
        ("scores", '{"dice": NaN}'),
        ("scores", "[]"),
        ("notes", '[["nested"]]'),
        ("title", '"two\\nlines"'),
        ("title", '"' + "x" * 1000 + '"'),
        ("id", '"a\\u0000b"'),
        ("id", '".."'),
        ("class_names", '["a", "b"]'),
        ("architecture", "[]"),
        ("architecture", '{"classes": 4}'),
        ("files", '{"coarse.safetensors": {"sha256": "0", "size": 1}}'),
        ("files", '{"coarse.safetensors": {"sha256": 0, "size": 1}}'),
        ("files", f'{{"coarse.safetensors": {{"sha256": "{"0" * 64}", "size": 1e30}}}}'),
        ("files", f'{{"coarse.safetensors": {{"sha256": "{"0" * 64}", "size": -1}}}}'),
        ("files", f'{{"coarse.safetensors": {{"sha256": "{"0" * 64}", "size": true}}}}'),
    ],
)
def test_a_wrong_value_of_the_card_is_refused(folder: Path, name: str, value: str) -> None:
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    text = json.dumps({**card, name: "HERE"}).replace('"HERE"', value)
    (folder / "model.json").write_text(text)

    with pytest.raises(ModelError) as raised:
        open_model(folder)

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": [10**6, 1, 1, 1]},
        {"blocks": [1, 1, 1, 1.5]},
        {"blocks": [True, 1, 1, 1]},
        {"blocks": ["1", 1, 1, 1]},
        {"blocks": 4},
        {"base_channels": 10**9},
        {"base_channels": 8.5},
        {"base_channels": [8]},
        {"base_channels": 10**400},
        {"base_width": 0},
        {"cardinality": 10**9},
        {"reduction": -1},
        {"decoder_channels": [10**9] * 5},
        {"decoder_channels": [[8]] * 5},
        {"classes": None},
    ],
)
def test_an_absurd_architecture_is_refused(folder: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        open_model(with_card(folder, architecture=change))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, " " * (2 << 20), "\x00", '"x"', "1"])
def test_a_card_that_is_no_card_is_refused(folder: Path, text: str) -> None:
    (folder / "model.json").write_text(text)

    with pytest.raises(ModelError):
        open_model(folder)


def test_a_pipe_is_no_card(folder: Path) -> None:
    (folder / "model.json").unlink()
    os.mkfifo(folder / "model.json")

    with pytest.raises(ModelError, match="no file"):
        open_model(folder)


def test_the_widest_network_of_a_card_takes_no_memory(folder: Path) -> None:
    widest = {"base_channels": 4096, "cardinality": 4096, "base_width": 4096}
    model = open_model(with_card(folder, architecture={**widest, "decoder_channels": [4096] * 5}))

    with pytest.raises(ModelError, match="do not fit the model card"):
        load_network(model, "coarse")


def test_a_file_larger_than_its_network_needs_is_not_read(folder: Path) -> None:
    path = folder / "coarse.safetensors"
    with open(path, "ab") as file:
        file.truncate(3 << 30)  # of which nothing is on the disk
    files = json.loads((folder / "model.json").read_text(encoding="utf-8"))["files"]
    files[path.name]["size"] = 3 << 30
    model = open_model(with_card(folder, files=files))

    with pytest.raises(ModelError, match="too large"):
        load_network(model, "coarse")


def set_to(name: str, value: float) -> Callable[[State], object]:
    return lambda state: state[name].fill_(value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_to(HEAD, float("nan")), "head.weight holds numbers that are not finite"),
        (set_to("encoder.layer0.bn1.running_mean", float("inf")), "running_mean holds numbers that are not finite"),
        (set_to("encoder.layer0.bn1.running_var", -1.0), "no finite result"),
        (set_to(HEAD, 3e38), "no finite result"),
        (lambda state: state.pop(HEAD), "head.weight is missing"),
        (lambda state: state.update({"more": torch.zeros(1)}), "it holds more"),
        (lambda state: state.update({HEAD + ".int8_scale": torch.ones(3, 1, 1, 1)}), "it holds head.weight.int8_scale"),
        (lambda state: state.update({HEAD: state[HEAD][:1].clone()}), "has the shape"),
        (lambda state: state.update({HEAD: state[HEAD].double()}), "of the kind torch.float64"),
        (lambda state: state.update({HEAD: state[HEAD].half()}), "of the kind torch.float16"),
        (lambda state: state.update({HEAD: state[HEAD].to(torch.complex64)}), "of the kind torch.complex64"),
        (lambda state: state.update({HEAD: state[HEAD].long()}), "of the kind torch.int64"),
        (lambda state: state.update({HEAD: state[HEAD].bool()}), "of the kind torch.bool"),
        (lambda state: state.update({HEAD: state[HEAD].to(torch.int8)}), "int8_scale is missing"),
        (lambda state: state.update({"head.bias": torch.zeros(3, dtype=torch.int8)}), "of the kind torch.int8"),
        (
            lambda state: state.update({"encoder.layer0.bn1.num_batches_tracked": torch.zeros(())}),
            "of the kind torch.float32",
        ),
    ],
)
def test_weights_that_are_not_the_networks_are_refused(
    folder: Path, change: Callable[[State], object], reason: str
) -> None:
    model = with_weights(folder, change)

    with pytest.raises(ModelError, match=reason):
        load_network(model, "coarse")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_to(SCALE, float("nan")), "not finite"),
        (set_to(SCALE, 3e38), "not finite"),
        (lambda state: state.update({SCALE: torch.ones(1, 1, 1, 1)}), "has the shape"),
        (lambda state: state.update({SCALE: torch.ones(1)}), "has the shape"),
        (lambda state: state.update({SCALE: torch.ones(5000, *state[SCALE].shape)}), "has the shape"),
        (lambda state: state.update({SCALE: state[SCALE].double()}), "of the kind"),
        (lambda state: state.update({SCALED: state[SCALED].float()}), "it holds"),
        (lambda state: state.update({SCALED: state[SCALED].to(torch.uint8)}), "of the kind"),
    ],
)
def test_8_bit_weights_whose_scales_do_not_fit_are_refused(
    int8_folder: Path, change: Callable[[State], object], reason: str
) -> None:
    load_network(open_model(int8_folder), "coarse")
    model = with_weights(int8_folder, change)

    with pytest.raises(ModelError, match=reason):
        load_network(model, "coarse")


def safetensors_of(header: str) -> bytes:
    return len(header).to_bytes(8, "little") + header.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        (1 << 40).to_bytes(8, "little") + b"{}",
        safetensors_of("[" * 10_000),
        safetensors_of("{}"),
        safetensors_of('{"x": {"dtype": "F32", "shape": [99999999999], "data_offsets": [0, 399999999996]}}'),
        safetensors_of('{"x": {"dtype": "F4", "shape": [], "data_offsets": [0, 0]}}'),
        safetensors_of('{"x": {"dtype": "F32", "shape": [0, 9], "data_offsets": [0, 0]}}'),
    ],
)
def test_a_file_that_holds_no_weights_is_refused(folder: Path, content: bytes) -> None:
    model = with_content(folder, content)

    with pytest.raises(ModelError, match="cannot be read, or do not fit"):
        load_network(model, "coarse")


def test_weights_for_which_there_is_no_memory_are_not_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(content: bytes) -> State:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("seru.model.weights.load", load)

    with pytest.raises(OSError, match="Cannot allocate memory"):
        load_network(open_model(folder), "coarse")


def test_where_nobody_is_at_home_nothing_is_found_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.chdir(tmp_path)

    assert cache_folder().is_absolute()
    assert [error for error in list_models()[1] if error] == []
    if read_registry().models[0].url is None:  # the sources of a release have it to fetch
        find_model()
    file = ListedFile("0" * 64, 1)
    with pytest.raises(ModelError, match="set HOME"):
        fetch_model(RegistryEntry("x", "x", "x", "http://127.0.0.1:9", file, {"model.json": file}))
    assert list(tmp_path.iterdir()) == []
