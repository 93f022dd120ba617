"""The engine on OpenVINO: about twice as fast as torch on a CPU."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import openvino
import torch

from seru.engines.base import Engine, OutOfMemory, memory_error
from seru.errors import DeviceError
from seru.models import Model
from seru.network import STRIDE, StageNetwork
from seru.weights import load_network


class OpenVinoEngine(Engine):
    """Runs the stages with OpenVINO's CPU plug-in, in bf16 where the processor has it."""

    name = "openvino"

    def __init__(self, model: Model, device: str = "cpu", threads: int | None = None) -> None:
        super().__init__(model, device)
        self._core = openvino.Core()
        self._config: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._models: dict[tuple[str, int], openvino.Model] = {}
        self._compiled: dict[tuple[str, tuple[int, ...]], openvino.InferRequest] = {}

    def predict(self, stage: str, images: np.ndarray) -> np.ndarray:
        """See :meth:`Engine.predict`."""
        rows, columns = images.shape[-2:]
        pad = ((0, 0), (0, 0), (0, -rows % STRIDE), (0, -columns % STRIDE))
        images = np.ascontiguousarray(np.pad(images, pad, mode="edge"))
        try:
            request = self._request(stage, images.shape)
            output = request.infer({0: images})[0]
        except (RuntimeError, MemoryError) as error:
            if memory_error(error):
                raise OutOfMemory(str(error)) from error
            raise DeviceError(f"OpenVINO failed ({str(error).splitlines()[0][:200]}); try --engine torch.") from error
        return output[..., :rows, :columns].copy()

    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """See :meth:`Engine.batch_size`; small slices go together, large ones one by one."""
        rows, columns = shape_rc
        return int(max(1, min(8, 2 * 256 * 256 // (rows * columns))))

    def release(self) -> None:
        """See :meth:`Engine.release`."""
        self._compiled.clear()
        self._models.clear()

    def _request(self, stage: str, shape: tuple[int, ...]) -> openvino.InferRequest:
        key = (stage, shape)
        if key not in self._compiled:
            # One static shape at a time: each compiled one holds its own copy of the weights.
            self._compiled.clear()
            model = self._model(stage, shape[1]).clone()
            model.reshape(list(shape))
            self._compiled[key] = self._core.compile_model(model, "CPU", self._config).create_infer_request()
        return self._compiled[key]

    def _model(self, stage: str, channels: int) -> openvino.Model:
        key = (stage, channels)
        if key not in self._models:
            card = self.model.card
            network = StageNetwork(load_network(self.model, stage), card.mean, card.std)
            example = torch.zeros(1, channels, 2 * STRIDE, 2 * STRIDE, dtype=torch.uint8)
            shape = openvino.PartialShape([-1, channels, -1, -1])
            self._models.clear()
            with warnings.catch_warnings():
                # Tracing takes the branches of an already padded image, which is what predict gives.
                warnings.simplefilter("ignore", torch.jit.TracerWarning)
                warnings.simplefilter("ignore", DeprecationWarning)  # OpenVINO's own way to trace
                self._models[key] = openvino.convert_model(network.eval(), example_input=example, input=[shape])
        return self._models[key]
