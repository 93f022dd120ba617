"""ImageNet weights of the encoder: Cadene's ``se_resnext50_32x4d``, downloaded once or from a file.

Source: https://github.com/Cadene/pretrained-models.pytorch (BSD-3-Clause). 3 channels, RGB, mean 0.485/0.456/0.406 and
standard deviation 0.229/0.224/0.225 on the 0..1 scale: the model card's defaults.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from seru.errors import ModelError
from seru.model.network import SERU
from seru.model.store import cache_folder
from training.fetching import fetch_file
from training.steps import file_digest

URL = "http://data.lip6.fr/cadene/pretrainedmodels/se_resnext50_32x4d-a260b3a4.pth"
# Torch hub's rule: the name ends with the first digits of the SHA-256.
SHA256_START = "a260b3a4"


def load_encoder_weights(network: SERU, source: str) -> str:
    """Load ImageNet weights into a network's encoder, or say plainly that there are none.

    Args:
        network: SE-ResNeXt50 32x4d for ImageNet weights.
        source: ``imagenet`` (downloaded once into the user's cache), ``none``, or the path of Cadene's file.

    Returns:
        What was loaded, for the record of the run.

    Raises:
        ModelError: no network and no file, a wrong checksum, or weights that do not fit.
    """
    if source == "none":
        return "none: the encoder starts from random weights, not from ImageNet"
    path = cached_weights() if source == "imagenet" else Path(source)
    state = read_encoder_weights(path, check_name=source == "imagenet")
    network.load_encoder_state_dict(state)
    return f"ImageNet, {path.name}, SHA-256 {file_digest(path)}"


def read_encoder_weights(path: Path, check_name: bool = True) -> dict[str, torch.Tensor]:
    """Read a state dict without running any code that may be in the file.

    Args:
        path: Cadene's file.
        check_name: refuse a file whose hash is not the published one; a local file may be another training.

    Returns:
        The state dict.

    Raises:
        ModelError: the file is missing, is not what it should be, or holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(f"The encoder weights {path} do not exist; download them from {URL}, or set encoder: none.")
    if (check_name or path.name == Path(URL).name) and not file_digest(path).startswith(SHA256_START):
        raise ModelError(
            f"{path} is not the published file (its SHA-256 does not start with {SHA256_START}); "
            "the server sometimes answers with a web page: delete it and try again."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise ModelError(f"The encoder weights {path} cannot be read ({_first_line(error)}).") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(f"{path} holds no state dict; give the file {Path(URL).name}.")
    return state


def cached_weights() -> Path:
    """Return the published file in the user's cache, downloaded where it is missing.

    Raises:
        ModelError: it cannot be downloaded.
    """
    path = cache_folder().parent / "encoder" / Path(URL).name
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fetch_file(URL, path, lambda file: file_digest(file).startswith(SHA256_START))
        except Exception as error:
            raise ModelError(
                f"The ImageNet weights cannot be downloaded ({error}); download {URL} by hand and give its path as "
                "network.encoder, or set network.encoder: none to train without them."
            ) from error
    return path


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
