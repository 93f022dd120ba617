"""The cascade's rules on a few pixels, with answers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seru.cascade.batches import BatchRunner
from seru.cascade.coarse import Coarse, run_coarse
from seru.cascade.crops import (
    CropRegion,
    SideCrop,
    crop_origin,
    find_crops,
    grow_region,
    paper_region,
    paste_crop,
    take_crop,
)
from seru.cascade.key_slices import KeyContour, find_key_slices
from seru.cascade.preprocessing import Prepared, neighbours, network_channels, normalise
from seru.cascade.refine import Refined, RefinedCrop, outward
from seru.cascade.sparse_pass import find_range, first_slices
from seru.cascade.stage_grid import coarse_shape, refine_zoom, resize_probabilities
from seru.cascade.stage_maps import make_maps
from seru.errors import BadInputError
from seru.findings import LEFT, RIGHT, Thresholds
from seru.hounsfield import window_to_uint8
from seru.model.card import ModelCard
from seru.model.engines import Engine
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.orientation import AxialStack
from seru.progress import Progress
from seru.result.cleanup import clean_labels
from seru.result.components import bounding_box, largest_component, remove_small
from seru.result.diameters import longest_diameter_mm
from seru.result.fusion import fuse_probabilities, is_foreground
from seru.result.measurements import count_voxels
from seru.result.sides import assign_sides, find_midline
from seru.volume import Volume

CARD = ModelCard("hand", "By hand", "Apache-2.0", "nothing", crop_size=32)
STACK_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def prepared(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Prepared:
    """A scan whose slices are their own number."""
    return Prepared(lambda index: np.full((1, *shape[1:]), index, np.uint8), shape, spacing_mm, (shape[2] - 1) / 2)


# Windows, channels, sizes


def test_the_window_s_bounds_are_0_and_255_and_between_them_is_rounded() -> None:
    hu = np.array([-1000, -79, -78.3, -78.2, 304, 2000], np.float32)

    np.testing.assert_array_equal(window_to_uint8(hu, (-79, 304)), [0, 0, 0, 1, 255, 255])


def test_normalising_takes_each_channel_s_own_mean_and_deviation() -> None:
    card = replace(CARD, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    image = np.array([0, 255], np.uint8).reshape(1, 1, 1, 2).repeat(3, axis=1)

    np.testing.assert_allclose(normalise(image, card)[0, :, 0], [[0, 1], [-1, 1], [-4, 0]])


def test_at_the_stack_s_ends_the_slice_stands_for_its_missing_neighbour() -> None:
    stack = np.arange(3, dtype=np.uint8).reshape(3, 1, 1)

    assert [neighbours(index, 3) for index in range(3)] == [(0, 0, 1), (0, 1, 2), (1, 2, 2)]
    assert network_channels(stack, 0, 3).ravel().tolist() == [0, 0, 1]
    assert network_channels(stack, 1, 1).ravel().tolist() == [1, 1, 1]


def test_the_coarse_stage_s_size_is_that_of_the_longer_side() -> None:
    card = replace(CARD, coarse_size=64)

    assert coarse_shape((256, 512), (1, 1), card) == (32, 64)
    assert coarse_shape((512, 256), (1, 1), card) == (64, 32)
    assert coarse_shape((512, 256), (1, 1), CARD) == (512, 256)


def test_a_fixed_pixel_size_comes_before_the_coarse_size() -> None:
    card = replace(CARD, in_plane_spacing_mm=2.0)

    assert refine_zoom((1.0, 4.0), card) == (0.5, 2.0)
    assert coarse_shape((100, 100), (1.0, 4.0), card) == (50, 200)
    assert coarse_shape((100, 100), (1.0, 4.0), replace(card, coarse_size=100)) == (25, 100)


def test_resized_probabilities_never_sum_to_more_than_255() -> None:
    # Half a pixel of each: both round up to 128.
    half = np.array([[[0, 255]], [[255, 0]]], np.uint8)

    resized = resize_probabilities(half, (1, 4))

    assert resized[:, 0].tolist() == [[0, 64, 191, 255], [255, 191, 64, 0]]
    assert resize_probabilities(np.array([[[255, 0]], [[0, 255]]], np.uint8), (1, 3)).sum(axis=0).max() <= 255
    assert resize_probabilities(half, (1, 2)) is half


# Classes


def test_foreground_needs_a_class_that_beats_the_background() -> None:
    pairs = np.array([[85, 85], [86, 84], [127, 0], [128, 0], [0, 128], [64, 128]], np.uint8)

    found = is_foreground(pairs.T.reshape(2, 1, -1))

    assert found.ravel().tolist() == [False, True, False, True, True, True]


def test_the_fusion_weighs_coarse_with_alpha_and_takes_the_lower_of_equal_classes() -> None:
    coarse = np.array([[255, 0], [0, 255], [100, 100], [0, 0]], np.uint8)
    refined = np.array([[0, 0], [255, 0], [100, 100], [0, 255]], np.uint8)

    assert fuse_probabilities(coarse, refined, 0.6).tolist() == [1, 2, 1, 0]
    assert fuse_probabilities(coarse, refined, 0.4).tolist() == [0, 1, 1, 2]
    assert fuse_probabilities(coarse, refined, 0.5).tolist() == [0, 1, 1, 0]


# Crops


@pytest.mark.parametrize(
    ("centre", "size", "limit", "origin"),
    [(5, 4, 12, 4), (5.4, 4, 12, 4), (5.6, 4, 12, 4), (5.5, 3, 12, 4), (0, 4, 12, 0), (11, 4, 12, 8), (3, 4, 4, 0)],
)
def test_a_crop_starts_half_its_size_before_its_centre(centre: float, size: int, limit: int, origin: int) -> None:
    assert crop_origin((centre, centre), (size, size), (limit, limit)) == (origin, origin)


@pytest.mark.parametrize(("limit", "origin"), [(5, 0), (4, 0), (3, -1), (2, -1), (1, -2)])
def test_an_image_smaller_than_the_crop_lies_in_its_middle(limit: int, origin: int) -> None:
    assert crop_origin((0, 0), (5, 5), (limit, limit)) == (origin, origin)


def test_what_a_crop_holds_outside_the_image_is_filled() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)

    assert take_crop(image, (-1, 0), (3, 2), fill=9).tolist() == [[9, 9], [1, 2], [3, 4]]
    assert take_crop(image, (0, -1), (2, 3)).tolist() == [[0, 1, 2], [0, 3, 4]]
    assert take_crop(image, (1, 1), (2, 2)).tolist() == [[4, 0], [0, 0]]
    assert take_crop(image, (0, 1), (2, 1)).tolist() == [[2], [4]]


def test_a_crop_that_reaches_over_the_border_is_pasted_where_the_image_is() -> None:
    target = np.zeros((2, 2, 2), np.uint8)
    crop = np.arange(1, 17, dtype=np.uint8).reshape(1, 4, 4).repeat(2, axis=0)

    paste_crop(target, crop, CropRegion((-1, -1), (4, 4), (4, 4)))

    assert target[0].tolist() == [[6, 7], [10, 11]]


def test_where_two_crops_overlap_their_average_stands_rounded_down() -> None:
    target = np.zeros((2, 1, 5), np.uint8)
    first, second = CropRegion((0, 0), (1, 3), (1, 3)), CropRegion((0, 2), (1, 3), (1, 3))

    paste_crop(target, np.full((2, 1, 3), 101, np.uint8), first)
    paste_crop(target, np.full((2, 1, 3), 20, np.uint8), second, overlap=first)

    assert target[0, 0].tolist() == [101, 101, 60, 20, 20]


def test_a_large_overlap_does_not_run_over_8_bits() -> None:
    target = np.full((2, 1, 1), 200, np.uint8)
    region = CropRegion((0, 0), (1, 1), (1, 1))

    paste_crop(target, np.full((2, 1, 1), 250, np.uint8), region, overlap=region)

    assert target.ravel().tolist() == [225, 225]


def test_the_paper_s_region_is_the_crop_in_the_image_s_own_pixels() -> None:
    region = paper_region((50, 50), 32, (0.5, 2.0), (100, 100))

    assert (region.size_rc, region.network_rc, region.grown) == ((64, 16), (32, 32), False)
    assert region.origin_rc == (18, 42)


def test_a_region_grows_to_the_next_multiple_of_32_with_16_pixels_around_the_mask() -> None:
    mask = np.zeros((1, 200, 200), bool)
    mask[0, 60:92, 60:93] = True  # 32 rows fit the crop, 33 columns do not
    region = CropRegion((60, 60), (32, 32), (32, 32))

    grown = grow_region(region, bounding_box(mask)[1:], (1, 1), mask.shape[1:])

    # Columns: 33 + 2 * 16 = 65 pixels need 96; the middle of 60..92 is 76.
    assert (grown.origin_rc, grown.size_rc, grown.network_rc) == ((60, 28), (32, 96), (32, 96))
    assert grown.grown
    assert grow_region(region, bounding_box(mask[:, :, :92])[1:], (1, 1), mask[:, :, :92].shape[1:]) == region


def test_a_region_of_the_right_size_in_the_wrong_place_only_moves() -> None:
    mask = np.zeros((1, 100, 100), bool)
    mask[0, 40:60, 40:44] = True

    grown = grow_region(CropRegion((35, 30), (64, 12), (64, 64)), bounding_box(mask)[1:], (1, 1), mask.shape[1:])

    assert (grown.origin_rc[0], grown.size_rc[0]) == (35, 64)
    assert (grown.network_rc, grown.grown) == ((64, 64), True)


def two_kidneys(shape: tuple[int, int, int] = (40, 64, 128)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[15:25, 20:40, 20:40] = True
    mask[12:20, 24:40, 80:100] = True
    return mask


def test_crops_lie_around_the_key_slices_and_reach_10_mm_beyond_the_mask() -> None:
    crops = find_crops(two_kidneys(), prepared((40, 64, 128), (2.0, 1.0, 1.0)), CARD, SegmentOptions())

    right, left = crops.by_side["right"], crops.by_side["left"]
    assert (right.key.index, right.key.centre_rc, right.key.area_px) == (15, (29.5, 29.5), 19 * 19)
    assert (right.slices, left.slices) == (range(10, 30), range(7, 25))
    assert right.region == CropRegion((14, 14), (32, 32), (32, 32))
    assert left.region.origin_rc == (16, 74)
    assert crops.warnings == ()
    assert list(crops) == [right, left]


def test_slices_of_a_crop_end_at_the_stack_and_are_all_where_all_are_asked_for() -> None:
    mask = np.zeros((12, 64, 128), bool)
    mask[1:11, 20:40, 20:40] = True
    scan = prepared((12, 64, 128))

    assert find_crops(mask, scan, CARD, SegmentOptions()).by_side["right"].slices == range(12)
    few = find_crops(mask[:4], prepared((40, 64, 128), (5.0, 1.0, 1.0)), CARD, SegmentOptions(), first_slice=20)
    assert few.by_side["right"].slices == range(19, 26)
    assert few.by_side["right"].key.index == 21
    whole = find_crops(mask, scan, CARD, SegmentOptions(all_slices=True))
    assert whole.by_side["right"].slices == range(12)
    assert "No kidney was found" in find_crops(mask & False, scan, CARD, SegmentOptions()).warnings[0]


def test_a_crop_grows_for_a_twentieth_of_its_side_and_for_less_it_does_not() -> None:
    mask = np.zeros((10, 64, 128), bool)
    mask[:, 20:40, 20:40] = True  # 4000 voxels
    mask[0:10, 20:42, 55] = True  # 220 voxels apart from them, outside the crop, in the same half

    grown = find_crops(mask, prepared((10, 64, 128), (5.0, 1.0, 1.0)), CARD, SegmentOptions())
    mask[0:10, 40:42, 55] = False  # 200 of 4200 are less than a twentieth
    kept = find_crops(mask, prepared((10, 64, 128), (5.0, 1.0, 1.0)), CARD, SegmentOptions())

    assert grown.by_side["right"].region.grown
    assert grown.warnings == ("The right kidney leaves its 32x32 crop; the crop grew to 32x96.",)
    assert not kept.by_side["right"].region.grown


def test_an_island_of_less_than_1_ml_is_no_kidney_unless_the_stack_is_thin() -> None:
    mask = np.zeros((20, 64, 128), bool)
    mask[5, 20:50, 20:53] = True  # 990 voxels of 1 mm3
    thick, thin = prepared((20, 64, 128)), prepared((4, 64, 128))

    assert find_crops(mask, thick, CARD, SegmentOptions()).by_side["right"] is None
    mask[5, 20:30, 53] = True
    assert find_crops(mask, thick, CARD, SegmentOptions()).by_side["right"] is not None
    # 4 slices of 1 mm and 200 mm2 each are 0.8 ml.
    part = mask[4:8, :, :].copy()
    part[:, 46:, :] = False
    part[:, :, 50:] = False
    assert part.sum() == 26 * 30
    assert find_crops(part, thin, CARD, SegmentOptions()).by_side["right"] is None
    part[1, 46, 20:40] = True
    assert find_crops(part, thin, CARD, SegmentOptions()).by_side["right"] is not None


def test_key_slice_and_crop_are_those_of_a_kidney_that_is_believed() -> None:
    mask = two_kidneys()
    mask[28:36, 20:60, 5:55] = True  # larger than the right kidney, and doubtful
    probability = np.where(mask, 240, 0).astype(np.uint8)
    probability[28:36] = np.where(mask[28:36], 160, 0)
    scan = prepared((40, 64, 128), (2.0, 1.0, 1.0))
    card = replace(CARD, thresholds=Thresholds(kidney_coarse=0.6))

    def right_key(card: ModelCard, options: SegmentOptions) -> int:
        return find_crops(mask, scan, card, options, probability=probability).by_side["right"].key.index

    assert right_key(card, SegmentOptions()) == 15
    assert right_key(card, SegmentOptions(min_confidence=0.0)) == 28
    assert right_key(CARD, SegmentOptions()) == 28
    assert right_key(CARD, SegmentOptions(min_confidence=0.6)) == 15
    believed = find_crops(mask, scan, card, SegmentOptions(), probability=probability)
    assert believed.by_side["right"].slices == range(10, 30)


def test_a_key_slice_is_of_a_component_that_holds_a_quarter_of_its_sides_largest() -> None:
    mask = two_kidneys()
    mask[2:5, 20:40, 10:43] = True  # as sure as the right kidney and with a larger contour: 1980 of 4000 voxels
    sure = np.where(mask, 250, 0).astype(np.uint8)
    scan = prepared((40, 64, 128), (2.0, 1.0, 1.0))

    def key_of(last_slice: int, confidence: float) -> int:
        part = mask.copy()
        part[last_slice + 1 : 5] = False
        options = SegmentOptions(min_confidence=confidence)
        return find_crops(part, scan, CARD, options, probability=sure).by_side["right"].key.index

    assert (key_of(3, 0.8), key_of(2, 0.8)) == (2, 15)
    assert key_of(2, 0.0) == 2


def test_where_nothing_is_believed_there_is_no_crop_and_a_warning_says_so() -> None:
    mask = two_kidneys()
    doubtful = np.where(mask, 140, 0).astype(np.uint8)

    crops = find_crops(mask, prepared(mask.shape), CARD, SegmentOptions(min_confidence=0.9), probability=doubtful)

    assert not any(crops.by_side.values())
    assert crops.warnings == ("Nothing was sure enough of a kidney for the refine stage: the coarse result stands.",)


def test_of_equal_contours_the_lowest_slice_is_the_key_slice() -> None:
    sides = np.zeros((3, 8, 8), np.uint8)
    sides[1:, 2:5, 2:6] = LEFT

    assert find_key_slices(sides) == {"right": None, "left": KeyContour(1, (3.0, 3.5), 6.0)}


# Sides


@pytest.mark.parametrize(("right_columns", "is_split"), [(9, False), (10, True), (11, True)])
def test_a_tenth_beyond_the_midline_makes_two_kidneys_where_there_is_a_waist(
    right_columns: int, is_split: bool
) -> None:
    # A strip of 100 columns with a waist of 1 row at the midline, column 50.
    mask = np.zeros((10, 20, 200), bool)
    start = 50 - right_columns
    mask[:, :, start : start + 100] = True
    mask[:, 1:, 50:53] = False

    sides = assign_sides(mask, 50, 1.0)

    shown = set(np.unique(sides[mask]).tolist())
    assert shown == ({RIGHT, LEFT} if is_split else {LEFT})


@pytest.mark.parametrize(("rows_at_waist", "is_split"), [(9, True), (10, False), (11, False)])
def test_a_waist_is_thinner_than_half_of_the_thinner_side(rows_at_waist: int, is_split: bool) -> None:
    mask = np.zeros((1, 30, 40), bool)
    mask[:, :30, :19] = True
    mask[:, :20, 21:] = True
    mask[:, :rows_at_waist, 19:21] = True

    sides = assign_sides(mask, 20, 10.0)

    assert (set(np.unique(sides[mask]).tolist()) == {RIGHT, LEFT}) == is_split


def test_a_component_of_one_side_belongs_where_its_centre_lies() -> None:
    mask = np.zeros((1, 1, 10), bool)
    mask[0, 0, 4:7] = True

    assert np.unique(assign_sides(mask, 5.5, 0.001)[mask]).tolist() == [RIGHT]
    assert np.unique(assign_sides(mask, 5.0, 0.001)[mask]).tolist() == [LEFT]
    assert np.unique(assign_sides(mask, 4.5, 0.001)[mask]).tolist() == [LEFT]


def test_a_slice_with_little_body_does_not_move_the_midline() -> None:
    hu = np.full((5, 100, 100), -1000, np.int16)
    hu[:2, 20:80, 20:61] = 0
    hu[2:, 40:60, 70:92] = 0  # 4.4 % of the slice

    assert find_midline(hu) == 40


# The sparse pass


@pytest.mark.parametrize(
    ("slices", "step", "expected"),
    [(1, 9, [0]), (10, 9, [0, 9]), (12, 9, [1, 10]), (20, 9, [0, 9, 18]), (18, 9, [4, 13])],
)
def test_the_first_looks_leave_the_same_at_both_ends(slices: int, step: int, expected: list[int]) -> None:
    assert first_slices(slices, step) == expected


def looked_at(areas: np.ndarray, slice_mm: float) -> tuple[range, list[int]]:
    seen: list[int] = []

    def look(indices: list[int]) -> np.ndarray:
        seen.extend(indices)
        return areas[list(indices)]

    return find_range(look, len(areas), slice_mm), seen


def test_the_range_ends_15_mm_beyond_the_last_hit_of_30_mm2() -> None:
    areas = np.zeros(100)
    areas[40:50] = 600
    areas[50], areas[39] = 30, 29.9

    found, _ = looked_at(areas, 5.0)

    assert found == range(40 - 3, 50 + 3 + 1)


def test_a_kidney_shows_500_mm2_on_two_neighbouring_looks() -> None:
    areas = np.zeros(120)
    areas[30:40] = 500  # two looks, 18 mm apart
    areas[86] = 5000  # a lone look

    found, seen = looked_at(areas, 3.0)

    assert 86 in seen
    assert found == range(25, 45)
    areas[30:40] = 499
    assert looked_at(areas, 3.0)[0] == range(25, 92)


class Numbered(Engine):
    """Sees kidney with the slice's own number as its probability."""

    name = "torch"

    def predict(self, stage: str, images: np.ndarray) -> np.ndarray:
        return np.concatenate([images[:, :1], np.zeros_like(images[:, :1])], axis=1)

    def batch_size(self, shape_rc: tuple[int, int]) -> int:
        return 3

    def release(self) -> None:
        pass


