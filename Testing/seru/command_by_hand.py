"""What the tests of bad input share: the command run in this process, and a model that needs no training."""

from __future__ import annotations

from pathlib import Path

import pytest

from seru.cli import main


def run_command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run the command; return its exit code and its one line on stderr."""
    code = main([*map(str, arguments), "--progress", "none"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("seru: ")
    return code, lines[0]


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def make_random_model(folder: Path) -> Path:
    """Write a tiny network with random weights: enough where what it finds does not matter."""
    from seru.model.architecture import Architecture
    from seru.model.network import SERU
    from seru.model.store import ModelCard
    from seru.model.weights import write_model_folder

    shape = Architecture(
        blocks=(1, 1, 1, 1), base_channels=8, cardinality=4, base_width=8, decoder_channels=(8, 8, 8, 8, 8), reduction=4
    )
    card = ModelCard("random", "Random", "Apache-2.0", "nothing", architecture=shape, crop_size=64, coarse_size=64)
    write_model_folder(folder, card, SERU(shape).state_dict(), SERU(shape).state_dict())
    return folder
