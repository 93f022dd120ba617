"""The main job through the command: phantom, segmentation, measurements, Dice against the truth, pictures."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from training.scoring import dice

LEAST_KIDNEY_DICE = 0.90


def main() -> int:
    """Run the demo; the exit code is 1 where the kidney's Dice is below 0.90, and the command's where that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="model id or folder (default: the default model)")
    parser.add_argument("--output", type=Path, default=Path("build/demo"))
    parser.add_argument("--seed", type=int, default=0, help="of the phantom; no network was trained on it")
    arguments = parser.parse_args()
    folder: Path = arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    ct, truth, labels = (folder / name for name in ("phantom.nii.gz", "truth.nii.gz", "segmentation.nii.gz"))
    segmentation, report = folder / "segmentation.seg.nrrd", folder / "report.json"
    common = [*(["--model", arguments.model] if arguments.model else []), "--progress", "bar"]

    if not arguments.model:
        # The sources of a release hold no weights; this asks for their licence.
        run_seru("models", "fetch")
    run_seru("phantom", ct, "--truth", truth, "--seed", arguments.seed)
    run_seru(
        "segment", ct, "-o", segmentation, "--report", report, "--maps", folder / "maps", "--pictures", folder, *common
    )
    run_seru("fuse", folder / "maps", "-o", labels, "--alpha", json.loads(report.read_text())["alpha"])

    print_measurements(json.loads(report.read_text()))
    kidney, tumor = print_dice(read(truth), read(labels))
    print("\nFiles:", *sorted(str(path) for path in folder.iterdir()), sep="\n  ")
    print("\nYour own CT:  seru segment CT.nii.gz -o kidneys.seg.nrrd")
    return 0 if kidney >= LEAST_KIDNEY_DICE and np.isfinite(tumor) else 1


def run_seru(*arguments: object) -> None:
    """Run the command as a user would; where it fails it has said why, and the demo ends with its exit code."""
    command = [str(argument) for argument in arguments]
    print("\n$ seru", *command, flush=True)
    code = subprocess.run([sys.executable, "-m", "seru", *command], check=False).returncode
    if code:
        sys.exit(code)


def read(path: Path) -> np.ndarray:
    """Read labels, uint8, shape (K, J, I)."""
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def print_measurements(report: dict) -> None:
    """Print what the report says of both sides."""
    print(f"\nModel: {report['model']['title']} ({report['engine']} on {report['device']})")
    print(f"{'':8}{'key slice':>10}{'area cm2':>10}{'kidney ml':>11}{'tumor ml':>10}{'tumor mm':>10}")
    for side in ("right", "left"):
        found = report[side]
        key_slice = found["key_slice"] or {"index": "-", "area_mm2": 0}
        print(
            f"{side:8}{key_slice['index']:>10}{key_slice['area_mm2'] / 100:>10.1f}{found['kidney_ml']:>11.1f}"
            f"{found['tumor_ml']:>10.1f}{found['tumor_longest_mm']:>10.1f}"
        )


def print_dice(truth: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Print the Dice of kidney with tumor and of tumor, and return both."""
    kidney = dice(labels > 0, truth > 0)
    tumor = dice(labels == 2, truth == 2)
    print(f"\nDice against the phantom's truth: kidney with tumor {kidney:.3f}, tumor {tumor:.3f}")
    return kidney, tumor


if __name__ == "__main__":
    sys.exit(main())
