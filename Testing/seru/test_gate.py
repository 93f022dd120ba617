"""The gate: what is believed, what is a candidate, and what a person says goes before both."""

from __future__ import annotations

import numpy as np
import pytest

from seru.findings import Islands, Status, Thresholds
from seru.options import SegmentOptions
from seru.result import finish
from seru.result.fusion import LiveFusion
from seru.result.gate import believe, gate
from seru.result.gated import Component, Gated
from seru.result.maps import Maps
from seru.result.verdicts import Verdict
from Testing.maps_by_hand import make_maps, probabilities

SHAPE = (4, 6, 24)
SURE = np.s_[0:3, 0:4, 0:6]
TUMOR_IN_SURE = np.s_[1, 1:3, 1:3]
FAINT = np.s_[0:2, 0:4, 8:12]
LONE_TUMOR = np.s_[0, 5, 14:17]
LEFT_KIDNEY = np.s_[0:3, 0:4, 18:22]
SIDES = np.where(np.arange(24) < 14, 1, 2)


def scan(**others: object) -> Maps:
    """A sure kidney with a doubtful tumor, a faint kidney, a lone tumor, a sure kidney on the left; voxels of 1 ml."""
    values = probabilities(
        SHAPE,
        (SURE, 0.95, 0.0),
        (TUMOR_IN_SURE, 0.3, 0.6),
        (FAINT, 0.6, 0.0),
        (LONE_TUMOR, 0.1, 0.8),
        (LEFT_KIDNEY, 0.9, 0.05),
    )
    return make_maps(values, sides=SIDES, **others)


def gated(maps: Maps, thresholds: Thresholds, *verdicts: Verdict, alpha: float = 0.4) -> Gated:
    return gate(LiveFusion(maps).box_labels(alpha), maps, alpha, thresholds, verdicts)


def statuses(result: Gated) -> list[tuple[str, str, Status, float]]:
    return sorted((c.kind, c.side, c.status, round(c.confidence, 2)) for c in result.components)


def component(result: Gated, kind: str, status: str, side: str = "right") -> Component:
    (found,) = (c for c in result.components if (c.kind, c.status, c.side) == (kind, status, side))
    return found


def verdict_on(found: Component, decision: str, maps: Maps) -> Verdict:
    lower = tuple(low + part.start for low, part in zip(maps.lower_kji, found.box, strict=True))
    return Verdict(decision, found.kind, lower, found.voxels)


def test_confidence_is_the_mean_certainty_of_a_component() -> None:
    result = gated(scan(), Thresholds())

    # A kidney's is that of kidney and tumor together: 68 voxels of 0.95 and 4 of 0.9.
    assert statuses(result) == [
        ("kidney", "left", "believed", 0.91),
        ("kidney", "right", "believed", 0.2),
        ("kidney", "right", "believed", 0.89),
        ("tumor", "left", "believed", 0.6),
        ("tumor", "right", "believed", 0.2),
    ]
    kidney = max((c for c in result.components if (c.kind, c.side) == ("kidney", "right")), key=lambda c: c.confidence)
    assert kidney.confidence == pytest.approx((68 * (2 * 242 / 255 - 1) + 4 * (2 * 230 / 255 - 1)) / 72, abs=0.01)


@pytest.mark.parametrize(("alpha", "expected"), [(1.0, 0.8), (0.0, 0.4), (0.25, 0.5)])
def test_confidence_is_that_of_the_fused_probability(alpha: float, expected: float) -> None:
    coarse, refined = (probabilities((1, 1, 4), (np.s_[:], p - 0.1, 0.1)) for p in (0.9, 0.7))

    (kidney,) = gated(make_maps(coarse, refined), Thresholds(), alpha=alpha).components

    assert kidney.confidence == pytest.approx(expected, abs=0.01)


def test_without_thresholds_everything_is_believed() -> None:
    maps = scan()

    result = gated(maps, Thresholds())

    np.testing.assert_array_equal(result.labels_box, LiveFusion(maps).box_labels(0.4))
    assert (result.ceilings_box == 2).all()


