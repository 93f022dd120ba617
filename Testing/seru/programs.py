"""Programs of others that DICOM results are checked with: from PyPI beside this Python, or the system's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_program(name: str, package: str, *arguments: str | Path) -> str:
    """Run a program; the test is skipped where it is not installed.

    Args:
        name: of the program.
        package: that brings it, for the reason.
        arguments: of the program.

    Returns:
        What it said.
    """
    place = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if place is None:
        pytest.skip(f"{name} of {package} is not installed (the extra 'validators')")
    made = subprocess.run([place, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    return made.stdout + made.stderr
