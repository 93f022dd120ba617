"""The losses that a config can name."""

from __future__ import annotations

import torch
from monai.losses import DiceLoss
from torch import nn
from torch.nn import functional

from training.config import TrainConfig


class SegmentationLoss(nn.Module):
    """Cross-entropy, alone or with the soft Dice loss of kidney and of tumor.

    Args:
        config: ``loss``, ``class_weights`` and ``dice_over``.

    Source: the manuscript names no loss; cross-entropy is the plain choice, the sum is nnU-Net's.
    """

    weights: torch.Tensor | None

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        weights = None if config.class_weights is None else torch.tensor(config.class_weights)
        self.register_buffer("weights", weights)
        self.dice = None
        if config.loss == "dice_cross_entropy":
            self.dice = DiceLoss(
                include_background=False, to_onehot_y=True, softmax=True, batch=config.dice_over == "batch"
            )

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        Args:
            logits: shape (B, 3, H, W).
            labels: int64, shape (B, H, W).

        Returns:
            A scalar; without ``batch`` Dice it is the mean over the images, whatever process they are in.
        """
        weights = None if self.weights is None else self.weights.to(logits.dtype)
        # Over the weights of all pixels it would depend on which images share a process.
        loss = functional.cross_entropy(logits, labels, weights, reduction="none").mean()
        return loss if self.dice is None else loss + self.dice(logits, labels.unsqueeze(1))
