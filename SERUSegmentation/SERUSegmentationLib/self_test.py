"""The module's self test: what it does and what it holds."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import slicer

from seru.errors import ModelError
from SERUSegmentationLib.run.handing import exportVolume
from SERUSegmentationLib.scene.geometry import gridOf
from SERUSegmentationLib.scene.sample_data import addPhantom
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

# The phantom's kidneys have about 300 ml; half of that is far from chance.
_LEAST_ML = 150.0


def checkHandedVolume(case: unittest.TestCase) -> None:
    """Check that a run reads the scene's volume: each voxel, on its grid, without its parent transform.

    Args:
        case: makes the assertions.
    """
    from seru.io.images import read_volume

    volume = _addPhantom()
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.diag([-1.0, -1.0, 1.0, 1.0])))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    with tempfile.TemporaryDirectory(prefix="SERU-") as folder:
        path = Path(folder) / "input.nrrd"
        exportVolume(volume, path)
        read = read_volume(path)
    case.assertTrue(np.array_equal(read.array_kji, slicer.util.arrayFromVolume(volume)))  # noqa: PT009
    case.assertTrue(np.allclose(read.grid.ijk_to_ras, gridOf(volume).ijk_to_ras, atol=1e-6))  # noqa: PT009


def segmentPhantom(
    case: unittest.TestCase, segment: Callable[[vtkMRMLScalarVolumeNode], vtkMRMLSegmentationNode]
) -> str:
    """Segment the phantom and check the result.

    Args:
        case: makes the assertions.
        segment: the logic's ``process``.

    Returns:
        What to tell.

    Raises:
        unittest.SkipTest: a model or packages are missing; the reason says how to get them.
    """
    volume = _addPhantom()
    try:
        node = segment(volume)
    except ModelError as error:
        # What a Slicer without setup may say; everything else fails the test.
        case.assertRegex(str(error), "missing|not on this computer")  # noqa: PT009
        case.skipTest(str(error))
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(number).GetName() for number in range(segmentation.GetNumberOfSegments())]
    case.assertEqual(names, ["Kidney", "Tumor"])  # noqa: PT009
    kidney = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentation.GetSegmentIdBySegmentName("Kidney"), volume)
    millilitres = float((kidney > 0).sum() * gridOf(volume).voxel_ml)
    case.assertGreater(millilitres, _LEAST_ML)  # noqa: PT009
    return _("Kidneys of {volume} ml").format(volume=round(millilitres))


def _addPhantom() -> vtkMRMLScalarVolumeNode:
    from seru.phantom import PhantomOptions

    # A fifth of the slices takes a fifth of the time.
    return addPhantom(PhantomOptions(shape_kji=(20, 192, 192), spacing_kji_mm=(14.0, 2.0, 2.0)))
