"""Convolutions in 8-bit integers: they round as they should, and are taken where they should be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from seru.errors import BadInputError, ModelError
from seru.grid import Grid
from seru.model.card import NETWORK_STAGES
from seru.model.engines import make_engine
from seru.model.quantised import QuantisedConvolution, Range, convolutions, quantise_convolutions
from seru.model.store import CARD, RANGES, Model, open_model, sha256_of
from seru.model.weights import load_network, quantise_per_channel
from seru.phantom import PhantomOptions, make_phantom
from seru.volume import Volume
from training.labelled import LabelledCase
from training.model_page import model_page
from training.ranges import _spread, add_measured_ranges, add_ranges, measure_ranges

FLOATING = ("encoder.layer0.conv1", "decoder.blocks.3.", "decoder.blocks.4.", "head")


@pytest.fixture(scope="module")
def phantom() -> Volume:
    return make_phantom(PhantomOptions(shape_kji=(16, 128, 128), spacing_kji_mm=(14.0, 3.0, 3.0))).volume


@pytest.fixture(scope="module")
def with_ranges(tiny_model: Path, phantom: Volume, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tiny model with the ranges that a phantom gave."""
    folder = tmp_path_factory.mktemp("quantised") / "tiny"
    shutil.copytree(tiny_model, folder)
    case = LabelledCase("phantom", "phantom", "made", lambda: (phantom, np.zeros(phantom.array_kji.shape, np.uint8)))
    return add_ranges(open_model(folder), measure_ranges(open_model(folder), [case]))


def convolution_of(weight: float, bias: float = 0.0, transposed: bool = False) -> nn.Conv2d | nn.ConvTranspose2d:
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    convolution = kind(1, 1, 1)
    nn.init.constant_(convolution.weight, weight)
    assert convolution.bias is not None
    nn.init.constant_(convolution.bias, bias)
    return convolution


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("limits", "given", "seen"),
    [
        ((0.0, 255.0), [0.0, 0.4, 0.6, 254.7, 300.0, -5.0], [0.0, 0.0, 1.0, 255.0, 255.0, 0.0]),
        ((-51.0, 204.0), [-60.0, -50.6, 0.0, 0.3, 210.0], [-51.0, -51.0, 0.0, 0.0, 204.0]),
        # Nothing negative came in: 0 is the least all the same, and nothing is divided by 0 where nothing came in.
        ((10.0, 255.0), [0.0, 3.2, 255.0], [0.0, 3.0, 255.0]),
        ((0.0, 0.0), [0.0], [0.0]),
    ],
)
def test_what_goes_in_has_256_values_of_its_range(
    limits: Range, given: list[float], seen: list[float], transposed: bool
) -> None:
    convolution = QuantisedConvolution(convolution_of(2.0, 1.0, transposed), limits)

    output = convolution(torch.tensor(given).view(1, 1, 1, -1))

    torch.testing.assert_close(output.flatten(), 2 * torch.tensor(seen) + 1)


@pytest.mark.parametrize(("kind", "axis"), [(nn.Conv2d, 0), (nn.ConvTranspose2d, 1)])
def test_weights_that_were_stored_as_integers_stay_what_they_are(kind: Any, axis: int) -> None:
    torch.manual_seed(0)
    convolution = kind(3, 5, 3, stride=2, padding=1)
    integers, scale = quantise_per_channel(convolution.weight.detach(), axis)
    convolution.weight.data = integers * scale
    images = torch.randint(0, 256, (1, 3, 8, 8)).float()

    quantised = QuantisedConvolution(convolution, (0.0, 255.0))

    torch.testing.assert_close(quantised(images), convolution(images))


def test_only_what_is_named_is_rounded_and_an_unknown_name_is_one_sentence(tiny_model: Path) -> None:
    network = load_network(open_model(tiny_model), "coarse")
    first, second, *_ = convolutions(network)

    quantise_convolutions(network, {second: (0.0, 1.0)})

    assert isinstance(network.get_submodule(second), QuantisedConvolution)
    assert not isinstance(network.get_submodule(first), QuantisedConvolution)
    with pytest.raises(ModelError, match=r"name encoder\.nothing, which the network has not"):
        quantise_convolutions(network, {"encoder.nothing": (0.0, 1.0)})


def test_ranges_are_of_what_each_convolution_saw(with_ranges: Model) -> None:
    for stage in ("coarse", "refine"):
        ranges = with_ranges.read_ranges(stage)

        names = set(convolutions(load_network(with_ranges, stage)))
        assert {name for name in names if name not in ranges} == {
            name for name in names if name.startswith(FLOATING) or "se_module" in name
        }
        assert all(least <= most for least, most in ranges.values())
        assert ranges["encoder.layer1.0.conv2"][0] == 0  # after a ReLU
        assert ranges["encoder.layer1.0.conv2"][1] > 0
    assert with_ranges.read_ranges("coarse") != with_ranges.read_ranges("refine")


