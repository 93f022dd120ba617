"""One step of training: compiled or not, it is the same step."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("lightning", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

import torch

from seru.architecture import Architecture
from seru.model_card import ModelCard
from seru.network import SERU
from training.config import TrainConfig
from training.module import StageModule

CARD = ModelCard(id="x", title="x", licence="x", training_data="x", crop_size=32)
ARCHITECTURE = Architecture(
    blocks=(1, 1, 1, 1), base_channels=16, cardinality=4, base_width=16, decoder_channels=(16, 16, 8, 8, 8)
)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_step_gives_the_eager_loss_and_leaves_the_weights_names() -> None:
    torch.manual_seed(0)
    network = SERU(ARCHITECTURE).train()
    batch = {"image": torch.rand(2, 3, 64, 64) * 255, "label": torch.randint(0, 3, (2, 64, 64))}
    losses, names = [], []

    for is_compiled in (False, True):
        module = StageModule(network, CARD, TrainConfig(compile=is_compiled), 1)
        module.on_train_start()
        loss = module.training_step(batch, 0)
        network.zero_grad()
        loss.backward()
        losses.append((loss.item(), network.head.weight.grad.clone()))
        names.append(list(module.state_dict()))

    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-4)
    assert torch.allclose(losses[0][1], losses[1][1], rtol=1e-3, atol=1e-5)
    assert names[0] == names[1]
