"""The GPU's benchmark on the CPU, and the GPU itself where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu import HEADINGS, line_of, main, run_way
from seru.cascade.batches import BatchRunner
from seru.cascade.cascade import Segmenter, segment
from seru.errors import CancelledError
from seru.io.images import write_volume
from seru.model.engines.devices import may_have_gpu
from seru.model.store import open_model
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from seru.progress import Progress
from seru.volume import Volume
from training.scoring import dice


@pytest.fixture(scope="module")
def ct() -> Volume:
    return make_phantom(PhantomOptions(shape_kji=(12, 96, 96), spacing_kji_mm=(16.0, 4.0, 4.0))).volume


@pytest.fixture(scope="module")
def expected(ct: Volume, tiny_model: Path) -> np.ndarray:
    """Labels that a CPU gives."""
    labels = segment(ct, tiny_model, SegmentOptions(engine="torch", device="cpu")).labels_kji
    assert labels.any()
    return labels


@pytest.fixture
def cuda() -> Iterator[str]:
    """The first GPU, with all of its memory again after the test."""
    if may_have_gpu():
        import torch

        if torch.cuda.is_available():
            yield "cuda:0"
            torch.cuda.set_per_process_memory_fraction(1.0)
            torch.cuda.empty_cache()
            return
    pytest.skip("no CUDA device")


@pytest.mark.parametrize("way", ["own", "float32", "planes"])
def test_each_way_of_the_benchmark_gives_the_run_s_labels(
    way: str, ct: Volume, tiny_model: Path, expected: np.ndarray
) -> None:
    facts, labels = run_way(way, ct, tiny_model, "cpu", 2)

    assert dice(labels > 0, expected > 0) >= 0.99
    assert (facts["device"], facts["gpu_gb"], len(facts["warm"])) == ("cpu", None, 2)
    assert (facts["format"] == "float32") >= (way == "float32")
    assert (facts["rest"] is not None) == (way == "own")
    assert 0 < facts["network"] < facts["cold"]
    assert facts["size"] > 0


def test_a_line_of_the_table_has_the_median_the_ratio_and_both_dice() -> None:
    stages = {"preprocess": 0.01, "coarse": 0.5, "key_slices": 0.02, "refine": 0.4, "fuse": 0.1}
    facts = {"format": "bfloat16", "cold": 5.0, "warm": [2.5, 1.0, 1.5], "stages": stages}
    facts |= {"rest": 0.8, "network": 0.0005, "size": 0.25, "gpu_gb": 6.0, "main_gb": 3.0}
    labels, plain_labels = np.array([0, 1, 2, 2]), np.array([1, 1, 1, 2])

    line = line_of("own", facts, {"warm": [4.5]}, labels, plain_labels)

    numbers = ["5.00", "1.50", "3.00", "0.010", "0.500", "0.020", "0.400", "0.100", "0.800"]
    numbers += ["0.500", "0.25", "6.00", "3.00"]
    assert line.split() == ["own", "bfloat16", *numbers, "0.8571", "0.6667"]
    assert len(line) == len(HEADINGS)


def test_a_device_that_is_not_here_is_one_sentence(
    ct: Volume, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(ct, tmp_path / "ct.nrrd")

    assert main(["--input", str(tmp_path / "ct.nrrd"), "--model", str(tiny_model), "--device", "cuda:99"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gpu: The device 'cuda:99' is not on this computer")


@pytest.mark.gpu
@pytest.mark.parametrize("way", ["own", "float32", "eager", "bfloat16", "planes"])
def test_a_gpu_gives_the_labels_of_the_cpu(
    way: str, ct: Volume, tiny_model: Path, cuda: str, expected: np.ndarray
) -> None:
    facts, labels = run_way(way, ct, tiny_model, cuda, 1)

    assert facts["device"] != "cpu"
    assert facts["gpu_gb"] > 0
    assert dice(labels > 0, expected > 0) >= 0.99


@pytest.mark.gpu
@pytest.mark.parametrize("count", [5, 32])
def test_a_captured_network_gives_what_it_gives_uncaptured(count: int, tiny_model: Path, cuda: str) -> None:
    from seru.model.engines.torch_engine import WAYS, TorchEngine

    model, images = open_model(tiny_model), np.random.default_rng(0).integers(0, 256, (count, 1, 96, 96), np.uint8)
    way = WAYS["cuda"]
    captured = TorchEngine(model, cuda, way=way)
    eager = TorchEngine(model, cuda, way=replace(way, is_captured=False))

    for _ in range(2):
        for stage in ("coarse", "refine"):
            found = captured.predict(stage, images)
            assert found.shape == (count, 2, 96, 96)
            np.testing.assert_array_equal(found, eager.predict(stage, images))
    assert captured.way.is_captured
    assert len(captured._captured) == 2


@pytest.mark.gpu
@pytest.mark.parametrize("is_captured", [True, False])
def test_a_batch_too_large_for_the_gpu_is_halved(is_captured: bool, tiny_model: Path, cuda: str) -> None:
    import torch

    from seru.model.engines.torch_engine import WAYS, TorchEngine

    model, images = open_model(tiny_model), np.random.default_rng(0).integers(0, 256, (40, 1, 512, 512), np.uint8)
    way = replace(WAYS["cuda"], is_captured=is_captured)
    engine = TorchEngine(model, cuda, way=way)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    whole = np.concatenate([engine.predict("coarse", part) for part in (images[:32], images[32:])])
    wanted = torch.cuda.max_memory_reserved() - before
    engine.release()
    allowed = before + 0.6 * wanted
    torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.get_device_properties(cuda).total_memory)
    runner = BatchRunner(model, SegmentOptions(engine="torch", device=cuda))
    runner.engine = engine = TorchEngine(model, cuda, way=way)
    engine._sizes[512, 512] = 32  # as if another program had taken the memory since

    found = [output for _, output in runner.run("coarse", range(40), images.__getitem__, Progress())]

    assert (runner.has_fallen_back, engine.way.is_captured) == (False, is_captured)
    assert engine.batch_size((512, 512)) < 32
    assert np.abs(np.stack(found).astype(int) - whole).mean() < 1.0


@pytest.mark.gpu
def test_a_gpu_without_any_memory_hands_over_to_the_cpu(
    ct: Volume, tiny_model: Path, cuda: str, expected: np.ndarray
) -> None:
    import torch

    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)

    result = segment(ct, tiny_model, SegmentOptions(engine="torch", device=cuda))

    assert result.report.device == "cpu"
    assert f"The device {cuda} has too little free memory; the CPU goes on, more slowly." in result.report.warnings
    assert dice(result.labels_kji > 0, expected > 0) >= 0.99


@pytest.mark.gpu
def test_cts_in_turn_and_after_one_that_was_cancelled_are_as_alone(ct: Volume, tiny_model: Path, cuda: str) -> None:
    class Cancelling(Progress):
        def stage(self, name: str, done: int, total: int) -> None:
            if name == "refine":
                self.cancel()

    options = SegmentOptions(engine="torch", device=cuda)
    smaller = Volume.from_array(np.ascontiguousarray(ct.array_kji[:, :90, :]), ct.grid.ijk_to_ras)
    volumes = (ct, smaller)
    alone_labels = [segment(volume, tiny_model, options).labels_kji for volume in volumes]
    segmenter = Segmenter(open_model(tiny_model), options)

    for _ in range(2):
        for volume, labels in zip(volumes, alone_labels, strict=True):
            np.testing.assert_array_equal(segmenter.segment(volume).labels_kji, labels)
        with pytest.raises(CancelledError):
            segmenter.segment(ct, Cancelling())
