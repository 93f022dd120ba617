"""One run: the volume out, the child process, the result into the scene."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import slicer

from seru.errors import BadInputError, CancelledError, DeviceError, ModelError, SeruError
from seru.options import SegmentOptions, switches
from seru.result.maps import MAPS_FILE
from SERUSegmentationLib.run.process import ChildProcess, Stream
from SERUSegmentationLib.run.progress import RunProgress
from SERUSegmentationLib.scene.content import isEdited, markWritten
from SERUSegmentationLib.scene.geometry import shapeKji
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nodes import isPlainVolume
from SERUSegmentationLib.scene.scene_writer import SceneWriter, checkOutput
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

# Of the process; the last ones say what went wrong.
_ERROR_LINES = 200
_INPUT, _MAPS = "input.nrrd", "maps"
_ERRORS = {kind.exit_code: kind for kind in (SeruError, BadInputError, ModelError, DeviceError, CancelledError)}


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

    def arguments(self) -> list[str]:
        """Return the command's arguments.

        What can be changed afterwards is not among them: the maps then know the model's own alpha.
        """
        arguments = []
        if self.model:
            # The command runs in a folder of its own.
            isFolder = Path(self.model).is_dir()
            arguments += ["--model", str(Path(self.model).resolve()) if isFolder else self.model]
        for switch in switches():
            if not switch.is_of_result:
                arguments += switch.arguments(getattr(self, switch.name))
        return arguments


class SegmentationRun:
    """Segments one volume in a child process.

    Args:
        volumeNode: the CT.
        segmentationNode: where the result goes; None makes a new one.
        settings: how.
        onLine: called with each line for the log.

    Raises:
        BadInputError: the volume or the output cannot be used.
    """

    def __init__(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        segmentationNode: vtkMRMLSegmentationNode | None = None,
        settings: RunSettings | None = None,
        onLine: Callable[[str], None] | None = None,
    ) -> None:
        checkInput(volumeNode)
        if segmentationNode is not None:
            checkOutput(segmentationNode, volumeNode)
        self.settings = settings or RunSettings()
        self.progress = RunProgress()
        self.volumeNode, self.segmentationNode = volumeNode, segmentationNode
        self._hadOutput = segmentationNode is not None
        self._onLine = onLine or logging.info
        self._errorLines: deque[str] = deque(maxlen=_ERROR_LINES)
        self._reason: str | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="SERU-", dir=temporaryFolder()))
        self._process = ChildProcess(self._arguments(), self.folder, self._read)
        self._code: int | None = None

    def start(self) -> None:
        """Write the volume out and start the process.

        Raises:
            SeruError: the disk is full, or the process cannot be started.
        """
        try:
            if self.segmentationNode is not None:
                # Whoever starts a run over edits gives those up, not later ones.
                markWritten(self.segmentationNode)
            exportVolume(self.volumeNode, self.folder / _INPUT)
            self._onLine(" ".join(self._process.command))
            self._process.start()
        except OSError as error:
            self.close()
            raise SeruError(_("The segmentation process cannot be started ({reason}).").format(reason=error)) from error
        except SeruError:
            self.close()
            raise

    def poll(self) -> bool:
        """Take new progress in.

        Returns:
            Whether the process has ended and :meth:`finish` may be called.
        """
        self._code = self._process.poll()
        return self._code is not None

    def wait(self, onTurn: Callable[[], None] | None = None) -> None:
        """Wait for the end of the process.

        Args:
            onTurn: called between looks.
        """
        self._code = self._process.wait(onTurn=onTurn)

    def finish(self) -> LiveResult:
        """Write the result into the scene and tidy up.

        Returns:
            The result.

        Raises:
            SeruError: what went wrong, in one sentence.
        """
        try:
            if self._reason is not None:
                raise CancelledError(self._reason)
            if self._code != 0 or not self.progress.isDone:
                raise self._error()
            if not isInScene(self.volumeNode):
                raise CancelledError(_("The volume was deleted during the run; nothing was written."))
            return self._write()
        finally:
            self.close()

    def cancel(self, reason: str | None = None) -> None:
        """Ask the process to stop; the result of :meth:`finish` is then the reason.

        Args:
            reason: one sentence; None says that the run was cancelled.
        """
        self._reason = self._reason or reason or _("The run was cancelled; nothing was written.")
        self._process.cancel()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process if it still runs, and delete the run's files."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """Number of the process."""
        return self._process.pid

    def _arguments(self) -> Sequence[str]:
        # Names without folders: no path of this computer gets into the report, which travels with the scene.
        return [
            *("segment", _INPUT, "--maps", _MAPS, "--progress", "json", "--debug"),
            *self.settings.arguments(),
        ]

    def _read(self, stream: Stream, line: str) -> None:
        if stream == "out":
            warnings = len(self.progress.warnings)
            if not self.progress.read(line):
                self._onLine(line)
            for warning in self.progress.warnings[warnings:]:
                self._onLine(f"Warning: {warning}")
        else:
            self._errorLines.append(line)
            self._onLine(line)

    def _write(self) -> LiveResult:
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
        result = writer.write(self.folder / _MAPS / MAPS_FILE, self.settings, self.settings.splitSides)
        self.progress.warnings += writer.warnings
        self.segmentationNode = result.segmentationNode
        return result

    def _error(self) -> SeruError:
        if self.progress.error is not None:
            code, message = self.progress.error
            if code == ModelError.exit_code and "Setup" not in message:
                # The command's sentence; where its buttons are only the module knows.
                message = _("{reason} (in the module: Setup, Fetch).").format(reason=message.rstrip("."))
            return _ERRORS.get(code, SeruError)(message)
        missing = [line for line in self._errorLines if line.startswith("ModuleNotFoundError")]
        if missing:
            name = missing[-1].split("'")[1] if "'" in missing[-1] else missing[-1]
            return ModelError(
                _("The Python package '{name}' is missing; open Setup and click Install.").format(name=name)
            )
        if self._process.hasFlooded:
            return SeruError(_("The segmentation process printed without end and was stopped; see the log."))
        if self._code in (-9, 137):
            return DeviceError(
                _(
                    "The segmentation process was killed from outside, most likely because memory ran out; "
                    "close other programs or crop the volume and try again."
                )
            )
        text = _("The segmentation process died unexpectedly (exit code {code}); see the log.")
        return SeruError(text.format(code=self._code))


def checkInput(volumeNode: vtkMRMLNode | None) -> None:
    """Check that a node is a 3D scalar volume.

    Args:
        volumeNode: chosen by the user.

    Raises:
        BadInputError: it is not.
    """
    if volumeNode is None:
        raise BadInputError(_("No CT volume is selected; load a CT and select it."))
    name = volumeNode.GetName()
    if not isPlainVolume(volumeNode):
        raise BadInputError(_("'{name}' is not a CT volume; select a scalar volume.").format(name=name))
    if 0 in shapeKji(volumeNode):
        raise BadInputError(_("The volume '{name}' has no voxels; load it again.").format(name=name))


def exportVolume(volumeNode: vtkMRMLScalarVolumeNode, path: Path) -> None:
    """Write a volume in its own coordinates, without parent transforms.

    Args:
        volumeNode: the CT.
        path: of the NRRD file, uncompressed.

    Raises:
        BadInputError: it cannot be written.
    """
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(path))
    storage.SetUseCompression(False)
    if not storage.WriteData(volumeNode) or not path.is_file():
        text = _("The volume cannot be written to '{folder}'; free some disk space and try again.")
        raise BadInputError(text.format(folder=path.parent))


def isInScene(node: vtkMRMLNode) -> bool:
    """Return whether a node is still part of the scene."""
    scene = node.GetScene()
    return scene is not None and scene.IsNodePresent(node)


def temporaryFolder() -> str | None:
    """Return Slicer's folder for temporary files; None takes the system's."""
    path = getattr(getattr(slicer, "app", None), "temporaryPath", None)
    return path if path and Path(path).is_dir() else None
