"""What is written down while a stage trains."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import lightning.pytorch as lightning
import torch
from lightning.pytorch.utilities.types import STEP_OUTPUT

from seru.files import write_text
from training.steps import read_json, write_json

_FLUSH_EVERY = 50


class LossTable(lightning.Callback):
    """Writes each step's loss, the mean over all processes, to a CSV table; a resumed run goes on in it.

    Args:
        path: of the table.
        name: of the stage, for the line that each epoch prints where there is no progress bar.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._rows: list[tuple[int, float, float]] = []
        self._waiting: list[tuple[int, float, torch.Tensor]] = []

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Take over the rows before the checkpoint; later ones are computed again."""
        self._rows = [row for row in read_losses(self._path) if row[0] < trainer.global_step]

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: STEP_OUTPUT,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the loss; it is read from the device now and then only."""
        # Lightning's own steps end with a mapping, whatever the training step gave.
        step = cast(Mapping[str, torch.Tensor], outputs)
        loss = trainer.strategy.reduce(step["loss"].detach(), reduce_op="mean")
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self._waiting.append((trainer.global_step - 1, rate, loss))
        if len(self._waiting) >= _FLUSH_EVERY:
            self._flush(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Write the rest of the epoch, and a line where there is no progress bar."""
        self._flush(trainer)
        if trainer.is_global_zero and trainer.progress_bar_callback is None:
            steps = self._rows[-int(trainer.num_training_batches) :]
            loss = sum(row[1] for row in steps) / max(1, len(steps))
            values = ", ".join(f"{key} {float(value):.4f}" for key, value in trainer.callback_metrics.items())
            epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            print(f"{self._name}: {epoch}, loss {loss:.4f}, {values}", flush=True)

    def _flush(self, trainer: lightning.Trainer) -> None:
        values = [(step, float(loss), rate) for step, rate, loss in self._waiting]
        self._waiting.clear()
        self._rows += values
        for step, loss, rate in values:
            for logger in trainer.loggers:
                logger.log_metrics({"train/loss": loss, "train/rate": rate}, step)
        if trainer.is_global_zero:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerows([("step", "loss", "rate"), *self._rows])
            write_text(self._path, text.getvalue())


def read_losses(path: Path) -> list[tuple[int, float, float]]:
    """Read a table of losses.

    Args:
        path: as :class:`LossTable` wrote it.

    Returns:
        Step, loss and learning rate; empty where there is no table.
    """
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [(int(row["step"]), float(row["loss"]), float(row["rate"])) for row in csv.DictReader(file)]


class ValidationTable(lightning.Callback):
    """Writes the validation figures of each epoch to a JSON file; a resumed run goes on in it.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_validation_end(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Add the epoch's figures; those of a broken-off epoch are replaced."""
        if trainer.is_global_zero:
            values = {key: float(value) for key, value in trainer.callback_metrics.items() if key.startswith("val/")}
            rows = [row for row in read_json(self._path) or [] if row["epoch"] < trainer.current_epoch]
            write_json(self._path, [*rows, {"epoch": trainer.current_epoch, **values}])
