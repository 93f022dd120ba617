"""What a user does, in the headless desktop: open the sample, click Segment, move alpha, save.

    python -m tools.demo --output build/demo

leaves pictures, the segmentation (.seg.nrrd), the measurements (.csv) and the scene (.mrb), and prints the measurements
and the Dice against the phantom's truth. ``--window`` opens the same as a window.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from seru.options import SegmentOptions
from seru.phantom import make_phantom
from seru.result import finish
from Testing.desktop import click, desktop, drag_slider, has_screen
from Testing.module.module_tools import labels_of
from tools.screenshots import segment_ct, take_alphas, take_key_patches, take_panel
from training.scoring import dice


def print_measurements(widget: Any) -> None:
    """Print the panel's table."""
    print(f"{'':8}{'kidney ml':>10}{'tumor ml':>10}{'longest mm':>12}{'share %':>9}")
    for row in widget.parts.controller.rows:
        kidney, tumor, longest, share = row.texts()
        print(f"{row.title:8}{kidney:>10}{tumor:>10}{longest:>12}{share:>9}")


def print_dice(widget: Any, node: Any, volume: Any) -> None:
    """Print the Dice against the truth, at the model's alpha and at both ends."""
    truth, alpha = make_phantom().labels_kji, widget._parameterNode.alpha
    result = widget.parts.controller.result

    def labels_at(alpha: float) -> np.ndarray:
        return result.maps.whole(finish(result.maps, SegmentOptions(alpha=alpha), result.fusion).labels_box)

    shown = labels_of(node, volume)
    if not np.array_equal(shown, labels_at(alpha)):
        raise RuntimeError("the segments differ from what the maps give")
    for name, labels in ((f"alpha {alpha:g}", shown), ("refined", labels_at(0.0)), ("coarse", labels_at(1.0))):
        both, tumor = dice(labels > 0, truth > 0), dice(labels == 2, truth == 2)
        print(f"Dice, {name:10} kidney and tumor {both:.3f}, tumor {tumor:.3f}")


def save(here: Any, node: Any, folder: Path) -> None:
    """Write segmentation, measurements and scene."""
    import slicer

    from SERUSegmentationLib.scene.measurement_table import exportCsv

    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(folder / "phantom.seg.nrrd"))
    if not storage.WriteData(node):
        raise OSError(f"cannot write {folder / 'phantom.seg.nrrd'}")
    exportCsv(node, folder / "measurements.csv")
    if not here.save_scene(folder / "phantom.mrb"):
        raise OSError(f"cannot write {folder / 'phantom.mrb'}")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="folder of a model (default: the default model)")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder of the results")
    parser.add_argument("--window", action="store_true", help="open a window and leave it to you")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.window and not has_screen():
        parser.error("there is no screen here; leave --window out")
    with desktop(size=(1400, 900), is_interactive=arguments.window) as here:
        widget = segment_ct(here, model=arguments.model)
        node, volume = widget.ui.outputSelector.currentNode(), widget.ui.inputSelector.currentNode()
        print(widget.ui.statusLabel.text)
        drag_slider(widget.ui.alphaSlider, 0.8)
        click(widget.ui.alphaResetButton)
        print_measurements(widget)
        print_dice(widget, node, volume)
        take_panel(here, widget, arguments.output)
        take_key_patches(here, widget, arguments.output)
        take_alphas(here, widget, arguments.output)
        save(here, node, arguments.output)
        print(*sorted(str(path) for path in arguments.output.iterdir() if path.is_file()), sep="\n")
        if here.errors:
            raise RuntimeError(f"raised while Qt ran: {here.errors}")
        if arguments.window:
            here.app.exec()


if __name__ == "__main__":
    main()
