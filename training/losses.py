"""The losses that a config can name."""

from __future__ import annotations

import torch
from monai.losses import DiceLoss
from torch import nn
from torch.nn import functional

from seru.findings import BACKGROUND, KIDNEY, TUMOR
from training.config import TrainConfig
from training.partial import ALLOWED


class SegmentationLoss(nn.Module):
    """Cross-entropy, alone or with the soft Dice loss of kidney and of tumor.

    Args:
        config: ``loss``, ``class_weights``, ``dice_over`` and ``dice_of``.

    Labels may leave open which class a pixel is (:mod:`training.partial`): the cross-entropy is then that of the sum of
    the probabilities that are allowed, and the Dice looks only at pixels where it is known.

    Source: the manuscript names no loss; cross-entropy is the plain choice, the sum is nnU-Net's. Partial labels: the
    marginal loss of Shi et al., Medical Image Analysis 2021.
    """

    allowed: torch.Tensor
    weights: torch.Tensor | None
    is_in: torch.Tensor
    is_known: torch.Tensor

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        allowed = torch.from_numpy(ALLOWED)
        self.register_buffer("allowed", allowed, persistent=False)
        weights = None
        if config.class_weights is not None:
            # Of a pixel that may be of several classes the mean of theirs.
            weights = (allowed * torch.tensor(config.class_weights)).sum(dim=1) / allowed.sum(dim=1)
        self.register_buffer("weights", weights, persistent=False)
        self.dice, self._regions = None, config.dice_of == "regions"
        if config.loss == "dice_cross_entropy":
            self.dice = DiceLoss(batch=config.dice_over == "batch")
        members = torch.tensor([[False, True, self._regions], [False, False, True]])
        # Of each label and each of the two: whether the pixel is in it for sure, and whether that is known at all.
        may_be_in, may_be_out = ((allowed[:, None] & of).any(dim=2) for of in (members, ~members))
        self.register_buffer("is_in", may_be_in & ~may_be_out, persistent=False)
        self.register_buffer("is_known", may_be_in ^ may_be_out, persistent=False)

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        Args:
            logits: shape (B, 3, H, W).
            labels: int64, shape (B, H, W), partial or not.

        Returns:
            A scalar; without ``batch`` Dice it is the mean over the images, whatever process they are in.
        """
        log_shares = functional.log_softmax(logits, dim=1)
        allowed = self.allowed[labels].movedim(-1, 1)
        loss = -log_shares.masked_fill(~allowed, -torch.inf).logsumexp(dim=1)
        if self.weights is not None:
            loss = loss * self.weights.to(logits.dtype)[labels]
        # Over the weights of all pixels it would depend on which images share a process.
        return loss.mean() if self.dice is None else loss.mean() + self._dice(log_shares.exp(), labels)

    def _dice(self, shares: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        assert self.dice is not None
        found = torch.stack([1 - shares[:, BACKGROUND], shares[:, TUMOR]], 1) if self._regions else shares[:, KIDNEY:]
        is_in, is_known = (table[labels].movedim(-1, 1).to(found.dtype) for table in (self.is_in, self.is_known))
        return self.dice(found * is_known, is_in * is_known)
