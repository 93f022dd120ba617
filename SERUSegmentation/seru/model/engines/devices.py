"""The device that torch runs on, found without importing torch where its build knows none but the CPU."""

from __future__ import annotations

import ctypes
import platform
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from seru.errors import NO_MEMORY, DeviceError, SeruError, is_memory_error
from seru.model.engines.base import first_line
from seru.packages import package_error


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
    if device == "cpu" or (device == "auto" and not may_have_gpu()):
        return "cpu"
    torch = import_torch()
    cuda = count_gpus()
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


def count_gpus() -> int:
    """Return how many CUDA devices torch can run on.

    Raises:
        DeviceError: torch cannot be loaded.
        MissingPackageError: torch is not installed.
    """
    if not may_have_gpu():
        return 0
    torch = import_torch()
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def may_have_gpu() -> bool:
    """Tell whether torch could find a GPU; importing it, which takes seconds, is then the way to know.

    Returns:
        False where torch was built for the CPU alone, or for CUDA and NVIDIA's driver is not installed.
    """
    if sys.platform == "darwin":
        return True
    build = _torch_build()
    if build is None or build.get("hip"):
        return True
    return bool(build.get("cuda")) and _has_nvidia_driver()


def prefers_integers() -> bool:
    """Tell whether 8-bit integers are what networks run fastest in on this CPU.

    Returns:
        True on x86-64 without AMX, where it was measured; Linux alone tells of AMX.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return "amx_tile" not in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True


def import_torch() -> ModuleType:
    """Import torch.

    Returns:
        The package.

    Raises:
        DeviceError: it cannot be loaded.
        MissingPackageError: it is not installed.
    """
    try:
        import torch
    except (ImportError, OSError) as error:
        raise not_started("PyTorch", error, "install it first") from error
    return torch


def not_started(library: str, error: Exception, advice: str) -> SeruError:
    """Return the error of a library that cannot be loaded.

    Args:
        library: its name.
        error: what its import raised.
        advice: what to do.

    Returns:
        A DeviceError, or a MissingPackageError where it is not installed.
    """
    if is_memory_error(error):
        return DeviceError(NO_MEMORY)
    missing = package_error(error) if isinstance(error, ModuleNotFoundError) else None
    return missing or DeviceError(f"{library} cannot be imported ({first_line(error)}); {advice}.")


def _torch_build() -> dict[str, Any] | None:
    """What ``torch/version.py`` says of the build; None where there is no such file, or torch is not installed."""
    try:
        spec = find_spec("torch")
        if spec is None or spec.origin is None:
            return None
        build = runpy.run_path(str(Path(spec.origin).with_name("version.py")))
    except (ImportError, ValueError, OSError, SyntaxError):
        return None
    return build if "cuda" in build else None


def _has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
