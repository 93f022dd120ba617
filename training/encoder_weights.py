"""ImageNet weights of the encoder: Cadene's ``se_resnext50_32x4d`` as ``pretrainedmodels`` publishes it, or a file.

Source: https://github.com/Cadene/pretrained-models.pytorch (BSD-3-Clause). 3 channels, RGB, mean 0.485/0.456/0.406 and
standard deviation 0.229/0.224/0.225 on the 0..1 scale: the model card's defaults.
"""

from __future__ import annotations

import importlib.util
import pickle
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import torch

from seru.errors import ModelError
from seru.model.download import DownloadError, download
from seru.model.network import SERU
from seru.model.store import cache_folder
from training.steps import file_digest

URL = "https://data.lip6.fr/cadene/pretrainedmodels/se_resnext50_32x4d-a260b3a4.pth"
# The same file, kept by MONAI for its tests; its list of them gives the checksum.
MIRROR = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/se_resnext50_32x4d-a260b3a4.pth"
)
SHA256 = "a260b3a40f82dfe37c58d26a612bcf7bef0d27c6fed096226b0e4e9fb364168e"


def load_encoder_weights(network: SERU, source: str) -> str:
    """Load weights into a network's encoder, or say plainly that there are none.

    Args:
        network: SE-ResNeXt50 32x4d for ImageNet weights.
        source: ``imagenet`` (downloaded once into the user's cache), ``none``, or the path of Cadene's file or of a
            state dict with its keys.

    Returns:
        What was loaded, for the record of the run.

    Raises:
        ModelError: no network and no file, a wrong checksum, or weights that do not fit.
    """
    if source == "none":
        return "none: the encoder starts from random weights, not from ImageNet"
    path = cached_weights() if source == "imagenet" else Path(source)
    state = read_encoder_weights(path, is_published=source == "imagenet")
    network.load_encoder_state_dict(state)
    found = file_digest(path)
    return f"{'ImageNet, ' if found == SHA256 else ''}{path.name}, SHA-256 {found}"


def read_encoder_weights(path: Path, is_published: bool = True) -> dict[str, torch.Tensor]:
    """Read a state dict without running any code that may be in the file.

    Args:
        path: Cadene's file.
        is_published: refuse a file whose hash is not the published one; a local file may be another training.

    Returns:
        The state dict.

    Raises:
        ModelError: the file is missing, is not what it should be, or holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(f"The encoder weights {path} do not exist; download them from {URL}, or set encoder: none.")
    if (is_published or path.name == Path(URL).name) and file_digest(path) != SHA256:
        raise ModelError(
            f"{path} is not the published file (its SHA-256 is not {SHA256}); "
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
    if path.is_file():
        return path
    said = []
    for url in (published_url(), MIRROR):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            download(url, path, sha256=SHA256)
        except (DownloadError, OSError) as error:
            said.append(str(error))
        else:
            return path
    raise ModelError(
        f"The ImageNet weights cannot be downloaded ({' '.join(said)}); download {URL} by hand and give its path as "
        "network.encoder, or set network.encoder: none to train without them."
    )


def published_url() -> str:
    """Return where ``pretrainedmodels`` has the weights, over https; our own note of it where it is not installed."""
    senet = cadene_senet()
    url = URL if senet is None else senet.pretrained_settings["se_resnext50_32x4d"]["imagenet"]["url"]
    return url.replace("http://", "https://", 1)


def cadene_senet() -> ModuleType | None:
    """Return the module ``senet`` of ``pretrainedmodels`` (networks and settings), or None where it is not installed.

    It is loaded by its path: importing the package needs torchvision and fails beside a newer torch; ``senet`` alone
    needs neither.
    """
    package = importlib.util.find_spec("pretrainedmodels")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "models" / "senet.py"
    loader = SourceFileLoader("pretrainedmodels_senet", str(path))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
