"""Records a moved crop box as pictures, in the headless desktop: before, while its side is refined, after.

    python -m tools.drag_pictures --input CT.nii.gz --output build/drag

To be looked at: whether it is plain which side is refined, slices change as they arrive, and sides are told apart
without color (``gray.png``).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from seru.findings import SIDES, Side
from Testing.desktop import Desktop, click, desktop, drag
from tools.screenshots import RUN_TIMEOUT_S, segment_ct

# Pixels of the axial view: so far that the box leaves half a kidney, whose pixels change then.
_BY = (0, -100)


def drag_box(here: Desktop, widget: Any, side: Side) -> None:
    """Drag the box of a side by the handle in its middle, in the axial view."""
    import slicer

    from SERUSegmentationLib.scene.box_handles import cropBoxes

    view = here.slice_view("Red")
    roi = cropBoxes(widget.parts.controller.segmentationNode)[side]
    xy_to_ras = slicer.util.arrayFromVTKMatrix(view.mrmlSliceNode().GetXYToRAS())
    x, y = (np.linalg.inv(xy_to_ras) @ [*roi.GetCenterWorld(), 1.0])[:2]
    start = round(x), round(view.height - 1 - y)
    here.process_events(0.1)
    drag(view, start, (start[0] + _BY[0], start[1] + _BY[1]))


def record(here: Desktop, widget: Any, side: Side, folder: Path) -> None:
    """Take the pictures."""
    ui, controller = widget.ui, widget.parts.controller
    for button in (ui.inputsCollapsibleButton, ui.resultCollapsibleButton):
        button.collapsed = True
    ui.keySlicesCollapsibleButton.collapsed = False
    # What the refine stage gives, alone.
    ui.alphaSlider.value = 0.0
    here.process_events()
    ui.moveBoxesCheckBox.click()
    click(getattr(ui, f"{side}JumpButton"))
    here.process_events(0.3)
    here.grab(folder / "1_before.png")
    drag_box(here, widget, side)
    here.wait_until(lambda: controller.result.showsParts or not widget.logic.isRunning, RUN_TIMEOUT_S)
    here.grab(folder / "2_first_slices.png")
    here.process_events(1.0)
    here.grab(folder / "3_during.png")
    here.wait_until(lambda: not widget.logic.isRunning, RUN_TIMEOUT_S)
    here.process_events(0.5)
    here.grab(folder / "4_after.png")
    from PySide6.QtGui import QImage

    here.grab().convertToFormat(QImage.Format.Format_Grayscale8).save(str(folder / "gray.png"))


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, help="CT file; default: the sample")
    parser.add_argument("--side", choices=SIDES, default="left")
    parser.add_argument("--output", type=Path, default=Path("build/drag"), help="folder of the pictures")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    with desktop(size=(1400, 900)) as here:
        record(here, segment_ct(here, arguments.input), arguments.side, arguments.output)
        if here.errors:
            raise RuntimeError(f"raised while Qt ran: {here.errors}")
    print(*sorted(str(path) for path in arguments.output.glob("*.png")), sep="\n")


if __name__ == "__main__":
    main()
