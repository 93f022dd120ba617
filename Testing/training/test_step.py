"""What a stage's training computes, validates and keeps."""

from __future__ import annotations

import locale
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("lightning", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

import lightning.pytorch as lightning
import torch
from torch._dynamo.backends.debugging import aot_eager
from torch.utils.data import DataLoader

from seru.model.architecture import Architecture
from seru.model.card import ModelCard
from seru.model.network import SERU
from training.config import TrainConfig
from training.loop import make_trainer
from training.module import StageModule, stage_weights
from training.steps import read_json

CARD = ModelCard(id="x", title="x", licence="x", training_data="x", crop_size=32)
ARCHITECTURE = Architecture(
    blocks=(1, 1, 1, 1), base_channels=16, cardinality=4, base_width=16, decoder_channels=(16, 16, 8, 8, 8)
)


@pytest.fixture(autouse=True)
def utf8_files() -> Iterator[None]:
    """Read text as UTF-8: torch's compiler does not ask for it, and a window in this process leaves LC_CTYPE at C."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.mark.filterwarnings("error:.*cannot be compiled here")
def test_compiled_step_gives_the_eager_loss_and_leaves_the_weights_names(monkeypatch: pytest.MonkeyPatch) -> None:
    # The graph is traced as ever; making C++ of it is torch's own, and takes more than a minute.
    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", aot_eager)
    torch._dynamo.reset()
    torch.manual_seed(0)
    network = SERU(ARCHITECTURE).train()
    losses, gradients, names = [], [], []

    for is_compiled in (False, True):
        module = StageModule(network, CARD, TrainConfig(compile=is_compiled), 1)
        losses.append(one_step(module))
        gradients.append(network.head.weight.grad.flatten().clone())
        names.append(list(module.state_dict()))

    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    # Batch normalisation of few pixels magnifies how the two round.
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99
    assert names[0] == names[1]


def no_compiler(*arguments: object, **options: object) -> None:
    raise RuntimeError("no compiler")


def test_step_that_cannot_be_compiled_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    torch._dynamo.reset()
    monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", no_compiler)
    torch.manual_seed(0)
    network = SERU(ARCHITECTURE).train()
    eager = one_step(StageModule(network, CARD, TrainConfig(), 1))

    with pytest.warns(UserWarning, match="cannot be compiled here"):
        loss = one_step(StageModule(network, CARD, TrainConfig(compile=True), 1))

    assert loss == pytest.approx(eager, rel=1e-5)


def one_step(module: StageModule) -> float:
    """Forward and backward; the loss of a batch that is always the same."""
    generator = torch.Generator().manual_seed(1)
    batch = {
        "image": torch.rand(2, 3, 64, 64, generator=generator) * 255,
        "label": torch.randint(0, 3, (2, 64, 64), generator=generator),
    }
    module.on_train_start()
    loss = module.training_step(batch, 0)
    module.network.zero_grad()
    loss.backward()
    return loss.item()


class FallingScore(lightning.LightningModule):
    """Learns nothing, and validates worse from epoch to epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        return self.layer(batch).square().mean()

    def validation_step(self, batch: torch.Tensor, index: int) -> None:
        self.log("val/score", 1.0 - 0.1 * self.current_epoch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def train_config(**options: object) -> TrainConfig:
    return TrainConfig(epochs=3, accelerator="cpu", precision="32-true", deterministic=False, **options)


def test_last_checkpoint_is_the_last_epochs_though_an_earlier_one_is_best(tmp_path: Path) -> None:
    loader = DataLoader(torch.ones(4, 1))

    make_trainer(tmp_path, train_config()).fit(FallingScore(), loader, loader)

    epochs = {name: torch.load(tmp_path / f"{name}.ckpt", weights_only=True)["epoch"] for name in ("best", "last")}
    assert epochs == {"best": 0, "last": 2}
    assert len(list(tmp_path.glob("*.ckpt"))) == 2


def test_averaged_weights_are_those_that_validate_and_are_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    images = torch.rand(4, 3, 64, 64) * 255
    batch = {"image": images, "label": (images[:, 0] > 200).long()}
    config = train_config(average_decay=0.9, learning_rate=1e-2)
    module = StageModule(SERU(ARCHITECTURE), CARD, config, 2)
    loader = DataLoader([batch, batch], batch_size=None)

    make_trainer(tmp_path, config).fit(module, loader, loader)

    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)
    averaged = SERU(ARCHITECTURE)
    averaged.load_state_dict(stage_weights(kept))
    module.network.load_state_dict(averaged.state_dict())
    with torch.no_grad():
        found = module.eval()(images).argmax(1) > 0
    truth = batch["label"] > 0
    expected = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert read_json(tmp_path / "validation.json")[-1]["val/kidney_tumor"] == pytest.approx(expected.item(), abs=1e-6)
    current = kept["current_model_state"]["network.head.weight"]
    assert not torch.equal(current, averaged.head.weight)
