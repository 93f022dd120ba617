"""From maps to labels and measures: the only place that fuses, cleans up and measures.

The cascade, ``seru fuse`` and the panel call :func:`finish`; a result at another alpha equals a fresh run at it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seru.findings import Measures, Side
from seru.options import SegmentOptions
from seru.result.cleanup import clean_labels
from seru.result.fusion import LiveFusion
from seru.result.maps import Maps
from seru.result.measurements import measure


@dataclass(frozen=True)
class Finished:
    """A result at one alpha.

    Attributes:
        alpha: weight of the coarse stage.
        labels_box: uint8, on the maps' stored box (K, J, I): 0 background, 1 kidney, 2 tumor.
        measures: of both sides.
    """

    alpha: float
    labels_box: np.ndarray
    measures: dict[Side, Measures]


def finish(maps: Maps, options: SegmentOptions, fusion: LiveFusion | None = None) -> Finished:
    """Fuse, clean up and measure.

    Args:
        maps: of a run.
        options: as :func:`fuse`.
        fusion: as :func:`fuse`.

    Returns:
        Labels and measures.
    """
    labels = fuse(maps, options, fusion)
    return Finished(alpha_of(maps, options), labels, measure(labels, maps.sides_box, maps.grid))


def fuse(maps: Maps, options: SegmentOptions, fusion: LiveFusion | None = None) -> np.ndarray:
    """Fuse the stages and clean the labels up.

    Args:
        maps: of a run.
        options: alpha (None takes the maps' own) and clean-up.
        fusion: of the same maps, where there is one already: what it has worked out is not done again.

    Returns:
        uint8, on the stored box (K, J, I): 0 background, 1 kidney, 2 tumor; a new array.
    """
    labels = (fusion or LiveFusion(maps)).box_labels(alpha_of(maps, options))
    return clean_labels(labels, maps.sides_box, maps.grid.voxel_ml, options)


def alpha_of(maps: Maps, options: SegmentOptions) -> float:
    """Return the alpha that the options ask for; the run's own where they leave it open."""
    return maps.alpha if options.alpha is None else options.alpha
