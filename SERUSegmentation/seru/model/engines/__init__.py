"""Engines run a stage's network on batches of slices; one small interface, several back ends."""

from __future__ import annotations

import importlib.util
import os
from types import ModuleType

from seru.errors import NO_MEMORY, DeviceError, SeruError, is_memory_error
from seru.model.engines.base import Engine, first_line
from seru.model.store import Model
from seru.options import EngineName
from seru.packages import package_error

__all__ = ["Engine", "check_engine", "make_engine", "resolve_device"]

# A network of fewer channels runs in less time than OpenVINO takes to compile it.
_SMALL_CHANNELS = 32


def make_engine(model: Model, engine: EngineName = "auto", device: str = "auto", threads: int | None = None) -> Engine:
    """Build the engine for a device.

    Args:
        model: card and weights.
        engine: ``auto`` takes OpenVINO on a CPU where it is installed, else torch, and torch for small networks, which
            run in less time than OpenVINO takes to compile them.
        device: ``auto`` takes a GPU where there is one, else the CPU.
        threads: CPU threads; None takes all, and there are no more than the CPU has.

    Returns:
        The engine; it has loaded nothing yet.

    Raises:
        DeviceError: the device or the engine is not on this computer.
        MissingPackageError: torch is not installed.
    """
    check_engine(engine, device)
    device = "cpu" if engine == "openvino" else resolve_device(device)
    threads = threads and min(threads, os.cpu_count() or 1)
    is_small = model.card.architecture.base_channels < _SMALL_CHANNELS
    if engine == "openvino" or (engine == "auto" and device == "cpu" and _has_openvino() and not is_small):
        return _openvino_engine(model, device, threads)
    _import_torch()
    from seru.model.engines.torch_engine import TorchEngine

    return TorchEngine(model, device, threads)


def check_engine(engine: EngineName, device: str) -> None:
    """Check, before any work, that engine and device are on this computer; where both are open nothing is loaded.

    Args:
        engine: as for :func:`make_engine`.
        device: as for :func:`make_engine`.

    Raises:
        DeviceError: the device or the engine is not on this computer.
        MissingPackageError: torch, which alone knows of a device, is not installed.
    """
    if engine == "openvino" and not _has_openvino():
        raise DeviceError("The engine openvino is not installed; run 'pip install openvino' or take --engine torch.")
    if engine == "openvino" and device not in ("auto", "cpu"):
        raise DeviceError(f"The engine openvino runs on the CPU only, not on {device}; take --engine torch.")
    if device != "auto":
        resolve_device(device)


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def resolve_device(device: str) -> str:
    """Return the device to run on.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Returns:
        ``cpu``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: the device is not on this computer, or torch cannot be loaded.
        MissingPackageError: torch is not installed.
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


def _openvino_engine(model: Model, device: str, threads: int | None) -> Engine:
    try:
        from seru.model.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(model, device, threads)
    except (ImportError, OSError, RuntimeError) as error:
        raise _not_started("OpenVINO", error, "take --engine torch") from error


def _import_torch() -> ModuleType:
    try:
        import torch
    except (ImportError, OSError) as error:
        raise _not_started("PyTorch", error, "install it first") from error
    return torch


def _not_started(library: str, error: Exception, advice: str) -> SeruError:
    if is_memory_error(error):
        return DeviceError(NO_MEMORY)
    missing = package_error(error) if isinstance(error, ModuleNotFoundError) else None
    return missing or DeviceError(f"{library} cannot be imported ({first_line(error)}); {advice}.")
