"""Out of memory in whatever words is told as such, with exit code 4; nothing else is."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seru.cascade.cascade import Segmenter
from seru.errors import BadInputError, DeviceError, ModelError, is_memory_error
from seru.grid import Grid
from seru.memory import give_back, has_room, is_short, require_room, require_threads
from seru.model.store import open_model
from seru.options import SegmentOptions
from seru.volume import Volume
from Testing import REPOSITORY
from Testing.seru.command_by_hand import make_random_model
from Testing.seru.image_files_by_hand import oblique, small_ct, write_nifti

TOO_LITTLE = [
    MemoryError(),
    OSError(12, "Cannot allocate memory"),
    RuntimeError("can't start new thread"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("std::bad_alloc"),
    RuntimeError("can't alloc"),
    RuntimeError("Exception from src/inference/src/cpp/core.cpp:117:\nstd::bad_alloc\n"),
    RuntimeError("Resource temporarily unavailable"),
    RuntimeError("could not create a primitive"),
    RuntimeError("OpenCV(4.13.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes"),
    ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    RuntimeError("Unable to allocate 3.00 GiB for an array"),
]
OTHER = [
    ValueError("shape"),
    OSError(28, "No space left on device"),
    FileNotFoundError(2, "No such file", "out of memory.nii.gz"),
    BlockingIOError(11, "Resource temporarily unavailable"),
    ImportError("libtorch_cpu.so: failed to map segment from shared object: Operation not permitted"),
    ImportError("libgomp.so.1: cannot allocate memory in static TLS block"),
    RuntimeError("could not create a primitive descriptor for a convolution"),
    BadInputError("'out of memory.nii.gz' is no CT."),
]


@pytest.mark.parametrize("error", TOO_LITTLE, ids=str)
def test_what_means_too_little_memory(error: Exception) -> None:
    assert is_memory_error(error)


@pytest.mark.parametrize("error", OTHER, ids=str)
def test_what_means_something_else(error: Exception) -> None:
    assert not is_memory_error(error)


def test_an_error_raised_from_too_little_memory_means_the_same() -> None:
    error = RuntimeError("the network could not be traced")
    error.__cause__ = MemoryError()

    assert is_memory_error(error)


def test_an_error_of_ours_means_what_it_says() -> None:
    error = ModelError("The weights are damaged.")
    error.__cause__ = MemoryError()

    assert not is_memory_error(error)


@pytest.mark.parametrize("error", TOO_LITTLE[:4], ids=str)
def test_a_run_without_memory_is_a_device_error(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise error

    segmenter = Segmenter(open_model(make_random_model(tmp_path)), SegmentOptions(engine="torch", device="cpu"))
    monkeypatch.setattr("seru.model.weights.load", fail)

    with pytest.raises(DeviceError, match="too little memory"):
        segmenter.segment(Volume(small_ct(), Grid((6, 32, 40), oblique())))


def test_room_is_asked_for_without_taking_it() -> None:
    assert has_room(1)
    assert not has_room(1 << 60)
    require_room(1 << 20)
    with pytest.raises(DeviceError, match="too little memory"):
        require_room(1 << 60)


def test_threads_are_asked_for_and_ended_again() -> None:
    before = threading.active_count(), threading.stack_size()

    require_threads()
    require_threads(10_000)

    assert (threading.active_count(), threading.stack_size()) == before


def test_a_system_that_refuses_threads_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    # A limit of threads is one of the user's, and never counts for root.
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    with pytest.raises(DeviceError, match=r"fewer than \d+ threads; raise its limit") as raised:
        require_threads(1)

    assert raised.value.exit_code == 4


def test_the_command_lets_opencv_start_no_threads() -> None:
    # Where it may not, it writes a line of its own on stderr and goes on.
    told = subprocess.run(
        [sys.executable, "-c", "import seru.__main__, cv2; print(cv2.getNumThreads())"],
        env={"PYTHONPATH": str(REPOSITORY / "SERUSegmentation")},
        capture_output=True,
        encoding="utf-8",
    )

    assert (told.stdout, told.stderr) == ("1\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
@pytest.mark.parametrize("limit_mb", [200, 1100])
def test_under_a_limit_the_command_ends_with_code_4_and_one_sentence(limit_mb: int, tmp_path: Path) -> None:
    ct = write_nifti(tmp_path / "ct.nii.gz", small_ct(), oblique())
    model = make_random_model(tmp_path / "model")
    command = [sys.executable, "-m", "seru", "segment", ct, "-o", tmp_path / "out.nii.gz", "--model", model]

    ended = subprocess.run(
        [*map(str, command), "--engine", "torch", "--device", "cpu", "--progress", "none"],
        env={"PYTHONPATH": str(REPOSITORY / "SERUSegmentation"), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20,) * 2),
        capture_output=True,
        encoding="utf-8",
    )

    assert ended.returncode == 4, ended.stderr
    assert "too little memory" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "out.nii.gz").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 49 kB\n", True),
        ("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 50 kB\n", False),
        ("MemTotal: 1000 kB\n", False),
        ("nothing", False),
        (None, False),
    ],
)
def test_memory_is_short_where_the_system_says_so(
    text: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "meminfo"
    if text is not None:
        told.write_text(text, encoding="ascii")
    monkeypatch.setattr("seru.memory._MEMINFO", str(told))

    assert is_short() is expected


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="GNU C library")
def test_freed_memory_is_given_back_to_the_system() -> None:
    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    # Too small for pages of their own, and the last one keeps the rest.
    blocks = [b"1" * 60_000 for _ in range(2000)]
    last = blocks[-1]
    blocks.clear()
    before = resident_mb()

    give_back()

    assert resident_mb() < before - 60
    assert len(last) == 60_000
