"""Batch normalisation over several processes on the CPU, where torch's own runs on GPUs only."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed, nn


class _SumOverProcesses(torch.autograd.Function):
    """The sum of every process's tensor; the gradient is the sum of every process's gradient."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor) -> torch.Tensor:
        total = tensor.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return _SumOverProcesses.forward(ctx, gradient)


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation with the statistics of the global batch; alone it is ``nn.BatchNorm2d``.

    Every process must hold as many pixels as the others.
    """

    # Only a normalisation without running statistics, which SERU has none of, has None here.
    running_mean: torch.Tensor
    running_var: torch.Tensor
    num_batches_tracked: torch.Tensor
    momentum: float

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same, normalised."""
        if not (self.training and distributed.is_initialized() and distributed.get_world_size() > 1):
            return super().forward(features)
        world = distributed.get_world_size()
        mean = _SumOverProcesses.apply(features.mean((0, 2, 3))) / world
        centred = features - mean.view(1, -1, 1, 1)
        variance = _SumOverProcesses.apply(centred.square().mean((0, 2, 3))) / world
        self._update(mean.detach(), variance.detach(), features.numel() // features.shape[1] * world)
        scale = (self.weight / (variance + self.eps).sqrt()).view(1, -1, 1, 1)
        return centred * scale + self.bias.view(1, -1, 1, 1)

    def _update(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        unbiased = variance * (count / max(count - 1, 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)


def use_synced_norm(module: nn.Module, on_gpu: bool) -> nn.Module:
    """Let every batch normalisation of a module share its statistics over all processes, in place.

    Args:
        module: a network.
        on_gpu: take torch's own, which is faster.

    Returns:
        The module; its state dict has the same names.
    """
    if on_gpu:
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            # Only the way it computes differs, no parameter does.
            child.__class__ = SyncedBatchNorm2d
    return module
