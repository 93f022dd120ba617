"""What ``seru batch`` takes and refuses on several processes, without a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from seru.cli import main
from seru.errors import BadInputError
from seru.io.images import write_volume
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "cts"
    folder.mkdir()
    write_volume(make_phantom(PhantomOptions(shape_kji=(8, 32, 32))).volume, folder / "anna.nii.gz")
    return folder


def run(inputs: Path, tiny_model: Path, *more: str) -> int:
    arguments = ["batch", str(inputs), "-o", str(inputs.parent / "out"), "--model", str(tiny_model), *more]
    return main([*arguments, "--threads", "1", "--progress", "none"])


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--workers", "0"), "'0' is no number of processes from 1 to 1024"),
        (("--workers", "two"), "'two' is no number of processes from 1 to 1024"),
        (("--workers", "2", "--dask", "tcp://127.0.0.1:8786"), "not allowed with argument"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    inputs: Path, tiny_model: Path, more: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(inputs, tiny_model, *more) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line


def test_without_distributed_a_sentence_says_how_to_get_it(
    inputs: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    assert run(inputs, tiny_model, "--workers", "2") == 2

    assert capsys.readouterr().err == (
        "seru: A batch on several processes needs distributed, which is not installed; "
        "install it with 'pip install distributed'.\n"
    )
    assert not (inputs.parent / "out").exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:1", "No Dask scheduler answers at '127.0.0.1:1'"),
        (
            "nonsense://localhost:1",
            "The address 'nonsense://localhost:1' cannot be used (unknown address scheme 'nonsense'",
        ),
        ("tls://127.0.0.1:1", "Dask's configuration names no certificates for 'tls://127.0.0.1:1'"),
    ],
)
def test_an_address_where_nothing_is_is_one_sentence(
    inputs: Path,
    tiny_model: Path,
    address: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("distributed", reason="Dask's distributed is not installed: pip install distributed")
    monkeypatch.setattr("seru.cohort.dask_cluster._CONNECT_S", 1)

    assert run(inputs, tiny_model, "--dask", address) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"seru: {sentence}")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nonsense://127.0.0.1:1", "unknown address scheme 'nonsense'"),
        ("tcp://127.0.0.1", "missing port number"),
        ("tcp://127.0.0.1:1", "encryption required"),
    ],
)
def test_an_address_that_cannot_be_used_gets_no_client_that_would_complain_in_the_end(
    address: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask = pytest.importorskip("dask", reason="Dask is not installed: pip install distributed")
    from seru.cohort.dask_cluster import remote_client

    monkeypatch.setattr("seru.cohort.dask_cluster.Client", lambda *_, **__: pytest.fail("a client was made"))

    with (
        dask.config.set({"distributed.comm.require-encryption": "encryption" in sentence}),
        pytest.raises(BadInputError, match=f"cannot be used .*{sentence}"),
        remote_client(address),
    ):
        pass


def test_an_open_port_elsewhere_is_warned_of_once(
    inputs: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="Dask's distributed is not installed: pip install distributed")
    monkeypatch.setattr("seru.cohort.dask_cluster._CONNECT_S", 1)

    run(inputs, tiny_model, "--dask", "tcp://192.0.2.1:8786")

    warning, error = capsys.readouterr().err.splitlines()
    assert warning.startswith("Warning: What goes to 'tcp://192.0.2.1:8786' is not encrypted")
    assert "No Dask scheduler answers" in error


def test_workers_of_this_computer_keep_to_a_gpu_each() -> None:
    pytest.importorskip("distributed", reason="Dask's distributed is not installed: pip install distributed")
    from seru.cohort.dask_task import Recipe

    recipe = Recipe("model", {}, SegmentOptions(), "0.1.0", gpus=2)
    chosen = Recipe("model", {}, SegmentOptions(device="cuda:1"), "0.1.0", gpus=2)
    elsewhere = Recipe("model", {}, SegmentOptions(), "0.1.0")

    assert [recipe.pinned(worker).device for worker in (0, 1, 2)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert recipe.pinned("tls://10.0.0.1:40001").device == "auto"
    assert chosen.pinned(0).device == "cuda:1"
    assert elsewhere.pinned(1).device == "auto"


@pytest.mark.parametrize(
    ("address", "is_here", "is_safe"),
    [
        ("tcp://127.0.0.1:8786", True, False),
        ("localhost:8786", True, False),
        ("tcp://[::1]:8786", True, False),
        ("tls://10.0.0.1:8786", False, True),
        ("10.0.0.1:8786", False, False),
        ("tcp://head-node:8786", False, False),
    ],
)
def test_what_stays_here_and_what_is_encrypted(address: str, is_here: bool, is_safe: bool) -> None:
    pytest.importorskip("distributed", reason="Dask's distributed is not installed: pip install distributed")
    from seru.cohort.dask_cluster import is_encrypted, stays_here

    assert (stays_here(address), is_encrypted(address)) == (is_here, is_safe)
