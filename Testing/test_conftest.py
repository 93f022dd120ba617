"""What the tests have in common."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from Testing import REPOSITORY


def test_a_shared_fixture_that_fails_is_one_error_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "test_three.py"
    file.write_text("".join(f"def test_{number}(tiny_model): assert tiny_model\n" for number in range(3)))
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "SERUSegmentation")])
    environment = {**os.environ, "PYTHONPATH": path, "SERU_TINY_MODEL": str(tmp_path / "nowhere")}
    command = [sys.executable, "-m", "pytest", "-p", "Testing.conftest", "-c", os.devnull, "-ra", str(file)]

    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=120)

    told = [line for line in run.stdout.splitlines() if "The tiny model cannot be used" in line]
    assert run.returncode == 1, run.stdout + run.stderr
    assert "2 skipped, 1 error" in run.stdout
    assert "Traceback" not in run.stdout
    # Where it happened, in the summary, and as the reason of the skipped.
    assert len(told) == 3, run.stdout
