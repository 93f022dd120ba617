"""One run: the volume out, a request to the worker, the result into the scene."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seru.errors import BadInputError, CancelledError, SeruError
from seru.options import SegmentOptions, switches
from seru.records import to_plain
from seru.result.maps import MAPS_FILE
from SERUSegmentationLib.run.failures import toldError
from SERUSegmentationLib.run.handing import checkInput, contentOf, exportVolume, isInScene
from SERUSegmentationLib.run.process import Stream
from SERUSegmentationLib.run.progress import RunProgress
from SERUSegmentationLib.run.worker import Held, Worker
from SERUSegmentationLib.scene.content import isEdited, markWritten
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.scene_writer import SceneWriter, checkOutput
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

# Names without folders: no path of this computer gets into the report, which travels with the scene.
_INPUT, _MAPS = "input.nrrd", "maps"
_LOOK_S = 0.02


@dataclass(frozen=True)
class RunSettings(SegmentOptions):
    """How a run is made and shown: the options of the command, with the model and the segments.

    Attributes:
        model: id or folder; None takes the default.
        splitSides: one segment per side.

    Raises:
        BadInputError: a value is out of its range.
    """

    model: str | None = None
    splitSides: bool = False

    def ofRun(self) -> SegmentOptions:
        """Return the options that the networks need.

        What can be changed afterwards is at its defaults: the maps then know the model's own alpha.
        """
        return SegmentOptions(**{s.name: getattr(self, s.name) for s in switches() if not s.is_of_result})

    def request(self) -> dict[str, Any]:
        """Return the facts of the worker's request, without paths."""
        options = self.ofRun()
        values = {switch.name: (getattr(options, switch.name), switch.default) for switch in switches()}
        given = {name: to_plain(value) for name, (value, default) in values.items() if value != default}
        return {"do": "segment", "options": given, **({"model": self.modelPlace} if self.modelPlace else {})}

    @property
    def modelPlace(self) -> str | None:
        """The model as the worker, which runs in a folder of its own, finds it."""
        isFolder = self.model is not None and Path(self.model).is_dir()
        return str(Path(str(self.model)).resolve()) if isFolder else self.model


