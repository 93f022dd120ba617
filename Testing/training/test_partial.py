"""Labels that tell only part: what is learned from them, a teacher's word, shares of folders, hard slices."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

import torch
from monai.losses import DiceLoss
from torch.nn import functional

from seru.cascade.cascade import segment
from seru.errors import BadInputError, ModelError
from seru.hounsfield import window_to_uint8
from seru.model.store import open_model
from seru.model.weights import load_network
from seru.options import SegmentOptions
from seru.phantom import PhantomOptions, make_phantom
from Testing.training.quick import CONFIG, SMALL_PHANTOMS
from training.appearance import Appearance
from training.cases import list_cases
from training.config import AugmentationConfig, Config, DataConfig, PseudoConfig, TrainConfig, load_config
from training.loop import read_stage
from training.losses import SegmentationLoss
from training.mining import Mining, false_pixels
from training.partial import KIDNEY_OR_TUMOR, NOT_TUMOR, UNKNOWN, partial_labels, shows_kidney, shows_tumor
from training.prepare import PreparedData, prepare
from training.pseudo import ask_teacher, load_teacher, read_teacher
from training.recipe import Recipe
from training.sampling import Hard, Pool, draw_epoch
from training.steps import read_json

WINDOW = (-79.0, 304.0)


@pytest.mark.parametrize(
    ("knowledge", "given", "expected"),
    [
        ("everything", "teacher", [0, 1, 2, 0]),
        ("kidney", "teacher", [0, KIDNEY_OR_TUMOR, KIDNEY_OR_TUMOR, 0]),
        ("no tumor", "labels", [NOT_TUMOR] * 4),
        ("no tumor", "teacher", [0, 0, NOT_TUMOR, 1]),
        ("no tumor", "blind teacher", [NOT_TUMOR, NOT_TUMOR, NOT_TUMOR, 1]),
        ("nothing", "labels", [UNKNOWN] * 4),
        ("nothing", "teacher", [0, 0, UNKNOWN, KIDNEY_OR_TUMOR]),
        ("nothing", "blind teacher", [UNKNOWN, UNKNOWN, UNKNOWN, KIDNEY_OR_TUMOR]),
    ],
)
def test_labels_leave_open_what_nobody_knows(knowledge: str, given: str, expected: list[int]) -> None:
    labels = np.array([0, 1, 2, 0], np.uint8)
    teacher = None if given == "labels" else np.array([0, 25, 128, 255], np.uint8)

    found = partial_labels(labels, knowledge, teacher, (0.1, 0.9), given == "blind teacher")  # type: ignore[arg-type]

    assert found.tolist() == expected
    assert found.dtype == np.uint8
    assert shows_kidney(found).tolist() == [label in (1, 2, KIDNEY_OR_TUMOR) for label in expected]
    assert shows_tumor(found).tolist() == [label == 2 for label in expected]


@pytest.mark.parametrize("over", ["sample", "batch"])
def test_loss_of_whole_labels_is_cross_entropy_and_dice(over: str) -> None:
    logits, labels = torch.randn(2, 3, 8, 8), torch.randint(0, 3, (2, 8, 8))
    weights = (0.5, 1.0, 2.0)
    config = TrainConfig(loss="dice_cross_entropy", dice_over=over, class_weights=weights)  # type: ignore[arg-type]

    found = SegmentationLoss(config)(logits, labels)

    entropy = functional.cross_entropy(logits, labels, torch.tensor(weights), reduction="none").mean()
    dice = DiceLoss(include_background=False, to_onehot_y=True, softmax=True, batch=over == "batch")
    assert found.item() == pytest.approx((entropy + dice(logits, labels.unsqueeze(1))).item(), abs=1e-5)


def test_dice_of_regions_is_that_of_kidney_with_tumor_and_of_tumor() -> None:
    logits, labels = torch.randn(2, 3, 8, 8), torch.randint(0, 3, (2, 8, 8))
    config = TrainConfig(loss="dice_cross_entropy", dice_of="regions", dice_over="sample")

    dice = SegmentationLoss(config)(logits, labels) - SegmentationLoss(TrainConfig())(logits, labels)

    shares = logits.softmax(dim=1)
    expected = []
    for found, truth in ((1 - shares[:, 0], labels >= 1), (shares[:, 2], labels == 2)):
        for share, true in zip(found, truth, strict=True):
            expected.append(1 - (2 * share[true].sum() + 1e-5) / (share.sum() + true.sum() + 1e-5))
    assert dice.item() == pytest.approx(torch.stack(expected).mean().item(), abs=1e-5)


@pytest.mark.parametrize("of", ["classes", "regions"])
@pytest.mark.parametrize(
    ("label", "free"), [(KIDNEY_OR_TUMOR, (1, 2)), (NOT_TUMOR, (0, 1)), (UNKNOWN, (0, 1, 2)), (1, (1,))]
)
def test_what_is_left_open_teaches_nothing(of: str, label: int, free: tuple[int, ...]) -> None:
    """Probability may be moved between the classes that are left open, at no cost, and not out of them."""
    loss = SegmentationLoss(TrainConfig(loss="dice_cross_entropy", dice_of=of))  # type: ignore[arg-type]
    labels = torch.full((1, 4, 4), label)

    def of_class(sure_of: int) -> float:
        logits = torch.full((1, 3, 4, 4), -20.0)
        logits[:, sure_of] = 20.0
        return loss(logits, labels).item()

    for class_ in range(3):
        assert of_class(class_) == pytest.approx(0, abs=1e-4) if class_ in free else of_class(class_) > 10


def test_gradient_is_finite_where_a_class_is_ruled_out() -> None:
    logits = torch.full((1, 3, 2, 2), 0.0)
    logits[:, 2] = 90.0
    logits.requires_grad_()
    labels = torch.tensor([[[0, 1], [KIDNEY_OR_TUMOR, NOT_TUMOR]]])

    SegmentationLoss(TrainConfig(loss="dice_cross_entropy", dice_of="regions"))(logits, labels).backward()

    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert logits.grad[0, 2, 1, 1] > 0
    assert logits.grad[0, 2, 1, 0].abs() < 1e-6


def test_folders_are_drawn_by_their_shares() -> None:
    pools = [
        _pool("a", "large", 500),
        _pool("b", "small", 5),
        _pool("c", "unnamed", 5),
        _pool("p", "", 5, is_extra=True),
    ]
    config = TrainConfig(
        sampling="by_case", slices_per_epoch=4000, batch_size=8, shares={"large": 1.0, "small": 0.5}, phantom_share=0.1
    )

    count = Counter(draw.case for draw in draw_epoch(pools, config, 0, 0))

    assert count["p"] == pytest.approx(400, abs=80)
    assert count["a"] == pytest.approx(2400, abs=150)
    assert count["b"] == pytest.approx(1200, abs=150)
    assert count["c"] == 0
    with pytest.raises(BadInputError, match="'elsewhere' can be drawn"):
        draw_epoch(pools, replace(config, shares={"elsewhere": 1.0}), 0, 0)


def test_hard_slices_are_drawn_more_often_the_larger_the_error() -> None:
    config = TrainConfig(sampling="by_case", slices_per_epoch=4000, batch_size=8, hard_share=0.25, mine_epochs=1)
    hard = [Hard("a", 3, None, 400), Hard("a", 4, None, 100)]

    draws = draw_epoch([_pool("a", "", 500)], config, 0, 0, hard)

    count = Counter(draw.index for draw in draws)
    assert count[3] == pytest.approx(4000 * 0.25 * 2 / 3 + 6, abs=90)
    assert count[4] == pytest.approx(4000 * 0.25 / 3 + 6, abs=70)
    assert len({draw.seed for draw in draws}) == 4000


@pytest.mark.parametrize(
    "wrong",
    [
        {"shares": {"a": 1.5}},
        {"hard_share": 0.1},
        {"mine_epochs": 2},
        {"shares": {"a": 1.0}, "sampling": "every_slice"},
    ],
)
def test_shares_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(BadInputError):
        TrainConfig(**{"sampling": "by_case", **wrong})


def test_only_what_is_known_to_be_wrong_is_an_error() -> None:
    labels = torch.tensor([[[0, 1, 2, KIDNEY_OR_TUMOR, NOT_TUMOR, UNKNOWN]]])

    count = [false_pixels(torch.full_like(labels, class_), labels).item() for class_ in range(3)]

    # Background where there is kidney is missed, not false; as tumor, 0, 1 and NOT_TUMOR are.
    assert count == [0, 2, 3]


def test_mined_slices_are_kept_for_a_training_that_goes_on(tmp_path: Path) -> None:
    config = _quick_config(tmp_path, "coarse.epochs=2", "train.mine_epochs=1", "train.hard_share=0.5")
    for name in ("prepare", "coarse"):
        Recipe(config).run(name)  # type: ignore[arg-type]

    kept = read_json(tmp_path / "coarse" / "hard.json")
    again = Mining(tmp_path / "coarse" / "hard.json", PreparedData(tmp_path / "prepare"))
    assert kept["epoch"] == again.epoch == 1
    # A network of a few steps errs somewhere.
    assert again.hard
    assert all(item.pixels >= 25 for item in again.hard)


def test_rounds_go_on_from_each_other_and_are_done_once(tmp_path: Path) -> None:
    config = _quick_config(tmp_path, "coarse.rounds=[{epochs: 2, dice_over: sample}, {epochs: 1, learning_rate: 1e-6}]")
    first, last = config.rounds("coarse")
    assert (first.epochs, first.dice_over, first.learning_rate) == (2, "sample", 5e-3)
    assert (last.epochs, last.dice_over, last.learning_rate) == (1, "batch", 1e-6)
    for name in ("prepare", "coarse"):
        Recipe(config).run(name)  # type: ignore[arg-type]

    before, after = (read_json(tmp_path / place / "done.json")["result"] for place in ("coarse_round_1", "coarse"))
    weights = [read_stage(tmp_path / place, done) for place, done in (("coarse_round_1", before), ("coarse", after))]
    assert before["weights"] != after["weights"]
    assert read_json(tmp_path / "coarse" / "run.json")["weights_at_start"] == "round 1"
    # A learning rate of next to nothing leaves them where the round before did.
    name = "encoder.layer0.conv1.weight"
    torch.testing.assert_close(weights[0][name], weights[1][name], atol=1e-4, rtol=0)
    written = (tmp_path / "coarse_round_1" / "done.json").stat().st_mtime_ns
    assert Recipe(config).run("coarse") == after
    assert (tmp_path / "coarse_round_1" / "done.json").stat().st_mtime_ns == written
    changed = replace(config, earlier=replace(config.earlier, coarse=(replace(first, epochs=3),)))
    with pytest.raises(BadInputError, match="made with other inputs"):
        Recipe(changed).run("coarse")


def test_no_epoch_keeps_the_weights_that_the_stage_starts_from(tiny_model: Path, tmp_path: Path) -> None:
    given = f"coarse={{epochs: 0, start_from: {json.dumps(str(tiny_model))}}}"
    config = _quick_config(tmp_path, given)
    for name in ("prepare", "coarse"):
        Recipe(config).run(name)  # type: ignore[arg-type]

    kept = Recipe(config).weights("coarse")
    expected = load_network(open_model(tiny_model), "coarse").state_dict()
    assert all(torch.equal(kept[name], value) for name, value in expected.items())
    with pytest.raises(BadInputError, match="1 epoch or more"):
        TrainConfig(epochs=0)


@pytest.mark.parametrize("rounds", ["[]", "3", "[2]"])
def test_rounds_that_are_none_are_refused(rounds: str) -> None:
    with pytest.raises(BadInputError, match=r"rounds of .* must be a list"):
        load_config(CONFIG, (f"coarse.rounds={rounds}",))


def test_slices_look_as_from_another_window_phase_and_file() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    rng = np.random.default_rng(0)
    off = AugmentationConfig()

    nothing = np.zeros((16, 16), np.uint8)

    def seen(config: AugmentationConfig) -> np.ndarray:
        image, label = Appearance(config, WINDOW)(grey, nothing, rng)
        assert label is nothing
        return image

    assert seen(off) is grey
    crushed = seen(replace(off, crush=1.0))
    kept = crushed > 0
    assert np.array_equal(crushed[kept], grey[kept])
    assert 0 < np.count_nonzero(~kept) <= round((10 + 79) / 383 * 255) + 1
    dimmed = seen(replace(off, unenhanced=1.0))
    muscle, kidney = (round((hu + 79) / 383 * 255) for hu in (50, 180))
    assert dimmed.ravel()[muscle] == muscle
    assert muscle < dimmed.ravel()[kidney] < kidney
    assert dimmed.max() == 255
    moved = seen(replace(off, window=1.0))
    assert not np.array_equal(moved, grey)
    assert (np.diff(moved.ravel().astype(int)) >= 0).all()
    noise = rng.integers(0, 256, (2, 32, 40), dtype=np.uint8)
    for change in ({"jpeg": 1.0}, {"resolution": 1.0}):
        changed, _ = Appearance(replace(off, **change), WINDOW)(noise, np.zeros((32, 40), np.uint8), rng)
        assert changed.shape == noise.shape
        assert changed.dtype == np.uint8
        assert not np.array_equal(changed, noise)


def test_kidneys_without_contrast_are_darker_than_muscle_and_keep_their_noise() -> None:
    def grey(hu: float) -> float:
        return (hu + 79) / 383 * 255

    rng = np.random.default_rng(1)
    label = np.zeros((64, 64), np.uint8)
    label[16:48, 16:40], label[16:48, 40:48] = 1, 2
    image = np.choose(label, [grey(50), grey(190), grey(90)]) + rng.normal(0, 6, label.shape)
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)[np.newaxis]
    unenhanced = Appearance(AugmentationConfig(unenhanced=1.0), WINDOW)
    inside, outside = np.s_[0, 20:44, 20:36], np.s_[0, :12]

    unseen = 0
    for _ in range(20):
        changed, labels = unenhanced(image, label, rng)
        assert grey(18) < changed[inside].mean() < grey(50)
        assert changed[inside].std() > 0.7 * image[inside].std()
        assert abs(changed[outside].mean() - image[outside].mean()) < 1
        contrast = changed[inside].mean() - changed[0, 20:44, 43:46].mean()
        assert contrast < 0.6 * (grey(190) - grey(90))
        assert set(np.unique(labels)) in ({0, 1, 2}, {0, 1, KIDNEY_OR_TUMOR})
        unseen += KIDNEY_OR_TUMOR in labels
        assert np.array_equal(labels > 0, label > 0)
    assert 0 < unseen < 20

    open_rim = label.copy()
    open_rim[15, 16:48] = NOT_TUMOR
    changed, labels = unenhanced(image, open_rim, rng)
    assert labels is open_rim
    assert changed[inside].mean() > grey(50)


def test_teacher_fills_in_kidneys_where_no_label_shows_them(slices: Path, teacher: Path, tmp_path: Path) -> None:
    config = _config(slices, teacher)

    result = ask_teacher(config, tmp_path)
    prepare(config, tmp_path)

    data = PreparedData(tmp_path / "prepare")
    assert result["cases"] == 2
    by_knowledge = {case.knowledge: data.labels(case.id)[0] for case in data.cases.values()}
    # Sure of kidney in the bright half, of background in the dark one; a seam between them is left open.
    assert by_knowledge["no tumor"][4, 6] == 1
    assert by_knowledge["no tumor"][4, 1] == 0
    assert by_knowledge["nothing"][4, 6] == KIDNEY_OR_TUMOR
    assert np.array_equal(np.unique(by_knowledge["everything"]), [0, 2])
    assert [case.dataset for case in data.cases.values()] == ["own", "own", "own"]
    assert ask_teacher(config, tmp_path) == result
    assert Recipe(replace(config, work=str(tmp_path))).run("pseudo") == result


def test_where_a_teacher_is_blind_it_says_nothing_of_background(slices: Path, teacher: Path, tmp_path: Path) -> None:
    config = _config(slices, teacher)
    blind = replace(config, pseudo=replace(config.pseudo, blind_on=("own",)))
    ask_teacher(config, tmp_path)

    prepare(blind, tmp_path)

    data = PreparedData(tmp_path / "prepare")
    by_knowledge = {case.knowledge: data.labels(case.id)[0] for case in data.cases.values()}
    assert (by_knowledge["no tumor"][4, 6], by_knowledge["no tumor"][4, 1]) == (1, NOT_TUMOR)
    assert (by_knowledge["nothing"][4, 6], by_knowledge["nothing"][4, 1]) == (KIDNEY_OR_TUMOR, UNKNOWN)
    with pytest.raises(BadInputError, match="other inputs"):
        prepare(config, tmp_path)
    with pytest.raises(BadInputError, match="'other' of 'blind_on' is none"):
        replace(config, pseudo=replace(config.pseudo, blind_on=("other",)))


def test_on_some_folders_a_model_says_it_in_the_teacher_s_place(
    slices: Path, teacher: Path, tiny_model: Path, tmp_path: Path
) -> None:
    phantom = make_phantom(PhantomOptions(shape_kji=(40, 128, 128), spacing_kji_mm=(6.0, 3.0, 3.0)))
    index = int((phantom.labels_kji > 0).sum(axis=(1, 2)).argmax())
    image = window_to_uint8(phantom.volume.array_kji[index], (-79, 304))
    other = tmp_path / "other"
    (other / "images").mkdir(parents=True)
    cv2.imwrite(str(other / "images" / "d.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 101])
    head = (slices / "manifest.csv").read_text().partition("\n")[0]
    (other / "manifest.csv").write_text(f"{head}\nd,s,x,full slice,-79,304,none,stone,free\n")
    config = _config(slices, teacher)
    data = replace(config.data, more_folders=(str(other),))
    asked = replace(config, data=data, pseudo=replace(config.pseudo, models={"other": str(tiny_model)}))

    result = ask_teacher(asked, tmp_path)

    assert result["cases"] == 3
    d = next(case for case in list_cases(data) if case.dataset == "other")
    said = read_teacher(tmp_path / "pseudo", d)
    assert said is not None
    volume, _ = d.read()
    labels = segment(volume, open_model(tiny_model), SegmentOptions(engine="torch", min_confidence=0.0)).labels_kji
    assert (labels > 0).sum() > 200
    # Where background is most probable, kidney and tumor together can have two thirds.
    assert (said[labels > 0] >= 127).all()
    assert (said[labels == 0] <= 170).all()
    with pytest.raises(BadInputError, match="other inputs"):
        ask_teacher(replace(asked, pseudo=config.pseudo), tmp_path)
    with pytest.raises(BadInputError, match="'others' of 'models' is none"):
        replace(asked, pseudo=replace(asked.pseudo, models={"others": "seru-kits-2"}))
    with pytest.raises(ModelError, match="unknown"):
        ask_teacher(replace(asked, pseudo=replace(asked.pseudo, models={"other": "nobody"})), tmp_path / "again")


def test_prepare_waits_for_the_teacher_and_a_missing_one_is_said(slices: Path, tmp_path: Path) -> None:
    config = _config(slices, tmp_path / "nowhere.xml")

    with pytest.raises(BadInputError, match="'pseudo' is not done"):
        prepare(config, tmp_path)
    with pytest.raises(BadInputError, match=r"teacher .*nowhere\.xml cannot be read"):
        ask_teacher(config, tmp_path)
    assert not list((tmp_path / "pseudo").glob("*.npz"))


def test_teacher_sees_the_transposed_slice_at_its_size(teacher: Path) -> None:
    image = np.zeros((8, 12), np.uint8)
    image[:, 6:] = 255

    found = load_teacher(teacher)(image)

    assert found.shape == (8, 12)
    assert found[4, 10] > 0.9
    assert found[4, 1] < 0.1


def test_a_case_in_two_folders_is_refused(slices: Path, teacher: Path, tmp_path: Path) -> None:
    config = _config(slices, teacher)
    twice = replace(config, data=replace(config.data, more_folders=(str(slices),)))

    with pytest.raises(BadInputError, match="in two folders"):
        ask_teacher(twice, tmp_path)


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """Three slices, dark on one half and bright on the other; of one everything is known."""
    folder = tmp_path / "own"
    for place in ("images", "masks"):
        (folder / place).mkdir(parents=True)
    image = np.zeros((8, 8), np.uint8)
    image[:, 4:] = 255
    for name in "abc":
        cv2.imwrite(str(folder / "images" / f"{name}.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 101])
    cv2.imwrite(str(folder / "masks" / "a.png"), (image > 0) * np.uint8(2))
    rows = (
        "file,case,source,kind,window_lo,window_hi,labels,slice_label,licence",
        "a,p,x,full slice,0,255,masks,,free",
        "b,q,x,full slice,0,255,none,no tumor (donor),free",
        "c,r,x,full slice,0,255,none,stone,free",
    )
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


def _config(slices: Path, teacher: Path) -> Config:
    data = DataConfig(kind="slices", folder=str(slices))
    return Config("x", "x", data=data, pseudo=PseudoConfig(teacher=str(teacher)))


def _quick_config(work: Path, *changes: str) -> Config:
    return load_config(CONFIG, (*SMALL_PHANTOMS, f"work={work}", "train.workers=0", *changes))


def _pool(case: str, dataset: str, count: int, is_extra: bool = False) -> Pool:
    every = tuple((index, None) for index in range(count))
    return Pool(case, every, every[: count // 2], every[: count // 10], is_extra, dataset)
