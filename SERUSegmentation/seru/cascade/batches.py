"""The batch loop: the next slices are prepared while the network runs, and memory is never a reason to give up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial

import numpy as np

from seru.errors import DeviceError
from seru.model.card import NetworkStage
from seru.model.engines import Engine, make_engine
from seru.model.engines.base import OutOfMemory
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.progress import Progress
from seru.threads import slice_pool

_BATCHES_AHEAD = 2

MakeImage = Callable[[int], np.ndarray]


class BatchRunner:
    """Runs a stage's network over many slices.

    On out-of-memory the batch is halved; a single slice that does not fit goes to the CPU, with a warning.

    Args:
        model: card and weights.
        options: engine, device, threads, and whether mirror images are run too.
    """

    OPTIONS = ("engine", "device", "threads", "mirror")
    """Names of the options that it looks at."""

    def __init__(self, model: Model, options: SegmentOptions) -> None:
        self._model = model
        self.card = model.card
        self._options = options
        self.engine: Engine = make_engine(model, options.engine, options.device, options.threads)
        self._most: dict[tuple[int, ...], int] = {}
        self.has_fallen_back = False

    def run(
        self, stage: NetworkStage, indices: Sequence[int], make_image: MakeImage, progress: Progress
    ) -> Generator[tuple[int, np.ndarray], None, None]:
        """Run a stage on slices.

        Args:
            stage: ``coarse`` or ``refine``.
            indices: the slices.
            make_image: gives a slice's image, uint8, shape (1 or 3, H, W), the same for all; called from threads.
            progress: asked for cancelling before each batch; gets the warnings.

        Yields:
            Each slice's index, in order, and its probabilities, uint8, shape (2, H, W).

        Raises:
            CancelledError: the run was cancelled.
            DeviceError: the device failed, or even the CPU has too little memory.
        """
        waiting: deque[Future[np.ndarray]] = deque()
        started: deque[tuple[int, Callable[[], np.ndarray]]] = deque()
        ahead, done, begun = iter(indices), 0, 0
        with slice_pool("prepare") as pool:
            try:
                while done < len(indices):
                    while begun < len(indices) and len(started) <= self.engine.batches_ahead:
                        progress.check_cancelled()
                        _fill(waiting, ahead, 1, pool, make_image)
                        count = self._batch_size(waiting[0].result().shape)
                        _fill(waiting, ahead, _BATCHES_AHEAD * count, pool, make_image)
                        images = [waiting.popleft().result() for _ in range(min(count, len(waiting)))]
                        started.append((len(images), self._start_mean(stage, np.stack(images), progress)))
                        begun += len(images)
                    count, outputs = started.popleft()
                    yield from zip(indices[done : done + count], outputs(), strict=True)
                    done += count
            finally:
                for future in waiting:
                    future.cancel()

    def _batch_size(self, shape: tuple[int, ...]) -> int:
        if shape not in self._most:
            self._most[shape] = self.engine.batch_size(shape[-2:])
        return self._most[shape]

    def _start_mean(self, stage: NetworkStage, images: np.ndarray, progress: Progress) -> Callable[[], np.ndarray]:
        plain = self._start(stage, images, progress)
        if not self._options.mirror:
            return plain
        mirrored = self._start(stage, np.ascontiguousarray(images[..., ::-1]), progress)

        def mean() -> np.ndarray:
            outputs, others = plain(), mirrored()[..., ::-1]
            # Rounded down: kidney and tumor together stay at most 255.
            return outputs // 2 + others // 2 + (outputs & others & 1)

        return mean

    def _start(self, stage: NetworkStage, images: np.ndarray, progress: Progress) -> Callable[[], np.ndarray]:
        try:
            outputs = self.engine.start(stage, images)
        except OutOfMemory:  # not kept: its traceback would hold the failed batch
            return partial(self._predict_smaller, stage, images, progress)

        def finish() -> np.ndarray:
            with suppress(OutOfMemory):
                return outputs()
            return self._predict_smaller(stage, images, progress)

        return finish

    def _predict_smaller(self, stage: NetworkStage, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Predict a batch that was too large: its halves; of a single slice, on the CPU."""
        if len(images) > 1:
            half = len(images) // 2
            self._most[images.shape[1:]] = half
            parts = (images[:half], images[half:])
            return np.concatenate([self._start(stage, part, progress)() for part in parts])
        if self.engine.device == "cpu":
            raise DeviceError("The computer has too little memory for one slice; close other programs and try again.")
        progress.warning(f"The device {self.engine.device} has too little free memory; the CPU goes on, more slowly.")
        self.engine.release()
        self.engine = make_engine(self._model, self._options.engine, "cpu", self._options.threads)
        self.has_fallen_back = True
        self._most.clear()
        return self._start(stage, images, progress)()


def _fill(
    waiting: deque[Future[np.ndarray]],
    ahead: Iterator[int],
    count: int,
    pool: Executor,
    make_image: MakeImage,
) -> None:
    while len(waiting) < count:
        index = next(ahead, None)
        if index is None:
            return
        waiting.append(pool.submit(make_image, index))
