"""Inside Slicer: the module opens without PyTorch, its panel is wired, and a result can be worked on."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

import slicer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from Testing.module.scene_tools import add_volume, maps_of, save, small_phantom


class SERUSegmentationPanelTest(unittest.TestCase):
    """The panel, in the Slicer that runs this."""

    def setUp(self) -> None:
        """Start with an empty scene."""
        slicer.mrmlScene.Clear(0)

    def test_opening_loads_neither_torch_nor_opencv(self) -> None:
        """What is heavy stays out of Slicer's process."""
        before = {"torch", "cv2"} & set(sys.modules)
        slicer.util.getModuleWidget("SERUSegmentation")
        assert {"torch", "cv2"} & set(sys.modules) == before

    def test_a_result_is_taken_up_by_the_panel(self) -> None:
        """Alpha, key slices and measurements follow a result that is chosen."""
        from seru.options import SegmentOptions
        from SERUSegmentationLib.scene.scene_writer import SceneWriter

        phantom = small_phantom()
        volume = add_volume(phantom)
        slicer.util.selectModule("SERUSegmentation")
        widget = slicer.util.getModuleWidget("SERUSegmentation")
        with tempfile.TemporaryDirectory() as folder:
            maps = save(maps_of(phantom), Path(folder))
            node = SceneWriter(volume).write(maps, SegmentOptions(alpha=0.7)).segmentationNode
        widget.initializeParameterNode()
        widget._parameterNode.outputSegmentation = node
        slicer.app.processEvents()
        assert widget.ui.alphaSlider.enabled
        assert abs(widget.ui.alphaSlider.value - 0.7) < 1e-6
        assert widget.ui.rightJumpButton.enabled
        widget.ui.alphaSlider.value = 0.2
        assert json.loads(node.GetAttribute("SERU.Options"))["alpha"] == 0.2

    def test_segment_tells_what_is_missing(self) -> None:
        """Without a volume the button is disabled and says so."""
        widget = slicer.util.getModuleWidget("SERUSegmentation")
        widget.initializeParameterNode()
        widget._parameterNode.inputVolume = None
        assert not widget.ui.segmentButton.enabled
        assert "No CT volume is selected" in widget.ui.segmentButton.toolTip


if __name__ == "__main__":
    unittest.main()
