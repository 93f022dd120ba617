"""Convolutions in 8-bit integers: what goes into each is rounded to 256 values of a range that was measured.

The network stays one of floating point that rounds as integers do; OpenVINO reads the rounding out of it and computes
in integers. Weights that were stored as 8-bit integers stay what they are.

Source: Jacob et al. 2018, Quantization and training of neural networks for efficient integer-arithmetic-only inference.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from seru.errors import ModelError

Range = tuple[float, float]
Convolution = nn.Conv2d | nn.ConvTranspose2d
_LEAST_STEP = 1e-9


def convolutions(network: nn.Module) -> dict[str, Convolution]:
    """Return the convolutions of a network by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, Convolution)}


def quantise_convolutions(network: nn.Module, ranges: Mapping[str, Range]) -> None:
    """Let convolutions compute as in 8-bit integers, in place.

    Args:
        network: for inference, its batch normalisation folded.
        ranges: least and largest value that goes into each of them, by name; the others stay as they are.

    Raises:
        ModelError: the network has no convolution of that name.
    """
    there = convolutions(network)
    for name, limits in ranges.items():
        if name not in there:
            raise ModelError(f"The model's ranges name {name}, which the network has not; fetch the model again.")
        parent, _, last = name.rpartition(".")
        setattr(network.get_submodule(parent), last, QuantisedConvolution(there[name], limits))


class QuantisedConvolution(nn.Module):
    """A convolution whose input has 256 values and whose weights have 255, with a scale per output channel.

    Args:
        convolution: of two dimensions, transposed or not.
        limits: least and largest value of its input; 0 is made one of the values in between.
    """

    scales: torch.Tensor
    zeros: torch.Tensor

    def __init__(self, convolution: Convolution, limits: Range) -> None:
        super().__init__()
        self.convolution = convolution
        least, most = min(limits[0], 0.0), max(limits[1], 0.0)
        self._step = max((most - least) / 255, _LEAST_STEP)
        self._zero = min(max(round(-least / self._step), 0), 255)
        self._axis = 1 if isinstance(convolution, nn.ConvTranspose2d) else 0
        others = [dim for dim in range(4) if dim != self._axis]
        largest = convolution.weight.detach().abs().amax(others)
        self.register_buffer("scales", (largest / 127).clamp_min(_LEAST_STEP))
        self.register_buffer("zeros", torch.zeros(len(largest), dtype=torch.int32))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the convolution gives; float, shapes as its own."""
        of = self.convolution
        images = torch.fake_quantize_per_tensor_affine(images, self._step, self._zero, 0, 255)
        weight = torch.fake_quantize_per_channel_affine(of.weight, self.scales, self.zeros, self._axis, -127, 127)
        padding = tuple(map(int, of.padding))
        if isinstance(of, nn.ConvTranspose2d):
            sizes = of.stride, padding, of.output_padding
            return functional.conv_transpose2d(images, weight, of.bias, *sizes, of.groups, of.dilation)
        return functional.conv2d(images, weight, of.bias, of.stride, padding, of.dilation, of.groups)
