"""What a result shows, kept with its segmentation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from seru.errors import BadInputError
from seru.options import PostprocessingOptions
from SERUSegmentationLib.scene.owned_nodes import ALPHA, CLEAN_UP, SPLIT_SIDES


@dataclass(frozen=True)
class ResultState:
    """What a result shows.

    Attributes:
        alpha: weight of the coarse stage.
        postprocessing: clean-up.
        splitSides: one segment per side.
    """

    alpha: float
    postprocessing: PostprocessingOptions = field(default_factory=PostprocessingOptions)
    splitSides: bool = False


def storedState(segmentationNode: Any, defaultAlpha: float) -> ResultState:
    """Return what a segmentation shows, from its attributes; damaged ones give the defaults."""
    try:
        alpha = min(max(float(segmentationNode.GetAttribute(ALPHA)), 0.0), 1.0)
    except (TypeError, ValueError):
        alpha = defaultAlpha
    try:
        postprocessing = PostprocessingOptions(**json.loads(segmentationNode.GetAttribute(CLEAN_UP)))
    except (TypeError, ValueError, BadInputError):
        postprocessing = PostprocessingOptions()
    return ResultState(alpha, postprocessing, segmentationNode.GetAttribute(SPLIT_SIDES) == "1")


def storeState(segmentationNode: Any, state: ResultState) -> None:
    """Keep with a segmentation what it shows."""
    segmentationNode.SetAttribute(ALPHA, repr(float(state.alpha)))
    segmentationNode.SetAttribute(SPLIT_SIDES, str(int(state.splitSides)))
    segmentationNode.SetAttribute(CLEAN_UP, json.dumps(asdict(state.postprocessing)))
