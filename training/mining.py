"""Slices that the network errs on: looked for between epochs, on training patients, and drawn more often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.plugins.precision import Precision

from seru.findings import BACKGROUND
from seru.records import read_record
from training.partial import ALLOWED
from training.prepare import PreparedData
from training.sampling import Draw, Hard
from training.steps import read_json, write_json

# Fewer are the seam between two classes, which no network draws to the pixel.
_LEAST_PIXELS = 25


class Mining:
    """What was found, kept in a file so that a training that goes on draws as before.

    Args:
        path: of the file.
        data: prepared cases; what was found on others is forgotten.
    """

    def __init__(self, path: Path, data: PreparedData) -> None:
        self._path = path
        found = read_json(path) or {"epoch": 0, "hard": []}
        self.epoch: int = found["epoch"]
        self.hard = [read_record(Hard, item, f"{path}") for item in found["hard"] if item["case"] in data.cases]

    def mine(
        self,
        epoch: int,
        module: LightningModule,
        precision: Precision,
        items: Sequence[Draw],
        batches: Iterable[dict[str, torch.Tensor]],
    ) -> None:
        """Run the network as it is over slices, and keep those with false kidney or tumor.

        Args:
            epoch: that is about to begin.
            module: with the network.
            precision: of its numbers.
            items: the slices or crops, in the order of the batches.
            batches: of them, without augmentation.
        """
        was_training = module.training
        module.eval()
        pixels: list[torch.Tensor] = []
        with torch.no_grad():
            for batch in batches:
                image, label = batch["image"].to(module.device), batch["label"].to(module.device).long()
                with precision.forward_context():
                    found = module(image).argmax(dim=1)
                pixels.append(false_pixels(found, label).cpu())
        module.train(was_training)
        counts = torch.cat(pixels).tolist()
        self.hard = [
            Hard(draw.case, draw.index, draw.side, count)
            for draw, count in zip(items, counts, strict=True)
            if count >= _LEAST_PIXELS
        ]
        self.epoch = epoch
        write_json(self._path, {"epoch": epoch, "hard": [asdict(item) for item in self.hard]})


def false_pixels(found: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Count pixels that are taken for a class that they are known not to be.

    Args:
        found: int64, shape (B, H, W), classes.
        labels: int64, same shape, partial.

    Returns:
        int64, shape (B,). Pixels taken for background are not counted: what is missed is drawn often anyway.
    """
    allowed = torch.from_numpy(ALLOWED).to(labels.device)
    return ((found != BACKGROUND) & ~allowed[labels, found]).sum(dim=(1, 2))