@pytest.fixture
def runner(tmp_path_factory: pytest.TempPathFactory) -> BatchRunner:
    model = Model(CARD, tmp_path_factory.getbasetemp())
    runner = BatchRunner(model, SegmentOptions(engine="torch", device="cpu"))
    runner.engine = Numbered(model, "cpu")
    return runner


def test_what_lies_outside_the_range_is_no_result(runner: BatchRunner) -> None:
    # Slices of 40 x 40 mm: 1600 mm2 where the number is above half of 255.
    shape = (200, 40, 40)
    shown = {*range(60, 80), 150}
    scan = Prepared(
        lambda index: np.full((1, *shape[1:]), 200 if index in shown else 0, np.uint8), shape, (3.0, 1.0, 1.0), 20
    )

    coarse = run_coarse(scan, runner, SegmentOptions(), Progress())
    everything = run_coarse(scan, runner, SegmentOptions(all_slices=True), Progress())

    assert coarse.slices == range(55, 85)
    assert np.flatnonzero(coarse.probabilities.any(axis=(1, 2, 3))).tolist() == list(range(60, 80))
    assert coarse.mask().shape == (30, 40, 40)
    assert coarse.mask().any(axis=(1, 2)).sum() == 20
    assert coarse.warnings == (
        "What looks like kidney far from the kidneys was left out (1 of the slices looked at); "
        "run every slice to see it.",
    )
    assert (everything.slices, everything.passes, everything.warnings) == (range(200), 200, ())
    assert everything.probabilities[150].any()


