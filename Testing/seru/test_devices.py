"""Which device a run takes, and that finding it costs no import of torch where its build knows the CPU alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest

from seru.errors import DeviceError
from seru.io.images import write_volume
from seru.model import engines
from seru.model.engines import devices, make_engine, resolve_device, resolve_engine
from seru.model.store import RANGES, open_model
from seru.phantom import PhantomOptions, make_phantom
from Testing import REPOSITORY

_CPU = "__version__ = '2.13.0+cpu'\ncuda = None\nhip = None\n"
_CUDA = "cuda = '12.8'\nhip = None\n"
_ROCM = "cuda = None\nhip = '6.4'\n"


@pytest.mark.parametrize(
    ("platform", "build", "driver", "expected"),
    [
        ("linux", _CPU, True, False),
        ("win32", _CPU, False, False),
        ("linux", _CUDA, True, True),
        ("linux", _CUDA, False, False),
        ("win32", _CUDA, True, True),
        ("linux", _ROCM, False, True),
        ("darwin", _CPU, False, True),
        ("linux", "a file of some other torch", False, True),
        ("linux", "version = 'without what is asked for'", False, True),
        ("linux", None, False, True),
    ],
)
def test_a_gpu_is_ruled_out_by_torch_s_build_and_nvidia_s_driver_alone(
    platform: str, build: str | None, driver: bool, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if build is not None:
        (tmp_path / "version.py").write_text(build)
    spec = ModuleSpec("torch", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(devices, "find_spec", lambda name: spec)
    monkeypatch.setattr(devices, "_has_nvidia_driver", lambda: driver)
    monkeypatch.setattr(devices.sys, "platform", platform)

    assert devices.may_have_gpu() is expected


def test_where_torch_is_not_installed_its_import_is_left_to_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: None)

    assert devices.may_have_gpu()


def test_a_device_is_the_one_that_torch_finds() -> None:
    import torch

    expected = "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert resolve_device("auto") == expected
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="'cuda:99' is not on this computer"):
        resolve_device("cuda:99")


@pytest.mark.parametrize("has_openvino", [True, False])
def test_a_gpu_takes_torch_and_a_cpu_the_fast_engine_where_it_is_there(
    monkeypatch: pytest.MonkeyPatch, has_openvino: bool
) -> None:
    monkeypatch.setattr(engines, "_has_openvino", lambda: has_openvino)
    on_cpu = ("openvino" if has_openvino else "torch", "cpu")

    monkeypatch.setattr(engines, "resolve_device", {"auto": "cuda:0", "cpu": "cpu"}.__getitem__)
    assert resolve_engine() == ("torch", "cuda:0")
    assert resolve_engine(device="cpu") == on_cpu
    assert resolve_engine("torch", "cpu") == ("torch", "cpu")
    assert resolve_engine("openvino") == ("openvino", "cpu")
    monkeypatch.setattr(engines, "resolve_device", {"auto": "cpu"}.__getitem__)
    assert resolve_engine() == on_cpu


@pytest.mark.parametrize("are_preferred", [True, False])
def test_integers_are_taken_where_the_model_has_ranges_and_the_cpu_prefers_them(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path, are_preferred: bool
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    monkeypatch.setattr(engines, "prefers_integers", lambda: are_preferred)
    plain = open_model(tiny_model)
    ranges = next(iter(plain.card.files.values()))
    measured = replace(plain, card=replace(plain.card, files={**plain.card.files, RANGES: ranges}))
    chosen = "openvino-int8" if are_preferred else "openvino"

    assert resolve_engine("auto", "cpu") == ("openvino", "cpu")
    for model, expected in ((plain, "openvino"), (measured, chosen)):
        assert resolve_engine("auto", "cpu", model.has_ranges) == (expected, "cpu")
        assert make_engine(model, device="cpu").name == expected
    assert resolve_engine("torch", "cpu", has_ranges=True) == ("torch", "cpu")


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "flags: avx2 avx512_bf16", True),
        ("x86_64", "flags: avx2 amx_bf16 amx_tile", False),
        ("AMD64", None, True),
        ("arm64", None, False),
        ("aarch64", "Features: asimd", False),
    ],
)
def test_integers_are_preferred_on_x86_without_amx(
    monkeypatch: pytest.MonkeyPatch, machine: str, flags: str | None, expected: bool
) -> None:
    def read_text(path: Path, **options: str) -> str:
        assert path == Path("/proc/cpuinfo")
        if flags is None:
            raise FileNotFoundError(path)
        return flags

    monkeypatch.setattr(devices.platform, "machine", lambda: machine)
    monkeypatch.setattr(Path, "read_text", read_text)

    assert devices.prefers_integers() is expected


_SEGMENT = """
import sys
from seru.cli import main

code = main(sys.argv[1:])
sys.exit(code or 9 * ("torch" in sys.modules))
"""


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
@pytest.mark.skipif(devices.may_have_gpu(), reason="torch may find a GPU here")
def test_a_network_that_was_converted_before_runs_without_importing_torch(tmp_path: Path, tiny_model: Path) -> None:
    phantom = make_phantom(PhantomOptions(shape_kji=(12, 96, 96), spacing_kji_mm=(16.0, 4.0, 4.0)))
    write_volume(phantom.volume, tmp_path / "ct.nrrd")
    arguments = ["segment", str(tmp_path / "ct.nrrd"), "--model", str(tiny_model), "--progress", "none"]
    arguments += ["-o", str(tmp_path / "out.nrrd")]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "SERUSegmentation")}

    codes = [subprocess.run([sys.executable, "-c", _SEGMENT, *arguments], env=environment).returncode for _ in range(2)]

    assert codes[1] == 0, "torch was imported"
    assert codes[0] in (0, 9)


_PREDICT = """
import sys
from pathlib import Path
import numpy as np
from seru.model.engines import make_engine
from seru.model.store import open_model

engine = make_engine(open_model(Path(sys.argv[1])), "openvino", "cpu")
print(engine.predict("refine", np.full((1, 1, 64, 64), 100, np.uint8)).shape)
"""


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
@pytest.mark.parametrize(
    ("variable", "limit"),
    [("ONEDNN_MAX_CPU_ISA", "AVX2"), ("DNNL_MAX_CPU_ISA", "avx2_vnni_2"), ("ONEDNN_MAX_CPU_ISA", "SSE41")],
)
def test_a_cpu_whose_instructions_are_limited_runs_the_networks(tiny_model: Path, variable: str, limit: str) -> None:
    # oneDNN reads it once in a process; on a CPU with AVX-512 this fails where OpenVINO asks for bf16.
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "SERUSegmentation"), variable: limit}

    done = subprocess.run([sys.executable, "-c", _PREDICT, str(tiny_model)], env=environment, capture_output=True)

    assert (done.stdout.decode().split("\n")[0], done.returncode) == ("(1, 2, 64, 64)", 0)
