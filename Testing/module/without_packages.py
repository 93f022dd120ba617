"""Interpreters in which packages cannot be imported: what a fresh Slicer is, and what it is before PySide6 helps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from Testing import REPOSITORY

# In no fresh Slicer.
NOT_IN_SLICER = ("cv2", "openvino", "platformdirs", "pydicom", "safetensors", "skimage", "torch", "tqdm")
# Nothing that runs inside Slicer may want them.
NEVER_IN_SLICER = ("PySide6", "shiboken6", "pytest", "hypothesis", "slicerio", "jsonschema")

_SITE = """
import os
import sys


class Blocker:
    names = set(os.environ["SERU_TEST_BLOCKED"].split())

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Blocker())
"""
# The scene of the headless desktop alone, without the widgets that its package loads.
BARE_SCENE = """
import sys, types
from pathlib import Path
package = types.ModuleType("Testing.desktop")
package.__path__ = [str(Path(sys.argv[1]) / "Testing" / "desktop")]
sys.modules["Testing.desktop"] = package
from Testing.module.scene_tools import bare_scene
"""


def environment_without(blocked: Iterable[str], folder: Path) -> dict[str, str]:
    """Return an environment in which Python finds some packages no more, in children of children too.

    Args:
        blocked: names of packages.
        folder: for a file that every interpreter runs at its start.
    """
    (folder / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    paths = (folder, REPOSITORY / "SERUSegmentation", REPOSITORY)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "SERU_TEST_BLOCKED": " ".join(blocked)}


def run_without(blocked: Iterable[str], program: str, folder: Path) -> str:
    """Run a program on a bare scene in an interpreter that lacks packages.

    Args:
        blocked: names of packages.
        program: Python, with ``bare_scene`` at hand.
        folder: for what it needs.

    Returns:
        What it printed on standard output.
    """
    command = [sys.executable, "-c", BARE_SCENE + program, str(REPOSITORY)]
    environment = environment_without(blocked, folder)
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