def test_the_range_follows_what_is_believed(runner: BatchRunner) -> None:
    shape = (200, 40, 40)
    numbers = {**dict.fromkeys(range(60, 80), 200), **dict.fromkeys(range(150, 170), 140)}
    scan = Prepared(lambda index: np.full((1, *shape[1:]), numbers.get(index, 0), np.uint8), shape, (3.0, 1.0, 1.0), 20)

    believed = run_coarse(scan, runner, SegmentOptions(min_confidence=0.3), Progress())
    everything = run_coarse(scan, runner, SegmentOptions(), Progress())

    assert believed.slices == range(55, 85)
    assert believed.warnings == (
        "What looks like kidney far from the kidneys was left out (4 of the slices looked at); "
        "run every slice to see it.",
    )
    assert everything.slices == range(55, 175)


def test_crops_are_averaged_only_on_slices_that_both_ran_on(runner: BatchRunner) -> None:
    scan = prepared((4, 4, 8))
    coarse = Coarse(np.full((4, 2, 4, 8), 7, np.uint8), range(4), 4)
    key = KeyContour(1, (1, 1), 1)
    right = SideCrop(key, CropRegion((0, 0), (4, 5), (4, 5)), range(1, 3))
    left = SideCrop(key, CropRegion((0, 4), (4, 4), (4, 4)), range(2, 4))

    refined = Refined({"right": RefinedCrop.empty(right), "left": RefinedCrop.empty(left)})
    for side in refined.by_side.values():
        assert side is not None
        list(side.run(scan, runner, Progress()))

    kidney = refined.over(coarse.probabilities, range(4))[:, 0, 0]
    assert kidney[0].tolist() == [7] * 8
    assert kidney[1].tolist() == [1] * 5 + [7] * 3
    assert kidney[2].tolist() == [2] * 8
    assert kidney[3].tolist() == [7] * 4 + [3] * 4
    assert [refined.slice_over(coarse.probabilities, n)[0, 0].tolist() for n in range(4)] == kidney.tolist()
    assert refined.passes == 4
    assert refined.slices_over(range(2, 3)) == range(1, 4)
    assert not refined.over(coarse.probabilities, range(1, 4))[0].any()
    assert coarse.probabilities.max() == 7


