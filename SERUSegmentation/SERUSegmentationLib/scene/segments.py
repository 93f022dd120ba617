"""Which segments a result has, and the values that stand for them."""

from __future__ import annotations

import numpy as np

from seru.result.fusion import KIDNEY, TUMOR
from seru.terminology import SEGMENTS, SEGMENTS_BY_SIDE
from SERUSegmentationLib.scene.segment_layer import LayerSegment


def fusedSegments(splitSides: bool) -> list[LayerSegment]:
    """Return kidney and tumor, or these on both sides.

    Args:
        splitSides: one segment per side.

    Returns:
        The segments, in the order of the values of :func:`valueTable`.
    """
    terms = SEGMENTS_BY_SIDE if splitSides else SEGMENTS
    return [LayerSegment(term.id, term.name, term.colour, term.entry) for term in terms]


def valueTable(splitSides: bool) -> np.ndarray:
    """Return the layer's value for each side and label.

    Args:
        splitSides: one segment per side.

    Returns:
        uint8, shape (3, 3): ``[side code, label]``; 0 is no segment.
    """
    from seru.result.sides import SIDE_CODES

    table = np.zeros((3, 3), np.uint8)
    for value, term in enumerate(SEGMENTS_BY_SIDE if splitSides else SEGMENTS, start=1):
        codes = [SIDE_CODES[term.side]] if term.side else [0, 1, 2]
        table[codes, term.label] = value
    return table


def stageSegments(stage: str, title: str) -> list[LayerSegment]:
    """Return kidney and tumor of one stage.

    Args:
        stage: ``coarse`` or ``refined``.
        title: shown in brackets behind the name.

    Returns:
        Two segments without terminology: a stage is no finding, and is not exported as one.
    """
    colours = {
        ("coarse", KIDNEY): (0.25, 0.75, 1.0),
        ("coarse", TUMOR): (1.0, 0.35, 0.85),
        ("refined", KIDNEY): (0.35, 0.9, 0.45),
        ("refined", TUMOR): (1.0, 0.55, 0.15),
    }
    names = {term.label: term.name for term in SEGMENTS}
    return [
        LayerSegment(f"{stage}_{names[label]}", f"{names[label]} ({title})", colours[stage, label])
        for label in (KIDNEY, TUMOR)
    ]


def disagreementSegment(title: str) -> LayerSegment:
    """Return the segment of the voxels on which the stages disagree."""
    return LayerSegment("disagreement", title, (1.0, 0.2, 0.2))
