"""Short commands in the child process: which devices there are, fetching a model."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import qt
import slicer

from SERUSegmentationLib.run.process import ChildProcess
from SERUSegmentationLib.run.segmentation_run import temporaryFolder


class BackgroundCommand:
    """Runs ``seru`` with some arguments and tells its output at the end.

    Args:
        arguments: of the command.
        onEnded: called with the exit code, the lines of standard output and those of standard error.
    """

    def __init__(self, arguments: Sequence[str], onEnded: Callable[[int, list[str], list[str]], None]) -> None:
        self._onEnded = onEnded
        self._lines: dict[str, list[str]] = {"out": [], "error": []}
        self._folder = Path(tempfile.mkdtemp(prefix="SERU-", dir=temporaryFolder()))
        self._process = ChildProcess(arguments, self._folder, lambda stream, line: self._lines[stream].append(line))
        self._timer = qt.QTimer()
        self._timer.setInterval(100)
        self._timer.connect("timeout()", self._look)

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        self._process.start()
        slicer.app.connect("aboutToQuit()", self.abort)
        self._timer.start()

    def abort(self) -> None:
        """End it and tell nobody."""
        self._timer.stop()
        slicer.app.disconnect("aboutToQuit()", self.abort)
        self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self) -> None:
        code = self._process.poll()
        if code is not None:
            self.abort()
            self._onEnded(code, self._lines["out"], self._lines["error"])
