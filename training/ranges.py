"""What goes into each convolution: its range on training cases, for networks that compute in 8-bit integers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from seru.cascade.cascade import Segmenter
from seru.errors import BadInputError
from seru.files import write_text
from seru.model.card import NETWORK_STAGES
from seru.model.engines.torch_engine import TorchEngine
from seru.model.quantised import Range, convolutions
from seru.model.store import RANGES, Model, find_model, open_model, sha256_of
from seru.model.weights import write_card
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from training.evaluate import Choice, chosen_cases
from training.labelled import LabelledCase
from training.model_page import PAGE, model_page

Ranges = dict[str, Range]
# In floating point they cost no more, and most of the error comes from there: measured on the bundled model. The gates
# of squeeze-and-excitation see one pixel.
_IN_FLOAT = ("encoder.layer0.", "decoder.blocks.3.", "decoder.blocks.4.", "head")
_GATE = ".se_module."
_ENOUGH_SLICES = 128


def measure_ranges(model: Model, cases: Sequence[LabelledCase]) -> dict[str, Ranges]:
    """Run the cascade on cases, and see what goes into the convolutions that are to compute in integers.

    Args:
        model: card and weights.
        cases: of training patients; of many, some that are spread evenly are looked at.

    Returns:
        For each stage the least and the largest value by the convolution's name; nothing of one that saw nothing.
    """
    segmenter = Segmenter(model, SegmentOptions(engine="torch", device="cpu", all_slices=True))
    engine = segmenter.ready().engine
    assert isinstance(engine, TorchEngine)
    ranges: dict[str, Ranges] = {stage: {} for stage in NETWORK_STAGES}
    slices = 0
    with ExitStack() as watching:
        for stage in NETWORK_STAGES:
            watching.enter_context(_watched(engine.network(stage).network, ranges[stage]))
        for case in _spread(cases):
            volume, _ = case.read()
            segmenter.segment(volume)
            slices += len(AxialStack.of(volume).hu)
            if slices >= _ENOUGH_SLICES:
                break
    return ranges


def add_ranges(model: Model, ranges: Mapping[str, Ranges]) -> Model:
    """Write ranges beside a model's weights, where each stage has some.

    Args:
        model: its card gets the file's checksum, and so does its page, unless somebody wrote another one.
        ranges: of both stages.

    Returns:
        The model with them.

    Raises:
        BadInputError: a file cannot be written.
    """
    if not all(ranges.values()):
        return model
    path = model.folder / RANGES
    write_text(path, json.dumps(ranges, indent=1) + "\n")
    files = {**model.card.files, RANGES: {"sha256": sha256_of(path), "size": path.stat().st_size}}
    write_card(model.folder, replace(model.card, files=files))
    added, page = open_model(model.folder), model.folder / PAGE
    if page.is_file() and page.read_text(encoding="utf-8", errors="replace") == model_page(model.card):
        write_text(page, model_page(added.card))
    return added


def add_measured_ranges(id_or_folder: str, data: Path, split_file: Path | None) -> Model:
    """Measure a model's ranges on the training patients of a data folder, and write them into its folder.

    Args:
        id_or_folder: of the model.
        data: KiTS19 cases, or slices with a manifest.
        split_file: as for ``evaluate``.

    Returns:
        The model with them.

    Raises:
        BadInputError: no case shows a kidney, or a file cannot be written.
    """
    model = find_model(id_or_folder)
    cases = chosen_cases(data, Choice("train", split_file))
    added = add_ranges(model, measure_ranges(model, cases))
    if not added.has_ranges:
        raise BadInputError(f"No training case of '{data}' shows a kidney to this model; give other cases.")
    return added


def _spread(cases: Sequence[LabelledCase]) -> Iterator[LabelledCase]:
    """Yield every case, so that however many are taken they are spread evenly over all."""
    step = len(cases)
    taken: set[int] = set()
    while step:
        for index in range(0, len(cases), step):
            if index not in taken:
                taken.add(index)
                yield cases[index]
        step //= 2


@contextmanager
def _watched(network: nn.Module, ranges: Ranges) -> Iterator[None]:
    def watch(name: str, convolution: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def widen(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            least, most = (float(value) for value in torch.aminmax(inputs[0].float()))
            before = ranges.get(name, (least, most))
            ranges[name] = min(least, before[0]), max(most, before[1])

        return convolution.register_forward_pre_hook(widen)

    handles = [
        watch(name, convolution)
        for name, convolution in convolutions(network).items()
        if not name.startswith(_IN_FLOAT) and _GATE not in name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
