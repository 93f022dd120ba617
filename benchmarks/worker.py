"""What ``seru worker`` saves: a second Segment beside the first, a moved box, and what waiting costs.

    python -m benchmarks.worker [--input CT] [--runs 3] [--quick]

One worker does all of it in turn; every figure is a median, and the ratios are of the same run. On two cores without
bf16 that others use too a round takes seven minutes; a quick one has a third of the slices. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.command import positive, told_in_a_sentence
from benchmarks.end_to_end import REPOSITORY, make_phantom_file

_IDLE_LOOK_S = 5.0
_MOVE = 6


@told_in_a_sentence
def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model id or folder (default: the default model)")
    parser.add_argument("--input", type=Path, help="CT file; default: a phantom of 512x512x200")
    parser.add_argument("--runs", type=positive, help="rounds (default: 3)")
    parser.add_argument("--quick", action="store_true", help="one round, and a phantom of 66 slices, as tall")
    arguments = parser.parse_args()
    runs, slices = arguments.runs or (1 if arguments.quick else 3), 66 if arguments.quick else 200
    folder = REPOSITORY / "build" / "benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    source = arguments.input or make_phantom_file(folder / f"phantom_{slices}.nii.gz", slices)
    with tempfile.TemporaryDirectory() as place:
        seconds, idle = measure(source, arguments.model, runs, Path(place))
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"input {source.name}, runs: {runs}; medians, seconds, and as share of the first Segment\n")
    for name, value in middle.items():
        print(f"{name:44}{value:8.2f}{value / middle['first segment']:8.2f}")
    print(f"\nidle worker: {idle[0]:.0f} MB, {idle[1]:.1f} % of a core; after release {idle[2]:.0f} MB")
    return 0


def measure(
    source: Path, model: str | None, runs: int, place: Path
) -> tuple[dict[str, list[float]], tuple[float, float, float]]:
    """Run a worker for each round; return the seconds of each step, and MB, per cent of a core and MB of the last."""
    seconds: dict[str, list[float]] = defaultdict(list)
    other = make_another(source, place / "other.nii.gz")
    job = {"input": str(source), "maps": str(place / "maps"), "report": str(place / "out.json")}
    job.update({"model": model} if model else {})
    for _ in range(runs):
        start = time.perf_counter()
        with Worker() as worker:
            worker.ask("segment", **job)
            seconds["first segment"].append(time.perf_counter() - start)
            start = time.perf_counter()
            worker.ask("segment", **{**job, "input": str(other)})
            seconds["second segment, of another CT"].append(time.perf_counter() - start)
            start = time.perf_counter()
            worker.ask("segment", **{**job, "input": str(other)})
            seconds["the same CT again"].append(time.perf_counter() - start)
            time_boxes(worker, place / "out.json", seconds)
            idle = worker.look(_IDLE_LOOK_S)
            worker.ask("release")
            idle = (*idle, worker.look(0.0)[0])
    return seconds, idle


def make_another(source: Path, path: Path) -> Path:
    """Write the same CT with one voxel changed: for the worker another one, of the same work."""
    from seru.io.images import read_volume, write_volume
    from seru.volume import Volume

    volume = read_volume(source)
    hu = volume.array_kji.copy()
    hu[0, 0, 0] += 1
    write_volume(Volume(hu, volume.grid), path)
    return path


def time_boxes(worker: Worker, report: Path, seconds: dict[str, list[float]]) -> None:
    """Move the crop box of each side there is, by some pixels."""
    found = json.loads(report.read_text(encoding="utf-8"))
    for side in ("right", "left"):
        crop = found[side]["crop"]
        if crop is None:
            continue
        box = [[n + _MOVE * (axis < 2) for axis, n in enumerate(crop[end])] for end in ("ijk_min", "ijk_max")]
        start = time.perf_counter()
        arrived: list[float] = []
        worker.ask("refine", lambda event: arrived.append(time.perf_counter() - start)  # noqa: B023 - called at once
                   if event["event"] == "slices" else None, side=side, box=box)  # fmt: skip
        seconds["moved box: first slices"].append(arrived[0])
        seconds["moved box: all slices of the side"].append(arrived[-1])
        seconds["moved box: maps and report written"].append(time.perf_counter() - start)


class Worker:
    """A worker of the default engine; a context manager."""

    def __enter__(self) -> Worker:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "seru", "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._number = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, do: str, told: Callable[[dict[str, Any]], None] = lambda event: None, **facts: Any) -> None:
        """Ask for something and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        self._process.stdin.write(json.dumps({"id": self._number, "do": do, **facts}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            event = json.loads(line)
            told(event)
            if event["id"] == self._number and event["event"] == "error":
                raise SystemExit(event["message"])
            if event["id"] == self._number and event["event"] == "done":
                return
        raise SystemExit("the worker has ended")

    def look(self, seconds: float) -> tuple[float, float]:
        """Resident memory in MB, and the share of a core in per cent over some seconds."""
        folder = Path(f"/proc/{self._process.pid}")
        before, start = _cpu_seconds(folder), time.perf_counter()
        time.sleep(seconds)
        share = (_cpu_seconds(folder) - before) / max(time.perf_counter() - start, 1e-9)
        pages = int((folder / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 100 * share


def _cpu_seconds(folder: Path) -> float:
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
