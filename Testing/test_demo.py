"""The demo's command where it cannot run: what the command said is all, without a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from Testing import REPOSITORY


def test_a_demo_that_cannot_run_ends_with_the_command_s_sentence_and_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.demo_command", "--model", "no-such-model", "--output", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False)

    assert done.returncode == 3
    assert "The model 'no-such-model' is unknown" in done.stderr
    assert "Traceback" not in done.stderr
