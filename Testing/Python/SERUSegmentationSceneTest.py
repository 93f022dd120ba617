"""Inside Slicer: a result whose truth is known is written into the scene, moved, saved and loaded. Needs no PyTorch."""

import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import slicer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from seru.result.nephrometry import studies
from SERUSegmentationLib.scene.live_result import LiveResult
from SERUSegmentationLib.scene.nephrometry_markups import drawNephrometry, nephrometryOf, removeNephrometry
from SERUSegmentationLib.scene.nodes import COMPANIONS, DRAWN_TABLE, OUTLINES, VERDICTS, companion
from SERUSegmentationLib.scene.scene_writer import SceneWriter
from SERUSegmentationLib.scene.stored_result import readMaps
from Testing.module.scene_tools import add_volume, fused_truth, labels_of, maps_of, save, tiny_phantom


class SERUSegmentationSceneTest(unittest.TestCase):
    """What Segment writes, in the Slicer that runs this."""

    def setUp(self) -> None:
        """Start with an empty scene and a result under a rotation."""
        slicer.mrmlScene.Clear(0)
        self.folder = tempfile.TemporaryDirectory()
        self.phantom = tiny_phantom(oblique_degrees=(10.0, -5.0, 15.0))
        self.maps = maps_of(self.phantom)
        self.volume = add_volume(self.phantom)
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = np.array([[0.0, -1.0, 0.0, 10.0], [1.0, 0.0, 0.0, 20.0], [0.0, 0.0, 1.0, 30.0], [0.0, 0.0, 0.0, 1.0]])
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
        self.volume.SetAndObserveTransformNodeID(transform.GetID())
        self.result = SceneWriter(self.volume).write(save(self.maps, Path(self.folder.name)))

    def tearDown(self) -> None:
        """Leave nothing behind."""
        slicer.mrmlScene.Clear(0)
        self.folder.cleanup()

    def test_labels_are_the_truth_s_at_any_alpha(self) -> None:
        """The segments equal the fusion voxel for voxel, live and for good."""
        node = self.result.segmentationNode
        for alpha in (0.4, 0.9, 0.0):
            self.result.preview(alpha)
            np.testing.assert_array_equal(labels_of(node, self.volume), fused_truth(self.maps, alpha))

    def test_an_mrb_brings_the_result_back(self) -> None:
        """Everything is there after saving and loading, and alpha moves."""
        path = str(Path(self.folder.name) / "case.mrb")
        assert slicer.util.saveScene(path)
        slicer.mrmlScene.Clear(0)
        slicer.util.loadScene(path)
        nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        roles = [role for role in COMPANIONS if role not in (OUTLINES, VERDICTS, DRAWN_TABLE)]
        node = next(node for node in nodes if all(companion(node, role) is not None for role in roles))
        volume = slicer.util.getNode("CT")
        LiveResult(node, *readMaps(node)).preview(0.8)
        np.testing.assert_array_equal(labels_of(node, volume), fused_truth(self.maps, 0.8))

    def test_what_nephrometry_was_computed_from_is_drawn_and_goes(self) -> None:
        """Lines, points and planes lie over the result, in no scene file, and nothing of them is left."""
        node, finished, maps = self.result.segmentationNode, self.result.finished, self.result.maps
        found = studies(finished.labels_box, maps.sides_box, maps.grid, finished.findings, finished.lower_kji)
        study = next(study for study in found.values() if study is not None)
        count = slicer.mrmlScene.GetNumberOfNodes()
        drawNephrometry(node, self.volume, study.drawing)
        lines = {one.GetName(): one for one in nephrometryOf(node)}
        length = lines["Longest diameter"].GetMeasurement("length").GetValue()
        np.testing.assert_allclose(length, study.tumor.longest.mm, atol=0.01)
        assert not any(one.GetSaveWithScene() for one in lines.values())
        removeNephrometry(node)
        assert slicer.mrmlScene.GetNumberOfNodes() == count


if __name__ == "__main__":
    unittest.main()
