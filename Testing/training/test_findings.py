"""Findings against labels, their tables, and the thresholds that are chosen from them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")

from seru.errors import BadInputError
from seru.findings import Thresholds
from seru.grid import Grid
from seru.result.maps import Maps
from seru.volume import Volume
from training.config import ThresholdsConfig
from training.evaluate import evaluate_cases, format_summary
from training.finding_scores import CaseFindings, FindingScore, Interval, TrueComponent, equivalent_mm, score_findings
from training.finding_tables import calibration, size_class, summarise_findings
from training.labelled import Knowledge, LabelledCase
from training.pictures import choose_examples, plot_pictures, take_example
from training.predictions import Prediction
from training.scoring import CaseScore
from training.thresholds import choose_thresholds, costs

# A slice of 20 x 40 pixels of 1 mm, 10 mm thick; rows run to the back, columns to the patient's left.
GRID = Grid((1, 20, 40), np.diag([-1.0, -1.0, 10.0, 1.0]))


def case_of(knowledge: Knowledge = "everything", name: str = "a") -> LabelledCase:
    empty = Volume.from_array(np.zeros((1, 20, 40), np.float32), GRID.ijk_to_ras), np.zeros((1, 20, 40), np.uint8)
    return LabelledCase(name, name, "", lambda: empty, knowledge=knowledge)


def two_kidneys() -> tuple[Maps, np.ndarray]:
    """A sure kidney on the right with a doubtful tumor in it, a doubtful one on the left that is none; and the labels.

    Confidences, of |2p - 1|: right kidney (8 x 8, tumor 4 x 4 in it) 0.9, its tumor 0.2, left component (5 x 5) 0.4.
    """
    kidney, tumor = np.zeros((2, 1, 20, 40), np.float32)
    kidney[0, 4:12, 4:12] = 0.95
    kidney[0, 4:8, 4:8], tumor[0, 4:8, 4:8] = 0.35, 0.6
    kidney[0, 4:9, 28:33] = 0.7
    stored = (kidney + tumor) > 0
    both = np.rint(255 * np.stack([kidney[stored], tumor[stored]], axis=1)).astype(np.uint8)
    sides = np.where(np.arange(40) < 20, 1, 2).astype(np.uint8)
    of_voxels = np.broadcast_to(sides, stored.shape)[stored]
    maps = Maps(GRID, 0.5, (0, 0, 0), stored, both, both, of_voxels, np.full(len(both), 100, np.int16))
    truth = np.zeros((1, 20, 40), np.uint8)
    truth[0, 4:12, 4:12] = 1
    truth[0, 4:8, 4:6] = 2
    return maps, truth


def finding(kind: str, confidence: float, true_share: float, volume_ml: float = 1.0, **other: object) -> FindingScore:
    values = {"case": "a", "kidney_confidence": confidence if kind == "kidney" else None, "size_mm": 12.0, **other}
    return FindingScore(kind=kind, confidence=confidence, true_share=true_share, volume_ml=volume_ml, **values)


def test_finding_is_true_where_half_of_it_is_and_knows_the_kidney_it_lies_in() -> None:
    maps, truth = two_kidneys()

    found = score_findings(case_of(), maps, truth, 0.5)

    right, left, tumor = found.findings
    assert [one.kind for one in found.findings] == ["kidney", "kidney", "tumor"]
    assert [one.true_share for one in found.findings] == [1.0, 0.0, 0.5]
    assert [one.is_true for one in found.findings] == [True, False, True]
    assert (right.confidence, left.confidence, tumor.confidence) == pytest.approx((0.9, 0.4, 0.2), abs=0.01)
    assert tumor.kidney_confidence == right.confidence
    assert (right.volume_ml, left.volume_ml, tumor.volume_ml) == pytest.approx((0.64, 0.25, 0.16))
    assert right.size_mm == pytest.approx(2 * np.sqrt(64 / np.pi))


def test_component_of_the_labels_is_found_where_a_true_finding_is_believed() -> None:
    maps, truth = two_kidneys()
    truth[0, 16:19, 20:24] = 1

    truths = score_findings(case_of(), maps, truth, 0.5).truths

    assert [(one.kind, round(one.volume_ml, 3)) for one in truths] == [
        ("kidney", 0.64),
        ("kidney", 0.12),
        ("tumor", 0.08),
    ]
    assert [one.is_found(Thresholds()) for one in truths] == [True, False, True]
    assert [one.is_found(Thresholds(kidney=0.95)) for one in truths] == [False, False, False]
    assert [one.is_found(Thresholds(tumor=0.3)) for one in truths] == [True, False, False]


def test_interval_tells_what_the_labels_hold_without_the_tumor() -> None:
    maps, truth = two_kidneys()

    right, _, tumor = score_findings(case_of(), maps, truth, 0.5).findings

    # 48 voxels of kidney found; the labels have 56, for only half of the found tumor is one.
    assert right.volume == Interval(0.48, right.volume.low, right.volume.high, pytest.approx(0.56))
    # Where p is above 0.3 the tumor's own kidney probability (0.35) counts too.
    assert (right.volume.low, right.volume.high) == pytest.approx((0.48, 0.64))
    assert right.volume.holds
    assert right.longest.found == pytest.approx(right.longest.true, abs=1e-3)
    assert tumor.volume.true == pytest.approx(0.08)
    assert (tumor.longest.found, tumor.longest.true) == pytest.approx((np.hypot(3, 3), np.hypot(3, 1)), abs=1e-4)
    assert Interval(1, 0.5, 2, 2.1).holds is False


@pytest.mark.parametrize(
    ("knowledge", "kinds"),
    [("everything", {"kidney", "tumor"}), ("kidney", {"kidney"}), ("no tumor", {"tumor"}), ("nothing", set())],
)
def test_only_what_the_labels_tell_is_judged(knowledge: Knowledge, kinds: set[str]) -> None:
    maps, truth = two_kidneys()
    case = case_of(knowledge)

    found = score_findings(case, maps, truth, 0.5)
    score = Prediction(case, maps, truth, GRID.voxel_ml).scores([0.5])[0]

    assert {one.kind for one in found.findings} == kinds
    assert np.isnan(score.kidney_tumor) == ("kidney" not in kinds)
    assert np.isnan(score.tumor) == ("tumor" not in kinds)
    assert set(summarise_findings([found], Thresholds())) == kinds


def test_tables_count_before_and_after_the_gate_by_size() -> None:
    maps, truth = two_kidneys()

    tables = summarise_findings([score_findings(case_of(), maps, truth, 0.5)], Thresholds(0, 0.5, 0.5))

    kidney, tumor = tables["kidney"], tables["tumor"]
    assert (kidney["all"]["true"], kidney["all"]["false"], kidney["all"]["precision"]) == (1, 1, 0.5)
    assert (kidney["believed"]["true"], kidney["believed"]["false"], kidney["believed"]["recall"]) == (1, 0, 1.0)
    assert kidney["all"]["by_size"]["under 10 mm"] == {"components": 1, "found": 1, "true": 1, "false": 1}
    assert (tumor["all"]["found"], tumor["believed"]["found"], tumor["believed"]["precision"]) == (1, 0, None)
    assert kidney["all"]["false_per_case"] == 1
    assert kidney["ranges"]["volume"]["inside"] == 1.0


def test_calibration_counts_by_number_and_by_volume() -> None:
    rows = calibration([finding("tumor", 0.75, 1.0, 3.0), finding("tumor", 0.72, 0.0, 1.0), finding("tumor", 1.0, 1.0)])

    shown = {row["low"]: row for row in rows if row["findings"]}
    assert set(shown) == {0.7, 0.9}
    assert (shown[0.7]["findings"], shown[0.7]["true"], shown[0.7]["true_volume"]) == (2, 0.5, 0.75)
    assert shown[0.7]["confidence"] == pytest.approx(0.735)
    assert shown[0.9]["findings"] == 1


def test_size_classes_and_sizes_of_slices_and_scans() -> None:
    assert [size_class(size) for size in (0, 9.99, 10, 39, 40)] == [
        "under 10 mm", "under 10 mm", "10 to 20 mm", "20 to 40 mm", "40 mm and more"
    ]  # fmt: skip
    assert equivalent_mm(0.1, GRID) == pytest.approx(2 * np.sqrt(10 / np.pi))
    assert equivalent_mm(4.18879, Grid((9, 9, 9), np.eye(4))) == pytest.approx(20, abs=1e-3)


def test_highest_thresholds_that_lose_little_enough_are_chosen() -> None:
    kidneys = (finding("kidney", 0.9, 1.0, 99.5), finding("kidney", 0.62, 1.0, 0.5), finding("kidney", 0.3, 0.0, 9.0))
    tumors = (finding("tumor", 0.84, 1.0, 96), finding("tumor", 0.7, 1.0, 4, kidney_confidence=0.9))
    cases = [CaseFindings(case_of(), (*kidneys, *tumors), ())]
    strict = replace(ThresholdsConfig(), kidney_loss=0.001, tumor_loss=0.0)

    assert choose_thresholds(cases, cases, ThresholdsConfig()) == Thresholds(0.6, 0.9, 0.8)
    assert choose_thresholds(cases, cases, strict) == Thresholds(0.6, 0.6, 0.7)
    # What the coarse stage is refused for must not be believed in the end.
    surer = [CaseFindings(case_of(), (finding("kidney", 0.95, 1.0),), ())]
    assert choose_thresholds(cases, surer, strict) == Thresholds(0.6, 0.6, 0.7)
    assert choose_thresholds(cases, surer, ThresholdsConfig()) == Thresholds(0.8, 0.9, 0.8)
    given = replace(strict, use=Thresholds(0.1, 0.2, 0.3))
    assert choose_thresholds(cases, cases, given) == given.use
    nothing_true = [CaseFindings(case_of(), (finding("kidney", 0.3, 0.0),), ())]
    assert choose_thresholds(nothing_true, nothing_true, ThresholdsConfig()) == Thresholds()


def test_tumor_is_lost_with_its_kidney_and_costs_say_by_size() -> None:
    kidney = finding("kidney", 0.5, 1.0)
    tumor = finding("tumor", 0.9, 1.0, 3.0, kidney_confidence=0.5)
    apart = finding("tumor", 0.9, 1.0, 1.0)
    false = finding("tumor", 0.2, 0.0, 1.0)
    truths = (TrueComponent("a", "tumor", 3.0, 12.0, (tumor,)), TrueComponent("a", "tumor", 1.0, 50.0, (apart,)))
    cases = [CaseFindings(case_of(), (kidney, tumor, apart, false), truths)]

    table = costs(cases, Thresholds(0, 0.6, 0.4))["tumor"]

    assert (table["true_kept"], table["true"], table["of_true"], table["false"], table["of_false"]) == (
        0.25,
        1,
        2,
        0,
        1,
    )
    assert table["lost_by_size"] == {"under 10 mm": 0, "10 to 20 mm": 1, "20 to 40 mm": 0, "40 mm and more": 0}
    rows = {row["confidence"]: row for row in costs(cases, Thresholds(0, 0.0, 0.4), 0.1)["tumor"]["table"]}
    assert (rows[0.0]["false"], rows[0.3]["false"], rows[0.3]["true"]) == (1, 0, 2)
    assert set(rows) == {0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}


def test_losses_of_thresholds_are_shares() -> None:
    for wrong in ({"tumor_loss": 1.5}, {"kidney_loss": -0.1}, {"step": 0.0}):
        with pytest.raises(BadInputError, match="between 0 and 1"):
            ThresholdsConfig(**wrong)


def test_summary_tells_what_is_believed_and_what_it_costs(tmp_path: Path) -> None:
    maps, truth = two_kidneys()
    volume = Volume.from_array(np.zeros((1, 20, 40), np.float32), GRID.ijk_to_ras)
    case = replace(case_of(), read=lambda: (volume, truth))
    healthy = replace(case_of("no tumor", "b"), read=lambda: (volume, np.zeros_like(truth)))
    predictions = [Prediction(case, maps, truth, GRID.voxel_ml), Prediction(healthy, maps, 0 * truth, GRID.voxel_ml)]

    summary = evaluate_cases(predictions, 0.5, Thresholds(0, 0.5, 0.5), tmp_path)

    assert summary["fused"]["kidney_tumor"] == pytest.approx(2 * 64 / (64 + 25 + 64))
    assert summary["believed"]["kidney_tumor"] == 1.0
    assert summary["true_kept"] == {"kidney": 1.0, "tumor": 0.0}
    assert (summary["shown"]["tumor"]["without"], summary["shown"]["tumor"]["false_alarms"]) == (1, 1)
    assert (summary["shown_believed"]["tumor"]["without"], summary["shown_believed"]["tumor"]["false_alarms"]) == (1, 0)
    assert summary["shown"]["kidney_tumor"]["slices"] == 1
    printed = format_summary(summary)
    assert "kidney_tumor, gate on: 1.0000" in printed
    assert "tumor findings, gate off: 1 true and 1 false" in printed
    assert (tmp_path / "findings.png").read_bytes().startswith(b"\x89PNG")
    assert len((tmp_path / "findings.csv").read_text().splitlines()) == 1 + 3 + 1


def test_pictures_of_a_folder_without_kidney_labels_show_false_tumors_last(tmp_path: Path) -> None:
    maps, truth = two_kidneys()
    score = partial(CaseScore, kidney_tumor=np.nan, tumor=np.nan, shows_kidney=False, shows_tumor=False)
    examples = [
        take_example(Prediction(case_of("no tumor", name), maps, 0 * truth, GRID.voxel_ml), score(name, name), found)
        for name, found in (("a", truth), ("b", 0 * truth))
    ]

    assert [example.case.id for example in choose_examples(examples)] == ["b", "a"]
    plot_pictures(tmp_path / "pictures.png", examples, "no labels")
    assert (tmp_path / "pictures.png").read_bytes().startswith(b"\x89PNG")