def test_what_is_not_believed_leaves_the_labels_and_is_listed() -> None:
    result = gated(scan(), Thresholds(0, 0.5, 0.5))

    assert (result.labels_box[FAINT] == 0).all()
    assert (result.labels_box[SURE] == 1).all()
    assert (result.labels_box[LONE_TUMOR] == 2).all()
    assert component(result, "kidney", "candidate").voxels.sum() == 32
    assert component(result, "tumor", "candidate").voxels.sum() == 4


def test_a_tumor_that_is_not_believed_becomes_kidney_in_a_kidney_and_background_elsewhere() -> None:
    result = gated(scan(), Thresholds(0, 0, 0.9))

    assert (result.labels_box[TUMOR_IN_SURE] == 1).all()
    assert (result.labels_box[LONE_TUMOR] == 0).all()
    assert (result.ceilings_box[TUMOR_IN_SURE] == 1).all()
    assert (result.ceilings_box[LONE_TUMOR] == 0).all()


def test_the_tumors_of_a_kidney_that_is_not_believed_go_with_it_and_are_not_listed() -> None:
    result = gated(scan(), Thresholds(0, 1.0, 0.0))

    assert not result.labels_box[SURE].any()
    assert not any(c.kind == "tumor" and c.side == "right" for c in result.components)
    assert component(result, "tumor", "believed", "left").voxels.sum() == 3


def test_a_component_at_the_threshold_is_believed() -> None:
    maps = make_maps(probabilities((1, 1, 2), (np.s_[0, 0, :], 1.0, 0.0)))

    assert gated(maps, Thresholds.of_all(1.0)).labels_box.all()


def test_two_kidneys_that_touch_are_one_component_a_side() -> None:
    maps = make_maps(probabilities((1, 2, 8), (np.s_[:], 1.0, 0.0)), sides=np.where(np.arange(8) < 5, 1, 2))

    sizes = {c.side: int(c.voxels.sum()) for c in gated(maps, Thresholds()).components}

    assert sizes == {"right": 10, "left": 6}


def test_small_components_are_counted_and_not_listed() -> None:
    values = probabilities((1, 1, 9), (np.s_[0, 0, 0:2], 1.0, 0.0), (np.s_[0, 0, 4], 0.6, 0.0), (np.s_[0, 0, 8], 1, 0))
    maps = make_maps(values, ijk_to_ras=np.diag([4.0, 4.0, 4.0, 1.0]))

    result = gated(maps, Thresholds.of_all(0.5))

    assert [int(c.voxels.sum()) for c in result.components] == [2]
    islands = result.islands(result.labels_box, maps.grid.voxel_ml)
    assert islands == Islands(counted=1, counted_ml=0.064, left_out=1, left_out_ml=0.064)


def test_a_speck_of_kidney_and_tumor_is_counted_once_a_voxel() -> None:
    values = probabilities((1, 1, 9), (np.s_[0, 0, 0], 1.0, 0.0), (np.s_[0, 0, 1], 0.0, 1.0))
    maps = make_maps(values, ijk_to_ras=np.diag([3.0, 3.0, 3.0, 1.0]))

    finished = finish(maps, SegmentOptions())

    assert finished.islands == Islands(counted=2, counted_ml=0.054)
    assert finished.findings == ()


def test_findings_and_islands_are_all_of_the_labels_after_clean_up_too() -> None:
    values = probabilities(
        (1, 1, 20), (np.s_[0, 0, 0:4], 1.0, 0.0), (np.s_[0, 0, 2], 0.0, 1.0), (np.s_[0, 0, 9], 1.0, 0.0)
    )
    maps = make_maps(values, ijk_to_ras=np.diag([4.0, 4.0, 4.0, 1.0]))

    as_it_is = finish(maps, SegmentOptions())
    cleaned = finish(maps, SegmentOptions(minimum_volume_ml=0.1))

    assert [f.volume_ml for f in as_it_is.findings] == [f.volume_ml for f in cleaned.findings] == [3 * 0.064]
    # The tumor in the kidney, and the lone voxel that clean-up takes away.
    assert as_it_is.islands == Islands(counted=2, counted_ml=0.128)
    assert cleaned.islands == Islands(counted=1, counted_ml=0.064)


