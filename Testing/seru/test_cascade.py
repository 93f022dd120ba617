"""The cascade end to end on phantoms, with the tiny network."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from seru.cascade.batches import BatchRunner
from seru.cascade.cascade import Segmenter, SegmentResult, segment
from seru.errors import BadInputError, CancelledError, DeviceError, ModelError
from seru.findings import SideFindings, SliceCounts
from seru.model.engines.base import Engine, OutOfMemory
from seru.model.store import Model, open_model
from seru.options import SegmentOptions
from seru.phantom import Phantom, PhantomOptions, make_phantom
from seru.progress import RUN_STAGES, Progress
from seru.result.fusion import LiveFusion
from seru.result.maps import load_maps, save_maps
from seru.volume import Volume
from Testing import REPOSITORY
from Testing.seru.image_files_by_hand import small_ct
from training.scoring import dice

SCHEMA = json.loads((REPOSITORY / "SERUSegmentation/seru/report.schema.json").read_text(encoding="utf-8"))
TORCH = SegmentOptions(engine="torch")
SMALL = PhantomOptions(shape_kji=(40, 128, 128), spacing_kji_mm=(6.75, 3.0, 3.0), seed=3)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return open_model(tiny_model)


@pytest.fixture(scope="module")
def case() -> Phantom:
    return make_phantom(SMALL)


@pytest.fixture(scope="module")
def result(case: Phantom, model: Model) -> SegmentResult:
    return segment(case.volume, model, TORCH)


class Recorder(Progress):
    def __init__(self) -> None:
        super().__init__()
        self.stages: list[tuple[str, int, int]] = []
        self.warnings: list[str] = []

    def stage(self, name: str, done: int, total: int) -> None:
        self.stages.append((name, done, total))

    def warning(self, message: str) -> None:
        self.warnings.append(message)


@pytest.mark.parametrize("seed", [0, 4])
def test_the_phantoms_kidneys_are_found(seed: int, model: Model) -> None:
    phantom = make_phantom(PhantomOptions(seed=seed))

    labels = segment(phantom.volume, model).labels_kji

    assert dice(labels > 0, phantom.labels_kji > 0) >= 0.87
    assert dice(labels == 2, phantom.labels_kji == 2) >= 0.60


def test_the_model_may_be_given_by_its_folder(case: Phantom, model: Model, result: SegmentResult) -> None:
    again = segment(case.volume, model.folder, TORCH)

    assert np.array_equal(again.labels_kji, result.labels_kji)


def test_a_model_that_is_nowhere_is_named(case: Phantom) -> None:
    with pytest.raises(ModelError, match="'nowhere'"):
        segment(case.volume, "nowhere")


def test_what_is_no_ct_is_refused_before_any_network(model: Model) -> None:
    image = Volume.from_array(np.random.default_rng(0).integers(0, 256, (8, 64, 64)).astype(np.int16), np.eye(4))

    with pytest.raises(BadInputError, match="no CT in Hounsfield units"):
        segment(image, replace(model, folder=model.folder / "without weights"))


def test_what_the_check_finds_stands_in_the_report(case: Phantom, model: Model) -> None:
    thick = Volume.from_array(case.volume.array_kji[::2], case.volume.grid.ijk_to_ras @ np.diag([1, 1, 2, 1]))

    report = segment(thick, model, TORCH).report

    assert any("13.5 mm apart" in warning for warning in report.warnings)


def test_the_labels_lie_on_the_inputs_grid(case: Phantom, result: SegmentResult) -> None:
    assert result.labels_kji.shape == case.volume.array_kji.shape
    assert result.labels_kji.dtype == np.uint8
    assert set(np.unique(result.labels_kji)) <= {0, 1, 2}


def test_the_report_follows_its_schema(result: SegmentResult) -> None:
    jsonschema.validate(json.loads(result.report.to_json()), SCHEMA)


def test_left_and_right_are_the_patients(case: Phantom, result: SegmentResult) -> None:
    for side, code in (("right", 1), ("left", 2)):
        key_slice = result.report.side(side).key_slice
        kidney = (case.side_kji == code) & (case.labels_kji > 0)
        k, j, i = (axis.mean() for axis in np.nonzero(kidney))
        assert np.linalg.norm(np.subtract(case.volume.grid.ras_of_ijk((i, j, k)), key_slice.position_ras)) < 60
        assert (key_slice.position_ras[0] > 0) == (side == "right")
        found_ml = result.report.side(side).kidney_ml + result.report.side(side).tumor_ml
        assert found_ml == pytest.approx(np.count_nonzero(kidney) * case.volume.grid.voxel_ml, rel=0.25)


def test_the_key_slice_is_the_largest_of_the_coarse_stage(case: Phantom, result: SegmentResult) -> None:
    coarse = LiveFusion(result.maps).labels_kji(1.0) > 0
    half = case.volume.array_kji.shape[2] // 2
    for side, columns in (("right", slice(0, half)), ("left", slice(half, None))):
        areas = coarse[:, :, columns].sum(axis=(1, 2))
        index = result.report.side(side).key_slice.index
        assert areas[index] >= 0.9 * areas.max()


def test_alpha_1_is_coarse_everywhere_and_alpha_0_is_refined_inside_the_crops(
    case: Phantom, model: Model, result: SegmentResult
) -> None:
    live = LiveFusion(result.maps)

    only_coarse = segment(case.volume, model, replace(TORCH, alpha=1.0))
    only_refined = segment(case.volume, model, replace(TORCH, alpha=0.0))

    np.testing.assert_array_equal(only_coarse.labels_kji, live.labels_kji(1.0))
    np.testing.assert_array_equal(only_refined.labels_kji, live.labels_kji(0.0))
    crops = np.zeros(case.volume.array_kji.shape, bool)
    for side in ("right", "left"):
        (i0, j0, k0), (i1, j1, k1) = (getattr(result.report.side(side).crop, end) for end in ("ijk_min", "ijk_max"))
        crops[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1] = True
    differ = only_coarse.labels_kji != only_refined.labels_kji
    assert differ.any()
    assert not (differ & ~crops).any()
    outside = ~crops[result.maps.box_slices][result.maps.mask]
    np.testing.assert_array_equal(result.maps.coarse[outside], result.maps.refined[outside])


def test_saved_maps_give_the_same_labels(result: SegmentResult, tmp_path: Path) -> None:
    maps, report = load_maps(save_maps(result.maps, result.report, tmp_path))

    np.testing.assert_array_equal(LiveFusion(maps).labels_kji(maps.alpha), result.labels_kji)
    assert report == result.report


def test_the_stages_come_in_their_order_and_end(case: Phantom, model: Model) -> None:
    recorder = Recorder()

    segment(case.volume, model, TORCH, recorder)

    names = [name for name, _ in itertools.groupby(name for name, _, _ in recorder.stages)]
    assert names == list(RUN_STAGES[1:-1])
    for name in names:
        ends = [(done, total) for stage, done, total in recorder.stages if stage == name]
        assert ends[-1][0] == ends[-1][1]
        assert [done for done, _ in ends] == sorted(done for done, _ in ends)


# Each order of the axes with two opposite flips, another pair for each; the stack itself is tested with all 48.
ORDERS = [
    "".join(pair[(number >> axis & 1) ^ flip] for axis, pair in enumerate(pairs))
    for number, pairs in enumerate(itertools.permutations(("RL", "AP", "SI")))
    for flip in (0, 1)
]


# Fewer and larger voxels, and three different numbers of them.
FEW = replace(SMALL, shape_kji=(30, 96, 112), spacing_kji_mm=(9.0, 4.0, 3.5))


@pytest.fixture(scope="module")
def few() -> Phantom:
    return make_phantom(FEW)


@pytest.fixture(scope="module")
def result_of_few(few: Phantom, model: Model) -> SegmentResult:
    found = segment(few.volume, model, TORCH)
    assert found.report.right.present
    assert found.report.left.present
    return found


@pytest.mark.slow
@pytest.mark.parametrize("orientation", ORDERS)
def test_every_axis_order_and_flip_gives_the_same_labels(
    orientation: str, model: Model, few: Phantom, result_of_few: SegmentResult
) -> None:
    case, result = few, result_of_few
    turned = make_phantom(replace(FEW, orientation=orientation))

    found = segment(turned.volume, model, TORCH)

    # The truth tells how the grid was turned; the labels must have been turned likewise.
    agreement = np.stack([np.bincount(found.labels_kji[turned.labels_kji == label], minlength=3) for label in range(3)])
    expected = np.stack([np.bincount(result.labels_kji[case.labels_kji == label], minlength=3) for label in range(3)])
    np.testing.assert_array_equal(agreement, expected)
    voxels = np.argwhere(found.labels_kji > 0)[:, ::-1]
    there = np.rint(to_index(case.volume, to_ras(turned.volume, voxels))).astype(int)
    np.testing.assert_array_equal(result.labels_kji[tuple(there.T[::-1])], found.labels_kji[tuple(voxels.T[::-1])])
    assert np.count_nonzero(found.labels_kji) == np.count_nonzero(result.labels_kji)
    for side in ("right", "left"):
        for name in ("kidney_ml", "tumor_ml", "tumor_longest_mm"):
            assert getattr(found.report.side(side), name) == pytest.approx(getattr(result.report.side(side), name))
        there, here = found.report.side(side), result.report.side(side)
        assert there.key_slice.position_ras == pytest.approx(here.key_slice.position_ras, abs=1e-3)
        assert there.crop.centre_ras == pytest.approx(here.crop.centre_ras, abs=1e-3)


def to_ras(volume: Volume, ijk: np.ndarray) -> np.ndarray:
    return ijk @ volume.grid.ijk_to_ras[:3, :3].T + volume.grid.ijk_to_ras[:3, 3]


def to_index(volume: Volume, ras: np.ndarray) -> np.ndarray:
    return (ras - volume.grid.ijk_to_ras[:3, 3]) @ np.linalg.inv(volume.grid.ijk_to_ras[:3, :3]).T


@pytest.mark.parametrize("degrees", [(12, 0, 0), (0, -20, 8), (25, 10, -30)])
def test_a_turned_header_keeps_the_labels_on_their_voxels(
    degrees: tuple, model: Model, case: Phantom, result: SegmentResult
) -> None:
    rotation = np.eye(4)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        turn, (first, second) = np.eye(4), [n for n in range(3) if n != axis]
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        rotation = turn @ rotation

    found = segment(Volume.from_array(case.volume.array_kji, rotation @ case.volume.grid.ijk_to_ras), model, TORCH)

    np.testing.assert_array_equal(found.labels_kji, result.labels_kji)
    for side in ("right", "left"):
        there = rotation @ [*result.report.side(side).key_slice.position_ras, 1]
        assert found.report.side(side).key_slice.position_ras == pytest.approx(there[:3], abs=1e-3)


def test_an_oblique_scan_of_the_patient_is_segmented(model: Model) -> None:
    phantom = make_phantom(replace(SMALL, oblique_degrees=(10.0, -8.0, 6.0)))

    found = segment(phantom.volume, model, TORCH)

    assert dice(found.labels_kji > 0, phantom.labels_kji > 0) > 0.85
    assert found.report.right.present
    assert found.report.left.present


def test_one_kidney_is_reported_on_its_side_alone(model: Model) -> None:
    phantom = make_phantom(replace(SMALL, kidneys="left", tumor="none", seed=5))

    report = segment(phantom.volume, model, TORCH).report

    assert report.left.present
    assert report.left.kidney_ml > 50
    assert report.right.kidney_ml + report.right.tumor_ml < 5


def test_a_scan_without_a_kidney_is_reported_not_segmented(model: Model) -> None:
    recorder = Recorder()
    empty = Volume.from_array(np.full((30, 96, 96), -1000, np.int16), np.diag([-3.0, -3, 3, 1]))
    empty.array_kji[:, 20:76, 10:86] = 30

    found = segment(empty, model, TORCH, recorder)

    assert not found.labels_kji.any()
    assert not found.report.right.present
    nothing = SideFindings(0, 0, 0, present=False, key_slice=None, crop=None)
    assert found.report.left == nothing
    assert any("No kidney" in warning for warning in recorder.warnings)
    assert found.report.slices.coarse == 30
    jsonschema.validate(json.loads(found.report.to_json()), SCHEMA)


def test_a_result_that_lost_the_kidney_that_was_found_is_told_of(model: Model) -> None:
    bright = small_ct((12, 64, 64))
    bright[bright == 40] = 3000

    found = segment(Volume.from_array(bright, np.diag([-0.8, -0.9, 2.5, 1.0])), model, TORCH)

    assert found.report.right.present
    assert not found.labels_kji.any()
    assert any("nothing of it is left" in warning for warning in found.report.warnings)


def test_a_horseshoe_kidney_has_two_sides(model: Model) -> None:
    phantom = make_phantom(replace(SMALL, kidneys="horseshoe", tumor="none", seed=6))

    report = segment(phantom.volume, model, TORCH).report

    for side in ("right", "left"):
        truth = np.count_nonzero((phantom.side_kji == (1 if side == "right" else 2)) & (phantom.labels_kji > 0))
        found_ml = report.side(side).kidney_ml + report.side(side).tumor_ml
        assert found_ml == pytest.approx(truth * phantom.volume.grid.voxel_ml, rel=0.35)


def test_a_tumor_larger_than_the_crop_makes_it_grow_and_the_report_warns(model: Model) -> None:
    phantom = make_phantom(replace(SMALL, tumor="left", tumor_diameter_mm=150.0, seed=8))
    small_crop = replace(model, card=replace(model.card, crop_size=32))

    grown = segment(phantom.volume, small_crop, TORCH)
    paper = segment(phantom.volume, small_crop, replace(TORCH, crop="paper"))

    crop, fixed = grown.report.left.crop, paper.report.left.crop
    assert crop.grown
    assert not fixed.grown
    size, fixed_size = (np.subtract(c.ijk_max, c.ijk_min)[:2] + 1 for c in (crop, fixed))
    assert (size > fixed_size).any()
    assert list(fixed_size) == [round(32 * model.card.in_plane_spacing_mm / 3.0)] * 2
    assert any("the crop grew" in warning for warning in grown.report.warnings)
    assert any("the coarse result stands" in warning for warning in paper.report.warnings)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((1, 128, 128), (5.0, 3.0, 3.0)),
        ((3, 128, 128), (3.0, 3.0, 3.0)),
        ((30, 90, 200), (6.0, 3.0, 1.9)),
        ((12, 225, 350), (8.0, 1.82, 1.37)),
        ((150, 48, 64), (1.6, 7.0, 6.0)),
    ],
)
def test_unusual_shapes_have_a_result(shape: tuple, spacing: tuple, model: Model) -> None:
    phantom = make_phantom(PhantomOptions(shape_kji=shape, spacing_kji_mm=spacing, seed=9))

    found = segment(phantom.volume, model, TORCH)

    assert found.labels_kji.shape == shape
    jsonschema.validate(json.loads(found.report.to_json()), SCHEMA)
    if min(spacing[1:]) < 5:
        assert dice(found.labels_kji > 0, phantom.labels_kji > 0) > 0.7
        assert found.report.right.present


def test_a_kidney_at_the_images_border_is_cropped_inside_the_image(model: Model) -> None:
    phantom = make_phantom(SMALL)
    cut = phantom.volume.array_kji[:, :, 20:]
    grid = phantom.volume.grid.part((0, 0, 20), cut.shape)

    found = segment(Volume(np.ascontiguousarray(cut), grid), model, TORCH)

    for side in ("right", "left"):
        crop = found.report.side(side).crop
        assert min(crop.ijk_min) >= 0
        assert (np.array(crop.ijk_max) < cut.shape[::-1]).all()
    assert dice(found.labels_kji > 0, phantom.labels_kji[:, :, 20:] > 0) > 0.8


def test_the_sparse_pass_agrees_with_all_slices(case: Phantom, model: Model, result: SegmentResult) -> None:
    everything = segment(case.volume, model, replace(TORCH, all_slices=True))

    crops = [result.report.side(side).crop for side in ("right", "left")]
    both = slice(max(crop.ijk_min[2] for crop in crops), min(crop.ijk_max[2] for crop in crops) + 1)
    assert both.stop - both.start > 10
    np.testing.assert_array_equal(everything.labels_kji[both], result.labels_kji[both])
    assert everything.report.slices == SliceCounts(total=40, coarse=40, refined=80)
    assert result.report.slices.refined < 60


def test_three_slice_input_runs_and_differs(case: Phantom, model: Model, result: SegmentResult) -> None:
    neighbours = replace(model, card=replace(model.card, input_slices=3))

    found = segment(case.volume, neighbours, TORCH)

    assert dice(found.labels_kji > 0, result.labels_kji > 0) > 0.5
    assert (found.labels_kji != result.labels_kji).any()


def test_post_processing_is_applied_and_reported(case: Phantom, model: Model, result: SegmentResult) -> None:
    options = replace(TORCH, largest_component_per_side=True, minimum_volume_ml=2.0)

    found = segment(case.volume, model, options)

    assert np.count_nonzero(found.labels_kji) <= np.count_nonzero(result.labels_kji)
    assert not (found.labels_kji[result.labels_kji == 0]).any()
    assert found.report.options["postprocessing"]["minimum_volume_ml"] == 2.0


def test_openvino_agrees_with_torch(case: Phantom, model: Model, result: SegmentResult) -> None:
    pytest.importorskip("openvino")

    found = segment(case.volume, model, SegmentOptions(engine="openvino"))

    assert found.report.engine == "openvino"
    assert dice(found.labels_kji > 0, result.labels_kji > 0) > 0.995


def test_the_fast_number_format_agrees_with_float32(
    case: Phantom, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    # A processor without bfloat16 takes its time: a third of the scan is enough.
    middle = np.ascontiguousarray(case.volume.array_kji[20:40])
    volume = Volume(middle, case.volume.grid.part((20, 0, 0), middle.shape))
    monkeypatch.setattr("seru.model.engines.torch_engine.fast_dtype", lambda device: torch.float32)
    whole = segment(volume, model, TORCH)
    monkeypatch.setattr("seru.model.engines.torch_engine.fast_dtype", lambda device: torch.bfloat16)
    half = segment(volume, model, TORCH)

    assert whole.report.total["kidney_ml"] > 50
    assert dice(half.labels_kji > 0, whole.labels_kji > 0) > 0.995


@pytest.mark.parametrize("shift", [0, 24])
def test_the_paper_s_way_is_the_straightforward_one(
    shift: int, case: Phantom, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from benchmarks.straightforward import segment_straightforward

    monkeypatch.setattr("seru.model.engines.torch_engine.fast_dtype", lambda device: torch.float32)
    # Moved to the border, one crop no longer lies around its kidney's centre.
    hu = np.ascontiguousarray(case.volume.array_kji[::2, :, shift:])
    volume = Volume.from_array(hu, case.volume.grid.ijk_to_ras @ np.diag([1, 1, 2, 1]))

    expected = segment_straightforward(volume, model, 0.4)
    found = segment(volume, model, SegmentOptions.of_paper(engine="torch"))

    # What is left is the order of float32 additions: the batch normalisation is folded.
    assert np.count_nonzero(found.labels_kji != expected) <= 1e-4 * np.count_nonzero(expected)
    crops = [found.report.side(side).crop for side in ("right", "left")]
    assert crops[0].ijk_min[0] < crops[1].ijk_max[0]
    assert crops[1].ijk_min[0] < crops[0].ijk_max[0], "the crops should overlap"


class ForgetfulEngine(Engine):
    """Has memory for ``most`` slices at once; a real device cannot be made to run out on demand."""

    name = "torch"

    def __init__(self, model: Model, most: int, device: str = "cuda:0") -> None:
        super().__init__(model, device)
        self.most, self.batches = most, []

    def predict(self, stage: str, images: np.ndarray) -> np.ndarray:
        self.batches.append(len(images))
        if len(images) > self.most:
            raise OutOfMemory("out of memory")
        return np.repeat(images[:, :1], 2, axis=1) // 2

    def batch_size(self, shape_rc: tuple[int, int]) -> int:
        return 8

    def release(self, stage: str | None = None) -> None:
        self.batches.append(0)


def test_out_of_memory_halves_the_batch(model: Model) -> None:
    runner = BatchRunner(model, TORCH)
    runner.engine = ForgetfulEngine(model, most=2)
    images = np.random.default_rng(0).integers(0, 256, (11, 1, 32, 32), dtype=np.uint8)

    outputs = list(runner.run("coarse", range(11), images.__getitem__, Progress()))

    assert [index for index, _ in outputs] == list(range(11))
    for index, output in outputs:
        np.testing.assert_array_equal(output[0], images[index, 0] // 2)
    assert runner.engine.batches == [8, 4, 2, 2, 4, 2, 2, 2, 1]


@pytest.mark.parametrize("stage", ["coarse", "refine"])
def test_with_mirror_images_right_and_left_are_treated_alike(stage: str, case: Phantom, model: Model) -> None:
    hu = case.volume.array_kji[25:33]
    image = np.clip((hu[:, np.newaxis] + 79) * (255 / 383), 0, 255).astype(np.uint8)
    flipped = np.ascontiguousarray(image[..., ::-1])

    def outputs(images: np.ndarray, mirror: bool) -> np.ndarray:
        runner = BatchRunner(model, replace(TORCH, mirror=mirror))
        return np.stack([output for _, output in runner.run(stage, range(8), images.__getitem__, Progress())])

    plain, plain_flipped = outputs(image, False), outputs(flipped, False)[..., ::-1]
    mean = outputs(image, True)

    assert plain.max() > 200
    assert np.abs(plain.astype(int) - plain_flipped).max() > 20  # the network alone does not
    np.testing.assert_array_equal(mean, outputs(flipped, True)[..., ::-1])
    np.testing.assert_array_equal(mean, (plain.astype(int) + plain_flipped) // 2)
    assert mean.sum(axis=1, dtype=int).max() <= 255


def test_mirror_images_are_run_and_reported(case: Phantom, model: Model, result: SegmentResult) -> None:
    mirrored = segment(case.volume, model, replace(TORCH, mirror=True))

    jsonschema.validate(json.loads(mirrored.report.to_json()), SCHEMA)
    assert (result.report.options["mirror"], mirrored.report.options["mirror"]) == (False, True)
    assert np.any(mirrored.labels_kji != result.labels_kji)
    assert dice(mirrored.labels_kji > 0, case.labels_kji > 0) > 0.85


def test_a_device_without_memory_for_one_slice_hands_over_to_the_cpu(model: Model) -> None:
    runner, recorder = BatchRunner(model, TORCH), Recorder()
    runner.engine = ForgetfulEngine(model, most=0)
    images = np.zeros((3, 1, 32, 32), np.uint8)

    outputs = list(runner.run("coarse", range(3), images.__getitem__, recorder))

    assert len(outputs) == 3
    assert runner.engine.device == "cpu"
    assert runner.has_fallen_back
    assert recorder.warnings == ["The device cuda:0 has too little free memory; the CPU goes on, more slowly."]


def test_the_volume_after_one_that_was_too_large_has_the_device_again(case: Phantom, model: Model) -> None:
    segmenter, recorder = Segmenter(model, TORCH), Recorder()
    forgetful = ForgetfulEngine(model, most=0)
    segmenter._runner = BatchRunner(model, TORCH)
    segmenter._runner.engine = forgetful

    first = segmenter.segment(case.volume, recorder)
    after_first = segmenter._runner
    segmenter.segment(case.volume, recorder)

    assert forgetful.batches[-1] == 0
    assert first.report.device == "cpu"
    assert after_first.has_fallen_back
    assert not segmenter._runner.has_fallen_back
    assert sum("too little free memory" in warning for warning in recorder.warnings) == 1


def test_a_cpu_without_memory_gives_up_in_one_sentence(model: Model) -> None:
    runner = BatchRunner(model, TORCH)
    runner.engine = ForgetfulEngine(model, most=0, device="cpu")

    with pytest.raises(DeviceError, match="too little memory"):
        list(runner.run("coarse", range(3), np.zeros((3, 1, 32, 32), np.uint8).__getitem__, Progress()))


@pytest.mark.parametrize("stage", RUN_STAGES[1:-2])  # the fusion is the last step: then nothing is left to cancel
def test_a_run_can_be_cancelled_in_every_stage(stage: str, case: Phantom, model: Model) -> None:
    class Cancelling(Progress):
        def stage(self, name: str, done: int, total: int) -> None:
            if name == stage:
                self.cancel()

    with pytest.raises(CancelledError, match="no output was written"):
        segment(case.volume, model, TORCH, Cancelling())


def test_what_the_sparse_pass_saw_outside_its_range_is_no_result(result: SegmentResult) -> None:
    coarse = LiveFusion(result.maps).labels_kji(1.0) > 0

    shown = np.pad(coarse.any(axis=(1, 2)), 1)

    alone = shown[1:-1] & ~shown[:-2] & ~shown[2:]
    assert shown.any()
    assert not alone.any(), "single slices are left over from the sparse pass"


def test_openvino_fills_up_the_last_batch_and_keeps_its_compiled_network(model: Model) -> None:
    pytest.importorskip("openvino")
    from seru.model.engines.openvino_engine import OpenVinoEngine

    engine = OpenVinoEngine(model)
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 64, 64), dtype=np.uint8)

    whole = engine.predict("coarse", images)
    compiled = dict(engine._compiled)
    part = engine.predict("coarse", images[:3])

    assert engine._compiled == compiled
    assert part.shape == (3, 2, 64, 64)
    np.testing.assert_array_equal(part, whole[:3])


def test_openvino_converts_again_for_another_card(case: Phantom, model: Model) -> None:
    pytest.importorskip("openvino")
    from seru.model.engines.openvino_engine import OpenVinoEngine
    from seru.model.engines.torch_engine import TorchEngine

    images = case.volume.array_kji[30:31, np.newaxis].clip(0, 255).astype(np.uint8)
    other = replace(model, card=replace(model.card, mean=(0.1, 0.1, 0.1)))

    for each in (model, other):
        expected = TorchEngine(each, "cpu").predict("coarse", images).astype(int)
        assert np.abs(OpenVinoEngine(each).predict("coarse", images) - expected).mean() < 1.0
