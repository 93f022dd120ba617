"""The recipe's options: one YAML file, typed, every unknown key refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from seru.errors import BadInputError, ModelError
from seru.findings import Thresholds
from seru.model.architecture import Architecture
from seru.model.card import ModelCard, NetworkStage
from seru.options import CropRule, EngineName, SegmentOptions
from seru.records import read_record, to_plain

Precision = Literal["16-mixed", "16-true", "32-true", "64-true", "bf16-mixed", "bf16-true"]
"""Of the numbers in training, in Lightning's words."""


@dataclass(frozen=True)
class PhantomData:
    """Phantoms as patients.

    Attributes:
        patients: how many.
        shape_kji: voxels along k, j and i.
        spacing_kji_mm: voxel size, same order.
        first_seed: of the first patient; tests and demonstrations have small seeds, which training never sees.
        voxel_scale: slice distance and pixel size are multiplied by a number between these two each, drawn for each
            patient; there are fewer or more voxels, so that the field of view stays.
        noise_hu: the noise's standard deviation lies between these two.
    """

    patients: int = 0
    shape_kji: tuple[int, int, int] = (60, 256, 256)
    spacing_kji_mm: tuple[float, float, float] = (5.0, 1.5, 1.5)
    first_seed: int = 2_000_000
    voxel_scale: tuple[float, float] = (1.0, 1.0)
    noise_hu: tuple[float, float] = (12.0, 12.0)

    def __post_init__(self) -> None:
        if not 0 < self.voxel_scale[0] <= self.voxel_scale[1] or not 0 <= self.noise_hu[0] <= self.noise_hu[1]:
            raise BadInputError(
                f"The phantoms' voxel scale {self.voxel_scale} and noise {self.noise_hu} must go from a lower to a "
                "higher number, the scale's above 0."
            )


@dataclass(frozen=True)
class DataConfig:
    """Where the cases come from.

    Attributes:
        kind: ``kits19`` (folders case_xxxxx), ``slices`` (single slices with a manifest) or ``phantom``.
        folder: of the data; phantoms need none. Its validation patients are those that the run is scored on.
        exclude: cases left out; ``known_bad`` stands for those of ``known_bad.json``.
        phantom: the cases of kind ``phantom``, and those mixed into training on real ones.
        more_folders: of the same kind as ``folder``; their labels may tell less.
    """

    kind: Literal["kits19", "slices", "phantom"] = "kits19"
    folder: str = "data/kits19"
    exclude: tuple[str, ...] = ()
    phantom: PhantomData = field(default_factory=PhantomData)
    more_folders: tuple[str, ...] = ()

    @property
    def all_folders(self) -> tuple[Path, ...]:
        """Every folder, the scored one first."""
        return Path(self.folder), *map(Path, self.more_folders)


@dataclass(frozen=True)
class PseudoConfig:
    """A teacher's word on kidneys, for images whose labels do not show them.

    Attributes:
        teacher: an OpenVINO network (``.xml``) that takes a 512x512 slice, transposed, and gives one logit; None asks
            nobody, and such pixels are left open.
        window: HU that the teacher sees as 0 to 255.
        sure: up to the first probability a pixel is background, from the second on kidney; between them it is left
            open.
        blind_on: folders of images unlike those that it learned on, such as scans without contrast agent. That it sees
            no kidney there says nothing: only what it calls kidney is believed.
        models: on some of the data's folders, by name, a SERU model (id or folder) that says it in the teacher's place.
    """

    teacher: str | None = None
    window: tuple[float, float] = (-125.0, 225.0)
    sure: tuple[float, float] = (0.1, 0.9)
    blind_on: tuple[str, ...] = ()
    models: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.sure[0] < self.sure[1] <= 1 or not self.window[0] < self.window[1]:
            raise BadInputError(
                f"The teacher's window {self.window} and probabilities {self.sure} must go from a lower to a higher "
                "number, the probabilities within 0 and 1."
            )


