"""The engines' interface, and which engine runs where."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from seru.errors import DeviceError
from seru.model.store import Model
from seru.options import EngineName

_SMALL_CHANNELS = 32


class OutOfMemory(Exception):  # noqa: N818 - a signal to the batch loop, not an error for users
    """The device has too little memory for this batch."""


class Engine(ABC):
    """Runs both stages of a model on one device.

    A stage's network is loaded at its first batch and stays until :meth:`release`.

    Args:
        model: card and weights.
        device: ``cpu``, ``cuda:N`` or ``mps``.
    """

    name: str

    def __init__(self, model: Model, device: str) -> None:
        self.model = model
        self.device = device

    @abstractmethod
    def predict(self, stage: str, images: np.ndarray) -> np.ndarray:
        """Return the foreground probabilities of a batch of slices.

        Args:
            stage: ``coarse`` or ``refine``.
            images: uint8, shape (B, 1, H, W) or (B, 3, H, W), pre-processed.

        Returns:
            uint8, shape (B, 2, H, W): kidney and tumor probability times 255.

        Raises:
            OutOfMemory: the batch is too large for the device.
            DeviceError: the device failed.
        """

    @abstractmethod
    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """Return how many slices of a size fit into the free memory at once, at least 1.

        Args:
            shape_rc: rows and columns of the images.
        """

    @abstractmethod
    def release(self) -> None:
        """Free the networks and the device's memory."""


def make_engine(model: Model, engine: EngineName = "auto", device: str = "auto", threads: int | None = None) -> Engine:
    """Build the engine for a device.

    Args:
        model: card and weights.
        engine: ``auto`` takes OpenVINO on a CPU where it is installed, else torch, and torch for small networks, which
            run in less time than OpenVINO takes to compile them.
        device: ``auto`` takes a GPU where there is one, else the CPU.
        threads: CPU threads; None takes all.

    Returns:
        The engine; it has loaded nothing yet.

    Raises:
        DeviceError: the device or the engine is not on this computer.
    """
    device = "cpu" if engine == "openvino" and device == "auto" else resolve_device(device)
    has_openvino = importlib.util.find_spec("openvino") is not None
    if engine == "openvino" and not has_openvino:
        raise DeviceError("The engine openvino is not installed; run 'pip install openvino' or take --engine torch.")
    if engine == "openvino" and device != "cpu":
        raise DeviceError(f"The engine openvino runs on the CPU only, not on {device}; take --engine torch.")
    is_small = model.card.architecture.base_channels < _SMALL_CHANNELS
    if engine == "openvino" or (engine == "auto" and device == "cpu" and has_openvino and not is_small):
        from seru.model.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(model, device, threads)
    from seru.model.engines.torch_engine import TorchEngine

    return TorchEngine(model, device, threads)


def resolve_device(device: str) -> str:
    """Return the device to run on.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Returns:
        ``cpu``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: the device is not on this computer, or torch is not installed.
    """
    if device == "cpu":
        return device
    torch = _import_torch()
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        if cuda:
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if device == "mps" and torch.backends.mps.is_available():
        return device
    if device.startswith("cuda"):
        number = int(device.partition(":")[2] or 0)
        if number < cuda:
            return f"cuda:{number}"
    available = ", ".join(["cpu", *(f"cuda:{n}" for n in range(cuda))])
    raise DeviceError(f"The device '{device}' is not on this computer (there is {available}); take --device auto.")


def memory_error(error: BaseException) -> bool:
    """Tell whether an error means that a device or the computer has too little memory.

    Args:
        error: any exception.

    Returns:
        True for MemoryError, torch's out-of-memory error and the allocators' messages.
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        sign in text for sign in ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")
    )


def _import_torch() -> ModuleType:
    try:
        import torch
    except ImportError as error:
        raise DeviceError(f"PyTorch cannot be imported ({error}); install it first.") from error
    return torch
