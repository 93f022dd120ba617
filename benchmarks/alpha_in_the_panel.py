"""Alpha in the panel on 512x512x200: time of a step, and how often which view is rendered, in the headless desktop.

python -m benchmarks.alpha_in_the_panel

The views are on. Beside today's way the plain one is timed in the same run: every stored voxel that can change is fused
and written again, and both events are sent to all views.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seru.result.fusion import LiveFusion
from seru.result.maps import Maps
from Testing.desktop import Desktop, desktop
from Testing.module.module_tools import labels_of, open_module, show_result
from Testing.module.scene_tools import fused_truth, make_maps, save

POSITIONS = 21
VIEWS = ("Red", "Green", "Yellow", "3D")


def large_case() -> tuple[np.ndarray, Maps]:
    """Return an image (int16, shape (200, 512, 512)) and maps whose stages dispute a rim of two ellipsoids.

    The voxels that alpha can change do so at alphas all over the slider.
    """
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
    maps = make_maps(matrix, coarse, labels, sides)
    for stage in (maps.coarse, maps.refined):
        # As sure as a softmax near a border: from just the most probable to certain.
        stage[...] = stage * rng.uniform(0.55, 1.0, (len(stage), 1))
    return labels.astype(np.int16), maps


def plain_step(result: Any, alpha: float) -> None:
    """Write an alpha without knowing where the one before was, and tell everyone."""
    import slicer

    values = result.fusion.changing_labels(alpha)
    result.layer.writeVoxels(result.fusion.changing_index, values)
    result.segmentationNode.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)


def measure(here: Desktop, step: Callable[[float], None]) -> tuple[list[float], list[float], dict[str, float]]:
    """Move alpha along the slider.

    Args:
        here: the desktop.
        step: shows an alpha, without rendering.

    Returns:
        Seconds of each step, seconds of each step's rendering, and renders of a step by view.
    """
    views = {name: here.three_d_view() if name == "3D" else here.slice_view(name) for name in VIEWS}
    step(0.5)
    here.process_events(0.2)
    before = {name: view.renderCount() for name, view in views.items()}
    steps, renders = [], []
    # Never the alpha of the result, where the findings settle.
    for alpha in np.linspace(0.01, 1, POSITIONS):
        begin = time.perf_counter()
        step(float(alpha))
        steps.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        here.wait_until(lambda: not any(view.isRenderAwaited() for view in views.values()))
        renders.append(time.perf_counter() - begin)
    counts = {name: (view.renderCount() - before[name]) / POSITIONS for name, view in views.items()}
    return steps, renders, counts


def main() -> None:
    """Print the medians of both ways."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    image, maps = large_case()
    with desktop() as here, tempfile.TemporaryDirectory() as folder:
        panel = open_module(here)
        volume = here.add_volume(image, maps.grid.ijk_to_ras, "CT")
        node = show_result(here, panel, save(maps, Path(folder)))
        node.CreateClosedSurfaceRepresentation()
        controller = panel.parts.controller
        plain = measure(here, lambda alpha: plain_step(controller.result, alpha))
        # Both ways end in the same voxels, so today's can go on from the plain one's.
        begin = time.perf_counter()
        controller.preview(0.5)
        first_ms = 1e3 * (time.perf_counter() - begin)
        ours = measure(here, controller.preview)
        if not np.array_equal(labels_of(node, volume), fused_truth(maps, 1.0)):
            raise RuntimeError("the segments differ from the fusion")
    print(f"{LiveFusion(maps).changing_index.size} voxels can change; first step {first_ms:.0f} ms")
    for name, (steps, renders, counts) in (("plain", plain), ("now", ours)):
        shown = ", ".join(f"{view} {count:.2f}" for view, count in counts.items())
        print(
            f"{name}: {1e3 * statistics.median(steps):.1f} ms a step, {1e3 * max(steps):.1f} ms at most, "
            f"{1e3 * statistics.median(renders):.0f} ms rendering (renders: {shown})"
        )
    print(f"ratio of the medians: {statistics.median(plain[0]) / statistics.median(ours[0]):.1f}")


if __name__ == "__main__":
    main()
