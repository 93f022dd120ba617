"""The phantom in Slicer's Sample Data: made on the spot, nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

    from seru.phantom import PhantomOptions

CATEGORY = "SERU"
SAMPLE = "SERUPhantom"
NODE_NAME = "SERU phantom CT"


def registerSampleData(iconFolder: Path) -> None:
    """Register the phantom; called once Slicer has started.

    Args:
        iconFolder: holds the thumbnail.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE,
        thumbnailFileName=str(Path(iconFolder) / f"{SAMPLE}.png"),
        # Slicer wants as many addresses as nodes; none is ever asked for.
        uris="",
        fileNames="",
        nodeNames=NODE_NAME,
        customDownloader=_onChosen,
    )


def addPhantom(options: PhantomOptions | None = None) -> vtkMRMLScalarVolumeNode:
    """Add a synthetic abdominal CT with two kidneys and their tumors to the scene, and show it.

    Args:
        options: patient and grid; None takes the defaults.

    Returns:
        The volume node.
    """
    from seru.phantom import PhantomOptions, make_phantom

    volume = make_phantom(options or PhantomOptions()).volume
    name = slicer.mrmlScene.GenerateUniqueName(NODE_NAME)
    node = slicer.util.addVolumeFromArray(volume.array_kji, ijkToRAS=volume.grid.ijk_to_ras, name=name)
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(400, 60)
    if getattr(slicer, "app", None) is not None and slicer.app.layoutManager() is not None:
        slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def _onChosen(source: object) -> None:
    addPhantom()
