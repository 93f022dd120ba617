"""The network: Cadene's keys, any size, nothing from outside."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch

from seru.errors import ModelError
from seru.model.architecture import Architecture
from seru.model.network import SERU, StageNetwork, fold_batch_norm
from seru.model.weights import quantise_per_channel, save_weights, unpack_weights
from Testing import REPOSITORY

SHAPES = Path(__file__).parent / "data" / "se_resnext50_32x4d_shapes.json"
SMALL = Architecture(blocks=(1, 2, 1, 1), base_channels=16, cardinality=4, decoder_channels=(16, 16, 8, 8, 8))


def cadene_state() -> dict[str, torch.Tensor]:
    """State dict that pretrainedmodels itself builds, without its package's torchvision."""
    spec = importlib.util.find_spec("pretrainedmodels")
    if spec is None:
        pytest.skip("pretrainedmodels is not installed")
    path = Path(spec.submodule_search_locations[0]) / "models" / "senet.py"
    module_spec = importlib.util.spec_from_file_location("cadene_senet", path)
    senet = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(senet)
    return senet.se_resnext50_32x4d(num_classes=1000, pretrained=None).eval()


def small_network(seed: int = 0) -> SERU:
    torch.manual_seed(seed)
    network = SERU(SMALL).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


def test_the_encoder_has_the_names_and_shapes_of_se_resnext50_32x4d() -> None:
    expected = {name: tuple(shape) for name, shape in json.loads(SHAPES.read_text(encoding="utf-8")).items()}

    actual = {name: tuple(value.shape) for name, value in SERU().encoder.state_dict().items()}

    assert actual == {name: shape for name, shape in expected.items() if not name.startswith("last_linear.")}
    assert len(actual) > 300


def test_pretrainedmodels_own_state_dict_loads_and_gives_the_same_features() -> None:
    reference = cadene_state()
    network = SERU().eval()
    images = torch.randn(1, 3, 96, 64, generator=torch.Generator().manual_seed(1))

    network.load_encoder_state_dict(reference.state_dict())

    with torch.no_grad():
        torch.testing.assert_close(network.encoder(images)[-1], reference.features(images))


def test_encoder_weights_without_batch_counters_load() -> None:
    state = {name: value for name, value in SERU().encoder.state_dict().items() if "num_batches" not in name}
    network = SERU()

    network.load_encoder_state_dict({**state, "last_linear.weight": torch.zeros(1000, 2048)})

    loaded = network.encoder.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_encoder_weights_that_do_not_fit_are_refused(change: str) -> None:
    state = dict(SERU().encoder.state_dict())
    if change == "missing":
        del state["layer3.2.conv2.weight"]
    elif change == "extra":
        state["layer5.weight"] = torch.zeros(1)
    else:
        state["layer0.conv1.weight"] = torch.zeros(64, 1, 7, 7)

    with pytest.raises(ModelError, match="se_resnext50_32x4d"):
        SERU().load_encoder_state_dict(state)


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (33, 70), (101, 122), (64, 31)])
def test_any_input_size_keeps_its_size(size: tuple[int, int]) -> None:
    with torch.no_grad():
        logits = small_network()(torch.randn(2, 3, *size))

    assert logits.shape == (2, 3, *size)
    assert torch.isfinite(logits).all()


def test_padding_leaves_a_multiple_of_32_alone() -> None:
    network = small_network()
    images = torch.randn(1, 3, 64, 96)

    with torch.no_grad():
        direct = network.head(network.decoder(network.encoder(images)))
        torch.testing.assert_close(network(images), direct, rtol=0, atol=0)


def test_an_input_without_three_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\)"):
        small_network()(torch.zeros(1, 1, 32, 32))


def test_folding_batch_norm_changes_nothing() -> None:
    network = small_network()
    images = torch.randn(2, 3, 64, 64)

    with torch.no_grad():
        before = network(images)
        after = fold_batch_norm(network)(images)

    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


