"""What several tests of the recipe need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real OpenVINO network: its logit is the grey value's distance from the middle, times 0.1."""
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    from openvino import opset13 as ops

    image = ops.parameter([1, 1, 512, 512], np.float32)
    logit = ops.multiply(ops.subtract(image, np.float32(128)), np.float32(0.1))
    path = tmp_path_factory.mktemp("teacher") / "grey.xml"
    openvino.save_model(openvino.Model([logit], [image]), str(path), compress_to_fp16=False)
    return path