def test_of_very_many_components_the_largest_are_listed() -> None:
    values = np.zeros((1, 2, 240, 2), np.uint8)
    values[0, 0, 0::2, 0] = 255
    values[0, 1, 100:141, 0] = 255  # one of 61 voxels: 41, and the 20 above it

    result = gated(make_maps(values), Thresholds())

    sizes = sorted(int(c.voxels.sum()) for c in result.components)
    assert sizes == [1] * 39 + [62]
    assert result.islands(result.labels_box, 1.0).counted == 120 - 21 - 39
    assert result.labels_box.any(axis=(0, 1))[0::2].all()


def test_candidates_take_no_place_in_the_list_from_what_is_believed() -> None:
    values = probabilities(
        (3, 1, 100), *((np.s_[0:2, 0, i], 0.6, 0.0) for i in range(0, 90, 2)), (np.s_[0, 0, 95], 1, 0)
    )

    result = gated(make_maps(values), Thresholds.of_all(0.5))

    assert [c.status for c in result.components].count("candidate") == 40
    assert component(result, "kidney", "believed").voxels.sum() == 1
    assert result.islands(result.labels_box, 1.0) == Islands(left_out=5, left_out_ml=10.0)


def test_an_accepted_candidate_is_in_the_labels() -> None:
    maps, thresholds = scan(), Thresholds(0, 0.5, 0.5)
    candidates = gated(maps, thresholds)
    accepted = [verdict_on(component(candidates, kind, "candidate"), "accepted", maps) for kind in ("kidney", "tumor")]

    result = gated(maps, thresholds, *accepted)

    np.testing.assert_array_equal(result.labels_box, LiveFusion(maps).box_labels(0.4))
    assert component(result, "kidney", "accepted").voxels.sum() == 32


def test_a_dismissed_tumor_becomes_kidney_in_a_kidney_and_background_elsewhere() -> None:
    maps = scan()
    before = gated(maps, Thresholds())
    verdicts = [
        verdict_on(component(before, "tumor", "believed", side), "dismissed", maps) for side in ("right", "left")
    ]

    result = gated(maps, Thresholds(), *verdicts)

    assert (result.labels_box[TUMOR_IN_SURE] == 1).all()
    assert (result.labels_box[LONE_TUMOR] == 0).all()
    assert {c.status for c in result.components if c.kind == "tumor"} == {"dismissed"}


def test_the_last_verdict_on_a_finding_wins() -> None:
    maps = scan()
    found = component(gated(maps, Thresholds()), "tumor", "believed")
    verdicts = [verdict_on(found, decision, maps) for decision in ("dismissed", "accepted")]

    assert component(gated(maps, Thresholds(), *verdicts), "tumor", "accepted").voxels.sum() == 4
    assert component(gated(maps, Thresholds(), *verdicts[::-1]), "tumor", "dismissed").voxels.sum() == 4


def test_a_verdict_holds_for_what_is_mostly_the_same_at_another_alpha() -> None:
    tumor = np.s_[0, 1:3, 1:5]
    coarse = probabilities((1, 4, 8), (np.s_[:, :, 0:7], 1.0, 0.0), (tumor, 0.0, 1.0))
    refined = probabilities((1, 4, 8), (np.s_[:, :, 0:7], 1.0, 0.0), (np.s_[0, 1:3, 1:4], 0.0, 1.0))
    maps = make_maps(coarse, refined)
    found = component(gated(maps, Thresholds(), alpha=1.0), "tumor", "believed")

    result = gated(maps, Thresholds(), verdict_on(found, "dismissed", maps), alpha=0.0)

    assert component(result, "tumor", "dismissed").voxels.sum() == 6
    assert (result.labels_box[tumor] == 1).all()


