"""Kills ``seru segment``, ``seru batch`` and ``seru worker`` at random moments and looks at what is left.

    python -m benchmarks.kills --runs 100

After each kill nothing half written may be at the output and no process may be left; after the next whole run no
temporary file may be left, and the labels must be those of a run that nothing disturbed. A worker segments a CT and
refines both sides in turn: the labels after each are right ones.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from seru.io.images import read_volume, write_volume
from seru.options import SideBox
from seru.phantom import PhantomOptions, make_phantom
from seru.result.maps import MAPS_FILE

REPOSITORY = Path(__file__).resolve().parent.parent
MODEL = REPOSITORY / "Testing" / "models" / "phantom-tiny"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SEVERAL = 2
NAMES = ("segment", "batch", "worker")
# Before Python has come to our first line a signal ends it as it does any program.
_START_S = 0.1
BOXES = {"left": [[70, 40, 12], [112, 82, 24]], "right": [[20, 40, 10], [62, 82, 22]]}


def main() -> int:
    """Kill, look, and print the figures; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=NAMES, help="of the commands (default: all)")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        codes: Counter[str] = Counter()
        faults: list[str] = []
        kinds = itertools.cycle(itertools.product((arguments.only,) if arguments.only else NAMES, SIGNALS))
        for number, (name, kind) in zip(range(arguments.runs), kinds, strict=False):
            code, wrong = site.kill(name, kind, rng.uniform(0.0, 1.1))
            codes[f"{name} {kind.name} -> {code}"] += 1
            print(".", end="", flush=True)
            faults += [f"run {number}, {name}, {kind.name}: {fault}" for fault in wrong]
    print()
    for key, count in sorted(codes.items()):
        print(f"{key:32}{count:5}")
    print(f"\n{arguments.runs} kills, {len(faults)} faults", *faults, sep="\n")
    return 1 if faults else 0


class Site:
    """Two CTs, their right labels, and a folder that each run writes to.

    Args:
        folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        self._inputs, self._out = folder / "in", folder / "out"
        self._inputs.mkdir()
        grid = {"shape_kji": (40, 128, 128), "spacing_kji_mm": (6.0, 3.0, 3.0)}
        for seed in range(SEVERAL):
            write_volume(make_phantom(PhantomOptions(seed=seed, **grid)).volume, self._inputs / f"{seed}.nii.gz")
        self._run("batch")
        self._right = {path.name: [read_volume(path).array_kji] for path in self._out.glob("*.nii.gz")}
        for count in range(1, len(BOXES) + 1):
            self._run("segment", *_box_arguments(count))
            self._right["0.nii.gz"].append(read_volume(self._out / "0.nii.gz").array_kji)
        self._seconds = {name: self._time(name) for name in NAMES}

    def kill(self, name: str, number: signal.Signals, share: float) -> tuple[int, list[str]]:
        """Kill a run, look, run again, and look again.

        Args:
            name: ``segment``, ``batch`` or ``worker``.
            number: the signal.
            share: of a whole run's time, after which it is sent.

        Returns:
            The exit code of the killed run, and what was wrong.
        """
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        child = subprocess.Popen(self._command(name), start_new_session=True, stdin=subprocess.PIPE, **_QUIET)
        assert child.stdin is not None
        child.stdin.write(self._requests())  # only a worker reads them
        child.stdin.flush()
        time.sleep(share * self._seconds[name])
        child.send_signal(number)
        code = child.wait(60)
        with suppress(BrokenPipeError):
            child.stdin.close()
        wrong = self._look(may_have_parts=number == signal.SIGKILL)
        if _lives(child.pid):
            wrong.append("a process is left")
        may_die = number == signal.SIGKILL or share * self._seconds[name] < _START_S
        if code not in (0, 130, -number) or (code == -number and not may_die):
            wrong.append(f"exit code {code}")
        if self._run(name):
            wrong.append("the next run fails")
        wrong += self._look(may_have_parts=False)
        expected = set(self._right) if name == "batch" else {"0.nii.gz"}
        missing = expected - {path.name for path in self._out.iterdir()}
        return code, wrong + [f"{name} is missing" for name in missing]

    def _requests(self) -> bytes:
        """What a worker is asked for."""
        job: dict[str, Any] = {"input": str(self._inputs / "0.nii.gz"), "model": str(MODEL), "options": {"threads": 1}}
        job.update({"output": str(self._out / "0.nii.gz"), "report": str(self._out / "0.json")})
        requests = [{"do": "segment", **job, "maps": str(self._out / "maps")}]
        requests += [{"do": "refine", "side": side, "box": box} for side, box in BOXES.items()]
        lines = (json.dumps({"id": number, **one}) for number, one in enumerate([*requests, {"do": "quit"}]))
        return "".join(f"{line}\n" for line in lines).encode()

    def _command(self, name: str) -> list[str]:
        if name == "worker":
            return [sys.executable, "-m", "seru", "worker"]
        where = {"segment": ("0.nii.gz", "-o", "0.nii.gz", "--report", "0.json"), "batch": ("", "-o", "")}[name]
        source, flag, output, *more = where
        places = [str(self._out / place) if place.endswith("json") else place for place in more]
        maps = ["--maps", str(self._out / "maps"), "--pictures", str(self._out / "pictures")]
        command = [sys.executable, "-m", "seru", name, str(self._inputs / source), flag, str(self._out / output)]
        return [*command, *places, *maps, "--model", str(MODEL), "--threads", "1", "--progress", "none"]

    def _run(self, name: str, *more: str) -> int:
        self._out.mkdir(exist_ok=True)
        return subprocess.run([*self._command(name), *more], input=self._requests(), **_QUIET).returncode

    def _time(self, name: str) -> float:
        shutil.rmtree(self._out, ignore_errors=True)
        start = time.perf_counter()
        self._run(name)
        return time.perf_counter() - start

    def _look(self, may_have_parts: bool) -> list[str]:
        wrong = []
        for path in self._out.rglob("*"):
            if path.name.endswith((".part", ".npz")) and path.name != MAPS_FILE and not may_have_parts:
                wrong.append(f"{path.name} is left")
            if path.name.endswith(".nii.gz"):
                try:
                    labels = read_volume(path).array_kji
                    is_right = any(np.array_equal(labels, right) for right in self._right[path.name])
                except Exception as error:
                    wrong.append(f"{path.name} is no label map ({error})")
                else:
                    wrong += [] if is_right else [f"{path.name} has other labels"]
        return wrong


def _box_arguments(count: int) -> list[str]:
    boxes = (SideBox(side, *map(tuple, box)) for side, box in itertools.islice(BOXES.items(), count))
    return [text for box in boxes for text in ("--box", str(box))]


_QUIET: dict = {
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
    "env": {**os.environ, "PYTHONPATH": str(REPOSITORY / "SERUSegmentation"), "OMP_NUM_THREADS": "1"},
}


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
