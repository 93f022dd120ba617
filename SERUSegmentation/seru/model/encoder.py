"""Contracting path of SERU: SE-ResNeXt50 32x4d.

Parameter names and shapes are those of Cadene's ``se_resnext50_32x4d`` (package ``pretrainedmodels``), so that its
ImageNet weights load key for key.

Source: Hu et al., Squeeze-and-Excitation Networks, 2018; Xie et al., Aggregated Residual Transformations, 2017.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from seru.model.architecture import Architecture


class SqueezeExcitation(nn.Module):
    """Channel attention: global average, two 1x1 convolutions, sigmoid gate."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(hidden, channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same, each channel weighted by 0..1."""
        gate = features.mean((2, 3), keepdim=True)
        gate = self.sigmoid(self.fc2(self.relu(self.fc1(gate))))
        return features * gate


class Bottleneck(nn.Module):
    """ResNeXt bottleneck (1x1, grouped 3x3, 1x1) with squeeze and excitation before the sum."""

    def __init__(self, inputs: int, outputs: int, width: int, architecture: Architecture, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=architecture.cardinality, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.se_module = SqueezeExcitation(outputs, architecture.reduction)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
        shortcut = features if self.downsample is None else self.downsample(features)
        features = self.relu(self.bn1(self.conv1(features)))
        features = self.relu(self.bn2(self.conv2(features)))
        features = self.bn3(self.conv3(features))
        return self.relu(self.se_module(features) + shortcut)


class Encoder(nn.Module):
    """SE-ResNeXt without its classifier; gives the features of five scales."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        stem = architecture.base_channels
        self.layer0 = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(3, stem, 7, 2, 3, bias=False),
                bn1=nn.BatchNorm2d(stem),
                relu1=nn.ReLU(inplace=True),
                pool=nn.MaxPool2d(3, 2, ceil_mode=True),
            )
        )
        self.layer1, self.layer2, self.layer3, self.layer4 = (_make_layer(stage, architecture) for stage in range(4))

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """(B, 3, H, W), H and W multiples of 32 -> features at 1/2, 1/4, 1/8, 1/16 and 1/32."""
        conv1, bn1, relu1, pool = self.layer0
        stem = relu1(bn1(conv1(images)))
        pyramid = [stem]
        features = pool(stem)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            features = layer(features)
            pyramid.append(features)
        return pyramid


def _make_layer(stage: int, architecture: Architecture) -> nn.Sequential:
    inputs, outputs = architecture.encoder_channels[stage : stage + 2]
    width = architecture.bottleneck_width(stage)
    first = Bottleneck(inputs, outputs, width, architecture, stride=1 if stage == 0 else 2)
    rest = [Bottleneck(outputs, outputs, width, architecture, stride=1) for _ in range(architecture.blocks[stage] - 1)]
    return nn.Sequential(first, *rest)
