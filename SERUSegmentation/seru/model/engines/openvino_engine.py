"""The engine on OpenVINO, faster than torch on a CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from seru.errors import DeviceError, ModelError, SeruError, is_memory_error
from seru.model.architecture import STRIDE
from seru.model.card import NETWORK_STAGES, NetworkStage
from seru.model.engines.base import Engine, OutOfMemory, first_line
from seru.model.engines.conversion import converted_network
from seru.model.engines.quiet_openvino import openvino
from seru.model.store import RANGES, Model


class OpenVinoEngine(Engine):
    """Runs the stages with OpenVINO's CPU plug-in, in bf16 where the processor has it, or in 8-bit integers.

    torch is needed for the conversion of a network alone, which is kept.

    Args:
        model: card and weights.
        device: ``cpu``.
        threads: None takes all.
        in_integers: the convolutions for which the model has ranges compute in 8-bit integers.

    Raises:
        ModelError: it has none.
    """

    name = "openvino"

    def __init__(
        self, model: Model, device: str = "cpu", threads: int | None = None, in_integers: bool = False
    ) -> None:
        super().__init__(model, device)
        if in_integers and not model.has_ranges:
            raise ModelError(
                f"The model '{model.card.id}' cannot be run in 8-bit integers (it lacks {RANGES}); "
                "take --engine openvino."
            )
        self.name = "openvino-int8" if in_integers else "openvino"
        self._core = openvino.Core()
        # Pinned, the threads of several processes would share the first cores and leave the others idle.
        self._config: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
        if _has_no_bf16():
            self._config["INFERENCE_PRECISION_HINT"] = "f32"
        self._in_integers = in_integers
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._compiled: dict[NetworkStage, tuple[tuple[int, ...], openvino.InferRequest]] = {}
        self._most: int | None = None

    def predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """See :meth:`Engine.predict`."""
        rows, columns = images.shape[-2:]
        pad = ((0, 0), (0, 0), (0, -rows % STRIDE), (0, -columns % STRIDE))
        images = np.ascontiguousarray(np.pad(images, pad, mode="edge"))
        count = len(images)
        images = self._filled(images)
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
            # The other stage's network may be what takes the room; and nothing is filled up to this size again.
            self._compiled.clear()
            self._most = max(1, len(images) // 2)
            raise OutOfMemory(message)
        return output[:count, :, :rows, :columns].copy()

    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """See :meth:`Engine.batch_size`; small slices go together, large ones one by one."""
        rows, columns = shape_rc
        return int(max(1, min(8, 2 * 256 * 256 // (rows * columns))))

    def release(self, stage: NetworkStage | None = None) -> None:
        """See :meth:`Engine.release`."""
        for each in NETWORK_STAGES if stage is None else (stage,):
            self._compiled.pop(each, None)
        self._most = None

    def _filled(self, images: np.ndarray) -> np.ndarray:
        """Fill a batch up: compiling takes longer than some slices more, and a slice's result never depends on whether
        a larger batch came before."""
        size = self.batch_size(images.shape[-2:])
        missing = min(size, self._most or size) - len(images)
        return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing > 0 else images

    def _request(self, stage: NetworkStage, shape: tuple[int, ...]) -> openvino.InferRequest:
        compiled = self._compiled.get(stage)
        if compiled is None or compiled[0] != shape:
            # One static shape a stage: each compiled one holds its own copy of the weights.
            self._compiled.pop(stage, None)
            network = converted_network(self._core, self.model, stage, shape[1], self._in_integers)
            network.reshape(list(shape))
            request = self._core.compile_model(network, "CPU", self._config).create_infer_request()
            self._compiled[stage] = compiled = (shape, request)
        return compiled[1]


def _has_no_bf16() -> bool:
    """Whether oneDNN is told to leave AVX-512 alone: OpenVINO asks it for bf16 all the same, and fails."""
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "all"
    return allowed.upper() == "AVX" or allowed.upper().startswith(("SSE", "AVX2"))
