"""How slices go to an engine in batches: started ahead, filled up, and smaller where memory is short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seru.cascade.batches import BatchRunner
from seru.model.engines.torch_engine import TorchEngine, TorchWay
from seru.model.store import Model, open_model
from seru.phantom import Phantom, make_phantom
from seru.progress import Progress
from Testing.seru.test_cascade import SMALL, TORCH, ForgetfulEngine


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return open_model(tiny_model)


@pytest.fixture(scope="module")
def case() -> Phantom:
    return make_phantom(SMALL)


class AheadEngine(ForgetfulEngine):
    """Works by itself: a batch that is started has its result, or finds no memory, before it is asked for."""

    batches_ahead = 1

    def start(self, stage: str, images: np.ndarray) -> Callable[[], np.ndarray]:
        outputs = self.predict(stage, images)
        return lambda: outputs


@pytest.mark.parametrize("mirror", [False, True])
def test_a_batch_that_was_started_ahead_stays_when_the_next_finds_no_memory(mirror: bool, model: Model) -> None:
    runner = BatchRunner(model, replace(TORCH, mirror=mirror))
    runner.engine = AheadEngine(model, most=8)
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 32, 32), dtype=np.uint8)

    outputs = []
    for index, output in runner.run("coarse", range(20), images.__getitem__, Progress()):
        runner.engine.most = 3
        outputs.append(output)
        assert index == len(outputs) - 1

    np.testing.assert_array_equal(np.stack(outputs)[:, 0], images[:, 0] // 2)
    assert runner.engine.batches[: 2 + 2 * mirror] == [8] * (2 + 2 * mirror)
    assert 4 in runner.engine.batches


@pytest.mark.parametrize("way", ["ahead", "filled"])
def test_what_a_slice_gives_does_not_depend_on_how_batches_are_run(way: str, case: Phantom, model: Model) -> None:
    images = case.volume.array_kji[25:36, np.newaxis].clip(0, 255).astype(np.uint8)
    ways = {"ahead": TorchWay(4, batches_ahead=1), "filled": TorchWay(4, is_filled=True, batches_ahead=1)}

    def outputs(chosen: TorchWay) -> np.ndarray:
        runner = BatchRunner(model, TORCH)
        runner.engine = TorchEngine(model, "cpu", way=chosen)
        return np.stack([output for _, output in runner.run("coarse", range(11), images.__getitem__, Progress())])

    found = outputs(ways[way])

    assert found.max() > 200
    np.testing.assert_array_equal(found, outputs(TorchWay(4)))


class NarrowNetwork(torch.nn.Module):
    """A network on a device that has memory for ``most`` slices."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most, self.sizes = network, most, []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(images))
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.network(images)


@pytest.mark.parametrize(("count", "sizes"), [(1, [8, 4, 2]), (3, [8, 4]), (2, [8, 4, 2])])
def test_what_a_batch_is_filled_up_with_goes_first(count: int, sizes: list[int], case: Phantom, model: Model) -> None:
    images = case.volume.array_kji[30 : 30 + count, np.newaxis].clip(0, 255).astype(np.uint8)
    engine = TorchEngine(model, "cpu", way=TorchWay(8, is_filled=True))
    expected = TorchEngine(model, "cpu").predict("coarse", images)
    engine._networks["coarse"] = narrow = NarrowNetwork(engine.network("coarse"), 4 if count == 3 else 2)

    found = engine.predict("coarse", images)

    np.testing.assert_array_equal(found, expected)
    assert narrow.sizes == sizes
    assert engine.batch_size(images.shape[-2:]) == sizes[-1]


@pytest.mark.parametrize("count", [1, 3])
def test_what_overflows_in_float16_is_run_again_in_float32(count: int, case: Phantom, model: Model) -> None:
    images = case.volume.array_kji[30 : 30 + count, np.newaxis].clip(0, 255).astype(np.uint8)
    engine, plain = TorchEngine(model, "cpu"), TorchEngine(model, "cpu")
    engine.dtype, plain.dtype = torch.float16, torch.float32
    good = engine.predict("coarse", images)
    scores = engine.network("coarse").network.head
    scores.weight.data.mul_(3e4)

    started = [engine.start("coarse", images) for _ in range(2)]
    found = [finish() for finish in started]

    expected = plain.predict("coarse", images)
    assert np.abs(good.astype(int) - expected).max() < 16
    assert expected.max() > 100
    assert engine.dtype == torch.float32
    for each in found:
        np.testing.assert_array_equal(each, expected)
