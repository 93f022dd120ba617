"""A cohort on several processes: what two workers save beside one process, and what kills leave.

    python -m benchmarks.cohort --kills 20
    python -m benchmarks.cohort --cases 40 [--runs 3]

``--kills`` starts a real scheduler and two workers, and kills one of them, or the client, by SIGKILL at a random moment
of a batch. After each kill no label map may be partial; a worker's death must change nothing but the time. After
one more run every case must be there, with the right labels, listed once, no temporary file, and what was
finished before untouched. ``--cases`` runs so many CTs in one process, on one worker and on two workers of this
computer, one thread each, in turn; it wants two quiet cores. The ratios are of the medians of all rounds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.command import positive
from benchmarks.kills import MODEL
from seru.io.images import read_volume, write_volume
from seru.phantom import PhantomOptions, make_phantom
from Testing.seru.dask_by_hand import Cluster, batch, environment

_TINY = {"shape_kji": (40, 128, 128), "spacing_kji_mm": (6.0, 3.0, 3.0)}
# As much to compute as a thin-sliced CT of 128 slices: what each case costs besides would else be half of it.
_SMALL = {"shape_kji": (80, 256, 256), "spacing_kji_mm": (3.0, 1.5, 1.5)}
_RUNS = {"one process": (), "one worker": ("--workers", "1"), "two workers": ("--workers", "2")}
_KINDS = ("worker", "scheduler", "client")
_FEW = 6
_WAIT_S = 120.0


def main() -> int:
    """Print the figures; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=positive, default=0)
    parser.add_argument("--cases", type=positive, default=0, help="3 or more: two load the networks")
    parser.add_argument("--runs", type=positive, default=1, help="rounds of --cases (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.cases in (1, 2) or not (arguments.kills or arguments.cases):
        parser.error("give --kills, or --cases with 3 or more")
    with tempfile.TemporaryDirectory() as place:
        faults = kill_often(Path(place), arguments.kills, arguments.seed) if arguments.kills else []
        if arguments.cases:
            compare(Path(place), arguments.cases, arguments.runs)
    return 1 if faults else 0


def compare(place: Path, count: int, runs: int) -> None:
    """Time each way to run the same CTs: from start to end, and once every process has its networks."""
    source = make_cts(place / "cts", count, _SMALL)
    whole, steady = defaultdict(list), defaultdict(list)
    folders = []
    for number, (name, more) in itertools.product(range(runs), _RUNS.items()):
        folders.append(place / f"{name} {number}")
        start = time.perf_counter()
        ends = case_ends(command(source, folders[-1], *more))
        whole[name].append(time.perf_counter() - start)
        # The first case of each process loads the networks.
        first = 2 if name == "two workers" else 1
        steady[name].append((ends[-1] - ends[first - 1]) / (count - first))
        print(
            f"{name:12}{whole[name][-1]:8.1f} s from start to end"
            f"{steady[name][-1]:8.3f} s a case once networks are loaded",
            flush=True,
        )
    one, *others = map(labels_of, folders)
    same = all(_are_equal(one, other) for other in others)
    print(f"{count} CTs, labels {'equal' if same else 'DIFFER'}; two workers beside, medians of {runs}")
    for name in ("one process", "one worker"):
        times = [median(seconds[name]) / median(seconds["two workers"]) for seconds in (whole, steady)]
        print(f"{name:12}{times[0]:8.2f} times as fast from start to end{times[1]:8.2f} a case")


def _are_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def case_ends(arguments: list[str]) -> list[float]:
    """Run a batch; return when each case ended."""
    ends: list[float] = []
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            event = json.loads(line)
            # One process tells of no end, but of the next beginning, and of the end of all.
            is_next = event["event"] == "case" and event["number"] > 1
            is_end = event["event"] == "cases" and event["done"] > 0
            if is_next or is_end or (event["event"] == "done" and "--workers" not in arguments):
                ends.append(time.perf_counter())
    assert child.returncode == 0
    return ends


def kill_often(place: Path, runs: int, seed: int) -> list[str]:
    """Kill, look, run again, look again; return what was wrong."""
    rng = random.Random(seed)
    (place / "cluster").mkdir()
    site = Site(place, Cluster(place / "cluster"))
    codes: Counter[str] = Counter()
    faults: list[str] = []
    try:
        site.learn()
        for number, kind in zip(range(runs), itertools.cycle(_KINDS), strict=False):
            share = rng.uniform(0.0, 1.1)
            code, wrong = site.kill(kind, share, rng)
            codes[f"{kind} -> {code}"] += 1
            faults += [f"run {number}, {kind} at {share:.2f}: {fault}" for fault in wrong]
            print("x" if wrong else ".", end="", flush=True)
    finally:
        site.cluster.stop()
    print("\n", *(f"{key:20}{count:4}\n" for key, count in sorted(codes.items())), sep="")
    print(f"{runs} kills, {len(faults)} faults", *faults, sep="\n")
    return faults


class Site:
    """CTs, their right labels, and a cluster that is killed and started again.

    Args:
        place: a folder.
        cluster: of two workers.
    """

    def __init__(self, place: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self._inputs, self._out = make_cts(place / "in", _FEW, _TINY), place / "out"
        self._right: dict[str, np.ndarray] = {}
        self._seconds = 0.0

    def learn(self) -> None:
        """Find the right labels by one process, and how long a run on the cluster takes."""
        subprocess.run(command(self._inputs, self._out), env=environment(), check=True, capture_output=True)
        self._right = labels_of(self._out)
        for _ in range(2):  # the first one loads the networks
            shutil.rmtree(self._out)
            start = time.perf_counter()
            code, error = self._run()
            assert code == 0, error
            self._seconds = time.perf_counter() - start

    def kill(self, kind: str, share: float, rng: random.Random) -> tuple[int, list[str]]:
        """Kill something in a run, look, run again, and look again.

        Args:
            kind: worker, scheduler or client.
            share: of a whole run's time, after which it is killed.
            rng: chooses the worker.

        Returns:
            The client's exit code, and what was wrong.
        """
        shutil.rmtree(self._out, ignore_errors=True)
        client = subprocess.Popen(self._command(), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(share * self._seconds)
        if kind == "client":
            client.kill()
        elif kind == "scheduler":
            self.cluster.scheduler.kill()
        else:
            rng.choice(self._workers()).kill()
        _, error = client.communicate(timeout=_WAIT_S)
        wrong = self._after(kind, client.returncode, error.decode())
        if kind == "scheduler":
            self.cluster.stop()
            self.cluster.start(workers=2)
        finished = {path: path.stat().st_mtime_ns for path in self._finished()}
        again, error_text = self._run()
        wrong += [f"the next run ends with {again}: {error_text}"] if again else []
        wrong += [f"{path.name} was made twice" for path, made in finished.items() if path.stat().st_mtime_ns != made]
        return client.returncode, wrong + self._look() + self._look_at_the_end()

    def _after(self, kind: str, code: int, error: str) -> list[str]:
        """Say what is wrong with how the client ended."""
        allowed = {"worker": (0,), "scheduler": (0, 1, 2), "client": (0, -9)}[kind]
        wrong = [] if code in allowed else [f"the client ends with {code}: {error}"]
        if error.count("\n") > 1 or "Traceback" in error:
            wrong.append(f"more than a sentence: {error}")
        return wrong + self._look()

    def _look(self) -> list[str]:
        """Say which label maps are not whole and right."""
        wrong = []
        for path in self._out.glob("*.nii.gz"):
            try:
                is_right = np.array_equal(read_volume(path).array_kji, self._right[path.name])
            except Exception as error:
                wrong.append(f"{path.name} is no label map ({error})")
            else:
                wrong += [] if is_right else [f"{path.name} has other labels"]
        return wrong

    def _look_at_the_end(self) -> list[str]:
        """Say what is missing, left over, or there twice."""
        there = Counter(path.name for path in self._out.iterdir())
        wrong = [f"{name} is missing" for name in self._right if not there[name]]
        wrong += [f"{name} is left" for name in there if name.endswith(".part")]
        cases = json.loads((self._out / "summary.json").read_text(encoding="utf-8"))["cases"]
        names = Counter(case["name"] for case in cases if case["status"] in ("done", "skipped"))
        expected = Counter(name.removesuffix(".nii.gz") for name in self._right)
        return wrong + ([] if names == expected else [f"the summary lists {dict(names)}"])

    def _finished(self) -> list[Path]:
        """Return the label maps of the cases whose report, the last file of each, is there."""
        return [path for path in self._out.glob("*.nii.gz") if (self._out / f"{path.name[:-7]}.json").exists()]

    def _workers(self) -> list[psutil.Process]:
        """Return the processes that run tasks; each has one that starts it again."""
        while True:
            nannies = [psutil.Process(process.pid) for process in self.cluster.workers]
            found = [child for nanny in nannies for child in nanny.children() if "spawn_main" in str(child.cmdline())]
            if found:
                return found
            time.sleep(0.05)

    def _command(self) -> list[str]:
        return command(self._inputs, self._out, "--dask", self.cluster.address)

    def _run(self) -> tuple[int, str]:
        ended = subprocess.run(self._command(), env=environment(), capture_output=True, timeout=_WAIT_S)
        return ended.returncode, ended.stderr.decode()


def command(source: Path, target: Path, *more: str) -> list[str]:
    """Return a batch that runs in one thread."""
    return [sys.executable, "-m", "seru", *batch(source, target, MODEL, *more)]


def make_cts(folder: Path, count: int, grid: dict[str, Any]) -> Path:
    """Write so many phantoms."""
    folder.mkdir()
    for seed in range(count):
        write_volume(make_phantom(PhantomOptions(seed=seed, **grid)).volume, folder / f"ct_{seed:02}.nii.gz")
    return folder


def labels_of(folder: Path) -> dict[str, np.ndarray]:
    """Return the label maps in a folder by name."""
    return {path.name: read_volume(path).array_kji for path in folder.glob("*.nii.gz")}


if __name__ == "__main__":
    sys.exit(main())
