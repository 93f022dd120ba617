"""From a run's checkpoints to a model folder with its card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seru.files import write_text
from seru.findings import Thresholds
from seru.model.card import ModelCard
from seru.model.store import Model, resources_folder
from seru.model.weights import write_model_folder
from seru.records import read_record
from training.config import Config
from training.model_page import PAGE, model_page
from training.steps import Step

Weights = dict[str, torch.Tensor]
_LICENCE_TEXTS = {
    "Apache-2.0": Path(__file__).parents[1] / "LICENSE",
    "CC-BY-NC-SA-4.0": resources_folder() / "Models" / "seru-kits-2" / "LICENSE.txt",
}


def interim_model(config: Config, folder: Path, coarse: Weights, refine: Weights, quantise: bool = False) -> Model:
    """Write the model folder that later steps of the recipe run.

    Args:
        config: the recipe.
        folder: of the model.
        coarse: weights of the coarse stage.
        refine: weights of the refine stage.
        quantise: store 8-bit integers, so that what is scored is what is exported.

    Returns:
        The model.
    """
    card = replace(config.card(), id=folder.name)
    return write_model_folder(folder, card, _float32(coarse), _float32(refine), quantise=quantise)


def export_model(
    config: Config, folder: Path, weights: tuple[Weights, Weights], results: dict[str, Any], record: dict[str, Any]
) -> Model:
    """Write the final model folder, with a page for people.

    Args:
        config: the recipe; its ``export`` says what the card tells.
        folder: of the model.
        weights: of the coarse and of the refine stage.
        results: of the steps ``alpha``, ``thresholds`` and ``evaluate``, and ``trained_on``: numbers of patients and
            slices.
        record: of the refine stage's run: revision, seed and manifest.

    Returns:
        The model.
    """
    made = {key: record[key] for key in ("git_revision", "seed", "manifest", "weights_at_start")}
    card: ModelCard = replace(
        config.card(),
        alpha=results["alpha"]["alpha"],
        thresholds=read_record(Thresholds, results["thresholds"]["thresholds"], "The step 'thresholds'"),
        scores={
            "data": config.data.kind,
            "split": "validation",
            "trained_on": results["trained_on"],
            "alpha_is": "the best of a sweep on these same cases" if config.alpha.use is None else "set by the config",
            **results["evaluate"],
            "gate": {key: value for key, value in results["thresholds"].items() if key != "thresholds"},
            "made_by": made,
        },
    )
    # A card that JSON cannot hold must not get as far as the folder.
    json.dumps(card.to_dict(), allow_nan=False)
    coarse, refine = map(_float32, weights)
    model = write_model_folder(folder, card, coarse, refine, quantise=config.export.quantise)
    write_text(folder / PAGE, model_page(model.card))
    write_text(folder / "LICENSE.txt", licence_text(model.card.licence))
    return model


def licence_text(licence: str) -> str:
    """Return what lies beside weights as their licence.

    Args:
        licence: SPDX name, as the card has it.

    Returns:
        The full text of a licence that this repository uses; else one sentence that names it.
    """
    if licence in _LICENCE_TEXTS:
        return _LICENCE_TEXTS[licence].read_text(encoding="utf-8")
    return f"The weights are licensed under {licence}. Put its full text here before you pass them on.\n"


def export_step(config: Config, work: Path, results: dict[str, Any]) -> Step:
    """Return the step ``export``: it depends on all that the card tells."""
    return Step(work / "export", {"export": config.to_dict()["export"], "results": results})


def _float32(weights: Weights) -> Weights:
    return {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