@dataclass(frozen=True)
class SplitConfig:
    """Which patients validate: a share, one of several folds, or a file's list."""

    seed: int = 19
    validation_share: float = 0.2
    folds: int = 5
    fold: int | None = None
    file: str | None = None


@dataclass(frozen=True)
class NetworkConfig:
    """Network and pre-processing; the names are the model card's.

    Attributes:
        encoder: ``imagenet`` (downloaded once), ``none``, or the path of Cadene's file.
    """

    architecture: Architecture = field(default_factory=Architecture)
    encoder: str = "imagenet"
    window: tuple[float, float] = (-79.0, 304.0)
    clahe_clip_limit: float = 2.0
    clahe_grid: tuple[int, int] = (8, 8)
    coarse_size: int | None = None
    crop_size: int = 256
    in_plane_spacing_mm: float | None = None
    input_slices: int = 1


@dataclass(frozen=True)
class AugmentationConfig:
    """Chances (0..1) and strengths; grey values are on the 0..255 scale.

    ``tumor_paste`` is the chance that a slice with kidney gets a tumor of another case, ``tumor_paste_scale`` times its
    size (:class:`training.tumor_paste.TumorPaste`). ``window``, ``crush``, ``unenhanced``, ``resolution`` and ``jpeg``
    show the slice as another window, phase, scanner or file would (:class:`training.appearance.Appearance`), before
    CLAHE.
    """

    flip: float = 0.5
    geometry: float = 1.0
    scale: tuple[float, float] = (0.9, 1.1)
    rotate_degrees: float = 0.0
    shift_px: float = 0.0
    contrast: float = 0.0
    gamma: tuple[float, float] = (0.7, 1.5)
    brightness: float = 0.0
    brightness_offset: float = 20.0
    noise: float = 0.0
    noise_deviation: float = 12.0
    blur: float = 0.0
    tumor_paste: float = 0.0
    tumor_paste_scale: tuple[float, float] = (0.4, 1.2)
    window: float = 0.0
    window_shift_hu: float = 25.0
    window_stretch: tuple[float, float] = (0.8, 1.25)
    crush: float = 0.0
    unenhanced: float = 0.0
    resolution: float = 0.0
    resolution_scale: tuple[float, float] = (0.4, 0.9)
    jpeg: float = 0.0
    jpeg_quality: tuple[int, int] = (30, 90)

    def __post_init__(self) -> None:
        chances = (self.flip, self.geometry, self.contrast, self.brightness, self.noise, self.blur, self.tumor_paste,
                   self.window, self.crush, self.unenhanced, self.resolution, self.jpeg)  # fmt: skip
        if min(chances) < 0 or max(chances) > 1:
            raise BadInputError(f"The chances {chances} of augmentation must lie between 0 and 1.")
        if not 1 <= self.jpeg_quality[0] <= self.jpeg_quality[1] <= 100:
            raise BadInputError(f"The JPEG quality must go from 1 or more to 100 or less, got {self.jpeg_quality}.")
        for low, high in (self.scale, self.tumor_paste_scale, self.window_stretch, self.resolution_scale):
            if not 0 < low <= high:
                raise BadInputError(f"A scale must go from a number above 0 to one as large, got {low:g} to {high:g}.")


