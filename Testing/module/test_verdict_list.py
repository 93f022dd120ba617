"""Verdicts that were given on a cohort's page, read into the panel."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from seru.cohort.verdict_list import COLUMNS
from seru.phantom import Phantom
from Testing.desktop import Desktop, click
from Testing.desktop.pytest_fixtures import slicer_desktop
from Testing.module.panel_fixtures import node, panel
from Testing.module.scene_tools import doubtful_maps, save, tiny_phantom

__all__ = ["node", "panel", "slicer_desktop"]


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return tiny_phantom()


@pytest.fixture
def maps_file(phantom: Phantom, tmp_path: Path) -> Path:
    return save(doubtful_maps(phantom), tmp_path)


def statuses(panel: Any) -> dict[tuple[str, str], list[str]]:
    """The status of every finding, by kind and side."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in panel.parts.controller.measured:
        found.setdefault((one.finding.kind, one.finding.side), []).append(one.finding.status)
    return found


def write_list(path: Path, panel: Any, verdicts: dict[tuple[str, str], str], case: str) -> Path:
    """Write what a person said of the first finding of each kind and side, and of one that is not there."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for (kind, side), verdict in verdicts.items():
            measured = panel.parts.controller.measured
            one = next(m.finding for m in measured if (m.finding.kind, m.finding.side) == (kind, side))
            row = [case, f"{side} {kind} {one.number}", *one.centre_ras, one.volume_ml, verdict, "blurred"]
            writer.writerow(row)
        writer.writerow([case, "right tumor 9", 900, 900, 900, 1, "accept", ""])
        writer.writerow(["another case", "left kidney 1", 0, 0, 0, 1, "dismiss", ""])
    return path


def read_list(desktop: Desktop, panel: Any, *answers: Any) -> str:
    desktop.dialogs.answer(*answers)
    click(panel.ui.verdictListButton)
    desktop.process_events()
    return panel.ui.statusLabel.text


def test_what_was_said_of_this_ct_is_applied_and_the_rest_is_told(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    said = {("tumor", "left"): "accept", ("tumor", "right"): "dismiss", ("kidney", "right"): "needs_work"}
    path = write_list(tmp_path / "verdicts.csv", panel, said, "ct")
    before = statuses(panel)
    assert (before[("tumor", "left")], before[("tumor", "right")]) == (["candidate"], ["believed"])

    text = read_list(slicer_desktop, panel, str(path))

    after = statuses(panel)
    assert (after[("tumor", "left")], after[("tumor", "right")]) == (["accepted"], ["dismissed"])
    assert after[("kidney", "right")] == before[("kidney", "right")]
    assert text.startswith("Verdicts that were read: 4. ")
    assert "A person says that this needs work: the right kidney 1" in text
    assert "blurred" in text
    assert "The right tumor 9 (1.0 ml at 900, 900, 900 mm) was not found, so its verdict was not applied." in text

    # The same list again changes nothing.
    read_list(slicer_desktop, panel, str(path))
    assert statuses(panel) == after


def test_of_several_cases_the_user_chooses_where_none_is_called_so(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path
) -> None:
    path = write_list(tmp_path / "verdicts.csv", panel, {("tumor", "left"): "accept"}, "patient 7")
    before = statuses(panel)

    for nothing in ("Choose a case", None):
        read_list(slicer_desktop, panel, str(path), nothing)
        assert statuses(panel) == before
    read_list(slicer_desktop, panel, str(path), "patient 7")

    assert statuses(panel)[("tumor", "left")] == ["accepted"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name,verdict\n", "is no list of verdicts"),
        (",".join(COLUMNS) + "\n", "The list holds no verdict"),
        (",".join(COLUMNS) + "\nct,left tumor 1,x,0,0,1,accept,\n", "for a number"),
    ],
)
def test_a_list_that_cannot_be_read_is_a_sentence_and_changes_nothing(
    slicer_desktop: Desktop, panel: Any, node: Any, tmp_path: Path, content: str, sentence: str
) -> None:
    before = statuses(panel)
    (tmp_path / "list.csv").write_text(content, encoding="utf-8")

    assert sentence in read_list(slicer_desktop, panel, str(tmp_path / "list.csv"))
    assert statuses(panel) == before


def test_without_findings_there_is_nothing_to_decide_on(slicer_desktop: Desktop, panel: Any) -> None:
    assert not panel.ui.verdictListButton.enabled
