"""A whole CT on a GPU, from the array to the fused labels: cold, warm, stage by stage, beside plain float32 in one run.

    python -m benchmarks.gpu [--device cuda:0] [--model FOLDER] [--input CT] [--runs 3] [--ways own float32 ...]

All ways are the same cascade, each in a process of its own. Cold is the first CT of a process, with the weights read
and the kernels chosen, but not the imports and the device's start; warm the median of those after it, the stages those
of the fastest. *Net* is a slice of the crop's size in full batches, *size* the first batch of another size, *rest* a CT
whose networks cost nothing: what they gave before is given again. On a CPU it runs too, slowly, and tells nothing of a
GPU.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch

from benchmarks.command import positive, told_in_a_sentence
from benchmarks.end_to_end import REPOSITORY, make_phantom_file
from seru.cascade.cascade import Segmenter
from seru.io.images import read_volume
from seru.model.architecture import STRIDE
from seru.model.card import NetworkStage
from seru.model.engines.base import Engine
from seru.model.engines.torch_engine import WAYS, TorchEngine, TorchWay
from seru.model.store import find_model
from seru.options import SegmentOptions
from seru.volume import Volume
from training.scoring import dice

T = TypeVar("T")
_CUDA = WAYS["cuda"]
_EAGER = replace(_CUDA, is_captured=False)
_STAGES = ("preprocess", "coarse", "key_slices", "refine", "fuse")
_NETWORK_BATCHES = 10


@dataclass(frozen=True)
class Way:
    """One way to run the networks; None takes the engine's own."""

    way: TorchWay | None = None
    dtype: torch.dtype | None = None
    is_compiled: bool = False


WAYS_TO_RUN = {
    "float32": Way(TorchWay(most_slices=_CUDA.most_slices, is_exact=True), torch.float32),
    "own": Way(),
    "eager": Way(_EAGER),
    "bfloat16": Way(_CUDA, torch.bfloat16),
    "batch16": Way(replace(_CUDA, most_slices=16)),
    "batch64": Way(replace(_CUDA, most_slices=64)),
    "chosen": Way(replace(_CUDA, chooses_kernels=True)),
    "planes": Way(replace(_CUDA, is_channels_last=False)),
    "unfilled": Way(replace(_EAGER, is_filled=False, batches_ahead=0)),
    # Its compiler works for a minute, at each new shape: no good for a user.
    "compiled": Way(_EAGER, is_compiled=True),
}
USUAL = ("float32", "own", "eager", "bfloat16", "batch16", "batch64", "chosen", "planes")


@told_in_a_sentence
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 2 where the CT cannot be read or the device is not here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--model", help="model id or folder (default: the default model)")
    parser.add_argument("--input", type=Path, help="CT file; default: a phantom of 512x512x300")
    parser.add_argument("--runs", type=positive, default=3, help="warm runs of each way")
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS_TO_RUN, default=USUAL, help="float32 is the one compared with"
    )
    parser.add_argument("--kernels", action="store_true", help="list the kernels that take longest, too")
    compare(parser.parse_args(arguments))
    return 0


def compare(given: argparse.Namespace) -> None:
    """Run each way and print its line as soon as it is there.

    Args:
        given: arguments of the command.

    Raises:
        SeruError: the CT cannot be read, or the device is not here.
    """
    source = given.input or REPOSITORY / "build" / "benchmark" / "phantom_300.nii.gz"
    source.parent.mkdir(parents=True, exist_ok=True)
    if given.input is None:
        alone(make_phantom_file, source, 300)
    volume, plain, plain_labels = read_volume(source), None, None
    for name in given.ways:
        facts, labels = alone(run_way, name, volume, given.model, given.device, given.runs)
        if plain is None:
            print(f"{facts['device']}, {source.name}; seconds from array to labels\n\n{HEADINGS}", flush=True)
            plain, plain_labels = facts, labels
        print(line_of(name, facts, plain, labels, plain_labels), flush=True)
    if given.kernels:
        print(alone(list_kernels, given.model, given.device))


def alone(function: Callable[..., T], *arguments: object) -> T:
    """Run a function in a process of its own, which has this one's imports; this one never touches a GPU or OpenCV."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def run_way(
    name: str, volume: Volume, model: str | Path | None, device: str, runs: int
) -> tuple[dict[str, Any], np.ndarray]:
    """Segment a CT again and again in one way.

    Args:
        name: one of ``WAYS_TO_RUN``.
        volume: the CT.
        model: id or folder; None takes the default model.
        device: as ``--device``.
        runs: after the first one.

    Returns:
        Device, number format, seconds and peak memory; and the labels.

    Raises:
        SeruError: the device is not here.
    """
    cv2.setNumThreads(1)  # as the command has it: slices are prepared side by side
    segmenter = Segmenter(find_model(model), SegmentOptions(engine="torch", device=device))
    engine = set_up(segmenter, WAYS_TO_RUN[name])
    seconds, of_stages = [], []
    for _ in range(1 + runs):
        start = time.perf_counter()
        result = segmenter.segment(volume)
        seconds.append(time.perf_counter() - start)
        of_stages.append(result.report.seconds)
    is_gpu = engine.device.startswith("cuda")
    facts = {
        "device": torch.cuda.get_device_name(engine.device) if is_gpu else engine.device,
        "format": str(engine.dtype).removeprefix("torch."),
        "cold": seconds[0],
        "warm": seconds[1:],
        "stages": of_stages[1 + int(np.argmin(seconds[1:]))],
        "network": network_seconds(engine),
        "size": size_seconds(engine),
        "rest": rest_seconds(segmenter, volume) if name == "own" else None,
        "gpu_gb": torch.cuda.max_memory_reserved(engine.device) / 1e9 if is_gpu else None,
        "main_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }
    return facts, result.labels_kji


def set_up(segmenter: Segmenter, way: Way) -> TorchEngine:
    """Have a segmenter run its networks in a way; return its engine."""
    runner = segmenter.ready()
    engine = TorchEngine(segmenter.model, runner.engine.device, way=way.way)
    engine.dtype = way.dtype or engine.dtype
    runner.engine = engine
    if way.is_compiled:
        engine._networks = {stage: torch.compile(engine.network(stage)) for stage in ("coarse", "refine")}
    return engine


def network_seconds(engine: TorchEngine) -> float:
    """Return what a slice of the crop's size takes in full batches, one started while the one before runs."""
    side = engine.model.card.crop_size
    images = np.random.default_rng(0).integers(0, 256, (engine.batch_size((side, side)), 1, side, side), np.uint8)
    engine.predict("refine", images)
    count = _NETWORK_BATCHES if engine.device != "cpu" else 1
    start = time.perf_counter()
    for finish in [engine.start("refine", images) for _ in range(count)]:
        finish()
    return (time.perf_counter() - start) / (count * len(images))


