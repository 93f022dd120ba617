"""Engines run a stage's network on batches of slices; one small interface, several back ends."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager

from seru.errors import DeviceError
from seru.model.engines.base import Engine
from seru.model.engines.devices import import_torch, not_started, prefers_integers, resolve_device
from seru.model.store import Model
from seru.options import EngineName

_OPENVINO = ("openvino", "openvino-int8")

__all__ = ["Engine", "check_engine", "import_openvino", "make_engine", "resolve_device", "resolve_engine"]


def make_engine(model: Model, engine: EngineName = "auto", device: str = "auto", threads: int | None = None) -> Engine:
    """Build the engine for a device.

    Args:
        model: card and weights.
        engine: ``auto`` takes OpenVINO on a CPU where it is installed, in 8-bit integers where the model has ranges for
            them and the CPU is of x86-64 without AMX; else torch.
        device: ``auto`` takes a GPU where there is one, else the CPU.
        threads: CPU threads; None takes all, and there are no more than the CPU has.

    Returns:
        The engine; it has loaded nothing yet.

    Raises:
        DeviceError: the device or the engine is not on this computer.
        MissingPackageError: torch is not installed.
        ModelError: the model cannot be run in 8-bit integers.
    """
    check_engine(engine, device)
    taken, device = resolve_engine(engine, device, model.has_ranges)
    threads = threads and min(threads, os.cpu_count() or 1)
    if taken in _OPENVINO:
        return _openvino_engine(model, device, threads, taken == "openvino-int8")
    import_torch()
    from seru.model.engines.torch_engine import TorchEngine

    return TorchEngine(model, device, threads)


def resolve_engine(
    engine: EngineName = "auto", device: str = "auto", has_ranges: bool = False
) -> tuple[EngineName, str]:
    """Return which engine runs, and where; where torch's build rules a GPU out nothing is loaded.

    Args:
        engine: as for :func:`make_engine`.
        device: as for :func:`make_engine`.
        has_ranges: the model that it runs has ranges for 8-bit integers.

    Returns:
        ``torch``, ``openvino`` or ``openvino-int8``, and ``cpu``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: the device is not on this computer.
        MissingPackageError: torch, which alone knows of a device, is not installed.
    """
    device = "cpu" if engine in _OPENVINO else resolve_device(device)
    if engine in _OPENVINO:
        return engine, device
    if engine == "auto" and device == "cpu" and _has_openvino():
        return "openvino-int8" if has_ranges and prefers_integers() else "openvino", device
    return "torch", device


def check_engine(engine: EngineName, device: str) -> None:
    """Check, before any work, that engine and device are on this computer; where both are open nothing is loaded.

    Args:
        engine: as for :func:`make_engine`.
        device: as for :func:`make_engine`.

    Raises:
        DeviceError: the device or the engine is not on this computer.
        MissingPackageError: torch, which alone knows of a device, is not installed.
    """
    if engine in _OPENVINO and not _has_openvino():
        raise DeviceError(f"The engine {engine} is not installed; run 'pip install openvino' or take --engine torch.")
    if engine in _OPENVINO and device not in ("auto", "cpu"):
        raise DeviceError(f"The engine {engine} runs on the CPU only, not on {device}; take --engine torch.")
    if device != "auto":
        resolve_device(device)


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def import_openvino() -> None:
    """Load OpenVINO, without its telemetry.

    Raises:
        DeviceError: it cannot be loaded.
        MissingPackageError: it is not installed.
    """
    with _openvino_starts():
        import seru.model.engines.openvino_engine  # noqa: F401 - what counts is whether it loads


def _openvino_engine(model: Model, device: str, threads: int | None, in_integers: bool) -> Engine:
    with _openvino_starts():
        from seru.model.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(model, device, threads, in_integers)


@contextmanager
def _openvino_starts() -> Iterator[None]:
    try:
        yield
    except (ImportError, OSError, RuntimeError) as error:
        raise not_started(
            "OpenVINO", error, "install the package openvino again, remove it, or take --engine torch"
        ) from error
