"""The engine on OpenVINO: about twice as fast as torch on a CPU."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import openvino

from seru.errors import DeviceError
from seru.model.architecture import STRIDE
from seru.model.card import NetworkStage
from seru.model.engines.base import Engine, OutOfMemory, memory_error
from seru.model.store import Model, cache_folder

# Raised whenever what StageNetwork computes changes: older conversions are not taken then.
_FORMAT = 1


class OpenVinoEngine(Engine):
    """Runs the stages with OpenVINO's CPU plug-in, in bf16 where the processor has it.

    Converting a network takes longer than segmenting a short scan: the result is kept in the per-user cache, named by
    the checksum of the weights. torch is needed for the conversion alone.
    """

    name = "openvino"

    def __init__(self, model: Model, device: str = "cpu", threads: int | None = None) -> None:
        super().__init__(model, device)
        self._core = openvino.Core()
        self._config: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._compiled: dict[tuple[str, tuple[int, ...]], openvino.InferRequest] = {}

    def predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """See :meth:`Engine.predict`."""
        rows, columns = images.shape[-2:]
        pad = ((0, 0), (0, 0), (0, -rows % STRIDE), (0, -columns % STRIDE))
        images = np.ascontiguousarray(np.pad(images, pad, mode="edge"))
        count = len(images)
        images = self._filled(stage, images)
        try:
            output = self._request(stage, images.shape).infer({0: images})[0]
        except (RuntimeError, MemoryError) as error:
            if not memory_error(error):
                reason = str(error).strip().partition("\n")[0][:200]
                raise DeviceError(f"OpenVINO failed ({reason}); try --engine torch.") from error
            message = str(error)
            output = None
        if output is None:
            self._compiled.clear()  # or a smaller batch would be filled up to this one again
            raise OutOfMemory(message)
        return output[:count, :, :rows, :columns].copy()

    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """See :meth:`Engine.batch_size`; small slices go together, large ones one by one."""
        rows, columns = shape_rc
        return int(max(1, min(8, 2 * 256 * 256 // (rows * columns))))

    def release(self) -> None:
        """See :meth:`Engine.release`."""
        self._compiled.clear()

    def _filled(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """Fill a scan's last batch up to the compiled size: compiling takes longer than some slices more."""
        for of_stage, shape in self._compiled:
            missing = shape[0] - len(images)
            if of_stage == stage and shape[1:] == images.shape[1:] and missing > 0:
                return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)])
        return images

    def _request(self, stage: NetworkStage, shape: tuple[int, ...]) -> openvino.InferRequest:
        key = (stage, shape)
        if key not in self._compiled:
            # One static shape at a time: each compiled one holds its own copy of the weights.
            self._compiled.clear()
            network = self._read(stage, shape[1])
            network.reshape(list(shape))
            self._compiled[key] = self._core.compile_model(network, "CPU", self._config).create_infer_request()
        return self._compiled[key]

    def _read(self, stage: NetworkStage, channels: int) -> openvino.Model:
        self.model.weight_file(stage)  # verifies the weights, also where the conversion is cached
        path = self._cached_path(stage, channels)
        if path.is_file():
            with suppress(RuntimeError):
                return self._core.read_model(path)
        network = convert(self.model, stage, channels)
        with suppress(OSError, RuntimeError):  # no room or no rights: convert again next time
            _save(network, path)
        return network

    def _cached_path(self, stage: NetworkStage, channels: int) -> Path:
        card = self.model.card
        checksum = card.files[f"{stage}.safetensors"]["sha256"]
        # All that the conversion bakes in.
        baked = [_FORMAT, checksum, channels, card.mean, card.std, card.architecture.to_dict(), openvino.__version__]
        name = hashlib.sha256(json.dumps(baked).encode()).hexdigest()[:24]
        return cache_folder().parent / "openvino" / f"{name}.xml"


def convert(model: Model, stage: NetworkStage, channels: int) -> openvino.Model:
    """Convert a stage's network to OpenVINO.

    Args:
        model: card and weights.
        stage: ``coarse`` or ``refine``.
        channels: 1 or 3, of the images.

    Returns:
        The network, of any batch size, height and width that are multiples of 32.

    Raises:
        ModelError: the weights are missing, damaged or do not fit the card.
    """
    import warnings

    import torch

    from seru.model.network import StageNetwork
    from seru.model.weights import load_network

    network = StageNetwork(load_network(model, stage), model.card.mean, model.card.std).eval()
    example = torch.zeros(1, channels, 2 * STRIDE, 2 * STRIDE, dtype=torch.uint8)
    with warnings.catch_warnings():
        # Tracing takes the branches of an already padded image, which is what predict gives.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # OpenVINO's own way to trace
        shape = openvino.PartialShape([-1, channels, -1, -1])
        return openvino.convert_model(network, example_input=example, input=[shape])


def _save(network: openvino.Model, path: Path) -> None:
    """Write both files of a network; the one that is looked for comes last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        openvino.save_model(network, Path(folder) / path.name, compress_to_fp16=True)
        for name in (path.with_suffix(".bin").name, path.name):
            os.replace(Path(folder) / name, path.parent / name)
