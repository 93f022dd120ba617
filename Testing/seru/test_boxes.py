"""Boxes that a person gives: the side is refined there, and one side alone gives what a whole run gives."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seru.cascade.boxes import check_boxes, place_boxes
from seru.cascade.cascade import Segmenter, SegmentResult, segment
from seru.cascade.coarse import Coarse
from seru.cascade.crops import CropRegion, Crops, SideCrop, grow_region, network_side
from seru.cascade.key_slices import KeyContour
from seru.cascade.live_scan import LiveScan
from seru.cascade.preprocessing import Prepared
from seru.cli import main
from seru.errors import BadInputError, CancelledError
from seru.findings import SIDES, Report
from seru.grid import Grid
from seru.io.images import write_volume
from seru.model.card import ModelCard
from seru.model.store import Model, open_model
from seru.options import SegmentOptions, SideBox
from seru.orientation import AxialStack, Orientation, find_orientation
from seru.phantom import Phantom, PhantomOptions, make_phantom
from seru.progress import Progress, RunRecord
from seru.result.components import bounding_box
from seru.volume import Volume
from Testing.seru.command_by_hand import run_command

TORCH = SegmentOptions(engine="torch", threads=1)
FEW = PhantomOptions(shape_kji=(30, 96, 112), spacing_kji_mm=(9.0, 4.0, 3.5), seed=3)
CARD = ModelCard("by-hand", "", "", "", crop_size=64)
AS_IT_IS = Orientation((0, 1, 2), (False, False, False))


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    """The tiny model with a crop that is smaller than the phantom."""
    model = open_model(tiny_model)
    return replace(model, card=replace(model.card, crop_size=64))


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return make_phantom(FEW)


@pytest.fixture(scope="module")
def found(phantom: Phantom, model: Model) -> SegmentResult:
    result = segment(phantom.volume, model, TORCH)
    assert result.report.right.present
    assert result.report.left.present
    return result


def crop_box(report: Report, side: str) -> SideBox:
    crop = report.side(side).crop
    assert crop is not None
    return SideBox(side, crop.ijk_min, crop.ijk_max)


def moved(box: SideBox, by_ijk: tuple[int, int, int]) -> SideBox:
    low, high = (tuple(np.add(end, by_ijk).tolist()) for end in (box.ijk_min, box.ijk_max))
    return SideBox(box.side, low, high)


def assert_same(one: SegmentResult, other: SegmentResult) -> None:
    np.testing.assert_array_equal(one.labels_kji, other.labels_kji)
    for name in ("mask", "coarse", "refined", "sides", "hu"):
        np.testing.assert_array_equal(getattr(one.maps, name), getattr(other.maps, name), err_msg=name)
    assert one.maps.lower_kji == other.maps.lower_kji
    assert replace(one.report, seconds={}) == replace(other.report, seconds={})


# What may be given


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        (["up=0:9,0:9,0:9"], "'up'"),
        (["left"], "cannot be read"),
        (["left=0:9,0:9"], "cannot be read"),
        (["left=a:9,0:9,0:9"], "cannot be read"),
        (["left=nan:9,0:9,0:9"], "cannot be read"),
        (["left=0.5:9,0:9,0:9"], "cannot be read"),
        (["left=-1:9,0:9,0:9"], "cannot be read"),
        (["left=9:0,0:9,0:9"], "is none"),
        (["left=0:9,0:9,0:9", "left=1:9,0:9,0:9"], "left side"),
        (["left=0:9,0:9,0:12"], "20 x 16 x 12 voxels"),
        (["right=0:20,0:9,0:9"], "20 x 16 x 12 voxels"),
        (["right=0:99999999999,0:9,0:9"], "cannot be read"),
    ],
)
def test_a_wrong_box_is_refused_in_one_sentence(
    boxes: list[str], says: str, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "ct.nii.gz"
    hu = np.full((12, 16, 20), -1000, np.int16)
    hu[:, 3:12, 3:15] = 40
    write_volume(Volume.from_array(hu, np.diag([-3.0, -3.0, 3.0, 1.0])), source)

    code, line = run_command(
        capsys, "segment", source, "-o", tmp_path / "out.nii.gz", "--model", tiny_model,
        *itertools.chain.from_iterable(("--box", box) for box in boxes),
    )  # fmt: skip

    assert code == 2
    assert says in line
    assert not (tmp_path / "out.nii.gz").exists()


@pytest.mark.parametrize("number", [float("nan"), 1.5, 1.0, -1, True])
def test_a_box_of_other_numbers_than_indices_is_refused(number: float) -> None:
    with pytest.raises(BadInputError, match="is none"):
        SideBox("left", (0, 0, number), (5, 5, 5))  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match="The key slice"):
        SideBox("left", (0, 0, 0), (5, 5, 5), number)  # type: ignore[arg-type]


def test_a_batch_has_no_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = run_command(capsys, "batch", tmp_path, "-o", tmp_path / "out", "--box", "left=0:1,0:1,0:1")

    assert code == 2
    assert "Unrecognized arguments: --box" in line


def test_a_box_is_read_and_written_alike_and_stands_in_what_decides_a_result() -> None:
    box = SideBox.parse("left=1:20,3:40,5:60")

    options = SegmentOptions(boxes=(box,))

    assert box == SideBox("left", (1, 3, 5), (20, 40, 60))
    assert str(box) == "left=1:20,3:40,5:60"
    written = {"side": "left", "ijk_min": [1, 3, 5], "ijk_max": [20, 40, 60], "key_slice": None}
    assert options.deciding()["boxes"] == [written]
    assert SegmentOptions.from_deciding(options.deciding()) == options
    assert options.deciding() != SegmentOptions().deciding()
    assert SegmentOptions.of_paper(boxes=(box,)).boxes == (box,)
    assert options.for_result().boxes == ()


def test_a_box_of_numpy_s_numbers_is_the_same_box() -> None:
    box = SideBox("left", tuple(np.array([1, 3, 5])), list(np.array([20, 40, 60], np.uint16)), np.int64(17))  # type: ignore[arg-type]

    assert box == SideBox.parse("left=1:20,3:40,5:60@17")
    assert json.dumps(SegmentOptions(boxes=(box,)).deciding()["boxes"]) == (
        '[{"side": "left", "ijk_min": [1, 3, 5], "ijk_max": [20, 40, 60], "key_slice": 17}]'
    )


# Where a box lies


@pytest.mark.parametrize(
    ("pixels", "zoom", "least", "expected"),
    [
        (1, 1.0, 64, (64, 64)),
        (64, 1.0, 64, (64, 64)),
        (65, 1.0, 64, (96, 96)),
        (366, 0.7, 256, (256, 366)),
        (367, 0.7, 256, (288, 411)),
        (20, 4.0, 64, (96, 24)),
        (1, 16.0, 32, (32, 2)),
    ],
)
def test_a_crop_s_side_is_the_next_that_the_network_takes(
    pixels: int, zoom: float, least: int, expected: tuple[int, int]
) -> None:
    assert network_side(pixels, zoom, least) == expected


@pytest.mark.parametrize("zoom", [0.31, 0.7, 0.9615, 1.0, 1.37, 5.3, 16.0])
def test_the_side_of_a_crop_that_is_given_again_is_the_same(zoom: float) -> None:
    for pixels in range(1, 700, 7):
        network, size = network_side(pixels, zoom, 64)
        assert size >= pixels
        assert network_side(size, zoom, 64) == (network, size)


def test_a_crop_never_grows_beyond_what_the_image_has() -> None:
    mask = np.zeros((1, 100, 100), bool)
    mask[0, 2:98, 2:98] = True

    grown = grow_region(CropRegion((18, 18), (64, 64), (64, 64)), bounding_box(mask)[1:], (1.0, 1.0), mask.shape[1:])

    assert grown == CropRegion((-14, -14), (128, 128), (128, 128), grown=True)


def place(
    box: SideBox, coarse: np.ndarray | None = None, crop: SideCrop | None = None, midline: float | None = None
) -> Crops:
    """A box on a stack of 10 slices of 80 x 100 pixels where a kidney was found on the left, or none.

    Without a midline all of it is the box's own half.
    """
    if midline is None:
        midline = 0.0 if box.side == "left" else 100.0
    probabilities = np.zeros((10, 2, 80, 100), np.uint8)
    if coarse is not None:
        probabilities[:, 0] = coarse
    scan = Prepared(lambda index: np.zeros((1, 80, 100), np.uint8), (10, 80, 100), (2.0, 1.0, 1.0), midline)
    found = Crops({"right": None, "left": crop}, "nothing")
    return place_boxes(found, [box], Coarse(probabilities, range(10), 10), scan, AS_IT_IS, CARD)


@pytest.mark.parametrize(
    ("i", "j", "origin", "size"),
    [
        ((10, 73), (8, 71), (8, 10), (64, 64)),  # as it is
        ((40, 49), (38, 41), (8, 13), (64, 64)),  # grown about its centre
        ((0, 3), (76, 79), (16, 0), (64, 64)),  # moved into the image
        ((10, 74), (8, 71), (8, 0), (64, 96)),  # the next multiple of 32, moved
        ((0, 99), (0, 79), (-8, -14), (96, 128)),  # larger than the image
    ],
)
def test_a_box_grows_to_the_network_s_size_and_is_moved_into_the_image(
    i: tuple[int, int], j: tuple[int, int], origin: tuple[int, int], size: tuple[int, int]
) -> None:
    crop = place(SideBox("left", (i[0], j[0], 3), (i[1], j[1], 5))).by_side["left"]

    assert crop is not None
    assert (crop.region.origin_rc, crop.region.size_rc, crop.region.network_rc) == (origin, size, size)
    assert crop.slices == range(3, 6)


def test_a_side_without_a_kidney_has_the_slice_of_the_largest_contour_in_its_box() -> None:
    coarse = np.zeros((10, 80, 100), np.uint8)
    coarse[4, 30:40, 30:40] = 200
    coarse[5, 30:42, 30:42] = 200
    coarse[6, 60:80, 60:100] = 200  # outside the box
    coarse[9, 20:50, 20:50] = 200  # beyond its slices

    crop = place(SideBox("left", (20, 20, 3), (51, 51, 6)), coarse).by_side["left"]

    assert crop is not None
    assert crop.key == KeyContour(5, (35.5, 35.5), 121.0)


def test_a_key_slice_that_was_found_stays_where_its_box_holds_it_and_what_was_told_of_the_crop_does_not() -> None:
    coarse = np.zeros((10, 80, 100), np.uint8)
    coarse[4, 30:40, 30:40] = 200
    key = KeyContour(6, (50.0, 60.0), 400.0)
    found = SideCrop(key, CropRegion((10, 20), (64, 64), (64, 64)), range(6, 10), "it grew")

    crops = place(SideBox("left", (20, 20, 3), (51, 51, 6)), coarse, found)

    assert crops.by_side["left"] == SideCrop(key, CropRegion((4, 4), (64, 64), (64, 64), grown=True), range(3, 7))
    assert crops.warnings == ()

    moved = place(SideBox("left", (20, 20, 3), (51, 51, 5)), coarse, found).by_side["left"]
    assert moved is not None
    assert moved.key == KeyContour(4, (34.5, 34.5), 81.0)


def test_a_key_slice_that_a_person_set_is_that_slice_with_its_contour_or_the_box_s_middle() -> None:
    coarse = np.zeros((10, 80, 100), np.uint8)
    coarse[4, 30:40, 30:40] = 200
    coarse[5, 30:42, 30:42] = 200
    found = SideCrop(KeyContour(5, (35.5, 35.5), 121.0), CropRegion((10, 20), (64, 64), (64, 64)), range(3, 7))

    keys = [
        crop.key
        for index in (4, 6)
        if (crop := place(SideBox("left", (20, 20, 3), (51, 51, 6), index), coarse, found).by_side["left"])
    ]

    assert keys == [KeyContour(4, (34.5, 34.5), 81.0), KeyContour(6, (35.5, 35.5), 0.0)]


def test_a_key_slice_is_read_written_and_checked_with_its_box() -> None:
    box = SideBox.parse("left=1:20,3:40,5:60@17")

    assert (box.key_slice, str(box)) == (17, "left=1:20,3:40,5:60@17")
    grid = Grid((64, 64, 64), np.eye(4))
    check_boxes([box], grid)
    for text in ("left=1:20,3:40,5:60@4", "left=1:20,3:40,5:60@61"):
        with pytest.raises(BadInputError, match=r"outside its box .*from 5 to 60"):
            check_boxes([SideBox.parse(text)], grid)
    for number in ("-1", "1.5", "", "1@1"):
        with pytest.raises(BadInputError, match=r"cannot be read; give .* and @N behind it for its key slice\."):
            SideBox.parse(f"left=1:20,3:40,5:60@{number}")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("right=0:40,20:50,3:6", None),
        ("right=30:69,20:50,3:6", None),  # across the midline
        ("left=0:99,20:50,3:6", None),  # as wide as the body
        ("right=50:90,20:50,3:6", "left"),
        ("left=10:59,20:50,3:6", "right"),
    ],
)
def test_a_box_in_the_other_half_of_the_body_is_told_of_and_taken(text: str, other: str | None) -> None:
    box = SideBox.parse(text)

    crops = place(box, midline=50.0)

    assert crops.by_side[box.side] is not None
    sentence = (
        f"The box of the {box.side} side lies in the {other} half of the body; check that the side is the patient's."
    )
    assert crops.warnings == ((sentence,) if other else ())


def test_without_any_contour_it_is_the_middle_slice_of_the_box() -> None:
    crops = place(SideBox("right", (20, 30, 3), (51, 61, 6)))

    assert crops.by_side["right"] is not None
    assert crops.by_side["right"].key == KeyContour(4, (45.5, 35.5), 0.0)
    assert crops.warnings == ()
    assert crops.by_side["left"] is None


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_a_box_is_the_same_voxels_in_every_orientation(axes: tuple, signs: tuple) -> None:
    shape_kji = (5, 6, 7)
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[list(axes)] * signs
    orientation = find_orientation(Grid(shape_kji, matrix))
    inside = np.zeros(shape_kji, bool)
    inside[1:3, 2:6, 0:4] = True

    stack = orientation.to_stack(inside)
    box = orientation.box_of_ijk((0, 2, 1), (3, 5, 2), stack.shape)

    assert stack[tuple(slice(part.start, part.stop) for part in box)].all()
    assert np.prod([len(part) for part in box]) == inside.sum()
    assert orientation.ijk_of_box(box, stack.shape) == ((0, 2, 1), (3, 5, 2))


# Whole runs


def test_the_box_of_the_report_given_again_gives_the_same(phantom: Phantom, model: Model, found: SegmentResult) -> None:
    boxes = tuple(crop_box(found.report, side) for side in SIDES)

    again = segment(phantom.volume, model, replace(TORCH, boxes=boxes))

    assert again.report.options["boxes"] == SegmentOptions(boxes=boxes).deciding()["boxes"]
    assert_same(again, replace(found, report=replace(found.report, options=again.report.options)))


def test_a_box_is_where_the_side_is_refined_and_nowhere_else(
    phantom: Phantom, model: Model, found: SegmentResult
) -> None:
    box = moved(crop_box(found.report, "left"), (-4, 3, 2))

    result = segment(phantom.volume, model, replace(TORCH, boxes=(box,), crop="paper", all_slices=True))

    left, right = result.report.left, result.report.right
    assert left.crop is not None
    assert right.crop is not None
    assert (left.crop.ijk_min, left.crop.ijk_max) == (box.ijk_min, box.ijk_max)
    assert left.crop.grown
    assert left.key_slice == found.report.left.key_slice
    assert (right.crop.ijk_min[2], right.crop.ijk_max[2]) == (0, 29)
    of_crops = np.zeros(phantom.volume.array_kji.shape, bool)
    for crop in (left.crop, right.crop):
        of_crops[tuple(slice(a, b + 1) for a, b in zip(crop.ijk_min[::-1], crop.ijk_max[::-1], strict=True))] = True
    outside = ~of_crops[result.maps.box_slices][result.maps.mask]
    np.testing.assert_array_equal(result.maps.coarse[outside], result.maps.refined[outside])
    assert np.any(result.maps.coarse != result.maps.refined)


@pytest.mark.parametrize("changes", [{"orientation": "SAR"}, {"oblique_degrees": (10.0, -8.0, 6.0)}])
def test_a_box_on_a_turned_grid_is_told_of_as_it_was_given(changes: dict, model: Model) -> None:
    turned = make_phantom(replace(FEW, **changes))
    first = segment(turned.volume, model, TORCH).report
    box = crop_box(first, "right")
    axis = first.geometry.stack_axis
    low, high = list(box.ijk_min), list(box.ijk_max)
    low[axis], high[axis] = low[axis] + 2, high[axis] - 1

    result = segment(turned.volume, model, replace(TORCH, boxes=(SideBox("right", tuple(low), tuple(high)),)))

    assert crop_box(result.report, "right") == SideBox("right", tuple(low), tuple(high))
    assert crop_box(result.report, "left") == crop_box(first, "left")
    assert result.report.slices.refined == first.slices.refined - 3


def test_a_side_without_a_kidney_is_refined_where_a_box_is(model: Model) -> None:
    one = make_phantom(replace(FEW, kidneys="left", tumor="none"))
    box = SideBox("right", (10, 30, 10), (50, 70, 14))

    report = segment(one.volume, model, replace(TORCH, boxes=(box,))).report

    assert report.right.present
    assert report.right.crop is not None
    assert (report.right.crop.ijk_min[2], report.right.crop.ijk_max[2]) == (10, 14)
    assert report.right.key_slice is not None
    assert 10 <= report.right.key_slice.index <= 14
    assert Report.from_dict(report.to_dict()) == report


# One side alone


class Live:
    """A scan that stays: the segmenter, the scan, and what was told."""

    def __init__(self, volume: Volume, model: Model, options: SegmentOptions) -> None:
        self.segmenter = Segmenter(model, options)
        record = RunRecord(Progress())
        self.scan: LiveScan = self.segmenter.look(volume, record)
        self.result = self.refine(options, record)

    def refine(self, options: SegmentOptions, record: RunRecord | None = None) -> SegmentResult:
        record = record or RunRecord(Progress())
        segmenter = self.segmenter.with_options(options)
        self.parts = [maker.make() for maker in segmenter.refine(self.scan, record)]
        return segmenter.result(self.scan, record)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_sides_in_turn_are_whole_runs_with_their_boxes_and_undo_is_the_first(
    engine: str, phantom: Phantom, model: Model
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    first_options = replace(TORCH, engine=engine)
    live = Live(phantom.volume, model, first_options)
    first = live.result
    left = moved(crop_box(first.report, "left"), (-9, 3, -2))
    k0, k1 = (end[2] for end in (left.ijk_min, left.ijk_max))
    left = SideBox("left", left.ijk_min, (*left.ijk_max[:2], k0 + 4))  # fewer slices, an odd number
    right = moved(crop_box(first.report, "right"), (6, 0, 1))
    assert k1 > k0 + 4

    for boxes in ((left,), (left, right)):
        options = replace(first_options, boxes=boxes)
        again, whole = live.refine(options), segment(phantom.volume, model, options)
        assert_same(again, whole)
        assert not np.array_equal(again.maps.refined, first.maps.refined)
    assert_same(live.refine(first_options), first)


def test_what_arrives_goes_outward_from_the_key_slice_and_is_what_the_maps_hold(phantom: Phantom, model: Model) -> None:
    live = Live(phantom.volume, model, TORCH)
    box = moved(crop_box(live.result.report, "left"), (-9, 3, 2))

    result = live.refine(replace(TORCH, boxes=(box,)))

    assert {part.side for part in live.parts} == {"left"}
    key_slice = result.report.left.key_slice
    assert key_slice is not None
    first = live.parts[0]
    assert first.ijk_min[2] == key_slice.index
    distances = [min(abs(k - key_slice.index) for k in (p.ijk_min[2], p.ijk_max[2])) for p in live.parts]
    assert distances == sorted(distances)
    slices = sorted(k for part in live.parts for k in range(part.ijk_min[2], part.ijk_max[2] + 1))
    assert slices == list(range(box.ijk_min[2], box.ijk_max[2] + 1))
    whole = np.zeros((*phantom.volume.array_kji.shape, 2), np.uint8)
    inside = whole[result.maps.box_slices]
    inside[result.maps.mask] = result.maps.refined
    for part in live.parts:
        place = tuple(slice(a, b + 1) for a, b in zip(part.ijk_min[::-1], part.ijk_max[::-1], strict=True))
        stored = np.zeros(whole.shape[:3], bool)
        stored[result.maps.box_slices] = result.maps.mask
        np.testing.assert_array_equal(part.refined[stored[place]], whole[place][stored[place]])
        assert part.coarse.shape == part.refined.shape == whole[place].shape


def test_a_side_that_is_cancelled_half_way_leaves_the_last_result(phantom: Phantom, model: Model) -> None:
    class Impatient(Progress):
        def stage(self, name: str, done: int, total: int) -> None:
            if name == "refine" and done > 2:
                self.cancel()

    live = Live(phantom.volume, model, TORCH)
    first = live.result
    options = replace(TORCH, boxes=(moved(crop_box(first.report, "left"), (-9, 3, 2)),))

    with pytest.raises(CancelledError):
        live.refine(options, RunRecord(Impatient()))

    segmenter = live.segmenter
    assert_same(segmenter.result(live.scan, record_of(live)), first)
    assert_same(live.refine(options), segment(phantom.volume, model, options))


def record_of(live: Live) -> RunRecord:
    record = RunRecord(Progress())
    record.warn_of(live.result.report.warnings)
    return record


def test_the_stack_of_a_box_is_the_scan_s_own(phantom: Phantom) -> None:
    stack = AxialStack.of(phantom.volume)

    assert stack.orientation.box_of_ijk((0, 0, 0), (111, 95, 29), stack.hu.shape) == (range(30), range(96), range(112))


def test_the_command_takes_a_box_for_each_side(tmp_path: Path, phantom: Phantom, tiny_model: Path) -> None:
    source, report = tmp_path / "ct.nii.gz", tmp_path / "out.json"
    write_volume(phantom.volume, source)
    arguments = ["segment", source, "-o", tmp_path / "out.nii.gz", "--report", report, "--model", tiny_model]
    boxes = ["--box", "left=60:100,20:70,10:14", "--box", "right=2:60,20:70,8:20"]

    code = main([*map(str, arguments), *boxes, "--engine", "torch", "--progress", "none"])

    assert code == 0
    found = Report.from_dict(json.loads(report.read_text(encoding="utf-8")))
    assert [found.side(side).crop.ijk_min[2] for side in SIDES] == [8, 10]
    assert [found.side(side).crop.ijk_max[2] for side in SIDES] == [20, 14]
