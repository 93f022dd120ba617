"""Runs every test of this folder, and a whole segmentation, inside Slicer; its exit code tells how it went."""

import sys
import traceback
import unittest
from pathlib import Path

import slicer

HERE = Path(__file__).resolve().parent


def segmentPhantom() -> None:
    """Segment the phantom with the default model and compare with the truth."""
    from seru.phantom import make_phantom
    from SERUSegmentation import SERUSegmentationLogic
    from SERUSegmentationLib.scene.sample_data import addPhantom
    from Testing.module.scene_tools import labels_of
    from training.scoring import dice

    volume = addPhantom()
    node = SERUSegmentationLogic().process(volume, device="cpu")
    found, truth = labels_of(node, volume) > 0, make_phantom().labels_kji > 0
    agreement = dice(found, truth)
    print(f"Dice of kidney and tumor together: {agreement:.3f}")
    if not agreement >= 0.85:
        raise AssertionError(f"Dice is {agreement:.3f}, expected 0.85 or more")


def main() -> int:
    """Run everything.

    Returns:
        0 where all went well.
    """
    sys.path[:0] = [str(HERE), str(HERE.parents[1])]
    suite = unittest.TestSuite()
    for file in sorted(HERE.glob("*Test.py")):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromName(file.stem))
    outcome = unittest.TextTestRunner(verbosity=2).run(suite)
    if not outcome.testsRun or not outcome.wasSuccessful():
        return 1
    segmentPhantom()
    return 0


try:
    code = main()
except Exception:
    traceback.print_exc()
    code = 1
slicer.util.exit(code)
