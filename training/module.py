"""One stage's training as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import lightning.pytorch as lightning
import torch
from lightning.pytorch.utilities import rank_zero_warn
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch._dynamo.exc import TorchDynamoException

from seru.model.card import ModelCard
from seru.model.network import SERU
from training.config import TrainConfig
from training.losses import SegmentationLoss

_PREFIX = "network."


class StageModule(lightning.LightningModule):
    """The network of a stage with its loss, optimiser and schedule.

    Args:
        network: to be trained.
        card: mean and deviation of the input.
        config: how to train.
        steps_per_epoch: optimiser steps, for the schedule.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: SERU, card: ModelCard, config: TrainConfig, steps_per_epoch: int) -> None:
        super().__init__()
        # torch's stubs lack the overload with a memory format.
        self.network: SERU = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._compiled: Callable[[torch.Tensor], torch.Tensor] | None = None
        self.config = config
        self.steps_per_epoch = steps_per_epoch
        self.loss = SegmentationLoss(config)
        self.register_buffer("mean", torch.tensor(card.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("scale", 1 / (torch.tensor(card.std).view(1, 3, 1, 1) * 255), persistent=False)
        # No buffer: those are swapped with the averaged ones around a validation.
        self.counts = torch.zeros(2, 2, dtype=torch.int64)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 1 or 3, H, W) on the 0..255 scale -> logits (B, 3, H, W)."""
        return self.network(self._normalised(images))

    def _normalised(self, images: torch.Tensor) -> torch.Tensor:
        normalised = (images.to(self.mean.dtype) - self.mean) * self.scale
        return normalised.contiguous(memory_format=torch.channels_last)

    def on_train_start(self) -> None:
        """Compile the forward pass of training; a function, so that it adds nothing to the checkpoint."""
        if self.config.compile:
            self._compiled = torch.compile(self.network.forward, dynamic=False)

    def training_step(self, batch: dict[str, torch.Tensor], index: int) -> torch.Tensor:
        """Return the loss of a batch."""
        logits = self._train_logits(self._normalised(batch["image"]))
        return self.loss(logits if logits.dtype == torch.float64 else logits.float(), batch["label"].long())

    def _train_logits(self, images: torch.Tensor) -> torch.Tensor:
        if self._compiled is None:
            return self.network(images)
        try:
            return self._compiled(images)
        except TorchDynamoException as error:
            # A computer without a compiler trains as well, only slower.
            self._compiled = None
            said = str(error).strip().splitlines() or [type(error).__name__]
            rank_zero_warn(f"The training step cannot be compiled here and runs as it is ({said[0]}).")
            return self.network(images)

    def on_validation_epoch_start(self) -> None:
        """Forget the counts of the last epoch."""
        self.counts = torch.zeros(2, 2, dtype=torch.int64, device=self.device)

    def validation_step(self, batch: dict[str, torch.Tensor], index: int) -> None:
        """Count overlaps and sizes of kidney+tumor and of tumor."""
        labels, found = batch["label"], self(batch["image"]).argmax(dim=1)
        for row, least in enumerate((1, 2)):
            truth, predicted = labels >= least, found >= least
            self.counts[row, 0] += 2 * (truth & predicted).sum()
            self.counts[row, 1] += truth.sum() + predicted.sum()

    def on_validation_epoch_end(self) -> None:
        """Log the Dice over all validation slices together: for watching, not KiTS19's score per case."""
        counts = self.trainer.strategy.reduce(self.counts, reduce_op="sum")
        kidney, tumor = ((counts[row, 0] / counts[row, 1].clamp_min(1)).item() for row in (0, 1))
        values = {"val/kidney_tumor": kidney, "val/tumor": tumor, "val/score": (kidney + tumor) / 2}
        self.log_dict(values, prog_bar=True, sync_dist=self.trainer.world_size > 1)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return optimiser and schedule; the schedule is a function of the step alone."""
        kind = torch.optim.AdamW if self.config.optimiser == "adamw" else torch.optim.Adam
        optimiser = kind(self.network.parameters(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: rate_factor(step, self.steps_per_epoch, self.config)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_factor(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """Return what the learning rate is multiplied with.

    Args:
        step: optimiser steps done.
        steps_per_epoch: of an epoch.
        config: the schedule.

    Returns:
        0..1. ``step``: the paper's 0.1 every 5 epochs; ``cosine``: from 1 to 0.
    """
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "step":
        return warm * config.step_factor ** (step // steps_per_epoch // config.step_epochs)
    done = min(1.0, step / max(1, steps_per_epoch * config.epochs))
    return warm * 0.5 * (1 + math.cos(math.pi * done))


def stage_weights(state: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the network's weights of a Lightning checkpoint.

    Args:
        state: the checkpoint.

    Returns:
        State dict of :class:`seru.model.network.SERU`.
    """
    start = len(_PREFIX)
    return {name[start:]: value for name, value in state["state_dict"].items() if name.startswith(_PREFIX)}


def stage_checkpoint(weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Return a checkpoint of nothing but the network's weights; the inverse of :func:`stage_weights`."""
    return {"state_dict": {_PREFIX + name: value for name, value in weights.items()}}
