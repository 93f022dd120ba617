"""The training of one stage: Lightning's loop, resumed where it stopped, on any number of processes."""

from __future__ import annotations

import logging
import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import lightning.pytorch as lightning
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

import seru
from seru.errors import BadInputError, DeviceError
from seru.files import replacing
from seru.model.card import NetworkStage
from seru.model.network import SERU
from seru.records import to_plain
from training.callbacks import LossTable, ValidationTable, read_losses
from training.config import Config, Precision, TrainConfig
from training.crops import CaseCrops
from training.datasets import (
    SliceDataset,
    View,
    collate,
    make_pools,
    tumor_donors,
    validation_draws,
    without_augmentation,
)
from training.encoder_weights import load_encoder_weights
from training.mining import Mining
from training.module import StageModule, stage_checkpoint, stage_weights
from training.plots import plot_losses
from training.prepare import PreparedData
from training.sampling import Draw, GlobalBatches, Hard, Pool, batches_in_epoch, draw_epoch
from training.steps import Step, file_digest, git_revision, process_rank, read_json, write_json
from training.synced_norm import use_synced_norm

# The two stages draw, start and augment differently.
_STAGE_SEEDS = {"coarse": 1, "refine": 2}


@dataclass(frozen=True)
class Start:
    """Weights that a stage starts from.

    Attributes:
        name: what they are, for the record of the run.
        weights: gives the network's state dict.
    """

    name: str
    weights: Callable[[], dict[str, torch.Tensor]]


@dataclass(frozen=True)
class StageData:
    """What a stage trains on.

    Attributes:
        data: prepared cases.
        split: patients by ``train`` and ``val``.
        crops: crops of each case; None for the coarse stage.
    """

    data: PreparedData
    split: dict[str, list[str]]
    crops: dict[str, CaseCrops] | None = None

    def pools(self, part: str) -> list[Pool]:
        """Return what can be drawn from the cases of ``train`` (extra ones with it) or ``val``."""
        patients = set(self.split[part])
        cases = [
            case
            for case in self.data.cases.values()
            if (case.is_extra and part == "train") or (not case.is_extra and case.patient in patients)
        ]
        if part == "val":
            # It counts pixels of every class.
            cases = [case for case in cases if case.knowledge == "everything"]
        return make_pools(cases, self.crops)


