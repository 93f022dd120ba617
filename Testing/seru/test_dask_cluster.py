"""``seru batch`` on a real cluster: scheduler and workers are processes, and some are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from seru.cli import main
from seru.io.images import read_volume, write_volume
from seru.phantom import PhantomOptions, make_phantom
from Testing.seru.dask_by_hand import Cluster, batch, environment

pytest.importorskip("distributed", reason="Dask's distributed is not installed: pip install distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does"),
]
SMALL = {"shape_kji": (12, 64, 64), "spacing_kji_mm": (18.0, 6.0, 6.0)}
WHOLE = ("anna", "bert", "cleo")
WAIT_S = 60.0


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three CTs, one that ends the process that reads it first, one that ends every one, and a damaged one."""
    folder = tmp_path_factory.mktemp("cts")
    for seed, name in enumerate(WHOLE):
        write_volume(make_phantom(PhantomOptions(seed=seed, **SMALL)).volume, folder / f"{name}.nii.gz")
    for name in ("once", "deadly"):
        (folder / f"{name}.nii.gz").symlink_to(folder / "anna.nii.gz")
    (folder / "cut.nii.gz").write_bytes((folder / "anna.nii.gz").read_bytes()[:2000])
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, inputs: Path, tiny_model: Path) -> Path:
    """What a single process makes of the CTs."""
    folder = tmp_path_factory.mktemp("alone")
    assert main(batch(plain(inputs, folder / "in"), folder / "out", tiny_model)) == 0
    return folder / "out"


def states(folder: Path) -> dict[str, str]:
    cases = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["cases"]
    return {case["name"]: case["status"] for case in cases}


def errors(folder: Path) -> dict[str, str]:
    cases = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["cases"]
    return {case["name"]: case["error"] for case in cases if case["error"]}


def assert_same_labels(folder: Path, other: Path, *names: str) -> None:
    for name in names:
        labels, expected = (read_volume(place / f"{name}.nii.gz") for place in (folder, other))
        assert np.array_equal(labels.array_kji, expected.array_kji)
        assert labels.array_kji.any()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def labels_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.nii.gz"))


def plain(inputs: Path, folder: Path) -> Path:
    """The CTs that are whole and kill nobody, in a folder of their own."""
    folder.mkdir()
    for name in WHOLE:
        (folder / f"{name}.nii.gz").symlink_to(inputs / f"{name}.nii.gz")
    return folder


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


