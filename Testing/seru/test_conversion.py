"""What OpenVINO is given: the first run, every later one and one without a cache compute the same; damage is seen."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from seru.errors import DeviceError
from seru.model.store import Model, clear_cache, open_model
from Testing.seru.command_by_hand import make_random_model

pytest.importorskip("openvino")

from seru.model.engines import conversion
from seru.model.engines.openvino_engine import OpenVinoEngine

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 1, 64, 64), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return open_model(make_random_model(tmp_path_factory.mktemp("model") / "random"))


@pytest.fixture(scope="module")
def first(model: Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, bytes]:
    """What the first run computes, and what it keeps."""
    cache = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "cache_folder", lambda: cache / "models")
        output = OpenVinoEngine(model).predict("coarse", IMAGES)
    (kept,) = cache.rglob("*.*")
    return output, kept.read_bytes()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for place in ("seru.model.engines.conversion", "seru.model.store"):
        monkeypatch.setattr(f"{place}.cache_folder", lambda: tmp_path / "cache" / "models")
    return tmp_path / "cache" / "openvino"


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages that are converted from now on."""
    seen: list[str] = []
    convert = conversion.convert
    monkeypatch.setattr(conversion, "convert", lambda *given: seen.append(given[1]) or convert(*given))
    return seen


def keep(cache: Path, model: Model, content: bytes) -> Path:
    path = conversion._cached_path(model, "coarse", 1)
    assert path.parent == cache
    cache.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_the_second_run_converts_nothing_and_computes_the_same(
    model: Model, first: tuple[np.ndarray, bytes], cache: Path, conversions: list[str]
) -> None:
    keep(cache, model, first[1])

    output = OpenVinoEngine(model).predict("coarse", IMAGES)

    assert conversions == []
    np.testing.assert_array_equal(output, first[0])


def test_a_damaged_conversion_is_made_anew_and_computes_the_same(
    model: Model, first: tuple[np.ndarray, bytes], cache: Path, conversions: list[str]
) -> None:
    damaged = bytearray(first[1])
    damaged[-1000] ^= 0x40
    path = keep(cache, model, bytes(damaged))

    output = OpenVinoEngine(model).predict("coarse", IMAGES)

    assert conversions == ["coarse"]
    np.testing.assert_array_equal(output, first[0])
    assert conversion._Files.unpack(path.name, path.read_bytes())
    assert list(cache.iterdir()) == [path]


@pytest.mark.parametrize("place", [0, 31, 32, 39, 40, 5000, -1])
def test_any_flipped_bit_is_seen(model: Model, first: tuple[np.ndarray, bytes], place: int) -> None:
    name = conversion._cached_path(model, "coarse", 1).name
    damaged = bytearray(first[1])
    assert conversion._Files.unpack(name, bytes(damaged))
    damaged[place] ^= 1

    with pytest.raises(ValueError, match="checksum"):
        conversion._Files.unpack(name, bytes(damaged))


def test_a_whole_conversion_of_another_network_is_not_taken() -> None:
    files = conversion._Files(b"<net/>", b"weights")

    assert conversion._Files.unpack("coarse.network", files.pack("coarse.network")) == files
    with pytest.raises(ValueError, match="checksum"):
        conversion._Files.unpack("refine.network", files.pack("coarse.network"))


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 1000])
def test_a_file_that_is_none_of_ours_is_not_taken(content: bytes) -> None:
    with pytest.raises(ValueError, match="checksum"):
        conversion._Files.unpack("any.network", content)


def test_without_a_cache_the_result_is_the_same(
    model: Model, first: tuple[np.ndarray, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(conversion, "cache_folder", lambda: Path("/dev/null/SERU/models"))

    np.testing.assert_array_equal(OpenVinoEngine(model).predict("coarse", IMAGES), first[0])
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_to_write_into_the_engine_says_so(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "cache_folder", lambda: Path("/dev/null/SERU/models"))
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/tmp")

    with pytest.raises(DeviceError, match="set TMPDIR"):
        OpenVinoEngine(model).predict("coarse", IMAGES)


def test_damaged_weights_are_refused_although_their_conversion_is_kept(
    model: Model, first: tuple[np.ndarray, bytes], cache: Path, tmp_path: Path
) -> None:
    import shutil

    from seru.errors import ModelError

    keep(cache, model, first[1])
    copy = open_model(shutil.copytree(model.folder, tmp_path / "copy"))
    path = copy.folder / "coarse.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    with pytest.raises(ModelError, match="damaged"):
        OpenVinoEngine(copy).predict("coarse", IMAGES)


def test_clearing_deletes_the_conversions(model: Model, first: tuple[np.ndarray, bytes], cache: Path) -> None:
    path = keep(cache, model, first[1])

    clear_cache()

    assert not path.exists()
