"""The arrows between the rooms: SERUSegmentation.py -> SERUSegmentationLib -> seru <- training."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from Testing import REPOSITORY

MODULE = REPOSITORY / "SERUSegmentation"

FORBIDDEN = {
    "SERUSegmentation/seru": {
        "slicer", "qt", "ctk", "vtk", "SERUSegmentationLib", "SERUSegmentation", "training", "Testing",
    },
    "SERUSegmentation/SERUSegmentationLib": {"torch", "cv2", "training", "Testing", "SERUSegmentation"},
    "SERUSegmentation/SERUSegmentation.py": {"torch", "cv2", "training", "Testing"},
    "training": {"slicer", "qt", "ctk", "vtk", "SERUSegmentationLib", "SERUSegmentation", "Testing"},
}

TORCH_FREE = [
    "errors", "options", "orientation", "progress", "terminology", "volume", "model.architecture", "model.store",
    "model.card", "result.sides", "result.fusion", "result.maps", "result.measurements", "result.cleanup",
]  # fmt: skip


def imported_packages(path: Path) -> set[str]:
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            packages.add(node.module.partition(".")[0])
    return packages


@pytest.mark.parametrize("room", FORBIDDEN)
def test_no_import_points_the_wrong_way(room: str) -> None:
    place = REPOSITORY / room
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    if not files:
        pytest.skip(f"{room} does not exist yet")

    wrong = {str(path): found for path in files if (found := imported_packages(path) & FORBIDDEN[room])}

    assert wrong == {}


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a statement loads in a fresh interpreter."""
    program = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "PYTHONPATH": str(MODULE)}
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return set(ended.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import seru") & {"torch", "cv2", "SimpleITK", "scipy", "numpy", "skimage"} == set()


@pytest.mark.parametrize("room", TORCH_FREE)
def test_the_rooms_that_slicer_loads_need_numpy_and_scipy_alone(room: str) -> None:
    loaded = loaded_by(f"import seru.{room}")

    assert loaded & {"torch", "cv2", "SimpleITK", "skimage", "openvino"} == set()


def test_help_needs_no_torch() -> None:
    program = (
        "import sys\n"
        "from seru.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print({'torch', 'cv2', 'SimpleITK'} & set(sys.modules) or 'light')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(MODULE)}

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)

    assert "segment" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "light"
