"""The mutants of the core rules are of the code as it is."""

from __future__ import annotations

from Testing import REPOSITORY
from tools.mutants import MUTANTS


def test_every_mutant_finds_its_place_once() -> None:
    folder = REPOSITORY / "SERUSegmentation" / "seru"
    counts = {one.name: (folder / one.file).read_text(encoding="utf-8").count(one.old) for one in MUTANTS}

    assert len(counts) == len(MUTANTS) > 80
    assert {name: count for name, count in counts.items() if count != 1} == {}