def test_what_was_dismissed_leaves_a_larger_finding_that_it_has_become_part_of() -> None:
    small, large = np.s_[0, 1, 1:3], np.s_[0, 1, 4:12]
    apart = probabilities((1, 3, 14), (np.s_[:, :, 0:13], 1.0, 0.0), (small, 0.0, 1.0), (large, 0.0, 1.0))
    joined = apart.copy()
    joined[0, 1, 3] = 0, 255
    maps = make_maps(apart, joined)
    found = min(
        (c for c in gated(maps, Thresholds(), alpha=1.0).components if c.kind == "tumor"), key=lambda c: c.voxels.sum()
    )

    result = gated(maps, Thresholds(), verdict_on(found, "dismissed", maps), alpha=0.0)

    assert (result.labels_box[small] == 1).all()
    assert (result.labels_box[0, 1, 3:12] == 2).all()
    assert component(result, "tumor", "dismissed").voxels.sum() == 2
    assert component(result, "tumor", "believed").voxels.sum() == 9


def test_what_was_accepted_brings_no_larger_doubtful_finding_in_that_it_has_become_part_of() -> None:
    part = np.s_[0, 1, 1:3]
    apart = probabilities((1, 3, 14), (part, 0.6, 0.0))
    joined = probabilities((1, 3, 14), (np.s_[:, :, 0:13], 0.6, 0.0))
    maps, thresholds = make_maps(apart, joined), Thresholds.of_all(0.9)
    accepted = verdict_on(component(gated(maps, thresholds, alpha=1.0), "kidney", "candidate"), "accepted", maps)

    result = gated(maps, thresholds, accepted, alpha=0.0)

    assert np.flatnonzero(result.labels_box[0, 1]).tolist() == [1, 2]
    assert np.count_nonzero(result.labels_box) == 2
    assert component(result, "kidney", "accepted").voxels.sum() == 2
    assert component(result, "kidney", "candidate").voxels.sum() == 3 * 13 - 2


def test_an_accepted_part_of_a_doubtful_tumor_leaves_the_rest_kidney() -> None:
    kidney, long, short = np.s_[:, :, 0:13], np.s_[0, 1, 1:9], np.s_[0, 1, 1:3]
    coarse = probabilities((1, 3, 14), (kidney, 1.0, 0.0), (short, 0.4, 0.6))
    refined = probabilities((1, 3, 14), (kidney, 1.0, 0.0), (long, 0.4, 0.6))
    maps, thresholds = make_maps(coarse, refined), Thresholds(0, 0, 0.9)
    accepted = verdict_on(component(gated(maps, thresholds, alpha=1.0), "tumor", "candidate"), "accepted", maps)

    result = gated(maps, thresholds, accepted, alpha=0.0)

    assert result.labels_box[0, 1].tolist() == [1, 2, 2, *[1] * 10, 0]
    assert component(result, "tumor", "candidate").voxels.sum() == 6


def test_a_verdict_elsewhere_decides_nothing() -> None:
    maps = scan(lower_kji=(2, 1, 3), shape_kji=(9, 9, 40))
    elsewhere = Verdict("dismissed", "kidney", (7, 7, 30), np.ones((2, 2, 5), bool))

    result = gated(maps, Thresholds(), elsewhere)

    np.testing.assert_array_equal(result.labels_box, LiveFusion(maps).box_labels(0.4))
    assert {c.status for c in result.components} == {"believed"}


def test_a_verdict_on_a_neighbour_that_touches_a_finding_decides_nothing_on_it() -> None:
    maps = scan()
    beside = Verdict("dismissed", "kidney", (0, 0, 5), np.ones((3, 4, 3), bool))

    result = gated(maps, Thresholds(), beside)

    # A third of the verdict's voxels, and a sixth of the kidney's.
    assert (result.labels_box[SURE] > 0).all()
    assert {c.status for c in result.components} == {"believed"}


