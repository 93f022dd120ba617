"""Which views are rendered, and how often.

A view that is asked again later than a frame after the first time renders at once, in the midst of what goes on: a
result that is written node by node would be drawn again and again. In a script without a window there is nothing to
hold back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import slicer

if TYPE_CHECKING:
    from slicer import qSlicerLayoutManager, vtkMRMLSegmentationNode


@contextmanager
def renderedOnce() -> Iterator[None]:
    """Let every view wait for the end of what is written, and be rendered once."""
    app = getattr(slicer, "app", None)
    if app is None:
        yield
        return
    app.pauseRender()
    try:
        yield
    finally:
        app.resumeRender()


@contextmanager
def onlySlicesRendered(segmentationNode: vtkMRMLSegmentationNode) -> Iterator[None]:
    """Let no view be rendered but the slices in which a segmentation is seen: its voxels change, its surfaces do not.

    Args:
        segmentationNode: is told to be changed meanwhile, and nothing else is.
    """
    app = getattr(slicer, "app", None)
    manager = app.layoutManager() if app is not None else None
    views = _viewsWithout(segmentationNode, manager) if manager is not None else []
    # What was asked of these views before is still to be rendered: only what is asked now is forgotten.
    enabled = [view for view in views if view.renderEnabled]
    for view in enabled:
        view.renderEnabled = False
    try:
        yield
    finally:
        for view in enabled:
            view.renderEnabled = True


def _viewsWithout(segmentationNode: vtkMRMLSegmentationNode, manager: qSlicerLayoutManager) -> list[Any]:
    """The 3D views, and the slice views in which a segmentation is not shown."""
    display = segmentationNode.GetDisplayNode()
    views = [manager.threeDWidget(number).threeDView() for number in range(manager.threeDViewCount)]
    for name in manager.sliceViewNames():
        widget = manager.sliceWidget(name)
        if display is None or not (display.GetVisibility2D() and display.GetVisibility(widget.mrmlSliceNode().GetID())):
            views.append(widget.sliceView())
    return views
