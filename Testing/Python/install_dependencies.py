"""Installs, without questions, what the segmentation needs inside Slicer; for continuous integration."""

import sys
import traceback
from pathlib import Path

import slicer

MODULE = Path(__file__).resolve().parents[2] / "SERUSegmentation"


def main() -> None:
    """Install the PyTorch extension if the first start lacks it, then PyTorch and the other packages."""
    sys.path.insert(0, str(MODULE))
    from SERUSegmentationLib.panel.installation import findMissing, installMissing

    manager = slicer.app.extensionsManagerModel()
    if not manager.isExtensionInstalled("PyTorch"):
        manager.interactive = False
        if not manager.installExtensionFromServer("PyTorch", False):
            raise RuntimeError("The PyTorch extension could not be installed.")
        # Without a restart: its module is loaded from where it was put.
        sys.path[:0] = [str(path.parent) for path in Path(manager.extensionsInstallPath()).rglob("PyTorchUtils.py")]
    installMissing(findMissing(MODULE / "Resources" / "requirements.txt"))


try:
    main()
    code = 0
except Exception:
    traceback.print_exc()
    code = 1
slicer.util.exit(code)
