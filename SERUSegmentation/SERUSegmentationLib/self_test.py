"""The module's self test: what it does and what it holds."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING

import slicer

from seru.errors import ModelError
from SERUSegmentationLib.scene.geometry import gridOf
from SERUSegmentationLib.scene.sample_data import addPhantom
from SERUSegmentationLib.texts import _

if TYPE_CHECKING:
    from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode

# The phantom's kidneys have about 300 ml; half of that is far from chance.
_LEAST_ML = 150.0


def testPhantom(case: unittest.TestCase, segment: Callable[[vtkMRMLScalarVolumeNode], vtkMRMLSegmentationNode]) -> str:
    """Segment the phantom and check the result.

    Args:
        case: makes the assertions.
        segment: the logic's ``process``.

    Returns:
        What to tell; without a model or packages the sentence that says what is missing.
    """
    from seru.phantom import PhantomOptions

    # A third of the slices takes a third of the time.
    volume = addPhantom(PhantomOptions(shape_kji=(32, 192, 192), spacing_kji_mm=(9.0, 2.0, 2.0)))
    try:
        node = segment(volume)
    except ModelError as error:
        # The one thing that a Slicer without setup may say; everything else fails the test.
        case.assertRegex(str(error), "model|package")  # noqa: PT009
        return str(error)
    segmentation = node.GetSegmentation()
    names = [segmentation.GetNthSegment(number).GetName() for number in range(segmentation.GetNumberOfSegments())]
    case.assertEqual(names, ["Kidney", "Tumor"])  # noqa: PT009
    kidney = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentation.GetSegmentIdBySegmentName("Kidney"), volume)
    millilitres = float((kidney > 0).sum() * gridOf(volume).voxel_ml)
    case.assertGreater(millilitres, _LEAST_ML)  # noqa: PT009
    return _("Kidneys of {volume} ml").format(volume=round(millilitres))
