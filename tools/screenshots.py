"""Makes the README's pictures in the headless desktop: a run on the phantom, its panel, key patches, three alphas.

python -m tools.screenshots --output Resources/Screenshots
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from Testing.desktop import Desktop, click, desktop
from Testing.module.module_tools import agree, open_module

ALPHAS = (0.0, 0.4, 1.0)
RUN_TIMEOUT_S = 1800


def segment_ct(here: Desktop, path: Path | None = None, model: Path | None = None) -> Any:
    """Open a CT, click Segment, wait.

    Args:
        here: the desktop.
        path: of the CT; None takes the sample.
        model: folder of a model; None takes the default. Its licence counts as agreed to.

    Returns:
        The module's widget, with the result.

    Raises:
        RuntimeError: the run failed.
    """
    widget = open_module(here, model)
    agree(widget)
    from SERUSegmentationLib.scene.sample_data import addPhantom

    here.load_volume(path) if path else addPhantom()
    widget.initializeParameterNode()
    here.layout_manager.resetThreeDViews()
    click(widget.ui.segmentButton)
    here.wait_until(lambda: not widget.logic.isRunning, RUN_TIMEOUT_S)
    here.process_events(0.2)
    if widget.ui.outputSelector.currentNode() is None:
        raise RuntimeError(widget.ui.statusLabel.text)
    return widget


def take_panel(here: Desktop, widget: Any, folder: Path) -> None:
    """The panel with the four views at the left key slice."""
    click(widget.ui.leftJumpButton)
    here.layout_manager.resetThreeDViews()
    here.process_events(0.3)
    here.grab(folder / "panel.png")


def take_key_patches(here: Desktop, widget: Any, folder: Path) -> None:
    """Both sides' patches at their key slices."""
    click(widget.ui.cropBoxesCheckBox)
    click(widget.ui.inspectButton)
    here.process_events(0.4)
    here.grab(folder / "key_patches.png")
    click(widget.ui.inspectButton)
    click(widget.ui.cropBoxesCheckBox)
    here.process_events(0.2)


def take_alphas(here: Desktop, widget: Any, folder: Path) -> None:
    """The axial view of the left tumor at three alphas, side by side."""
    from PySide6.QtCore import QRect, Qt
    from PySide6.QtGui import QColor, QFont, QImage, QPainter

    from SERUSegmentationLib.scene.key_patch_layout import LAYOUT_ID

    click(widget.ui.cropBoxesCheckBox)
    click(widget.ui.inspectButton)
    here.process_events(0.4)
    assert here.layout_manager.layoutLogic().GetLayoutNode().GetViewArrangement() == LAYOUT_ID
    pictures = []
    for alpha in ALPHAS:
        widget.ui.alphaSlider.value = alpha
        here.process_events(0.2)
        pictures.append(here.grab_view("SERULeft"))
    side = min(pictures[0].width(), pictures[0].height())
    whole = QImage(side * len(pictures), side + 36, QImage.Format.Format_RGB32)
    whole.fill(QColor(24, 28, 36))
    painter = QPainter(whole)
    painter.setFont(QFont(painter.font().family(), 13))
    painter.setPen(QColor(230, 232, 236))
    for number, (alpha, picture) in enumerate(zip(ALPHAS, pictures, strict=True)):
        top = (picture.height() - side) // 2
        left = (picture.width() - side) // 2
        painter.drawImage(number * side, 36, picture.copy(left, top, side, side))
        name = {0.0: "alpha 0 (refined)", 1.0: "alpha 1 (coarse)"}.get(alpha, f"alpha {alpha:g}")
        painter.drawText(QRect(number * side, 0, side, 36), Qt.AlignmentFlag.AlignCenter, name)
    painter.end()
    whole.save(str(folder / "alpha.png"))
    click(widget.ui.alphaResetButton)
    click(widget.ui.inspectButton)
    click(widget.ui.cropBoxesCheckBox)
    here.process_events(0.2)


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="folder of a model (default: the default model)")
    parser.add_argument("--output", type=Path, default=Path("Resources/Screenshots"), help="folder of the pictures")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    with desktop(size=(1400, 900)) as here:
        widget = segment_ct(here, model=arguments.model)
        take_panel(here, widget, arguments.output)
        take_key_patches(here, widget, arguments.output)
        take_alphas(here, widget, arguments.output)
        if here.errors:
            raise RuntimeError(f"raised while Qt ran: {here.errors}")
    print(*sorted(str(path) for path in arguments.output.glob("*.png")), sep="\n")


if __name__ == "__main__":
    main()
