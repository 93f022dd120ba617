"""Sides, key slices, crops and the sparse pass on shapes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seru.cascade.crops import crop_origin, grow_region, paper_region, take_crop
from seru.cascade.key_slices import find_key_slices, largest_contour
from seru.cascade.sparse_pass import HIT_MM2, KIDNEY_MM2, STEP_MM, find_range, first_slices
from seru.findings import LEFT, RIGHT, SIDES
from seru.result.components import bounding_box, remove_small
from seru.result.sides import assign_sides, find_midline

SHAPE = (20, 96, 128)
MIDLINE = 63.5


def ball(centre: tuple[float, ...], radii: tuple[float, ...], shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    return sum(((x - c) / r) ** 2 for x, c, r in zip(axes, centre, radii, strict=True)) <= 1


def side_counts(sides: np.ndarray) -> tuple[int, int]:
    return int((sides == RIGHT).sum()), int((sides == LEFT).sum())


RIGHT_KIDNEY = ball((8, 50, 35), (7, 12, 15))
LEFT_KIDNEY = ball((11, 50, 92), (7, 14, 15))


def test_two_kidneys_get_their_sides() -> None:
    sides = assign_sides(RIGHT_KIDNEY | LEFT_KIDNEY, MIDLINE, 0.01)

    np.testing.assert_array_equal(sides == RIGHT, RIGHT_KIDNEY)
    np.testing.assert_array_equal(sides == LEFT, LEFT_KIDNEY)


def test_a_horseshoe_kidney_is_divided_at_its_waist() -> None:
    isthmus = np.zeros(SHAPE, bool)
    isthmus[6:12, 46:52, 35:92] = True

    sides = assign_sides(RIGHT_KIDNEY | LEFT_KIDNEY | isthmus, MIDLINE, 0.01)

    right, left = side_counts(sides)
    assert right + left == (RIGHT_KIDNEY | LEFT_KIDNEY | isthmus).sum()
    assert (sides[RIGHT_KIDNEY] == RIGHT).all()
    assert (sides[LEFT_KIDNEY] == LEFT).all()


def test_a_large_tumor_across_the_midline_stays_on_its_side() -> None:
    tumor = ball((10, 48, 75), (9, 40, 40))

    sides = assign_sides(tumor, MIDLINE, 0.01)

    assert side_counts(sides) == (0, int(tumor.sum()))


def test_a_pelvic_kidney_near_the_midline_stays_whole() -> None:
    pelvic = ball((4, 60, 58), (4, 10, 14))

    sides = assign_sides(pelvic | LEFT_KIDNEY, MIDLINE, 0.01)

    assert (sides[pelvic] == RIGHT).all()
    assert (sides[LEFT_KIDNEY & ~pelvic] == LEFT).all()


def test_an_empty_mask_has_no_sides() -> None:
    sides = assign_sides(np.zeros(SHAPE, bool), MIDLINE, 0.01)

    assert side_counts(sides) == (0, 0)
    assert find_key_slices(sides) == {"right": None, "left": None}


def test_one_kidney_gives_one_key_slice() -> None:
    found = find_key_slices(assign_sides(LEFT_KIDNEY, MIDLINE, 0.01))

    assert found["right"] is None
    assert found["left"].index == 11
    assert found["left"].centre_rc == pytest.approx((50, 92), abs=0.01)


def test_the_key_slice_is_that_of_the_largest_contour_not_of_the_most_pixels() -> None:
    sides = np.zeros((3, 60, 60), np.uint8)
    sides[0, 5:25, 5:25] = RIGHT  # 400 pixels in one contour
    sides[2, 2:18, 2:18] = RIGHT  # 512 pixels in two contours
    sides[2, 30:46, 30:46] = RIGHT

    found = find_key_slices(sides)["right"]

    assert (found.index, found.area_px) == (0, 19 * 19)
    assert found.centre_rc == (14.5, 14.5)


def test_of_equal_contours_the_lowest_slice_is_the_key_slice() -> None:
    sides = np.zeros((5, 20, 20), np.uint8)
    sides[1:4, 5:10, 5:10] = LEFT

    assert find_key_slices(sides)["left"].index == 1


@pytest.mark.parametrize(("pixels", "centre"), [([(3, 4)], (3, 4)), ([(3, 4), (3, 5)], (3, 4.5))])
def test_a_contour_that_encloses_nothing_still_has_a_centre(pixels: list, centre: tuple) -> None:
    mask = np.zeros((8, 8), bool)
    mask[tuple(zip(*pixels, strict=True))] = True

    assert largest_contour(mask) == (0.0, centre)


def test_islands_are_removed_and_kidneys_are_not() -> None:
    mask = LEFT_KIDNEY.copy()
    mask[0, 0, :5] = True

    np.testing.assert_array_equal(remove_small(mask, 0.01, 1.0), LEFT_KIDNEY)


def test_the_midline_is_the_bodys_not_the_images() -> None:
    hu = np.full((10, 128, 128), -1000, np.int16)
    hu[:, 30:100, 20:80] = 40
    hu[:, 110:112, :] = 200  # the table

    assert find_midline(hu) == pytest.approx(49.5, abs=1)


def test_without_a_body_the_midline_is_the_images_middle() -> None:
    assert find_midline(np.full((3, 64, 65), -1000, np.int16)) == 32


@pytest.mark.parametrize(
    ("centre", "expected"), [((255.5, 255.5), (128, 128)), ((10, 500), (0, 256)), ((500, 3), (256, 0))]
)
def test_a_crop_is_moved_into_the_image(centre: tuple, expected: tuple) -> None:
    assert crop_origin(centre, (256, 256), (512, 512)) == expected


def test_a_crop_larger_than_the_image_holds_all_of_it() -> None:
    image = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    origin = crop_origin((1, 1), (6, 6), image.shape)

    crop = take_crop(image, origin, (6, 6))

    assert origin == (-1, -1)
    expected = np.zeros((6, 6), np.uint8)
    expected[1:4, 1:5] = image
    np.testing.assert_array_equal(crop, expected)


def test_a_crop_of_a_wide_image_stays_256_pixels() -> None:
    box = paper_region((300, 700), 256, (1, 1), (512, 796))

    assert (box.origin_rc, box.size_rc, box.network_rc) == ((172, 540), (256, 256), (256, 256))
    assert box.inside((512, 796)) == (slice(172, 428), slice(540, 796))


def test_a_fixed_pixel_size_makes_the_crop_cover_millimetres() -> None:
    box = paper_region((250, 250), 256, (0.5, 1.0), (512, 512))

    assert box.size_rc == (512, 256)
    assert box.network_rc == (256, 256)


def test_a_box_that_holds_its_kidney_is_not_grown() -> None:
    box = paper_region((50, 92), 64, (1, 1), (96, 128))

    assert grow_region(box, bounding_box(LEFT_KIDNEY)[1:], (1, 1), LEFT_KIDNEY.shape[1:]) == box


@given(st.integers(20, 300), st.integers(20, 300), st.sampled_from([0.5, 1.0, 1.7]))
@settings(max_examples=60, deadline=None)
def test_a_grown_box_holds_the_mask_and_suits_the_network(rows: int, columns: int, zoom: float) -> None:
    mask = np.zeros((2, 400, 420), bool)
    mask[:, 40 : 40 + rows, 60 : 60 + columns] = True
    box = paper_region((40 + rows / 3, 60 + columns / 4), 96, (zoom, zoom), (400, 420))

    grown = grow_region(box, bounding_box(mask)[1:], (zoom, zoom), mask.shape[1:])

    inside = np.zeros((400, 420), bool)
    inside[grown.inside((400, 420))] = True
    assert inside[mask[0]].all()
    assert all(n % 32 == 0 and n >= 96 for n in grown.network_rc)
    assert grown.grown == ((grown.origin_rc, grown.size_rc) != (box.origin_rc, box.size_rc))


@given(st.integers(1, 1000), st.floats(0.5, 30), st.data())
@settings(max_examples=200, deadline=None)
def test_the_sparse_pass_keeps_every_hit_of_a_kidney_and_looks_at_no_slice_twice(
    slices: int, slice_mm: float, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, slices - 1))
    last = data.draw(st.integers(first, slices - 1))
    areas = np.zeros(slices)
    areas[first : last + 1] = HIT_MM2
    seen: list[int] = []

    def look(indices: list[int]) -> np.ndarray:
        seen.extend(indices)
        return areas[list(indices)]

    found = find_range(look, slices, slice_mm)

    assert found.start <= first
    assert last < found.stop
    assert set(found) <= set(seen)
    assert len(seen) == len(set(seen))


def test_the_sparse_pass_skips_most_of_a_long_scan() -> None:
    areas = np.zeros(1000)
    areas[400:520] = 3000
    seen: list[int] = []

    def look(indices: list[int]) -> np.ndarray:
        seen.extend(indices)
        return areas[list(indices)]

    found = find_range(look, 1000, 1.0)

    assert set(range(385, 535)) <= set(found)
    assert len(found) < 120 + 2 * 33
    assert len(seen) < 230


@given(st.integers(60, 1000), st.floats(0.5, 18), st.data())
@settings(max_examples=200, deadline=None)
def test_far_from_a_kidney_lone_hits_are_left_out(slices: int, slice_mm: float, data: st.DataObject) -> None:
    length = int(np.ceil(40 / slice_mm)) + 1
    first = data.draw(st.integers(0, max(0, slices - length)))
    areas = np.zeros(slices)
    areas[first : first + length] = KIDNEY_MM2
    reach = length + int(np.ceil(2 * STEP_MM / slice_mm))
    far = np.flatnonzero(np.abs(np.arange(slices) - first - length // 2) > reach)
    lone = data.draw(st.lists(st.sampled_from(far), unique=True)) if far.size else []
    lone = [index for index in lone if not set(lone) & set(range(index - length, index))]
    areas[lone] = 10 * KIDNEY_MM2

    found = find_range(lambda indices: areas[list(indices)], slices, slice_mm)

    assert set(range(first, min(first + length, slices))) <= set(found)
    assert len(found) < length + 2 * reach


def test_a_kidney_in_the_pelvis_is_kept_with_the_other_one() -> None:
    areas = np.zeros(400)
    areas[20:90] = areas[250:340] = 1500

    found = find_range(lambda indices: areas[list(indices)], 400, 1.0)

    assert found.start <= 20
    assert found.stop >= 340


def test_where_every_hit_is_alone_all_are_kept() -> None:
    areas = np.zeros(400)
    areas[53:58] = areas[305:310] = 1500

    found = find_range(lambda indices: areas[list(indices)], 400, 1.0)

    assert found.start <= 53
    assert found.stop >= 310


def test_where_the_sparse_pass_sees_nothing_every_slice_is_run() -> None:
    seen: list[int] = []

    found = find_range(lambda indices: (seen.extend(indices), np.zeros(len(indices)))[1], 77, 1.5)

    assert found == range(77)
    assert sorted(seen) == list(range(77))


@given(st.integers(1, 500), st.integers(1, 40))
def test_no_slice_is_further_than_a_step_from_a_look(slices: int, step: int) -> None:
    looks = np.array(first_slices(slices, step))

    gaps = np.diff(np.concatenate([[-1], looks, [slices]]))

    assert gaps.max() <= step
    assert STEP_MM < 40 / 2


def test_sides_are_named_right_first() -> None:
    assert SIDES == ("right", "left")
