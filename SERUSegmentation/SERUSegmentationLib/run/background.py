"""What goes on beside Slicer's event loop: a run, ended when its scene or its volume goes, and short commands."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import qt
import slicer

from seru.errors import SeruError
from SERUSegmentationLib.run.handing import temporaryFolder
from SERUSegmentationLib.run.process import ChildProcess, Stream
from SERUSegmentationLib.run.segmentation import WorkerRun
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScene

_INTERVAL_MS = 100
# The last ones of a short command that are kept.
_LINES = 2000


class RunWatcher:
    """Looks after one run until it has ended.

    Args:
        run: not started yet.
        onProgress: called when there is news.
        onFinished: called once, with the result or the error.
    """

    def __init__(
        self,
        run: WorkerRun,
        onProgress: Callable[[], None],
        onFinished: Callable[[LiveResult | None, Exception | None], None],
    ) -> None:
        self.run = run
        self._onProgress, self._onFinished = onProgress, onFinished
        self._observed: list[tuple[vtkMRMLScene, int]] = []
        self._poller = _Poller(self._look, self.abort)

    def start(self) -> None:
        """Start the run and look at it now and then.

        Raises:
            SeruError: it cannot be started.
        """
        self.run.start()
        scene = self.run.volumeNode.GetScene()
        self._observe(scene, slicer.vtkMRMLScene.StartCloseEvent, self._onSceneClose)
        # The event's node is not asked for: whether ours is still there is what counts.
        self._observe(scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._onNodeRemoved)
        self._poller.start()

    def cancel(self) -> None:
        """Ask the run to stop; ``onFinished`` follows."""
        self.run.cancel()

    def abort(self) -> None:
        """End the run at once and tell nobody."""
        if self._release():
            self.run.close()

    def _look(self) -> None:
        result: LiveResult | None = None
        error: Exception | None = None
        try:
            if not self.run.poll():
                self._onProgress()
                return
            if not self._release():
                return
            result = self.run.finish()
        except SeruError as problem:
            error = problem
        except Exception as problem:
            logging.exception("SERU: the run could not be followed to its end")
            self._release()
            self.run.close()
            error = problem
        self._onFinished(result, error)

    def _onSceneClose(self, caller: vtkMRMLScene, event: str) -> None:
        if self._release():
            self.run.cancel(_("The scene was closed during the run; nothing was written."))
            try:
                self.run.close()
                self.run.finish()
            except SeruError as problem:
                self._onFinished(None, problem)

    def _onNodeRemoved(self, caller: vtkMRMLScene, event: str) -> None:
        if not caller.IsNodePresent(self.run.volumeNode):
            self.run.cancel(_("The volume was deleted during the run; nothing was written."))

    def _observe(self, subject: vtkMRMLScene, event: int, callback: Callable[[vtkMRMLScene, str], None]) -> None:
        self._observed.append((subject, subject.AddObserver(event, callback)))

    def _release(self) -> bool:
        """Stop looking; False where that was done already."""
        if not self._observed:
            return False
        self._poller.stop()
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        self._observed.clear()
        return True


class BackgroundCommand:
    """Runs ``seru`` with some arguments and tells its output at the end.

    Args:
        arguments: of the command.
        onEnded: called with the exit code, the lines of standard output and those of standard error.
    """

    def __init__(self, arguments: Sequence[str], onEnded: Callable[[int, list[str], list[str]], None]) -> None:
        self._onEnded = onEnded
        self._lines: dict[Stream, deque[str]] = {"out": deque(maxlen=_LINES), "error": deque(maxlen=_LINES)}
        self._folder = Path(tempfile.mkdtemp(prefix="SERU-", dir=temporaryFolder()))
        self._process = ChildProcess(arguments, self._folder, lambda stream, line: self._lines[stream].append(line))
        self._poller = _Poller(self._look, self.abort)

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        self._process.start()
        self._poller.start()

    def abort(self) -> None:
        """End it and tell nobody."""
        self._poller.stop()
        self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self) -> None:
        code = self._process.poll()
        if code is not None:
            self.abort()
            self._onEnded(code, list(self._lines["out"]), list(self._lines["error"]))


class _Poller:
    """Looks now and then until it is stopped, and tells when Slicer quits.

    Args:
        look: called every tenth of a second.
        onQuit: called when Slicer is about to quit.
    """

    def __init__(self, look: Callable[[], None], onQuit: Callable[[], None]) -> None:
        self._onQuit = onQuit
        self._timer = qt.QTimer()
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.connect("timeout()", look)

    def start(self) -> None:
        slicer.app.connect("aboutToQuit()", self._onQuit)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        slicer.app.disconnect("aboutToQuit()", self._onQuit)
