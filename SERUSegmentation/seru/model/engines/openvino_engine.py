"""The engine on OpenVINO: about twice as fast as torch on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seru.errors import DeviceError, SeruError, is_memory_error
from seru.model.architecture import STRIDE
from seru.model.card import NetworkStage
from seru.model.engines.base import Engine, OutOfMemory, first_line
from seru.model.engines.conversion import converted_network
from seru.model.engines.quiet_openvino import openvino
from seru.model.store import Model


class OpenVinoEngine(Engine):
    """Runs the stages with OpenVINO's CPU plug-in, in bf16 where the processor has it.

    torch is needed for the conversion of a network alone, which is kept.
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
        except SeruError:
            raise
        except Exception as error:
            if not is_memory_error(error):
                raise DeviceError(f"OpenVINO failed ({first_line(error)}); try --engine torch.") from error
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
            network = converted_network(self._core, self.model, stage, shape[1])
            network.reshape(list(shape))
            self._compiled[key] = self._core.compile_model(network, "CPU", self._config).create_infer_request()
        return self._compiled[key]
