"""SERU's stages in order: coarse, key slices and crops, refine, fusion.

Source: SERU manuscript, method section; what goes beyond it is a switch of :class:`seru.options.SegmentOptions`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from seru.cascade.batches import BatchRunner
from seru.cascade.live_scan import LiveScan, PartMaker
from seru.cascade.stages import SegmentResult, look
from seru.errors import NO_MEMORY, BadInputError, DeviceError, is_memory_error
from seru.model.engines import check_engine
from seru.model.store import Model, find_model
from seru.options import SegmentOptions
from seru.progress import Progress, RunRecord
from seru.threads import limit_threads
from seru.volume import Volume

__all__ = ["SegmentResult", "Segmenter", "segment"]


def segment(
    volume: Volume,
    model: Model | str | Path | None = None,
    options: SegmentOptions | None = None,
    progress: Progress | None = None,
) -> SegmentResult:
    """Find kidneys and kidney tumors in a CT.

    Args:
        volume: the CT, any orientation.
        model: its id or its folder, or what :func:`seru.model.store.find_model` gave; None takes the default model.
        options: None takes the defaults.
        progress: None is silent.

    Returns:
        Labels, maps and report.

    Raises:
        BadInputError: the volume is no CT, or an option is wrong.
        ModelError: the model is unknown, or its weights are missing or damaged.
        DeviceError: the device is not on this computer or failed, or the memory is too small.
        CancelledError: the run was cancelled.
    """
    if not isinstance(volume, Volume):
        raise BadInputError(
            f"The CT is given as {type(volume).__name__} and not as a volume; "
            "read a file with seru.read_volume, or make one with Volume.from_array."
        )
    if not isinstance(model, Model):
        model = find_model(model)
    return Segmenter(model, options or SegmentOptions(), is_for_one=True).segment(volume, progress)


class Segmenter:
    """The cascade with its networks loaded once, for many volumes.

    Args:
        model: card and weights; nothing is loaded before the first volume.
        options: how to run.
        is_for_one: there is one volume only; the coarse stage's network is freed as soon as it is done.

    Raises:
        DeviceError: the device or the engine that the options name is not on this computer.
    """

    def __init__(self, model: Model, options: SegmentOptions, is_for_one: bool = False) -> None:
        check_engine(options.engine, options.device)
        self.model = model
        self.options = options
        self._is_for_one = is_for_one
        self._runner: BatchRunner | None = None

    @classmethod
    def of_model(cls, id_or_folder: str, options: SegmentOptions) -> Segmenter:
        """Return the cascade of a model that is looked for on this computer, with its weights verified.

        Args:
            id_or_folder: of the model.
            options: how to run.

        Raises:
            ModelError: there is none, or it is damaged.
            DeviceError: as the class.
        """
        model = find_model(id_or_folder)
        model.verify()
        return cls(model, options)

    def segment(self, volume: Volume, progress: Progress | None = None) -> SegmentResult:
        """Segment one volume.

        Args:
            volume: the CT, any orientation.
            progress: None is silent; a record that has begun with the reading goes into the report.

        Returns:
            As :func:`segment`.

        Raises:
            SeruError: as :func:`segment`.
        """
        record = progress if isinstance(progress, RunRecord) else RunRecord(progress or Progress())
        scan = self.look(volume, record)
        for _ in self.refine(scan, record):
            pass
        scan.close()
        return self.result(scan, record)

    def look(self, volume: Volume, record: RunRecord) -> LiveScan:
        """Run the coarse stage and find the kidneys.

        Args:
            volume: the CT, any orientation.
            record: of the run.

        Returns:
            The scan, for :meth:`refine`.

        Raises:
            SeruError: as :func:`segment`.
        """
        with _memory_errors():
            runner = self.ready()
            scan = LiveScan(look(volume, self.model.card, self.options, runner, record))
            if self._is_for_one:
                runner.engine.release("coarse")
            return scan

    def refine(self, scan: LiveScan, record: RunRecord) -> Generator[PartMaker, None, None]:
        """Refine the sides that are not refined yet where the options say.

        Args:
            scan: from :meth:`look`; of these options, but for boxes and what is of the result.
            record: of the run.

        Yields:
            What makes the part of a side that has just arrived.

        Raises:
            SeruError: as :func:`segment`.
        """
        with _memory_errors():
            yield from scan.refine(self.options, self._runner or self.ready(), record)

    def result(self, scan: LiveScan, record: RunRecord) -> SegmentResult:
        """Fuse and measure a refined scan.

        Args:
            scan: refined.
            record: of the run.

        Returns:
            As :func:`segment`.

        Raises:
            SeruError: as :func:`segment`.
        """
        with _memory_errors():
            return scan.result(self._runner or self.ready(), record)

    def ready(self) -> BatchRunner:
        """Return the networks for another run: one volume that was too large for the device decides nothing for it."""
        limit_threads(self.options.threads)
        if self._runner is None or self._runner.has_fallen_back:
            self._runner = BatchRunner(self.model, self.options)
        return self._runner

    def with_options(self, options: SegmentOptions) -> Segmenter:
        """Return the cascade with other options.

        Args:
            options: how to run.

        Returns:
            It has the same networks where they run alike.

        Raises:
            DeviceError: as the class.
        """
        other = Segmenter(self.model, options, self._is_for_one)
        if all(getattr(options, name) == getattr(self.options, name) for name in BatchRunner.OPTIONS):
            other._runner = self._runner
        return other

    def release(self) -> None:
        """Free the networks and the device's memory; the next volume loads them again."""
        if self._runner is not None:
            self._runner.engine.release()
            self._runner = None


@contextmanager
def _memory_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_memory_error(error):
            raise
        raise DeviceError(NO_MEMORY) from error