@dataclass(frozen=True)
class TrainConfig:
    """How a stage is trained.

    Attributes:
        epochs: number of epochs; 0 keeps the weights that the stage starts from.
        batch_size: slices or crops a step, over all processes together.
        learning_rate: at the start (after the warm-up).
        optimiser: ``adam`` or ``adamw``.
        weight_decay: of the optimiser.
        schedule: ``step`` multiplies by ``step_factor`` every ``step_epochs``; ``cosine`` falls to 0.
        warmup_steps: linear rise of the learning rate.
        loss: ``cross_entropy`` or ``dice_cross_entropy``.
        class_weights: of the cross-entropy; None weighs all the same.
        dice_over: the soft Dice of each ``sample``, or of the whole ``batch`` (of each process).
        dice_of: the ``classes`` kidney and tumor, or the ``regions`` that KiTS scores: kidney with tumor, and tumor.
        sampling: ``every_slice`` once an epoch, or ``by_case``: first a case, then one of its slices.
        slices_per_epoch: for ``by_case``; None takes as many as there are.
        kidney_share: of ``by_case`` draws that must show kidney or tumor.
        tumor_share: of ``by_case`` draws that must show tumor.
        phantom_share: of the draws that come from phantoms, where phantoms are mixed in.
        shares: of the other ``by_case`` draws, by name of the data's folder; empty draws all cases alike. A folder that
            is not named is not drawn.
        hard_share: of all draws, slices that the network itself errs on.
        mine_epochs: after so many epochs the slices it errs on are looked for, again and again; 0 never looks.
        jitter_px: the crop's centre is moved by up to this many network pixels (refine only).
        start_from: name or folder of a model; the stage starts from that model's weights for it.
        start_from_coarse: the refine stage starts from the coarse weights.
        keep: which checkpoint goes on: the ``last`` or the ``best`` on the validation slices.
        validation_slices: slices of each validation case that are looked at after an epoch.
        precision: Lightning's; ``auto`` is bf16-mixed where the device has it.
        accelerator: Lightning's: ``auto``, ``cpu``, ``gpu``.
        threads: of torch on the CPU; None leaves them alone.
        workers: processes that prepare batches.
        sync_batch_norm: several processes share the statistics of batch normalisation.
        deterministic: use deterministic algorithms only.
        gradient_clip: largest gradient norm; None does not clip.
        average_decay: decay of the moving average of the weights, which is what validates and is kept; None keeps none.
        half_size_epochs: the first epochs see images at half their size, four times as fast.
        compile: compile the training step (``torch.compile``; on the CPU it needs a C++ compiler).
    """

    epochs: int = 30
    batch_size: int = 8
    learning_rate: float = 1e-4
    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    schedule: Literal["step", "cosine"] = "step"
    step_epochs: int = 5
    step_factor: float = 0.1
    warmup_steps: int = 0
    loss: Literal["cross_entropy", "dice_cross_entropy"] = "cross_entropy"
    class_weights: tuple[float, float, float] | None = None
    dice_over: Literal["sample", "batch"] = "batch"
    dice_of: Literal["classes", "regions"] = "classes"
    sampling: Literal["every_slice", "by_case"] = "every_slice"
    slices_per_epoch: int | None = None
    kidney_share: float = 0.0
    tumor_share: float = 0.0
    phantom_share: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    hard_share: float = 0.0
    mine_epochs: int = 0
    jitter_px: int = 0
    start_from: str | None = None
    start_from_coarse: bool = False
    keep: Literal["last", "best"] = "last"
    validation_slices: int = 24
    precision: Literal["auto", Precision] = "auto"
    accelerator: str = "auto"
    threads: int | None = None
    workers: int = 4
    sync_batch_norm: bool = True
    deterministic: bool = True
    gradient_clip: float | None = None
    average_decay: float | None = None
    half_size_epochs: int = 0
    compile: bool = False
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)

    def __post_init__(self) -> None:
        if min(self.batch_size, self.step_epochs, self.validation_slices) < 1 or self.learning_rate <= 0:
            raise BadInputError("Batch size, step epochs, validation slices and learning rate must be above 0.")
        if self.epochs < 0 or (self.epochs == 0 and self.start_from is None and not self.start_from_coarse):
            raise BadInputError(f"There must be 1 epoch or more, or weights to start from and keep; got {self.epochs}.")
        shares = (self.kidney_share, self.tumor_share, self.phantom_share, self.hard_share, *self.shares.values())
        if min(shares) < 0 or self.kidney_share + self.tumor_share > 1 or max(shares) > 1:
            raise BadInputError(f"The shares {shares} of what is drawn must lie between 0 and 1.")
        if (self.shares or self.hard_share) and self.sampling != "by_case":
            raise BadInputError("Shares of folders and of hard slices need 'sampling: by_case'.")
        if self.mine_epochs < 0 or bool(self.mine_epochs) != bool(self.hard_share):
            raise BadInputError("Slices that the network errs on need both 'mine_epochs' and 'hard_share' above 0.")
        if self.start_from is not None and self.start_from_coarse:
            raise BadInputError("A stage starts from a model (start_from) or from the coarse weights, not from both.")
        if self.half_size_epochs < 0:
            raise BadInputError(f"The epochs at half size must be 0 or more, got {self.half_size_epochs}.")
        if self.average_decay is not None and not 0 <= self.average_decay < 1:
            raise BadInputError(f"The average's decay must be 0 or more and below 1, got {self.average_decay:g}.")


