"""``seru info``: what a bug report needs."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from typing import Any

import seru
from seru.cli.arguments import add_debug_argument
from seru.cli.session import Session
from seru.errors import NO_MEMORY, DeviceError, ModelError, SeruError
from seru.memory import LIBRARIES, has_room
from seru.model.engines import import_openvino, resolve_engine
from seru.model.engines.devices import may_have_gpu
from seru.model.store import cache_folder, find_model, list_models, models_to_fetch, read_registry

_PACKAGES = (
    "numpy",
    "scipy",
    "SimpleITK",
    "opencv-python-headless",
    "scikit-image",
    "safetensors",
    "torch",
    "openvino",
)


DESCRIPTION = "Print what a bug report needs."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments.

    Args:
        parser: of the subcommand.
    """
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    add_debug_argument(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print the facts.

    Args:
        arguments: parsed.
        session: of the command.

    Returns:
        0.
    """
    facts = collect()
    if arguments.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, text in value.items():
                print(f"  {key}: {text}")
        elif isinstance(value, list):
            print(f"{name}:" + ("" if value else " none"))
            for item in value:
                print("  " + ", ".join(f"{text}" for text in item.values()))
        else:
            print(f"{name}: {value}")
    return 0


def collect() -> dict[str, Any]:
    """Return versions, devices, engines, models and folders, JSON-ready."""
    found = {name: _version(name) for name in _PACKAGES}
    return {
        "seru": seru.__version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "packages": found,
        "devices": _devices(),
        "engines": {name: _engine(name, found) for name in ("torch", "openvino")},
        "auto": _auto(),
        "models": _models(),
        "cache": str(cache_folder()),
    }


def versions() -> dict[str, str]:
    """Return the versions of the program, Python and the packages that decide a result, without importing them."""
    found = {name: _version(name) for name in _PACKAGES}
    return {"seru": seru.__version__, "python": platform.python_version()} | {k: v for k, v in found.items() if v}


def _version(package: str) -> str | None:
    # Metadata alone: importing torch takes seconds.
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _engine(name: str, versions: dict[str, str | None]) -> str:
    return f"version {versions[name]}" if versions[name] else "not installed"


def _auto() -> dict[str, str]:
    """What runs where neither engine nor device is asked for."""
    try:
        if may_have_gpu() and not has_room(LIBRARIES):
            raise DeviceError(NO_MEMORY)
        engine, device = resolve_engine(has_ranges=_has_ranges())
        if engine != "torch":
            # Found is not loaded, and it takes a moment alone; torch takes seconds.
            import_openvino()
    except SeruError as error:
        return {"error": str(error)}
    return {"engine": engine, "device": device}


def _has_ranges() -> bool:
    """Whether the default model has ranges for 8-bit integers; not where it has yet to be fetched."""
    try:
        return find_model().has_ranges
    except SeruError:
        return False


def _devices() -> list[dict[str, Any]]:
    devices: list[dict[str, Any]] = [
        {"name": "cpu", "title": platform.processor() or platform.machine(), "memory": _gib(_main_memory())}
    ]
    devices[0]["threads"] = f"{os.cpu_count()} threads"
    if not may_have_gpu():
        return devices
    try:
        if not has_room(LIBRARIES):
            raise OSError("too little memory")
        import torch

        for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            facts = torch.cuda.get_device_properties(number)
            devices.append({"name": f"cuda:{number}", "title": facts.name, "memory": _gib(facts.total_memory)})
        if torch.backends.mps.is_available():
            devices.append({"name": "mps", "title": "Apple GPU", "memory": "shared"})
    except (ImportError, OSError, RuntimeError, AssertionError) as error:
        devices.append({"name": "torch", "title": f"cannot be used ({error})", "memory": "-"})
    return devices


def _main_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count else "unknown memory"


def _models() -> list[dict[str, Any]]:
    try:
        default = read_registry().default
    except ModelError as error:
        return [{"id": "damaged", "use": str(error)}]
    models, errors = list_models()
    rows = [
        {"id": model.card.id, "use": "default" if model.card.id == default else "", "folder": str(model.folder)}
        for model in models
    ]
    rows += [
        {
            "id": entry.id,
            "use": "default" if entry.id == default else "",
            "to_fetch": f"{entry.size / 1e6:.0f} MB by 'seru models fetch {entry.id}'",
        }
        for entry in models_to_fetch()
    ]
    return rows + [{"id": "damaged", "use": str(error)} for error in errors]