def test_an_accepted_tumor_keeps_the_kidney_that_it_lies_in() -> None:
    maps = scan()
    found = component(gated(maps, Thresholds()), "tumor", "believed")

    result = gated(maps, Thresholds.of_all(1.0), verdict_on(found, "accepted", maps))

    assert (result.labels_box[TUMOR_IN_SURE] == 2).all()
    assert (result.labels_box[SURE] > 0).all()
    assert not result.labels_box[FAINT].any()


def test_what_was_accepted_survives_the_clean_up() -> None:
    maps = scan(thresholds=Thresholds(0, 0.5, 0.5))
    options = SegmentOptions(largest_component_per_side=True, tumor_touches_kidney=True)
    before = finish(maps, options)
    (candidate,) = (f for f in before.findings if (f.kind, f.status) == ("kidney", "candidate"))

    accepted = finish(maps, options, verdicts=[before.verdict_on(candidate, "accepted")])

    assert not before.labels_box[FAINT].any()
    assert (accepted.labels_box[FAINT] == 1).all()
    assert not accepted.labels_box[LONE_TUMOR].any()


def test_taking_a_verdict_back_gives_what_was_there_before() -> None:
    maps = scan(thresholds=Thresholds(0, 0.5, 0.5))
    options = SegmentOptions()
    before = finish(maps, options)
    candidates = [f for f in before.findings if f.status == "candidate"]
    verdicts = tuple(before.verdict_on(candidate, "accepted") for candidate in candidates)
    accepted = finish(maps, options, verdicts=verdicts)
    (kidney,) = (f for f in accepted.findings if (f.kind, f.status) == ("kidney", "accepted"))

    left = accepted.without_verdict_on(kidney, verdicts)
    after = finish(maps, options, verdicts=left)

    assert [verdict.kind for verdict in left] == ["tumor"]
    assert not after.labels_box[FAINT].any()
    assert (after.labels_box[TUMOR_IN_SURE] == 2).all()
    np.testing.assert_array_equal(finish(maps, options, verdicts=()).labels_box, before.labels_box)


def test_the_maps_carry_verdicts_of_their_own() -> None:
    before = finish(scan(), SegmentOptions())
    (tumor,) = (f for f in before.findings if (f.kind, f.side) == ("tumor", "left"))

    maps = scan(verdicts=(before.verdict_on(tumor, "dismissed"),))

    assert not finish(maps, SegmentOptions()).labels_box[LONE_TUMOR].any()
    assert (finish(maps, SegmentOptions(), verdicts=()).labels_box[LONE_TUMOR] == 2).all()


def test_the_least_confidence_of_the_options_goes_before_the_models() -> None:
    maps = scan(thresholds=Thresholds.of_all(0.5))

    models_own, papers, asked = (finish(maps, SegmentOptions(min_confidence=c)) for c in (None, 0.0, 0.85))

    assert models_own.thresholds == Thresholds.of_all(0.5)
    assert (papers.labels_box[FAINT] == 1).all()
    assert not models_own.labels_box[FAINT].any()
    assert asked.labels_box[LEFT_KIDNEY].all()
    assert not asked.labels_box[LONE_TUMOR].any()


def test_a_mask_keeps_its_believed_components() -> None:
    mask = np.zeros((2, 3, 10), bool)
    mask[:, :2, :3] = mask[:, :2, 6:9] = True
    probability = np.where(np.arange(10) < 5, 255, 140).astype(np.uint8) * mask

    kept = believe(mask, probability, 0.5)

    assert kept[:, :2, :3].all()
    assert kept.sum() == 12
    assert believe(mask, probability, 0.0) is mask
    assert not believe(mask, probability // 2, 1.0).any()


def test_an_empty_scan_has_no_components() -> None:
    maps = make_maps(np.zeros((2, 3, 4, 2), np.uint8))

    result = gated(maps, Thresholds.of_all(0.5))

    assert not result.labels_box.any()
    assert result.components == ()