def size_seconds(engine: TorchEngine) -> float:
    """Return what the first batch of crops of another size takes, as after a person has drawn a box larger."""
    side = engine.model.card.crop_size + STRIDE
    images = np.zeros((engine.batch_size((side, side)), 1, side, side), np.uint8)
    start = time.perf_counter()
    engine.predict("refine", images)
    return time.perf_counter() - start


def rest_seconds(segmenter: Segmenter, volume: Volume) -> float:
    """Return what a CT takes besides its networks, the least of three runs; they are gone afterwards."""
    runner = segmenter.ready()
    runner.engine = recalling = Recalling(runner.engine)
    segmenter.segment(volume)
    seconds = []
    for _ in range(3):
        recalling.rewind()
        start = time.perf_counter()
        segmenter.segment(volume)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


class Recalling(Engine):
    """Gives the same again as another engine gave, at no cost.

    Args:
        engine: is asked until :meth:`rewind`.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.model, engine.device)
        self.name = engine.name
        self._engine, self._given = engine, list[np.ndarray]()
        self._again: Iterator[np.ndarray] | None = None

    def predict(self, stage: NetworkStage, images: np.ndarray) -> np.ndarray:
        """See :meth:`Engine.predict`; batches come in the same order again."""
        if self._again is not None:
            return next(self._again)
        self._given.append(self._engine.predict(stage, images))
        return self._given[-1]

    def rewind(self) -> None:
        """Give from now on what was given, from the first batch."""
        self._again = iter(self._given)

    def batch_size(self, shape_rc: Sequence[int]) -> int:
        """See :meth:`Engine.batch_size`."""
        return self._engine.batch_size(shape_rc)

    def release(self, stage: NetworkStage | None = None) -> None:
        """Keep the networks."""


HEADINGS = (
    f"{'way':10}{'format':>10}{'cold':>8}{'warm':>8}{'ratio':>7}"
    + "".join(f"{stage.split('_')[0][:7]:>8}" for stage in _STAGES)
    + f"{'rest':>8}{'net ms':>8}{'size':>7}{'GPU GB':>8}{'GB':>6}{'Dice':>8}{'tumor':>8}"
)


def line_of(
    name: str, facts: dict[str, Any], plain: dict[str, Any], labels: np.ndarray, plain_labels: np.ndarray
) -> str:
    """Return the facts of :func:`run_way` as a line of the table.

    Args:
        name: of the way.
        facts: of it.
        plain: of the way that it is compared with.
        labels: that it gave.
        plain_labels: that the other gave.
    """
    warm, plain_warm = statistics.median(facts["warm"]), statistics.median(plain["warm"])
    memory = "-" if facts["gpu_gb"] is None else f"{facts['gpu_gb']:.2f}"
    numbers = f"{facts['cold']:>8.2f}{warm:>8.2f}{plain_warm / warm:>7.2f}"
    stages = "".join(f"{facts['stages'][stage]:>8.3f}" for stage in _STAGES)
    scores = "".join(f"{dice(labels >= least, plain_labels >= least):>8.4f}" for least in (1, 2))
    rest = "-" if facts["rest"] is None else f"{facts['rest']:.3f}"
    rest = f"{rest:>8}{1e3 * facts['network']:>8.3f}{facts['size']:>7.2f}{memory:>8}{facts['main_gb']:>6.2f}"
    return f"{name:10}{facts['format']:>10}{numbers}{stages}{rest}{scores}"


def list_kernels(model: str | Path | None, device: str) -> str:
    """Return the kernels that take longest in a full batch, started one by one."""
    from torch.profiler import ProfilerActivity, profile

    segmenter = Segmenter(find_model(model), SegmentOptions(engine="torch", device=device))
    engine = set_up(segmenter, WAYS_TO_RUN["eager"])
    side = engine.model.card.crop_size
    images = np.zeros((engine.batch_size((side, side)), 1, side, side), np.uint8)
    engine.predict("refine", images)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        engine.predict("refine", images)
    events = [event for event in profiled.key_averages() if event.self_device_time_total > 0]
    events.sort(key=lambda event: -event.self_device_time_total)
    whole = sum(event.self_device_time_total for event in events if event.device_type.name == "CUDA") or 1
    lines = [
        f"{e.self_device_time_total / 1e3:9.3f} ms {e.count:5} x  {e.device_type.name:5} {e.key[:110]}" for e in events
    ]
    return "\n".join([f"\nkernels of {len(images)} slices, {whole / 1e3:.1f} ms:", *lines[:30]])


if __name__ == "__main__":
    sys.exit(main())
