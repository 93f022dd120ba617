"""Runs in the background of Slicer's event loop, ended when their scene or their volume goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import qt
import slicer

from seru.errors import SeruError
from SERUSegmentationLib.run.segmentation_run import SegmentationRun
from SERUSegmentationLib.scene.live_result import LiveResult

_INTERVAL_MS = 100


class RunWatcher:
    """Looks after one run until it has ended.

    Args:
        run: not started yet.
        onProgress: called when there is news.
        onFinished: called once, with the result or the error.
    """

    def __init__(
        self,
        run: SegmentationRun,
        onProgress: Callable[[], None],
        onFinished: Callable[[LiveResult | None, Exception | None], None],
    ) -> None:
        self.run = run
        self._onProgress, self._onFinished = onProgress, onFinished
        self._observed: list[tuple[Any, int]] = []
        self._timer = qt.QTimer()
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.connect("timeout()", self._look)

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
        slicer.app.connect("aboutToQuit()", self.abort)
        self._timer.start()

    def cancel(self) -> None:
        """Ask the run to stop; ``onFinished`` follows."""
        self.run.cancel()

    def abort(self) -> None:
        """End the run at once and tell nobody."""
        if self._release():
            self.run.close()

    def _look(self) -> None:
        result, error = None, None
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

    def _onSceneClose(self, caller: Any = None, event: Any = None) -> None:
        if self._release():
            self.run.cancel("The scene was closed during the run; nothing was written.")
            try:
                self.run.kill()
                self.run.finish()
            except SeruError as problem:
                self._onFinished(None, problem)

    def _onNodeRemoved(self, caller: Any, event: Any) -> None:
        if not caller.IsNodePresent(self.run.volumeNode):
            self.run.cancel("The volume was deleted during the run; nothing was written.")

    def _observe(self, subject: Any, event: int, callback: Callable[..., None]) -> None:
        self._observed.append((subject, subject.AddObserver(event, callback)))

    def _release(self) -> bool:
        """Stop looking; False where that was done already."""
        if not self._observed:
            return False
        self._timer.stop()
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        self._observed.clear()
        slicer.app.disconnect("aboutToQuit()", self.abort)
        return True