@pytest.mark.timeout(300)
def test_a_ct_that_kills_its_worker_takes_no_other_with_it(
    cluster: Cluster, inputs: Path, alone: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(batch(inputs, tmp_path / "out", tiny_model, "--dask", cluster.address))

    assert code == 1
    assert errors(tmp_path / "out") == {
        "cut": f"'{inputs / 'cut.nii.gz'}' is cut or damaged (it is shorter than its header says); copy or convert it "
        "again.",
        "deadly": "The worker process that ran it ended (tried twice).",
    }
    assert_same_labels(tmp_path / "out", alone, *WHOLE)
    assert parts(tmp_path) == []
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counts = [event["done"] for event in events if event["event"] == "cases"]
    assert counts == [0, 1, 2, 3, 4, 5, 6]
    assert (events[-1]["event"], events[-1]["code"]) == ("error", 1)


@pytest.mark.timeout(300)
def test_a_client_that_is_killed_loses_nothing_and_the_next_one_goes_on(
    cluster: Cluster, inputs: Path, alone: Path, tmp_path: Path, tiny_model: Path
) -> None:
    arguments = batch(plain(inputs, tmp_path / "in"), tmp_path / "out", tiny_model, "--dask", cluster.address)
    with subprocess.Popen([sys.executable, "-m", "seru", *arguments], env=environment()) as client:
        wait_for(lambda: labels_in(tmp_path / "out"))
        client.kill()
    before = {path.name: path.stat().st_mtime_ns for path in labels_in(tmp_path / "out")}

    code = main(arguments)

    assert (code, states(tmp_path / "out").keys()) == (0, set(WHOLE))
    assert all((tmp_path / "out" / name).stat().st_mtime_ns == time for name, time in before.items())
    assert_same_labels(tmp_path / "out", alone, *WHOLE)
    assert parts(tmp_path) == []


@pytest.mark.timeout(300)
def test_ctrl_c_gives_the_cases_up_and_keeps_those_that_are_finished(
    cluster: Cluster,
    inputs: Path,
    tmp_path: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Where the machine is busy it must not end pytest's process as one that is stuck.
    monkeypatch.setattr("seru.signals.GRACE_S", 600.0)

    def interrupt() -> None:
        wait_for(lambda: (tmp_path / "out" / "summary.json").exists())
        os.kill(os.getpid(), signal.SIGINT)

    arguments = batch(plain(inputs, tmp_path / "in"), tmp_path / "out", tiny_model, "--dask", cluster.address)
    person = threading.Thread(target=interrupt)
    person.start()

    code = main([*arguments, "--mirror"])

    person.join()
    assert code == 130
    assert capsys.readouterr().err == "seru: The run was cancelled; the cases that were finished are kept.\n"
    assert len(labels_in(tmp_path / "out")) < len(WHOLE)
    wait_for(lambda: not parts(tmp_path))  # a worker stops at its next step
    kept = {path.name.removesuffix(".nii.gz") for path in labels_in(tmp_path / "out")}
    assert {name for name, status in states(tmp_path / "out").items() if status == "done"} <= kept


@pytest.mark.timeout(300)
def test_a_scheduler_that_dies_is_one_sentence_and_the_next_run_goes_on(
    cluster: Cluster, inputs: Path, alone: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = batch(plain(inputs, tmp_path / "in"), tmp_path / "out", tiny_model, "--dask")
    killer = threading.Thread(target=lambda: (wait_for(lambda: labels_in(tmp_path / "out")), cluster.stop()))
    killer.start()

    code = main([*arguments, cluster.address])

    killer.join()
    error = capsys.readouterr().err
    assert code == 1
    assert error == (
        f"seru: The Dask scheduler at '{cluster.address}' is gone; the cases that were finished are kept, and the same "
        "command goes on with the others once it is back.\n"
    )
    before = {path.name: path.stat().st_mtime_ns for path in labels_in(tmp_path / "out")}
    cluster.start(workers=1, nanny=False)
    assert main([*arguments, cluster.address]) == 0
    assert all((tmp_path / "out" / name).stat().st_mtime_ns == time for name, time in before.items())
    assert_same_labels(tmp_path / "out", alone, *WHOLE)
    assert parts(tmp_path) == []


@pytest.mark.timeout(300)
def test_processes_of_this_computer_listen_to_it_alone_and_give_the_same_labels(
    inputs: Path, alone: Path, tmp_path: Path, tiny_model: Path
) -> None:
    psutil = pytest.importorskip("psutil", reason="psutil is not installed")
    arguments = batch(plain(inputs, tmp_path / "in"), tmp_path / "out", tiny_model, "--workers", "2")
    quiet = {"stdout": subprocess.DEVNULL, "env": environment()}
    with subprocess.Popen([sys.executable, "-m", "seru", *arguments], **quiet) as client:
        wait_for(lambda: labels_in(tmp_path / "out") or client.poll() is not None)
        family = [psutil.Process(client.pid), *psutil.Process(client.pid).children(recursive=True)]
        hosts = {place.laddr.ip for one in family for place in one.net_connections() if place.status == "LISTEN"}
        code = client.wait(WAIT_S)

    _, alive = psutil.wait_procs(family[1:], timeout=WAIT_S)
    assert (code, hosts, alive) == (0, {"127.0.0.1"}, [])
    assert set(states(tmp_path / "out").values()) == {"done"}
    assert_same_labels(tmp_path / "out", alone, *WHOLE)
