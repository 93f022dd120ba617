"""The steps of the recipe in order, each done once; any of them may be asked for."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from seru.errors import BadInputError, ModelError
from seru.findings import Thresholds
from seru.model.card import NetworkStage
from seru.model.store import Model, find_model, open_model, sha256_of
from seru.model.weights import load_network
from seru.records import read_record
from training.alpha import alpha_step, sweep_alpha
from training.cases import list_cases, scored_cases
from training.config import Config
from training.crops import crops_step, make_crops, read_crops
from training.evaluate import evaluate_run, evaluate_step
from training.export import export_model, export_step, interim_model
from training.labelled import LabelledCase
from training.loop import StageData, Start, read_stage, train_stage, train_step
from training.prepare import PreparedData, prepare, prepare_step, wait_prepared
from training.pseudo import ask_teacher, pseudo_step
from training.ranges import add_ranges, measure_ranges
from training.split import split_patients
from training.steps import Step, digest, process_rank, read_json, write_json
from training.thresholds import choose_run, thresholds_step

StepName = Literal["pseudo", "prepare", "coarse", "crops", "refine", "alpha", "thresholds", "evaluate", "export"]
STEPS: tuple[StepName, ...] = get_args(StepName)
Result = dict[str, Any]


class Recipe:
    """A run of the recipe in its work folder.

    Under ``torchrun`` the first process alone does what is no training; the others wait for it.

    Args:
        config: every option.
        restart: make again what was made with other inputs.
    """

    def __init__(self, config: Config, restart: bool = False) -> None:
        self.config = config
        self.restart = restart
        self.work = Path(config.work)
        self._weights: dict[tuple[NetworkStage, str], dict[str, torch.Tensor]] = {}

    def run(self, name: StepName) -> Result:
        """Do one step; those before it must be done.

        Args:
            name: one of ``STEPS``.

        Returns:
            Its result.

        Raises:
            BadInputError: a step before it is not done, or was done with other inputs.
        """
        if name in ("coarse", "refine"):
            return self._train(name)
        if name == "pseudo" and self.config.pseudo.teacher is None:
            return self._pseudo()
        if process_rank() != 0:
            return wait_prepared(self.config, self.work) if name == "prepare" else self._step(name).wait()
        return getattr(self, f"_{name}")()

    def run_all(self) -> Result:
        """Do every step that is not done; return the last one's result."""
        result: Result = {}
        for name in STEPS:
            result = self.run(name)
            if process_rank() == 0:
                print(f"{name}: done", flush=True)
        return result

    # What the steps share

    @cached_property
    def data(self) -> PreparedData:
        """The prepared slices."""
        self._done("prepare")
        return PreparedData(self.work / "prepare")

    @cached_property
    def split(self) -> dict[str, list[str]]:
        """Patients by ``train`` and ``val``, written beside the run."""
        patients = [case.patient for case in self.data.cases.values() if not case.is_extra]
        split = split_patients(patients, self.config.split)
        if process_rank() == 0 and read_json(self.work / "split.json") != split:
            write_json(self.work / "split.json", split)
        return split

    def weights(self, stage: NetworkStage) -> dict[str, torch.Tensor]:
        """The weights that a stage's training gave."""
        done = self._done(stage)
        key = stage, done["weights"]
        if key not in self._weights:
            self._weights[key] = read_stage(self.work / stage, done)
        return self._weights[key]

    def training_cases(self) -> list[LabelledCase]:
        """The cases that are trained on, as volumes."""
        return self._cases("train")

    def validation_cases(self) -> list[LabelledCase]:
        """The cases that the run is scored on, as volumes."""
        return scored_cases(self._cases("val"), self.config.data)

    def _cases(self, part: str) -> list[LabelledCase]:
        patients = set(self.split[part])
        return [case for case in list_cases(self.config.data) if not case.is_extra and case.patient in patients]

    def _step(self, name: StepName) -> Step:
        if name == "pseudo":
            return pseudo_step(self.config, self.work)
        if name == "prepare":
            return prepare_step(self.config, self.work)
        if name in ("coarse", "refine"):
            return self._round_step(name, len(self.config.rounds(name)))
        if name == "crops":
            coarse = self._done("coarse") if self.config.crops.source == "coarse" else None
            return crops_step(self.config, self.work, self.data, coarse)
        if name == "alpha":
            return alpha_step(self.config, self.work, digest(self.split), self._done("coarse"), self._done("refine"))
        if name == "thresholds":
            return thresholds_step(self.config, self.work, self._done("alpha"), self._step("alpha").inputs)
        if name == "evaluate":
            return evaluate_step(self.work, self._done("thresholds"), self._step("thresholds").inputs)
        results = {done: self._done(done) for done in ("alpha", "thresholds", "evaluate")}
        return export_step(self.config, self.work, {**results, "trained_on": self._trained_on()})

    def _round_step(self, stage: NetworkStage, number: int) -> Step:
        """Return the step of a round, counted from 1; the last one's folder has the stage's name alone."""
        before: dict[str, Any] = {"split": digest(self.split)}
        if stage == "refine":
            before["crops"] = digest(self._step("crops").inputs)
        if number == 1:
            before.update(self._start_inputs(stage))
        else:
            before["round_before"] = _result_of(self._round_step(stage, number - 1), stage)["weights"]
        rounds = self.config.rounds(stage)
        folder = self.work / (stage if number == len(rounds) else f"{stage}_round_{number}")
        return train_step(self.config, folder, stage, rounds[number - 1], self.data.hash, before)

    def _trained_on(self) -> dict[str, int]:
        patients = set(self.split["train"])
        cases = [case for case in self.data.cases.values() if not case.is_extra and case.patient in patients]
        return {"patients": len({case.patient for case in cases}), "slices": sum(case.shape[0] for case in cases)}

    def _done(self, name: StepName) -> Result:
        return _result_of(self._step(name), name)

    # The steps

    def _pseudo(self) -> Result:
        return ask_teacher(self.config, self.work, self.restart)

    def _prepare(self) -> Result:
        return prepare(self.config, self.work, self.restart)

    def _train(self, stage: NetworkStage) -> Result:
        crops = None
        if stage == "refine":
            self._done("crops")
            crops = read_crops(self.work / "crops", self.data)
        source = StageData(self.data, self.split, crops)
        start, result = self._start(stage), Result()
        for number, train in enumerate(self.config.rounds(stage), 1):
            step = self._round_step(stage, number)
            result = train_stage(self.config, stage, train, step, source, start, self.restart)
            start = Start(f"round {number}", partial(read_stage, step.folder, result))
        return result

    def _start_model(self, stage: NetworkStage) -> Model | None:
        name = self.config.rounds(stage)[0].start_from
        model = None if name is None else find_model(name)
        if model is not None and model.card.architecture != self.config.network.architecture:
            raise ModelError(f"The model '{name}' to start from has another architecture than the config.")
        return model

    def _start_inputs(self, stage: NetworkStage) -> dict[str, str]:
        if (model := self._start_model(stage)) is not None:
            return {"start": sha256_of(model.weight_file(stage))}
        return {"coarse": self._done("coarse")["weights"]} if self._starts_from_coarse(stage) else {}

    def _start(self, stage: NetworkStage) -> Start | None:
        if (model := self._start_model(stage)) is not None:
            name = f"the {stage} weights of {model.card.id}, SHA-256 {sha256_of(model.weight_file(stage))}"
            return Start(name, lambda: load_network(model, stage).state_dict())
        return Start("the coarse weights", lambda: self.weights("coarse")) if self._starts_from_coarse(stage) else None

    def _starts_from_coarse(self, stage: NetworkStage) -> bool:
        return stage == "refine" and self.config.rounds(stage)[0].start_from_coarse

    def _crops(self) -> Result:
        step, model = self._step("crops"), None
        if step.result is None and self.config.crops.source == "coarse":
            # The coarse network stands in for the refine stage, which is not trained yet and not run here.
            coarse = self.weights("coarse")
            model = interim_model(self.config, self.work / "interim" / "coarse", coarse, coarse)
        return make_crops(self.config, step, self.data, model, self.restart)

    def _alpha(self) -> Result:
        step = self._step("alpha")
        if step.result is not None:
            return step.result
        return sweep_alpha(self.config, step, self._interim, self.validation_cases(), self.restart)

    def _thresholds(self) -> Result:
        step = self._step("thresholds")
        if step.result is not None:
            return step.result
        return choose_run(self.config, step, *self._validated(), self.restart)

    def _evaluate(self) -> Result:
        step = self._step("evaluate")
        if step.result is not None:
            return step.result
        thresholds = read_record(Thresholds, self._done("thresholds")["thresholds"], "The step 'thresholds'")
        return evaluate_run(self.config, step, *self._validated(), thresholds, self.restart)

    def _validated(self) -> tuple[Model, list[LabelledCase], Path, float]:
        """The model, the validation cases, where ``alpha`` left their maps, and alpha."""
        return self._interim, self.validation_cases(), self.work / "alpha" / "maps", self._done("alpha")["alpha"]

    def _export(self) -> Result:
        step = self._step("export")
        folder = step.folder / self.config.export.id
        if step.result is not None and (folder / "model.json").is_file():
            open_model(folder).verify()
            return step.result
        step.begin(self.restart)
        results = step.inputs["results"]
        weights = self.weights("coarse"), self.weights("refine")
        model = export_model(self.config, folder, weights, results, read_json(self.work / "refine" / "run.json"))
        model = add_ranges(model, measure_ranges(model, self.training_cases()))
        model.verify()
        return step.finish({"model": str(folder), "files": model.card.files})

    @cached_property
    def _interim(self) -> Model:
        """Both stages as they are exported, for the steps after training."""
        folder, quantise = self.work / "interim" / "both", self.config.export.quantise
        return interim_model(self.config, folder, self.weights("coarse"), self.weights("refine"), quantise)


def _result_of(step: Step, name: StepName) -> Result:
    result = step.result
    if result is None:
        raise BadInputError(f"The step '{name}' is not done with this config; run it first, or run 'all'.")
    return result