@pytest.mark.parametrize(
    ("slices", "key", "expected"),
    [
        (range(3, 10), 5, [[5, 6], [3, 4], [7, 8], [9]]),
        (range(3, 10), 4, [[4, 5], [3], [6, 7], [8, 9]]),
        (range(3, 6), 9, [[5], [3, 4]]),
        (range(3, 6), 0, [[3, 4], [5]]),
        (range(7, 8), 7, [[7]]),
    ],
)
def test_a_side_is_refined_outward_from_its_key_slice(slices: range, key: int, expected: list[list[int]]) -> None:
    assert [list(block) for block in outward(slices, key)] == expected


# Maps


def test_maps_keep_what_a_quarter_of_the_probability_can_decide() -> None:
    stack = AxialStack.of(Volume.from_array(np.zeros((1, 1, 6), np.float32), STACK_TO_RAS))
    coarse, refined = np.zeros((1, 2, 1, 6), np.uint8), np.zeros((1, 2, 1, 6), np.uint8)
    coarse[0, :, 0] = [[0, 63, 64, 0, 255, 0], [0, 0, 0, 0, 0, 0]]
    refined[0, :, 0] = [[0, 0, 0, 32, 0, 0], [0, 0, 0, 32, 0, 0]]

    stack.hu[0, 0] = [-900.4, 1.0, 20.6, 300.0, 40000.0, 7.0]

    maps = make_maps(stack, 3.0, coarse, refined, range(1), 0.4, Thresholds(0.1, 0.2, 0.3))

    assert maps.lower_kji == (0, 0, 2)
    assert maps.mask.ravel().tolist() == [True, True, True]
    assert maps.coarse.tolist() == [[64, 0], [0, 0], [255, 0]]
    assert maps.refined.tolist() == [[0, 0], [32, 32], [0, 0]]
    assert maps.sides.tolist() == [RIGHT, LEFT, LEFT]
    assert maps.hu.tolist() == [21, 300, 32767]
    assert maps.thresholds == Thresholds(0.1, 0.2, 0.3)
    assert maps.whole(maps.mask).ravel().tolist() == [False, False, True, True, True, False]


