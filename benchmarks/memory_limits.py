"""Runs ``seru segment`` under limits of its address space (RLIMIT_AS) and tells how it ends.

    python -m benchmarks.memory_limits --levels 8

Right are exit code 0 with an output, and exit code 4 with one sentence and nothing at the output.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from seru.io.images import write_volume
from seru.phantom import PhantomOptions, make_phantom

REPOSITORY = Path(__file__).resolve().parent.parent
MODEL = REPOSITORY / "Testing" / "models" / "phantom-tiny"
# Megabytes: from less than the libraries take to more than a run needs.
LOWEST, HIGHEST = 300, 8000


def main() -> int:
    """Print a line for each engine and level; 1 where any ended otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=int, default=8)
    parser.add_argument("--engine", nargs="*", default=["torch", "openvino"])
    parser.add_argument("--model", default=str(MODEL))
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "ct.nii.gz"
        grid = {"shape_kji": (60, 256, 256), "spacing_kji_mm": (5.0, 1.5, 1.5)}
        write_volume(make_phantom(PhantomOptions(**grid)).volume, source)
        for engine in arguments.engine:
            for megabytes in np.geomspace(LOWEST, HIGHEST, arguments.levels).round().astype(int).tolist():
                code, error, has_output = run(source, Path(folder) / "o.nii.gz", engine, arguments.model, megabytes)
                is_right = (code == 0 and has_output) or (code == 4 and len(error) == 1 and not has_output)
                wrong += not is_right
                print(f"{engine:10}{megabytes:6} MB{code:5}  {'' if is_right else 'WRONG '}{' | '.join(error)[-160:]}")
    return 1 if wrong else 0


def run(source: Path, output: Path, engine: str, model: str, megabytes: int) -> tuple[int, list[str], bool]:
    """Run the command once; return its exit code, its lines on stderr but warnings, and whether it left an output."""
    output.unlink(missing_ok=True)
    command = [sys.executable, "-m", "seru", "segment", source, "-o", output, "--engine", engine, "--device", "cpu"]
    done = subprocess.run(
        [*map(str, command), "--model", model, "--progress", "none"],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "SERUSegmentation")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20)),
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Warning: ")]
    return done.returncode, lines, output.exists()


if __name__ == "__main__":
    sys.exit(main())