@dataclass(frozen=True)
class CropConfig:
    """Where the crops come from: the coarse model's own predictions, as in the paper, or the labels."""

    source: Literal["coarse", "labels"] = "coarse"
    fall_back_to_labels: bool = False


@dataclass(frozen=True)
class InferenceConfig(SegmentOptions):
    """How the validation cases are run: the command's own options, the paper's way unless told otherwise."""

    engine: EngineName = "torch"
    all_slices: bool = True
    crop: CropRule = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.boxes:
            raise BadInputError("A box belongs to one CT; leave 'boxes' out of the recipe.")


@dataclass(frozen=True)
class AlphaConfig:
    """The sweep of alpha over 0..1, and which alpha the model gets: a number, or the best of the sweep (None)."""

    count: int = 21
    use: float | None = 0.4


@dataclass(frozen=True)
class ThresholdsConfig:
    """Which confidence a finding needs to be believed: given, or the highest that loses no more than this.

    Attributes:
        use: the thresholds; None chooses them on the validation cases.
        kidney_coarse_loss: share of the true kidney (with tumor) that the coarse stage's components may lose. A kidney
            that is lost there is not refined, so it is less than what the findings may.
        kidney_loss: share of the true kidney (with tumor) that may be lost from the findings.
        tumor_loss: share of the true tumor that may be lost, with what is lost with its kidney.
        step: thresholds are multiples of it.
    """

    use: Thresholds | None = None
    kidney_coarse_loss: float = 0.001
    kidney_loss: float = 0.01
    tumor_loss: float = 0.05
    step: float = 0.05

    def __post_init__(self) -> None:
        losses = (self.kidney_coarse_loss, self.kidney_loss, self.tumor_loss)
        if min(losses) < 0 or max(losses) > 1 or not 0.001 <= self.step <= 1:
            raise BadInputError(
                f"The losses {losses} of the thresholds must lie between 0 and 1, their step {self.step:g} "
                "from 0.001 to 1."
            )


@dataclass(frozen=True)
class ExportConfig:
    """What the model card says."""

    id: str = "seru-kits19"
    title: str = "SERU, trained on KiTS19"
    licence: str = "CC-BY-NC-SA-4.0"
    training_data: str = "KiTS19 training cases (CC BY-NC-SA 4.0)"
    quantise: bool = False
    notes: tuple[str, ...] = ("Research use only; not a medical device.",)


@dataclass(frozen=True)
class EarlierRounds:
    """How each stage is trained before its last round, which goes on from the weights of the one before."""

    coarse: tuple[TrainConfig, ...] = ()
    refine: tuple[TrainConfig, ...] = ()


