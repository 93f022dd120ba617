"""SERU: an SE-ResNeXt50 encoder with the decoder of U-Net, three classes, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval

from seru.errors import ModelError
from seru.model.architecture import STRIDE, Architecture
from seru.model.decoder import Decoder
from seru.model.encoder import Encoder


class SERU(nn.Module):
    """The network of both stages.

    Building it draws random weights and touches neither the network nor the disk.

    Args:
        architecture: widths and depths.

    Source: SERU manuscript, network section.
    """

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        self.encoder = Encoder(self.architecture)
        self.decoder = Decoder(self.architecture.encoder_channels, self.architecture.decoder_channels)
        self.head = nn.Conv2d(self.architecture.decoder_channels[-1], self.architecture.classes, 1)
        self._initialise()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the class scores of a batch of slices.

        Args:
            images: float, shape (B, 3, H, W), normalised; any height and width.

        Returns:
            Logits, shape (B, classes, H, W).

        Raises:
            ValueError: the input has not three channels.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"SERU takes images of shape (B, 3, H, W), got {tuple(images.shape)}.")
        height, width = images.shape[-2:]
        images = pad_to_stride(images)
        logits = self.head(self.decoder(self.encoder(images)))
        return logits[..., :height, :width]

    def load_encoder_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Load ImageNet weights of Cadene's ``se_resnext50_32x4d`` into the encoder.

        Args:
            state: its state dict; the classifier (``last_linear``) is left out.

        Raises:
            ModelError: a key is missing, left over, or has another shape.
        """
        state = {key: value for key, value in state.items() if not key.startswith("last_linear.")}
        # Weights saved before torch 0.4.1 have no batch counters; they start at 0 then.
        current = self.encoder.state_dict()
        counters = {key: value for key, value in current.items() if key.endswith("num_batches_tracked")}
        try:
            self.encoder.load_state_dict({**counters, **state})
        except RuntimeError as error:
            raise ModelError(
                f"The encoder weights do not fit SE-ResNeXt50 32x4d ({_first_line(error)}); "
                "take the state dict of pretrainedmodels' se_resnext50_32x4d."
            ) from error

    def _initialise(self) -> None:
        if self.head.weight.is_meta:  # shapes alone: torch would load its compiler to draw nothing
            return
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class StageNetwork(nn.Module):
    """SERU for inference: 8-bit slices in, 8-bit kidney and tumor probabilities out.

    Normalising and rounding here keeps the copies to and from a device four times smaller than float32.

    Args:
        network: a trained SERU; its batch normalisation is folded into the convolutions.
        mean: mean of the three channels on the 0..1 scale.
        std: standard deviation of the three channels on the 0..1 scale.
        dtype: what the convolutions compute in.
        memory_format: in which its images lie; the weights lie as they are given to :meth:`to`.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        network: SERU,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        dtype: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        super().__init__()
        self.network = fold_batch_norm(network.eval()).to(dtype)
        self.dtype, self.memory_format = dtype, memory_format
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("scale", 1 / (torch.tensor(std).view(1, 3, 1, 1) * 255))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the foreground probabilities of a batch of slices.

        Args:
            images: uint8, shape (B, 1, H, W) or (B, 3, H, W), pre-processed.

        Returns:
            uint8, shape (B, 2, H, W): kidney and tumor probability times 255; their sum is at most 255. In float16 both
            are 255 where the scores are not finite.
        """
        images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        normalised = ((images.float() - self.mean) * self.scale).to(self.dtype)
        logits = self.network(normalised.contiguous(memory_format=self.memory_format))
        foreground = logits.float().softmax(dim=1)[:, 1:] * 255
        kidney, tumor = foreground.round().to(torch.uint8).unbind(dim=1)
        # Both may round up (127.5 each): the background would become negative.
        probabilities = torch.stack([torch.minimum(kidney, 255 - tumor), tumor], dim=1)
        if self.dtype != torch.float16:
            return probabilities
        return torch.where(logits.isfinite().all(dim=1, keepdim=True), probabilities, 255)


def pad_to_stride(images: torch.Tensor) -> torch.Tensor:
    """Pad images at the bottom and right to a multiple of 32, repeating the last row and column.

    Args:
        images: shape (B, C, H, W).

    Returns:
        Shape (B, C, H', W'), the same tensor where nothing is to be padded.
    """
    height, width = images.shape[-2:]
    bottom, right = -height % STRIDE, -width % STRIDE
    if bottom == 0 and right == 0:
        return images
    return functional.pad(images, (0, right, 0, bottom), mode="replicate")


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Fold each batch normalisation into the convolution before it, in place.

    Args:
        module: a module in eval mode, in which a normalisation directly follows its convolution.

    Returns:
        The same module; its batch normalisations are identities.
    """
    previous = None
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d) and isinstance(previous, tuple):
            setattr(module, previous[0], fuse_conv_bn_eval(previous[1], child))
            setattr(module, name, nn.Identity())
        elif isinstance(child, nn.Conv2d):
            previous = (name, child)
            continue
        else:
            fold_batch_norm(child)
        previous = None
    return module


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[min(1, len(lines) - 1)][:160].rstrip(". ")
