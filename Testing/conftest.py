"""What several tests need: the data folder, a tiny trained model, a phantom."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real CT and label volumes; they are not the project's own and may be absent."""
    folder = Path(os.environ.get("SERU_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder {folder}; set SERU_DATA")
    return folder


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Folder of a tiny SERU trained on phantoms, made once per state of the code that makes it."""
    recipe = [*(REPOSITORY / "SERUSegmentation/seru/phantom").glob("*.py"), REPOSITORY / "training/tiny.py"]
    recipe += [REPOSITORY / f"SERUSegmentation/seru/{room}.py" for room in ("encoder", "decoder", "network", "weights")]
    recipe.append(REPOSITORY / "SERUSegmentation/seru/preprocessing.py")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(recipe))).hexdigest()[:12]
    folder = REPOSITORY / "build" / "models" / digest / "phantom-tiny"
    if not (folder / "model.json").is_file():
        command = [sys.executable, "-m", "training", "tiny", "-o", str(folder)]
        subprocess.run(command, cwd=REPOSITORY, check=True, timeout=280)
    return folder
