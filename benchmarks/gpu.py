"""A whole CT on a GPU, from the array to the fused labels: cold, warm, memory, beside plain float32 in the same run.

    python -m benchmarks.gpu [--device cuda:0] [--input CT] [--runs 3]

Both ways are the same cascade, each in a process of its own: the engine's own number format, and float32 without TF32.
Cold is the first CT of a process, with the weights read and the kernels chosen, but not the imports; warm the median of
those after it. On a CPU it runs too, slowly, and tells nothing of a GPU.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.end_to_end import REPOSITORY, make_phantom_file
from benchmarks.peers import positive
from seru.errors import SeruError
from training.scoring import dice

WAYS = ("own", "float32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 2 where the CT cannot be read or the device is not here, the exit code of a way that failed."""
    try:
        return compare(list(sys.argv[1:] if arguments is None else arguments))
    except SeruError as error:
        print(f"gpu: {error}", file=sys.stderr)
        return 2


def compare(arguments: list[str]) -> int:
    """Run both ways and print the table, or as one of them what it took.

    Args:
        arguments: of the command.

    Returns:
        Its exit code.

    Raises:
        SeruError: the CT cannot be read, or the device is not here.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--model", help="model id or folder (default: the default model)")
    parser.add_argument("--input", type=Path, help="CT file; default: a phantom of 512x512x300")
    parser.add_argument("--runs", type=positive, default=3, help="warm runs of each way")
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    folder = REPOSITORY / "build" / "benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    source = given.input or make_phantom_file(folder / "phantom_300.nii.gz", 300)
    if given.child:
        facts, labels = run_way(given.child, source, given.model, given.device, given.runs)
        np.save(folder / f"gpu-{given.child}.npy", labels)
        print(json.dumps(facts))
        return 0
    found = {}
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.gpu", *arguments, "--child", way]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return done.returncode
        found[way] = json.loads(done.stdout.splitlines()[-1])
    own, plain = (np.load(folder / f"gpu-{way}.npy") for way in WAYS)
    print(table(found, source.name, dice(own > 0, plain > 0)))
    return 0


def run_way(
    way: str, source: Path, model: str | Path | None, device: str, runs: int
) -> tuple[dict[str, Any], np.ndarray]:
    """Segment a CT again and again in one way.

    Args:
        way: one of ``WAYS``.
        source: CT file, read before the clock starts.
        model: id or folder; None takes the default model.
        device: as ``--device``.
        runs: after the first one.

    Returns:
        Device, number format, seconds and peak memory, JSON-ready; and the labels.

    Raises:
        SeruError: the CT cannot be read, or the device is not here.
    """
    import torch

    from seru.cascade.cascade import Segmenter
    from seru.io.images import read_volume
    from seru.model.store import find_model
    from seru.options import SegmentOptions

    volume, seconds = read_volume(source), []
    segmenter = Segmenter(find_model(model), SegmentOptions(engine="torch", device=device))
    engine = segmenter.ready().engine
    if way == "float32":
        engine.dtype = torch.float32
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    for _ in range(1 + runs):
        start = time.perf_counter()
        labels = segmenter.segment(volume).labels_kji
        seconds.append(time.perf_counter() - start)
    is_gpu = engine.device.startswith("cuda")
    facts = {
        "device": torch.cuda.get_device_name(engine.device) if is_gpu else engine.device,
        "format": str(engine.dtype).removeprefix("torch."),
        "cold": seconds[0],
        "warm": seconds[1:],
        "gpu_gb": torch.cuda.max_memory_allocated(engine.device) / 1e9 if is_gpu else None,
        "main_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }
    return facts, labels


def table(found: dict[str, dict[str, Any]], source: str, agreement: float) -> str:
    """Return the facts of :func:`run_way` as text.

    Args:
        found: of each way.
        source: name of the CT.
        agreement: Dice of both ways, kidney with tumor.
    """
    plain = statistics.median(found["float32"]["warm"])
    lines = [f"{found['own']['device']}, {source}; seconds from array to labels", ""]
    lines.append(f"{'way':12}{'cold':>8}{'warm':>8}{'ratio':>8}{'GPU GB':>8}{'GB':>8}")
    for facts in found.values():
        warm = statistics.median(facts["warm"])
        memory = "-" if facts["gpu_gb"] is None else f"{facts['gpu_gb']:.2f}"
        numbers = f"{facts['cold']:>8.2f}{warm:>8.2f}{plain / warm:>8.2f}{memory:>8}{facts['main_gb']:>8.2f}"
        lines.append(f"{facts['format']:12}{numbers}")
    return "\n".join([*lines, f"Dice of both: {agreement:.4f}"])


if __name__ == "__main__":
    sys.exit(main())
