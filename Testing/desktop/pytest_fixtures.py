"""A pytest fixture; a test file takes it by ``from Testing.desktop.pytest_fixtures import slicer_desktop``."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from Testing.desktop.desktop import Desktop, desktop

NEEDED = ("slicer", "PySide6")
# Small: views are rendered by the processor.
WINDOW_SIZE = (960, 600)


@pytest.fixture
def slicer_desktop(request: pytest.FixtureRequest) -> Iterator[Desktop]:
    """Give this process's desktop as on its start; fail where a slot raised or the log has an unexpected error.

    Its views are rendered where a test asks for their picture; a test with the mark ``drawn`` has them rendered as
    Slicer renders them, which takes about a third of a window's time.
    A test that expects an error empties ``slicer_desktop.errors`` or ``log.errors``; the same holds for
    ``dialogs.unanswered``.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the headless desktop needs {' and '.join(missing)} (pip install .[desktop])")
    here = desktop(size=WINDOW_SIZE)
    # A test that ended as usual left it so.
    if not here.is_fresh:
        here.reset()
    here.is_fresh = False
    here.set_drawn(request.node.get_closest_marker("drawn") is not None)
    yield here
    errors = list(here.errors)
    unused = here.dialogs.unused_answers
    unanswered = list(here.dialogs.unanswered)
    # Nobody looks any more.
    here.layout_manager.pauseRender()
    logged = here.reset()
    here.layout_manager.resumeRender()
    assert not logged, f"errors in the log: {logged}"
    assert not errors, f"raised while Qt ran: {errors}"
    assert not unanswered, f"dialogs without an answer: {unanswered}"
    assert not unused, f"answers that no dialog asked for: {unused}"
