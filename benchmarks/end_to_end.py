"""The design's numbers, measured: end to end against the straightforward way, memory, the alpha slider, imports.

Each way runs as a whole process, reading and writing included, in turn, so that a machine whose speed drifts gives
fair ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.command import positive, told_in_a_sentence
from training.scoring import dice

REPOSITORY = Path(__file__).resolve().parent.parent

# The paper's way runs every slice: there the Dice tells what the narrow numbers cost; else also what lies outside the
# slices that were run.
OF_PAPER = "-paper"
WAYS = ("slow", "auto", "torch", "openvino", "openvino" + OF_PAPER)


@told_in_a_sentence
def main() -> int:
    """Print the table."""
    from seru.model.store import find_model

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model id or folder (default: the default model)")
    parser.add_argument("--input", type=Path, help="CT file; default: a phantom of 512x512x200")
    parser.add_argument("--runs", type=positive, default=3)
    parser.add_argument("--skip", nargs="*", default=[], choices=["speed", "memory", "alpha", "import"])
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    model = find_model(arguments.model).folder
    folder = REPOSITORY / "build" / "benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    source = arguments.input or make_phantom_file(folder / "phantom_200.nii.gz", 200)
    if arguments.child:
        return run_child(arguments.child, source, model, folder)
    print(f"model {model.name}, input {source.name}, {arguments.runs} runs each, medians\n")
    if "speed" not in arguments.skip:
        print_speed(source, model, folder, arguments.runs)
    if "memory" not in arguments.skip:
        print_memory(model, folder)
    if "alpha" not in arguments.skip:
        print_alpha(model)
    if "import" not in arguments.skip:
        print_import()
    return 0


def make_phantom_file(path: Path, slices: int) -> Path:
    """Write a phantom of 512x512 pixels, 500 mm high, once."""
    if not path.is_file():
        from seru.io.images import write_volume
        from seru.phantom import PhantomOptions, make_phantom

        shape, spacing = (slices, 512, 512), (500 / slices, 0.75, 0.75)
        write_volume(make_phantom(PhantomOptions(shape_kji=shape, spacing_kji_mm=spacing)).volume, path)
    return path


def run_child(way: str, source: Path, model_folder: Path, folder: Path) -> int:
    """Do the whole job once, in this process."""
    from seru.io.images import read_volume, write_labels
    from seru.model.store import open_model

    model, volume = open_model(model_folder), read_volume(source)
    if way == "slow":
        from benchmarks.straightforward import segment_straightforward

        labels = segment_straightforward(volume, model)
    else:
        from seru.cascade.cascade import segment
        from seru.options import SegmentOptions

        make = SegmentOptions.of_paper if way.endswith(OF_PAPER) else SegmentOptions
        options = make(engine=way.removesuffix(OF_PAPER), alpha=model.card.alpha)
        labels = segment(volume, model, options).labels_kji
    write_labels(labels, volume, folder / f"{way}.nii.gz")
    return 0


def timed_process(arguments: list[str]) -> tuple[float, float]:
    """Run a process; return its wall-clock seconds and its peak memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=REPOSITORY)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        # It has said why.
        raise SystemExit(os.waitstatus_to_exitcode(status))
    return time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e9


def print_speed(source: Path, model: Path, folder: Path, runs: int) -> None:
    """Print the ratio of whole processes, and the agreement of their labels."""
    import SimpleITK as sitk

    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            command = ["-m", "benchmarks.end_to_end", "--child", way, "--model", str(model), "--input", str(source)]
            seconds[way].append(timed_process(command)[0])
    labels = {way: sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{way}.nii.gz"))) for way in WAYS}
    print(f"{'way':24}{'ratio':>8}{'seconds':>10}   Dice with the straightforward way (kidney with tumor)")
    for way in WAYS:
        ratios = [slow / fast for slow, fast in zip(seconds["slow"], seconds[way], strict=True)]
        agreement = dice(labels["slow"] > 0, labels[way] > 0)
        print(f"{way:24}{statistics.median(ratios):8.2f}{statistics.median(seconds[way]):10.1f}   {agreement:.4f}")


def print_memory(model: Path, folder: Path) -> None:
    """Print the peak memory of the whole command on 512x512x500."""
    source = make_phantom_file(folder / "phantom_500.nii.gz", 500)
    for engine in ("auto", "torch", "openvino"):
        output = ["-o", str(folder / "memory.nii.gz"), "--engine", engine, "--device", "cpu", "--progress", "none"]
        _, peak = timed_process(["-m", "seru", "segment", str(source), "--model", str(model), *output])
        print(f"\npeak memory, 512x512x500, {engine}: {peak:.2f} GB")


def print_alpha(model_folder: Path) -> None:
    """Print the time of one alpha step on 512x512x200, without the scene."""
    from seru.cascade.cascade import segment
    from seru.model.store import open_model
    from seru.phantom import PhantomOptions, make_phantom
    from seru.result.fusion import LiveFusion

    phantom = make_phantom(PhantomOptions(shape_kji=(200, 512, 512), spacing_kji_mm=(1.5, 0.75, 0.75)))
    live = LiveFusion(segment(phantom.volume, open_model(model_folder)).maps)
    labels = live.box_labels(0.4).reshape(-1)
    times = []
    for alpha in np.linspace(0, 1, 41):
        start = time.perf_counter()
        labels[live.changing_index] = live.changing_labels(float(alpha))
        times.append(time.perf_counter() - start)
    count, milliseconds = live.changing_index.size, 1e3 * statistics.median(times)
    print(f"\nalpha step, 512x512x200, {count} changing voxels: {milliseconds:.1f} ms")


def print_import() -> None:
    """Print what `import seru` costs and whether it loads torch."""
    program = (
        "import sys, time; start = time.perf_counter(); import seru; "
        "print(time.perf_counter() - start, 'torch' in sys.modules)"
    )
    seconds, has_torch = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    print(f"\nimport seru: {1e3 * float(seconds):.1f} ms, torch loaded: {has_torch}")


if __name__ == "__main__":
    sys.exit(main())