def test_the_stage_network_normalises_and_gives_8_bit_probabilities() -> None:
    network = small_network()
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    images = torch.randint(0, 256, (2, 1, 40, 50), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        normalised = (images / 255 - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
        expected = network(normalised).softmax(1)[:, 1:] * 255

        actual = StageNetwork(network, mean, std)(images)

    assert actual.dtype == torch.uint8
    assert int(actual.int().sum(1).max()) <= 255
    assert float((actual.float() - expected).abs().max()) <= 1.01


def test_building_a_network_touches_neither_disk_nor_network() -> None:
    program = (
        "import sys\n"
        "from seru.model.network import SERU\n"
        "SERU()\n"  # what torch itself loads lazily is loaded now
        "seen = []\n"
        "sys.addaudithook(lambda e, a: seen.append((e, str(a)[:99])) if e == 'open' or e.startswith('socket') else 0)\n"
        "SERU()\n"
        "sys.exit(repr(seen) if seen else 0)\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=_environment())

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"blocks": [3, 4, 6]}, "four encoder stages"),
        ({"base_channels": 0}, "a width that is not 1 to 4096"),
        ({"depth": 50}, "unknown entries"),
        ({"name": "UNet"}, "not SERU"),
        ({"blocks": 4}, "cannot be read"),
    ],
)
def test_a_wrong_architecture_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Architecture.from_dict(values)


def test_an_architecture_survives_json() -> None:
    assert Architecture.from_dict(json.loads(json.dumps(SMALL.to_dict()))) == SMALL


def unpacked(path: Path, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return unpack_weights(path.read_bytes(), {name: tensor.shape for name, tensor in state.items()})


def test_weights_survive_a_file_bit_for_bit(tmp_path: Path) -> None:
    state = small_network().state_dict()

    save_weights(state, tmp_path / "w.safetensors")

    loaded = unpacked(tmp_path / "w.safetensors", state)
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_whoever_can_read_other_files_can_read_weights(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")

    save_weights(small_network().state_dict(), tmp_path / "w.safetensors")

    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_8_bit_weights_are_a_quarter_of_the_size_and_within_half_a_step(tmp_path: Path) -> None:
    state = {"convolution.weight": torch.randn(64, 32, 3, 3), "up.weight": torch.randn(32, 16, 2, 2) * 5}
    save_weights(state, tmp_path / "whole.safetensors")

    save_weights(state, tmp_path / "small.safetensors", quantise=True)

    loaded = unpacked(tmp_path / "small.safetensors", state)
    for name, value in state.items():
        step = value.abs().max() / 127
        assert float((loaded[name] - value).abs().max()) <= float(step) / 2 + 1e-6
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("small", "whole")]
    assert sizes[0] < 0.3 * sizes[1]


def test_a_channel_of_zeros_quantises_to_zeros() -> None:
    tensor = torch.zeros(2, 1, 1, 1)
    tensor[1] = -3.0

    quantised, scale = quantise_per_channel(tensor, axis=0)

    np.testing.assert_array_equal((quantised * scale).numpy().ravel(), np.float32([0, -3]))


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(REPOSITORY / "SERUSegmentation")}


class Undecided(torch.nn.Module):
    """Says kidney and tumor with one half each."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([-100.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(len(images), 3, *images.shape[-2:])


def test_two_halves_that_both_round_up_stay_255_together() -> None:
    network = StageNetwork(Undecided(), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

    kidney, tumor = network(torch.zeros(1, 1, 1, 1, dtype=torch.uint8)).flatten().tolist()

    assert (kidney, tumor) == (127, 128)


def test_only_convolutions_are_quantised(tmp_path: Path) -> None:
    state = {
        "conv.weight": torch.ones(2, 1, 3, 3),
        "conv.bias": torch.tensor([0.1, -0.2]),
        "norm.weight": torch.ones(2),
    }

    save_weights(state, tmp_path / "weights.safetensors", quantise=True)

    with safetensors.safe_open(tmp_path / "weights.safetensors", "pt") as file:
        kinds = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118 - no mapping
    assert kinds == {
        "conv.weight": torch.int8,
        "conv.weight.int8_scale": torch.float32,
        "conv.bias": torch.float32,
        "norm.weight": torch.float32,
    }
    assert torch.equal(unpacked(tmp_path / "weights.safetensors", state)["conv.bias"], state["conv.bias"])
