"""Training in two processes on the CPU gives the losses of one; test_resume shows that a seed gives the same again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from Testing import REPOSITORY

pytest.importorskip("lightning", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

import torch
from torch import nn

from seru.model.architecture import Architecture
from seru.model.network import SERU
from Testing.training.quick import CONFIG, SMALL_PHANTOMS
from training.callbacks import read_losses
from training.cli import main
from training.config import TrainConfig, load_config
from training.module import rate_factor
from training.recipe import Recipe
from training.synced_norm import use_synced_norm

pytestmark = pytest.mark.slow

# In double precision, so that only the order of sums differs. The Dice is each image's own: a Dice over the batch
# would be one over each process's share. Statistics of batch normalisation are those of both processes.
CHANGES = (
    *SMALL_PHANTOMS,
    "coarse.epochs=2",
    "train.batch_size=4",
    "train.slices_per_epoch=20",
    "train.precision=64-true",
    "train.dice_over=sample",
)


# What torchrun tells each of its processes.
TORCHRUN = {
    "MASTER_ADDR": "127.0.0.1",
    "WORLD_SIZE": "2",
    "LOCAL_WORLD_SIZE": "2",
    "GROUP_RANK": "0",
    "TORCHELASTIC_RUN_ID": "test",
    "OMP_NUM_THREADS": "1",
}


def train_in_two(work: Path) -> None:
    """Train the coarse stage in two processes, as torchrun starts them but for what they import, once for both."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = os.pathsep.join([str(REPOSITORY / "SERUSegmentation"), str(REPOSITORY)])
    environment = {**os.environ, **TORCHRUN, "MASTER_PORT": str(port), "PYTHONPATH": paths}
    command = [sys.executable, __file__, str(work)]
    run = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, encoding="utf-8", timeout=500)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]


def _main(work: Path) -> int:
    """Train in two children, each with its rank."""
    torch.set_num_threads(1)
    changes = [part for change in (f"work={work}", *CHANGES) for part in ("--set", change)]
    children = []
    for rank in ("0", "1"):
        child = os.fork()
        if child == 0:
            os.environ |= {"RANK": rank, "LOCAL_RANK": rank}
            code = 70
            try:
                code = main(["train", "coarse", "--config", str(CONFIG), *changes])
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    return max(abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) for child in children)


def losses(work: Path) -> list[float]:
    return [loss for _, loss, _ in read_losses(work / "coarse" / "losses.csv")]


def recipe(work: Path) -> Recipe:
    return Recipe(load_config(CONFIG, (f"work={work}", *CHANGES)))


def test_two_processes_give_the_10_losses_of_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        recipe(tmp_path / name).run("prepare")

    threads = torch.get_num_threads()
    recipe(tmp_path / "one").run("coarse")
    torch.set_num_threads(threads)
    train_in_two(tmp_path / "two")

    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == 10
    assert two == pytest.approx(one, rel=1e-9)
    assert len(set(one)) == 10


def test_synced_norm_alone_is_batch_norm_with_the_same_names() -> None:
    torch.manual_seed(0)
    plain = SERU(Architecture((1, 1, 1, 1), 8, 4, 8, decoder_channels=(8, 8, 8, 8, 8)))
    synced = SERU(plain.architecture)
    use_synced_norm(synced, on_gpu=False)
    synced.load_state_dict(plain.state_dict())
    images = torch.randn(2, 3, 64, 64)

    assert torch.equal(plain(images), synced(images))
    assert not any(type(module) is nn.BatchNorm2d for module in synced.modules())


def test_papers_schedule_falls_to_a_tenth_every_5_epochs() -> None:
    config = TrainConfig()

    factors = [rate_factor(step, 10, config) for step in (0, 49, 50, 99, 100, 299)]

    assert factors == pytest.approx([1, 1, 0.1, 0.1, 0.01, 1e-5])


def test_cosine_schedule_warms_up_and_ends_at_0() -> None:
    config = TrainConfig(schedule="cosine", epochs=4, warmup_steps=10)

    factors = [rate_factor(step, 25, config) for step in (0, 9, 50, 100)]

    assert factors[0] == pytest.approx(0.1)
    assert factors[2] == pytest.approx(0.5)
    assert factors[3] == pytest.approx(0)
    assert max(factors) == factors[1] < 1


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
