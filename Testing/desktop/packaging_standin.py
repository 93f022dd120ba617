"""Stand-in for slicer.packaging: it checks what is installed and installs nothing.

Left out: pip_check, pip_uninstall.

Source: Base/Python/slicer/packaging.py of Slicer/Slicer (signatures and testing mode, not text).
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import slicer
from packaging.requirements import Requirement


def load_requirements(path: str | Path) -> list[str]:
    """Return the requirements of a file, one a line."""
    lines = [line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


def _is_installed(requirement: str) -> bool:
    wanted = Requirement(requirement)
    try:
        return wanted.specifier.contains(importlib.metadata.version(wanted.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def pip_ensure(requirements: list[str], *_arguments: Any, **_options: Any) -> None:
    """Do nothing in testing mode or when all is there.

    Raises:
        RuntimeError: something is missing; the desktop installs nothing.
    """
    if slicer.app.testingEnabled() or all(_is_installed(requirement) for requirement in requirements):
        return
    raise RuntimeError(f"not installed, and the headless desktop installs nothing: {requirements}")


def pip_install(requirements: Any, *_arguments: Any, **_options: Any) -> None:
    """Refuse to install.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"the headless desktop installs nothing: {requirements}")


def install() -> None:
    """Make this module ``slicer.packaging``."""
    sys.modules["slicer.packaging"] = slicer.packaging = sys.modules[__name__]
