"""The phantom in Slicer's Sample Data: made on the spot, nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer

import seru

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode

    from seru.phantom import PhantomOptions

CATEGORY = "SERU"
SAMPLE = "SERUPhantom"
NODE_NAME = "SERU phantom CT"
# No scheme that anyone could ask a network for.
_ADDRESS = "seru-phantom:default"


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
        uris=_ADDRESS,
        fileNames=f"{SAMPLE}-{seru.__version__}.nrrd",
        nodeNames=NODE_NAME,
        customDownloader=_onChosen,
    )
    # The panel calls the function above; scripts (``SampleData.downloadSample``) load what the address leads to.
    SampleData.SampleDataLogic.registerUrlRewriteRule(SAMPLE, _rewritten)


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


def _onChosen(source: object) -> vtkMRMLScalarVolumeNode:
    return addPhantom()


def _rewritten(address: str) -> str:
    """Return the address of the phantom's file, made now, in the place of ours."""
    if address != _ADDRESS:
        return address
    from seru.io.images import write_volume
    from seru.phantom import PhantomOptions, make_phantom

    path = Path(slicer.app.temporaryPath) / f"{SAMPLE}.nrrd"
    write_volume(make_phantom(PhantomOptions()).volume, path)
    return path.as_uri()