class _Batches(lightning.LightningDataModule):
    """Loaders of both parts; the training draws are those of the current epoch."""

    # Lightning sets it before it asks for a loader.
    trainer: lightning.Trainer

    def __init__(
        self, config: Config, stage: NetworkStage, train: TrainConfig, source: StageData, folder: Path
    ) -> None:
        super().__init__()
        self._mining = Mining(folder / "hard.json", source.data)
        self._train, self._seed = train, config.seed * 10 + _STAGE_SEEDS[stage]
        self._data = source.data
        self.pools = source.pools("train")
        donors = tumor_donors(self.pools)
        self._view = View(config.card(), self._train.augmentation, self._train.jitter_px, source.crops, donors=donors)
        self._validation = validation_draws(source.pools("val"), self._train.validation_slices)

    def train_dataloader(self) -> DataLoader:
        draws = draw_epoch(self.pools, self._train, self._seed, self.trainer.current_epoch, self._hard())
        batches = GlobalBatches(draws, self._train.batch_size, self.trainer.global_rank, self.trainer.world_size)
        is_small = self.trainer.current_epoch < self._train.half_size_epochs
        return self._loader(replace(self._view, shrink=2) if is_small else self._view, batches)

    def _hard(self) -> Sequence[Hard]:
        epoch, every = self.trainer.current_epoch, self._train.mine_epochs
        if not every or epoch < every:
            return ()
        mined = epoch // every * every
        if self._mining.epoch != mined:
            items = [Draw(pool.case, *item) for pool in self.pools if not pool.is_extra for item in pool.every]
            loader = self._loader(without_augmentation(self._view), _batched(items, self._train.batch_size))
            module = self.trainer.lightning_module
            self._mining.mine(mined, module, self.trainer.precision_plugin, items, loader)
        return self._mining.hard

    def val_dataloader(self) -> DataLoader:
        # No slice twice, whatever the number of processes.
        draws = self._validation[self.trainer.global_rank :: self.trainer.world_size]
        size = max(1, self._train.batch_size // self.trainer.world_size)
        return self._loader(without_augmentation(self._view), _batched(draws, size))

    def _loader(self, view: View, batches: Any) -> DataLoader:
        return DataLoader(
            SliceDataset(self._data, view),
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=self._train.workers,
            worker_init_fn=_one_thread,
            pin_memory=torch.cuda.is_available(),
        )


def _one_thread(worker: int) -> None:
    """The processes are the threads: OpenCV would take all cores in each of them."""
    cv2.setNumThreads(1)


def _batched(draws: Sequence[Draw], size: int) -> list[Sequence[Draw]]:
    return [draws[first : first + size] for first in range(0, len(draws), size)]


def train_step(
    config: Config, folder: Path, stage: NetworkStage, train: TrainConfig, manifest: str, before: dict[str, Any]
) -> Step:
    """Return the step that trains a stage, in one of its rounds.

    Args:
        config: the recipe.
        folder: of the step.
        stage: ``coarse`` or ``refine``.
        train: how to train in this round.
        manifest: hash of the prepared data.
        before: what it builds on: the split, the crops, the weights at the start.
    """
    inputs = {"train": to_plain(train), "network": to_plain(config.network), "seed": config.seed, "manifest": manifest}
    # How many processes prepare batches changes no result; of the model at the start its weights count, not its place.
    left_out = ("workers", "threads", "start_from")
    inputs["train"] = {key: value for key, value in inputs["train"].items() if key not in left_out}
    return Step(folder, {**inputs, **before})


def train_stage(
    config: Config,
    stage: NetworkStage,
    train: TrainConfig,
    step: Step,
    source: StageData,
    start: Start | None = None,
    restart: bool = False,
) -> dict[str, Any]:
    """Train one stage in one of its rounds, or go on with it.

    Args:
        config: the recipe.
        stage: ``coarse`` or ``refine``.
        train: how to train in this round.
        step: from :func:`train_step`.
        source: what to train on.
        start: the weights to start from; None starts from the encoder's.
        restart: delete what other inputs made.

    Returns:
        The step's result: the kept checkpoint with its hash, and the validation Dice.

    Raises:
        BadInputError: the batch cannot be shared, or nothing is left to train on.
        DeviceError: the device is not there or too small.
    """
    if step.result is not None:
        return step.result
    if process_rank() == 0:
        step.begin(restart)
    if train.threads is not None:
        torch.set_num_threads(train.threads)
    lightning.seed_everything(config.seed * 10 + _STAGE_SEEDS[stage], workers=True, verbose=False)
    batches = _Batches(config, stage, train, source, step.folder)
    network = SERU(config.network.architecture)
    if start is None:
        started_from = load_encoder_weights(network, config.network.encoder)
    else:
        started_from = start.name
        network.load_state_dict(start.weights())
    if train.epochs == 0:
        return _keep(config, step, network, started_from)
    steps_per_epoch = batches_in_epoch(batches.pools, train)
    if process_rank() == 0:
        print(f"{stage}: {steps_per_epoch} steps an epoch; weights at the start: {started_from}", flush=True)
        _write_record(step, _record(config, step, started_from))
    trainer = make_trainer(step.folder, train)
    if train.sync_batch_norm and trainer.world_size > 1:
        use_synced_norm(network, on_gpu=trainer.strategy.root_device.type == "cuda")
    module = StageModule(network, config.card(), train, steps_per_epoch)
    last = step.folder / "last.ckpt"
    _fit(trainer, module, batches, last if last.is_file() else None)
    kept = step.folder / f"{train.keep}.ckpt"
    if process_rank() != 0:
        return step.wait()
    validation = read_json(step.folder / "validation.json")
    plot_losses(step.folder / "losses.png", {stage: read_losses(step.folder / "losses.csv")})
    return step.finish({"checkpoint": kept.name, "weights": file_digest(kept), "validation": validation[-1]})


def _keep(config: Config, step: Step, network: SERU, started_from: str) -> dict[str, Any]:
    """Finish a stage that is not trained: its weights are those it starts from."""
    if process_rank() != 0:
        return step.wait()
    _write_record(step, _record(config, step, started_from))
    kept = step.folder / "last.ckpt"
    with replacing(kept) as file:
        torch.save(stage_checkpoint(network.state_dict()), file)
    return step.finish({"checkpoint": kept.name, "weights": file_digest(kept), "validation": {}})


def read_stage(folder: Path, result: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return the weights that a stage's training gave.

    Args:
        folder: of the step.
        result: of the step.

    Returns:
        State dict of the network.

    Raises:
        BadInputError: the checkpoint is missing or damaged.
    """
    path = folder / result["checkpoint"]
    try:
        # Our own file; still nothing but tensors and plain values is accepted.
        return stage_weights(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise BadInputError(f"The checkpoint {path} cannot be read ({type(error).__name__}); train again.") from error


def make_trainer(folder: Path, train: TrainConfig) -> lightning.Trainer:
    """Return Lightning's trainer of a stage.

    Args:
        folder: of the checkpoints and tables.
        train: how to train.

    Returns:
        The trainer; it keeps the checkpoint of the last epoch and that of the best.

    Raises:
        DeviceError: the device is not there.
    """
    world, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    _quieten()
    # Two: Lightning's own ``save_last`` only follows the best one.
    keep = partial(ModelCheckpoint, folder, save_on_train_epoch_end=True, enable_version_counter=False)
    best, last = keep("best", monitor="val/score", mode="max"), keep("last")
    bars = [TQDMProgressBar(refresh_rate=20)] if sys.stderr.isatty() else []
    averages = [] if train.average_decay is None else [EMAWeightAveraging(decay=train.average_decay)]
    table = folder / "validation.json"
    try:
        return lightning.Trainer(
            max_epochs=train.epochs,
            accelerator=train.accelerator,
            devices=local if world > 1 else 1,
            num_nodes=max(1, world // local),
            strategy="ddp" if world > 1 else "auto",
            precision=_precision(train),
            deterministic="warn" if train.deterministic else False,
            benchmark=not train.deterministic,
            gradient_clip_val=train.gradient_clip,
            callbacks=[
                *bars,
                *averages,
                LossTable(folder / "losses.csv", folder.name),
                ValidationTable(table),
                best,
                last,
            ],
            enable_progress_bar=bool(bars),
            logger=TensorBoardLogger(folder, name="", version="tensorboard"),
            use_distributed_sampler=False,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            enable_model_summary=False,
            log_every_n_steps=50,
        )
    except (RuntimeError, ValueError, lightning.utilities.exceptions.MisconfigurationException) as error:
        raise DeviceError(f"Training cannot start on this computer ({' '.join(str(error).split())}).") from error


def _fit(trainer: lightning.Trainer, module: StageModule, batches: _Batches, checkpoint: Path | None) -> None:
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        trainer.fit(module, datamodule=batches, ckpt_path=checkpoint)
    except torch.OutOfMemoryError as error:
        raise DeviceError("The device has too little memory for this batch; make batch_size smaller.") from error
    except SystemExit as stop:
        # How Lightning ends after Ctrl+C.
        raise KeyboardInterrupt from stop
    finally:
        # Lightning sets it for the whole process.
        torch.use_deterministic_algorithms(was_deterministic)
    if trainer.interrupted:
        raise KeyboardInterrupt


def _precision(train: TrainConfig) -> Precision:
    if train.precision != "auto":
        return train.precision
    from seru.model.engines.torch_engine import fast_dtype

    if torch.cuda.is_available() and train.accelerator in ("auto", "gpu", "cuda"):
        # Gradients overflow float16.
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    return "bf16-mixed" if fast_dtype("cpu") == torch.bfloat16 else "32-true"


def _record(config: Config, step: Step, started_from: str) -> dict[str, Any]:
    return {
        "config": config.to_dict(),
        "git_revision": git_revision(),
        "manifest": step.inputs["manifest"],
        "seed": config.seed,
        "weights_at_start": started_from,
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lightning": lightning.__version__,
            "seru": seru.__version__,
        },
    }


def _write_record(step: Step, record: dict[str, Any]) -> None:
    """Write the run's record; that of a run that goes on is kept, with the revision it goes on with."""
    path = step.folder / "run.json"
    earlier = read_json(path)
    if earlier is not None and (step.folder / "last.ckpt").is_file():
        goes_on = {key: record[key] for key in ("git_revision", "processes", "versions")}
        record = {**earlier, "resumed": [*earlier.get("resumed", []), goes_on]}
    write_json(path, record)


def _quieten() -> None:
    """Lightning's advice on workers and loggers is not for the users of this recipe."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for pattern in (
        ".*does not have many workers.*",
        ".*Checkpoint directory.*",
        ".*litlogger.*",
        ".*LeafSpec.*",
        ".*logging interval.*",
    ):
        warnings.filterwarnings("ignore", pattern)
