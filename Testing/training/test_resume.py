"""A run that is killed in the middle of each step and resumed gives the result of one that is not."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from Testing import REPOSITORY

pytest.importorskip("lightning", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

from Testing.training.quick import CONFIG, SMALL_PHANTOMS

SMALL = (
    *SMALL_PHANTOMS,
    "coarse.epochs=3",
    "refine.epochs=3",
    "train.precision=32-true",
    "train.average_decay=0.9",
    "coarse.half_size_epochs=2",
)
# Step, module and name of what is called in its middle, and at which call the process is killed.
KILLS = (
    ("prepare", "training.prepare", "file_digest", 4),
    ("coarse", "training.module", "StageModule.training_step", 5),
    ("crops", "training.crops", "write_json", 3),
    ("refine", "training.module", "StageModule.training_step", 8),
    ("alpha", "training.alpha", "write_json", 1),
    ("thresholds", "training.thresholds", "score_findings", 1),
    ("evaluate", "training.evaluate", "plot_cases", 1),
    ("export", "seru.model.weights", "save_weights", 2),
)
pytestmark = pytest.mark.slow


def test_run_killed_in_every_step_and_resumed_gives_the_same_result(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "SERUSegmentation"), str(REPOSITORY)])}

    run = subprocess.run(
        [sys.executable, __file__, str(tmp_path)], capture_output=True, encoding="utf-8", timeout=500, env=environment
    )

    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    # Each stage began once in either run: what was killed in its second epoch went on from the first.
    assert [run.stdout.count(f"{stage}: epoch 1/3") for stage in ("coarse", "refine")] == [2, 2]
    names = ["coarse/losses.csv", "refine/losses.csv", "alpha/alpha.csv", "evaluate/cases.csv", "evaluate/summary.json"]
    names += ["prepare/manifest.json", "coarse/validation.json"]
    names += [f"export/phantom-tiny/{stage}.safetensors" for stage in ("coarse", "refine")]
    names += [str(path.relative_to(tmp_path / "whole")) for path in (tmp_path / "whole" / "crops").glob("phantom*")]
    assert len(names) == 13
    for name in names:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    leftovers = [path for path in (tmp_path / "killed").rglob(".seru-*") if "coarse" in str(path)]
    assert leftovers == []


def _main(folder: Path) -> int:
    """Run the recipe whole, and again killed once in each step; every run is a process of its own."""
    import torch

    torch.set_num_threads(1)
    import training.recipe  # noqa: F401  (once for all the processes that follow)

    if _fork(lambda: _recipe(folder / "whole")) != 0:
        return 1
    for step, module, name, call in KILLS:
        status = _fork(lambda place=(module, name, call): _killed_at(folder / "killed", *place))
        if status != -signal.SIGKILL:
            print(f"step {step} was not killed but ended with {status}")
            return 2
    return _fork(lambda: _recipe(folder / "killed"))


def _recipe(work: Path) -> int:
    from training.cli import main

    changes = [part for change in (f"work={work}", *SMALL) for part in ("--set", change)]
    return main(["--debug", "all", "--config", str(CONFIG), *changes])


def _killed_at(work: Path, module: str, name: str, call: int) -> int:
    """Run the recipe until a function is called for the n-th time."""
    *outer, last = name.split(".")
    owner = importlib.import_module(module)
    for part in outer:
        owner = getattr(owner, part)
    original: Callable = getattr(owner, last)
    calls = 0

    def counted(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    setattr(owner, last, counted)
    return _recipe(work)


def _fork(action: Callable[[], int]) -> int:
    """Run something in a child; return its exit code, or the negative number of the signal that ended it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = action()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