@pytest.mark.parametrize("is_ours", [True, False])
def test_the_model_s_own_page_lists_the_ranges_and_another_stays(
    with_ranges: Model, tiny_model: Path, tmp_path: Path, is_ours: bool
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    page = folder / "README.md"
    page.write_text(model_page(open_model(folder).card) if is_ours else "By hand.", encoding="utf-8")

    added = add_ranges(open_model(folder), {stage: with_ranges.read_ranges(stage) for stage in NETWORK_STAGES})

    assert page.read_text(encoding="utf-8") == (model_page(added.card) if is_ours else "By hand.")
    assert RANGES in added.card.files


def test_however_many_cases_are_looked_at_they_are_spread_evenly() -> None:
    cases = [
        LabelledCase(str(number), "", "", lambda: (_ for _ in ()).throw(AssertionError("read"))) for number in range(8)
    ]

    assert [case.id for case in _spread(cases)] == ["0", "4", "2", "6", "1", "3", "5", "7"]
    assert list(_spread([])) == []


def test_without_a_kidney_there_are_no_ranges(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import training.ranges

    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    air = Volume(np.tile(np.int16([-1000, 40]), (2, 64, 32)), Grid((2, 64, 64), np.diag([-3.0, -3.0, 5.0, 1.0])))
    case = LabelledCase("air", "air", "made", lambda: (air, np.zeros((2, 64, 64), np.uint8)))
    monkeypatch.setattr(training.ranges, "chosen_cases", lambda data, choice: [case])

    with pytest.raises(BadInputError, match="shows a kidney to this model"):
        add_measured_ranges(str(folder), tmp_path, None)
    assert not (folder / RANGES).exists()
    assert not open_model(folder).has_ranges


def with_content(model: Model, folder: Path, content: str, is_listed: bool = True) -> Model:
    """A model whose ranges are those, with the checksum of the old ones or of these."""
    shutil.copytree(model.folder, folder)
    path = folder / RANGES
    path.write_text(content, encoding="utf-8")
    if is_listed:
        files = {**model.card.files, RANGES: {"sha256": sha256_of(path), "size": path.stat().st_size}}
        (folder / CARD).write_text(json.dumps(replace(model.card, files=files).to_dict()), encoding="utf-8")
    return open_model(folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"coarse": 1}',
        *(f'{{"coarse": {{"head": [{pair}]}}}}' for pair in ("1", "0, NaN", "0, 1e999", "2, 1", '"a", 1')),
    ],
)
def test_ranges_that_are_none_are_one_sentence(with_ranges: Model, tmp_path: Path, content: str) -> None:
    model = with_content(with_ranges, tmp_path / "model", content)

    with pytest.raises(ModelError, match=r"ranges\.json holds no ranges of the coarse stage; fetch"):
        model.read_ranges("coarse")


@pytest.mark.parametrize("take", [Model.verify, lambda model: model.read_ranges("refine")])
def test_ranges_are_verified_like_the_weights(
    with_ranges: Model, tmp_path: Path, take: Callable[[Model], object]
) -> None:
    text = (with_ranges.folder / RANGES).read_text(encoding="utf-8")
    model = with_content(with_ranges, tmp_path / "model", text.replace("0.0", "0.5", 1), is_listed=False)

    with pytest.raises(ModelError, match=r"ranges\.json.*damaged"):
        take(model)
    (model.folder / RANGES).unlink()
    with pytest.raises(ModelError, match=r"lacks ranges\.json"):
        take(model)
    with_ranges.verify()


class TestOpenVino:
    """OpenVINO's engine with such a model."""

    @pytest.fixture(autouse=True)
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("openvino")
        monkeypatch.setattr("seru.model.engines.conversion.cache_folder", lambda: tmp_path / "models")

    @staticmethod
    def images_of(phantom: Volume, model: Model) -> np.ndarray:
        from seru.cascade.preprocessing import preprocess_slice

        return np.stack([preprocess_slice(hu, model.card) for hu in phantom.array_kji[5:9]])[:, None]

    def test_it_computes_in_integers_where_it_is_asked_to(
        self, with_ranges: Model, phantom: Volume, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        converted = self._converted(monkeypatch)
        images = self.images_of(phantom, with_ranges)

        engine = make_engine(with_ranges, "openvino-int8")
        found = engine.predict("coarse", images).sum(axis=1) > 127
        right = make_engine(with_ranges, "torch", "cpu").predict("coarse", images).sum(axis=1) > 127

        (rounded,) = converted
        assert sum(op.get_type_name() == "FakeQuantize" for op in rounded.get_ops()) > 20
        assert right.sum() > 100, "there is a kidney to compare"
        assert 2 * (found & right).sum() / (found.sum() + right.sum()) > 0.98

    def test_its_name_says_so_and_it_is_kept_apart(self, with_ranges: Model) -> None:
        from seru.model.engines.conversion import _cached_path

        assert make_engine(with_ranges, "openvino-int8").name == "openvino-int8"
        assert make_engine(with_ranges, "openvino", "cpu").name == "openvino"
        assert _cached_path(with_ranges, "coarse", 1, True) != _cached_path(with_ranges, "coarse", 1)

    def test_a_model_without_ranges_is_one_sentence(self, tiny_model: Path) -> None:
        with pytest.raises(ModelError, match=r"cannot be run in 8-bit integers .* take --engine openvino\.$"):
            make_engine(open_model(tiny_model), "openvino-int8")

    @staticmethod
    def _converted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        from seru.model.engines import conversion

        made: list[Any] = []
        convert = conversion.convert

        def keep(*given: Any) -> Any:
            made.append(convert(*given))
            return made[-1]

        monkeypatch.setattr(conversion, "convert", keep)
        return made
