"""SERU beside a public network on single slices."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("yaml", reason="the recipe's packages are not installed")
pytest.importorskip("monai", reason="the recipe's packages are not installed")

from benchmarks.peer_scores import main, peer_way, score, was_seen
from seru.model.engines import resolve_engine
from training.cases import slice_cases


def test_patients_that_the_network_knows_stand_apart(
    slices: Path, teacher: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--data", str(slices), "--peer", str(teacher), "--model", str(tiny_model), "--part", "all"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "patients it was not trained on: 2 slices of 2 patients"
    assert "all of them: 3 slices of 3 patients" in lines
    peers = [line.split(" | ")[1:4] for line in lines if line.startswith("| public")]
    # The bright half is the kidney of the two; the one without a kidney is bright there, too.
    assert [[float(value) for value in of[:2]] for of in peers] == [pytest.approx([1, 1], abs=0.02)] * 2
    assert [of[2] for of in peers] == ["1 of 1", "1 of 1"]
    assert sum(line.startswith(f"| SERU, {resolve_engine()[0]} |") for line in lines) == 2
    assert sum(line.startswith("| public 2D U-Net, openvino in float32 |") for line in lines) == 2


def test_scores_are_those_of_each_slice(slices: Path, teacher: Path) -> None:
    cases = slice_cases(slices)

    found = score(peer_way(teacher), cases)

    assert (len(found.dice), found.without, found.false_alarms) == (2, 1, 1)
    assert len(found.seconds) == 3


@pytest.mark.parametrize(("patient", "expected"), [("case_00002", False), ("case_00003", True), ("case_00400", False)])
def test_patients_it_was_trained_on(patient: str, expected: bool) -> None:
    assert was_seen(patient) is expected


def test_slices_or_networks_that_are_not_there_are_said(
    slices: Path, teacher: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for data, peer, said in ((tmp_path / "none", teacher, "none"), (slices, tmp_path / "no.xml", "no.xml")):
        assert main(["--data", str(data), "--peer", str(peer), "--model", str(tiny_model), "--part", "all"]) == 2
        assert said in capsys.readouterr().err
    rows = (slices / "manifest.csv").read_text().splitlines()
    (slices / "manifest.csv").write_text("\n".join([rows[0], rows[2]]) + "\n")
    assert main(["--data", str(slices), "--peer", str(teacher), "--model", str(tiny_model), "--part", "all"]) == 2
    assert "no slice with kidney" in capsys.readouterr().err


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """Three slices, bright on one half, which is kidney on two of them."""
    folder = tmp_path / "slices"
    for place in ("images", "masks"):
        (folder / place).mkdir(parents=True)
    image = np.zeros((64, 64), np.uint8)
    image[:, 32:] = 255
    rows = ["file,case,source,kind,window_lo,window_hi,px_kidney,px_tumor"]
    for name, kidney in (("case_00002", 1), ("case_00003", 1), ("case_00400", 0)):
        cv2.imwrite(str(folder / "images" / f"{name}_z.webp"), image, [cv2.IMWRITE_WEBP_QUALITY, 101])
        cv2.imwrite(str(folder / "masks" / f"{name}_z.png"), (image > 0) * np.uint8(kidney))
        rows.append(f"{name}_z,{name},kits23,mid,-125,225,{2048 * kidney},0")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder
