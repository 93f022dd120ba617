"""Stand-in for slicer.packaging: it checks what is installed and installs nothing.

Source: Base/Python/slicer/packaging.py of Slicer/Slicer (signatures and testing mode, not text).
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import slicer

_PART = re.compile(r"^\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(.*?)\s*(?:;.*)?$")


def load_requirements(path: str | Path) -> list[str]:
    """Return the requirements of a file, one a line."""
    lines = [line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


def pip_check(requirements: str | Iterable[Any]) -> bool:
    """Return whether all requirements are installed in fitting versions."""
    if isinstance(requirements, str) or not isinstance(requirements, Iterable):
        requirements = [requirements]
    return all(_is_installed(str(requirement)) for requirement in requirements)


def _is_installed(requirement: str) -> bool:
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return _version(_PART.match(requirement).group(1)) is not None
    wanted = Requirement(requirement)
    version = _version(wanted.name)
    return version is not None and wanted.specifier.contains(version, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def pip_ensure(requirements: Any, *_arguments: Any, **_options: Any) -> None:
    """Do nothing in testing mode or when all is there.

    Raises:
        RuntimeError: something is missing; the desktop installs nothing.
    """
    if slicer.app.testingEnabled() or pip_check(requirements):
        return
    raise RuntimeError(f"not installed, and the headless desktop installs nothing: {requirements}")


def pip_install(requirements: Any, *_arguments: Any, **_options: Any) -> None:
    """Refuse to install.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"the headless desktop installs nothing: {requirements}")


def pip_uninstall(requirements: Any, *_arguments: Any, **_options: Any) -> None:
    """Refuse to uninstall.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"the headless desktop uninstalls nothing: {requirements}")


def install() -> None:
    """Make this module ``slicer.packaging``."""
    sys.modules["slicer.packaging"] = slicer.packaging = sys.modules[__name__]