def test_maps_of_some_slices_lie_where_these_do() -> None:
    hu = np.arange(30, dtype=np.int16).reshape(5, 1, 6)
    stack = AxialStack.of(Volume.from_array(hu, STACK_TO_RAS))
    coarse = np.zeros((5, 2, 1, 6), np.uint8)
    coarse[3, 0, 0, 2], coarse[2, 0, 0, 4] = 200, 100

    maps = make_maps(stack, 3.0, coarse, coarse, range(1, 5), 0.4, Thresholds())
    empty = make_maps(stack, 3.0, coarse, coarse, range(4, 5), 0.4, Thresholds())

    assert maps.whole(maps.mask).nonzero()[0].tolist() == [2, 3]
    assert maps.coarse.tolist() == [[100, 0], [200, 0]]
    assert maps.hu.tolist() == [hu[2, 0, 4], hu[3, 0, 2]]
    assert (empty.lower_kji, empty.mask.shape) == ((0, 0, 0), (0, 0, 0))


# Components, clean-up, measures


def test_voxels_that_share_a_corner_are_one_component() -> None:
    mask = np.zeros((2, 3, 3), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    mask[0, 2, 2] = False

    assert remove_small(mask, 1.0, 2.0).sum() == 2
    assert remove_small(mask, 1.0, 2.1).sum() == 0
    assert remove_small(mask, 0.1, 0.2).sum() == 2
    mask[0, 0, 2] = mask[1, 2, 0] = False
    assert largest_component(mask).sum() == 2


def test_clean_up_takes_lone_tumors_then_small_components_then_all_but_the_largest_of_a_side() -> None:
    labels = np.array([[[1, 2, 0, 2, 0, 1, 0, 0, 1, 1, 1, 0, 1]]], np.uint8)
    sides = np.array([[[1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]]], np.uint8)

    def cleaned(**options: object) -> list[int]:
        return clean_labels(labels, sides, 1.0, SegmentOptions(**options)).ravel().tolist()

    assert cleaned(tumor_touches_kidney=True) == [1, 2, 0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1]
    assert cleaned(minimum_volume_ml=2.0) == [1, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert cleaned(largest_component_per_side=True) == [1, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert labels.ravel().tolist() == [1, 2, 0, 2, 0, 1, 0, 0, 1, 1, 1, 0, 1]


def test_voxels_are_counted_by_side_and_label() -> None:
    sides, labels = np.array([0, 1, 1, 2, 2, 2], np.uint8), np.array([0, 1, 2, 2, 2, 0], np.uint8)

    assert count_voxels(labels, sides).tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 2]]


def test_the_longest_diameter_goes_from_centre_to_centre() -> None:
    assert longest_diameter_mm(np.ones((3, 1, 1), bool), (3.0, 2.0, 1.0)) == 6.0
    assert longest_diameter_mm(np.ones((1, 1, 3), bool), (3.0, 2.0, 1.0)) == 2.0


@pytest.mark.parametrize(
    ("spacing_mm", "shape", "reason"),
    [((0.01, 0.01), (512, 512), "pixels of a slice are"), ((40.0, 1.0), (9, 9), "pixels of a slice are"),
     ((9.0, 9.0), (512, 512), "more than 4096 a side")],
)  # fmt: skip
def test_pixels_of_another_world_than_the_models_are_refused(
    spacing_mm: tuple[float, float], shape: tuple[int, int], reason: str
) -> None:
    card = replace(CARD, in_plane_spacing_mm=0.78, coarse_size=256)

    with pytest.raises(BadInputError, match=reason):
        coarse_shape(shape, spacing_mm, card)
    assert coarse_shape((512, 512), (0.78, 0.78), card) == (256, 256)
