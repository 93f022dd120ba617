"""The arithmetic of ``benchmarks.peers``: how often a network runs on a CT, and what is made of the passes timed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.peer_networks import PLANS, UNET, count_patches, resampled_shape, time_passes
from benchmarks.peers import Row, Skipped, extrapolated, main, measure_one, parse, table
from seru.io.images import write_volume
from seru.model.engines import resolve_engine
from seru.phantom import PhantomOptions, make_phantom

FAST = PLANS["totalsegmentator-fast"]


def test_a_ct_is_resampled_to_the_plan_s_spacing() -> None:
    assert resampled_shape((200, 512, 512), (2.5, 0.75, 0.75), FAST) == (167, 128, 128)
    assert resampled_shape((200, 512, 512), (2.5, 0.75, 0.75), PLANS["nnunet-kits-fullres"]) == (640, 492, 492)
    assert resampled_shape((200, 512, 512), (2.5, 0.75, 0.75), PLANS["nnunet-kits19-winner"]) == (155, 237, 237)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(30, 1), (64, 1), (65, 2), (96, 2), (97, 3), (110, 3), (128, 3), (129, 4)],
)
def test_the_window_moves_by_half_a_patch_at_most_and_covers_the_end(length: int, expected: int) -> None:
    plan = replace(FAST, patch_kji=(64, 8, 8))

    assert count_patches((length, 8, 8), plan) == expected


def test_the_patches_of_every_axis_multiply() -> None:
    assert count_patches((167, 128, 128), FAST) == 2 * 2 * 1
    assert count_patches((640, 492, 492), PLANS["nnunet-kits-fullres"]) == 9 * 7 * 7
    assert count_patches((155, 237, 237), PLANS["nnunet-kits19-winner"]) == 3 * 2 * 2


def test_passes_are_multiplied_and_the_memory_is_not() -> None:
    row = extrapolated("a network", {"seconds": 1.5, "cpu_seconds": 2.5}, 3.0, passes=441, timed=2, source="a paper")

    assert row == Row("a network", 661.5, 1102.5, 3.0, passes=441, timed=2, source="a paper")


def test_the_first_pass_does_not_count() -> None:
    calls: list[int] = []

    found = time_passes(lambda: calls.append(1), 3)

    assert len(calls) == 4
    assert found["seconds"] >= 0


def test_the_table_marks_what_is_extrapolated_and_says_what_is_left_out() -> None:
    facts = {
        "machine": {"cpu": "A processor", "instructions": ["avx2", "amx_bf16"], "cores": 2, "load_before": 0.0},
        "ct": {"file": "ct.nii.gz", "shape_kji": [200, 512, 512], "spacing_kji_mm": [2.5, 0.75, 0.75]},
        "rows": {
            "seru-openvino": {**vars(Row("SERU", 10.0, 18.0, 1.4))},
            UNET: {**vars(extrapolated("U-Net", {"seconds": 0.5, "cpu_seconds": 0.9}, 0.5, 200, 20, ""))},
        },
        "skipped": {"seru-torch": "no room"},
    }

    lines = [line.split() for line in table(facts).splitlines()]

    assert " ".join(lines[0]) == "A processor (avx2 amx_bf16), 2 cores, load 0.0 before"
    assert lines[-3] == ["SERU", "10.0", "1.0", "18.0", "1.40", "end", "to", "end"]
    assert lines[-2] == ["U-Net", "~100.0", "10.0", "~180.0", "0.50", "20", "of", "200", "passes"]
    assert lines[-1] == ["left", "out:", "seru-torch:", "no", "room"]


def test_seru_is_timed_as_it_runs_by_itself_and_its_engine_named(tiny_model: Path, tmp_path: Path) -> None:
    phantom = make_phantom(PhantomOptions(shape_kji=(12, 96, 96), spacing_kji_mm=(16.0, 4.0, 4.0)))
    write_volume(phantom.volume, tmp_path / "ct.nrrd")
    given = parse(["--model", str(tiny_model)])

    rows = [
        measure_one(name, given, tmp_path / "ct.nrrd", (12, 96, 96), (16.0, 4.0, 4.0))
        for name in (given.only[0], "seru-torch")
    ]

    assert [row.title for row in rows] == [
        f"SERU, as it runs by itself: {resolve_engine('auto', 'cpu')[0]}",
        "SERU, torch",
    ]
    assert [row.passes for row in rows] == [None, None]


def test_a_u_net_that_is_not_here_is_left_out_with_the_reason(tmp_path: Path) -> None:
    given = parse(["--unet", str(tmp_path)])

    with pytest.raises(Skipped, match=r"holds no unet_kits19\.xml; --unet names the folder"):
        measure_one(UNET, given, tmp_path / "ct.nii.gz", (200, 512, 512), (2.5, 0.75, 0.75))


def test_a_way_that_fails_is_left_out_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(Skipped, match=r"there is no 'nothing\.nii\.gz'"):
        peers._process(["-c", "raise SystemExit(\"there is no 'nothing.nii.gz'\")"], [tmp_path])


def test_a_process_is_measured_and_its_output_kept() -> None:
    out, seconds, busy, peak = peers._process(["-c", "print('{}')"], [])

    assert json.loads(out) == {}
    assert min(seconds, busy) > 0
    # The kernel counts what this large process had at the fork as well.
    assert peak > 0.001


@pytest.mark.parametrize("arguments", [["--passes", "0"], ["--slices", "-3"], ["--passes", "two"], ["--only", "me"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "error: argument" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--ct", "nowhere.nii.gz"], "nowhere.nii.gz"),
        (["--output", "no/such/folder/peers.json"], "The folder of 'no/such/folder/peers.json' does not exist"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("peers: ")
    assert sentence in line
