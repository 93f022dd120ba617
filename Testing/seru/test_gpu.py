"""The GPU's benchmark on the CPU, and the GPU itself where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu import main, run_way, table
from seru.cascade.cascade import segment
from seru.io.images import read_volume, write_volume
from seru.model.engines.devices import may_have_gpu
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from training.scoring import dice


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gpu") / "ct.nrrd"
    phantom = make_phantom(PhantomOptions(shape_kji=(12, 96, 96), spacing_kji_mm=(16.0, 4.0, 4.0)))
    write_volume(phantom.volume, path)
    return path


@pytest.fixture
def cuda() -> str:
    """The first GPU."""
    if may_have_gpu():
        import torch

        if torch.cuda.is_available():
            return "cuda:0"
    pytest.skip("no CUDA device")


def test_both_ways_of_the_benchmark_give_the_run_s_labels(ct: Path, tiny_model: Path) -> None:
    expected = segment(read_volume(ct), tiny_model, SegmentOptions(engine="torch", device="cpu")).labels_kji

    own, labels = run_way("own", ct, tiny_model, "cpu", 1)
    plain, plain_labels = run_way("float32", ct, tiny_model, "cpu", 1)

    assert np.array_equal(labels, expected)
    assert expected.any()
    assert dice(plain_labels > 0, expected > 0) >= 0.99
    assert (plain["format"], plain["device"], plain["gpu_gb"]) == ("float32", "cpu", None)
    assert (len(own["warm"]), len(plain["warm"])) == (1, 1)
    assert own["cold"] > 0


def test_the_table_has_the_median_and_the_ratio_to_float32() -> None:
    own = {"device": "A GPU", "format": "bfloat16", "cold": 5.0, "warm": [2.5, 1.0, 1.5], "gpu_gb": 6.0, "main_gb": 3.0}
    plain = {**own, "format": "float32", "warm": [4.5]}

    lines = table({"own": own, "float32": plain}, "ct.nrrd", 0.99912).splitlines()

    assert lines[3].split() == ["bfloat16", "5.00", "1.50", "3.00", "6.00", "3.00"]
    assert lines[4].split() == ["float32", "5.00", "4.50", "1.00", "6.00", "3.00"]
    assert lines[5] == "Dice of both: 0.9991"


def test_a_device_that_is_not_here_is_one_sentence(
    ct: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--child", "own", "--input", str(ct), "--model", str(tiny_model), "--device", "cuda:99"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gpu: The device 'cuda:99' is not on this computer")


@pytest.mark.gpu
@pytest.mark.parametrize("way", ["own", "float32"])
def test_a_gpu_gives_the_labels_of_the_cpu(ct: Path, tiny_model: Path, cuda: str, way: str) -> None:
    expected = segment(read_volume(ct), tiny_model, SegmentOptions(engine="torch", device="cpu")).labels_kji

    facts, labels = run_way(way, ct, tiny_model, cuda, 1)

    assert facts["device"] != "cpu"
    assert facts["gpu_gb"] > 0
    assert dice(labels > 0, expected > 0) >= 0.99