class WorkerRun(ABC):
    """A request of the worker and what becomes of it in the scene.

    Args:
        volumeNode: the CT.
        settings: how.
        worker: works on it, and on nothing else meanwhile; None makes one that ends with the run.
        onLine: called with each line for the log.

    Attributes:
        progress: of the run.

    Raises:
        BadInputError: the volume cannot be used.
    """

    def __init__(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        settings: RunSettings,
        worker: Worker | None = None,
        onLine: Callable[[str], None] | None = None,
    ) -> None:
        checkInput(volumeNode)
        self.volumeNode, self.settings = volumeNode, settings
        self.worker = worker or Worker()
        self.progress = RunProgress()
        self._onLine = onLine or logging.info
        self._reason: str | None = None
        self._code: int | None = None
        self._wanted = Held(contentOf(volumeNode), settings.modelPlace, settings.ofRun())

    def start(self) -> None:
        """Send the request, to a new process where none runs.

        Raises:
            SeruError: the disk is full, or the process cannot be started.
        """
        try:
            self.worker.start(self._onLine)
            request = self._request()
            self._onLine(str(request))
            self.worker.ask(request, self._read)
        except OSError as error:
            self.worker.close()
            raise SeruError(_("The segmentation process cannot be started ({reason}).").format(reason=error)) from error
        except SeruError:
            self.worker.close()
            raise

    def poll(self) -> bool:
        """Take new progress in.

        Returns:
            Whether the request has ended and :meth:`finish` may be called.
        """
        self._code = self.worker.poll()
        return self._code is not None or not self.worker.isBusy

    def wait(self) -> None:
        """Wait for the end of the request."""
        while not self.poll():
            time.sleep(_LOOK_S)

    def finish(self) -> LiveResult:
        """Write the result into the scene.

        Returns:
            The result.

        Raises:
            SeruError: what went wrong, in one sentence.
        """
        try:
            if self._reason is not None:
                if self.progress.isDone:
                    # It was done by then, and the worker has gone on to what nobody has seen.
                    self.worker.forget()
                raise CancelledError(self._reason)
            if not self.progress.isDone:
                raise self._error()
            if not isInScene(self.volumeNode):
                raise CancelledError(_("The volume was deleted during the run; nothing was written."))
            result = self._write(self.worker.folder / _MAPS / MAPS_FILE)
            self.worker.held = self._wanted
            return result
        finally:
            self._tidy()

    def cancel(self, reason: str | None = None) -> None:
        """Ask the worker to give it up; the result of :meth:`finish` is then the reason.

        Args:
            reason: one sentence; None says that the run was cancelled.
        """
        self._reason = self._reason or reason or _("The run was cancelled; nothing was written.")
        self.worker.cancel()

    def close(self) -> None:
        """End the worker at once, with its files."""
        self.worker.close()

    @abstractmethod
    def _request(self) -> dict[str, Any]:
        """Return the facts of the request; called once the worker has a folder."""

    @abstractmethod
    def _write(self, mapsFile: Path) -> LiveResult:
        """Write the result into the scene."""

    def _segmentRequest(self) -> dict[str, Any]:
        """Hand the volume over, and return the request to segment it."""
        self.worker.forget()
        exportVolume(self.volumeNode, self.worker.folder / _INPUT)
        return {**self.settings.request(), "input": _INPUT, "maps": _MAPS}

    def _tidy(self) -> None:
        """Keep what can be refined while its CT is there; a process that has ended, or is still at work, goes."""
        if self.worker.idleMinutes == 0 or self.worker.isBusy or self._code is not None:
            self.worker.close()
        elif not isInScene(self.volumeNode):
            self.worker.release()
        elif self.worker.held is None:
            self.worker.forget()

    def _error(self) -> SeruError:
        return toldError(*self.progress.error) if self.progress.error else self.worker.death(self._code)

    def _read(self, stream: Stream, line: str) -> None:
        warnings = len(self.progress.warnings)
        if stream == "error" or not self.progress.read(line):
            self._onLine(line)
        for warning in self.progress.warnings[warnings:]:
            self._onLine(f"Warning: {warning}")


class SegmentationRun(WorkerRun):
    """Segments one volume.

    Args:
        volumeNode: the CT.
        segmentationNode: where the result goes; None makes a new one.
        settings: how.
        worker: as of :class:`WorkerRun`.
        onLine: called with each line for the log.

    Raises:
        BadInputError: the volume or the output cannot be used.
    """

    def __init__(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        segmentationNode: vtkMRMLSegmentationNode | None = None,
        settings: RunSettings | None = None,
        worker: Worker | None = None,
        onLine: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(volumeNode, settings or RunSettings(), worker, onLine)
        if segmentationNode is not None:
            checkOutput(segmentationNode, volumeNode)
        self.segmentationNode = segmentationNode
        self._hadOutput = segmentationNode is not None

    def _request(self) -> dict[str, Any]:
        if self.segmentationNode is not None:
            # Whoever starts a run over edits gives those up, not later ones.
            markWritten(self.segmentationNode)
        return self._segmentRequest()

    def _write(self, mapsFile: Path) -> LiveResult:
        if self._hadOutput and not isInScene(self.segmentationNode):
            # Deleted meanwhile: the result is not lost for it.
            self.segmentationNode = None
        elif self.segmentationNode is not None and isEdited(self.segmentationNode):
            text = _("'{name}' was edited during the run and is kept; the result is in a new segmentation.")
            self.progress.warnings.append(text.format(name=self.segmentationNode.GetName()))
            self.segmentationNode = None
        try:
            writer = SceneWriter(self.volumeNode, self.segmentationNode)
        except BadInputError as error:
            # It became unusable meanwhile; minutes of work are not thrown away for it.
            self.progress.warnings.append(_("{reason} The result is in a new segmentation.").format(reason=error))
            writer = SceneWriter(self.volumeNode)
        result = writer.write(mapsFile, self.settings, self.settings.splitSides)
        self.progress.warnings += writer.warnings
        self.segmentationNode = result.segmentationNode
        return result