@dataclass(frozen=True)
class Config:
    """The whole recipe.

    Attributes:
        work: folder of everything the recipe makes.
        seed: of weights, order and augmentation.
        coarse: the coarse stage, in its last round.
        refine: the refine stage, likewise.
        earlier: the rounds before them.
    """

    name: str
    work: str
    seed: int = 19
    data: DataConfig = field(default_factory=DataConfig)
    pseudo: PseudoConfig = field(default_factory=PseudoConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    coarse: TrainConfig = field(default_factory=TrainConfig)
    refine: TrainConfig = field(default_factory=TrainConfig)
    earlier: EarlierRounds = field(default_factory=EarlierRounds)
    crops: CropConfig = field(default_factory=CropConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    alpha: AlphaConfig = field(default_factory=AlphaConfig)
    thresholds: ThresholdsConfig = field(default_factory=ThresholdsConfig)
    export: ExportConfig = field(default_factory=ExportConfig)

    def __post_init__(self) -> None:
        try:
            self.card()
        except ModelError as error:
            fault = str(error).partition(";")[0]
            raise BadInputError(f"The config's model cannot be: {fault}; correct 'network' or 'export'.") from error
        for option, names in (("blind_on", self.pseudo.blind_on), ("models", self.pseudo.models)):
            others = set(names) - {folder.name for folder in self.data.all_folders}
            if self.pseudo.teacher is not None and others:
                raise BadInputError(f"'{min(others)}' of '{option}' is none of the data's folders; correct its name.")

    def stage(self, stage: NetworkStage) -> TrainConfig:
        """Return how a stage is trained, in its last round."""
        return self.coarse if stage == "coarse" else self.refine

    def rounds(self, stage: NetworkStage) -> tuple[TrainConfig, ...]:
        """Return how a stage is trained, round after round."""
        earlier = self.earlier.coarse if stage == "coarse" else self.earlier.refine
        return *earlier, self.stage(stage)

    def card(self) -> ModelCard:
        """Return the model card without scores and files; pre-processing takes its numbers."""
        network = self.network
        return ModelCard(
            id=self.export.id,
            title=self.export.title,
            licence=self.export.licence,
            training_data=self.export.training_data,
            architecture=network.architecture,
            window=network.window,
            clahe_clip_limit=network.clahe_clip_limit,
            clahe_grid=network.clahe_grid,
            coarse_size=network.coarse_size,
            crop_size=network.crop_size,
            alpha=0.4 if self.alpha.use is None else self.alpha.use,
            in_plane_spacing_mm=network.in_plane_spacing_mm,
            input_slices=network.input_slices,
            notes=self.export.notes,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as YAML- and JSON-ready values."""
        return to_plain(self)


def load_config(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """Read a config file.

    Args:
        path: YAML. The section ``train`` holds what ``coarse`` and ``refine`` have in common; in each, ``rounds`` lists
            what is different from round to round.
        overrides: ``section.key=value`` each, the value in YAML.

    Returns:
        The config.

    Raises:
        BadInputError: the file is missing or no YAML, a key is unknown, or a value has the wrong type.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError(f"The config {path} cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(values, dict):
        raise BadInputError(f"The config {path} holds no options; see training/configs for examples.")
    for override in overrides:
        _override(values, override)
    common = values.pop("train", None) or {}
    for stage in ("coarse", "refine"):
        own = dict(values.get(stage) or {})
        rounds = [_merged(_merged(common, own), different) for different in _rounds_of(own, path)]
        values[stage] = rounds.pop()
        if rounds:
            values.setdefault("earlier", {})[stage] = rounds
    values.setdefault("name", path.stem)
    values.setdefault("work", f"runs/{path.stem}")
    return read_record(Config, values, "The config")


def _rounds_of(own: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    """Take the rounds out of a stage's section; one without any has one."""
    rounds = own.pop("rounds", [{}])
    if not isinstance(rounds, list) or not rounds or not all(isinstance(item, dict) for item in rounds):
        raise BadInputError(f"The rounds of {path} must be a list, each with the options that differ in it.")
    return rounds


def _override(values: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals:
        raise BadInputError(f"'{override}' sets nothing; write section.key=value.")
    *sections, key = path.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise BadInputError(f"'{override}' names no option of the config.")
    values[key] = yaml.safe_load(text)


def _merged(common: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    result = dict(common)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result
