"""The cascade itself on cases with labels: what the command would give, at every alpha."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from seru.cascade.cascade import Segmenter
from seru.findings import LABEL_OF, Kind, Thresholds
from seru.model.store import Model
from seru.options import SegmentOptions
from seru.result.fusion import LiveFusion
from seru.result.gate import gate
from seru.result.maps import MAPS_FILE, Maps, load_maps, save_maps
from training.labelled import LabelledCase
from training.scoring import CaseScore, dice_of_counts


@dataclass(frozen=True)
class Prediction:
    """A case with both stages' probabilities and its labels.

    Attributes:
        case: what was segmented.
        maps: of the cascade.
        truth: uint8, on the volume's own grid.
        voxel_ml: volume of a voxel.
    """

    case: LabelledCase
    maps: Maps
    truth: np.ndarray
    voxel_ml: float

    def labels_box(self, alpha: float, thresholds: Thresholds | None = None) -> np.ndarray:
        """Return the fused labels on the stored box, uint8; of what is believed, where thresholds are given."""
        labels = LiveFusion(self.maps).box_labels(alpha)
        return labels if thresholds is None else gate(labels, self.maps, alpha, thresholds).labels_box

    def score(self, labels_box: np.ndarray) -> CaseScore:
        """Score labels on the stored box, outside which all is background; what is not known is undefined."""
        box = self.truth[self.maps.box_slices]
        values, totals = [], []
        for least, is_known in ((0, self.case.knows_kidney), (1, self.case.knows_tumor)):
            found, total = labels_box > least, int(np.count_nonzero(self.truth > least))
            both = np.count_nonzero(found & (box > least))
            values.append(dice_of_counts(both, np.count_nonzero(found), total) if is_known else math.nan)
            totals.append(total)
        shows = [total > 0 for total in totals]
        known = (self.case.knows_kidney, self.case.knows_tumor)
        return CaseScore(self.case.id, self.case.patient, values[0], values[1], shows[0], shows[1], *known)

    def scores(self, alphas: Sequence[float]) -> list[CaseScore]:
        """Score the fusion at each alpha, all of it believed."""
        fusion = LiveFusion(self.maps)
        return [self.score(fusion.box_labels(alpha)) for alpha in alphas]

    def true_ml(self, labels_box: np.ndarray) -> dict[Kind, float]:
        """Return how much of the labels is true, in ml: kidney and tumor together as ``kidney``, and tumor."""
        box = self.truth[self.maps.box_slices]
        return {
            kind: float(np.count_nonzero((labels_box >= label) & (box >= label)) * self.voxel_ml)
            for kind, label in LABEL_OF.items()
        }

    def volumes_ml(self, found: np.ndarray) -> dict[str, float]:
        """Return the volumes of kidney and tumor together and of tumor in ml: the true ones, and those of labels."""
        return {
            f"{kind}_{name}_ml": float(np.count_nonzero(labels > least) * self.voxel_ml)
            for kind, labels in (("true", self.truth), ("found", found))
            for least, name in enumerate(("kidney_tumor", "tumor"))
        }


def predict_cases(
    model: Model, cases: Sequence[LabelledCase], options: SegmentOptions, folder: Path | None
) -> Iterator[Prediction]:
    """Segment cases.

    Args:
        model: both stages.
        cases: with labels.
        options: how to run.
        folder: the maps are kept in it, and what is there already is taken; None keeps nothing.

    Yields:
        One prediction a case, in order.
    """
    segmenter = Segmenter(model, options)
    # In a log, a line now and then says how far it is.
    seconds = 0.1 if sys.stderr.isatty() else 20
    for case in tqdm(cases, "segment", mininterval=seconds, ncols=80):
        volume, truth = case.read()
        place = None if folder is None else folder / case.id
        if place is not None and (place / MAPS_FILE).is_file():
            maps, _ = load_maps(place)
        else:
            result = segmenter.segment(volume)
            maps = result.maps
            if place is not None:
                save_maps(maps, result.report, place)
        yield Prediction(case, maps, truth, volume.grid.voxel_ml)
