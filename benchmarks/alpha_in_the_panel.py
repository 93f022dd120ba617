"""How long the panel takes from an alpha to the updated segmentation of 512x512x200, in the headless desktop.

python -m benchmarks.alpha_in_the_panel
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from seru.result.fusion import LiveFusion
from seru.result.maps import Maps
from Testing.desktop import desktop
from Testing.module.module_tools import labels_of, open_module, show_result
from Testing.module.scene_tools import fused_truth, make_maps, save

POSITIONS = 20


def large_case() -> tuple[np.ndarray, Maps]:
    """Return an image (int16, shape (200, 512, 512)) and maps whose stages dispute the borders of two ellipsoids."""
    k, j, i = np.ogrid[:200, :512, :512]
    labels, sides = np.zeros((200, 512, 512), np.uint8), np.zeros((200, 512, 512), np.uint8)
    for code, centre in ((1, 150), (2, 360)):
        radius = ((k - 100) / 70.0) ** 2 + ((j - 300) / 55.0) ** 2 + ((i - centre) / 50.0) ** 2
        labels[radius < 1] = 1
        sides[radius < 1.15] = code
        labels[((k - 130) / 25.0) ** 2 + ((j - 270) / 40.0) ** 2 + ((i - centre) / 40.0) ** 2 < 1] = 2
    sides[(labels > 0) & (sides == 0)] = 1
    rng = np.random.default_rng(0)
    coarse = np.where(sides > 0, 1, labels).astype(np.uint8)
    coarse[(rng.random(labels.shape) < 0.01) & (labels == 1)] = 2
    matrix = np.diag([-0.8, -0.8, 1.0, 1.0])
    matrix[:3, 3] = (200, 200, -100)
    return labels.astype(np.int16), make_maps(matrix, coarse, labels, sides)


def main() -> None:
    """Print the median over positions of the slider."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    image, maps = large_case()
    with desktop() as here, tempfile.TemporaryDirectory() as folder:
        panel = open_module(here)
        volume = here.add_volume(image, maps.grid.ijk_to_ras, "CT")
        node = show_result(here, panel, save(maps, Path(folder)))
        seconds = []
        for alpha in np.linspace(0, 1, POSITIONS):
            begin = time.perf_counter()
            panel.ui.alphaSlider.valueIsChanging.emit(float(alpha))
            seconds.append(time.perf_counter() - begin)
            here.process_events()
        if not np.array_equal(labels_of(node, volume), fused_truth(maps, 1.0)):
            raise RuntimeError("the segments differ from the fusion")
    changing, median_ms = LiveFusion(maps).changing_index.size, 1e3 * statistics.median(seconds)
    print(f"alpha on 512x512x200, {changing} voxels can change: median {median_ms:.1f} ms with the scene written")


if __name__ == "__main__":
    main()
