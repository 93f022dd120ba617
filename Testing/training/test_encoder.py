"""ImageNet weights of the encoder, from a state dict that ``pretrainedmodels`` itself makes."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

pytest.importorskip("yaml", reason="the recipe's packages are not installed")

from seru.errors import ModelError
from seru.model.architecture import Architecture
from seru.model.card import IMAGENET_MEAN, IMAGENET_STD
from seru.model.network import SERU
from training import encoder_weights
from training.encoder_weights import cadene_senet, load_encoder_weights, published_url, read_encoder_weights
from training.steps import file_digest


@pytest.fixture(scope="module")
def senet() -> ModuleType:
    module = cadene_senet()
    if module is None:
        pytest.skip("pretrainedmodels is not installed (pip install --no-deps pretrainedmodels==0.7.4)")
    return module


@pytest.fixture(scope="module")
def published(senet: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    """A file as Cadene publishes it (random weights), and its network."""
    torch.manual_seed(0)
    network = senet.se_resnext50_32x4d(num_classes=1000, pretrained=None).eval()
    path = tmp_path_factory.mktemp("encoder") / "mine.pth"
    torch.save(network.state_dict(), path)
    return path, network


def test_encoder_gives_the_features_of_cadenes_network(published: tuple[Path, torch.nn.Module]) -> None:
    path, cadene = published
    network = SERU().eval()
    images = torch.randn(1, 3, 64, 64)

    said = load_encoder_weights(network, str(path))

    with torch.inference_mode():
        wanted = cadene.features(images)
        found = network.encoder(images)[-1]
    assert torch.allclose(found, wanted, atol=1e-4 * float(wanted.abs().max()))
    assert said.startswith("mine.pth, SHA-256")  # of another training


def test_file_under_the_published_name_must_have_the_published_hash(
    published: tuple[Path, torch.nn.Module], tmp_path: Path
) -> None:
    path = tmp_path / Path(encoder_weights.URL).name
    path.write_bytes(published[0].read_bytes())

    with pytest.raises(ModelError, match="is not the published file"):
        read_encoder_weights(path)


def test_web_page_pickle_and_missing_file_are_refused(tmp_path: Path) -> None:
    page, evil = tmp_path / "page.pth", tmp_path / "evil.pth"
    page.write_text("<html>")
    torch.save({"layer0.conv1.weight": print}, evil)

    for path in (page, evil, tmp_path / "none.pth"):
        with pytest.raises(ModelError):
            read_encoder_weights(path, is_published=False)


def test_other_network_is_refused_in_one_sentence(published: tuple[Path, torch.nn.Module]) -> None:
    with pytest.raises(ModelError, match="do not fit"):
        load_encoder_weights(SERU(Architecture(blocks=(1, 1, 1, 1))), str(published[0]))


def test_training_without_imagenet_says_so_plainly() -> None:
    said = load_encoder_weights(SERU(Architecture((1, 1, 1, 1), 16, 4, 16)), "none")

    assert "random weights, not from ImageNet" in said


def test_weights_come_from_where_pretrainedmodels_has_them_and_see_what_it_says(senet: ModuleType) -> None:
    settings = senet.pretrained_settings["se_resnext50_32x4d"]["imagenet"]

    assert published_url() == encoder_weights.URL == settings["url"].replace("http:", "https:")
    assert (tuple(settings["mean"]), tuple(settings["std"])) == (IMAGENET_MEAN, IMAGENET_STD)
    assert (settings["input_space"], settings["input_range"]) == ("RGB", [0, 1])
    assert f"-{encoder_weights.SHA256[:8]}.pth" in settings["url"]


def test_without_pretrainedmodels_the_url_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert published_url() == encoder_weights.URL


def test_download_is_checked_before_it_counts(
    published: tuple[Path, torch.nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_weights, "cache_folder", lambda: tmp_path / "models")
    monkeypatch.setattr(encoder_weights, "published_url", lambda: (tmp_path / "gone.pth").as_uri())
    monkeypatch.setattr(encoder_weights, "MIRROR", published[0].as_uri())

    with pytest.raises(ModelError, match="train without them"):
        encoder_weights.cached_weights()
    left = list((tmp_path / "encoder").iterdir())
    monkeypatch.setattr(encoder_weights, "SHA256", file_digest(published[0]))
    path = encoder_weights.cached_weights()

    assert left == []
    assert path.read_bytes() == published[0].read_bytes()
