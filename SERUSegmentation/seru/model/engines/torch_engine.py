"""The engine on PyTorch: NVIDIA and Apple GPUs, and any CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from seru.errors import DeviceError, is_memory_error
from seru.memory import has_room
from seru.model.architecture import STRIDE
from seru.model.card import NETWORK_STAGES, NetworkStage
from seru.model.engines.base import Engine, OutOfMemory, first_line
from seru.model.network import StageNetwork
from seru.model.store import Model
from seru.model.weights import load_network

# Measured peak of the default architecture's activations, per pixel of a slice, in float32.
_BYTES_PER_PIXEL = 1600
_MOST_SLICES = {"cuda": 48, "mps": 8, "cpu": 4}
_CPU_BATCH_BYTES = 500e6
# What threads and compiled kernels take besides: without it torch ends in a segmentation fault.
_ROOM = 320 << 20
# The number belongs to the process; an engine that asks for none has torch's own, whatever one before it asked for.
_USUAL_THREADS = torch.get_num_threads()


class TorchEngine(Engine):
    """Runs the stages with torch: batch normalisation folded, channels last, bf16 or fp16 where the device has it."""

    name = "torch"

    def __init__(self, model: Model, device: str, threads: int | None = None) -> None:
        super().__init__(model, device)
        self.dtype = fast_dtype(device)
        self._networks: dict[str, StageNetwork] = {}
        torch.set_num_threads(threads or _USUAL_THREADS)

    def predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """See :meth:`Engine.predict`."""
        try:
            if not has_room(_ROOM + int(len(images) * self._slice_bytes(images.shape[-2:]))):
                raise MemoryError("no room for the batch")
            return self._predict(stage, images)
        except (RuntimeError, MemoryError) as error:
            if not is_memory_error(error):
                reason = first_line(error)
                raise DeviceError(f"The device {self.device} failed ({reason}); try --device cpu.") from error
            message = str(error)
        # Out of the except block: the error's traceback holds the failed batch's activations.
        self._empty_cache()
        raise OutOfMemory(message)

    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """See :meth:`Engine.batch_size`."""
        if self.device.startswith("cuda"):
            free, _ = torch.cuda.mem_get_info(self.device)
            budget = 0.6 * free
        else:
            budget = _CPU_BATCH_BYTES if self.device == "cpu" else 2e9
        most = _MOST_SLICES[self.device.partition(":")[0]]
        return int(min(max(budget // self._slice_bytes(shape_rc), 1), most))

    def release(self, stage: NetworkStage | None = None) -> None:
        """See :meth:`Engine.release`."""
        for each in NETWORK_STAGES if stage is None else (stage,):
            self._networks.pop(each, None)
        self._empty_cache()

    def _slice_bytes(self, shape_rc: Sequence[int]) -> float:
        rows, columns = (size + -size % STRIDE for size in shape_rc)
        widths = self.model.card.architecture.base_channels / 64
        return _BYTES_PER_PIXEL * rows * columns * widths * self.dtype.itemsize / 4

    @torch.inference_mode()
    def _predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(np.ascontiguousarray(images))
        with torch.backends.cudnn.flags(enabled=True, benchmark=True):
            output = self.network(stage)(batch.to(self.device, non_blocking=True))
        return output.cpu().numpy()

    def network(self, stage: NetworkStage) -> StageNetwork:
        """Return the network of a stage, loaded when it is first asked for."""
        if stage not in self._networks:
            card = self.model.card
            network = StageNetwork(load_network(self.model, stage), card.mean, card.std, self.dtype)
            # torch's stubs lack the overload with a memory format.
            network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._networks[stage] = network
        return self._networks[stage]

    def _empty_cache(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()


def fast_dtype(device: str) -> torch.dtype:
    """Return the fastest number format that a device computes natively and that has float32's range.

    Args:
        device: ``cpu``, ``cuda:N`` or ``mps``.

    Returns:
        bfloat16 on GPUs and CPUs that have it, else float32. float16 is left out: weights trained in float32 may
        overflow in it.
    """
    if device.startswith("cuda"):
        # Before Ampere, torch emulates bfloat16, slower than float32.
        return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= 8 else torch.float32
    if device == "cpu" and _cpu_has_bf16():
        return torch.bfloat16
    return torch.float32


def _cpu_has_bf16() -> bool:
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)
