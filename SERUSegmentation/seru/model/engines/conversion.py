"""Networks converted to OpenVINO: made, kept in the per-user cache, verified before they are taken again.

Converting takes longer than segmenting a short scan. What is kept carries its own checksum, which tells damage; it does
not tell what somebody wrote who may write into the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from seru.errors import BadInputError, DeviceError, is_memory_error
from seru.files import replacing
from seru.model.architecture import STRIDE
from seru.model.card import NetworkStage
from seru.model.engines.base import first_line
from seru.model.engines.devices import import_torch
from seru.model.engines.quiet_openvino import openvino
from seru.model.store import RANGES, Model, cache_folder

# Raised whenever what StageNetwork computes, or the file, changes: older conversions are not taken then.
_FORMAT = 3
_DIGEST, _LENGTH = 32, 8
# A conversion holds the weights in 16 bits, the model's file in 8 at least; the network's own text is shorter.
_GROWTH, _LONGEST_TEXT = 4, 1 << 25


class _Files(NamedTuple):
    """The two files that OpenVINO makes of a network."""

    xml: bytes
    weights: bytes

    def pack(self, name: str) -> bytes:
        """One file of both, so that one always belongs to the other, and to the name of the file."""
        content = len(self.xml).to_bytes(_LENGTH, "little") + self.xml + self.weights
        return _digest(name, content) + content

    @classmethod
    def unpack(cls, name: str, packed: bytes) -> _Files:
        """Both files; ValueError where they are damaged, or were packed under another name."""
        content = memoryview(packed)[_DIGEST:]
        if _digest(name, content) != packed[:_DIGEST]:
            raise ValueError("the checksum differs")
        end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
        return cls(bytes(content[_LENGTH:end]), bytes(content[end:]))


def converted_network(
    core: openvino.Core, model: Model, stage: NetworkStage, channels: int, in_integers: bool = False
) -> openvino.Model:
    """Return a stage's network for OpenVINO, from the cache or made anew; both are the same to the last bit.

    Args:
        core: reads it.
        model: card and weights; they are verified.
        stage: ``coarse`` or ``refine``.
        channels: 1 or 3, of the images.
        in_integers: its convolutions compute in 8-bit integers.

    Returns:
        The network, of any batch size, height and width that are multiples of 32.

    Raises:
        ModelError: the weights are missing, damaged or do not fit the card.
        DeviceError: no folder can hold the conversion.
    """
    weights = model.weight_file(stage)
    path = _cached_path(model, stage, channels, in_integers)
    # No file, a damaged one, or one that this OpenVINO cannot read: made anew.
    with suppress(OSError, ValueError, RuntimeError):
        return core.read_model(*_read(path, _GROWTH * weights.stat().st_size + _LONGEST_TEXT))
    files, network = _written_and_read(core, convert(model, stage, channels, in_integers), path.parent)
    with suppress(OSError, BadInputError):  # no room or no rights: made again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(files.pack(path.name))
    return network


def convert(model: Model, stage: NetworkStage, channels: int, in_integers: bool = False) -> openvino.Model:
    """Convert a stage's network to OpenVINO.

    Args:
        model: card and weights.
        stage: ``coarse`` or ``refine``.
        channels: 1 or 3, of the images.
        in_integers: its convolutions compute in 8-bit integers, within the model's ranges.

    Returns:
        The network, in float32.

    Raises:
        ModelError: the weights or the ranges are missing, damaged or do not fit the card.
    """
    torch = import_torch()
    from seru.model.network import StageNetwork
    from seru.model.quantised import quantise_convolutions
    from seru.model.weights import load_network

    network = StageNetwork(load_network(model, stage), model.card.mean, model.card.std).eval()
    if in_integers:
        quantise_convolutions(network.network, model.read_ranges(stage))
    example = torch.zeros(1, channels, 2 * STRIDE, 2 * STRIDE, dtype=torch.uint8)
    with warnings.catch_warnings():
        # Tracing takes the branches of an already padded image, which is what predict gives.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # tracing is torch's old way
        # OpenVINO would trace twice and compare.
        traced = torch.jit.trace(network, example, check_trace=False)
        shape = openvino.PartialShape([-1, channels, -1, -1])
        return openvino.convert_model(traced, example_input=example, input=[shape])


def _written_and_read(core: openvino.Core, network: openvino.Model, cache: Path) -> tuple[_Files, openvino.Model]:
    """Write a network in 16 bits and read it again: the first run computes with the numbers of every later one."""
    try:
        return _through(core, network, None)
    except (OSError, RuntimeError) as error:
        if is_memory_error(error):
            raise
        reason = error
    with suppress(OSError, RuntimeError):
        cache.mkdir(parents=True, exist_ok=True)
        return _through(core, network, cache)
    advice = "set TMPDIR to a folder with room, or take --engine torch"
    raise DeviceError(f"OpenVINO's network cannot be written ({first_line(reason)}); {advice}.") from reason


def _through(core: openvino.Core, network: openvino.Model, place: Path | None) -> tuple[_Files, openvino.Model]:
    """The files of a network, and the network that OpenVINO reads out of them; None is the system's own place."""
    with tempfile.TemporaryDirectory(prefix="seru-", dir=place) as folder:
        path = Path(folder) / "network.xml"
        openvino.save_model(network, path, compress_to_fp16=True)
        files = _Files(path.read_bytes(), path.with_suffix(".bin").read_bytes())
    return files, core.read_model(*files)


def _read(path: Path, most_bytes: int) -> _Files:
    if not path.is_file():
        raise FileNotFoundError(path)
    with open(path, "rb") as file:
        return _Files.unpack(path.name, file.read(most_bytes))


def _digest(name: str, content: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(name.encode())
    digest.update(content)
    return digest.digest()


def _cached_path(model: Model, stage: NetworkStage, channels: int, in_integers: bool = False) -> Path:
    card = model.card
    checksum = card.files[f"{stage}.safetensors"]["sha256"]
    ranges = card.files[RANGES]["sha256"] if in_integers else None
    # All that the conversion bakes in.
    baked = [
        _FORMAT,
        checksum,
        ranges,
        channels,
        card.mean,
        card.std,
        card.architecture.to_dict(),
        openvino.__version__,
    ]
    name = hashlib.sha256(json.dumps(baked).encode()).hexdigest()[:24]
    return cache_folder().parent / "openvino" / f"{name}.network"
