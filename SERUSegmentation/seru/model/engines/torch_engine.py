"""The engine on PyTorch: NVIDIA and Apple GPUs, and any CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch

from seru.errors import DeviceError, is_memory_error
from seru.memory import has_room
from seru.model.architecture import STRIDE
from seru.model.card import NETWORK_STAGES, NetworkStage
from seru.model.engines.base import Engine, OutOfMemory, first_line
from seru.model.engines.cuda_graph import CapturedNetwork
from seru.model.network import StageNetwork
from seru.model.store import Model
from seru.model.weights import load_network

# Measured peak of the default architecture's activations, per pixel of a slice, in float32.
_BYTES_PER_PIXEL = 1600
_CPU_BATCH_BYTES = 500e6
# What threads and compiled kernels take besides: without it torch ends in a segmentation fault.
_ROOM = 320 << 20
# Kept for boxes of other sizes; they share their memory.
_MOST_CAPTURED = 4
# The first generation of NVIDIA's GPUs with 16-bit matrix units.
_VOLTA = 7
# The number belongs to the process; an engine that asks for none has torch's own, whatever one before it asked for.
_USUAL_THREADS = torch.get_num_threads()

T = TypeVar("T")


@dataclass(frozen=True)
class TorchWay:
    """How the networks run on a kind of device; ``python -m benchmarks.gpu`` measures others.

    Attributes:
        most_slices: in a batch.
        is_filled: each batch has as many slices as fit, the last one too: one shape has one choice of kernels, one
            captured network, and one result for a slice, whatever comes with it.
        is_captured: the network is captured as a CUDA graph, and replayed.
        chooses_kernels: cuDNN tries all of its kernels for each new shape.
        is_exact: float32 is not rounded to TF32.
        is_channels_last: a pixel's channels lie together.
        batches_ahead: see :attr:`Engine.batches_ahead`.
    """

    most_slices: int
    is_filled: bool = False
    is_captured: bool = False
    chooses_kernels: bool = False
    is_exact: bool = False
    is_channels_last: bool = True
    batches_ahead: int = 0


WAYS = {
    # Choosing kernels gains nothing that could be measured on an H200, and takes a second for each new size of box.
    "cuda": TorchWay(most_slices=32, is_filled=True, is_captured=True, batches_ahead=1),
    "mps": TorchWay(most_slices=8),
    "cpu": TorchWay(most_slices=4),
}


class TorchEngine(Engine):
    """Runs the stages with torch: batch normalisation folded, channels last, 16 bits where the device has them.

    float16 overflows where bfloat16 does not: a batch whose scores do is run again in float32, and so is all after it.

    Args:
        model: card and weights.
        device: ``cpu``, ``cuda:N`` or ``mps``.
        threads: of the CPU; None takes torch's own number.
        way: how the networks run; None takes the device's own.
    """

    name = "torch"

    def __init__(self, model: Model, device: str, threads: int | None = None, way: TorchWay | None = None) -> None:
        super().__init__(model, device)
        self.dtype = fast_dtype(device)
        self.way = way or WAYS[device.partition(":")[0]]
        self.batches_ahead = self.way.batches_ahead
        self._is_cuda = device.startswith("cuda")
        self._networks: dict[str, StageNetwork] = {}
        self._captured: dict[tuple[str, torch.Size], CapturedNetwork] = {}
        self._sizes: dict[tuple[int, ...], int] = {}
        torch.set_num_threads(threads or _USUAL_THREADS)

    def predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """See :meth:`Engine.predict`."""
        return self.start(stage, images)()

    def start(self, stage: NetworkStage, images: np.ndarray) -> Callable[[], np.ndarray]:
        """See :meth:`Engine.start`; a CPU has run the batch when this returns."""
        shape_rc = images.shape[-2:]
        while True:
            size = max(len(images), self.batch_size(shape_rc) if self.way.is_filled else 0)
            try:
                started = self._guarded(lambda size=size: self._start(stage, images, size))  # type: ignore[misc]
                break
            except OutOfMemory:
                self._sizes[shape_rc] = max(1, size // 2)
                # What it was filled up with may have been too much.
                if size == len(images):
                    raise
        is_half = self.dtype == torch.float16

        def finish() -> np.ndarray:
            result = self._guarded(started)
            # No number becomes 255 in both classes; together they are then more than 255, which wraps around.
            if not is_half or not np.any(result[:, 0] + result[:, 1] < result[:, 0]):
                return result
            if self.dtype == torch.float16:
                self.release()
                self.dtype = torch.float32
            return self.predict(stage, images)

        return finish

    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """See :meth:`Engine.batch_size`; the first answer stands until it proves too large."""
        shape_rc = tuple(shape_rc)
        if shape_rc not in self._sizes:
            if self._is_cuda:
                free, _ = torch.cuda.mem_get_info(self.device)
                budget = 0.6 * free
            else:
                budget = _CPU_BATCH_BYTES if self.device == "cpu" else 2e9
            self._sizes[shape_rc] = int(min(max(budget // self._slice_bytes(shape_rc), 1), self.way.most_slices))
        return self._sizes[shape_rc]

    def release(self, stage: NetworkStage | None = None) -> None:
        """See :meth:`Engine.release`."""
        for each in NETWORK_STAGES if stage is None else (stage,):
            self._networks.pop(each, None)
        self._forget_captured()
        if stage is None:
            self._sizes.clear()
        self._empty_cache()

    def network(self, stage: NetworkStage) -> StageNetwork:
        """Return the network of a stage, loaded when it is first asked for."""
        if stage not in self._networks:
            card = self.model.card
            layout = torch.channels_last if self.way.is_channels_last else torch.contiguous_format
            network = StageNetwork(load_network(self.model, stage), card.mean, card.std, self.dtype, layout)
            # torch's stubs lack the overload with a memory format.
            network = network.to(self.device, memory_format=layout)  # type: ignore[call-overload]
            self._networks[stage] = network
        return self._networks[stage]

    @torch.inference_mode()
    def _start(self, stage: NetworkStage, images: np.ndarray, size: int) -> Callable[[], np.ndarray]:
        # Activations lie in the device's own memory.
        if not has_room(_ROOM + (0 if self._is_cuda else int(size * self._slice_bytes(images.shape[-2:])))):
            raise MemoryError("no room for the batch")
        way, count = self.way, len(images)
        # From pinned memory and into it copies do not wait. What fills the batch up is never looked at.
        batch = torch.empty((size, *images.shape[1:]), dtype=torch.uint8, pin_memory=self._is_cuda)
        batch[:count] = torch.from_numpy(np.ascontiguousarray(images))
        with torch.backends.cudnn.flags(enabled=True, benchmark=way.chooses_kernels, allow_tf32=not way.is_exact):
            if not self._is_cuda:
                result = self.network(stage)(batch.to(self.device)).cpu().numpy()
                return lambda: result[:count]
            with torch.cuda.device(self.device):
                output = self._on_cuda(stage, batch)
                there = torch.empty(output.shape, dtype=torch.uint8, pin_memory=True)
                there.copy_(output, non_blocking=True)
                event = torch.cuda.Event()
                event.record()

        def finish() -> np.ndarray:
            event.synchronize()
            return there[:count].numpy()

        return finish

    def _on_cuda(self, stage: NetworkStage, batch: torch.Tensor) -> torch.Tensor:
        network = self.network(stage)
        if not self.way.is_captured:
            return network(batch.to(self.device, non_blocking=True))
        key = stage, batch.shape
        if key not in self._captured:
            if len(self._captured) == _MOST_CAPTURED:
                self._forget_captured()
            try:
                other = next(iter(self._captured.values()), None)
                self._captured[key] = CapturedNetwork(network, batch, other)
            except RuntimeError as error:
                if is_memory_error(error):
                    raise
                # Not every driver can: the same kernels, started one by one.
                self.way = replace(self.way, is_captured=False)
                return network(batch.to(self.device))
        return self._captured[key](batch)

    def _forget_captured(self) -> None:
        if self._captured:
            torch.cuda.synchronize(self.device)
            self._captured.clear()

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (RuntimeError, MemoryError) as error:
            if not is_memory_error(error):
                reason = first_line(error)
                raise DeviceError(f"The device {self.device} failed ({reason}); try --device cpu.") from error
            message = str(error)
        # Out of the except block: the error's traceback holds the failed batch's activations.
        self._forget_captured()
        self._empty_cache()
        raise OutOfMemory(message)

    def _slice_bytes(self, shape_rc: Sequence[int]) -> float:
        rows, columns = (size + -size % STRIDE for size in shape_rc)
        widths = self.model.card.architecture.base_channels / 64
        return _BYTES_PER_PIXEL * rows * columns * widths * self.dtype.itemsize / 4

    def _empty_cache(self) -> None:
        if self._is_cuda:
            torch.cuda.empty_cache()


def fast_dtype(device: str) -> torch.dtype:
    """Return the fastest number format that a device computes natively.

    Args:
        device: ``cpu``, ``cuda:N`` or ``mps``.

    Returns:
        float16 on GPUs with 16-bit matrix units: as fast as bfloat16 and nearer to float32, measured on an H200 (Dice
        0.9998 and 0.9987). bfloat16, with float32's range, on CPUs that have it; else float32.
    """
    if device.startswith("cuda") and torch.cuda.get_device_capability(device)[0] >= _VOLTA:
        return torch.float16
    if device == "cpu" and _cpu_has_bf16():
        return torch.bfloat16
    return torch.float32


def _cpu_has_bf16() -> bool:
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)
