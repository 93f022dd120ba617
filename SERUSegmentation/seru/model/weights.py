"""Weights in and out of safetensors, as they are or as 8-bit integers; never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save

from seru.errors import ModelError
from seru.files import replacing, write_text
from seru.model.card import ModelCard, NetworkStage
from seru.model.network import SERU
from seru.model.store import CARD, Model, open_model, sha256_of

SCALE = ".int8_scale"


def save_weights(state: Mapping[str, torch.Tensor], path: Path, quantise: bool = False) -> None:
    """Write a state dict to a safetensors file, whole or not at all.

    Args:
        state: parameters and buffers.
        path: the file; its folder exists.
        quantise: store convolution weights as int8 with one float32 scale per output channel.

    Raises:
        BadInputError: the file cannot be written.
    """
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        if quantise and tensor.ndim == 4:
            axis = 1 if _is_transposed(name) else 0
            tensors[name], tensors[name + SCALE] = quantise_per_channel(tensor, axis)
        else:
            tensors[name] = tensor
    # save_file makes files that only their owner can read.
    with replacing(path) as file:
        file.write(save(tensors))


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a safetensors file; 8-bit integers become float32 again.

    Args:
        path: the file.

    Returns:
        Parameters and buffers by name.

    Raises:
        ModelError: the file is no safetensors file, or is damaged.
    """
    try:
        tensors = load_file(path)
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise ModelError(f"The weights {path} cannot be read ({error}); fetch the model again.") from error
    state = {}
    for name, tensor in tensors.items():
        if not name.endswith(SCALE):
            scale = tensors.get(name + SCALE)
            state[name] = tensor if scale is None else tensor.float() * scale
    return state


def quantise_per_channel(tensor: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Round a convolution's weights to 8-bit integers, with one scale per output channel.

    Args:
        tensor: float, shape of a 2D convolution's weight.
        axis: the axis of the output channels.

    Returns:
        int8 of the same shape, and float32 scales that broadcast with it.
    """
    others = [dim for dim in range(tensor.ndim) if dim != axis]
    scale = (tensor.float().abs().amax(others, keepdim=True) / 127).clamp_min(1e-12)
    return (tensor.float() / scale).round().to(torch.int8), scale


def load_network(model: Model, stage: NetworkStage) -> SERU:
    """Build the network of a stage with its verified weights.

    Args:
        model: from :func:`seru.model.store.find_model`.
        stage: ``coarse`` or ``refine``.

    Returns:
        SERU in eval mode, float32, on the CPU.

    Raises:
        ModelError: the weights are missing, damaged or do not fit the card.
    """
    path = model.weight_file(stage)
    network = SERU(model.card.architecture)
    try:
        network.load_state_dict(load_weights(path))
    except RuntimeError as error:
        raise ModelError(f"The weights {path} do not fit the model card; fetch the model again.") from error
    return network.eval()


def write_model_folder(
    folder: Path,
    card: ModelCard,
    coarse: Mapping[str, torch.Tensor],
    refine: Mapping[str, torch.Tensor],
    quantise: bool = False,
) -> Model:
    """Write a model folder: card and the weights of both stages.

    Args:
        folder: made where it is missing; files of the same names are replaced.
        card: its ``files`` are filled in here.
        coarse: state dict of the coarse stage.
        refine: state dict of the refine stage.
        quantise: see :func:`save_weights`.

    Returns:
        The model.

    Raises:
        BadInputError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for stage, state in (("coarse", coarse), ("refine", refine)):
        path = folder / f"{stage}.safetensors"
        save_weights(state, path, quantise)
        files[path.name] = {"sha256": sha256_of(path), "size": path.stat().st_size}
    text = json.dumps(replace(card, files=files).to_dict(), indent=2, ensure_ascii=False)
    write_text(folder / CARD, text + "\n")
    return open_model(folder)


def _is_transposed(name: str) -> bool:
    return name.endswith(".up.weight")
