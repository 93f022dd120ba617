"""Weights in and out of safetensors, as they are or as 8-bit integers; never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load, save

from seru.errors import ModelError, is_memory_error
from seru.files import replacing, write_text
from seru.model.card import ModelCard, NetworkStage
from seru.model.network import SERU
from seru.model.store import CARD, Model, open_model, sha256_of

SCALE = ".int8_scale"
_COUNTER = ".num_batches_tracked"

# In fewer bytes than these a file says name, kind, shape and place of a tensor.
_BYTES_AROUND_A_TENSOR = 512
_PROBE_SIDE = 64


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


def unpack_weights(content: bytes, shapes: Mapping[str, torch.Size]) -> dict[str, torch.Tensor]:
    """Return the state dict that a safetensors file holds; 8-bit integers become float32 again.

    Args:
        content: of the file.
        shapes: of the parameters and buffers that the network has, by name.

    Returns:
        Parameters and buffers by name, float32 but for the counters of batches; every number is finite.

    Raises:
        ValueError: it is no safetensors file, a tensor is missing, left over, or of another shape or kind, or a number
            is not finite.
    """
    try:
        tensors = load(content)
    except (safetensors.SafetensorError, KeyError) as error:
        raise ValueError(f"{error}") from error
    state = {name: _unpacked(tensors, name, shape) for name, shape in shapes.items()}
    if tensors:
        raise ValueError(f"it holds {min(tensors)}, which the network has not")
    return state


def _unpacked(tensors: dict[str, torch.Tensor], name: str, shape: torch.Size) -> torch.Tensor:
    """Take a tensor out of a file's, with its scale where it has one."""
    tensor = _taken(tensors, name, shape)
    if tensor.dtype == torch.int8 and len(shape) == 4:
        axis = 1 if _is_transposed(name) else 0
        scale = _taken(tensors, name + SCALE, torch.Size(n if dim == axis else 1 for dim, n in enumerate(shape)))
        tensor = tensor.float() * scale if scale.dtype == torch.float32 else tensor
    if tensor.dtype != (torch.int64 if name.endswith(_COUNTER) else torch.float32):
        raise ValueError(f"{name} is of the kind {tensor.dtype}")
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        raise ValueError(f"{name} holds numbers that are not finite")
    return tensor


def _taken(tensors: dict[str, torch.Tensor], name: str, shape: torch.Size) -> torch.Tensor:
    tensor = tensors.pop(name, None)
    if tensor is None or tensor.shape != shape:
        found = "is missing" if tensor is None else f"has the shape {tuple(tensor.shape)}"
        raise ValueError(f"{name} {found}, the network's has {tuple(shape)}")
    return tensor


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
        ModelError: the weights are missing, damaged, not finite, or do not fit the card.
    """
    with torch.device("meta"):  # its shapes alone: the weights' own memory is all it takes
        network = SERU(model.card.architecture)
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    path = model.weight_path(stage)
    try:
        state = unpack_weights(model.read_weights(stage, _most_bytes(shapes)), shapes)
    except (OSError, ValueError) as error:
        if is_memory_error(error):
            raise
        reason = f"cannot be read, or do not fit the model card ({error})"
        raise ModelError(f"The weights {path} {reason}; fetch the model again.") from error
    network.load_state_dict(state, assign=True)
    if not _gives_finite_scores(network.eval(), model.card):
        raise ModelError(f"The weights {path} give no finite result; fetch the model again.")
    return network


def _most_bytes(shapes: Mapping[str, torch.Size]) -> int:
    """What a weight file of a network can need: float32, or int8 with a scale of float32 for each output channel."""
    return sum(shape.numel() * 5 + 2 * _BYTES_AROUND_A_TENSOR for shape in shapes.values())


@torch.inference_mode()
def _gives_finite_scores(network: SERU, card: ModelCard) -> bool:
    """Look at noise: weights that are finite themselves may overflow, and a variance may be negative."""
    noise = torch.rand(1, 3, _PROBE_SIDE, _PROBE_SIDE, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (card.mean, card.std))
    return bool(torch.isfinite(network((noise - mean) / std)).all())


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
    write_card(folder, replace(card, files=files))
    return open_model(folder)


def write_card(folder: Path, card: ModelCard) -> None:
    """Write a model's card into its folder.

    Args:
        folder: of the model.
        card: its ``files`` are those of the folder.

    Raises:
        BadInputError: the file cannot be written.
    """
    write_text(folder / CARD, json.dumps(card.to_dict(), indent=2, ensure_ascii=False) + "\n")


def _is_transposed(name: str) -> bool:
    return name.endswith(".up.weight")
