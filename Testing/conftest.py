"""What several tests need: the data folder and the tiny trained model; and how tests are ordered and reported."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from Testing import REPOSITORY

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Threads that wait asleep: as the command does, and much faster where another process has the cores too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Three processes share two cores, and the networks are tiny.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_fixture_errors: list[BaseException] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the fast tests first, and of the others training's first: the processes then end together."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is not None, "/training/" not in item.nodeid))


def pytest_collection_finish() -> None:
    """Keep what the test files imported, half a million objects, out of every later garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report a shared fixture that fails as one error; the other tests that need it are skipped."""
    report = yield
    if call.when == "setup" and report.failed and call.excinfo is not None:
        # pytest keeps what a shared fixture raised and raises the same object for every test.
        error = call.excinfo.value
        if any(error is earlier for earlier in _fixture_errors):
            report.outcome = "skipped"
            report.longrepr = (__file__, 0, f"Skipped: a fixture failed, see the error above: {_first_line(error)}")
        _fixture_errors.append(error)
    return report


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real CT and label volumes; they are not the project's own and may be absent."""
    folder = Path(os.environ.get("SERU_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data folder {folder}; set SERU_DATA")
    return folder


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Folder of a tiny SERU that knows phantoms only; its README says how it was made."""
    from seru.errors import SeruError
    from seru.model.store import open_model

    folder = Path(os.environ.get("SERU_TINY_MODEL", REPOSITORY / "Testing" / "models" / "phantom-tiny"))
    try:
        open_model(folder).verify()
    except SeruError as error:
        pytest.fail(f"The tiny model cannot be used: {error}", pytrace=False)
    return folder


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
