"""What several tests need: the data folder, a tiny trained model, a phantom."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from Testing import REPOSITORY

# Three minutes on one core without AMX, more where another process has the core too.
TRAINING_SECONDS = 560
_NETWORK = ("encoder", "decoder", "network", "weights")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where tests run in several processes, make the tiny model beside the first tests, which do without it."""
    if getattr(session.config.option, "numprocesses", None) and not hasattr(session.config, "workerinput"):
        threading.Thread(target=make_tiny_model, daemon=True).start()


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
    return make_tiny_model()


def make_tiny_model() -> Path:
    """Train the tiny model unless it is there; two processes that ask at once get the same one."""
    if os.environ.get("SERU_TINY_MODEL"):
        return Path(os.environ["SERU_TINY_MODEL"])
    recipe = [*(REPOSITORY / "SERUSegmentation/seru/phantom").glob("*.py"), REPOSITORY / "training/tiny.py"]
    recipe += [REPOSITORY / f"SERUSegmentation/seru/model/{room}.py" for room in _NETWORK]
    recipe.append(REPOSITORY / "SERUSegmentation/seru/cascade/preprocessing.py")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(recipe))).hexdigest()[:12]
    folder = REPOSITORY / "build" / "models" / digest / "phantom-tiny"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "model.json").is_file():
            command = [sys.executable, "-m", "training", "tiny", "-o", str(folder)]
            # Errors go to stderr; the losses would mix with the tests' own lines.
            subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL, timeout=TRAINING_SECONDS)
    return folder
