"""Expanding path of SERU: the blocks of the original U-Net, with batch normalisation.

Source: Ronneberger et al., U-Net, 2015, section 2; SERU manuscript, network section.
"""

from __future__ import annotations

import torch
from torch import nn


class DoubleConvolution(nn.Sequential):
    """Two 3x3 convolutions, each with batch normalisation and ReLU; keeps height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class UpBlock(nn.Module):
    """2x2 up-convolution, concatenation with the skip, two 3x3 convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.convolutions = DoubleConvolution(outputs + skip, outputs)

    def forward(self, features: torch.Tensor, skip: torch.Tensor | None) -> torch.Tensor:
        """(B, inputs, H, W) and (B, skip, 2H, 2W) or None -> (B, outputs, 2H, 2W)."""
        features = self.up(features)
        if skip is not None:
            features = torch.cat([skip, features], dim=1)
        return self.convolutions(features)


class Decoder(nn.Module):
    """Five up-blocks; the last one, at full size, has no skip to join."""

    def __init__(self, encoder_channels: tuple[int, ...], decoder_channels: tuple[int, ...]) -> None:
        super().__init__()
        *skips, deepest = encoder_channels
        inputs = (deepest, *decoder_channels[:-1])
        self.blocks = nn.ModuleList(
            UpBlock(*widths) for widths in zip(inputs, (*reversed(skips), 0), decoder_channels, strict=True)
        )

    def forward(self, pyramid: list[torch.Tensor]) -> torch.Tensor:
        """Features at 1/2 .. 1/32 -> (B, decoder_channels[-1], H, W)."""
        *skips, features = pyramid
        for block, skip in zip(self.blocks, [*reversed(skips), None], strict=True):
            features = block(features, skip)
        return features
