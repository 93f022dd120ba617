"""Real child processes, killed at random moments: what is at the output is whole, or nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import seru
from seru.findings import VERSION
from seru.io.images import write_volume
from seru.phantom import PhantomOptions, make_phantom
from Testing import halting

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

SHAPE = (40, 128, 128)


def child_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(seru.__file__).parent.parent), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ct") / "phantom.nii.gz"
    write_volume(make_phantom(PhantomOptions(shape_kji=SHAPE, spacing_kji_mm=(6.0, 3.0, 3.0), seed=3)).volume, path)
    return path


def start(ct: Path, folder: Path, tiny_model: Path, halt: Path | None = None) -> subprocess.Popen[bytes]:
    arguments = ["segment", ct, "-o", folder / "out.nii.gz", "--model", tiny_model, "--report", folder / "out.json"]
    arguments += ["--maps", folder / "maps", "--threads", "1", "--progress", "json"]
    program = ["-m"] if halt is None else [halting.__file__, str(halt)]
    command = [sys.executable, *program, "seru", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment())


def check_whole(path: Path) -> None:
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert labels.shape == SHAPE
    assert set(np.unique(labels)) <= {0, 1, 2}


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


def signal_after_lines(child: subprocess.Popen[bytes], lines: int, number: int) -> list[bytes]:
    """Send the signal once the child has told so many steps; return all that it wrote."""
    assert child.stdout is not None
    seen = []
    for line in child.stdout:
        seen.append(line)
        if len(seen) == lines:
            child.send_signal(number)
    return seen


@pytest.mark.parametrize("stage", ["load", "coarse", "refine", "write"])
def test_sigterm_cancels_cleanly_in_any_stage(
    stage: str, tmp_path: Path, ct: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    halt = tmp_path_factory.mktemp("halt") / "stage"
    with halting.halted(halt, stage):
        child = start(ct, tmp_path, tiny_model, halt)
        assert child.stdout is not None
        seen = [next(line for line in child.stdout if json.loads(line).get("stage") == stage)]
        child.send_signal(signal.SIGTERM)
        seen += child.stdout

        error = child.stderr.read().decode()
        child.stderr.close()
        assert child.wait(300) == 130, error
    assert error.splitlines()[-1] == "seru: The run was cancelled; no output was written."
    assert json.loads(seen[-1]) == {"event": "error", "code": 130, "message": error.splitlines()[-1][len("seru: ") :]}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("seed", range(3))
def test_sigterm_while_starting_leaves_nothing(seed: int, tmp_path: Path, ct: Path, tiny_model: Path) -> None:
    child = start(ct, tmp_path, tiny_model)
    time.sleep(random.Random(seed).uniform(0.0, 1.0))

    child.send_signal(signal.SIGTERM)

    child.communicate(timeout=300)
    assert child.returncode in (130, -signal.SIGTERM)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("seed", range(2))
def test_after_sigkill_the_output_is_absent_and_the_next_run_succeeds(
    seed: int, tmp_path: Path, ct: Path, tiny_model: Path
) -> None:
    lines = random.Random(seed).randrange(1, 120)
    child = start(ct, tmp_path, tiny_model)

    signal_after_lines(child, lines, signal.SIGKILL)

    child.stderr.close()
    child.wait(300)
    if (tmp_path / "out.nii.gz").exists():
        check_whole(tmp_path / "out.nii.gz")
    if seed == 0:
        again = start(ct, tmp_path, tiny_model)
        again.communicate(timeout=300)
        assert again.returncode == 0
        check_whole(tmp_path / "out.nii.gz")
        assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["version"] == VERSION


_REWRITE = """
import signal, sys
sys.path[:0] = sys.argv[2:]
import numpy as np
from seru.cli.session import Session
from seru.errors import CancelledError
from seru.io.segmentation import write_segmentation
from seru.volume import Volume
from seru.io.images import write_labels
with Session(["--progress", "none"]) as session:
    print("ready", flush=True)
    try:
        for value in [1, 2] * 1000:
            labels = np.full((60, 128, 128), value, np.uint8)
            labels[:, ::3] = np.random.default_rng(value).integers(0, 3, (60, 43, 128))
            labels[0] = value
            write = write_segmentation if sys.argv[1].endswith(".seg.nrrd") else write_labels
            write(labels, Volume.from_array(labels, np.eye(4)), sys.argv[1], session.progress)
    except CancelledError:
        sys.exit(130)
"""


@pytest.mark.parametrize(
    ("ending", "number"),
    [
        (".nii.gz", signal.SIGKILL),
        (".nrrd", signal.SIGTERM),
        (".mha", signal.SIGINT),
        (".seg.nrrd", signal.SIGKILL),
        (".seg.nrrd", signal.SIGTERM),
    ],
)
def test_killed_while_writing_the_older_or_the_newer_file_is_whole(
    tmp_path: Path, ending: str, number: signal.Signals
) -> None:
    output = tmp_path / f"out{ending}"
    child = subprocess.Popen(
        [sys.executable, "-c", _REWRITE, output, *filter(None, sys.path)],
        stdout=subprocess.PIPE,
        env=child_environment(),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    while not output.exists():
        time.sleep(0.005)
    time.sleep(random.Random(f"{ending}{number}").uniform(0.0, 0.3))

    child.send_signal(number)

    child.communicate(timeout=300)
    assert child.returncode == (-number if number == signal.SIGKILL else 130)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(output)))
    value = labels[0, 0, 0]
    expected = np.random.default_rng(value).integers(0, 3, (60, 43, 128))
    expected[0] = value
    np.testing.assert_array_equal(labels[:, ::3], expected)
    if number != signal.SIGKILL:
        assert parts(tmp_path) == []


def test_a_batch_goes_on_where_it_was_killed(tmp_path: Path, ct: Path, tiny_model: Path) -> None:
    inputs, outputs = tmp_path / "inputs", tmp_path / "outputs"
    inputs.mkdir()
    for name in ("a", "b"):
        os.link(ct, inputs / f"{name}.nii.gz")
    arguments = ["batch", inputs, "-o", outputs, "--model", tiny_model, "--threads", "1", "--progress", "json"]
    command = [sys.executable, "-m", "seru", *map(str, arguments)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=child_environment())
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        if event["event"] == "case" and event["case"] == "b":
            child.send_signal(signal.SIGKILL)
    child.wait(300)
    first = (outputs / "a.nii.gz").stat().st_mtime_ns

    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=child_environment(), timeout=300)

    assert done.returncode == 0, done.stderr
    assert (outputs / "a.nii.gz").stat().st_mtime_ns == first
    check_whole(outputs / "b.nii.gz")
