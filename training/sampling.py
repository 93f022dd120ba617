"""Which slices make which batch: decided by seed and epoch alone, so that any number of processes sees the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seru.errors import BadInputError
from training.config import TrainConfig


@dataclass(frozen=True)
class Draw:
    """One slice, or one crop of it.

    Attributes:
        case: the case's id.
        index: the slice.
        side: of the crop; None for the whole slice.
        seed: of its augmentation; None leaves it as it is.
    """

    case: str
    index: int
    side: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Pool:
    """What can be drawn from one case: the slices or crops, and those of them that show the classes for sure."""

    case: str
    every: tuple[tuple[int, str | None], ...]
    kidney: tuple[tuple[int, str | None], ...]
    tumor: tuple[tuple[int, str | None], ...]
    is_extra: bool = False
    dataset: str = ""


@dataclass(frozen=True)
class Hard:
    """A slice or crop that the network errs on.

    Attributes:
        case: the case's id.
        index: the slice.
        side: of the crop; None for the whole slice.
        pixels: number of pixels that it takes for kidney or tumor and that are known to be none.
    """

    case: str
    index: int
    side: str | None
    pixels: int


def draw_epoch(
    pools: Sequence[Pool], config: TrainConfig, seed: int, epoch: int, hard: Sequence[Hard] = ()
) -> list[Draw]:
    """Draw the slices of an epoch, in order.

    Args:
        pools: one a case.
        config: sampling, shares and batch size.
        seed: of the run.
        epoch: 0 or more.
        hard: what the network errs on; more often drawn the larger the error is, as its root.

    Returns:
        Draws, a multiple of the batch size; each with its own augmentation seed.

    Raises:
        BadInputError: there is nothing to draw.
    """
    rng = np.random.default_rng([seed, epoch])
    own = [pool for pool in pools if pool.every and not pool.is_extra]
    extra = [pool for pool in pools if pool.every and pool.is_extra]
    if not own:
        raise BadInputError("No training slice is left to draw; check the split and the crops.")
    count = batches_in_epoch(pools, config) * config.batch_size
    if config.sampling == "every_slice":
        everything = [(pool.case, *item) for pool in own for item in pool.every]
        order = np.resize(rng.permutation(len(everything)), count)
        chosen = [everything[index] for index in order]
    else:
        groups, shares = _groups(own, config)
        chosen = [_by_case(groups[rng.choice(len(groups), p=shares)], config, rng) for _ in range(count)]
    if extra:
        swapped = rng.random(count) < config.phantom_share
        chosen = [_by_case(extra, config, rng) if swap else item for swap, item in zip(swapped, chosen, strict=True)]
    if hard:
        odds = np.sqrt([item.pixels for item in hard])
        picked = rng.choice(len(hard), size=count, p=odds / odds.sum())
        swapped = rng.random(count) < config.hard_share
        chosen = [
            (hard[index].case, hard[index].index, hard[index].side) if swap else item
            for swap, index, item in zip(swapped, picked, chosen, strict=True)
        ]
    seeds = rng.integers(2**31, size=count).tolist()
    return [Draw(*item, augmentation) for item, augmentation in zip(chosen, seeds, strict=True)]


def batches_in_epoch(pools: Sequence[Pool], config: TrainConfig) -> int:
    """Return the number of optimiser steps of an epoch, at least 1."""
    slices = sum(len(pool.every) for pool in pools if not pool.is_extra)
    if config.sampling == "by_case" and config.slices_per_epoch is not None:
        slices = config.slices_per_epoch
    return max(1, slices // config.batch_size)


def _groups(pools: Sequence[Pool], config: TrainConfig) -> tuple[list[Sequence[Pool]], list[float]]:
    """Return the pools of each folder that has a share, and the shares; all of them together where none has."""
    if not config.shares:
        return [pools], [1.0]
    by_name = {name: [pool for pool in pools if pool.dataset == name] for name in config.shares}
    missing = sorted(name for name, found in by_name.items() if not found)
    if missing:
        raise BadInputError(f"Nothing of '{missing[0]}' can be drawn; correct 'shares' or the data's folders.")
    total = sum(config.shares.values())
    return list(by_name.values()), [share / total for share in config.shares.values()]


def _by_case(pools: Sequence[Pool], config: TrainConfig, rng: np.random.Generator) -> tuple[str, int, str | None]:
    """First what must be seen, then a case that shows it, then one of its slices: long scans count no more."""
    kind = rng.random()
    wanted = "every"
    if kind < config.tumor_share:
        wanted = "tumor"
    elif kind < config.tumor_share + config.kidney_share:
        wanted = "kidney"
    able = [pool for pool in pools if getattr(pool, wanted)]
    if not able:
        able, wanted = list(pools), "every"
    pool = able[rng.integers(len(able))]
    items = getattr(pool, wanted)
    return pool.case, *items[rng.integers(len(items))]


class GlobalBatches:
    """Batches of one process: its share of each global batch.

    Args:
        draws: of the epoch, over all processes.
        batch_size: of the global batch.
        rank: of this process.
        world: number of processes.

    Raises:
        BadInputError: the batch cannot be shared evenly.
    """

    def __init__(self, draws: Sequence[Draw], batch_size: int, rank: int = 0, world: int = 1) -> None:
        if batch_size % world:
            raise BadInputError(
                f"A batch of {batch_size} cannot be shared by {world} processes; make batch_size a multiple of {world}."
            )
        self._draws, self._batch_size = draws, batch_size
        self._share = batch_size // world
        self._first = rank * self._share

    def __len__(self) -> int:
        return len(self._draws) // self._batch_size

    def __iter__(self) -> Iterator[list[Draw]]:
        for start in range(self._first, len(self) * self._batch_size, self._batch_size):
            yield list(self._draws[start : start + self._share])
